"""Watch 30 s of football, say what happens in the next 5.

Everything that the command line does is a function here. They print nothing; long ones report through a callback
(``show``, see ``playahead.progress``). Files and arguments that cannot be used raise ``InputError``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playahead.datasets.check import check_dataset
    from playahead.datasets.dataset import FeedDataset, VideoDataset, feed_evaluation_set, open_dataset
    from playahead.decoding.score_clips import score_clips
    from playahead.domain.actions import ACTIONS, Action
    from playahead.domain.feed import FeedHalf
    from playahead.domain.records import ActionEvent, Anticipation, Clip
    from playahead.download.benchmark import download_baa
    from playahead.endtoend.run import train_frames
    from playahead.endtoend.trainer import EndToEndConfig
    from playahead.errors import InputError, NonFiniteLossError, PlayaheadError, RecordError
    from playahead.evaluation.evaluate import Evaluation, evaluate
    from playahead.experiments.compare import CompareConfig, Comparison, compare
    from playahead.experiments.grid import open_grid
    from playahead.experiments.next_actions import score_next_actions
    from playahead.features.extract import ExtractConfig, extract
    from playahead.features.feed import prepare_track
    from playahead.features.store import FeatureStore
    from playahead.inference.clips import anticipate_clips
    from playahead.inference.decoding import DecodingOptions
    from playahead.inference.feed import predict_feed
    from playahead.inference.predict import predict
    from playahead.inference.predictor import Predictor
    from playahead.inference.result import PredictConfig, PredictResult
    from playahead.inference.video import predict_video
    from playahead.progress import Progress
    from playahead.recipes import recipe
    from playahead.report.write import ReportConfig, write_report
    from playahead.simulation.simulate import SimulationConfig, simulate
    from playahead.sources.convert import convert_feeds
    from playahead.sources.feed_tables import read_feed_table, write_feed_table
    from playahead.sources.feeds import read_feed
    from playahead.sources.kloppy_events import read_kloppy_dataset
    from playahead.sources.soccernet_baa import read_baa_split
    from playahead.sources.spadl import read_spadl
    from playahead.sources.wyscout import read_wyscout_match
    from playahead.spotting.run import pretrain
    from playahead.spotting.trainer import PretrainConfig
    from playahead.submission.check import check_submission
    from playahead.submission.evaluate import evaluate_submission
    from playahead.submission.write import write_submission
    from playahead.training.run import train
    from playahead.training.trainer import TrainConfig

_HOMES = {
    "ACTIONS": "domain.actions",
    "Action": "domain.actions",
    "ActionEvent": "domain.records",
    "Anticipation": "domain.records",
    "Clip": "domain.records",
    "CompareConfig": "experiments.compare",
    "Comparison": "experiments.compare",
    "DecodingOptions": "inference.decoding",
    "EndToEndConfig": "endtoend.trainer",
    "Evaluation": "evaluation.evaluate",
    "ExtractConfig": "features.extract",
    "FeatureStore": "features.store",
    "FeedDataset": "datasets.dataset",
    "FeedHalf": "domain.feed",
    "InputError": "errors",
    "NonFiniteLossError": "errors",
    "PlayaheadError": "errors",
    "PredictConfig": "inference.result",
    "PredictResult": "inference.result",
    "Predictor": "inference.predictor",
    "PretrainConfig": "spotting.trainer",
    "Progress": "progress",
    "RecordError": "errors",
    "ReportConfig": "report.write",
    "SimulationConfig": "simulation.simulate",
    "TrainConfig": "training.trainer",
    "VideoDataset": "datasets.dataset",
    "anticipate_clips": "inference.clips",
    "check_dataset": "datasets.check",
    "check_submission": "submission.check",
    "compare": "experiments.compare",
    "convert_feeds": "sources.convert",
    "download_baa": "download.benchmark",
    "evaluate": "evaluation.evaluate",
    "evaluate_submission": "submission.evaluate",
    "extract": "features.extract",
    "feed_evaluation_set": "datasets.dataset",
    "open_dataset": "datasets.dataset",
    "open_grid": "experiments.grid",
    "predict": "inference.predict",
    "predict_feed": "inference.feed",
    "predict_video": "inference.video",
    "prepare_track": "features.feed",
    "pretrain": "spotting.run",
    "read_baa_split": "sources.soccernet_baa",
    "read_feed": "sources.feeds",
    "read_kloppy_dataset": "sources.kloppy_events",
    "read_spadl": "sources.spadl",
    "read_feed_table": "sources.feed_tables",
    "read_wyscout_match": "sources.wyscout",
    "recipe": "recipes",
    "score_clips": "decoding.score_clips",
    "score_next_actions": "experiments.next_actions",
    "simulate": "simulation.simulate",
    "train": "training.run",
    "train_frames": "endtoend.run",
    "write_feed_table": "sources.feed_tables",
    "write_report": "report.write",
    "write_submission": "submission.write",
}

__all__ = [
    "ACTIONS",
    "Action",
    "ActionEvent",
    "Anticipation",
    "Clip",
    "CompareConfig",
    "Comparison",
    "DecodingOptions",
    "EndToEndConfig",
    "Evaluation",
    "ExtractConfig",
    "FeatureStore",
    "FeedDataset",
    "FeedHalf",
    "InputError",
    "NonFiniteLossError",
    "PlayaheadError",
    "PredictConfig",
    "PredictResult",
    "Predictor",
    "PretrainConfig",
    "Progress",
    "RecordError",
    "ReportConfig",
    "SimulationConfig",
    "TrainConfig",
    "VideoDataset",
    "anticipate_clips",
    "check_dataset",
    "check_submission",
    "compare",
    "convert_feeds",
    "download_baa",
    "evaluate",
    "evaluate_submission",
    "extract",
    "feed_evaluation_set",
    "open_dataset",
    "open_grid",
    "predict",
    "predict_feed",
    "predict_video",
    "prepare_track",
    "pretrain",
    "read_baa_split",
    "read_feed",
    "read_feed_table",
    "read_kloppy_dataset",
    "read_spadl",
    "read_wyscout_match",
    "recipe",
    "score_clips",
    "score_next_actions",
    "simulate",
    "train",
    "train_frames",
    "write_feed_table",
    "write_report",
    "write_submission",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``import playahead`` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'playahead' has no attribute {name!r}")
    return getattr(import_module(f"playahead.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
