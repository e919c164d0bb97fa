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
from typing import IO, TypeVar

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
"""Errors of reading a damaged zip; RuntimeError: encrypted, or an unknown method."""


_PACKAGE = Path(__file__).parents[1]


PACKAGED = ("feed", "simulated-video", "simulated-backbone")
"""Weights that ship: of real matches, and of simulated broadcasts."""


def packaged_weights(name: str = "feed") -> Path:
    """File of one of ``PACKAGED``."""
    return _PACKAGE / "weights" / f"{name}.safetensors"


def packaged_export() -> Path:
    """The packaged video model and its backbone as ONNX graphs."""
    return _PACKAGE / "weights" / "simulated"


_Name = TypeVar("_Name", str, Path)


def match_file(name: _Name) -> _Name:
    """The name itself; of "sample", unless there is a file of that name, the match that ships with the package."""
    if str(name) != "sample" or Path(name).exists():
        return name
    return type(name)(_PACKAGE / "sample" / "wyscout-2499720.json.gz")


def shipped_grids() -> dict[str, Path]:
    """Grids for ``compare``, by name."""
    return {path.stem: path for path in sorted((_PACKAGE / "grids").glob("*.yaml"))}


@contextmanager
def atomic_write(path: Path, shared: bool = False) -> Iterator[Path]:
    """Give a path to write to instead of ``path``; on success the file gets its name, on failure it is removed.

    Args:
        path: the file to write.
        shared: whether other processes may write the same file at the same time; then each gets a path of its own.

    Raises:
        InputError: the path is a folder, a device, a pipe or a socket, or its folder does not exist.
    """
    require_replaceable(path)
    if not path.parent.exists():
        raise InputError(path, f"the folder {path.parent} does not exist", "make it first")
    part = path.with_name(f".{path.stem}{f'-{os.getpid()}' if shared else ''}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def put_in_place(part: Path, path: Path) -> None:
    """Give a file that was written over several runs its name."""
    part.replace(path)


def write_whole(path: Path, content: str | bytes, shared: bool = False) -> None:
    """Write a small file in one step: readers see all of it or nothing."""
    with atomic_write(path, shared) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def require_replaceable(path: Path) -> None:
    """Refuse to replace anything but a file: a device such as ``/dev/null`` would be gone for everybody.

    Raises:
        InputError: a folder (an empty path is the current one), a pipe, a device or a socket.
    """
    try:
        mode = path.stat().st_mode if path.name else stat.S_IFDIR
    except (OSError, ValueError):  # nothing is there yet, or writing reports the error
        return
    if not stat.S_ISREG(mode):
        raise InputError(path, f"is {_kind_of_file(mode)}, not a file to write")


def require_file(path: Path, most_bytes: int | None = None) -> None:
    """Refuse anything but an ordinary file: reading a pipe would wait, reading a device would not end.

    Args:
        path: the path to check.
        most_bytes: maximum size.

    Raises:
        InputError: missing, a folder, a pipe, a device, a socket, or too large.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (OSError, ValueError) as reason:  # ValueError: a name with a null byte
        raise InputError(path, f"cannot be read ({getattr(reason, 'strerror', None) or reason})") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(path, f"is {_kind_of_file(status.st_mode)}, not a file")
    if most_bytes is not None and status.st_size > most_bytes:
        raise InputError(path, f"is too large ({readable_size(status.st_size)}, at most {readable_size(most_bytes)})")


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """Read a whole file.

    Raises:
        InputError: no ordinary file, too large, or unreadable.
    """
    require_file(path, most_bytes)
    try:
        return path.read_bytes()
    except OSError as reason:
        raise InputError(path, f"cannot be read ({reason.strerror})") from None


def strict_json(content: str | bytes) -> object:
    """Parse JSON in which no key stands twice in one object.

    Raises:
        ValueError: not JSON, or such a key.
        RecursionError: nested too deep.
    """

    def without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members: dict[str, object] = {}
        for name, value in pairs:
            if name in members:
                raise ValueError(f"key {name!r} twice in one object")
            members[name] = value
        return members

    return json.loads(content, object_pairs_hook=without_twins)


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
        sizes = readable_size(unpacked_bytes), readable_size(most_bytes)
        raise InputError(path, f"unpacks to {sizes[0]}, at most {sizes[1]} are read")


def _kind_of_file(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def lock_folder(folder: Path, part: str = "") -> Iterator[None]:
    """Make a folder for output and keep other processes out of it; a process that is killed releases it.

    Args:
        folder: output folder, made if need be.
        part: part of the work, as ``2/4``; processes on different parts may share the folder.

    Raises:
        InputError: it cannot be written, or another process writes to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark = (folder / f".in-use{'-' if part else ''}{part.replace('/', '-of-')}").open("a+")
    except OSError as reason:
        raise InputError(folder, f"cannot be written to ({reason})", "choose another folder") from None
    with mark:
        if not is_alone(mark):
            mark.seek(0)
            who = mark.read().strip() or "another process"
            raise InputError(folder, f"is in use by {who}", "wait for it, or choose another folder")
        mark.truncate(0)
        mark.write(f"process {os.getpid()}")
        mark.flush()
        yield


def is_alone(file: IO) -> bool:
    """Lock an open file until it is closed; False if another process has locked it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def readable_size(size_bytes: float) -> str:
    """Format a size as ``"31.4 GB"``, ``"820 MB"``, ``"12 kB"`` or ``"7 bytes"``."""
    for unit, name, digits in ((1e9, "GB", 1), (1e6, "MB", 0), (1e3, "kB", 0)):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.{digits}f} {name}"
    return f"{size_bytes:.0f} bytes"


def free_bytes(folder: Path) -> int:
    """Free space where ``folder`` is, or will be."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    with disk_errors(folder):
        return shutil.disk_usage(existing).free


def file_size(path: Path) -> int:
    """Size of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def are_few(bad: int, of: int) -> bool:
    """Check whether at most one file in a hundred is bad, so that the rest can be used."""
    return 100 * bad <= of


@contextmanager
def disk_errors(where: object) -> Iterator[None]:
    """Turn an ``OSError`` into an ``InputError``. Not for code that talks to a network."""
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
