"""A video that changes between two starts, and clips that lack some of their frames."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from playahead.backbone.fast import FastBackbone
from playahead.cli.main import run
from playahead.features.encoder import WindowEncoder
from playahead.features.extract import Extractor, Video
from playahead.features.store import FeatureStore, StoreFacts
from playahead.video.input_size import InputSize
from playahead.video.reader import read_drawn
from playahead.video.writer import write_video
from tests.features.test_extract import _stop_after

INPUT_SIZE = InputSize(96, 64)


def frames_of(path: Path) -> list[np.ndarray]:
    return [rgb for _, rgb in read_drawn(path, lambda frame: frame.to_ndarray(format="rgb24"))]


def shorten(path: Path, n_frames: int) -> None:
    """Cut a clip to its first frames."""
    write_video(path, frames_of(path)[:n_frames], (96, 54))


@pytest.fixture
def extractor(tmp_path, backbone) -> Extractor:
    facts = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 40)
    return Extractor(FeatureStore(tmp_path / "store", facts), WindowEncoder(FastBackbone(backbone), 41), INPUT_SIZE)


@pytest.fixture
def stopped(tmp_path, benchmark, extractor) -> Video:
    """A video whose extraction stopped after two windows."""
    video = Video("match", tmp_path / "match.mp4")
    shutil.copy(benchmark / "test" / "clip_1" / "54p.mp4", video.path)
    with pytest.raises(KeyboardInterrupt):
        extractor.extract(video, _stop_after(2))
    assert len(extractor.store.journal("match").keys) == 2
    return video


@pytest.mark.parametrize("change", ["missing", "empty", "cut short", "another", "garbage"])
def test_a_video_that_is_not_what_it_was_fails_and_is_not_closed(benchmark, extractor, stopped, change):
    whole = stopped.path.read_bytes()
    {
        "missing": lambda: stopped.path.unlink(),
        "empty": lambda: stopped.path.write_bytes(b""),
        "cut short": lambda: shorten(stopped.path, 200),
        "another": lambda: shutil.copy(benchmark / "train" / "clip_1" / "54p.mp4", stopped.path),
        "garbage": lambda: stopped.path.write_bytes(b"not a video" * 100),
    }[change]()
    report = extractor.extract(stopped)
    assert "match" in report.failed
    journal = extractor.store.journal("match")
    assert (len(journal.keys), journal.closed) == (2, False)
    stopped.path.write_bytes(whole)
    assert extractor.extract(stopped).windows == 4
    assert extractor.store.journal("match").closed


def test_a_video_that_really_ends_there_is_closed(extractor, stopped):
    """Stopped after its last window, before it was closed."""
    whole = frames_of(stopped.path)
    for n_frames in (250, 300):
        write_video(stopped.path, whole[:n_frames], (96, 54))
        path = extractor.store.journal_path("match")
        path.unlink()
        extractor.extract(stopped)
        closed = path.read_bytes()
        path.write_bytes(b"\n".join(closed.split(b"\n")[:2]) + b"\n")  # without the line that closes it
        report = extractor.extract(stopped)
        assert (report.failed, report.windows, report.videos) == ({}, 0, 1)
        assert path.read_bytes() == closed


@pytest.mark.parametrize(("n_frames", "windows", "padded"), [(750, 6, 0), (749, 6, 1), (738, 6, 1), (737, 5, 0)])
def test_up_to_half_a_second_of_missing_end_is_filled_and_told(
    tmp_path, extractor, benchmark, n_frames, windows, padded
):
    path = tmp_path / "clip_1" / "54p.mp4"
    path.parent.mkdir()
    shutil.copy(benchmark / "test" / "clip_1" / "54p.mp4", path)
    shorten(path, n_frames)
    report = extractor.extract(Video("test/clip_1", path))
    assert (report.windows, report.padded) == (windows, padded)
    assert any(f"last {750 - n_frames} frames are missing" in notice for notice in report.notices) == bool(padded)
    assert list(report.failed) == ([] if windows == 6 else ["test/clip_1"])


def test_a_short_clip_fails_by_name_and_the_rest_goes_on(tmp_path, benchmark, backbone_file, capsys):
    data, store, out = tmp_path / "data", tmp_path / "store", tmp_path / "run"
    shutil.copytree(benchmark, data)
    for split in ("train", "valid", "test", "challenge"):
        clips = sorted((data / split).glob("clip_*/54p.mp4"))
        shorten(clips[0], 749)
        if len(clips) > 1:
            shorten(clips[1], 700)
    words = ["--backbone", str(backbone_file), "--out", str(store), "--device", "cpu"]
    assert run(["extract", str(data), *words]) == 2
    said = capsys.readouterr()
    assert said.err.count("an observation needs 30 s") == 4
    assert "4 were filled up at their end" in " ".join(said.out.split())
    brief = ["--epochs", "1", "--steps-per-epoch", "1", "--sequences", "1", "--precision", "32-true"]
    sizes = ["--recipe", "demo", "--model.slots", "4"]
    assert (
        run(["train", "video", "--features", str(store), "--data", str(data), "--out", str(out), *brief, *sizes]) == 0
    )
    assert "clip_2" in capsys.readouterr().err
    weights = ["--weights", str(out / "weights.safetensors")]
    answers = tmp_path / "answers"
    labels = ["--labels", str(data / "test")]
    assert run(["submit", *labels, "--features", str(store), *weights, "--out", str(answers)]) == 0
    assert "cannot be read or hold less than 30 s, and are not anticipated: clip_2" in " ".join(
        capsys.readouterr().err.split()
    )
    assert run(["submit", "--check", str(answers / "results_anticipation.zip"), *labels]) == 0
    capsys.readouterr()
    assert run(["evaluate", "video", str(data / "test"), "--features", str(store), *weights, "--json"]) == 0
    ours = capsys.readouterr().out
    assert run(["evaluate", "submission", str(answers / "results_anticipation.zip"), *labels, "--json"]) == 0
    theirs = capsys.readouterr().out
    assert json.loads(ours)["metrics"] == json.loads(theirs)["metrics"]
