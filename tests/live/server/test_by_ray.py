"""Sessions in two workers of Ray Serve: each stays in its own, and answers as it would here."""

import json
import os
import re
import signal
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import httpx
import pytest

from playahead.io.errors import InputError
from playahead.live.server.app import build_app
from playahead.live.server.config import ServeConfig
from playahead.live.server.run import serving

ROWS = [
    {"t_ms": 900, "action": "PASS", "team": "home", "x": 50, "y": 50},
    {"t_ms": 2_400, "action": "DRIVE"},
    {"now_ms": 4_000},
]


def answers_of(client: httpx.Client, url: str, n: int) -> list[dict]:
    with client.stream("GET", url, timeout=60) as response:
        lines = (json.loads(line[5:]) for line in response.iter_lines() if line.startswith("data:"))
        return list(islice(lines, n))


def begun(client: httpx.Client) -> dict:
    about = client.post("/v1/sessions", json={"speed": 0, "min_confidence": 0.05}, timeout=60).raise_for_status().json()
    client.post(about["url"].replace("/events", "/rows"), json={"rows": ROWS}).raise_for_status()
    return about


def test_ray_that_is_not_installed_is_said_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"playahead\[ray,live\]"):
        build_app(ServeConfig(engine="ray", device="cpu"))


@pytest.mark.slow
def test_two_workers_keep_their_sessions():
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.serve")
    with serving(ServeConfig(port=0, device="cpu")) as (_, address), httpx.Client(base_url=address) as client:
        expected = answers_of(client, begun(client)["url"], 4)
    ray.shutdown()  # of another test in this process
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        config = ServeConfig(port=0, device="cpu", engine="ray", workers=2, sessions=2)
        with serving(config) as (_, address), httpx.Client(base_url=address, timeout=60) as client:
            sessions = [begun(client) for _ in range(4)]
            assert sorted(about["id"].partition("-")[0] for about in sessions) == ["w0", "w0", "w1", "w1"]
            for about in sessions:
                assert answers_of(client, about["url"], 4) == expected
            assert client.post("/v1/sessions", json={}).status_code == 429
            assert [client.get(f"/v1/sessions/{name}-nothing").status_code for name in ("w7", "w0")] == [404, 404]
            figures = client.get("/metrics").text
            for worker in "01":
                assert f'playahead_sessions{{kind="feed",worker="{worker}"}} 2.0' in figures
            first = f"/v1/sessions/{sessions[0]['id']}"
            assert [client.delete(first).status_code, client.get(first).status_code] == [204, 404]
            a_worker_that_dies(client, sessions)
    finally:
        ray.shutdown()


def a_worker_that_dies(client: httpx.Client, sessions: list[dict]) -> None:
    """Its sessions are over, those of the other go on, and new ones find a place."""
    of_one = next(about for about in sessions if about["id"].startswith("w1"))
    of_zero = next(about for about in sessions[1:] if about["id"].startswith("w0"))
    with client.stream("GET", of_one["url"]) as response:
        lines = response.iter_lines()
        next(lines)
        os.kill(pid_of_worker(1), signal.SIGKILL)
        rest = list(lines)
    assert any("its worker died" in line for line in rest), rest
    deadline = time.monotonic() + 60
    while client.get(f"/v1/sessions/{of_one['id']}").status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert client.get(f"/v1/sessions/{of_zero['id']}").json()["over"] is False
    assert begun(client)["id"].startswith("w1")


def pid_of_worker(number: int) -> int:
    """Of its one replica."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if re.match(rf"ray::ServeReplica:playahead-[0-9a-f]{{8}}-{number}:", path.read_text()):
                return int(path.parent.name)
    raise AssertionError(f"worker {number} does not run")
