"""The overlay: the right video, with what was known at each moment under it."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.records import Mark
from playahead.io.errors import InputError
from playahead.video import overlay
from playahead.video.input_size import InputSize
from playahead.video.overlay import COLOURS, Panel, Timeline, write_overlay
from playahead.video.reader import VideoWarning, probe, read_frames
from playahead.video.writer import write_video

SPOTTED = [Mark(1_000, Action.PASS, 0.9), Mark(35_000, Action.SHOT, 0.8), Mark(39_000, Action.PASS, 0.7)]
EXPECTED = [[Mark(42_000, Action.DRIVE, 0.6), Mark(44_000, Action.CROSS, 0.4)], [Mark(46_500, Action.OUT, 0.5)]]
TIMELINE = Timeline(SPOTTED, [40_000, 45_000], EXPECTED)


def test_a_moment_sees_the_last_half_minute_and_nothing_later():
    assert TIMELINE.past(36_000) == [SPOTTED[1]]
    assert TIMELINE.past(31_001) == []
    assert TIMELINE.past(30_999) == [SPOTTED[0]]


def test_a_moment_expects_what_the_latest_anticipation_still_does():
    assert TIMELINE.coming(39_999) == []
    assert TIMELINE.coming(40_000) == EXPECTED[0]
    assert TIMELINE.coming(42_500) == EXPECTED[0][1:]
    assert TIMELINE.coming(46_000) == EXPECTED[1]
    assert TIMELINE.coming(47_000) == []


def has_colour(strip: np.ndarray, action: Action) -> bool:
    rgb = [int(COLOURS[action][i : i + 2], 16) for i in (1, 3, 5)]
    return bool((strip == rgb).all(axis=2).any())


def test_the_strip_shows_each_action_in_its_colour_on_its_side():
    panel = Panel(960, TIMELINE)
    strip = panel.draw(40_000)
    assert strip.shape == (panel.height, 960, 3)
    left, right = strip[:, : panel.now_x], strip[:, panel.now_x :]
    assert has_colour(left, Action.SHOT)
    assert has_colour(left, Action.PASS)
    assert has_colour(right, Action.DRIVE)
    assert has_colour(right, Action.CROSS)
    assert not has_colour(strip, Action.OUT)


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(480, 1920),
    marks=st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(ACTIONS), st.floats(0, 1)), max_size=30),
)
def test_any_number_of_actions_fits(width, marks):
    expected = [Mark(40_000 + ms, action, sure) for ms, action, sure in marks]
    past = [Mark(40_000 - 6 * ms, action, sure) for ms, action, sure in marks]
    panel = Panel(width, Timeline(past, [40_000], [expected]))
    assert panel.draw(40_000).shape == (panel.height, width, 3)
    assert panel.height % 2 == 0


def test_colours_are_told_apart():
    assert len(set(COLOURS.values())) == len(ACTIONS)


def test_the_written_video_is_the_asked_part_enlarged_with_a_strip(tmp_path):
    levels = 16 + np.arange(100) * 2
    frames = [np.full((54, 96, 3), level, np.uint8) for level in levels]
    write_video(tmp_path / "in.mp4", frames, (96, 54), quality=1)
    write_overlay(tmp_path / "in.mp4", tmp_path / "out.mp4", Timeline([], [], []), (1000, 3000))
    facts = probe(tmp_path / "out.mp4")
    panel = Panel(960, TIMELINE)
    assert (facts.width, facts.height) == (960, 540 + panel.height)
    assert facts.duration_s == pytest.approx(2.0)
    shown = [int(gray[40, 480]) for _, gray in read_frames(tmp_path / "out.mp4", InputSize(960, 736))]
    expected = [int(gray[16, 32]) for _, gray in read_frames(tmp_path / "in.mp4", InputSize(64, 32), 1.0, 3.0)]
    assert shown == pytest.approx(expected, abs=3)


def silence_then_a_tone(path, tone_from_s: float, lasts_s: float, codec: str) -> None:
    """Black pictures that turn white, and silence that turns into a tone, at the same moment."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 96, 54, "yuv420p"
        audio = container.add_stream(codec, rate=44_100, layout="mono")
        for index in range(round(lasts_s * 25)):
            level = 235 if index / 25 >= tone_from_s else 16
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((54, 96, 3), level, np.uint8), "rgb24")))
        samples = np.arange(round(lasts_s * 44_100))
        wave = np.where(samples / 44_100 >= tone_from_s, 0.5 * np.sin(samples * 0.06), 0).astype(np.float32)
        for start in range(0, len(wave), 1024):
            piece = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts = 44_100, start
            container.mux(audio.encode(piece))
        container.mux(video.encode())
        container.mux(audio.encode())


