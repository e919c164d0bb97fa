"""What a live server and a recording survive: ``python benchmarks/live_faults.py [CASES] [KILLS]``.

1. CASES malformed uploads, rows and sources: how each was answered, and the server's memory before and after.
2. 100 readers who say nothing, and one who reads a byte a second, while a session answers.
3. KILLS sessions that record are killed: is every answer that was printed in the record, and does it open?
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from shlex import split

import httpx

from playahead.lab.capacity import resident_mib
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import Rendering, render
from playahead.live.server.config import ServeConfig
from playahead.live.server.run import serving
from playahead.live.session.record import read_record

ROWS = [b'{"rows": [{"t_ms": 1, "action": "PASS"}]}', b'{"rows": [{"t_ms": 900, "action": "DRIVE", "x": 3}]}']
SOURCES = [
    "/etc/passwd",
    "../../x.mp4",
    "file:///etc/hosts",
    "http://127.0.0.1:1/x",
    "http://169.254.169.254/",
    "http://[",
]
SOURCES += ["concat:a|b", "data:text/plain,x", "subfile,,start,0,end,9,,:/etc/passwd", "ftp://example.org/x"]
SOURCES += ["rtsp://localhost/x", "\x00", "-", ""]


def main() -> None:
    cases, kills = (int(word) for word in (*sys.argv[1:], "1000", "20")[:2])
    config = ServeConfig(port=0, device="cpu", requests_per_s=1e6, upload_mib=8, sessions=200)
    with serving(config) as (_, base):
        malformed(base, cases)
        crowd(base)
    killed(kills)


def malformed(base: str, cases: int) -> None:
    """Damaged clips, rows and sources, a third each; the first thirty warm up."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        render(Rendering(simulate_half(0, minutes=0.1), 0, 64, 48, path))
        clip = path.read_bytes()
    answers: Counter[str] = Counter()
    with httpx.Client(base_url=base, timeout=60) as client:
        session = client.post("/v1/sessions", json={}).json()["url"].removesuffix("/events")
        before_mib = 0.0
        for case in range(cases + 30):
            if case == 30:
                before_mib, answers = resident_mib(), Counter()
            kind = ("clip", "rows", "source")[case % 3]
            if kind == "clip":
                headers = {"content-type": "video/mp4"}
                answer = client.post("/v1/anticipate", content=broken_clip(clip, rng), headers=headers)
            elif kind == "rows":
                headers = {"content-type": "application/json"}
                answer = client.post(f"{session}/rows", content=broken(rng.choice(ROWS), rng), headers=headers)
            else:
                source = rng.choice(SOURCES) + rng.choice(["", "x", "/.."])
                answer = client.post("/v1/sessions", json={"kind": "video", "source": source})
            answers[f"{kind} {answer.status_code}"] += 1
    print(f"{cases} malformed: {dict(sorted(answers.items()))}; memory {before_mib:.0f} -> {resident_mib():.0f} MiB")


def broken_clip(clip: bytes, rng: random.Random) -> bytes:
    """Its index is cut off, so no byte of it can be decoded; or it is noise."""
    if rng.random() < 0.5:
        return clip[: rng.randrange(len(clip) // 2)]
    return rng.randbytes(rng.randrange(5_000))


def broken(text: bytes, rng: random.Random) -> bytes:
    """Never valid: cut short, or with a byte that no JSON holds."""
    place = rng.randrange(1, len(text) - 1)
    return text[:place] if rng.random() < 0.5 else text[:place] + b"\xff" + text[place:]


def crowd(base: str) -> None:
    """Readers who do not read cost the others nothing."""
    limits = httpx.Limits(max_connections=None)
    with ExitStack() as stack, httpx.Client(base_url=base, timeout=60, limits=limits) as client:
        begun = client.post("/v1/sessions", json={"speed": 0}).json()
        for _ in range(100):
            stack.enter_context(client.stream("GET", begun["url"]))
        slow = stack.enter_context(client.stream("GET", begun["url"])).iter_raw(1)
        rows = begun["url"].replace("/events", "/rows")
        started_s = time.perf_counter()
        for second in range(1, 101):
            sent = [{"t_ms": 1000 * second, "action": "PASS"}, {"now_ms": 1000 * second + 900}]
            client.post(rows, json={"rows": sent})
            if second % 20 == 0:
                next(slow)
        while client.get(begun["url"].removesuffix("/events")).json()["events"] < 100:
            time.sleep(0.05)
        print(f"100 idle readers and a slow one: 100 answers in {time.perf_counter() - started_s:.1f} s")


def killed(kills: int) -> None:
    """Sessions that record into one file, each killed at a random moment."""
    rng = random.Random(1)
    lost = whole = 0
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        for _ in range(kills):
            before = answers_in(record)
            command = split(f"{sys.executable} -m playahead.cli.main live - --speed 0 --json --record {record}")
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert process.stdin
            assert process.stdout
            printed = 0
            with suppress(BrokenPipeError):
                for second in range(1, rng.randrange(5, 60)):
                    process.stdin.write(json.dumps({"t_ms": 1000 * second, "action": "PASS"}) + "\n")
                    process.stdin.flush()
                    if second > 1:
                        process.stdout.readline()
                        printed += 1
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            recorded = answers_in(record) - before
            lost += max(0, printed - recorded)
            whole += recorded
    print(f"{kills} SIGKILLs: {whole} answers recorded, {lost} of the printed ones lost")


def answers_in(path: Path) -> int:
    return sum(kind == "answer" for kind, _ in read_record(path)) if path.exists() else 0


if __name__ == "__main__":
    main()
