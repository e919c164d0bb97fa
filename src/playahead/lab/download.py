"""SoccerNet Ball Action Anticipation, unpacked from the encrypted zips in its Hugging Face repository.

There is one zip for each split and resolution. It is read where it lies, in ranges, and its entries are written one by
one: ``OUT/224p/train/clip_1/224p.mp4`` and so on, as ``read_baa_split`` reads them. So the password is tried and the
room compared before the first video is fetched, and a stopped download goes on with the next entry. A zip at
``OUT/224p/train.zip`` is read instead of the hub's. pyzipper checks each entry's authentication code.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

# The HTTP client's own class, whichever client it is: httpx for huggingface_hub 1.x, httpx2 for 2.x.
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

from playahead.io.errors import InputError
from playahead.io.files import RESUMES, atomic_write, disk_errors, file_size, free_bytes, readable_size
from playahead.io.progress import Show, counter, quiet
from playahead.sources.soccernet import SPLITS

REPO = "SoccerNet/ActionAnticipation"
NDA = "https://www.soccer-net.org/data"  # SoccerNet's form; signing it brings the password
Resolution = Literal["224p", "720p"]

_LOOK_BYTES, _FETCH_BYTES = 1 << 18, 1 << 24  # of one request: while planning, while downloading
_ENCRYPTED = 0x1
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_TERMS = f"accept the terms on https://huggingface.co/datasets/{REPO}, then `hf auth login` or set HF_TOKEN"


@dataclass(frozen=True)
class DownloadPlan:
    """Plan of a download: the size of what is missing of each split's zip, and the room on the disk.

    ``str()`` of it is one line for each split, and the room needed.
    """

    out: Path
    missing_bytes: dict[Path, int]
    free_bytes: int

    @property
    def needed_bytes(self) -> int:
        """Size of all that is missing."""
        return sum(self.missing_bytes.values())

    def __str__(self) -> str:
        lines = [f"{path.stem}: {readable_size(size)} to fetch" for path, size in self.missing_bytes.items()]
        needed = f"{readable_size(self.needed_bytes)} needed in {self.out}, {readable_size(self.free_bytes)} free"
        return "\n".join([*lines, needed])


def plan_download(
    out: Path, password: str | None, splits: Sequence[str] = SPLITS, resolution: Resolution = "224p"
) -> DownloadPlan:
    """List the entries of each zip, try the password on a small one, and compare the room needed with the room free."""
    password = require_password(password)
    unknown = [split for split in splits if split not in SPLITS]
    if unknown or not splits:
        what = f"{unknown[0]!r} is not one of {', '.join(SPLITS)}" if unknown else "no split is named"
        raise InputError("splits", what, "for example train,valid")
    if resolution not in get_args(Resolution):
        raise InputError("resolution", f"{resolution!r} is not one of {', '.join(get_args(Resolution))}")
    missing_bytes = {}
    for path in (out / resolution / f"{split}.zip" for split in SPLITS if split in splits):
        with _open_zip(path, _LOOK_BYTES) as archive:
            encrypted = [info for info in archive.infolist() if info.flag_bits & _ENCRYPTED]
            for info in sorted(encrypted, key=lambda info: info.compress_size)[:1]:
                for _ in _content(archive, info, path, password):
                    pass
            missing_bytes[path] = sum(info.file_size for info in _missing(archive, path).values())
    plan = DownloadPlan(out, missing_bytes, free_bytes(out))
    if plan.needed_bytes > plan.free_bytes:
        what = f"too little room: {readable_size(plan.needed_bytes)} to fetch, {readable_size(plan.free_bytes)} free"
        raise InputError(out, what, f"make room, choose fewer splits or another folder; {RESUMES}")
    return plan


def run_download(plan: DownloadPlan, password: str, show: Show = quiet) -> list[Path]:
    """Fetch and unpack what is missing, one file after the other; each appears whole or not at all.

    Returns the splits' folders, each with its ``Labels-ball.json`` and clips.
    """
    for path, missing_bytes in plan.missing_bytes.items():
        if not missing_bytes:
            continue
        advance = counter(show, f"fetching {_name(path)}", missing_bytes, "bytes")
        with _open_zip(path, _FETCH_BYTES) as archive:
            for target, info in _missing(archive, path).items():
                with disk_errors(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with atomic_write(target) as part, part.open("wb") as stream:
                        for chunk in _content(archive, info, path, password):
                            stream.write(chunk)
                            advance(len(chunk))
    return [path.with_suffix("") for path in plan.missing_bytes]


def download_baa(
    out: Path,
    password: str | None,
    splits: Sequence[str] = SPLITS,
    resolution: Resolution = "224p",
    show: Show = quiet,
) -> list[Path]:
    """Download and unpack the benchmark; called again after an interruption, it resumes.

    Args:
        out: folder to download to.
        password: password from SoccerNet's NDA.
        splits: any of the benchmark's four.
        resolution: height of the videos.
        show: function that is called with the bytes fetched.

    Raises:
        InputError: no or a wrong password, no access, no connection, an unsafe zip, too little room.
    """
    return run_download(plan_download(out, password, splits, resolution), password or "", show)


def require_password(password: str | None) -> str:
    """The password, or an error that says where to get one."""
    if not password:
        fix = f"set SOCCERNET_PASSWORD; SoccerNet sends it once its NDA form is signed: {NDA}"
        raise InputError("password", "the dataset's zips are encrypted, and no password is given", fix)
    return password


def safe_path(name: str, where: object) -> PurePosixPath:
    """An entry's name as a path that stays inside the folder that it is unpacked to."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or _UNSAFE.search(name):
        raise InputError(where, f"unsafe entry name {name[:200]!r}, nothing of it is unpacked")
    return path


