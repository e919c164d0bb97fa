"""Capacity of one worker for live sessions: latency, CPU and memory against their number.

Every session runs through the same seconds of a match; at the end of each, its rows or frames are there, at a phase of
its own. One worker serves all in the order of arrival. The work is done and timed, the clock between is not waited for:
an answer's latency is the time that it waits for the worker, and its own work. A worker is one thread on feeds. On
video ONNX Runtime takes as many as ``OMP_NUM_THREADS`` says, or all cores.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from playahead.domain.feed import EVERY_CODE
from playahead.features.forms import FEED_FEATURES
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, counter, quiet
from playahead.lab.simulation.plays import simulate_half
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import Reports, Tick, rows_of

Seconds = Iterator[object]
"""A session's work: each ``next`` does that of one more second of the match."""
_HOPELESS = 1.5  # times as much work as a worker can do
_WARM = 30  # seconds of each session before anything is counted
_OVER = object()
_DISTINCT_FRAMES = 50


def bench_live(
    sessions: Sequence[int], feed_minutes: int, video_minutes: int, weights: Path | None = None, show: Show = quiet
) -> dict:
    """Capacity for feeds and for video of the packaged model's size; a table ends where the worker has too many.

    Args:
        sessions: numbers of sessions, increasing.
        feed_minutes, video_minutes: minutes of each session that are counted; 0 leaves a table out.
        weights: model of the feed; the packaged one if None.
        show: progress, called for every second of the match.

    Raises:
        InputError: a number is below 1, or the weights cannot be read.
    """
    if not sessions or min(sessions) < 1 or min(feed_minutes, video_minutes) < 0:
        raise InputError("sessions", "needs whole numbers of 1 or more, and minutes of 0 or more")
    found: dict[str, list[dict[str, float]]] = {}
    for kind, minutes in (("feed", feed_minutes), ("video", video_minutes)):
        if not minutes:
            continue
        begin = _feeds(minutes, weights) if kind == "feed" else _videos()
        found[kind] = []
        busy_of_one = 0.0
        for n in sorted(sessions):
            if n * busy_of_one > _HOPELESS:
                break
            found[kind].append(_serve([begin(index) for index in range(n)], 60 * minutes, f"{n} x {kind}", show))
            busy_of_one = found[kind][-1]["busy"] / n
    return found


def _feeds(minutes: int, weights: Path | None) -> Callable[[int], Seconds]:
    predictor = open_predictor(weights, FEED_FEATURES, "auto")
    halves = [simulate_half(seed, minutes=minutes + 2) for seed in range(8)]

    def seconds(index: int) -> Seconds:
        session, rows = FeedSession(predictor), rows_of(halves[index % len(halves)])
        session.push(Reports(EVERY_CODE))
        session.push(Tick(1, 0))
        for row in rows:
            while session.now_ms + 1000 <= row.t_ms:  # rows of later seconds have not arrived
                yield from _each(session.answers(session.now_ms + 1000))
            session.push(row)

    return seconds


def _each(answers: Iterator[object]) -> Seconds:
    for _ in answers:
        yield


def _videos() -> Callable[[int], Seconds]:
    from playahead.inference.video import VideoModel  # needs the extra "video"
    from playahead.live.session.video_session import VideoSession

    model = VideoModel.open(None, None, "auto")
    size = (_DISTINCT_FRAMES, model.input_size.height, model.input_size.width)
    frames_THW = np.random.default_rng(0).integers(0, 255, size, np.uint8)

    def seconds(index: int) -> Seconds:
        session, frame = VideoSession(model), index
        while True:
            if session.push(frames_THW[frame % _DISTINCT_FRAMES]):
                yield
            frame += 1

    return seconds


def _serve(sessions: Sequence[Seconds], duration_s: int, name: str, show: Show) -> dict[str, float]:
    for session in sessions:
        for _ in islice(session, _WARM):
            pass
    advance = counter(show, name, duration_s * len(sessions), "s of matches")
    phase_s = np.random.default_rng(0).permutation(len(sessions)) / len(sessions)
    latency_s, busy_s, free_at_s = [], 0.0, 0.0
    for second in range(duration_s):
        for index in np.argsort(phase_s):
            arrived_s = second + phase_s[index]
            started_s = perf_counter()
            if next(sessions[index], _OVER) is _OVER:
                continue  # its match is over
            took_s = perf_counter() - started_s
            free_at_s = max(arrived_s, free_at_s) + took_s
            latency_s.append(free_at_s - arrived_s)
            busy_s += took_s
            advance(1)
    p50, p90, p99 = (round(1000 * float(q), 2) for q in np.percentile(latency_s, (50, 90, 99)))
    return {
        "sessions": len(sessions),
        "answers": len(latency_s),
        "average_ms": round(1000 * float(np.mean(latency_s)), 2),
        "p50_ms": p50,
        "p90_ms": p90,
        "p99_ms": p99,
        "busy": round(busy_s / duration_s, 4),
        "resident_mib": round(resident_mib(), 1),
    }


def resident_mib() -> float:
    """Memory of this process; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 / 2**20 if status.exists() else 0.0
