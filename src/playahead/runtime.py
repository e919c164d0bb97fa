"""The machine a process runs on: its memory allocator, its device, and what ``run.json`` says of it."""

import ctypes
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from playahead.files import write_whole

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Keep freed memory instead of giving it back: training touches the same large tensors every step.

    glibc's defaults map every large tensor anew and pay a page fault for each 4 KiB; on two cores that alone cost a
    third of a training step (docs/log.md).

    Returns:
        False where there is no glibc to ask; then nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_M_MMAP_THRESHOLD, 1024), (_M_TRIM_THRESHOLD, 2047), (_M_TOP_PAD, 64))
    return [mallopt(name, size * _MIB) for name, size in settings] == [1] * len(settings)


def pick_device(name: str = "auto") -> str:
    """``auto``: an accelerator where there is one."""
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def emulates_bfloat16() -> bool:
    """Whether bfloat16 is emulated here, several times slower than float32: no accelerator, no AVX-512."""
    import torch

    return not torch.cuda.is_available() and torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2")


def describe_run(folder: Path, about: Mapping[str, object]) -> None:
    """Write ``run.json``: what was asked for, on what, and where it runs."""
    write_whole(folder / "run.json", json.dumps({**about, "environment": environment()}, indent=1))


def environment() -> dict[str, object]:
    """Versions and machine, as far as they bear on results."""
    import torch

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
