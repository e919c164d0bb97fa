"""Weights that ship with the package, and files of other formats."""

import json

import pytest

from playahead.backbone.checkpoint import load_backbone
from playahead.datasets.dataset import FeedDataset
from playahead.features.forms import FEED_FEATURES
from playahead.inference.evaluate import evaluate
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.io.tensors import read_tensors

FIRST_TWO_MATCHES = 0.27500307873462526  # when it was packaged
NAMES = ("feed", "simulated-backbone", "simulated-video")


@pytest.mark.parametrize("name", NAMES)
def test_packaged_weights_say_their_format(name):
    assert read_tensors(packaged_weights(name))[1]["format"] == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_refused(name, number, tmp_path):
    """The number stands in the header's JSON, which safetensors pads with spaces."""
    before = packaged_weights(name).read_bytes()
    length = int.from_bytes(before[:8], "little")
    header = json.loads(before[8 : 8 + length])
    about = json.loads(header["__metadata__"]["about"])
    header["__metadata__"]["about"] = json.dumps({**about, "format": number})
    text = json.dumps(header).encode()
    (tmp_path / "other.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + before[8 + length :])
    with pytest.raises(InputError, match=r"other\.safetensors: .*format"):
        (load_backbone if name == "simulated-backbone" else Predictor.open)(tmp_path / "other.safetensors")


def test_packaged_weights_open():
    backbone, provenance = load_backbone(packaged_weights("simulated-backbone"))
    assert "x" in str(provenance["input_size"])
    video = Predictor.open(packaged_weights("simulated-video"))
    assert len(video.about["features"]["input_size"]) == 3
    assert video.about["features"]["feature_dim"] == backbone.config.feature_dim
    Predictor.open(None, FEED_FEATURES)


def test_the_packaged_model_says_what_it_said(wyscout_baa):
    """The benchmark's figure on the first test matches; another processor may round differently."""
    evaluated = evaluate(Predictor.open(), FeedDataset(wyscout_baa).evaluation_set("test").first_matches(2))
    assert evaluated.average == pytest.approx(FIRST_TWO_MATCHES, abs=2e-4)
    many = [row for row in evaluated.reliability or () if row.anticipations >= 500]
    assert len(many) > 4
    assert all(row.happened == pytest.approx(row.stated, abs=0.06) for row in many), "all 64: docs/metric.md"


def test_the_packaged_feed_model_is_small_and_has_calibrated_chances():
    path = packaged_weights("feed")
    assert path.stat().st_size <= 4_000_000
    knots = read_tensors(path)[1]["chances"]
    assert all(len(said) == len(happened) > 2 for of_horizon in knots for said, happened in of_horizon if said)
    assert sum(bool(said) for of_horizon in knots for said, _ in of_horizon) >= 27
