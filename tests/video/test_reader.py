"""Reading video: any rate and size to gray 25 fps, FFmpeg's own luma, and everything that is not a video."""

import threading
import warnings
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from playahead.io.errors import InputError

pytestmark = pytest.mark.skipif(find_spec("av") is None, reason="needs the extra 'video'")
if find_spec("av") is not None:
    import av
    from av.video.reformatter import ColorRange

    from playahead.video.input_size import InputSize
    from playahead.video.reader import VideoWarning, probe, read_frames

SMALL = (160, 96)


def write_video(path: Path, n_frames: int, rate: Fraction | int = 25, times_ms=None, codec="libx264") -> Path:
    """Frame i is gray of level 2 i + 20 (modulo 200), so that a frame tells which it is."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"qp": "0", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        if times_ms is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(n_frames):
            frame = av.VideoFrame(*SMALL, "yuv420p")
            for plane, level in zip(frame.planes, (level_of(i), 128, 128), strict=True):
                plane.update(bytes([level]) * plane.buffer_size)
            if times_ms is not None:
                frame.pts, frame.time_base = int(times_ms[i]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def level_of(index: int) -> int:
    return (2 * index) % 200 + 20


def levels(path, **options) -> list[int]:
    input_size = InputSize(160, 96)
    return [int(np.median(gray[gray > 0])) for _, gray in read_frames(path, input_size, **options)]


@pytest.mark.parametrize("rate", [25, 50, 30, Fraction(30000, 1001), 60, Fraction(24000, 1001)], ids=str)
def test_any_rate_becomes_twenty_five(tmp_path, rate):
    n = 45
    found = levels(write_video(tmp_path / "v.mp4", n, rate))
    assert len(found) == pytest.approx(n / float(rate) * 25, abs=1)
    times = np.arange(n) / float(rate)
    for k, level in enumerate(found):
        allowed = {
            level_of(int(i)) for i in np.flatnonzero(np.abs(times - k / 25) < np.abs(times - k / 25).min() + 2e-3)
        }
        assert level in allowed


def test_a_variable_rate_is_read_by_timestamp(tmp_path):
    times_ms = np.array([0, 40, 80, 400, 440, 480, 1000, 1040])
    found = levels(write_video(tmp_path / "v.mkv", 8, times_ms=times_ms))
    assert len(found) == 27
    assert found[:3] == [level_of(i) for i in range(3)]
    assert found[3] == level_of(2), "the picture before a gap stays for its first half"
    assert found[9] == level_of(3)


@pytest.mark.parametrize("start_s", [0.2, 1.0, 1.52])
def test_seeking_gives_the_same_frames_as_reading_through(tmp_path, start_s):
    path = write_video(tmp_path / "v.mp4", 60)
    through = levels(path)
    first = round(start_s * 25)
    assert levels(path, start_s=start_s, stop_s=start_s + 0.4) == through[first : first + 10]


def test_what_the_container_says(tmp_path):
    facts = probe(write_video(tmp_path / "v.mp4", 50))
    assert (facts.width, facts.height, facts.fps) == (*SMALL, 25.0)
    assert facts.duration_s == pytest.approx(2.0, abs=0.05)


def test_the_published_canvas_pads_eight_rows_above_and_below():
    frame = av.VideoFrame(1280, 720, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([200]) * plane.buffer_size)
    drawn = InputSize().draw(frame)
    assert drawn.shape == (736, 1280)
    assert not drawn[:8].any()
    assert not drawn[-8:].any()
    assert (drawn[8:-8] == 200).all()


@pytest.mark.parametrize(
    ("size", "picture"), [((1920, 1080), (1280, 720)), ((398, 224), (1280, 720)), ((720, 1280), (404, 720))]
)
def test_other_sizes_are_scaled_to_fit(size, picture):
    assert InputSize().fitted(*size) == picture


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv422p", "rgb24", "yuv420p10le", "nv12"])
@pytest.mark.parametrize("luma", ["limited", "full"])
def test_luma_is_what_ffmpeg_answers(pixels, luma):
    """Full: FFmpeg's conversion to gray. Limited: the luma plane of its conversion to limited yuv420p."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (6, 10, 3), np.uint8).repeat(16, 0).repeat(16, 1)  # 160 x 96, flat squares
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pixels)
    drawn = InputSize(160, 96, luma).draw(frame)
    height, width = InputSize(160, 96, luma).fitted(160, 96)[::-1]
    top, left = (96 - height) // 2, (160 - width) // 2
    name = "gray" if luma == "full" else "yuv420p"
    answer = frame.reformat(width=width, height=height, format=name).to_ndarray()[:height]
    error = np.abs(drawn[top : top + height, left : left + width].astype(int) - answer)
    assert np.percentile(error, 90) <= 2, "flat parts agree; edges depend on the scaler"