def _name(path: Path) -> str:
    """A zip's path in the repository."""
    return f"{path.parent.name}/{path.name}"


@contextmanager
def _open_zip(path: Path, request_bytes: int) -> Iterator[Any]:
    """Open the zip on this disk, else the hub's, of which only what is looked at is fetched."""
    import pyzipper
    from huggingface_hub import HfFileSystem

    with _one_line(_name(path)):
        if path.is_file():
            stream = path.open("rb")
        else:
            hub = HfFileSystem(skip_instance_cache=True)
            stream = hub.open(f"datasets/{REPO}/{_name(path)}", block_size=request_bytes)
            stream.read(1)  # the hub's refusals come here; zipfile would call them a bad zip
        archive = pyzipper.AESZipFile(stream)
    with stream, archive:
        yield archive


def _missing(archive: Any, zip_path: Path) -> dict[Path, Any]:
    """Target -> entry of each file that the split's folder does not hold at its full size.

    Some zips hold ``train/clip_1/...``, others ``clip_1/...``; both are unpacked to ``train/clip_1/...``.
    """
    folder = zip_path.with_suffix("")
    infos = [info for info in archive.infolist() if not info.is_dir()]
    paths = [safe_path(info.filename, _name(zip_path)) for info in infos]
    root = folder.parent if {path.parts[0] for path in paths} == {folder.name} else folder
    pairs = zip((root / path for path in paths), infos, strict=True)
    return {target: info for target, info in pairs if not target.is_file() or file_size(target) != info.file_size}


def _content(archive: Any, info: Any, zip_path: Path, password: str) -> Iterator[bytes]:
    """Decrypted pieces of an entry, authenticated once the last one is read."""
    # pyzipper stops at the size that the directory states, before the authentication code where that size is damaged:
    # one byte more makes it read to the entry's true end.
    longer, received = copy.copy(info), 0
    longer.file_size += 1
    where = f"{_name(zip_path)}: {info.filename}"
    with _one_line(where), archive.open(longer, pwd=password.encode()) as stream:
        while chunk := stream.read(1 << 20):
            received += len(chunk)
            yield chunk
    if received != info.file_size:
        what = f"holds {received:,} bytes, not the {info.file_size:,} that the zip's directory says"
        raise InputError(where, what, RESUMES)


@contextmanager
def _one_line(where: str) -> Iterator[None]:
    """Turn a refusal of the hub, a dropped connection or damage into one line, without addresses: some are signed."""
    try:
        yield
    except OfflineModeIsEnabled:
        raise InputError(where, "cannot be fetched offline", "unset HF_HUB_OFFLINE") from None
    except FileNotFoundError:
        raise InputError(where, f"not in {REPO} on the hub, or no access to it", _TERMS) from None
    except HfHubHTTPError as refusal:
        status = refusal.response.status_code
        fix = _TERMS if status in (401, 403) else f"later, {RESUMES}"
        raise InputError(where, f"the hub answers HTTP {status}", fix) from None
    except HTTPError as reason:
        what = f"no connection to the hub, or it dropped ({type(reason).__name__})"
        raise InputError(where, what, f"is HF_ENDPOINT an address? {RESUMES}") from None
    except Exception as reason:  # pyzipper, zlib, bz2 and lzma each raise their own on damaged bytes
        if str(reason).startswith("Bad password"):
            raise InputError(where, "the password is wrong", f"it comes with SoccerNet's NDA: {NDA}") from None
        what = f"cannot be read: damaged, or cut short ({type(reason).__name__}: {reason})"
        raise InputError(where, what, f"{RESUMES}; where the zip is on this disk, fetch it again") from None
