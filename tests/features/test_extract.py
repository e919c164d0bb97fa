"""Extraction: shared windows once, whatever kills it, whatever the videos are like."""

import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from playahead.backbone.fast import FastBackbone
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
from playahead.video.reader import read_frames

INPUT_SIZE = InputSize(96, 64)


@pytest.fixture
def making(backbone_file) -> ExtractConfig:
    return ExtractConfig(backbone=backbone_file, device="cpu")


def extract(source: Path, making: ExtractConfig, out: Path, **options) -> ExtractionReport:
    return extract_module.extract(source, out, making, **options)


def content(store: Path) -> dict[str, bytes]:
    """Every file of a store by name; hidden files are halves of files that a kill left."""
    files = (path for path in store.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, benchmark, backbone_file) -> Path:
    """The benchmark extracted in one go."""
    out = tmp_path_factory.mktemp("whole")
    extract(benchmark, ExtractConfig(backbone=backbone_file, device="cpu"), out)
    return out


def test_windows_that_clips_share_are_encoded_once(whole, benchmark):
    store = FeatureStore(whole)
    videos = list(store.videos())
    assert len(videos) == len(list(benchmark.rglob("*.mp4")))
    train = sorted(name for name in videos if name.startswith("train/"))
    first, second = (store.journal(name).keys for name in train[:2])
    assert first[1:] == second[:-1]
    splits, clips = 4, len(train)
    assert len(list(whole.glob("windows/*/*.npy"))) == splits * (6 + clips - 1)


def test_the_report_counts_what_was_shared(tmp_path, benchmark, making):
    report = extract(benchmark / "train", making, tmp_path)
    clips = len(list((benchmark / "train").rglob("*.mp4")))
    assert (report.videos, report.windows) == (clips, 6 * clips)
    assert report.shared == 5 * (clips - 1)
    again = extract(benchmark / "train", making, tmp_path)
    assert (again.skipped, again.windows) == (clips, 0)


def test_encoding_everything_anew_gives_the_same_bytes(tmp_path, whole, benchmark, making):
    for name in ("clip_1", "clip_2"):
        extract(benchmark / "train" / name, making, tmp_path / name)
        windows = {path: data for path, data in content(tmp_path / name).items() if path.startswith("windows/")}
        assert len(windows) == 6
        assert windows.items() <= content(whole).items()


def test_shards_give_the_same_bytes_as_one_process(tmp_path, whole, benchmark, making):
    for shard in ("1/3", "3/3", "2/3"):
        extract(benchmark, making, tmp_path, shard=shard)
    assert content(tmp_path) == content(whole)


def test_ray_gives_the_same_bytes(tmp_path, whole, benchmark, making):
    pytest.importorskip("ray")
    extract(benchmark, making, tmp_path, engine="ray")
    assert content(tmp_path) == content(whole)


def test_ray_that_is_not_installed_is_said_so(tmp_path, benchmark, making, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"playahead\[ray\]"):
        extract(benchmark, making, tmp_path, engine="ray")


def test_killed_twenty_times_at_random_moments(tmp_path, whole, benchmark, making):
    """SIGKILL; what is there is never half, what was done is not done again."""
    out = tmp_path / "killed"
    rng = np.random.default_rng(0)
    expected = content(whole)
    stamps: dict[str, int] = {}
    for _ in range(20):
        process = get_context("fork").Process(target=extract, args=(benchmark, making, out))
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
    assert not extract(benchmark, making, out).failed
    assert content(out) == expected


def _lines(journals: Path) -> int:
    """Lines of all journals; one that is renamed while they are counted counts as none."""
    lines = 0
    for path in journals.rglob("*.jsonl") if journals.exists() else ():
        with suppress(FileNotFoundError):
            lines += path.read_bytes().count(b"\n")
    return lines


class Counting(WindowEncoder):
    """Counts what it encodes."""

    calls = 0

    def encode(self, frames_THW):
        Counting.calls += 1
        return super().encode(frames_THW)


