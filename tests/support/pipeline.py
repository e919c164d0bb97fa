"""One simulated pipeline for all tests that need one: matches, features and trained models, made once a session.

Everything is as small as it can be: figures mean nothing, files are complete. Tests read it and never write to it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from playahead.cli.main import run

BRIEF = ("--epochs", "1", "--steps-per-epoch", "2", "--precision", "32-true")
"""A training run of seconds. Not bfloat16, which crawls where it is emulated."""
SMALL_VIDEO = ("--video", "--halves", "1", "--width", "112", "--height", "62", "--matches", "4", "--minutes", "0.9")


@dataclass(frozen=True)
class Pipeline:
    """Simulated data, and what each step made of it.

    Attributes:
        folder: where all of it lies.
    """

    folder: Path

    @property
    def tables(self) -> Path:
        """Feed tables train.npz, val.npz and test.npz: 5 matches, two halves of 4 minutes."""
        return self.folder / "tables"

    @property
    def benchmark(self) -> Path:
        """Clips of four splits with video, in the layout of SoccerNet Ball Action Anticipation."""
        return self.folder / "benchmark"

    @property
    def match_video(self) -> Path:
        """A broadcast of 54 seconds."""
        (video,) = (self.folder / "matches" / "test").rglob("*.mp4")
        return video

    @property
    def backbone(self) -> Path:
        """Backbone weights, pretrained for two steps on the benchmark."""
        return self.folder / "backbone" / "backbone.safetensors"

    @property
    def features(self) -> Path:
        """Feature store of the benchmark, made by this backbone."""
        return self.folder / "features"

    @property
    def video_run(self) -> Path:
        """Run folder of a model trained on these features."""
        return self.folder / "video"

    @property
    def feed_run(self) -> Path:
        """Run folder of a model trained on the tables, two epochs of ten steps."""
        return self.folder / "feed"

    def make(self) -> None:
        """Run every step, as a user would."""
        simulate = ("data", "simulate", "--out")
        steps = (
            (*simulate, self.tables, "--matches", "5", "--minutes", "4"),
            (*simulate, self.folder / "matches", "--layout", "bas", *SMALL_VIDEO),
            (*simulate, self.benchmark, "--layout", "baa", *SMALL_VIDEO),
            (
                *("train", "feed", "--recipe", "demo", "--data", self.tables, "--out", self.feed_run, *BRIEF),
                *("--epochs", "2", "--steps-per-epoch", "10", "--validation-matches", "1"),
            ),
            (
                *("pretrain", "--recipe", "backbone-small", "--out", self.backbone.parent, *BRIEF, "--batch", "2"),
                *("--train", self.benchmark / "train", "--validate", self.benchmark / "valid"),
                *("--validation-videos", "1"),
            ),
            ("extract", self.benchmark, "--out", self.features, "--backbone", self.backbone),
            (
                *("train", "video", "--recipe", "video-small", "--features", self.features, "--data", self.benchmark),
                *("--out", self.video_run, *BRIEF, "--sequences", "2"),
            ),
        )
        for step in steps:
            assert run([str(word) for word in step]) == 0, step


def shared_pipeline(factory: pytest.TempPathFactory) -> Pipeline:
    """The pipeline of this session: the first worker that asks makes it, the others wait for it."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    pipeline, made = Pipeline(base / "pipeline"), base / "pipeline.made"
    with FileLock(base / "pipeline.lock"):
        if not made.exists():
            pipeline.make()
            made.touch()
    return pipeline
