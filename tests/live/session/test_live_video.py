"""Live video: HLS on loopback, a source that dies and comes back, a clock that jumps, a machine that is too slow."""

import socket
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import av
import numpy as np
import pytest

from playahead.io.errors import InputError
from playahead.live.session import video_session
from playahead.live.session.frames import Dropped, Frame, FrameSource, Lost
from playahead.live.session.open import LiveConfig, live
from playahead.live.session.record import read_record
from playahead.live.session.video_session import VideoSession, _Pace
from playahead.video.input_size import InputSize
from tests.support.broadcast import Broadcast, broadcast

SIZE = InputSize(96, 64)


@pytest.fixture(scope="module")
def asked(made, backbone_file) -> LiveConfig:
    weights = made / "run" / "weights.safetensors"
    return LiveConfig(weights=weights, backbone=backbone_file, min_confidence=0.0, device="cpu")


def items_of(source: FrameSource, until: type | None = None, patience_s: float = 40.0) -> list:
    """Items until one of this kind, or the end."""
    found, deadline = [], time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            if (item := source.next(1.0)) is None:
                return found
            found.append(item)
            if until is not None and isinstance(item, until):
                return found
    raise AssertionError(f"nothing of the kind in {patience_s} s: {len(found)} items")


def n_frames(items: list) -> int:
    return sum(isinstance(item, Frame) for item in items)


@pytest.mark.slow
def test_a_source_that_dies_is_opened_again(tmp_path, frames, asked):
    with broadcast(tmp_path, frames, speed=3.0) as sent:
        threading.Thread(target=sent.segments, args=(0, 40), daemon=True).start()
        while len(sent.entries) < 4:
            time.sleep(0.05)
        answers, notices = [], []
        for answer in live(sent.address, asked):
            answers.append(answer)
            notices += answer.notices
            if len(answers) == 2:
                sent.down()
                threading.Timer(2.5, sent.up).start()
            if any("is back" in what for what in notices) and answer.seen_ms >= 5_000:
                break
    assert any(what.startswith("the source is lost") for what in notices)
    assert [(answer.now_ms, bool(answer.expected)) for answer in answers[:2]] == [(5_000, True), (6_000, True)]
    assert {bool(answer.expected) for answer in answers if answer.seen_ms == 0} == {False}
    assert [answer.now_ms for answer in answers] == sorted(answer.now_ms for answer in answers)
    assert answers[-1].seen_ms == 5_000
    assert answers[-1].now_ms > answers[1].now_ms + 5_000


@pytest.mark.slow
def test_what_was_shown_before_a_source_died_does_not_come_again(tmp_path, frames):
    with broadcast(tmp_path, frames, speed=50.0) as sent:
        sent.segments(0, 4)
        source = FrameSource(sent.address, SIZE)
        before = [item for _ in range(60) for item in items_of(source, Frame)]
        sent.down()
        sent.segments(4, 6)  # FFmpeg begins with the last three: one of them was shown
        before += items_of(source, Lost)
        sent.up()
        after = items_of(source, Frame)
        with suppress(TimeoutError):
            while True:
                after.append(source.next(3.0))
        source.close()
    assert n_frames(before) == 75
    assert 25 < n_frames(after) <= 50, "the last of a live stream wait for the next"


def test_a_silent_stream_is_said_to_be_silent_every_second(monkeypatch, model):
    """What was expected stays until its 5 s are over; time goes on once the source is lost, and never back."""
    clock = SimpleNamespace(now_s=0.0, monotonic=lambda: clock.now_s, perf_counter=time.perf_counter)
    monkeypatch.setattr(video_session, "time", clock)
    silent = [TimeoutError] * 8
    items = iter([*[Frame(np.zeros((64, 96), np.uint8))] * 125, *silent, Lost("it ended"), *silent, None])

    def take(timeout_s: float) -> object:
        item = next(items)
        if item is TimeoutError:
            clock.now_s += timeout_s
            raise TimeoutError
        return item

    source = SimpleNamespace(next=take, close=lambda: None, waiting_s=0.0)
    session = VideoSession(model, 0.0)
    answers = list(video_session.watch_video(session, source, 1.0))  # type: ignore[bad-argument-type]
    assert [answer.notices for answer in answers[1:8]] == [[f"no new video for {n} s"] for n in range(2, 9)]
    assert [answer.seen_ms for answer in answers[:8]] == [5_000] * 5 + [0] * 3
    assert all(answer.expected for answer in answers[:5])
    assert [answer.now_ms for answer in answers[:8]] == [5_000] * 8
    assert [answer.now_ms for answer in answers[8:]] == [13_000, *range(14_000, 22_000, 1_000)]
    assert answers[8].notices == ["the source is lost, opening it again: it ended"]
    assert answers[-1].notices == ["no new video for 16 s"]


