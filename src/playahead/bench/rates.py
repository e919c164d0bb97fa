"""What the benchmarks share: the fastest of several calls, and the machine's own rate."""

import time
from collections.abc import Callable

import torch


def best_of(work: Callable[[], object], times: int, warm: bool = True) -> float:
    """Seconds of the fastest of so many calls, after one to warm up."""
    if warm:
        work()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def matmul_gflops(size: int = 2048) -> dict[str, float]:
    """The machine's matrix rate: what every other speed is a share of."""
    rates = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a = torch.randn(size, size).to(kind)
        rates[name] = round(2 * size**3 / best_of(lambda a=a: a @ a, 4) / 1e9, 1)
    return rates
