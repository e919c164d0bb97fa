"""Files of a Hugging Face dataset repository: looked up, read in pieces where they are, or fetched whole.

huggingface_hub knows the endpoint (``HF_ENDPOINT``), the account (``HF_TOKEN``, ``hf auth login``) and the HTTP
client. The bytes are streamed here, in ranges, because a transfer of tens of gigabytes has to be resumed after a kill.
"""

import hashlib
import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from huggingface_hub import get_hf_file_metadata, get_session, hf_hub_url

# The HTTP client's own class, whichever client it is: httpx for huggingface_hub 1.x, httpx2 for 2.x.
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from playahead.io.errors import InputError
from playahead.io.files import RESUMES, disk_errors, file_size, part_of, promote
from playahead.io.progress import Progress, Show, quiet

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from huggingface_hub.errors import Response

TIMEOUT_S = 30.0
RETRY_WAITS_S: tuple[float, ...] = (1.0, 5.0, 20.0)
"""Waits before another attempt; a transfer is given up after as many failures in a row that brought nothing."""
SLICE_BYTES = 1 << 30
"""One request asks for no more: the hub's signed addresses expire, and its CDN serves no answer above 50 GB."""
CHUNK_BYTES = 1 << 20
WINDOW_BYTES = 1 << 16
"""``RangeReader`` asks for no less."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class InterruptedTransferError(InputError):
    """A failure that may not happen again: no connection, a dropped one, an overloaded server."""


class RangesRefusedError(InputError):
    """The server sends whole files only, so that nothing can be read of one before it is fetched."""


@dataclass(frozen=True)
class HubFile:
    """A file of the hub.

    Attributes:
        name: repository and path, for messages.
        url: pinned to the commit, so that every request is about the same bytes.
        size: in bytes.
        etag: changes with the content; the SHA-256 of files in large-file storage.
    """

    name: str
    url: str
    size: int
    etag: str

    @property
    def sha256(self) -> str | None:
        """The content's SHA-256 where the etag is one."""
        return self.etag if _SHA256.fullmatch(self.etag) else None


def find_hub_file(repo: str, path: str, endpoint: str | None = None) -> HubFile:
    """Look a file of a dataset repository up.

    Args:
        repo: ``owner/name``.
        path: in the repository.
        endpoint: address of the hub; None for huggingface_hub's own (``HF_ENDPOINT``).

    Raises:
        InputError: no such file, no access, no connection.
    """
    name = f"{repo} {path}"
    url = hf_hub_url(repo, path, repo_type="dataset", endpoint=endpoint)
    _require_address(url)
    with _hub_errors(name):
        found = get_hf_file_metadata(url, timeout=TIMEOUT_S)
    if found.size is None or not found.etag:
        raise InputError(name, "the hub does not tell its size and etag", "is HF_ENDPOINT a Hugging Face hub?")
    if found.commit_hash:
        url = hf_hub_url(repo, path, repo_type="dataset", revision=found.commit_hash, endpoint=endpoint)
    return HubFile(name, url, found.size, found.etag)


