"""Encrypted zips: password checked early, entries kept inside their folder, unpacking resumed."""

import copy
import hashlib
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from playahead.io.errors import InputError
from playahead.io.files import (
    RESUMES,
    disk_errors,
    file_size,
    free_bytes,
    part_of,
    promote,
    readable_size,
)
from playahead.io.progress import Progress, Show, quiet

NDA = "https://www.soccer-net.org/data"
"""Where SoccerNet's form is; signing it brings the password."""
CHUNK_BYTES = 1 << 20
PROBE_BYTES = 4 << 20
"""The password check reads an entry to its end, where its authentication code is, up to this size."""

_DEEPEST = 50  # folders
_UNSAFE_CHARACTER = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_ENCRYPTED = 0x1
_AGAIN = "fetch the zip again: delete the copy on disk if there is one"
_JOURNAL_LINE = re.compile(r"[0-9a-f]{8} .")


@dataclass(frozen=True)
class Entry:
    """A file in a zip: where it goes, relative to the folder unpacked to, and pyzipper's record of it."""

    path: PurePosixPath
    info: Any

    @property
    def size(self) -> int:
        """Bytes once unpacked."""
        return self.info.file_size


@dataclass(frozen=True)
class Unpacked:
    """What ``unpack_encrypted`` did: files written, and files that an earlier run had."""

    written: int
    kept: int


def require_password(password: str | None) -> str:
    """The password, or an error that says where to get one."""
    if not password:
        what = "the dataset's zips are encrypted, and no password is given"
        fix = f"set SOCCERNET_PASSWORD; SoccerNet sends it once its NDA form is signed: {NDA}"
        raise InputError("password", what, fix)
    return password


def entry_path(name: str, where: object) -> PurePosixPath:
    """An entry's name as a path that stays inside the folder that it is unpacked to.

    Raises:
        InputError: absolute, with ``..``, with a drive letter, with characters that some system forbids, nested too
            deep, or empty.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    reserved = any(part.endswith((".", " ", ".part")) for part in path.parts)
    reserved = reserved or len(path.parts) > _DEEPEST
    if not path.parts or path.is_absolute() or ".." in path.parts or reserved or _UNSAFE_CHARACTER.search(name):
        raise InputError(where, f"unsafe entry name {name[:200]!r}, nothing of it is unpacked", _AGAIN)
    return path


@contextmanager
def open_zip(source: Path | RawIOBase, where: object) -> "Iterator[EncryptedZip]":
    """Open a zip, a path or any seekable file.

    Raises:
        InputError: no zip, damaged, or an entry that would be written elsewhere.
    """
    try:
        import pyzipper
    except ImportError:
        raise InputError("pyzipper", "is not installed", "pip install 'playahead[data]'") from None
    with _damage(where):
        archive = pyzipper.AESZipFile(source)
    with archive:
        yield EncryptedZip(archive, where)


class EncryptedZip:
    """An open zip whose entries are all safe to unpack.

    Attributes:
        entries: its files, in the zip's order.
        fingerprint: of its directory; another zip has another.
    """

    def __init__(self, archive: Any, where: object) -> None:
        self.where = str(where)
        self._archive = archive
        infos = archive.infolist()
        self.entries = tuple(self._entry(info) for info in infos if not info.is_dir())
        targets = [str(entry.path).casefold() for entry in self.entries]
        if len(set(targets)) != len(targets):
            raise InputError(self.where, "holds two entries of the same name", _AGAIN)
        rows = [(i.filename, i.file_size, i.compress_size, i.header_offset, i.CRC, i.date_time) for i in infos]
        self.fingerprint = hashlib.sha256(repr(rows).encode()).hexdigest()

    def _entry(self, info: Any) -> Entry:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise InputError(self.where, f"{info.filename!r} is a link or a device", _AGAIN)
        return Entry(entry_path(info.filename, self.where), info)

    @property
    def top_names(self) -> set[str]:
        """First part of every entry's path."""
        return {entry.path.parts[0] for entry in self.entries}

    def check_password(self, password: str | None) -> None:
        """Open the smallest encrypted entry.

        Raises:
            InputError: the password is wrong (or that entry is damaged), or none is given and one is needed.
        """
        encrypted = [entry for entry in self.entries if entry.info.flag_bits & _ENCRYPTED]
        if not encrypted:
            return
        smallest = min(encrypted, key=lambda entry: entry.info.compress_size)
        with self._open(smallest, require_password(password)) as chunks:
            if smallest.size <= PROBE_BYTES:
                for _ in chunks:
                    pass

    def missing(self, folder: Path, thorough: bool = False, show: Show = quiet) -> list[Entry]:
        """Entries that ``folder`` does not hold yet.

        Args:
            thorough: also read the files that are there and compare their CRC-32.
        """
        known_crcs = _Journal(folder, self).crcs
        total = sum(entry.size for entry in self.entries)
        found, done = [], 0
        for entry in self.entries:
            crc = known_crcs.get(str(entry.path), entry.info.CRC or None)
            path = folder / entry.path
            there = crc is not None and path.is_file() and file_size(path) == entry.size
            if not there or (thorough and _crc_of(path) != crc):
                found.append(entry)
            done += entry.size
            if thorough and there:
                show(Progress(f"check {Path(self.where).name}", done, total, "bytes"))
        return found

    def extract(self, entry: Entry, folder: Path, password: str, show: Show = quiet) -> int:
        """Write an entry to ``NAME.part``, rename it once authenticated, and return its CRC-32."""
        target, crc, done = folder / entry.path, 0, 0
        with disk_errors(target), self._open(entry, password) as chunks:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part_of(target).open("wb") as stream:
                for chunk in chunks:
                    stream.write(chunk)
                    crc, done = zlib.crc32(chunk, crc), done + len(chunk)
                    show(Progress(str(entry.path), done, entry.size, "bytes"))
            promote(part_of(target), target)
        return crc

    @contextmanager
    def _open(self, entry: Entry, password: str) -> Iterator[Iterator[bytes]]:
        where = f"{self.where}: {entry.path}"
        # pyzipper stops at the size that the directory states, before the authentication code where that is damaged:
        # one byte more makes it read to the entry's true end.
        info = copy.copy(entry.info)
        info.file_size += 1
        with _damage(where):
            stream = self._archive.open(info, pwd=password.encode())
        with stream:
            yield self._chunks(stream, entry, where)

    def _chunks(self, stream: BinaryIO, entry: Entry, where: str) -> Iterator[bytes]:
        received = 0
        while True:
            with _damage(where):
                chunk = stream.read(CHUNK_BYTES)
            if not chunk:
                break
            received += len(chunk)
            yield chunk
        if received != entry.size:
            what = f"holds {received:,} bytes, not the {entry.size:,} that the zip's directory says"
            raise InputError(where, what, _AGAIN)


