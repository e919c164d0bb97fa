"""The overlay: the right video, with what was known at each moment under it."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.notices import Notices
from playahead.domain.records import Mark, Timeline
from playahead.io.errors import InputError
from playahead.video import overlay
from playahead.video.input_size import InputSize
from playahead.video.overlay import COLOURS, Panel, write_overlay
from playahead.video.reader import probe, read_frames
from playahead.video.writer import write_video
from tests.support.video import joined

SPOTTED = [Mark(1_000, Action.PASS, 0.9), Mark(35_000, Action.SHOT, 0.8), Mark(39_000, Action.PASS, 0.7)]
EXPECTED = [[Mark(42_000, Action.DRIVE, 0.6), Mark(44_000, Action.CROSS, 0.4)], [Mark(46_500, Action.OUT, 0.5)]]
TIMELINE = Timeline(SPOTTED, [40_000, 45_000], EXPECTED)


def test_a_moment_sees_the_last_half_minute_and_expects_what_the_latest_anticipation_still_does():
    past = {36_000: SPOTTED[1:2], 31_001: [], 30_999: SPOTTED[:1]}
    assert {ms: TIMELINE.past(ms) for ms in past} == past
    coming = {39_999: [], 40_000: EXPECTED[0], 42_500: EXPECTED[0][1:], 46_000: EXPECTED[1], 47_000: []}
    assert {ms: TIMELINE.coming(ms) for ms in coming} == coming


def shown(strip: np.ndarray) -> set[Action]:
    pixels = {tuple(rgb) for rgb in strip.reshape(-1, 3).tolist()}
    return {action for action, colour in COLOURS.items() if tuple(bytes.fromhex(colour[1:])) in pixels}


def test_the_strip_shows_each_action_in_its_colour_on_its_side():
    panel = Panel(960, TIMELINE)
    strip = panel.draw(40_000)
    assert shown(strip[:, : panel.now_x]) == {Action.SHOT, Action.PASS}
    assert shown(strip[:, panel.now_x :]) == {Action.DRIVE, Action.CROSS}


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


def test_lanes_take_a_fifth_of_the_picture_and_the_chance_of_a_shot_stands_above_them():
    timeline = Timeline(SPOTTED, [40_000, 45_000], EXPECTED, [0.02, 0.31])
    plain, panel = Panel(1280, TIMELINE), Panel(1280, timeline)
    assert panel.lane * len(overlay.LANES) <= 720 / 5
    assert sorted(action for lane in overlay.LANES for action in lane) == sorted(ACTIONS)
    assert panel.height > plain.height
    strip = slice(round(panel.head), round(panel.top))
    assert Action.SHOT in shown(panel.draw(45_000)[strip])
    assert Action.SHOT not in shown(panel.draw(39_000)[strip]), "nothing was answered yet"


def grays(levels) -> list[np.ndarray]:
    return [np.full((54, 96, 3), level, np.uint8) for level in levels]


def test_the_written_video_is_the_part_enlarged_with_a_strip(tmp_path):
    write_video(tmp_path / "in.mp4", grays(16 + np.arange(100) * 2), (96, 54), quality=1)
    write_overlay(tmp_path / "in.mp4", tmp_path / "out.mp4", Timeline([], [], []), (1000, 3000))
    facts = probe(tmp_path / "out.mp4")
    assert (facts.width, facts.height) == (960, 540 + Panel(960, TIMELINE).height)
    assert facts.duration_s == pytest.approx(2.0)
    levels = [int(gray[40, 480]) for _, gray in read_frames(tmp_path / "out.mp4", InputSize(960, 736))]
    expected = [int(gray[16, 32]) for _, gray in read_frames(tmp_path / "in.mp4", InputSize(64, 32), 1.0, 3.0)]
    assert levels == pytest.approx(expected, abs=3)


def write_with_sound(path, levels, wave, codec="aac", rate=44_100, layout="mono", start_s=0) -> None:
    """Gray pictures with a wave."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 96, 54, "yuv420p"
        audio = container.add_stream(codec, rate=rate, layout=layout)
        for index, rgb_HWC in enumerate(grays(levels)):
            frame = av.VideoFrame.from_ndarray(rgb_HWC, "rgb24")
            frame.pts, frame.time_base = start_s * 25 + index, Fraction(1, 25)
            container.mux(video.encode(frame))
        channels = 2 if layout == "stereo" else 1
        for start in range(0, len(wave), 1024):
            samples = np.repeat(wave[None, start : start + 1024].astype(np.float32), channels, 0)
            piece = av.AudioFrame.from_ndarray(samples, "fltp", layout)
            piece.sample_rate, piece.pts = rate, start_s * rate + start
            container.mux(audio.encode(piece))
        container.mux(video.encode())
        container.mux(audio.encode())