class RangeReader(io.RawIOBase):
    """A hub file as a seekable file that fetches what is read of it, and ``WINDOW_BYTES`` around.

    Raises:
        RangesRefusedError: on the first read, where the server sends whole files only.
    """

    def __init__(self, file: HubFile) -> None:
        self.file = file
        self._position = 0
        self._window_start, self._window = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.file.size}[whence]
        if origin + offset < 0:
            raise OSError(f"seek to {origin + offset}, before the start")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        length = max(0, min(len(view), self.file.size - self._position))
        view[:length] = self._read_at(self._position, length)
        self._position += length
        return length

    def _read_at(self, start: int, length: int) -> bytes:
        offset = start - self._window_start
        if offset < 0 or offset + length > len(self._window):
            end = min(max(start + length, start + WINDOW_BYTES), self.file.size)
            self._window_start = min(start, max(0, end - WINDOW_BYTES))
            self._window = self._fetch(self._window_start, end)
            offset = start - self._window_start
        return self._window[offset : offset + length]

    def _fetch(self, start: int, end: int) -> bytes:
        for wait_s in (*RETRY_WAITS_S, None):
            try:
                with _open_range(self.file, start, end) as (response, begins_at):
                    if begins_at is None:
                        raise RangesRefusedError(self.file.name, "the server sends whole files only")
                    content = b"".join(response.iter_bytes())
                if len(content) == end - start:
                    return content
                raise InterruptedTransferError(self.file.name, "the answer was cut short", RESUMES)
            except InterruptedTransferError:
                if wait_s is None:
                    raise
                time.sleep(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")


def fetch(file: HubFile, target: Path, show: Show = quiet) -> None:
    """Fetch a file into ``NAME.part``, from where an earlier run left it, and rename it once size and SHA-256 fit.

    Raises:
        InputError: no access, no connection, damaged in transit, disk full; or ``target`` is another file.
    """
    if _is_there(file, target):
        return
    part, mark = part_of(target), _etag_of_part(target)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not fetched_bytes(file, target):
            part.unlink(missing_ok=True)
            mark.write_text(file.etag, encoding="utf-8")
        with part.open("ab") as stream:
            _fill(file, stream, show)
        _verify(file, part, show)
        promote(part, target)
        mark.unlink(missing_ok=True)


def fetched_bytes(file: HubFile, target: Path) -> int:
    """How much of a file earlier runs of ``fetch`` brought; what they brought of another version does not count."""
    if _is_there(file, target):
        return file.size
    mark, have = _etag_of_part(target), file_size(part_of(target))
    same = mark.is_file() and mark.read_text(encoding="utf-8", errors="replace") == file.etag
    return have if same and have <= file.size else 0


def _is_there(file: HubFile, target: Path) -> bool:
    if target.exists() and file_size(target) != file.size:
        what = f"is {file_size(target):,} bytes, but the hub's is {file.size:,}"
        raise InputError(target, what, "move it away and run the same command again")
    return target.exists()


def _etag_of_part(target: Path) -> Path:
    return target.with_name(target.name + ".part.etag")


def _fill(file: HubFile, stream: BinaryIO, show: Show) -> None:
    waits_s = iter(RETRY_WAITS_S)
    while (have := stream.tell()) < file.size:
        try:
            _append_slice(file, stream, show)
        except InterruptedTransferError:
            if stream.tell() > have:
                waits_s = iter(RETRY_WAITS_S)
            wait_s = next(waits_s, None)
            if wait_s is None:
                raise
            time.sleep(wait_s)


def _append_slice(file: HubFile, stream: BinaryIO, show: Show) -> None:
    start = stream.tell()
    with _open_range(file, start, min(start + SLICE_BYTES, file.size)) as (response, begins_at):
        if begins_at is None:  # the whole file comes again
            stream.seek(0)
            stream.truncate()
        for chunk in response.iter_bytes():
            if stream.tell() + len(chunk) > file.size:
                raise InputError(file.name, f"the server sends more than {file.size:,} bytes", "try again later")
            stream.write(chunk)
            show(Progress(f"fetch {file.name}", stream.tell(), file.size, "bytes"))
    if stream.tell() <= start:
        raise InterruptedTransferError(file.name, "the server sent nothing new", RESUMES)


def _verify(file: HubFile, part: Path, show: Show) -> None:
    if file.sha256 is None:
        return
    digest, done = hashlib.sha256(), 0
    with part.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            show(Progress(f"verify {file.name}", done, file.size, "bytes"))
    if digest.hexdigest() != file.sha256:
        part.unlink()
        fix = "run the same command again: it is fetched anew"
        raise InputError(file.name, "damaged in transit (its SHA-256 differs from the hub's)", fix)


@contextmanager
def _open_range(file: HubFile, start: int, end: int) -> "Iterator[tuple[Response, int | None]]":
    """The answer to a request for bytes ``start`` to ``end - 1``, and ``start``; None where it is the whole file."""
    headers = build_hf_headers() | {"Accept-Encoding": "identity", "Range": f"bytes={start}-{end - 1}"}
    request = get_session().stream("GET", file.url, headers=headers, timeout=TIMEOUT_S, follow_redirects=True)
    with _hub_errors(file.name), request as response:
        hf_raise_for_status(response)
        if response.status_code != 206:
            yield response, None
            return
        told = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if told is None or int(told[1]) != start or told[2] not in ("*", str(file.size)):
            raise InputError(file.name, "the server answers with other bytes than asked for", "try again later")
        yield response, start


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """Turn what the hub or the connection to it refuses into one line. Addresses stay out: they can be signed."""
    try:
        yield
    except OfflineModeIsEnabled:
        raise InputError(name, "cannot be fetched offline", "unset HF_HUB_OFFLINE") from None
    except HfHubHTTPError as refusal:
        raise _refused(name, refusal.response.status_code) from None
    except HTTPError as reason:
        what = f"no connection to the hub, or it dropped ({type(reason).__name__})"
        raise InterruptedTransferError(name, what, RESUMES) from None


def _refused(name: str, status: int) -> InputError:
    repo = name.split(" ")[0]
    if status in (401, 403):
        page = f"https://huggingface.co/datasets/{repo}"
        fix = f"accept the terms on {page}, then `hf auth login` or set HF_TOKEN"
        return InputError(name, f"the hub refuses access (HTTP {status})", fix)
    if status == 404:
        return InputError(name, "no such repository or file on the hub (HTTP 404)", "is HF_ENDPOINT right?")
    if status in (408, 429) or status >= 500:
        return InterruptedTransferError(name, f"the hub is overloaded (HTTP {status})", f"later, {RESUMES}")
    return InputError(name, f"the hub answers HTTP {status}", "try again later")


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine:
        raise InputError("HF_ENDPOINT", "is not an address", "for example https://huggingface.co, or unset it")
