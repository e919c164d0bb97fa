"""Extraction: shared windows once, whatever kills it, whatever the videos are like or become."""

import json
import shutil
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from playahead.backbone.fast import FastBackbone
from playahead.cli.main import run
from playahead.features import extract as extract_module
from playahead.features.encoder import WindowEncoder
from playahead.features.extract import (
    ExtractConfig,
    ExtractionReport,
    Extractor,
    Video,
    expected_windows,
    find_videos,
    shard_of,
)
from playahead.features.store import FeatureStore, StoreFacts
from playahead.io.errors import InputError
from playahead.video.input_size import InputSize
from playahead.video.overlay import rgb_of
from playahead.video.reader import read_drawn, read_frames
from playahead.video.writer import write_video

INPUT_SIZE = InputSize(96, 64)


@pytest.fixture(scope="module")
def config(backbone_file) -> ExtractConfig:
    return ExtractConfig(backbone=backbone_file, device="cpu")


def extract(source: Path, config: ExtractConfig, out: Path, **options) -> ExtractionReport:
    return extract_module.extract(source, out, config, **options)


def content(store: Path) -> dict[str, bytes]:
    """Every file of a store by name; hidden files are halves of files that a kill left."""
    files = (path for path in store.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, benchmark, config) -> Path:
    """The benchmark extracted in one go."""
    out = tmp_path_factory.mktemp("whole")
    extract(benchmark, config, out)
    return out


@pytest.fixture
def extractor(tmp_path, backbone) -> Extractor:
    facts = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 40)
    return Extractor(FeatureStore(tmp_path / "store", facts), WindowEncoder(FastBackbone(backbone), 41), INPUT_SIZE)


def clip(benchmark: Path, name: str = "test/clip_1") -> Path:
    return benchmark / name / "54p.mp4"


def frames_of(path: Path) -> list[np.ndarray]:
    return [rgb for _, rgb in read_drawn(path, rgb_of)]


def shorten(path: Path, n_frames: int) -> None:
    """Cut a clip to its first frames."""
    write_video(path, frames_of(path)[:n_frames], (96, 54))


# Every distinct window once


def test_windows_that_clips_share_are_encoded_once(whole, benchmark):
    store = FeatureStore(whole)
    videos = list(store.videos())
    assert len(videos) == len(list(benchmark.rglob("*.mp4")))
    train = sorted(name for name in videos if name.startswith("train/"))
    first, second = (store.journal(name).keys for name in train[:2])
    assert first[1:] == second[:-1]
    assert len(list(whole.glob("windows/*/*.npy"))) == 4 * (6 + len(train) - 1)


def test_the_report_counts_what_was_shared_and_the_bytes_are_the_same_elsewhere(tmp_path, whole, benchmark, config):
    report = extract(benchmark / "train", config, tmp_path)
    clips = len(list((benchmark / "train").rglob("*.mp4")))
    assert (report.videos, report.windows, report.shared) == (clips, 6 * clips, 5 * (clips - 1))
    windows = {path: data for path, data in content(tmp_path).items() if path.startswith("windows/")}
    assert windows.items() <= content(whole).items()
    again = extract(benchmark / "train", config, tmp_path)
    assert (again.skipped, again.windows) == (clips, 0)


def test_shards_give_the_same_bytes_as_one_process(tmp_path, whole, benchmark, config):
    for shard in ("1/3", "3/3", "2/3"):
        extract(benchmark, config, tmp_path, shard=shard)
    assert content(tmp_path) == content(whole)


@pytest.mark.slow
def test_ray_gives_the_same_bytes(tmp_path, whole, benchmark, config):
    pytest.importorskip("ray")
    extract(benchmark, config, tmp_path, engine="ray")
    assert content(tmp_path) == content(whole)


def test_the_frames_of_a_window_are_those_of_the_reader(benchmark, whole, backbone):
    frames = np.stack([gray for _, gray in read_frames(clip(benchmark, "train/clip_2"), INPUT_SIZE)])[250:375]
    stored = FeatureStore(whole).windows("train/clip_2")[2]
    assert (WindowEncoder(FastBackbone(backbone), 41).encode(frames) == stored).all()