@pytest.mark.parametrize("told", ["UNSPECIFIED", "MPEG", "JPEG"])
@pytest.mark.parametrize("luma", ["limited", "full"])
@pytest.mark.parametrize("size", [(160, 96), (96, 64)], ids=["as it is", "scaled"])
def test_five_grays_have_their_luma_in_every_pixel_format_and_range(told, luma, size):
    """8 bits or more for each colour; fewer cannot hold these grays."""
    grays = (0, 63, 128, 191, 255)
    wanted = {"limited": (16, 70, 126, 180, 235), "full": grays}[luma]
    picture = av.VideoFrame.from_ndarray(bars(grays), "rgb24")
    for pixels in sorted(av.video.format.names):
        try:
            if min(component.bits for component in av.VideoFormat(pixels).components) < 8:
                continue
            stored = ColorRange.JPEG if told == "JPEG" else ColorRange.MPEG  # YUV that does not say is limited
            frame = picture.reformat(format=pixels, dst_color_range=stored)
        except (OSError, ValueError):  # FFmpeg writes no such pictures
            continue
        frame.color_range = ColorRange[told]
        drawn = InputSize(*size, luma).draw(frame)
        middles = drawn[size[1] // 2, [size[0] * (2 * bar + 1) // 10 for bar in range(5)]]
        assert np.abs(middles.astype(int) - wanted).max() <= 1, pixels


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "told"),
    [
        ("plain.mp4", "libx264", "yuv420p", "MPEG"),
        ("full.mp4", "libx264", "yuv420p", "JPEG"),
        ("ten_bits_full.mp4", "libx265", "yuv420p10le", "JPEG"),
        ("rgb.mp4", "libx264rgb", "rgb24", "JPEG"),
        ("png.mov", "png", "rgb24", "JPEG"),
        ("gray.mov", "png", "gray", "JPEG"),
        ("lossless.mkv", "ffv1", "yuva420p", "MPEG"),
        ("photos.avi", "mjpeg", "yuvj420p", "JPEG"),
    ],
)
def test_five_grays_have_their_luma_from_every_codec(tmp_path, name, codec, pixels, told):
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = *SMALL, pixels
        stream.codec_context.color_range = ColorRange[told]
        picture = av.VideoFrame.from_ndarray(bars((0, 63, 128, 191, 255)), "rgb24")
        for index in range(3):
            frame = picture.reformat(format=pixels, dst_color_range=ColorRange[told])
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    drawn = list(read_frames(path, InputSize(160, 96)))[1][1]
    np.testing.assert_allclose(drawn[48, [16, 48, 80, 112, 144]], (16, 70, 126, 180, 235), atol=2)


def bars(grays) -> np.ndarray:
    """(H, W, 3) of five upright bars."""
    return np.repeat(np.asarray(grays, np.uint8), SMALL[0] // 5)[None, :, None].repeat(SMALL[1], 0).repeat(3, 2)


@pytest.mark.parametrize("bad", [{"width": 100}, {"height": 0}, {"luma": "dark"}])
def test_canvases_that_cannot_be_are_refused(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        InputSize(**bad)


def test_what_is_no_video_is_an_error_of_one_line(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    whole = write_video(tmp_path / "v.mp4", 50).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end, so it is gone
    for name, said in (
        ("nowhere", "no such file"),
        ("empty", "cannot be opened"),
        ("text", "cannot be opened"),
        ("cut", "cannot be opened"),
    ):
        with pytest.raises(InputError, match=said) as refusal:
            list(read_frames(tmp_path / f"{name}.mp4"))
        assert "\n" not in str(refusal.value)


def test_audio_only(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="holds no moving pictures"):
        list(read_frames(tmp_path / "a.wav"))


def test_a_start_beyond_the_end(tmp_path):
    path = write_video(tmp_path / "v.mp4", 25)
    with pytest.raises(InputError, match="no pictures from 60"):
        list(read_frames(path, start_s=60))
    with pytest.raises(InputError, match="no time lies"):
        list(read_frames(path, start_s=2, stop_s=1))


@pytest.mark.parametrize("seed", range(8))
def test_damaged_bytes_never_hang_nor_pass_in_silence(tmp_path, seed):
    """The right number of frames, or fewer with a warning, or an error that names the file."""
    rng = np.random.default_rng(seed)
    body = bytearray(write_video(tmp_path / "v.ts", 60, codec="mpeg2video").read_bytes())
    for at in rng.integers(0, len(body), 40):
        body[at] ^= int(rng.integers(1, 256))
    path = tmp_path / "damaged.ts"
    path.write_bytes(body[: int(rng.integers(len(body) // 2, len(body)))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VideoWarning)
        try:
            n = len(levels(path))
        except InputError as refusal:
            assert str(path) in str(refusal)
        else:
            assert 0 < n <= 60 + 31 * 25 * 40


def test_leaving_early_ends_the_decoding_thread(tmp_path):
    path = write_video(tmp_path / "v.mp4", 400)
    before = threading.active_count()
    frames = read_frames(path, InputSize(160, 96))
    next(frames)
    frames.close()
    assert threading.active_count() == before


def test_a_clock_that_jumps_goes_on_where_it_was(tmp_path):
    """As in a recording cut together."""
    times_ms = [*range(0, 400, 40), *range(7_200_000, 7_200_400, 40)]
    path = write_video(tmp_path / "v.mkv", 20, times_ms=times_ms)
    with pytest.warns(VideoWarning, match="its clock jumps from 0.4 s to 7200.0 s"):
        found = levels(path)
    assert len(found) == pytest.approx(20, abs=1)
