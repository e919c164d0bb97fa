"""From a video to an overlay through a spotter's interface, recorded: python spotter_session.py [OUT].

The video is a simulated broadcast (H.264), and the spotter is a stand-in with T-DEED's folder, arguments and output
file, which finds what happened in it as ``datasets.spotters.STRONG`` would. Commands and their output go to OUT
(docs/tables/spotter-session.txt), which docs/how-to/real-video.md shows.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tests.support.spotter_stand_ins import t_deed  # type: ignore[missing-import]

from playahead.datasets.spotters import STRONG
from playahead.domain.actions import ACTIONS
from playahead.lab.simulation.plays import simulate_half, write_bas_labels
from playahead.lab.simulation.simulate import Rendering, render

OUT = Path(__file__).parents[1] / "docs" / "tables" / "spotter-session.txt"
SPOTTER = "--spotter t-deed --spotter-home T-DEED --spotter-python T-DEED/.venv/bin/python"
COMMANDS = (
    f"playahead spot match.mp4 {SPOTTER} --out spotted.json",
    "playahead predict spotted.json --video match.mp4 --kick-off 0:00 --overlay ahead.mp4 --from 1:20 --to 1:25",
    "playahead evaluate feed mine.json --seen spotted.json",
)


def main(out: Path) -> None:
    """Prepare a folder, run the commands in it, write what they said."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        half = simulate_half(seed=5, minutes=3)
        render(Rendering(half, 0, 224, 124, folder / "match.mp4"))
        write_bas_labels(folder / "mine.json", [half])
        seen = STRONG.spot(half, np.random.default_rng(0))
        found = zip(seen.t_ms.tolist(), seen.code.tolist(), seen.confidence.tolist(), strict=True)
        t_deed(folder / "T-DEED", tuple((t_ms, str(ACTIONS[code]), sure / 100) for t_ms, code, sure in found))
        said = "".join(f"$ {command}\n{_run(command, folder)}" for command in COMMANDS)
    out.parent.mkdir(exist_ok=True)
    out.write_text(said)
    print(said)


def _run(command: str, folder: Path) -> str:
    program, *words = shlex.split(command)
    argv = [str(Path(sys.executable).with_name(program)), *words]
    environment = {**os.environ, "COLUMNS": "120", "TERM": "dumb"}
    done = subprocess.run(
        argv, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.decode().splitlines())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