def test_names_and_shards(benchmark, tmp_path):
    videos = find_videos(benchmark / "train")
    assert [video.name for video in videos] == ["clip_1", "clip_2"]
    assert next(v.name for v in find_videos(benchmark)).startswith("test/clip_")
    parts = [shard_of(videos, f"{n}/3") for n in (1, 2, 3)]
    assert [video for part in parts for video in part] == videos
    for wrong in ("0/3", "4/3", "x", "1", "1/0"):
        with pytest.raises(InputError, match="shard"):
            shard_of(videos, wrong)
    with pytest.raises(InputError, match="no videos"):
        find_videos(tmp_path)
    (tmp_path / "clip_1").mkdir()
    for name in ("224p.mp4", "720p.mp4"):
        (tmp_path / "clip_1" / name).touch()
    with pytest.raises(InputError, match="twice"):
        find_videos(tmp_path)


# Killed and resumed


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path, whole, benchmark, config):
    """SIGKILL; what is there is never half, what was done is not done again."""
    out = tmp_path / "killed"
    rng = np.random.default_rng(0)
    expected = content(whole)
    stamps: dict[str, int] = {}
    for _ in range(20):
        process = get_context("fork").Process(target=extract, args=(benchmark, config, out))
        process.start()
        before = _lines(out / "videos")
        deadline = time.monotonic() + 20
        while process.is_alive() and _lines(out / "videos") == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 0.05)))
        process.kill()
        process.join()
        windows = {name: data for name, data in content(out).items() if name.startswith("windows/")}
        assert all(expected[name] == data for name, data in windows.items())
        now = {name: (out / name).stat().st_mtime_ns for name in windows}
        assert all(now[name] == stamp for name, stamp in stamps.items())
        stamps = now
    assert not extract(benchmark, config, out).failed
    assert content(out) == expected


def _lines(journals: Path) -> int:
    """Lines of all journals; one that is renamed while they are counted counts as none."""
    lines = 0
    for path in journals.rglob("*.jsonl") if journals.exists() else ():
        with suppress(FileNotFoundError):
            lines += path.read_bytes().count(b"\n")
    return lines


def stop_after(windows: int):
    """An ``advance`` that stops the extraction as Ctrl-C does."""
    seen = 0

    def advance(more: int) -> None:
        nonlocal seen
        seen += more
        if seen >= windows:
            raise KeyboardInterrupt

    return advance


@pytest.fixture
def stopped(tmp_path, benchmark, extractor) -> Video:
    """A video whose extraction stopped after two windows."""
    video = Video("match", tmp_path / "match.mp4")
    shutil.copy(clip(benchmark), video.path)
    with pytest.raises(KeyboardInterrupt):
        extractor.extract(video, stop_after(2))
    assert len(extractor.store.journal("match").keys) == 2
    return video


def test_a_stopped_video_goes_on_after_its_last_window(extractor, stopped, whole, monkeypatch):
    encoded, encode = [], WindowEncoder.encode
    monkeypatch.setattr(WindowEncoder, "encode", lambda *given: encoded.append(1) or encode(*given))
    extractor.extract(stopped)
    assert len(encoded) == 4
    assert extractor.store.journal("match") == FeatureStore(whole).journal("test/clip_1")


@pytest.mark.parametrize("change", ["missing", "empty", "cut short", "another", "garbage"])
def test_a_video_that_is_not_what_it_was_fails_and_is_not_closed(benchmark, extractor, stopped, change):
    original = stopped.path.read_bytes()
    {
        "missing": lambda: stopped.path.unlink(),
        "empty": lambda: stopped.path.write_bytes(b""),
        "cut short": lambda: shorten(stopped.path, 200),
        "another": lambda: shutil.copy(clip(benchmark, "train/clip_1"), stopped.path),
        "garbage": lambda: stopped.path.write_bytes(b"not a video" * 100),
    }[change]()
    report = extractor.extract(stopped)
    assert "match" in report.failed
    journal = extractor.store.journal("match")
    assert (len(journal.keys), journal.closed) == (2, False)
    stopped.path.write_bytes(original)
    assert extractor.extract(stopped).windows == 4
    assert extractor.store.journal("match").closed


def test_a_video_that_really_ends_there_is_closed(extractor, stopped):
    """Stopped after its last window, before it was closed."""
    frames = frames_of(stopped.path)
    for n_frames in (250, 300):
        write_video(stopped.path, frames[:n_frames], (96, 54))
        path = extractor.store.journal_path("match")
        path.unlink()
        extractor.extract(stopped)
        closed = path.read_bytes()
        path.write_bytes(b"\n".join(closed.split(b"\n")[:2]) + b"\n")  # without the line that closes it
        report = extractor.extract(stopped)
        assert (report.failed, report.windows, report.videos) == ({}, 0, 1)
        assert path.read_bytes() == closed


# Damaged, short and missing


