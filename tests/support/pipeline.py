"""One simulated pipeline for all tests that need one: matches, features and trained models, made once a session.

Everything is as small as it can be: figures mean nothing, files are complete. Folders have the names of the README and
the tutorial, and the steps are theirs with ``BRIEF`` options. So in a copy of it their commands resume finished runs,
and are refused where a setting differs. Tests read the original and never write to it.
"""

import os
import shlex
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from playahead.cli.main import run
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import Rendering, render

TINY = "--epochs 1 --steps-per-epoch 2 --precision 32-true"  # bfloat16 crawls where it is emulated
BRIEF = {
    "train feed": f"{TINY} --validation-matches 1 --examples 4",
    "train video": f"{TINY} --sequences 2",
    "train frames": f"{TINY} --batch 2 --model.input-size 64x32 --validation-clips 2",
    "pretrain": f"{TINY} --batch 2 --validation-videos 1 --input-size 96x64",
    "predict match.json --every 1": "--to 5:00",
    "predict match.mp4 --weights": "--to 0:32",
    "predict results_spotting.json --half 1 --video": "--to 0:45",
}
"""Options that make a command one of seconds."""
FIRST_RUN = "--steps-per-epoch 10 --precision 32-true"
"""The same for the tutorial's run, which learns a little."""
STEPS = (
    "data simulate --out tables --matches 6 --minutes 4",
    f"train feed --data tables --recipe demo --epochs 2 --out runs/first {FIRST_RUN}",
    "data simulate --out SoccerNet/224p --layout baa --matches 4 --minutes 0.75 --halves 1 "
    "--video --width 112 --height 62",
    "pretrain --train SoccerNet/224p/train --validate SoccerNet/224p/valid --recipe backbone-small --out runs/backbone "
    f"{BRIEF['pretrain']}",
    "extract SoccerNet/224p --out features --backbone runs/backbone/backbone.safetensors",
    f"train video --features features --data SoccerNet/224p --recipe video --out runs/video {BRIEF['train video']}",
)


@dataclass(frozen=True)
class Pipeline:
    """Simulated data, and what each step made of it.

    Attributes:
        folder: where all of it lies.
    """

    folder: Path

    @property
    def tables(self) -> Path:
        """Feed tables train.npz, val.npz and test.npz: 6 matches, two halves of 4 minutes."""
        return self.folder / "tables"

    @property
    def feed_run(self) -> Path:
        """Run folder of a model trained on the tables, two epochs of ten steps."""
        return self.folder / "runs" / "first"

    @property
    def match_video(self) -> Path:
        """A broadcast of 54 seconds."""
        return self.folder / "match.mp4"

    @property
    def benchmark(self) -> Path:
        """Clips of four splits with video, in the layout of SoccerNet Ball Action Anticipation."""
        return self.folder / "SoccerNet" / "224p"

    @property
    def backbone(self) -> Path:
        """Backbone weights, pretrained for two steps on the benchmark."""
        return self.folder / "runs" / "backbone" / "backbone.safetensors"

    @property
    def features(self) -> Path:
        """Feature store of the benchmark, made by this backbone."""
        return self.folder / "features"

    @property
    def video_run(self) -> Path:
        """Run folder of a model trained on these features, two steps."""
        return self.folder / "runs" / "video"

    def make(self) -> None:
        """Run every step, as a user would."""
        self.folder.mkdir()
        render(Rendering(simulate_half(seed=0, minutes=0.9), 0, 112, 62, self.match_video))
        with chdir(self.folder):
            for step in STEPS:
                assert run(shlex.split(step)) == 0, step


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
