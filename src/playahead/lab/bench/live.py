"""Cost of a live session: time of an answer, sessions that a core carries, and memory, which must stay flat."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from playahead.domain.feed import EVERY_CODE
from playahead.domain.grid import GRID
from playahead.features.feed import FEED_FEATURES, N_FEATURES
from playahead.inference.open_predictor import open_predictor
from playahead.inference.predictor import Predictor
from playahead.inference.video import VideoModel
from playahead.io.progress import Show, counter, quiet
from playahead.lab.bench.core import matmul_gflops
from playahead.lab.simulation.plays import simulate_half
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import rows_of
from playahead.live.session.rows import Reports, Tick
from playahead.live.session.video_session import VideoSession
from playahead.paper.anticipator import Anticipator

_WARM = 30  # answers before anything is counted
_DISTINCT_FRAMES = 50


def bench_live(feed_minutes: int, video_minutes: int, weights: Path | None = None, show: Show = quiet) -> dict:
    """Run a session on a simulated feed and one on noise at the demo's size, as fast as this machine can."""
    return {
        "threads": torch.get_num_threads(),
        "matmul_gflops": matmul_gflops(),
        "feed": _feed(feed_minutes, weights, show),
        "video": _video(video_minutes, show),
    }


def _feed(minutes: int, weights: Path | None, show: Show) -> dict:
    predictor = open_predictor(weights, FEED_FEATURES, "auto")
    session = FeedSession(predictor)
    half = simulate_half(0, minutes=minutes)

    def answers() -> Iterator[float]:
        session.push(Reports(EVERY_CODE))
        session.push(Tick(1, 0))
        for row in rows_of(half):
            session.push(row)
            for _ in session.answers():
                yield session.took_s

    figures = _run(answers, minutes * 60, "feed", show)
    if isinstance(predictor, Predictor):
        network = cast(Anticipator, predictor.network)
        with FlopCounterMode(display=False) as counted:  # one new window and one answer, each alone
            encoded_PND = network.encode_windows(torch.zeros(1, GRID.n_snippets, N_FEATURES))
            network.answer(encoded_PND.expand(GRID.n_windows, -1, -1)[None])
        figures["gflop_an_answer"] = round(counted.get_total_flops() / 1e9, 4)
    return figures


def _video(minutes: int, show: Show) -> dict:
    model = VideoModel.open(None, None, "auto")
    session = VideoSession(model)
    size = (_DISTINCT_FRAMES, model.input_size.height, model.input_size.width)
    frames_THW = np.random.default_rng(0).integers(0, 255, size, np.uint8)

    def answers() -> Iterator[float]:
        for index in range(minutes * 60 * GRID.fps):
            if session.push(frames_THW[index % _DISTINCT_FRAMES]):
                yield session.took_s

    figures = _run(answers, minutes * 60, "video", show)
    figures["input_size"] = [model.input_size.width, model.input_size.height]
    return figures


def _run(answers: Callable[[], Iterator[float]], total_s: int, kind: str, show: Show) -> dict:
    """Percentiles of an answer's time, sessions that a core carries, and memory after the start and at the end."""
    advance = counter(show, f"{kind} session", total_s, "s of the match")
    took_s: list[float] = []
    first_mib, started_s = 0.0, 0.0
    for index, seconds in enumerate(answers()):
        if index == _WARM:
            first_mib, started_s = resident_mib(), time.process_time()
        if index >= _WARM:
            took_s.append(seconds)
        advance(1)
    cpu_s = time.process_time() - started_s
    p50, p99 = np.percentile(took_s, [50, 99])
    return {
        "answers": len(took_s),
        "p50_s": round(float(p50), 5),
        "p99_s": round(float(p99), 5),
        "sessions_per_core": round(len(took_s) / cpu_s, 1),
        "resident_mib": [round(first_mib, 1), round(resident_mib(), 1)],
    }


def resident_mib() -> float:
    """Memory of this process; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 / 2**20 if status.exists() else 0.0
