"""A server's sessions in this process, and in one and two workers of Ray Serve: ``python benchmarks/workers.py``.

Needs the extras ``live`` and ``ray``. Each of 16 sessions gets four minutes of a match as fast as the server takes them
and answers every second of it. Prints answers a second, and the time from a session's last row to its last answer. The
clients, the front and the workers share this machine's cores.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import httpx
import numpy as np

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import UNKNOWN
from playahead.lab.simulation.plays import simulate_half
from playahead.live.server.config import ServeConfig
from playahead.live.server.run import serving

_NAMES = (*ACTIONS, *OBSERVED_TOKENS)
_MINUTES, _AT_ONCE_MS = 4, 20_000
_LOCAL = ServeConfig(port=0, device="cpu", requests_per_s=1e6, sessions=64)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=16)
    n = parser.parse_args().sessions
    rows = _rows()
    print("| sessions in | answers a second | times the first | last row to last answer, s: median | most |")
    print("|---|---|---|---|---|")
    first = 0.0
    for name, workers in (("the server's process", 0), ("1 Ray worker", 1), ("2 Ray workers", 2)):
        with ExitStack() as stack:
            config = _LOCAL
            if workers:
                import ray  # type: ignore[missing-import]

                ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
                stack.callback(ray.shutdown)
                config = replace(_LOCAL, engine="ray", workers=workers)
            _, address = stack.enter_context(serving(config))
            client = stack.enter_context(httpx.Client(base_url=address, timeout=120))
            _session(client, rows[:3])  # each worker opens its weights
            with ThreadPoolExecutor(n) as pool:
                started_s = time.perf_counter()
                done = list(pool.map(lambda _, client=client: _session(client, rows), range(n)))
                took_s = time.perf_counter() - started_s
        per_s = sum(answers for answers, _ in done) / took_s
        first = first or per_s
        waits_s = [wait_s for _, wait_s in done]
        print(
            f"| {name} | {per_s:.0f} | {per_s / first:.2f} | {np.median(waits_s):.2f} | {max(waits_s):.2f} |",
            flush=True,
        )


def _rows() -> list[list[dict[str, object]]]:
    """Rows of a match, twenty seconds at a time."""
    parts: dict[int, list[dict[str, object]]] = {}
    for row in simulate_half(0, minutes=_MINUTES).rows:
        named: dict[str, object] = {"half": 1, "t_ms": row.t_ms, "action": _NAMES[row.code]}
        named |= {name: value for name in ("x", "y") if (value := getattr(row, name)) != UNKNOWN}
        parts.setdefault(row.t_ms // _AT_ONCE_MS, []).append(named)
    return list(parts.values())


def _session(client: httpx.Client, parts: list[list[dict[str, object]]]) -> tuple[int, float]:
    """(answers, seconds from the last row to the last answer) of a session."""
    about = client.post("/v1/sessions", json={"speed": 0, "reports": list(_NAMES)}).raise_for_status().json()
    for rows in parts:
        client.post(about["url"].replace("/events", "/rows"), json={"rows": rows}).raise_for_status()
    sent_s, last_ms = time.perf_counter(), max(int(str(row["t_ms"])) for row in parts[-1]) // 1000 * 1000
    answers = 0
    with client.stream("GET", about["url"]) as response:
        for line in response.iter_lines():
            if line.startswith("data:"):
                answers += 1
                if json.loads(line[5:]).get("now_ms", 0) >= last_ms:
                    break
    client.delete(f"/v1/sessions/{about['id']}")
    return answers, time.perf_counter() - sent_s


if __name__ == "__main__":
    main()
