"""SoccerNet Ball Action Anticipation from its Hugging Face repository: one encrypted zip a split and resolution.

``OUT/224p/train.zip`` is fetched and unpacked to ``OUT/224p/train/clip_1/224p.mp4`` and so on, the layout that
``read_baa_split`` reads and that the dataset's own script makes. Everything that can be refused is refused before
the first zip is fetched: the password is tried on one small entry, read where it is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from playahead.io.errors import InputError
from playahead.io.files import RESUMES, file_size, free_bytes, readable_size
from playahead.io.progress import Show, quiet
from playahead.lab.download.encrypted_zip import EncryptedZip, open_zip, require_password, unpack_encrypted
from playahead.lab.download.remote_file import (
    HubFile,
    RangeReader,
    RangesRefusedError,
    fetch,
    fetched_bytes,
    find_hub_file,
)
from playahead.sources.soccernet import SPLITS

REPO = "SoccerNet/ActionAnticipation"
Resolution = Literal["224p", "720p"]


@dataclass(frozen=True)
class PlannedZip:
    """One zip, and what is left to do about it.

    Attributes:
        split: train, valid, test or challenge.
        source: on the hub.
        path: on this disk, once fetched.
        fetch_bytes: still to fetch.
        unpack_bytes: still to unpack.
        unpacked: every entry is, so that the zip itself is not needed.
        measured: ``unpack_bytes`` and the password were read from the zip; if False it is the zip's size, because
            the server sends whole files only.
    """

    split: str
    source: HubFile
    path: Path
    fetch_bytes: int
    unpack_bytes: int
    unpacked: bool
    measured: bool

    @property
    def folder(self) -> Path:
        """The unpacked split."""
        return self.path.parent / self.split


@dataclass(frozen=True)
class DownloadPlan:
    """What a download will do, known before it starts. ``str()`` of it says so in a line a split."""

    out: Path
    zips: tuple[PlannedZip, ...]
    free_bytes: int

    @property
    def needed_bytes(self) -> int:
        """Room that the zips still to fetch and the files still to unpack take together."""
        return sum(zip_.fetch_bytes + zip_.unpack_bytes for zip_ in self.zips)

    def __str__(self) -> str:
        lines = [
            f"{zip_.split}: {readable_size(zip_.fetch_bytes)} to fetch, "
            f"{'' if zip_.measured else 'about '}{readable_size(zip_.unpack_bytes)} to unpack"
            for zip_ in self.zips
        ]
        needed = f"{readable_size(self.needed_bytes)} needed in {self.out}, {readable_size(self.free_bytes)} free"
        return "\n".join([*lines, needed])


def parse_splits(text: str) -> tuple[str, ...]:
    """``"train,valid"`` -> ``("train", "valid")``, in the benchmark's order."""
    return _known_splits([part.strip() for part in text.split(",") if part.strip()])


def plan_download(
    out: Path,
    password: str | None,
    splits: Sequence[str] = SPLITS,
    resolution: Resolution = "224p",
    endpoint: str | None = None,
) -> DownloadPlan:
    """Look everything up, try the password, and compare the room needed with the room there is.

    Args:
        out: folder to download to.
        password: from SoccerNet's NDA.
        splits: of the benchmark's four.
        resolution: of the videos.
        endpoint: address of the hub; None for huggingface_hub's own (``HF_ENDPOINT``).

    Raises:
        InputError: no or wrong password, no access, no connection, too little room.
    """
    password = require_password(password)
    splits = _known_splits(splits)
    if resolution not in get_args(Resolution):
        raise InputError("--resolution", f"{resolution!r} is not one of {', '.join(get_args(Resolution))}")
    zips = []
    for split in splits:
        name = f"{resolution}/{split}.zip"
        zips.append(_plan_zip(split, find_hub_file(REPO, name, endpoint), out / name, password))
    plan = DownloadPlan(out, tuple(zips), free_bytes(out))
    if plan.needed_bytes > plan.free_bytes:
        to_fetch = readable_size(sum(zip_.fetch_bytes for zip_ in zips))
        to_unpack = readable_size(sum(zip_.unpack_bytes for zip_ in zips))
        what = f"too little room: {to_fetch} to fetch and {to_unpack} to unpack"
        fix = f"make room, choose fewer --splits, or another --out; {RESUMES}"
        raise InputError(out, f"{what}, and {readable_size(plan.free_bytes)} free", fix)
    return plan


def run_download(plan: DownloadPlan, password: str, show: Show = quiet) -> list[Path]:
    """Fetch and unpack, one zip after the other; what earlier runs fetched or unpacked is kept.

    Returns:
        The splits' folders, in the plan's order.
    """
    # A server without ranges shows a wrong password only once a zip is here: the smallest comes first.
    for zip_ in sorted(plan.zips, key=lambda zip_: 0 if zip_.measured else zip_.source.size):
        if zip_.unpacked and not zip_.path.exists():
            continue
        fetch(zip_.source, zip_.path, show)
        unpack_encrypted(zip_.path, _unpack_folder_of(zip_), password, show)
    return [zip_.folder for zip_ in plan.zips]


def download_baa(
    out: Path,
    password: str | None,
    splits: Sequence[str] = SPLITS,
    resolution: Resolution = "224p",
    show: Show = quiet,
    endpoint: str | None = None,
) -> list[Path]:
    """``plan_download`` and ``run_download``.

    Returns:
        The splits' folders, each with its ``Labels-ball.json`` and clips.
    """
    password = require_password(password)
    return run_download(plan_download(out, password, splits, resolution, endpoint), password, show)


def _known_splits(splits: Sequence[str]) -> tuple[str, ...]:
    unknown = [split for split in splits if split not in SPLITS]
    if unknown or not splits:
        what = f"{unknown[0]!r} is not one of {', '.join(SPLITS)}" if unknown else "no split is named"
        raise InputError("--splits", what, "for example --splits train,valid")
    return tuple(split for split in SPLITS if split in splits)


def _plan_zip(split: str, source: HubFile, path: Path, password: str) -> PlannedZip:
    to_fetch = source.size - fetched_bytes(source, path)
    try:
        with _open_anywhere(source, path) as archive:
            archive.check_password(password)
            missing = archive.missing(_unpack_folder(archive, path, split))
    except RangesRefusedError:
        return PlannedZip(split, source, path, to_fetch, source.size, unpacked=False, measured=False)
    to_unpack = sum(entry.size for entry in missing)
    return PlannedZip(split, source, path, to_fetch if missing else 0, to_unpack, not missing, measured=True)


@contextmanager
def _open_anywhere(source: HubFile, path: Path) -> Iterator[EncryptedZip]:
    """The zip on this disk where it is whole, else the hub's, of which only what is looked at is fetched."""
    if file_size(path) == source.size:
        with open_zip(path, path) as archive:
            yield archive
        return
    with open_zip(RangeReader(source), source.name) as archive:
        yield archive


def _unpack_folder_of(zip_: PlannedZip) -> Path:
    with open_zip(zip_.path, zip_.path) as archive:
        return _unpack_folder(archive, zip_.path, zip_.split)


def _unpack_folder(archive: EncryptedZip, path: Path, split: str) -> Path:
    """Beside the zip where its entries are ``train/clip_1/...``, in ``train`` where they are ``clip_1/...``."""
    return path.parent if archive.top_names == {split} else path.parent / split