def first_loud_s(path) -> float:
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray()).max(axis=0) > 0.1
            if loud.any():
                return frame.time + int(loud.argmax()) / frame.sample_rate
    raise AssertionError("nothing sounds")


@pytest.mark.parametrize(("name", "codec"), [("in.mp4", "aac"), ("in.mkv", "pcm_s16le")])
def test_sound_stays_with_the_pictures(tmp_path, name, codec):
    silence_then_a_tone(tmp_path / name, tone_from_s=2.0, lasts_s=4.0, codec=codec)
    write_overlay(tmp_path / name, tmp_path / "out.mp4", Timeline([], [], []), (1000, 3000))
    shown = [int(gray[100, 480]) for _, gray in read_frames(tmp_path / "out.mp4", InputSize(960, 736))]
    white_s = next(index for index, level in enumerate(shown) if level > 120) / 25
    assert white_s == pytest.approx(1.0)
    assert first_loud_s(tmp_path / "out.mp4") == pytest.approx(white_s, abs=0.025)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert float(container.streams.audio[0].duration * container.streams.audio[0].time_base) == pytest.approx(
            2.0, abs=0.06
        )


def test_sound_that_breaks_off_is_told_and_costs_no_picture(tmp_path, monkeypatch):
    silence_then_a_tone(tmp_path / "in.mp4", tone_from_s=0.0, lasts_s=3.0, codec="aac")

    def broken(*given):
        yield from itertools.islice(decoded(*given), 20)
        raise av.error.InvalidDataError(1, "Invalid data")

    decoded = overlay._decoded_sound
    monkeypatch.setattr(overlay, "_decoded_sound", broken)
    with pytest.warns(VideoWarning, match="no sound from here on"):
        write_overlay(tmp_path / "in.mp4", tmp_path / "out.mp4", Timeline([], [], []), (0, None))
    assert probe(tmp_path / "out.mp4").duration_s == pytest.approx(3.0, abs=0.05)


def test_sound_that_changes_its_layout_and_its_clock_goes_on(tmp_path):
    """As around an advertisement: mono, then stereo at another rate, on a clock that was set anew."""
    for name, layout, rate, at_s in (("a.ts", "mono", 44_100, 10), ("b.ts", "stereo", 48_000, 5_000)):
        with av.open(str(tmp_path / name), "w", format="mpegts") as container:
            video = container.add_stream("libx264", rate=25, options={"bf": "0"})
            video.width, video.height, video.pix_fmt = 96, 54, "yuv420p"
            audio = container.add_stream("aac", rate=rate, layout=layout)
            for index in range(50):
                frame = av.VideoFrame.from_ndarray(np.full((54, 96, 3), 100, np.uint8), "rgb24")
                frame.pts, frame.time_base = at_s * 25 + index, Fraction(1, 25)
                container.mux(video.encode(frame))
            channels = 2 if layout == "stereo" else 1
            for start in range(0, 2 * rate, 1024):
                wave = 0.5 * np.sin(np.arange(start, start + 1024, dtype=np.float32) * np.float32(0.06))
                piece = av.AudioFrame.from_ndarray(np.repeat(wave[None], channels, 0), "fltp", layout)
                piece.sample_rate, piece.pts = rate, at_s * rate + start
                container.mux(audio.encode(piece))
            container.mux(video.encode())
            container.mux(audio.encode())
    (tmp_path / "both.ts").write_bytes(b"".join((tmp_path / name).read_bytes() for name in ("a.ts", "b.ts")))
    with pytest.warns(VideoWarning, match="its clock jumps"):
        write_overlay(tmp_path / "both.ts", tmp_path / "out.mp4", Timeline([], [], []), (0, None))
    with av.open(str(tmp_path / "out.mp4")) as container:
        loud_s = [f.time for f in container.decode(audio=0) if np.abs(f.to_ndarray()).max() > 0.1]
    assert loud_s[0] < 0.3
    assert loud_s[-1] > 3.5
    assert np.diff(loud_s).max() < 0.3
    assert sum(np.diff(loud_s) > 0.03) <= 2  # where the parts meet, and nowhere else


def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_video(tmp_path / "no" / "out.mp4", [np.zeros((32, 64, 3), np.uint8)], (64, 32))
    assert not list(tmp_path.rglob("*.mp4*"))
