"""Weights, states and run folders that an earlier version wrote still open, and resume.

``tests/goldens/run_folder`` was written by commit 58a858c, before settings had their present names.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from playahead.backbone.checkpoint import load_backbone
from playahead.datasets.dataset import FeedDataset
from playahead.features.feed import FEED_FEATURES, prepare_track
from playahead.inference.predictor import Predictor
from playahead.io.assets import packaged_weights
from playahead.lab.compare.grid import changed
from playahead.lab.compare.jobs import Job, train_job
from playahead.lab.recipes import recipe
from playahead.lab.simulation.plays import simulate_half
from playahead.training.trainer import TrainConfig, Trainer
from tests.conftest import simulate

FOLDER = Path(__file__).parents[1] / "goldens" / "run_folder"
FIRST_TWO_MATCHES = 0.2531096141474985  # when it was packaged
SETTINGS = {
    "epochs": 1,
    "degraded": 0.0,  # later than that run
    "steps_per_epoch": 6,
    "sequences": 2,
    "examples": 2,
    "model.feature_dim": 63,  # a feed's features of then
    "model.d_model": 16,
    "model.heads": 2,
    "model.ffn_dim": 16,
    "model.encoder_layers": 1,
    "model.decoder_layers": 1,
    "model.slots": 4,
    "optim.warmup_epochs": 0.1,
    "validate_every": 1,
}


@pytest.fixture(scope="module")
def config() -> TrainConfig:
    return replace(changed(recipe("feed"), SETTINGS), seed=0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> FeedDataset:
    folder = tmp_path_factory.mktemp("tables")
    simulate(folder, matches=6, minutes=6.0)
    return FeedDataset(folder)


@pytest.fixture
def run_folder(tmp_path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "plain-0")
    return tmp_path / "plain-0"


def test_weights_open_with_their_decodings():
    predictor = Predictor.open(FOLDER / "weights.safetensors", FEED_FEATURES)
    assert predictor.about["train"]["sequences"] == predictor.about["train"]["examples"] == 2
    assert {"marginal", "threshold"} <= predictor.about["decoders"].keys()
    (coming,) = predictor.anticipate_at(prepare_track(simulate_half(0, minutes=2)), [60_000], 0.0)
    assert coming


def test_a_state_resumes(config, dataset, run_folder):
    examples = dataset.training_examples(config.examples)
    examples.feature_dim = config.model.feature_dim
    trainer = Trainer(config, examples, lambda _: {"map": 0.0}, run_folder)
    assert trainer.step == config.total_steps


def test_a_finished_run_of_a_grid_is_not_trained_again(config, dataset, run_folder, monkeypatch):
    recorded = json.loads((FOLDER / "trained.json").read_text())["data"]
    monkeypatch.setattr(dataset, "digest", lambda *_: recorded)
    before = (run_folder / "weights.safetensors").stat().st_mtime_ns
    train_job(Job("plain", 0, run_folder, run_folder / "weights.safetensors", config, None), dataset)
    assert (run_folder / "weights.safetensors").stat().st_mtime_ns == before


def test_the_packaged_weights_open():
    backbone, provenance = load_backbone(packaged_weights("simulated-backbone"))
    assert "x" in str(provenance["input_size"])
    video = Predictor.open(packaged_weights("simulated-video"))
    assert len(video.about["features"]["input_size"]) == 3
    assert video.about["features"]["feature_dim"] == backbone.config.feature_dim
    Predictor.open(None, FEED_FEATURES)


def test_the_packaged_model_says_what_it_said(real_matches):
    """The benchmark's figure on the first test matches; another processor may round differently."""
    from playahead.evaluation.evaluate import evaluate

    found = FeedDataset(real_matches).evaluation_set("test").first_matches(2)
    said = evaluate(Predictor.open(), found)
    assert said.average == pytest.approx(FIRST_TWO_MATCHES, abs=2e-4)
    many = [row for row in said.reliability or () if row.anticipations >= 500]
    assert len(many) > 4
    assert all(row.happened == pytest.approx(row.stated, abs=0.06) for row in many), (
        "two matches; all 64: docs/metric.md"
    )
