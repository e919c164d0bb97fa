"""What an installation costs and how soon it answers: python light.py MATCH NAME=VENV [NAME=VENV ...].

Each VENV is a virtual environment with playahead in it. They take turns; each figure is the best of five. Sizes are of
site-packages, less pip.
"""

import argparse
import os
import subprocess
import time
from pathlib import Path

_ROUNDS = 5
_ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("match", type=Path)
    parser.add_argument("venvs", nargs="+", metavar="NAME=VENV")
    options = parser.parse_args()
    venvs = {name: Path(path) for name, path in (pair.split("=", 1) for pair in options.venvs)}
    predict = ["bin/playahead", "predict", str(options.match), "--format", "csv"]
    commands = {
        "python -c 'import playahead'": (["bin/python", "-c", "import playahead"], False),
        "playahead --help": (["bin/playahead", "--help"], False),
        "first row of playahead predict MATCH": (predict, True),
        "playahead predict MATCH, all rows": (predict, False),
        "playahead predict MATCH --every 1": ([*predict, "--every", "1"], False),
    }
    rows = {"site-packages, MB": {name: f"{_size_mb(venv):.0f}" for name, venv in venvs.items()}}
    for what, (command, is_first_row) in commands.items():
        best = dict.fromkeys(venvs, float("inf"))
        for _ in range(_ROUNDS):
            for name, venv in venvs.items():
                best[name] = min(best[name], _seconds([str(venv / command[0]), *command[1:]], is_first_row))
        rows[f"{what}, s"] = {name: f"{seconds:.2f}" for name, seconds in best.items()}
    for machine, settings in {"": {}, ", AVX2 alone": _AVX2}.items():
        found = {name: _live_ms(venv, settings) for name, venv in venvs.items()}
        rows[f"live answer{machine}, ms: median, p99"] = {n: f"{f[0]:.2f}, {f[1]:.2f}" for n, f in found.items()}
    print(f"| | {' | '.join(venvs)} |\n|---|{'---|' * len(venvs)}")
    for what, cells in rows.items():
        print(f"| {what} | {' | '.join(cells[name] for name in venvs)} |")


def _seconds(command: list[str], is_first_row: bool) -> float:
    """Seconds until a command ends, or until its second line, after the header."""
    started, took = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ONE_THREAD) as process:
        assert process.stdout is not None
        if is_first_row:
            process.stdout.readline()
            process.stdout.readline()
            took = time.perf_counter() - started
        process.stdout.read()
    return took if is_first_row else time.perf_counter() - started


def _size_mb(venv: Path) -> float:
    (packages,) = venv.glob("lib/python*/site-packages")
    files = (path for path in packages.rglob("*") if path.is_file() and path.relative_to(packages).parts[0] != "pip")
    return sum(path.stat().st_size for path in files) / 1e6


_LIVE = """
import numpy as np
from playahead.domain.feed import EVERY_CODE
from playahead.inference.open_predictor import open_predictor
from playahead.lab.simulation.plays import simulate_half
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import Reports, Tick, rows_of
session, took_s = FeedSession(open_predictor()), []
session.push(Reports(EVERY_CODE))
session.push(Tick(1, 0))
for row in rows_of(simulate_half(0, minutes=20)):
    session.push(row)
    took_s += [session.took_s for _ in session.answers()]
print(*np.percentile(took_s[30:], (50, 99)) * 1000)
"""
_AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
}


def _live_ms(venv: Path, settings: dict[str, str]) -> tuple[float, float]:
    """Median and 99th percentile of a feed session's answers, of the better of three runs."""
    command = [str(venv / "bin/python"), "-c", _LIVE]
    runs = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=_ONE_THREAD | settings)
        median, p99 = map(float, done.stdout.split())
        runs.append((p99, median))
    p99, median = min(runs)
    return median, p99


if __name__ == "__main__":
    main()
