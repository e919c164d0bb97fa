"""Features of video on disk: one small file for each distinct window, and a journal for each video.

``windows/3f/3f09...npy`` holds float16 (N, F), named by the hash of the window's frames: two workers that meet the same
window write the same bytes, so sharing, resuming, shards and other machines need no locks. ``videos/NAME.jsonl``
lists a video's windows in order, each in a line that is written when it is done; a last line closes it. A torn line is
ignored. ``manifest.json`` names the weights and the input size of all features.

Axes: W windows, N snippets, F features.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.io.errors import InputError
from playahead.io.files import FORMAT, atomic_write, require_file, require_format, strict_json, write_whole
from playahead.io.settings import build

MANIFEST = "manifest.json"
_MAX_BYTES = 1 << 20  # of a manifest
_MAX_PIXELS = 16_384
_MAX_FEATURES = 65_536


@dataclass(frozen=True)
class StoreFacts:
    """Description of a store's features; a store holds features of one kind.

    Attributes:
        weights: SHA-256 of the backbone's weights; of imported features, how they were made.
        input_size: width, height and luma range; None of imported features.
        precision: "float32", "tf32" (CUDA) or "bfloat16".
        snippets: snippets of a window, N.
        feature_dim: features of a snippet, F.
        provenance: origin of the weights, and a notice about them if there is one.
    """

    weights: str
    input_size: tuple[int, int, Literal["limited", "full"]] | None
    precision: Literal["float32", "tf32", "bfloat16"]
    snippets: int
    feature_dim: int
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        width, height, luma = self.input_size or (1, 1, "full")
        if not (self.weights and self.weights.isprintable()):
            raise InputError("StoreFacts.weights", f"{self.weights!r} is not a digest")
        if not (0 < width <= _MAX_PIXELS and 0 < height <= _MAX_PIXELS and luma in ("limited", "full")):
            raise InputError("StoreFacts.input_size", f"{self.input_size} is not a width, a height and limited or full")
        for name in ("snippets", "feature_dim"):
            if not 1 <= getattr(self, name) <= _MAX_FEATURES:
                raise InputError(f"StoreFacts.{name}", f"{getattr(self, name)} is not in 1..{_MAX_FEATURES}")

    @property
    def window_bytes(self) -> int:
        """Size of a window's file."""
        return self.snippets * self.feature_dim * 2 + 128


@dataclass
class Journal:
    """State of one video: its windows so far, and whether these are all.

    Attributes:
        keys: names of its windows in time order, 5 s each from the video's start.
        closed: whether the video was read to its end.
        notices: what could not be used of it.
        failed: reason why it could not be read, if so; the next extraction tries again.
    """

    keys: list[str] = field(default_factory=list)
    closed: bool = False
    notices: list[str] = field(default_factory=list)
    failed: str = ""


