"""Five attacks on a server of this machine: ``python benchmarks/attacks.py [--server PLAYAHEAD] [--out FILE]``.

Each starts ``playahead serve`` on a free port of loopback, attacks it for a bounded time, and prints how long the
slowest answer of ``/healthz`` took (and of a session, how late its latest answer came), the memory (RSS) of the server
and its children before, at most and after, how requests were answered, how many lines were logged, and whether SIGTERM
ended the server within 15 s.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path

import av
import numpy as np

ENDS_S, SETTLES_S, PATIENCE_S = 15, 3, 30
VIDEO = {"Content-Type": "video/mp4"}
JSON = {"Content-Type": "application/json"}


@dataclass
class Watched:
    """A server under attack, and what was measured of it."""

    port: int
    process: subprocess.Popen
    seconds: float
    answers: Counter[str] = field(default_factory=Counter)
    latest_s: float = 0.0

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        """One request on a connection of its own; its status is counted."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
        with closing(connection):
            try:
                connection.request(method, path, body or None, headers or {})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as reason:
                self.answers[type(reason).__name__] += 1
                return b""
        self.answers[str(answer.status)] += 1
        return content

    def crowd(self, n: int, body: bytes, headers: dict[str, str]) -> None:
        """The same upload ``n`` times at once."""
        with ThreadPoolExecutor(n) as pool:
            for _ in range(n):
                pool.submit(self.ask, "POST", "/v1/anticipate", body, headers)


def large_json() -> bytes:
    """A question of 64 MiB."""
    return b'{"features": [[[' + b"0," * (32 * 1024 * 1024 - 20) + b"0]]]}"


def half_headers(server: Watched) -> None:
    """1,100 connections that begin a request and never end it."""
    with ExitStack() as opened:
        for _ in range(1_100):
            with suppress(OSError):
                sock = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), 1))
                sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ")
        time.sleep(server.seconds)


def many_rows(server: Watched) -> None:
    """250,000 rows of the same 30 s into one session."""
    url = json.loads(server.ask("POST", "/v1/sessions", b'{"speed": 1}', JSON))["url"]
    rows = [{"t_ms": 6 * n % 30_000, "action": ("PASS", "DRIVE")[n % 2], "x": n % 100, "y": 50} for n in range(5_000)]
    body = json.dumps({"rows": rows}).encode()
    reader = threading.Thread(target=answers_of, args=(server, url), daemon=True)
    reader.start()
    ends_s, taken = time.monotonic() + server.seconds, 0
    while taken < 50 and time.monotonic() < ends_s:
        before = server.answers["202"]
        server.ask("POST", url.replace("/events", "/rows"), body, JSON)
        taken += server.answers["202"] - before
        time.sleep(0.1)
    time.sleep(SETTLES_S)


ATTACKS: dict[str, Callable[[Watched], None]] = {
    "sparse videos": lambda server: server.crowd(40, sparse_video(), VIDEO),
    "large JSON": lambda server: server.crowd(3, large_json(), JSON),
    "large picture": lambda server: server.crowd(8, large_picture_video(), VIDEO),
    "half-sent headers": half_headers,
    "many rows": many_rows,
}


