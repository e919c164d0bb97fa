"""Frames on disk: raw, or compressed where raw ones would fill it."""

import numpy as np
import pytest

from playahead.io.errors import InputError
from playahead.video import frame_cache
from playahead.video.frame_cache import CompressedFrames, FrameCache
from playahead.video.input_size import InputSize
from playahead.video.writer import write_video

INPUT_SIZE = InputSize(96, 64)


@pytest.fixture
def video(tmp_path):
    """Sixty pictures, each of its own gray, with a bright square that moves."""
    pictures = np.repeat(40 + 2 * np.arange(60, dtype=np.uint8), 64 * 96 * 3).reshape(60, 64, 96, 3)
    for number, picture in enumerate(pictures):
        picture[20:40, number : number + 20] = 230
    write_video(tmp_path / "match.mp4", pictures, (96, 64), quality=10)
    return tmp_path / "match.mp4"


@pytest.fixture
def both(tmp_path, video, monkeypatch):
    """The same frames raw and compressed."""
    raw, compressed = FrameCache(tmp_path / "raw", INPUT_SIZE), FrameCache(tmp_path / "compressed", INPUT_SIZE)
    raw.fill([video])
    monkeypatch.setattr(frame_cache, "_MAX_RAW_BYTES", 1000)
    compressed.fill([video])
    return raw.frames(video), compressed.frames(video)


def test_compressed_frames_are_the_raw_ones_but_for_a_level_or_so(both):
    raw, compressed = both
    assert isinstance(compressed, CompressedFrames)
    assert len(raw) == len(compressed) == 60
    for part in (slice(0, 29, 2), slice(31, 60, 2), slice(24, 27), np.arange(3, 60, 7), np.array([59])):
        ours, theirs = np.array(raw[part], np.int16), compressed[part].astype(np.int16)
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).mean() < 2
    assert np.array_equal(np.stack(list(compressed)), compressed[slice(0, 60)])


def test_what_is_there_is_not_made_again(tmp_path, video, both, monkeypatch):
    monkeypatch.setattr(frame_cache, "read_frames", lambda *_: pytest.fail("decoded again"))
    FrameCache(tmp_path / "raw", INPUT_SIZE).fill([video])
    FrameCache(tmp_path / "compressed", INPUT_SIZE).fill([video])


def test_damage_is_said_by_name(both):
    path = both[1].path
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="damaged frames"):
        CompressedFrames(path)
