"""Training: kill and resume to the same bits, stop on a broken loss, overfit a handful of windows."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.examples import FeedExamples
from playahead.decoding.decoder import Decoder
from playahead.features.feed import N_FEATURES
from playahead.features.forms import FEED_FEATURES
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError, NonFiniteLossError
from playahead.io.tensors import read_tensors
from playahead.lab.simulation.plays import simulate_half
from playahead.training.run import validate
from playahead.training.trainer import Trainer
from playahead.variants.config import CriterionConfig, OptimConfig
from playahead.variants.model import build
from tests.support.training import TINY, always_one, windows


def train(folder: Path, config=TINY, stop_at: int | None = None) -> dict[str, torch.Tensor]:
    """Train in this process; with ``stop_at``, die there as a kill would: nothing is saved on the way out."""

    def show(progress):
        if progress.done == stop_at:
            raise KeyboardInterrupt

    trainer = Trainer(config, windows(), always_one, folder)
    try:
        trainer.run(show)
    except KeyboardInterrupt:
        assert stop_at is not None
    return dict(trainer.averaged_model.state_dict())


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name


@pytest.mark.parametrize(
    ("kind", "stop_at"),
    [("adamw", 9), ("muon", 5), *(pytest.param("adamw", step, marks=pytest.mark.slow) for step in (1, 5, 8, 17))],
)
def test_a_killed_run_ends_with_the_same_bits(tmp_path, kind, stop_at):
    config = replace(TINY, optim=replace(TINY.optim, kind=kind))
    whole = train(tmp_path / "whole", config)
    train(tmp_path / "killed", config, stop_at=stop_at)
    assert_same(whole, train(tmp_path / "killed", config))
    assert (tmp_path / "whole" / "log.csv").read_text().count("\n") == 4


@pytest.mark.slow
def test_killed_with_sigkill_at_random_moments(tmp_path):
    """A real process, really killed; then run to its end."""
    script = (
        "import sys, time, torch; from pathlib import Path; from tests.support.training import *\n"
        "from playahead.training.trainer import Trainer\n"
        "torch.set_num_threads(1)\n"
        "Trainer(TINY, windows(), always_one, Path(sys.argv[1])).run(lambda p: time.sleep(0.02))"
    )
    rng = np.random.default_rng(0)
    command = [sys.executable, "-c", script, str(tmp_path / "killed")]
    root = Path(__file__).parents[2]
    for _ in range(3):
        process = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        state = tmp_path / "killed" / "state.safetensors"
        before = state.stat().st_mtime_ns if state.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if state.exists() and state.stat().st_mtime_ns != before:
                break  # it has trained on: the kill meets training, not an import
            time.sleep(0.02)
        time.sleep(float(rng.uniform(0, 0.3)))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert_same(train(tmp_path / "whole"), train(tmp_path / "killed"))


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = train(tmp_path)
    trainer = Trainer(TINY, windows(), always_one, tmp_path)
    assert trainer.step == TINY.total_steps
    trainer.run()
    assert_same(first, dict(trainer.averaged_model.state_dict()))


def test_another_seed_gives_other_weights(tmp_path):
    ours, theirs = train(tmp_path / "a"), train(tmp_path / "b", replace(TINY, seed=1))
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_state_of_other_settings_is_refused(tmp_path):
    train(tmp_path, stop_at=5)
    with pytest.raises(InputError, match="other settings or data"):
        Trainer(replace(TINY, seed=9), windows(), always_one, tmp_path)


def test_a_state_of_other_data_is_refused(tmp_path):
    train(tmp_path, stop_at=5)
    other = FeedExamples([simulate_half(1, minutes=6)], 3)
    with pytest.raises(InputError, match="other settings or data"):
        Trainer(TINY, other, always_one, tmp_path)


def test_weights_with_nan_are_refused(tmp_path):
    model = build(TINY.model)
    torch.nn.init.constant_(model.decoder.embedding_KD, float("nan"))
    Predictor(model, {}).save(tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="holds NaN"):
        Predictor.open(tmp_path / "weights.safetensors")


def test_weights_of_other_features_are_refused(tmp_path):
    Predictor(build(TINY.model), {"features": {"kind": "video"}}).save(tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="was not trained on the event-feed features"):
        Predictor.open(tmp_path / "weights.safetensors", FEED_FEATURES)


def test_a_damaged_state_is_refused_with_its_name(tmp_path):
    train(tmp_path, stop_at=5)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(InputError, match=r"state\.safetensors"):
        Trainer(TINY, windows(), always_one, tmp_path)


def test_a_non_finite_loss_stops_and_names_the_batch(tmp_path):
    broken = windows()
    good = broken.batch

    def batch(anchors, rng):
        made = good(anchors, rng)
        made.features_BWNF[2] = float("nan")
        return made

    broken.batch = batch
    trainer = Trainer(TINY, broken, always_one, tmp_path)
    with pytest.raises(NonFiniteLossError, match=r"at step 0, on match 1, half 1, \d+ ms"):
        trainer.run()
    assert not (tmp_path / "state.safetensors").exists()


@pytest.mark.slow
def test_overfits_sixteen_windows(tmp_path):
    """The whole chain can learn what it is shown: 16 windows, no augmentation, marginal decoding."""
    half = simulate_half(1, minutes=2.2)
    fixed = FeedExamples([half], 16)
    rng = np.random.default_rng(0)
    batch = fixed.batch(np.array([0]), rng)
    fixed.batch = lambda anchors, rng: batch
    config = replace(
        TINY,
        model=replace(TINY.model, d_model=32, ffn_dim=64, slots=12, dropout=0.0, drop_path=0.0, memory_tail=True),
        criterion=CriterionConfig(positive_weight=1.0, label_smoothing=0.0, sigma_bins=0.0, intensity_weight=1.0),
        optim=OptimConfig(lr=5e-3, warmup_epochs=0.2, restart_epochs=3.8),
        epochs=4,
        steps_per_epoch=100,
        sequences=1,
        examples=16,
        mixup_alpha=0.0,
        rare_sampler=False,
        average_decay=0.0,
        save_every=1000,
    )
    trainer = Trainer(config, fixed, always_one, tmp_path)
    first = float(trainer.losses(np.random.default_rng(0))[0]["intensity"].detach())
    trainer.run()
    last = float(read_log(tmp_path)[-1]["loss_intensity"])
    assert last < 0.45 * first, f"intensity loss went from {first:.2f} only to {last:.2f}"


def read_log(folder: Path) -> list[dict[str, str]]:
    import csv

    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_log_is_there_for_tensorboard_too(tmp_path):
    pytest.importorskip("tensorboardX")
    train(tmp_path)
    (events,) = (tmp_path / "tensorboard").glob("events.*")
    assert b"loss/total" in events.read_bytes()


def test_features_of_another_length_are_refused(tmp_path):
    config = replace(TINY, model=replace(TINY.model, feature_dim=N_FEATURES + 1))
    with pytest.raises(
        InputError, match=rf"AnticipatorConfig\.feature_dim: {N_FEATURES + 1}, but the windows have {N_FEATURES}"
    ):
        Trainer(config, windows(), always_one, tmp_path)


def test_validation_chooses_the_best_checkpoint(tmp_path):
    figures = iter([3.0, 7.0, 5.0])
    trainer = Trainer(TINY, windows(), lambda _: {"map": next(figures)}, tmp_path)
    found = trainer.run()
    assert found["best"] == 7.0
    _, about = read_tensors(tmp_path / "best.safetensors")
    assert about["step"] == 16
    assert [row["map"] for row in read_log(tmp_path)] == ["3.0", "7.0", "5.0"]


def test_validation_on_matches_names_its_figures(tmp_path):
    matches = FeedEvaluationSet([simulate_half(2, minutes=4)])
    decoders = {"marginal": Decoder(), "threshold": Decoder("tuned-threshold", tau=0.01)}
    trainer = Trainer(TINY, windows(), lambda predictor: validate(predictor, matches, decoders), tmp_path)
    found = trainer.run()
    assert {"map", "official", "map_threshold", "official_threshold"} <= found.keys()
    assert 0 <= found["map"] <= 100


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"sequences": 0}, {"average_decay": 1.0}, {"mixup_alpha": -0.1}, {"seed": -1}]
)
def test_settings_that_cannot_work_are_refused(change):
    with pytest.raises(InputError):
        replace(TINY, **change)


def test_slots_that_nothing_trains_are_refused():
    with pytest.raises(InputError, match="nothing trains the slots"):
        replace(TINY, criterion=CriterionConfig(matched_weight=0.0, intensity_weight=0.0))