@pytest.mark.parametrize("seed", range(12))
def test_corrupted_and_cut_bytes_never_stop_or_silence_it(tmp_path, benchmark, extractor, seed):
    rng = np.random.default_rng(seed)
    data = bytearray(clip(benchmark).read_bytes())
    for place in rng.integers(0, len(data), 40):
        data[place] ^= int(rng.integers(1, 256))
    for name, content in (("corrupt", data), ("short", clip(benchmark).read_bytes()[: len(data) * seed // 12])):
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        report = extractor.extract(Video(name, path))
        assert report.videos + len(report.failed) == 1
        assert report.failed or report.notices or report.windows == 6


def test_a_video_shorter_than_a_window_gives_a_notice(tmp_path, extractor):
    write_video(tmp_path / "brief.mp4", [np.zeros((54, 96, 3), np.uint8)] * 30, (96, 54))
    report = extractor.extract(Video("brief", tmp_path / "brief.mp4"))
    assert (report.videos, report.windows) == (1, 0)
    assert "shorter than a window" in report.notices[0]


@pytest.mark.parametrize(("n_frames", "windows", "padded"), [(750, 6, 0), (749, 6, 1), (738, 6, 1), (737, 5, 0)])
def test_up_to_half_a_second_of_missing_end_is_filled(tmp_path, extractor, benchmark, n_frames, windows, padded):
    path = tmp_path / "clip_1" / "54p.mp4"
    path.parent.mkdir()
    shutil.copy(clip(benchmark), path)
    shorten(path, n_frames)
    report = extractor.extract(Video("test/clip_1", path))
    assert (report.windows, report.padded) == (windows, padded)
    notices = [notice for notice in report.notices if f"last {750 - n_frames} frames are missing" in notice]
    assert len(notices) == padded
    assert list(report.failed) == ([] if windows == 6 else ["test/clip_1"])


def test_one_bad_video_does_not_stop_the_others(tmp_path, benchmark, config):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "bad.mp4").write_bytes(b"not a video")
    shutil.copy(clip(benchmark), folder / "good.mp4")
    assert expected_windows(find_videos(folder)) == 6
    assert list(extract(folder, config, tmp_path / "out").failed) == ["bad"]
    assert list(FeatureStore(tmp_path / "out").videos()) == ["good"]


def test_no_ray_a_full_disk_and_one_that_is_read_only_are_errors(tmp_path, benchmark, config, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"playahead\[ray\]"):
        extract(benchmark, config, tmp_path / "rays", engine="ray")
    monkeypatch.setattr(extract_module, "free_bytes", lambda folder: 10_000)
    with pytest.raises(InputError, match="features need"):
        extract(benchmark, config, tmp_path / "store")
    assert not list(tmp_path.glob("store/windows/*"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file"):
        extract(benchmark, config, tmp_path / "file" / "store")


@pytest.mark.slow
def test_a_short_clip_fails_by_name_and_the_rest_goes_on(tmp_path, benchmark, backbone_file, capsys):
    data, store, out, answers = (tmp_path / name for name in ("data", "store", "run", "answers"))
    shutil.copytree(benchmark, data)
    for split in ("train", "valid", "test", "challenge"):
        clips = sorted((data / split).glob("clip_*/54p.mp4"))
        shorten(clips[0], 749)
        if len(clips) > 1:
            shorten(clips[1], 700)

    def call(command: str, code: int = 0) -> tuple[str, str]:
        assert run(command.split()) == code
        output = capsys.readouterr()
        return " ".join(output.out.split()), " ".join(output.err.split())

    output, errors = call(f"extract {data} --backbone {backbone_file} --out {store} --device cpu", code=2)
    assert errors.count("an observation needs 30 s") == 4
    assert "4 were filled up at their end" in output
    brief = "--epochs 1 --steps-per-epoch 1 --sequences 1 --precision 32-true --recipe demo --model.slots 4"
    assert "clip_2" in call(f"train video --features {store} --data {data} --out {out} {brief}")[1]
    model, labels = f"--features {store} --weights {out / 'weights.safetensors'}", f"--labels {data / 'test'}"
    errors = call(f"submit {labels} {model} --out {answers}")[1]
    assert "cannot be read or hold less than 30 s, and are not anticipated: clip_2" in errors
    submission = answers / "results_anticipation.zip"
    call(f"submit --check {submission} {labels}")
    ours = call(f"evaluate video {data / 'test'} {model} --json")[0]
    theirs = call(f"evaluate submission {submission} {labels} --json")[0]
    assert json.loads(ours)["metrics"] == json.loads(theirs)["metrics"]
