"""Whatever the container knows of time and key pictures: each picture is shown at its time, from any start."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from playahead.cli import main
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from tests.video.test_odd_sources import joined, read, write
from tests.video.transport import moved

WIDTH, HEIGHT, BITS = 160, 90, 8
N = 200
GOP = {"g": "50", "keyint_min": "50", "sc_threshold": "0"}
B_FRAMES = {**GOP, "bf": "3", "b_strategy": "0", "preset": "veryfast"}


def numbered(path: Path, codec: str, options: dict[str, str], late_s: float = 0.0) -> Path:
    """Pictures that carry their number, as bars that are white where its bits are 1."""
    with av.open(str(path), "w") as container:
        quiet = {"x265-params": "log-level=none:keyint=50:open-gop=1:pools=none:frame-threads=1"}
        stream = container.add_stream(codec, rate=25, options={**options, **quiet})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 2_000_000
        stream.codec_context.thread_count = 1
        for number in range(N):
            bits = [40 + 180 * (number >> bit & 1) for bit in range(BITS)]
            gray_HW = np.repeat(np.asarray(bits, np.uint8), WIDTH // BITS)[None].repeat(HEIGHT, 0)
            frame = av.VideoFrame.from_ndarray(gray_HW[..., None].repeat(3, 2), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number + round(late_s * 25), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbers(path: Path, **options) -> list[int]:
    middles = [WIDTH * (2 * bit + 1) // (2 * BITS) for bit in range(BITS)]
    frames = read_frames(path, InputSize(WIDTH, 96), **options)
    return [sum(1 << bit for bit, x in enumerate(middles) if gray_HW[48, x] > 120) for _, gray_HW in frames]


OPEN_GOP = {**B_FRAMES, "x264-params": "open-gop=1:keyint=50:min-keyint=50:scenecut=0:bframes=3:b-adapt=0"}
CONTAINERS = {
    "transport stream": ("v.ts", "libx264", B_FRAMES),
    "transport stream, open GOPs": ("v.ts", "libx264", OPEN_GOP),
    "transport stream, one key picture": ("v.ts", "libx264", {**B_FRAMES, "g": "1000"}),
    "transport stream, no key picture but the first": ("v.ts", "libx264", {"x264-params": "intra-refresh=1:keyint=50"}),
    "transport stream, HEVC": ("v.ts", "libx265", {"preset": "ultrafast"}),
    "transport stream, MPEG-2": ("v.ts", "mpeg2video", {**GOP, "bf": "2"}),
    "program stream": ("v.mpg", "mpeg2video", {**GOP, "bf": "2"}),
    "MP4, open GOPs": ("v.mp4", "libx264", OPEN_GOP),
    "Matroska": ("v.mkv", "libx264", B_FRAMES),
    "Flash": ("v.flv", "libx264", B_FRAMES),
    "AVI, H.264": ("v.avi", "libx264", B_FRAMES),
    "AVI, H.264, open GOPs": ("v.avi", "libx264", OPEN_GOP),
    "AVI, H.264 without B-frames": ("v.avi", "libx264", {**GOP, "bf": "0"}),
    "AVI, MPEG-4": ("v.avi", "mpeg4", {**GOP, "bf": "2"}),
    "AVI, Motion JPEG": ("v.avi", "mjpeg", {"strict": "unofficial"}),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_picture_is_shown_once_and_from_any_start_at_its_time(tmp_path, container, recwarn):
    name, codec, options = CONTAINERS[container]
    path = numbered(tmp_path / name, codec, options)
    assert numbers(path) == list(range(N))
    for start_s in (0.48, 1.96, 2.0, 2.04, 3.6, 5.0, 7.96):
        first = round(start_s * 25)
        assert numbers(path, start_s=start_s, stop_s=start_s + 0.4) == list(range(first, min(first + 10, N))), start_s
    assert not [str(warning.message) for warning in recwarn]


@pytest.mark.parametrize("late_s", [7.0, 95_440.0], ids=["late", "over the end of the clock"])
def test_a_start_counts_from_the_first_picture_whatever_its_timestamp(tmp_path, late_s):
    path = numbered(tmp_path / "v.ts", "libx264", B_FRAMES, late_s)
    assert numbers(path, start_s=3.0, stop_s=3.4) == list(range(75, 85))


def test_a_container_without_its_index_is_read_through(tmp_path):
    path = numbered(tmp_path / "v.avi", "libx264", B_FRAMES)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"idx1")])
    assert numbers(path, start_s=5.0, stop_s=5.4) == list(range(125, 135))


@pytest.mark.parametrize("table_moves", [False, True], ids=["pictures", "pictures and table"])
def test_pictures_that_move_to_another_pid_are_all_read(tmp_path, table_moves, recwarn):
    path = numbered(tmp_path / "v.ts", "libx264", B_FRAMES)
    path.write_bytes(moved(path.read_bytes(), 0.5, table_moves))
    assert numbers(path) == list(range(N))
    assert numbers(path, start_s=6.0, stop_s=6.4) == list(range(150, 160))
    assert not [str(warning.message) for warning in recwarn]


def test_a_playlist_whose_segments_use_different_pids_is_all_read(tmp_path, recwarn):
    whole = numbered(tmp_path / "v.ts", "libx264", {**B_FRAMES, "x264-params": "open-gop=0"}).read_bytes()
    changed = moved(whole, 0.5, table_moves=False)
    at = next(n for n in range(0, len(whole), 188) if whole[n : n + 188] != changed[n : n + 188])
    (tmp_path / "0.ts").write_bytes(changed[:at])
    (tmp_path / "1.ts").write_bytes(changed[at:])
    (tmp_path / "v.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n0.ts\n#EXTINF:4.0,\n1.ts\n#EXT-X-ENDLIST\n"
    )
    found = numbers(tmp_path / "v.m3u8")
    assert len(found) == N
    assert sum(number == place for place, number in enumerate(found)) >= N - 1, "FFmpeg gives the last before it late"
    assert not [str(warning.message) for warning in recwarn]


def test_pixels_that_change_their_shape_are_shown_as_they_are(tmp_path):
    """As where a match in 4:3 follows a studio in 16:9 in one recording."""
    parts = [
        write(tmp_path / f"{n}.ts", 2, size=(180, 144), aspect=aspect, start_s=2 * n)
        for n, aspect in enumerate((Fraction(16, 15), Fraction(64, 45), Fraction(16, 15)))
    ]
    frames, told = read(joined(tmp_path / "v.ts", *parts))
    shapes = [(gray_HW > 0).any(0).sum() / (gray_HW > 0).any(1).sum() for gray_HW in frames]
    np.testing.assert_allclose(shapes, np.repeat([4 / 3, 16 / 9, 4 / 3], 50), rtol=0.03)
    assert told == ""


def test_what_is_wrong_with_a_video_is_a_note_of_one_line_on_standard_error(tmp_path, monkeypatch, capsys):
    path = write(tmp_path / "raw.h264", 1, muxer="h264")

    def command(*_: object) -> None:  # as predict with an overlay does
        for _ in range(2):
            list(read_frames(path))

    monkeypatch.setattr(main, "call", command)
    assert main.run(["predict", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "note: raw.h264: has no timestamps, read at the 25 frames/s that it declares\n"
