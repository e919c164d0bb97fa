"""The data that runs train on and are scored on, behind one protocol: an event feed, or stored features of video."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playahead.datasets.evaluation_set import EvaluationSet, FeedEvaluationSet, VideoEvaluationSet
from playahead.datasets.pasts import past_of
from playahead.datasets.stored import labelled_features, note_short
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS
from playahead.domain.notices import Notices
from playahead.features.forms import AS_RECORDED, FEED_FEATURES, Reading
from playahead.features.store import FeatureStore
from playahead.io.errors import InputError
from playahead.io.files import match_file
from playahead.sources.feed_tables import read_split
from playahead.sources.feeds import matches_among, read_feed
from playahead.sources.layouts import (
    find_labelled_videos,
    folder_of_split,
    is_clip_split,
    name_of_split,
    resampled_unit,
)
from playahead.sources.soccernet import LABELS_NAME

if TYPE_CHECKING:  # they need PyTorch
    from playahead.datasets.examples import Examples, FeedExamples, VideoExamples


class Dataset(ABC):
    """Splits to train on and to score on.

    Attributes:
        folder: folder of the splits.
        features: description of its windows' features, as weights keep it and ``Predictor.check`` reads it.
        notices: facts that a reader of its figures should know, such as a leak of its features.
    """

    features: Mapping[str, object]

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.notices = Notices()
        self._read: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_read": {}}

    @abstractmethod
    def training_examples(
        self, examples: int, degraded: float = 0.0, augment: bool = True, reading: Reading = AS_RECORDED
    ) -> "Examples":
        """Sequences of so many examples of the train split.

        Args:
            examples: number of examples in a sequence.
            degraded: share of the sequences that are observed through worse sources (feeds only).
            augment: shift and mirror at random (feeds only).
            reading: how the model reads a feed.
        """

    @abstractmethod
    def evaluation_set(self, split: str) -> EvaluationSet:
        """Examples of val or test to score on; read once."""

    def seen_as(self, past: str, split: str) -> EvaluationSet:
        """Examples of a split observed through another source, one of ``pasts.PASTS``; labels stay.

        Raises:
            InputError: not a feed.
        """
        raise InputError("pasts", f"{past!r} of {split} is a past of a feed, and this is video")

    @abstractmethod
    def validation_sample(self, matches: int) -> EvaluationSet:
        """Examples that are scored while training: the first matches of val, or all of it."""

    @abstractmethod
    def training_halves(self) -> tuple[Sequence[FeedHalf], int]:
        """Halves (or clips) of train to fit baselines on, and the length that their labels span in all, ms."""

    @abstractmethod
    def digest(self, *splits: str) -> str:
        """Digest of these splits; changes whenever the data does."""

    @abstractmethod
    def place(self, split: str) -> Path:
        """File or folder of a split."""

    def check(self, *splits: str) -> None:
        """Refuse a dataset that lacks train or one of these splits, before anything is trained on it.

        Raises:
            InputError: the missing file or folder, or why a split cannot be read.
        """
        for place in map(self.place, ("train", *splits)):
            if not place.exists():
                raise InputError(place, f"no such {'file' if place.suffix else 'folder'}")
        for split in splits:
            self.evaluation_set(split)


class FeedDataset(Dataset):
    """A folder of compact feed tables: train.npz, val.npz, test.npz."""

    features = FEED_FEATURES

    def training_examples(
        self, examples: int, degraded: float = 0.0, augment: bool = True, reading: Reading = AS_RECORDED
    ) -> "FeedExamples":
        """Sequences of any half of train."""
        from playahead.datasets.examples import FeedExamples

        return FeedExamples(read_split(self.folder, "train"), examples, degraded, augment, reading)

    def evaluation_set(self, split: str) -> FeedEvaluationSet:
        """Every example that the benchmark asks for."""
        if split not in self._read:
            self._read[split] = FeedEvaluationSet(read_split(self.folder, split), split)
        return self._read[split]

    def seen_as(self, past: str, split: str) -> FeedEvaluationSet:
        key = f"{split}, {past}"
        if key not in self._read:
            self._read[key] = self.evaluation_set(split).seen_as(past_of(past))
        return self._read[key]

    def validation_sample(self, matches: int) -> FeedEvaluationSet:
        """The first matches of val."""
        return self.evaluation_set("val").first_matches(matches)

    def training_halves(self) -> tuple[Sequence[FeedHalf], int]:
        """All halves of train."""
        halves = read_split(self.folder, "train")
        return halves, sum(int(half.t_ms[-1]) for half in halves if len(half))

    def digest(self, *splits: str) -> str:
        """Digest of the tables."""
        return _digest(map(self.place, splits))

    def place(self, split: str) -> Path:
        """Table of a split."""
        return self.folder / f"{split}.npz"


class VideoDataset(Dataset):
    """Labelled splits of clips or of whole matches, with the features that a store has of their videos.

    Args:
        folder: folder of train, valid and test.
        features: folder of the store.
    """

    def __init__(self, folder: Path, features: Path) -> None:
        super().__init__(folder)
        self.store = FeatureStore(features.absolute())
        self.features = self.store.features
        if self.store.notice:
            self.notices.add(self.store.notice)

    def training_examples(
        self, examples: int, degraded: float = 0.0, augment: bool = True, reading: Reading = AS_RECORDED
    ) -> "VideoExamples":
        """Sequences on the stored 5-s grid."""
        del augment
        if reading != AS_RECORDED:
            raise InputError("AnticipatorConfig.encoder", f"{reading.form} reads feeds, and this is video")
        if degraded:
            raise InputError("TrainConfig.degraded", f"{degraded} is not 0, but only feeds can be degraded")
        videos = labelled_features(self.store, self.place("train"))
        note_short(videos, self.notices)
        from playahead.datasets.examples import VideoExamples

        return VideoExamples(videos, examples)

    def evaluation_set(self, split: str) -> VideoEvaluationSet:
        """Every example of every video."""
        if split not in self._read:
            self._read[split] = video_evaluation_set(self.place(split), self.store)
        return self._read[split]

    def validation_sample(self, matches: int) -> VideoEvaluationSet:
        """All of valid: it is small."""
        del matches
        return self.evaluation_set("val")

    def training_halves(self) -> tuple[Sequence[FeedHalf], int]:
        """All clips or halves of train."""
        videos = labelled_features(self.store, self.place("train"))
        return [video.actions for video in videos], sum(video.last_end_ms + ANTICIPATION_MS for video in videos)

    def digest(self, *splits: str) -> str:
        """Digest of the labels, and of the journals that say which windows' features each video has."""
        files = [self.store.folder / "manifest.json"]
        for place in map(self.place, splits):
            labels = [place] if place.is_file() else place.rglob(LABELS_NAME)
            journals = (self.store.folder / "videos" / name_of_split(place)).rglob("*.jsonl")
            files += sorted([*labels, *journals])
        return _digest(files)

    def place(self, split: str) -> Path:
        """Folder or annotations of a split."""
        return folder_of_split(self.folder, split)


