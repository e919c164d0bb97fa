"""What a process runs on: its memory allocator, its device, Ray, its end, and what ``run.json`` says of it."""

import ctypes
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from playahead.io.errors import InputError
from playahead.io.files import write_whole

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


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with this thread alone, whatever number PyTorch is set to; other threads keep theirs.

    A window of a feed is too small to share: threads that wait for each other spin, which beside other work cost
    fourteen times the processor time (docs/log.md). ``torch.set_num_threads`` would change every thread of the process.
    Nothing changes where PyTorch was built without OpenMP and MKL.
    """
    import torch

    torch.get_num_threads()  # what PyTorch sets in a thread that is new to it, it sets now
    openmp, mkl = _parallel_libraries()
    if openmp is None:
        yield
        return
    before, before_mkl = openmp.omp_get_max_threads(), mkl(1) if mkl else 0
    openmp.omp_set_num_threads(1)
    try:
        yield
    finally:
        openmp.omp_set_num_threads(before)
        if mkl:
            mkl(before_mkl)


@cache
def _parallel_libraries() -> tuple[Any, Any]:
    """OpenMP, and what sets the number of MKL's threads for one thread alone; None where PyTorch has them not."""
    import torch

    try:
        openmp = ctypes.CDLL(None)
        openmp.omp_set_num_threads, openmp.omp_get_max_threads  # noqa: B018 - looked up
    except (OSError, AttributeError, TypeError):  # TypeError: Windows
        return None, None
    try:
        mkl = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")).MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):
        mkl = None
    return openmp, mkl


def leave(code: int) -> NoReturn:
    """End this program.

    Where it trained with others it ends at once: the threads of Gloo and of Fabric's observer may abort a process that
    the interpreter takes down while they run.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it, or it is closed
                stream.flush()
        os._exit(code)
    sys.exit(code)


def started_ray(part: str, extras: str) -> tuple[Any, Any]:
    """Ray, running on this machine or on the cluster that it is connected to, and one of its parts.

    Args:
        part: as ``ray.data``.
        extras: of this package that hold what is needed.

    Raises:
        InputError: ray is not installed.
    """
    try:
        ray, found = import_module("ray"), import_module(part)
    except ImportError:
        raise InputError("--engine ray", "ray is not installed", f"pip install 'playahead[{extras}]'") from None
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    return ray, found


def pick_device(name: str = "auto") -> str:
    """A device by its name, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; ``auto`` is the first of cuda, mps and cpu here.

    From here on float32 is float32 on CUDA, whose convolutions and recurrent layers would round to TF32 by default.

    Raises:
        InputError: no such device, or none here.
    """
    import torch

    _allow_tf32(False)
    here = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if name == "auto":
        return next(kind for kind, count in here.items() if count)
    kind, colon, index = name.partition(":")
    if kind not in here or (colon and not index.isdecimal()):
        raise InputError("--device", f"{name!r} is not auto, {', '.join(here)} or such as cuda:1")
    if int(index or 0) >= here[kind]:
        found = ", ".join(known for known, count in here.items() if count)
        raise InputError("--device", f"{name} is not on this machine", f"here: {found}")
    return name


@contextmanager
def float32_as(precision: str) -> Iterator[None]:
    """Let CUDA round float32 to TF32, in products, convolutions and recurrent layers, if ``precision`` is "tf32"."""
    import torch

    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    _allow_tf32(precision == "tf32")
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def _allow_tf32(allowed: bool) -> None:
    """cuDNN's switch is for convolutions and recurrent layers, cuBLAS has one of its own."""
    import torch

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = allowed


def emulates_bfloat16(device: str = "auto") -> bool:
    """Whether bfloat16 is emulated on a device, several times slower than float32: a CPU without AVX-512."""
    import torch

    return pick_device(device) == "cpu" and torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2")


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
        "cuda": torch.version.cuda,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()
