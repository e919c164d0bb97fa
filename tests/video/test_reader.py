"""Reading video: any rate, container and clock to frames at 25 a second, from any start."""

import threading
import wave
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from playahead.io.errors import InputError
from playahead.video.input_size import InputSize
from playahead.video.overlay import rgb_of
from playahead.video.reader import probe, read_drawn, read_frames
from tests.support.video import flat, joined, moved, numbered, numbers, read, write

N = 200
GOP = {"g": "50", "keyint_min": "50", "sc_threshold": "0"}
B_FRAMES = {**GOP, "bf": "3", "b_strategy": "0", "preset": "veryfast"}
OPEN_GOP = {**B_FRAMES, "x264-params": "open-gop=1:keyint=50:min-keyint=50:scenecut=0:bframes=3:b-adapt=0"}
HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=50:open-gop=1:pools=none:frame-threads=1"}
CONTAINERS = {
    "transport stream": ("v.ts", "libx264", B_FRAMES),
    "transport stream, open GOPs": ("v.ts", "libx264", OPEN_GOP),
    "transport stream, one key picture": ("v.ts", "libx264", {**B_FRAMES, "g": "1000"}),
    "transport stream, no key picture but the first": ("v.ts", "libx264", {"x264-params": "intra-refresh=1:keyint=50"}),
    "transport stream, HEVC": ("v.ts", "libx265", HEVC),
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
def test_every_picture_is_shown_once_and_from_any_start_at_its_time(tmp_path, container):
    name, codec, options = CONTAINERS[container]
    path = numbered(tmp_path / name, N, codec, options=options)
    assert numbers(path) == list(range(N))
    assert read(path)[1] == ""
    for start_s in (0.48, 1.96, 2.0, 2.04, 3.6, 5.0, 7.96):
        first = round(start_s * 25)
        assert numbers(path, start_s=start_s, stop_s=start_s + 0.4) == list(range(first, min(first + 10, N))), start_s
        assert read(path, start_s=start_s, stop_s=start_s + 0.4)[1] == ""


@pytest.mark.parametrize("late_s", [7.0, 95_440.0], ids=["late", "over the end of the clock"])
def test_a_start_counts_from_the_first_picture_whatever_its_timestamp(tmp_path, late_s):
    path = numbered(tmp_path / "v.ts", N, options=B_FRAMES, start_s=late_s)
    assert numbers(path, start_s=3.0, stop_s=3.4) == list(range(75, 85))
    frames, notices = read(path)
    assert (len(frames), notices) == (N, "")


def test_a_container_without_its_index_is_read_through(tmp_path):
    path = numbered(tmp_path / "v.avi", N, options=B_FRAMES)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"idx1")])
    assert numbers(path, start_s=5.0, stop_s=5.4) == list(range(125, 135))


@pytest.mark.parametrize("rate", [25, 50, 30, Fraction(30000, 1001), 60, Fraction(24000, 1001)], ids=str)
def test_any_rate_becomes_twenty_five(tmp_path, rate):
    n = 45
    shown = numbers(numbered(tmp_path / "v.mp4", n, rate=rate))
    assert len(shown) == pytest.approx(n / float(rate) * 25, abs=1)
    times = np.arange(n) / float(rate)
    for k, number in enumerate(shown):
        distances = np.abs(times - k / 25)
        assert distances[number] < distances.min() + 2e-3


def test_a_variable_rate_is_read_by_timestamp(tmp_path):
    times_ms = [0, 40, 80, 400, 440, 480, 1000, 1040]
    shown = numbers(numbered(tmp_path / "v.mkv", 8, times_ms=times_ms))
    assert len(shown) == 27
    assert [*shown[:4], shown[9]] == [0, 1, 2, 2, 3], "the picture before a gap stays for its first half"


def test_what_the_container_says(tmp_path):
    facts = probe(numbered(tmp_path / "v.mp4", 50))
    assert (facts.width, facts.height, facts.fps) == (160, 90, 25.0)
    assert facts.duration_s == pytest.approx(2.0, abs=0.05)


def test_leaving_early_ends_the_decoding_thread(tmp_path):
    path = numbered(tmp_path / "v.mp4", N)
    before = threading.active_count()
    frames = read_frames(path, InputSize(160, 96))
    next(frames)
    frames.close()
    assert threading.active_count() == before


# Clocks that jump, and pictures that move


