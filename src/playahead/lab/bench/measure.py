"""Measuring: the fastest of several calls, the machine's own rate, memory. ``benchmarks/`` measures with these too."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from playahead.io.runtime import pick_device

_PATIENCE_S = 1.0


def best_of(work: Callable[[], object], times: int, warm: bool = True) -> float:
    """Seconds of the fastest of so many calls, after one to warm up."""
    if warm:
        work()
    seconds = []
    for _ in range(times):
        finish_queued()
        started = time.perf_counter()
        work()
        finish_queued()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def finish_queued() -> None:
    """Wait until an accelerator has done what it was given: it answers before it is done."""
    if (kind := pick_device()) != "cpu":
        getattr(torch, kind).synchronize()


def matmul_gflops() -> dict[str, float]:
    """The machine's rate of matrix products; other speeds are given as shares of it."""
    return {"float32": _rate(torch.float32), "bfloat16": _rate(torch.bfloat16)}


def _rate(kind: torch.dtype) -> float:
    """GFLOP/s of the largest product that takes less than a second; bfloat16 may be emulated, slowly."""
    rate = 0.0
    for size in (256, 512, 1024, 2048, 4096, 8192):
        a = torch.randn(size, size).to(pick_device(), kind)
        seconds = best_of(lambda a=a: a @ a, 4)
        rate = round(2 * size**3 / seconds / 1e9, 1)
        if 8 * seconds > _PATIENCE_S:
            break
    return rate


def resident_mib() -> float:
    """Memory of this process; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 / 2**20 if status.exists() else 0.0
