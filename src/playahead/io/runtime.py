"""The process and its machine: memory allocator, threads, device, Ray, ending, and ``run.json``, which describes it."""

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
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from playahead.io.errors import InputError
from playahead.io.files import write_whole

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Keep freed memory instead of giving it back: training touches the same large tensors every step.

    glibc's defaults map every large tensor anew, with a page fault for each 4 KiB; on two cores that took a third of a
    training step (docs/log.md).

    Returns:
        False where there is no glibc, so that nothing changes.
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
    """Compute with this thread alone, whatever number PyTorch is set to; other threads keep their number.

    A window of a feed is too small to share. Threads that wait for each other spin, and beside other work that took
    fourteen times the processor time (docs/log.md). ``torch.set_num_threads`` would change every thread of the process.
    Nothing changes where PyTorch was built without OpenMP and MKL.
    """
    import torch

    torch.get_num_threads()  # PyTorch sets up a thread that is new to it now, not later
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
    """OpenMP, and MKL's function for the number of threads of one thread alone; None where PyTorch lacks them."""
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


def end_process(code: int) -> NoReturn:
    """End this program.

    A rank of a distributed run ends at once: threads of Gloo and of Fabric's observer may abort a process that the
    interpreter takes down while they run.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it, or it is closed
                stream.flush()
        os._exit(code)
    sys.exit(code)


def started_ray(part: str, extras: str) -> tuple[Any, Any]:
    """Start Ray, on this machine or on the cluster that it is connected to, and import one of its parts.

    Args:
        part: module such as ``ray.data``.
        extras: extras of this package to install where it is missing.

    Raises:
        InputError: ray is not installed.
    """
    try:
        ray, module = import_module("ray"), import_module(part)
    except ImportError:
        raise InputError("engine", "ray is not installed", f"pip install 'playahead[{extras}]'") from None
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    return ray, module


def pick_device(device: str = "auto") -> str:
    """Check the name of a device: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; ``auto`` takes the first of cuda, mps, cpu.

    From here on float32 is float32: TF32, to which CUDA rounds convolutions and recurrent layers by default, is off.

    Raises:
        InputError: no such device, or not on this machine.
    """
    import torch

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    counts = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if device == "auto":
        return next(kind for kind, count in counts.items() if count)
    kind, colon, index = device.partition(":")
    if kind not in counts or (colon and not index.isdecimal()):
        raise InputError("device", f"{device!r} is not auto, {', '.join(counts)} or such as cuda:1")
    if int(index or 0) >= counts[kind]:
        available = ", ".join(kind for kind, count in counts.items() if count)
        raise InputError("device", f"{device} is not on this machine", f"available: {available}")
    return device


def computes_on_cpu(device: str) -> bool:
    """Whether a device is this machine's CPU, as far as can be told without PyTorch."""
    devices = (Path("/dev") / name for name in ("nvidiactl", "dxg", "kfd"))  # NVIDIA's, Windows', AMD's
    has_more = not sys.platform.startswith("linux") or any(device.exists() for device in devices)
    return device == "cpu" or (device == "auto" and not (has_more and find_spec("torch")))


@contextmanager
def float32_as(precision: str) -> Iterator[None]:
    """Let CUDA round float32 to TF32, in products, convolutions and recurrent layers, if ``precision`` is "tf32"."""
    import torch

    # cuDNN's switch, for convolutions and recurrent layers, and cuBLAS's, for products
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32 = products.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before


def emulates_bfloat16(device: str = "auto") -> bool:
    """Check whether a device emulates bfloat16, several times slower than float32: a CPU without AVX-512."""
    import torch

    return pick_device(device) == "cpu" and torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2")


def describe_run(folder: Path, about: Mapping[str, object]) -> None:
    """Write ``run.json``: settings, data and environment of a run."""
    write_whole(folder / "run.json", json.dumps({**about, "environment": environment()}, indent=1))


def environment() -> dict[str, object]:
    """Versions and machine, as far as they can affect results."""
    import torch

    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        **{name: version(name) for name in ("playahead", "torch", "numpy", "scipy", "lightning-fabric")},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": named[0] if named else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "cuda": torch.version.cuda,
    }