@pytest.mark.parametrize(
    ("second_starts_s", "notice", "seconds"),
    [
        (0.0, "its clock jumps", 8),
        (2.0, "jumps", 8),
        (16.0, "no pictures from", 20),
        (90.0, "jumps from 4.0 s to 90", 8),
    ],
    ids=["starts again", "steps back", "steps forward", "leaps"],
)
def test_no_picture_is_lost_when_the_clock_jumps(tmp_path, second_starts_s, notice, seconds):
    first = write(tmp_path / "a.ts", [flat(60)] * 100)
    second = write(tmp_path / "b.ts", [flat(160)] * 100, start_s=second_starts_s)
    frames, notices = read(joined(tmp_path / "c.ts", first, second))
    assert len(frames) == pytest.approx(seconds * 25, abs=2)
    assert notice in notices
    levels = [int(gray_HW[48, 140]) for gray_HW in frames]
    dark, bright = levels[10], levels[-10]
    assert bright > dark + 50
    assert sum(abs(level - bright) < 12 for level in levels) == pytest.approx(106, abs=8)  # up to half a second early


def test_hls_with_a_discontinuity(tmp_path):
    write(tmp_path / "0.ts", [flat(60)] * 100)
    write(tmp_path / "1.ts", [flat(160)] * 200)
    (tmp_path / "match.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:8\n#EXTINF:4.0,\n0.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXTINF:8.0,\n1.ts\n#EXT-X-ENDLIST\n"
    )
    frames, notices = read(tmp_path / "match.m3u8")
    assert len(frames) == pytest.approx(300, abs=2)
    assert "its clock jumps" in notices
    with pytest.raises(InputError, match=r"is a folder.*match\.m3u8"):
        read(tmp_path)


@pytest.mark.parametrize("table_moves", [False, True], ids=["pictures", "pictures and table"])
def test_pictures_that_move_to_another_pid_are_all_read(tmp_path, table_moves):
    path = numbered(tmp_path / "v.ts", N, options=B_FRAMES)
    path.write_bytes(moved(path.read_bytes(), 0.5, table_moves))
    assert numbers(path) == list(range(N))
    assert numbers(path, start_s=6.0, stop_s=6.4) == list(range(150, 160))
    assert read(path)[1] == ""


def test_a_playlist_whose_segments_use_different_pids_is_all_read(tmp_path):
    whole = numbered(tmp_path / "v.ts", N, options={**B_FRAMES, "x264-params": "open-gop=0"}).read_bytes()
    changed = moved(whole, 0.5, table_moves=False)
    at = next(n for n in range(0, len(whole), 188) if whole[n : n + 188] != changed[n : n + 188])
    (tmp_path / "0.ts").write_bytes(changed[:at])
    (tmp_path / "1.ts").write_bytes(changed[at:])
    (tmp_path / "v.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n0.ts\n#EXTINF:4.0,\n1.ts\n#EXT-X-ENDLIST\n"
    )
    shown = numbers(tmp_path / "v.m3u8")
    assert len(shown) == N
    assert sum(number == place for place, number in enumerate(shown)) >= N - 1, "FFmpeg gives the last before it late"
    assert read(tmp_path / "v.m3u8")[1] == ""


@pytest.mark.parametrize("start_s", [0.0, 3.0])
def test_a_raw_stream_plays_at_the_rate_that_it_declares(tmp_path, start_s):
    path = write(tmp_path / "raw.h264", [flat(60)] * 100, rate=10, muxer="h264")
    frames, notices = read(path, start_s=start_s)
    assert len(frames) == pytest.approx((10 - start_s) * 25, abs=3)
    assert "10 frames/s" in notices


# Pictures as a screen shows them


