"""What an installation costs and how soon it answers: python light.py MATCH NAME=VENV [NAME=VENV ...].

Each VENV is a virtual environment with playahead in it. They take turns; each figure is the best of five. Sizes are of
site-packages, less pip.
"""

import argparse
import json
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
    live = {name: _live_ms(venv) for name, venv in venvs.items()}
    for figure in ("p50", "p99"):
        rows[f"live answer, {figure}, ms"] = {name: f"{found[figure]:.2f}" for name, found in live.items()}
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


def _live_ms(venv: Path) -> dict[str, float]:
    command = [str(venv / "bin/playahead"), "bench", "live", "--minutes", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=_ONE_THREAD)
    figures = json.loads(done.stdout)["feed"]
    return {"p50": 1000 * figures["p50_s"], "p99": 1000 * figures["p99_s"]}


if __name__ == "__main__":
    main()
