"""What long transfers share: progress, room on the disk, and a disk's errors as one line."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playahead.errors import InputError

RESUMES = "run the same command again: it goes on where it stopped"
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is: ``Progress("fetch 224p/train.zip", done_bytes, total_bytes)``."""

    task: str
    done_bytes: int
    total_bytes: int


Show = Callable[[Progress], None]


def quiet(progress: Progress) -> None:
    """A ``Show`` that shows nothing."""


def readable_size(size_bytes: int) -> str:
    """Bytes -> ``"31.4 GB"``, ``"820 MB"``, ``"12 kB"`` or ``"7 bytes"``."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1e6:.0f} MB"
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes >= 1000 else f"{size_bytes} bytes"


def free_bytes(folder: Path) -> int:
    """Free room where ``folder`` is, or will be."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    with disk_errors(folder):
        return shutil.disk_usage(existing).free


def file_size(path: Path) -> int:
    """Size of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(path.name + ".part")


@contextmanager
def disk_errors(where: object) -> Iterator[None]:
    """Turn what the operating system refuses into an ``InputError``. Not for code that talks to a network."""
    try:
        yield
    except OSError as reason:
        if reason.errno in _FULL:
            raise InputError(where, "the disk is full", f"make room, then {RESUMES}") from None
        if reason.errno == errno.EFBIG:
            raise InputError(where, "this disk takes no file as large", "choose another folder") from None
        what = f"cannot be written ({reason.strerror or type(reason).__name__})"
        raise InputError(where, what, "is the folder yours to write to?") from None
