"""Files: written whole or not at all, a disk's errors as one line, digests, a format number, and strict JSON."""

import errno
import hashlib
import json
import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from playahead.io.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: then nothing keeps two processes apart
    fcntl = None  # type: ignore[assignment]

RESUMES = "run the same command again: it resumes where it stopped"
FORMAT = 1
"""Number of the names and settings in weights, states, manifests and exports."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, IndexError)
"""What reading a damaged zip raises; RuntimeError: encrypted, or a method that is not known."""


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(path.name + ".part")


def promote(part: Path, path: Path) -> None:
    """Give a file that is whole its name; the only place that renames."""
    part.replace(path)


@contextmanager
def atomic_write(path: Path, shared: bool = False) -> Iterator[Path]:
    """A path to write to instead of ``path``; on success the file gets its name, on failure it is removed.

    Args:
        path: the file to write.
        shared: other processes may write the same file at the same time: each gets a path of its own.

    Raises:
        InputError: the path is a folder, a device, a pipe or a socket.
    """
    require_replaceable(path)
    part = path.with_name(f".{path.stem}{f'-{os.getpid()}' if shared else ''}.part{path.suffix}")
    try:
        yield part
        promote(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: str | bytes, shared: bool = False) -> None:
    """Write a small file; nobody ever reads half of it."""
    with atomic_write(path, shared) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def require_replaceable(path: Path) -> None:
    """Refuse what is no file where one is to be written: a device such as ``/dev/null`` would be gone for everybody.

    Raises:
        InputError: a folder (an empty path is the one that we are in), a pipe, a device or a socket.
    """
    try:
        mode = path.stat().st_mode if path.name else stat.S_IFDIR
    except (OSError, ValueError):  # nothing is there yet, or writing says what is wrong
        return
    if not stat.S_ISREG(mode):
        raise InputError(path, f"is {_kind_of_file(mode)}, not a file to write")


def require_file(path: Path, most_bytes: int | None = None) -> None:
    """Refuse what is not an ordinary file: a pipe would be waited for, a device read without end.

    Args:
        path: what somebody named.
        most_bytes: a larger file cannot be what is expected.

    Raises:
        InputError: missing, a folder, a pipe, a device, a socket, or too large.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (OSError, ValueError) as reason:  # ValueError: a name with a null byte
        raise InputError(path, f"cannot be read ({getattr(reason, 'strerror', None) or reason})") from None
    if not stat.S_ISREG(found.st_mode):
        raise InputError(path, f"is {_kind_of_file(found.st_mode)}, not a file")
    if most_bytes is not None and found.st_size > most_bytes:
        raise InputError(path, f"is too large ({readable_size(found.st_size)}, at most {readable_size(most_bytes)})")


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """A whole file.

    Raises:
        InputError: no ordinary file, too large, or not to be read.
    """
    require_file(path, most_bytes)
    try:
        return path.read_bytes()
    except OSError as reason:
        raise InputError(path, f"cannot be read ({reason.strerror})") from None


def strict_json(content: str | bytes) -> object:
    """Parsed JSON in which no key stands twice in one object: which of the two would count?

    Raises:
        ValueError: not JSON, or such a key.
        RecursionError: nested too deep.
    """
    return json.loads(content, object_pairs_hook=_without_twins)


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} twice in one object")
    return found


def require_archive(path: Path, most_bytes: int) -> None:
    """Refuse a zip that is no ordinary file or that would unpack to more than ``most_bytes``.

    Raises:
        InputError: either, or not a zip that can be listed.
    """
    require_file(path, most_bytes)
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked_bytes = sum(info.file_size for info in archive.infolist())
    except (*DAMAGED_ZIP, OSError) as reason:
        raise InputError(path, f"not a readable {path.suffix or 'zip'} ({reason})", "is it complete?") from None
    if unpacked_bytes > most_bytes:
        what = f"unpacks to {readable_size(unpacked_bytes)}, at most {readable_size(most_bytes)} are read"
        raise InputError(path, what)


def _kind_of_file(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_writable(folder: Path) -> None:
    """Make a folder for output, or say at once that it cannot be written.

    Raises:
        InputError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as reason:
        raise InputError(folder, f"cannot be written to ({reason})", "choose another --out") from None


@contextmanager
def holding(folder: Path, part: str = "") -> Iterator[None]:
    """Make a folder for output and keep other processes out of it; a process that is killed lets go.

    Args:
        folder: made if need be.
        part: of the folder's work: processes on different parts may share it.

    Raises:
        InputError: it cannot be written, or another process writes to it.
    """
    require_writable(folder)
    with (folder / f".in-use{'-' if part else ''}{part.replace('/', '-of-')}").open("a+") as mark:
        if not is_alone(mark):
            mark.seek(0)
            who = mark.read().strip() or "another process"
            raise InputError(folder, f"is in use by {who}", "wait for it, or choose another --out")
        mark.truncate(0)
        mark.write(f"process {os.getpid()}")
        mark.flush()
        yield


def is_alone(file: IO) -> bool:
    """Whether nobody else has locked an open file; it is locked here then, until it is closed."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def readable_size(size_bytes: float) -> str:
    """Bytes -> ``"31.4 GB"``, ``"820 MB"``, ``"12 kB"`` or ``"7 bytes"``."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1e6:.0f} MB"
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes >= 1000 else f"{size_bytes:.0f} bytes"


def free_bytes(folder: Path) -> int:
    """Free room where ``folder`` is, or will be."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    with disk_errors(folder):
        return shutil.disk_usage(existing).free


def file_size(path: Path) -> int:
    """Size of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def are_few(bad: int, of: int) -> bool:
    """Whether so many bad files are set aside and the rest goes on: one in a hundred. With more, the set is broken."""
    return 100 * bad <= of


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


def require_format(about: Mapping[str, object], where: object) -> None:
    """Refuse a file whose names and settings mean something else in this version.

    Raises:
        InputError: another format number, or none.
    """
    if about.get("format") != FORMAT:
        raise InputError(where, f"has format {about.get('format')}, this version reads {FORMAT}", "make it again")