def unpack_encrypted(zip_path: Path, out: Path, password: str | None, show: Show = quiet) -> Unpacked:
    """Unpack a zip into a folder; what an earlier run unpacked is kept, a file that differs is replaced.

    Raises:
        InputError: wrong or no password, damaged or unsafe zip (with the entry), too little room, disk errors.
    """
    where = zip_path
    if not zip_path.is_file():
        raise InputError(where, "no such file")
    with open_zip(zip_path, where) as archive:
        archive.check_password(password)
        todo = archive.missing(out, thorough=True, show=show)
        total = sum(entry.size for entry in todo)
        if total > (free := free_bytes(out)):
            what = f"unpacking needs {readable_size(total)}, and {readable_size(free)} are free"
            raise InputError(out, what, f"make room, then {RESUMES}")
        journal, done = _Journal(out, archive), 0
        for entry in todo:
            before = done

            def advance(progress: Progress, before: int = before) -> None:
                show(Progress(f"unpack {zip_path.name}", before + progress.done, total, "bytes"))

            journal.add(entry, archive.extract(entry, out, password or "", advance))
            done += entry.size
    return Unpacked(len(todo), len(archive.entries) - len(todo))


class _Journal:
    """CRC-32 of each file that was unpacked: AES entries of the usual kind (AE-2) carry none in the zip."""

    def __init__(self, folder: Path, archive: EncryptedZip) -> None:
        self.path = folder / f".{Path(archive.where).name}.unpacked"
        self._header = archive.fingerprint
        self.crcs: dict[str, int] = {}
        if self.path.is_file():
            with disk_errors(self.path):
                header, *lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
            if header == self._header:
                self.crcs = {line[9:]: int(line[:8], 16) for line in lines if _JOURNAL_LINE.match(line)}
        self._started = bool(self.crcs)

    def add(self, entry: Entry, crc: int) -> None:
        with disk_errors(self.path), self.path.open("a" if self._started else "w", encoding="utf-8") as stream:
            if not self._started:
                stream.write(self._header + "\n")
            stream.write(f"{crc:08x} {entry.path}\n")
        self._started = True


def _crc_of(path: Path) -> int:
    crc = 0
    with disk_errors(path), path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
    return crc


@contextmanager
def _damage(where: object) -> Iterator[None]:
    """Around reading a zip only: pyzipper, zlib, bz2 and lzma each raise their own on damaged bytes."""
    try:
        yield
    except InputError:
        raise
    except RuntimeError as reason:
        if not str(reason).startswith("Bad password"):
            raise InputError(where, f"cannot be read ({reason})") from None
        raise InputError(where, "the password is wrong", f"it comes with SoccerNet's NDA: {NDA}") from None
    except PermissionError:
        raise InputError(where, "cannot be read (permission denied)") from None
    except Exception as reason:
        what = f"damaged or cut short ({type(reason).__name__}: {reason})"
        raise InputError(where, what, _AGAIN) from None
