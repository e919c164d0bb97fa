"""Gray frames: FFmpeg's own luma in every pixel format and range, fitted to the input size."""

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from playahead.io.errors import InputError
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from tests.support.video import bars, write

GRAYS = (0, 63, 128, 191, 255)
LUMA = {"limited": (16, 70, 126, 180, 235), "full": GRAYS}


def test_the_published_input_size_pads_eight_rows_above_and_below():
    frame = av.VideoFrame(1280, 720, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([200]) * plane.buffer_size)
    drawn = InputSize().draw(frame)
    np.testing.assert_array_equal(drawn, np.pad(np.full((720, 1280), 200), ((8, 8), (0, 0))))


@pytest.mark.parametrize(
    ("size", "picture"), [((1920, 1080), (1280, 720)), ((398, 224), (1280, 720)), ((720, 1280), (404, 720))]
)
def test_other_sizes_are_scaled_to_fit(size, picture):
    assert InputSize().fitted(*size) == picture


@pytest.mark.parametrize("declared", ["UNSPECIFIED", "MPEG", "JPEG"])
@pytest.mark.parametrize("luma", ["limited", "full"])
@pytest.mark.parametrize("size", [(160, 96), (96, 64)], ids=["as it is", "scaled"])
def test_five_grays_have_their_luma_in_every_pixel_format_and_range(declared, luma, size):
    """8 bits or more for each colour; fewer cannot hold these grays."""
    picture = av.VideoFrame.from_ndarray(bars(GRAYS), "rgb24")
    for pixels in sorted(av.video.format.names):
        try:
            if min(component.bits for component in av.VideoFormat(pixels).components) < 8:
                continue
            stored = ColorRange.JPEG if declared == "JPEG" else ColorRange.MPEG  # YUV that does not say is limited
            frame = picture.reformat(format=pixels, dst_color_range=stored)
        except (OSError, ValueError):  # FFmpeg writes no such pictures
            continue
        frame.color_range = ColorRange[declared]
        drawn = InputSize(*size, luma).draw(frame)
        middles = drawn[size[1] // 2, [size[0] * (2 * bar + 1) // 10 for bar in range(5)]]
        assert np.abs(middles.astype(int) - LUMA[luma]).max() <= 1, pixels


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "declared"),
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
def test_five_grays_have_their_luma_from_every_codec(tmp_path, name, codec, pixels, declared):
    about = {"pixels": pixels, "color_range": ColorRange[declared], "options": {"x265-params": "log-level=none"}}
    path = write(tmp_path / name, [bars(GRAYS)] * 3, codec, **about)
    drawn = list(read_frames(path, InputSize(160, 96)))[1][1]
    np.testing.assert_allclose(drawn[48, [16, 48, 80, 112, 144]], LUMA["limited"], atol=2)


@pytest.mark.parametrize("bad", [{"width": 100}, {"height": 0}, {"luma": "dark"}])
def test_sizes_that_cannot_be_are_refused(bad):
    with pytest.raises(InputError, match=rf"InputSize\.{next(iter(bad))}"):
        InputSize(**bad)