class FeatureStore:
    """A folder of features.

    Raises:
        InputError: no store there, a damaged manifest, or (with ``facts``) a store of other weights or input_size.
    """

    def __init__(self, folder: Path, facts: StoreFacts | None = None) -> None:
        self.folder = folder
        self._opened: dict[str, NDArray[np.float16]] = {}  # a window that clips share is mapped once
        path = folder / MANIFEST
        if facts is not None and not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps({**asdict(facts), "format": FORMAT}, indent=1), shared=True)
        self.facts = _read_facts(path)
        if facts is not None and replace(facts, provenance={}) != replace(self.facts, provenance={}):
            what = "holds features of other weights, input size or precision"
            raise InputError(folder, what, "choose another folder")

    @property
    def features(self) -> dict[str, object]:
        """Description of the features, as weights keep it and ``AnyPredictor.check`` reads it."""
        return {"kind": "video", **asdict(self.facts)}

    @property
    def notice(self) -> str:
        """Notice about the backbone's weights, such as a leak; empty if there is none."""
        return str(self.facts.provenance.get("notice", ""))

    def window_path(self, key: str) -> Path:
        """Path of a window's features, existing or not."""
        return self.folder / "windows" / key[:2] / f"{key}.npy"

    def has(self, key: str) -> bool:
        """Check whether the store holds a window."""
        return self.window_path(key).exists()

    def write(self, key: str, features_NF: NDArray[np.float16]) -> None:
        """Add a window; it appears whole or not at all."""
        path = self.window_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, shared=True) as part, part.open("wb") as file:
            np.save(file, features_NF, allow_pickle=False)

    def read(self, key: str) -> NDArray[np.float16]:
        """Read a window, features_NF, memory-mapped.

        Raises:
            InputError: missing or damaged.
        """
        if key in self._opened:
            return self._opened[key]
        path = self.window_path(key)
        try:
            features_NF = np.lib.format.open_memmap(path, mode="r")  # np.load would also open an archive or a pickle
        except Exception as reason:  # NumPy's parser of the header raises errors of many kinds
            what = f"not a window of features ({' '.join(str(reason).split())})"
            raise InputError(path, what, "delete it and extract again") from None
        if features_NF.shape != (self.facts.snippets, self.facts.feature_dim) or features_NF.dtype != np.float16:
            raise InputError(path, f"holds {features_NF.dtype} {features_NF.shape}", "delete it and extract again")
        if not np.isfinite(features_NF).all():
            raise InputError(path, "holds NaN or infinity", "delete it and extract again")
        self._opened[key] = features_NF
        return features_NF

    def journal_path(self, video: str) -> Path:
        """Path of a video's journal; ``video`` is a relative name such as ``train/clip_1``."""
        return self.folder / "videos" / f"{video}.jsonl"

    def journal(self, video: str) -> Journal:
        """Read a video's journal; an empty one if there is none."""
        path, journal = self.journal_path(video), Journal()
        for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if not isinstance(entry, dict):
                break
            if "window" in entry:
                journal.keys.append(str(entry["window"]))
            elif "failed" in entry:
                journal.failed = str(entry["failed"])
            elif "notices" in entry:
                journal.closed, journal.notices = True, [str(notice) for notice in entry["notices"]]
            else:
                break
        return journal

    def videos(self) -> Iterator[str]:
        """Names of the videos that were read to their end, sorted."""
        root = self.folder / "videos"
        for path in sorted(root.rglob("*.jsonl")):
            name = path.relative_to(root).with_suffix("").as_posix()
            if self.journal(name).closed:
                yield name

    def windows(self, video: str) -> list[NDArray[np.float16]]:
        """Read all windows of a video, features_NF each, memory-mapped.

        Raises:
            InputError: it was not read to its end, or a window is missing or damaged.
        """
        journal = self.journal(video)
        if not journal.closed:
            raise InputError(self.folder, f"{video} is not extracted", "run playahead extract (again)")
        return [self.read(key) for key in journal.keys]


class JournalWriter:
    """Appends to one video's journal; a torn line at its end is cut away first."""

    def __init__(self, store: FeatureStore, video: str) -> None:
        self.path = store.journal_path(video)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.keys = store.journal(video).keys
        whole = b"".join(_line({"window": key}) for key in self.keys)
        if not self.path.exists() or self.path.read_bytes() != whole:
            write_whole(self.path, whole, shared=True)

    def add(self, key: str) -> None:
        """List a window that is in the store."""
        self._append({"window": key})
        self.keys.append(key)

    def close(self, notices: list[str]) -> None:
        """Mark the video as read to its end."""
        self._append({"notices": notices})

    def fail(self, reason: str) -> None:
        """Note why the video cannot be read on from here."""
        self._append({"failed": reason})

    def _append(self, entry: Mapping[str, object]) -> None:
        with self.path.open("ab") as file:
            file.write(_line(entry))


def _line(entry: Mapping[str, object]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _read_facts(path: Path) -> StoreFacts:
    if not path.exists():
        raise InputError(path.parent, "no features here", "run playahead extract")
    require_file(path, _MAX_BYTES)
    try:
        values = strict_json(path.read_bytes())
    except (OSError, ValueError, RecursionError) as reason:
        raise InputError(path, f"not a manifest of features ({reason})") from None
    if isinstance(values, dict):
        require_format(values, path)
        del values["format"]
    return build(StoreFacts, values, f"{path}: not a manifest of features")
