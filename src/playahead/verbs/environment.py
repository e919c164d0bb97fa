"""What a run's folder says of itself: ``run.json``."""

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import torch


def environment() -> dict[str, object]:
    """Versions and machine, as far as they bear on results."""
    return {
        **{name: version(name) for name in ("playahead", "torch", "numpy", "scipy", "lightning-fabric")},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def describe_run(folder: Path, about: Mapping[str, object]) -> None:
    """Write ``run.json``: what was asked for, on what, and where it runs."""
    write_whole(folder / "run.json", json.dumps({**about, "environment": environment()}, indent=1))


def write_whole(path: Path, text: str) -> None:
    """Write a small file aside, then rename it: nobody reads half of it."""
    part = path.with_name(f".{path.name}")
    part.write_text(text)
    part.replace(path)