def open_dataset(folder: Path, features: Path | None = None) -> Dataset:
    """Open a folder of compact feed tables, or with a feature store the splits that its videos belong to."""
    return FeedDataset(folder) if features is None else VideoDataset(folder, features)


def feed_evaluation_set(
    place: Path | Sequence[Path], split: str = "val", seen: Path | None = None
) -> FeedEvaluationSet:
    """Examples of a split of a folder of compact tables, or of the matches of one file, as any provider ships them.

    Args:
        place: the folder, or the file ("sample": the match that ships); or all files of one match, in any order.
        split: split of a folder.
        seen: another file of the same matches, such as an action spotter's, which is observed instead; labels still
            come from ``place``.

    Raises:
        InputError: a file that cannot be read, or a half that the other one lacks.
    """
    notices, notices_on_seen = Notices(), Notices()
    files = [match_file(file) for file in ([place] if isinstance(place, Path) else place)]
    if len(files) == 1 and not files[0].is_file():
        found = FeedDataset(files[0]).evaluation_set(split)
    else:
        matches = matches_among(files)
        if len(matches) > 1:
            what = f"is a match of its own, beside {matches[0][0]}"
            raise InputError(matches[1][0], what, "put several matches into one table with convert_feeds")
        ((match, companions),) = matches
        found = FeedEvaluationSet(read_feed(match, notices, companions), match.name)
    if seen is not None:
        observed = read_feed(seen, notices_on_seen)
        found = FeedEvaluationSet(found.halves, found.split, _seen_in(observed, seen, found.matches))
    for line in (*notices.lines, *notices_on_seen.lines):
        found.notices.add(line)
    return found


def _seen_in(halves: Sequence[FeedHalf], path: Path, matches: Sequence[int]) -> Callable[[FeedHalf], FeedHalf]:
    """Observe the same half of the same match in another file; matches are paired in their order."""
    theirs = list(dict.fromkeys(half.match for half in halves))
    by_place = {(theirs.index(half.match), half.half): half for half in halves}

    def observe(half: FeedHalf) -> FeedHalf:
        place = matches.index(half.match)
        if (place, half.half) not in by_place:
            raise InputError(path, f"has no half {half.half} of match {place + 1}, which is to be scored")
        return by_place[place, half.half]

    return observe


def video_evaluation_set(folder: Path, store: FeatureStore) -> VideoEvaluationSet:
    """Examples of one labelled split, with the features that a store has of its videos."""
    videos = labelled_features(store, folder)
    evaluation_set = VideoEvaluationSet(videos, store.features, name_of_split(folder), resampled_unit(folder))
    if not is_clip_split(folder):
        find_labelled_videos(folder, evaluation_set.notices, need_videos=False)
    note_short(videos, evaluation_set.notices)
    return evaluation_set


def _digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes() if path.exists() else b"none")
    return whole.hexdigest()