def test_a_stopped_video_goes_on_after_its_last_window(tmp_path, benchmark, backbone, whole):
    video = Video("train/clip_1", benchmark / "train" / "clip_1" / "54p.mp4")
    facts = FeatureStore(whole).facts
    store = FeatureStore(tmp_path, facts)
    Counting.calls = 0
    extractor = Extractor(store, Counting(FastBackbone(backbone), 41), INPUT_SIZE)
    with pytest.raises(KeyboardInterrupt):
        extractor.extract(video, _stop_after(3))
    extractor.extract(video)
    assert Counting.calls == 6
    assert store.journal(video.name) == FeatureStore(whole).journal(video.name)


def _stop_after(windows: int):
    seen = 0

    def advance(more: int) -> None:
        nonlocal seen
        seen += more
        if seen >= windows:
            raise KeyboardInterrupt

    return advance


@pytest.fixture
def extractor(tmp_path, backbone) -> Extractor:
    facts = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 40)
    return Extractor(FeatureStore(tmp_path / "store", facts), WindowEncoder(FastBackbone(backbone), 41), INPUT_SIZE)


@pytest.mark.parametrize("seed", range(12))
def test_corrupted_bytes_never_stop_or_silence_it(tmp_path, benchmark, extractor, seed):
    rng = np.random.default_rng(seed)
    data = bytearray((benchmark / "test" / "clip_1" / "54p.mp4").read_bytes())
    for place in rng.integers(0, len(data), 40):
        data[place] ^= int(rng.integers(1, 256))
    path = tmp_path / "corrupt.mp4"
    path.write_bytes(bytes(data))
    report = extractor.extract(Video("corrupt", path))
    assert report.videos + len(report.failed) == 1
    if report.videos and report.windows < 6:
        assert report.notices


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_truncated_files_give_what_they_hold_or_fail_by_name(tmp_path, benchmark, extractor, share):
    data = (benchmark / "test" / "clip_1" / "54p.mp4").read_bytes()
    path = tmp_path / "short.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    report = extractor.extract(Video("short", path))
    assert "short" in report.failed or report.notices


def test_a_video_shorter_than_a_window_is_said_so(tmp_path, extractor):
    from playahead.video.writer import write_video

    write_video(tmp_path / "brief.mp4", [np.zeros((54, 96, 3), np.uint8)] * 30, (96, 54))
    report = extractor.extract(Video("brief", tmp_path / "brief.mp4"))
    assert (report.videos, report.windows) == (1, 0)
    assert "shorter than a window" in report.notices[0]


def test_one_bad_video_does_not_stop_the_others(tmp_path, benchmark, making):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "bad.mp4").write_bytes(b"not a video")
    (folder / "good.mp4").write_bytes((benchmark / "test" / "clip_1" / "54p.mp4").read_bytes())
    assert expected_windows(find_videos(folder)) == 6
    assert list(extract(folder, making, tmp_path / "out").failed) == ["bad"]
    assert list(FeatureStore(tmp_path / "out").videos()) == ["good"]


def test_a_full_disk_is_told_before_work_starts(tmp_path, benchmark, making, monkeypatch):
    monkeypatch.setattr(extract_module, "free_bytes", lambda folder: 10_000)
    with pytest.raises(InputError, match="features need"):
        extract(benchmark, making, tmp_path)
    assert not list(tmp_path.glob("windows/*"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path, benchmark, making):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file"):
        extract(benchmark, making, tmp_path / "file" / "store")


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


def test_two_resolutions_of_a_clip_are_not_mixed(tmp_path):
    (tmp_path / "clip_1").mkdir()
    for name in ("224p.mp4", "720p.mp4"):
        (tmp_path / "clip_1" / name).touch()
    with pytest.raises(InputError, match="twice"):
        find_videos(tmp_path)


def test_the_frames_of_a_window_are_those_of_the_reader(benchmark, whole, backbone):
    path = benchmark / "train" / "clip_2" / "54p.mp4"
    frames = np.stack([gray for _, gray in read_frames(path, INPUT_SIZE)])[250:375]
    stored = FeatureStore(whole).windows("train/clip_2")[2]
    assert (WindowEncoder(FastBackbone(backbone), 41).encode(frames) == stored).all()