def test_a_discontinuity_is_told_and_loses_no_frame(tmp_path, frames):
    with broadcast(tmp_path, frames, speed=8.0) as sent:
        sent.segments(0, 3)
        threading.Thread(target=lambda: (sent.segments(3, 6, at_s=500), sent.end()), daemon=True).start()
        source = FrameSource(sent.address, SIZE, speed=0)
        items = items_of(source)
        source.close()
    assert any("its clock jumps" in item for item in items if isinstance(item, str))
    assert n_frames(items) == 150


def test_a_folder_that_grows_is_one_video(tmp_path, frames):
    written = Broadcast(tmp_path / "hidden", frames, speed=1e6)
    written.folder.mkdir()
    written.segments(0, 5)
    segments = sorted(written.folder.glob("*.ts"))
    for path in segments[:3]:
        path.rename(tmp_path / path.name)
    (tmp_path / "notes.txt").write_text("no video")
    source = FrameSource(str(tmp_path), SIZE, speed=50.0)
    found = items_of(source, Frame)
    segments[3].rename(tmp_path / segments[3].name)
    (tmp_path / "0003a.ts").write_bytes(b"nonsense")
    segments[4].rename(tmp_path / segments[4].name)
    while n_frames(found) < 125:
        found.append(source.next(20.0))
    source.close()
    assert any("0003a.ts" in item for item in found if isinstance(item, str))
    assert n_frames(items_of(FrameSource(str(tmp_path), SIZE, speed=0))) == 125


def test_frames_that_nobody_takes_are_dropped_and_counted(video, frames, monkeypatch):
    monkeypatch.setattr("playahead.live.session.frames._WAITING", 100)
    source = FrameSource(str(video), SIZE, speed=1000.0)
    while not source._items._ended:
        time.sleep(0.01)
    items = items_of(source)
    source.close()
    n_dropped = sum(item.n for item in items if isinstance(item, Dropped))
    assert n_dropped > 0
    assert n_dropped + n_frames(items) == len(frames)


def test_a_file_at_full_speed_waits_for_its_user(video):
    source = FrameSource(str(video), SIZE, speed=0)
    time.sleep(1.0)
    items = items_of(source)
    assert not any(isinstance(item, Dropped | Lost) for item in items)


def test_a_slow_machine_answers_less_often_and_comes_back_to_it():
    pace = _Pace(counts=True)
    assert {pace.after(0.0) for _ in range(1_000)} == {1}
    assert [pace.after(3.0) for _ in range(600)][-1] == 5
    assert {pace.after(0.5) for _ in range(3_000)} == {5}
    assert [pace.after(0.0) for _ in range(1_600)][-1] == 1
    assert {_Pace(counts=False).after(100.0) for _ in range(600)} == {1}


@pytest.mark.slow
def test_a_video_file_at_full_speed_gives_what_a_session_gives(video, asked, model, frames, tmp_path):
    answers = list(live(str(video), LiveConfig(**{**vars(asked), "speed": 0.0}), record=tmp_path / "kept.jsonl"))
    session = VideoSession(model, 0.0)
    alone = [a for gray_HW in frames if (a := session.push(gray_HW))]
    assert [answer.now_ms for answer in answers] == [answer.now_ms for answer in alone]
    for answer, other in zip(answers, alone, strict=True):
        np.testing.assert_array_equal(answer.intensity_RC, other.intensity_RC)
    kept = list(read_record(tmp_path / "kept.jsonl"))
    times_ms = [time_ms for kind, value in kept if kind == "frames" for time_ms, _ in value]
    assert times_ms == list(range(40, answers[-1].now_ms + 1, 40))
    again = list(live(str(tmp_path / "kept.jsonl"), asked))
    assert [answer.as_json() for answer in again] == [answer.as_json() for answer in answers]


def test_pictures_sent_to_this_machine_are_watched(frames, asked):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stopped = threading.Event()
    threading.Thread(target=send, args=(frames, f"udp://127.0.0.1:{port}?pkt_size=1316", stopped), daemon=True).start()
    answers = live(f"udp://127.0.0.1:{port}?timeout=5000000", asked)
    try:
        assert [next(answers).now_ms, next(answers).now_ms] == [5_000, 6_000]
    finally:
        stopped.set()
        answers.close()


def send(frames: list[np.ndarray], address: str, stopped: threading.Event) -> None:
    """What FFmpeg does for a camera: a transport stream, twice as fast as it was."""
    with av.open(address, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.gop_size = 12
        stream.height, stream.width = frames[0].shape
        for gray_HW in frames:
            if stopped.wait(0.02):
                return
            rgb_HWC = np.repeat(gray_HW[..., None], 3, 2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb_HWC, format="rgb24")))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/dev/null", r"is a camera .* ffmpeg -f v4l2"),
        ("http://127.0.0.1:9/live.m3u8", "cannot be opened as video"),
    ],
)
def test_what_cannot_be_watched_is_an_error_at_once(asked, source, said):
    with pytest.raises(InputError, match=said):
        list(live(source, asked))
