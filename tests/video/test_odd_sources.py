"""What real recordings do: clocks that jump, pictures that lie on their side, names and files that are no files."""

import os
import socket
import time
import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from playahead.cli.main import run
from playahead.inference.predict import predict
from playahead.io.errors import InputError
from playahead.video.input_size import InputSize
from playahead.video.overlay import rgb_of
from playahead.video.reader import VideoWarning, read_drawn, read_frames
from playahead.video.source import shown
from tests.conftest import simulate

SIZE = InputSize(160, 96)


def picture(level: int, width: int, height: int) -> av.VideoFrame:
    """Gray of a level, its left third white: it shows which way is up."""
    rgb_HWC = np.full((height, width, 3), level, np.uint8)
    rgb_HWC[:, : width // 3] = 255
    return av.VideoFrame.from_ndarray(rgb_HWC, format="rgb24")


def write(path, seconds=2.0, rate=25, size=(160, 90), start_s=0.0, level=60, muxer=None, **about):
    """A video of one level; returns its path."""
    with av.open(f"file:{path}", "w", format=muxer) as container:
        stream = container.add_stream("libx264", rate=rate, options={"g": "5", "bf": "0", **about.get("options", {})})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if "aspect" in about:
            stream.sample_aspect_ratio = about["aspect"]
        if "turned" in about:
            stream.set_display_rotation(about["turned"])
        for index in range(round(seconds * rate)):
            frame = picture(level, *size)
            frame.pts, frame.time_base = index + round(start_s * rate), Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(source, **options) -> tuple[list[np.ndarray], str]:
    """All frames, and what was told."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", VideoWarning)
        frames = [gray_HW for _, gray_HW in read_frames(source, SIZE, **options)]
    return frames, " | ".join(str(warning.message) for warning in told)


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(
    ("second_starts_s", "said", "seconds"),
    [(0.0, "its clock jumps", 8), (2.0, "its clock jumps", 8), (16.0, "no pictures from", 20), (90.0, "jumps", 8)],
    ids=["starts again", "steps back", "steps forward", "leaps"],
)
def test_no_picture_is_lost_when_the_clock_jumps(tmp_path, second_starts_s, said, seconds):
    first = write(tmp_path / "a.ts", 4, level=60)
    second = write(tmp_path / "b.ts", 4, start_s=second_starts_s, level=160)
    frames, told = read(joined(tmp_path / "c.ts", first, second))
    assert len(frames) == pytest.approx(seconds * 25, abs=2)
    assert said in told
    levels = [int(gray_HW[48, 140]) for gray_HW in frames]
    dark, bright = levels[10], levels[-10]
    assert bright > dark + 50
    assert sum(abs(level - bright) < 12 for level in levels) == pytest.approx(106, abs=8)  # up to half a second early


def test_hls_with_a_discontinuity(tmp_path):
    write(tmp_path / "0.ts", 4, level=60)
    write(tmp_path / "1.ts", 8, level=160)
    (tmp_path / "match.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:8\n#EXTINF:4.0,\n0.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXTINF:8.0,\n1.ts\n#EXT-X-ENDLIST\n"
    )
    frames, told = read(tmp_path / "match.m3u8")
    assert len(frames) == pytest.approx(300, abs=2)
    assert "its clock jumps" in told
    with pytest.raises(InputError, match=r"is a folder.*match\.m3u8"):
        read(tmp_path)


@pytest.mark.parametrize(("turned", "white"), [(0, "left"), (-90, "top"), (90, "bottom"), (180, "right")])
def test_a_phones_pictures_stand_upright(tmp_path, turned, white):
    path = write(tmp_path / "phone.mp4", 0.4, turned=turned)
    rgb_HWC = next(iter(read_drawn(path, rgb_of)))[1]
    assert rgb_HWC.shape[:2] == ((160, 90) if turned in (90, -90) else (90, 160))
    gray_HW = read(path)[0][0]
    for image_HW in (rgb_HWC[..., 1], gray_HW[np.ix_(gray_HW.any(axis=1), gray_HW.any(axis=0))]):
        height, width = image_HW.shape
        edges = {
            "left": image_HW[height // 2, 2],
            "right": image_HW[height // 2, width - 3],
            "top": image_HW[2, width // 2],
            "bottom": image_HW[height - 3, width // 2],
        }
        assert max(edges, key=edges.get) == white  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "aspect"), [((180, 144), Fraction(64, 45)), ((360, 270), Fraction(4, 3))])
def test_pixels_that_are_not_square(tmp_path, size, aspect):
    """720x576 and 1440x1080 in small: both are shown as 16:9."""
    gray_HW = read(write(tmp_path / "wide.mp4", 0.4, size=size, aspect=aspect))[0][0]
    filled = gray_HW > 0
    width, height = filled.any(axis=0).sum(), filled.any(axis=1).sum()
    assert width / height == pytest.approx(16 / 9, rel=0.03)


def test_interlaced_pictures_are_deinterlaced(tmp_path):
    path = tmp_path / "tv.mp4"
    with av.open(str(path), "w") as container:
        options = {"x264-params": "tff=1:interlaced=1", "flags": "+ildct+ilme"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for index in range(10):
            rgb_HWC = np.zeros((96, 160, 3), np.uint8)
            for field in (0, 1):  # a bar that has moved on between the two fields
                left = 10 + 12 * index + 6 * field
                rgb_HWC[field::2, left : left + 20] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb_HWC, format="rgb24")))
        container.mux(stream.encode())
    assert "deinterlaced" in read(path)[1]
    with pytest.warns(VideoWarning, match="deinterlaced"):
        frames = [rgb_HWC[..., 1].astype(int) for _, rgb_HWC in read_drawn(path, rgb_of)]
    assert len(frames) == 10
    assert np.abs(np.diff(frames[4], axis=0)[10:80]).mean() < 6  # woven fields differ in 12 of 160 columns: 19


@pytest.mark.parametrize("start_s", [0.0, 3.0])
def test_a_raw_stream_plays_at_the_rate_that_it_declares(tmp_path, start_s):
    path = write(tmp_path / "raw.h264", 10, rate=10, muxer="h264")
    frames, told = read(path, start_s=start_s)
    assert len(frames) == pytest.approx((10 - start_s) * 25, abs=3)
    assert "10 frames/s" in told


def test_the_longest_moving_stream_is_the_match_and_another_can_be_chosen(tmp_path):
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 64, "yuvj420p", Disposition.attached_pic
        streams = [container.add_stream("libx264", rate=25, options={"bf": "0"}) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        container.mux(cover.encode(picture(255, 64, 64)))
        for index in range(100):
            for stream, level, lasts in zip(streams, (60, 160), (50, 100), strict=True):
                if index < lasts:
                    frame = picture(level, 160, 90)
                    frame.pts, frame.time_base = index, Fraction(1, 25)
                    container.mux(stream.encode(frame))
        for stream in (cover, *streams):
            container.mux(stream.encode())
    assert [int(read(path, stream=number)[0][5][48, 140]) > 110 for number in (0, 1)] == [False, True]
    with pytest.raises(InputError, match=r"2 is not in 0\.\.1"):
        read(path, stream=2)


def test_a_stream_that_starts_late_starts_at_its_first_picture(tmp_path):
    frames, told = read(write(tmp_path / "late.ts", 2, start_s=7))
    assert (len(frames), told) == (50, "")


@pytest.mark.parametrize(
    "name", ["20:45 final.mp4", "two\nlines.mp4", "[red]cup.mp4", "100%.mp4", os.fsdecode(b"caf\xe9.mp4")]
)
def test_any_name_is_read_and_printed_as_it_is(tmp_path, name, capsys):
    path = tmp_path / name
    path.write_bytes(write(tmp_path / "plain.mp4", 1).read_bytes())
    assert len(read(path)[0]) == 25
    assert run(["predict", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "an observation needs 30 s" in error
    assert name in error or "\\n" in error or "\\udce9" in error


@pytest.mark.parametrize("muxer", ["mp4", "mov", "flv", "mpegts", "avi", "matroska"])
def test_a_damaged_header_gives_one_line(tmp_path, muxer):
    whole = write(tmp_path / "whole", 0.4, muxer=muxer).read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(25):
        damaged = bytearray(whole)
        for place in rng.integers(0, 400, 12):
            damaged[place] = rng.integers(0, 256)
        path = tmp_path / f"{trial}.{muxer}"
        path.write_bytes(damaged)
        try:
            read(path)
        except InputError as reason:
            assert "\n" not in str(reason)


def special(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        return Path("/dev/zero")
    return path


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
@pytest.mark.parametrize(
    "command",
    [
        ["predict"],
        ["predict", "--feed"],
        ["evaluate", "frames"],
        ["submit", "--check"],
        ["weights", "convert"],
        ["compare", "--data", "none"],
        ["extract"],
        ["predict", "tables/test.npz", "--weights"],
    ],
    ids=" ".join,
)
def test_what_is_no_file_is_refused_at_once(tmp_path, kind, command, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "tables/test.npz" in command:
        simulate(tmp_path / "tables", matches=4, minutes=1)
    path = special(tmp_path, kind)
    started = time.monotonic()
    assert run([*command, str(path)]) == 2
    assert time.monotonic() - started < 15  # imports included
    shown = "".join(capsys.readouterr())
    assert "Traceback" not in shown
    assert kind in shown or kind == "folder"


def test_an_address_stays_one_and_hides_its_credentials():
    address = "rtsp://user:secret@127.0.0.1:1//live//cam?token=abc"
    assert shown(address) == "rtsp://127.0.0.1:1//live//cam"
    with pytest.raises(InputError) as error:
        predict(address)
    assert "rtsp://127.0.0.1:1//live//cam" in str(error.value)
    assert "secret" not in str(error.value)
    assert "token" not in str(error.value)