def tone(seconds: float, rate: int = 44_100) -> np.ndarray:
    return 0.5 * np.sin(np.arange(round(seconds * rate)) * 0.06)


def first_loud_s(path) -> float:
    with av.open(str(path)) as container:
        loud = ((frame, np.abs(frame.to_ndarray()).max(axis=0) > 0.1) for frame in container.decode(audio=0))
        return next(frame.time + int(is_loud.argmax()) / frame.sample_rate for frame, is_loud in loud if is_loud.any())


@pytest.mark.parametrize(("name", "codec"), [("in.mp4", "aac"), ("in.mkv", "pcm_s16le")])
def test_sound_stays_with_the_pictures(tmp_path, name, codec):
    """Black pictures turn white, and silence turns into a tone, at the same moment."""
    wave = tone(4.0)
    wave[: 2 * 44_100] = 0
    write_with_sound(tmp_path / name, [16] * 50 + [235] * 50, wave, codec)
    write_overlay(tmp_path / name, tmp_path / "out.mp4", Timeline([], [], []), (1000, 3000))
    levels = [int(gray[100, 480]) for _, gray in read_frames(tmp_path / "out.mp4", InputSize(960, 736))]
    white_s = next(index for index, level in enumerate(levels) if level > 120) / 25
    assert white_s == pytest.approx(1.0)
    assert first_loud_s(tmp_path / "out.mp4") == pytest.approx(white_s, abs=0.025)
    with av.open(str(tmp_path / "out.mp4")) as container:
        sound = container.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(2.0, abs=0.06)


def test_sound_that_breaks_off_gives_a_notice_and_costs_no_picture(tmp_path, monkeypatch):
    write_with_sound(tmp_path / "in.mp4", [235] * 75, tone(3.0))
    decoded, notices = overlay._decoded_sound, Notices()

    def broken(*given):
        yield from itertools.islice(decoded(*given), 20)
        raise av.error.InvalidDataError(1, "Invalid data")

    monkeypatch.setattr(overlay, "_decoded_sound", broken)
    write_overlay(tmp_path / "in.mp4", tmp_path / "out.mp4", Timeline([], [], []), (0, None), notices=notices)
    assert notices.lines == ["in.mp4: no sound from here on (Invalid data)"]
    assert probe(tmp_path / "out.mp4").duration_s == pytest.approx(3.0, abs=0.05)


def test_sound_that_changes_its_layout_and_its_clock_goes_on(tmp_path):
    """As around an advertisement: mono, then stereo at another rate, on a clock that was set anew."""
    write_with_sound(tmp_path / "a.ts", [100] * 50, tone(2.0), start_s=10)
    write_with_sound(tmp_path / "b.ts", [100] * 50, tone(2.0, 48_000), rate=48_000, layout="stereo", start_s=5_000)
    both = joined(tmp_path / "both.ts", tmp_path / "a.ts", tmp_path / "b.ts")
    notices = Notices()
    write_overlay(both, tmp_path / "out.mp4", Timeline([], [], []), (0, None), notices=notices)
    assert any("its clock jumps" in line for line in notices.lines)
    with av.open(str(tmp_path / "out.mp4")) as container:
        loud_s = [f.time for f in container.decode(audio=0) if np.abs(f.to_ndarray()).max() > 0.1]
    assert loud_s[0] < 0.3
    assert loud_s[-1] > 3.5
    assert np.diff(loud_s).max() < 0.3
    assert sum(np.diff(loud_s) > 0.03) <= 2  # where the parts meet, and nowhere else


def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_video(tmp_path / "no" / "out.mp4", [np.zeros((32, 64, 3), np.uint8)], (64, 32))
    assert not list(tmp_path.rglob("*.mp4*"))
