# The public names and their homes: the only list of them.
from .datasets.check import check_dataset as check_dataset
from .datasets.dataset import (
    FeedDataset as FeedDataset,
    VideoDataset as VideoDataset,
    feed_evaluation_set as feed_evaluation_set,
    open_dataset as open_dataset,
)
from .decoding.decoder import score_clips as score_clips
from .domain.actions import ACTIONS as ACTIONS, Action as Action
from .domain.feed import FeedHalf as FeedHalf
from .domain.notices import Notices as Notices
from .domain.records import ActionEvent as ActionEvent, Anticipation as Anticipation, Clip as Clip
from .evaluation.scores import Evaluation as Evaluation
from .evaluation.submission import (
    check_submission as check_submission,
    evaluate_submission as evaluate_submission,
    write_submission as write_submission,
)
from .features.extract import ExtractConfig as ExtractConfig, extract as extract
from .features.store import FeatureStore as FeatureStore
from .inference.clips import anticipate_clips as anticipate_clips
from .inference.curves import Curves as Curves, curves as curves
from .inference.evaluate import evaluate as evaluate
from .inference.feed import predict_feed as predict_feed
from .inference.open_predictor import DecodingOptions as DecodingOptions, open_predictor as open_predictor
from .inference.predict import predict as predict
from .inference.predictor import Predictor as Predictor
from .inference.result import PredictConfig as PredictConfig, PredictResult as PredictResult
from .inference.video import predict_video as predict_video
from .io.errors import (
    InputError as InputError,
    NonFiniteLossError as NonFiniteLossError,
    PlayaheadError as PlayaheadError,
    RecordError as RecordError,
)
from .io.progress import Progress as Progress
from .lab.compare.compare import CompareConfig as CompareConfig, Comparison as Comparison, compare as compare
from .lab.compare.grid import open_grid as open_grid
from .lab.download import download_baa as download_baa
from .lab.faantra.end_to_end import EndToEndConfig as EndToEndConfig, train_frames as train_frames
from .lab.next_action import score_next_actions as score_next_actions
from .lab.pitch import draw_situation as draw_situation
from .lab.plot import plot_curves as plot_curves
from .lab.pretrain import PretrainConfig as PretrainConfig, pretrain as pretrain
from .lab.recipes import recipe as recipe
from .lab.report.write import ReportConfig as ReportConfig, write_report as write_report
from .lab.simulation.simulate import SimulationConfig as SimulationConfig, simulate as simulate
from .sources.feed_tables import read_feed_table as read_feed_table, write_feed_table as write_feed_table
from .sources.feeds import convert_feeds as convert_feeds, read_feed as read_feed
from .sources.kloppy_events import read_kloppy_dataset as read_kloppy_dataset
from .sources.soccernet import read_baa_split as read_baa_split
from .sources.spadl import read_spadl as read_spadl
from .training.run import train as train
from .training.trainer import TrainConfig as TrainConfig
