"""The public list is sorted, documented, and does not change by accident."""

import subprocess
import sys
from pathlib import Path

import pytest

import playahead

FROZEN = [
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


def test_the_public_list_is_frozen_sorted_and_documented():
    assert playahead.__all__ == FROZEN == sorted(FROZEN)
    assert dir(playahead) == FROZEN
    for name in FROZEN:
        assert getattr(playahead, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = playahead.nonsense


@pytest.mark.parametrize("rooms", ["evaluation.official", "submission.check", "decoding.decoder", "domain.records"])
def test_scoring_decoding_and_submitting_need_no_torch(rooms):
    program = f"import sys, playahead.{rooms}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_package_is_typed():
    assert (Path(playahead.__file__).parent / "py.typed").exists()


def test_the_whole_error_tree_is_exported():
    from playahead import errors

    raised = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert set(raised) <= set(FROZEN)
