"""Fixtures: a simulated video and a model of seconds' training on its features."""

from pathlib import Path

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.inference.video import VideoModel
from playahead.video.reader import read_frames
from tests.support.backbone import backbone, backbone_file  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def made(tmp_path_factory, backbone_file) -> Path:  # noqa: F811
    """Folder with simulated video (sim), its features (features), and a trained model (run)."""
    folder = tmp_path_factory.mktemp("made")
    size = ["--width", "96", "--height", "60"]
    simulate = ["data", "simulate", "--layout", "bas", "--video", "--minutes", "0.9", "--halves", "1", "--matches", "4"]
    assert run([*simulate, *size, "--out", str(folder / "sim")]) == 0
    encode = ["extract", str(folder / "sim"), "--out", str(folder / "features"), "--backbone", str(backbone_file)]
    assert run(encode) == 0
    train = ["train", "video", "--features", str(folder / "features"), "--data", str(folder / "sim")]
    small = ["--recipe", "demo", "--epochs", "1", "--steps-per-epoch", "3", "--sequences", "4", "--model.d-model", "16"]
    small += ["--precision", "32-true"]
    assert run([*train, *small, "--out", str(folder / "run")]) == 0
    return folder


@pytest.fixture(scope="session")
def video(made) -> Path:
    """A test video of 54 s."""
    (path,) = (made / "sim" / "test").rglob("*.mp4")
    return path


@pytest.fixture(scope="session")
def model(made, backbone_file) -> VideoModel:  # noqa: F811
    return VideoModel.open(made / "run" / "weights.safetensors", backbone_file, "cpu")


@pytest.fixture(scope="session")
def frames(model, video) -> list[np.ndarray]:
    """Gray frames of the video at the model's input size."""
    return [gray_HW for _, gray_HW in read_frames(video, model.input_size)]