def answers_of(server: Watched, url: str) -> None:
    """Read a session's events; they are due every second."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", url)
        answer, before_s = connection.getresponse(), None
        while line := answer.readline():
            if line.startswith(b"event: answer"):
                now_s = time.monotonic()
                server.latest_s = max(server.latest_s, now_s - 1 - (before_s or now_s))
                server.answers["answer"] += 1
                before_s = now_s


def sparse_video() -> bytes:
    """Matroska of 66 kB: 2,000 small pictures 29 s apart, 16 hours in all; its header says 60 s."""
    with tempfile.NamedTemporaryFile(suffix=".mkv") as file:
        with av.open(file.name, "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "1000"})
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 25)
            for number in range(2_000):
                frame = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p")
                frame.pts, frame.time_base = number * 29 * 25, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        content = bytearray(Path(file.name).read_bytes())
    at = content.index(b"\x44\x89\x88") + 3  # Duration, a double, in ms
    content[at : at + 8] = struct.pack(">d", 60_000.0)
    return bytes(content)


def large_picture_video(side: int = 15_000) -> bytes:
    """QuickTime: 10 s of a PNG that is small on disk."""
    squeezed, row = zlib.compressobj(1), bytes(3 * side + 1)
    data = b"".join(squeezed.compress(row) for _ in range(side)) + squeezed.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    )
    with tempfile.NamedTemporaryFile(suffix=".mov") as file:
        with av.open(file.name, "w") as container:
            stream = container.add_stream("png", rate=1)
            stream.width, stream.height, stream.pix_fmt = side, side, "rgb24"
            for time_s in (0, 5):
                packet = av.Packet(png)
                packet.stream, packet.time_base = stream, Fraction(1, 1)
                packet.pts = packet.dts = time_s
                packet.duration, packet.is_keyframe = 5, True
                container.mux(packet)
        return Path(file.name).read_bytes()


@contextmanager
def serving(server: str, seconds: float, log: Path) -> Iterator[Watched]:
    """A server that answers, in a process of its own; killed after the block where it still runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [server, "serve", "--port", str(port), "--device", "cpu", "--requests-per-s", "1000"]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))  # what a process is usually given
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4_096, hard))  # the attacker has more
    try:
        watched, started_s = Watched(port, process, seconds), time.monotonic()
        while health_s(port) > 5:
            if time.monotonic() - started_s > 120:
                raise SystemExit(f"the server does not start: {log.read_text()[-500:]}")
            time.sleep(0.2)
        yield watched
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def health_s(port: int) -> float:
    """Seconds until ``/healthz`` has answered; the limit where it does not."""
    started_s, connection = time.monotonic(), http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        if connection.getresponse().status == 200:
            return time.monotonic() - started_s
    return PATIENCE_S


def tree_mib(pid: int) -> float:
    """RSS of a process and all that it started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            parents[int(path.parent.name)] = (int(fields[1]), int(fields[21]))
    family, new = {pid}, {pid}
    while new:
        new = {child for child, (parent, _) in parents.items() if parent in new} - family
        family |= new
    return sum(parents[one][1] for one in family if one in parents) * resource.getpagesize() / 2**20


def watch(port: int, pid: int, attacker: Connection) -> None:
    """In a process of its own, so that the attacker's work counts less: slowest health, and most memory."""
    slowest_s, peak_mib, over = 0.0, 0.0, threading.Event()

    def weigh() -> None:
        nonlocal peak_mib
        while not over.wait(0.1):
            peak_mib = max(peak_mib, tree_mib(pid))

    threading.Thread(target=weigh, daemon=True).start()
    while not attacker.poll(0.1):
        slowest_s = max(slowest_s, health_s(port))
    over.set()
    attacker.send((slowest_s, peak_mib))


def attacked(name: str, server: str, seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, serving(server, seconds, Path(folder) / "log") as watched:
        pid = watched.process.pid
        Watched(watched.port, watched.process, 120).ask("POST", "/v1/anticipate", b"x", VIDEO)  # loads its models
        before_mib = tree_mib(pid)
        here, there = multiprocessing.Pipe()
        watcher = multiprocessing.Process(target=watch, args=(watched.port, pid, there), daemon=True)
        watcher.start()
        attack = threading.Thread(target=ATTACKS[name], args=(watched,), daemon=True)
        attack.start()
        attack.join(3 * seconds)
        time.sleep(SETTLES_S)
        here.send("over")
        slowest_s, peak_mib = here.recv()
        after_mib = tree_mib(pid)
        watched.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            watched.process.wait(ENDS_S)
        return {
            "attack": name,
            "slowest_health_s": round(slowest_s, 2),
            "latest_answer_s": round(watched.latest_s, 2),
            "before_mib": round(before_mib),
            "peak_mib": round(peak_mib),
            "after_mib": round(after_mib),
            "sigterm_ended_it": watched.process.poll() is not None,
            "log_lines": (Path(folder) / "log").read_bytes().count(b"\n"),
            "answers": dict(watched.answers),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=str(Path(sys.executable).with_name("playahead")))
    parser.add_argument("--seconds", type=float, default=40.0, help="how long one request, and one attack, may take")
    parser.add_argument("--attack", choices=ATTACKS, help="one alone")
    parser.add_argument("--out", type=Path, help="write what was measured as JSON")
    options = parser.parse_args()
    rows = []
    for name in [options.attack] if options.attack else ATTACKS:
        rows.append(attacked(name, options.server, options.seconds))
        print(json.dumps(rows[-1]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
