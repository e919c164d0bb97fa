"""Clips that were encoded one by one share windows by time, where their pictures say so."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from playahead.backbone.fast import FastBackbone
from playahead.features.encoder import WindowEncoder
from playahead.features.extractor import Extractor
from playahead.features.plan import find_videos
from playahead.features.sharing import are_neighbours, compare_neighbours, shared_by_time
from playahead.features.store import FeatureStore, StoreFacts
from playahead.video.input_size import InputSize
from playahead.video.writer import write_video
from tests.conftest import simulate
from tests.features.test_extract import content
from tests.features.test_resumed_and_short import frames_of


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Clips that share their pixels."""
    folder = tmp_path_factory.mktemp("cut")
    simulate(folder, "baa", matches=4, minutes=0.9, halves=1, video=True, width=96, height=54)
    return folder / "train"


@pytest.fixture(scope="module")
def one_by_one(cut, tmp_path_factory) -> Path:
    """The same clips, each encoded for itself."""
    folder = tmp_path_factory.mktemp("one") / "train"
    for number, path in enumerate(sorted(cut.glob("clip_*/54p.mp4"))[:3]):
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True)
        write_video(target, frames_of(path), (96, 54), quality=21 + number)
    return folder


def extractor(folder: Path, backbone) -> Extractor:
    facts = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 40)
    encoder = WindowEncoder(FastBackbone(backbone), 41)
    return Extractor(FeatureStore(folder, facts), encoder, InputSize(96, 64))


def test_the_same_pixels_are_told_from_the_same_pictures(cut, one_by_one):
    assert shared_by_time(find_videos(cut)) == (False, "")
    by_time, told = shared_by_time(find_videos(one_by_one))
    assert by_time
    assert "encoded one by one" in told
    first, second = (one_by_one / name / "54p.mp4" for name in ("clip_1", "clip_2"))
    assert compare_neighbours(first, second).is_alike
    assert not compare_neighbours(second, first).is_alike
    assert not compare_neighbours(first, first).is_alike


def test_names_say_which_clips_are_neighbours(one_by_one):
    videos = find_videos(one_by_one)
    assert are_neighbours(videos[0], videos[1])
    assert not are_neighbours(videos[1], videos[0])
    assert not are_neighbours(videos[0], videos[0])


def test_windows_are_taken_from_the_clip_before(tmp_path, one_by_one, backbone):
    ours = extractor(tmp_path / "store", backbone)
    videos = find_videos(one_by_one)
    report = ours.extract_all(videos, lambda _: None)
    assert report.windows == 6 * len(videos)
    assert report.by_time == report.shared == 5 * (len(videos) - 1)
    assert any("shared by time" in note for note in report.notes)
    first, second = (ours.store.journal(video.name).keys for video in videos[:2])
    assert first[1:] == second[:-1]
    assert len(ours.store.windows(videos[-1].name)) == 6


def test_a_clip_that_is_not_the_next_one_is_encoded(tmp_path, one_by_one, backbone):
    """A split's clips run on from one match to the next, and so do their numbers."""
    folder = tmp_path / "train"
    shutil.copytree(one_by_one, folder)
    videos = find_videos(folder)
    shutil.copy(one_by_one / "clip_1" / "54p.mp4", videos[-1].path)
    report = extractor(tmp_path / "store", backbone).extract_all(videos, lambda _: None)
    assert report.by_time == 5 * (len(videos) - 2)
    assert report.windows == 6 * len(videos)


def test_stopped_anywhere_it_ends_with_the_same_bytes(tmp_path, one_by_one, backbone):
    videos = find_videos(one_by_one)
    whole, stopped = extractor(tmp_path / "whole", backbone), extractor(tmp_path / "stopped", backbone)
    whole.extract_all(videos, lambda _: None)
    for windows in (3, 6):
        left = windows

        def advance(more: int) -> None:
            nonlocal left
            left -= more
            if left <= 0:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            stopped.extract_all(videos, advance)
    stopped.extract_all(videos, lambda _: None)
    assert content(tmp_path / "whole") == content(tmp_path / "stopped")