@pytest.mark.parametrize(("turned", "white"), [(0, "left"), (-90, "top"), (90, "bottom"), (180, "right")])
def test_a_phones_pictures_stand_upright(tmp_path, turned, white):
    path = write(tmp_path / "phone.mp4", [flat(60)] * 10, turned=turned)
    rgb_HWC = next(iter(read_drawn(path, rgb_of)))[1]
    assert rgb_HWC.shape[:2] == ((160, 90) if turned in (90, -90) else (90, 160))
    gray_HW = read(path)[0][0]
    for image_HW in (rgb_HWC[..., 1], gray_HW[np.ix_(gray_HW.any(axis=1), gray_HW.any(axis=0))]):
        middle, centre = image_HW[len(image_HW) // 2], image_HW[:, image_HW.shape[1] // 2]
        edges = {"left": middle[2], "right": middle[-3], "top": centre[2], "bottom": centre[-3]}
        assert max(edges, key=edges.get) == white  # type: ignore[arg-type]


def shape(gray_HW: np.ndarray) -> float:
    """Width over height of what is not padding."""
    return (gray_HW > 0).any(0).sum() / (gray_HW > 0).any(1).sum()


@pytest.mark.parametrize(("size", "aspect"), [((180, 144), Fraction(64, 45)), ((360, 270), Fraction(4, 3))])
def test_pixels_that_are_not_square(tmp_path, size, aspect):
    """720x576 and 1440x1080 in small: both are shown as 16:9."""
    path = write(tmp_path / "wide.mp4", [flat(60, size)] * 10, sample_aspect_ratio=aspect)
    assert shape(read(path)[0][0]) == pytest.approx(16 / 9, rel=0.03)


def test_pixels_that_change_their_shape_are_shown_as_they_are(tmp_path):
    """As where a match in 4:3 follows a studio in 16:9 in one recording."""
    parts = [
        write(tmp_path / f"{n}.ts", [flat(60, (180, 144))] * 50, start_s=2 * n, sample_aspect_ratio=aspect)
        for n, aspect in enumerate((Fraction(16, 15), Fraction(64, 45), Fraction(16, 15)))
    ]
    frames, notices = read(joined(tmp_path / "v.ts", *parts))
    np.testing.assert_allclose(list(map(shape, frames)), np.repeat([4 / 3, 16 / 9, 4 / 3], 50), rtol=0.03)
    assert notices == ""


def test_interlaced_pictures_are_deinterlaced(tmp_path):
    pictures = np.zeros((10, 96, 160, 3), np.uint8)
    for index in range(10):
        for field in (0, 1):  # a bar that has moved on between the two fields
            left = 10 + 12 * index + 6 * field
            pictures[index, field::2, left : left + 20] = 255
    options = {"x264-params": "tff=1:interlaced=1", "flags": "+ildct+ilme"}
    path = write(tmp_path / "tv.mp4", pictures, options=options)
    assert "deinterlaced" in read(path)[1]
    frames = [rgb_HWC[..., 1].astype(int) for _, rgb_HWC in read_drawn(path, rgb_of)]
    assert len(frames) == 10
    assert np.abs(np.diff(frames[4], axis=0)[10:80]).mean() < 6  # woven fields differ in 12 of 160 columns: 19


# What cannot be read


def test_the_longest_moving_stream_is_the_match_and_another_can_be_chosen(tmp_path):
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 64, "yuvj420p", Disposition.attached_pic
        streams = [container.add_stream("libx264", rate=25, options={"bf": "0"}) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        container.mux(cover.encode(av.VideoFrame.from_ndarray(flat(255, (64, 64)), "rgb24")))
        for index in range(100):
            for stream, level, lasts in zip(streams, (60, 160), (50, 100), strict=True):
                if index < lasts:
                    frame = av.VideoFrame.from_ndarray(flat(level), "rgb24")
                    frame.pts, frame.time_base = index, Fraction(1, 25)
                    container.mux(stream.encode(frame))
        for stream in (cover, *streams):
            container.mux(stream.encode())
    assert [int(read(path, stream=number)[0][5][48, 140]) > 110 for number in (0, 1)] == [False, True]
    assert len(read(path)[0]) == 100
    with pytest.raises(InputError, match=r"2 is not in 0\.\.1"):
        read(path, stream=2)


def test_what_is_no_video_is_an_error_of_one_line(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    whole = numbered(tmp_path / "v.mp4", 50).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end, so it is gone
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 800, "NONE", ""))
        sound.writeframes(bytes(1600))
    for name, what in (
        ("nowhere.mp4", "no such file"),
        ("empty.mp4", "cannot be opened"),
        ("text.mp4", "cannot be opened"),
        ("cut.mp4", "cannot be opened"),
        ("sound.wav", "holds no moving pictures"),
    ):
        with pytest.raises(InputError, match=what) as refusal:
            read(tmp_path / name)
        assert "\n" not in str(refusal.value)
    for span, what in (({"start_s": 60}, "no pictures from 60"), ({"start_s": 2, "stop_s": 1}, "no time lies")):
        with pytest.raises(InputError, match=what):
            read(tmp_path / "v.mp4", **span)


@pytest.mark.parametrize("muxer", ["mp4", "mov", "flv", "mpegts", "avi", "matroska"])
def test_damage_never_hangs_nor_passes_in_silence(tmp_path, muxer):
    """Some frames, or an error of one line: bytes changed in the header, or anywhere in a file that is cut."""
    whole = write(tmp_path / "whole", [flat(60)] * 10, muxer=muxer).read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(30):
        damaged, in_header = bytearray(whole), trial % 3
        for place in rng.integers(0, 400 if in_header else len(whole), 12 if in_header else 40):
            damaged[place] ^= int(rng.integers(1, 256))
        path = tmp_path / f"{trial}.{muxer}"
        path.write_bytes(damaged if in_header else damaged[: int(rng.integers(len(whole) // 2, len(whole)))])
        try:
            assert 0 < len(read(path)[0]) <= 10 + 31 * 25 * 40
        except InputError as refusal:
            assert path.name in str(refusal)
            assert "\n" not in str(refusal)
