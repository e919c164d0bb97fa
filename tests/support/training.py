"""A tiny run of the trainer, and a data set of eight classes."""

from dataclasses import replace
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.datasets.evaluation_set import VideoEvaluationSet
from playahead.datasets.examples import FeedExamples, VideoExamples
from playahead.datasets.stored import LabelledFeatures
from playahead.domain.actions import ACTIONS, Action
from playahead.features.feed import N_FEATURES
from playahead.features.forms import AS_RECORDED
from playahead.lab.simulation.plays import simulate_half
from playahead.training.trainer import TrainConfig
from playahead.variants.config import AnticipatorConfig, CriterionConfig, OptimConfig
from tests.support.recordings import recording

TINY = TrainConfig(
    model=AnticipatorConfig(
        feature_dim=N_FEATURES, d_model=16, heads=2, ffn_dim=32, slots=6, bins=10, decoder_layers=1, encoder_layers=1
    ),
    criterion=CriterionConfig(intensity_weight=1.0),
    optim=OptimConfig(lr=1e-3, warmup_epochs=1, restart_epochs=2),
    epochs=3,
    steps_per_epoch=8,
    sequences=4,
    examples=3,
    average_decay=0.9,
    device="cpu",
    save_every=3,
)
CLASSES = tuple(c for c, action in enumerate(ACTIONS) if action not in (Action.DRIVE, Action.BLOCK))
"""What ``Recorded`` annotates."""
_FEATURES = {"kind": "video", "weights": "w", "input_size": "i", "precision": "p"}
_EVENTS = [(31_000, Action.PASS), (33_000, Action.SHOT), (38_000, Action.OUT), (44_000, Action.PASS)]


def windows(examples: int = 3) -> FeedExamples:
    """Examples of six simulated minutes."""
    return FeedExamples([simulate_half(0, minutes=6)], examples)


def always_one(_model: object) -> dict[str, float]:
    """A validation that likes every model as much."""
    return {"map": 1.0}


def annotated(seed: int) -> LabelledFeatures:
    """A recording with ``CLASSES`` annotated."""
    return replace(recording(10, _EVENTS, name=f"v{seed}", seed=seed), classes=CLASSES)


class Recorded(Dataset):
    """Eight classes on three recordings."""

    features = _FEATURES

    def __init__(self):
        super().__init__(Path("recorded"))

    def training_examples(self, examples, degraded=0.0, augment=True, reading=AS_RECORDED):
        return VideoExamples([annotated(0), annotated(1)], examples)

    def evaluation_set(self, split):
        return VideoEvaluationSet([annotated(2)], _FEATURES, split)

    def validation_sample(self, matches):
        return self.evaluation_set("val")

    def training_halves(self):
        raise NotImplementedError

    def place(self, split):
        raise NotImplementedError

    def digest(self, *splits):
        return "recorded"
