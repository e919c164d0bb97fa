"""Six commands, each killed at random times and started again: ``python benchmarks/kills.py WORK [KILLS [NAME ...]]``.

Prints for each whether the finished files are those of a run that nobody killed, byte by byte; and what one of two
runs says that are started on the same folder at once.
"""

import hashlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from shlex import split

import numpy as np

from playahead.cli.main import run

SMALL = split("--model.d_model 16 --model.heads 2 --model.ffn_dim 16 --model.encoder_layers 1 --model.decoder_layers 1")
SMALL += split("--precision 32-true --epochs 2 --save-every 2")
GRID = """
recipe: feed
seeds: [0]
common: {epochs: 1, steps_per_epoch: 10, sequences: 2, examples: 2, save_every: 2, precision: 32-true,
  model.d_model: 16, model.heads: 2, model.ffn_dim: 16, model.encoder_layers: 1, model.decoder_layers: 1}
variants: {plain: {}, static: {model.conditioned: false}}
"""
KEPT = (".safetensors", ".npz", ".npy", ".jsonl", ".mp4", ".html", ".json")
PASSING = ("run.json", "state.safetensors")  # they hold the time, or the step that was saved last


def commands(work: Path) -> dict[str, list[str]]:
    """Name -> arguments before ``--out``; makes what they read."""
    (work / "grid.yaml").write_text(GRID)
    run(["data", "simulate", "--out", str(work / "tables"), "--matches", "5", "--minutes", "3"])
    video = split("--layout bas --matches 4 --minutes 1.2 --halves 1 --video --width 112 --height 62")
    run(["data", "simulate", "--out", str(work / "videos"), *video])
    tables, videos = str(work / "tables"), str(work / "videos")
    compare = ["compare", str(work / "grid.yaml"), "--data", tables, "--processes", "2"]
    run([*compare, "--out", str(work / "compared")])
    pretrain = ["pretrain", "--train", f"{videos}/train", "--validate", f"{videos}/valid", "--recipe", "backbone-small"]
    pretrain += split("--epochs 1 --steps-per-epoch 6 --batch 2 --precision 32-true --save-every 2")
    return {
        "train feed": ["train", "feed", "--data", tables, "--steps-per-epoch", "20", "--sequences", "2", *SMALL],
        "extract": ["extract", videos],
        "compare, two processes": compare,
        "pretrain": pretrain,
        "data simulate": ["data", "simulate", *video],
        "report": ["report", str(work / "compared"), "--data", tables],
    }


def child(arguments: Sequence[str], log: Path) -> None:
    """One command in a process group of its own."""
    os.setpgid(0, 0)
    with log.open("a") as file, redirect_stderr(file):
        os.dup2(file.fileno(), 2)
        os.dup2(file.fileno(), 1)
        os._exit(run(arguments))


def start(arguments: Sequence[str], log: Path) -> multiprocessing.Process:
    """Forked, so that nothing is imported again."""
    process = multiprocessing.get_context("fork").Process(target=child, args=(arguments, log))
    process.start()
    return process  # type: ignore[return-value]


def digests(out: Path) -> dict[str, str]:
    """What a finished run leaves."""
    files = [out] if out.is_file() else [p for p in out.rglob("*") if p.suffix in KEPT and p.name not in PASSING]
    shown = {str(p.relative_to(out.parent)).replace(out.name, "", 1): p for p in files if not p.name.startswith(".")}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in shown.items()}


def main(work: Path, kills: int, names: Sequence[str]) -> None:
    """Print a line for each command."""
    work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name, arguments in commands(work).items():
        if names and name not in names:
            continue
        suffix = ".html" if name == "report" else ""
        whole, killed, log = (work / f"{name} {kind}{suffix}" for kind in ("whole", "killed", "log"))
        started = time.monotonic()
        logs = [log] if name == "report" else [log, work / f"{name} second.log"]
        for process in [start([*arguments, "--out", str(whole)], each) for each in logs]:
            process.join()
        lasts_s = time.monotonic() - started
        both = "\n".join(each.read_text() for each in logs)
        refusal = next((line for line in both.split("\n") if "is in use by" in line), "writes the same file whole")
        for _ in range(kills):
            process = start([*arguments, "--out", str(killed)], log)
            time.sleep(float(rng.uniform(0.02, 1.0)) * lasts_s)
            if process.pid is not None and process.is_alive():
                os.killpg(process.pid, signal.SIGKILL)
            process.join()
        last = start([*arguments, "--out", str(killed)], log)
        last.join()
        same = digests(whole) == digests(killed) and bool(digests(whole))
        outcome = f"{kills} kills within {lasts_s:.1f} s, exit {last.exitcode}, same bytes: {same}"
        print(f"{name}: {outcome}; two at once: {refusal}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20, sys.argv[3:])
