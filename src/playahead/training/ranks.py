"""Ranks: one process for each device. They start and end together, and only the first one writes."""

import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch

from playahead.io.errors import PlayaheadError
from playahead.io.files import lock_folder
from playahead.io.runtime import end_process, pick_device

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_PATIENCE = timedelta(hours=6)  # the others wait while one validates
_AFTER_S = 3.0


class RunsOn(Protocol):
    """Settings of a run that decide where it runs: see ``LoopConfig``."""

    @property
    def device(self) -> str: ...
    @property
    def devices(self) -> int: ...
    @property
    def deterministic(self) -> bool: ...
    @property
    def precision(self) -> Literal["bf16-mixed", "32-true"]: ...


def make_fabric(settings: RunsOn) -> "Fabric":
    """Build the Fabric that trains on a device, or on several of its kind.

    Raises:
        InputError: there is no such device here.
    """
    from lightning_fabric import Fabric  # here and not above: importing it takes seconds
    from lightning_fabric.strategies import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # its import sets INFO: it prints every process
    kind, _, index = pick_device(settings.device).partition(":")
    if settings.deterministic and kind != "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
        torch.use_deterministic_algorithms(True)
    chosen: Any = [int(index)] if index else settings.devices
    strategy: Any = DDPStrategy(timeout=_PATIENCE) if settings.devices > 1 else "auto"
    return Fabric(accelerator=kind, strategy=strategy, devices=chosen, precision=settings.precision)


@contextmanager
def launch_ranks(settings: RunsOn, out: Path) -> "Iterator[Fabric]":
    """Run the block in one process for each device; the first one locks the run's folder.

    The first process starts the others. They run the same program from its beginning and end where this block does. If
    one fails, all end, and its error is shown once.

    Args:
        settings: number and kind of devices.
        out: folder of the run.

    Raises:
        InputError: another run holds the folder, or there is no such device.
    """
    fabric = make_fabric(settings)
    warnings.filterwarnings("ignore", "Grad strides do not match")  # 1 x 1 convolutions lie both ways at once
    fabric.launch()
    try:
        if fabric.is_global_zero:
            with lock_folder(out):
                yield fabric
                fabric.barrier()
        else:
            yield fabric
            fabric.barrier()
    except BaseException as reason:
        if not fabric.is_global_zero:
            time.sleep(_AFTER_S)  # where both fail alike, the first one ends this one
            raise
        _end_helpers(fabric, reason)
        raise
    if not fabric.is_global_zero:
        end_process(0)


def _end_helpers(fabric: "Fabric", reason: BaseException) -> None:
    """End the other processes; end this one silently if it fails because one of them did."""
    started = getattr(fabric.strategy.launcher, "procs", [])
    helpers = list(started)
    started.clear()  # Fabric's own observer would kill this process for their death
    if helpers and not isinstance(reason, PlayaheadError | KeyboardInterrupt):
        deadline = time.monotonic() + 2 * _AFTER_S
        while all(process.poll() is None for process in helpers) and time.monotonic() < deadline:
            time.sleep(0.05)
    failed = [process.returncode for process in helpers if process.poll()]
    for process in helpers:
        process.kill()
        process.wait()
    if failed and not isinstance(reason, PlayaheadError):
        end_process(failed[0])
