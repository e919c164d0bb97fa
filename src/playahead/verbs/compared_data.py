"""What a grid is compared on: an event feed, or stored video features with their labels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playahead.baselines.constant_rate import ConstantRate
from playahead.baselines.markov import MarkovRenewal
from playahead.comparison.grid import Grid
from playahead.comparison.scored import Scored, score
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.readings import Readings
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS
from playahead.errors import InputError
from playahead.features.store import FeatureStore
from playahead.learning.checkpoint import load_feed_model, load_video_model
from playahead.learning.engine import TrainConfig
from playahead.learning.inference import join_readings
from playahead.learning.matches import FeedMatches, Matches, RecordedMatches
from playahead.model.anticipator import Anticipator
from playahead.sources.feed_tables import read_split
from playahead.sources.soccernet_baa import LABELS_NAME
from playahead.spotting.videos import is_clip_split
from playahead.verbs.recordings import recordings_of
from playahead.verbs.train import run_feed, run_video
from playahead.windows.dataset import FeedWindows

_SAMPLE_MATCHES = 12


@dataclass(frozen=True)
class Source:
    """The data that a grid is compared on: a feed, or stored video features with their labels.

    ``matches`` gives a split's matches, read once in each process.
    """

    data: Path
    features: Path | None
    _kept: dict[str, Matches] = field(default_factory=dict, compare=False)

    def __getstate__(self) -> dict:
        return {"data": self.data, "features": self.features, "_kept": {}}

    def check(self, grid: Grid, split: str) -> None:
        """Refuse what cannot be, before anything is trained."""
        if self.features and "markov" in grid.baselines:
            raise InputError("baselines", "markov reads what happened, which video does not tell")
        for needed in ("train", split):
            if self.features is None and not (self.data / f"{needed}.npz").exists():
                raise InputError(self.data / f"{needed}.npz", "no such file")
            if self.features is not None and not self.folder(needed).is_dir():
                raise InputError(self.folder(needed), "no such folder")
        self.matches("val")
        self.matches(split)

    def load(self, weights: Path) -> tuple[Anticipator, dict[str, object]]:
        """A model, refused where it was trained on other features."""
        if self.features is None:
            return load_feed_model(weights)
        return load_video_model(weights, FeatureStore(self.features).facts.weights)

    @property
    def notice(self) -> str:
        """A leak that the features' backbone has; empty if none."""
        if self.features is None:
            return ""
        return str(FeatureStore(self.features).facts.provenance.get("notice", ""))

    def unit(self, split: str) -> str:
        """What is drawn again for intervals: clips do not say which match they are of."""
        return "five-minute runs of clips" if self.features and is_clip_split(self.folder(split)) else "matches"

    def matches(self, split: str) -> Matches:
        """Of val or test."""
        if split not in self._kept:
            if self.features is None:
                self._kept[split] = FeedMatches(read_split(self.data, split))
            else:
                recordings = recordings_of(FeatureStore(self.features), self.folder(split))
                self._kept[split] = RecordedMatches(recordings)
        return self._kept[split]

    def digest(self, *splits: str) -> str:
        """Tells whether these splits are what they were: of their tables, or of their labels and the store's making."""
        if self.features is None:
            files = [self.data / f"{split}.npz" for split in splits]
        else:
            files = [self.features / "manifest.json", *(p for s in splits for p in self._files(s))]
        whole = hashlib.sha256()
        for path in files:
            whole.update(path.read_bytes() if path.exists() else b"none")
        return whole.hexdigest()

    def _files(self, split: str) -> list[Path]:
        """Labels, and the journals that say which windows' features each video has."""
        assert self.features is not None
        journals = (self.features / "videos" / self.folder(split).name).rglob("*.jsonl")
        return sorted([*self.folder(split).rglob(LABELS_NAME), *journals])

    def folder(self, split: str) -> Path:
        """Of a split's videos and labels."""
        return self.data / {"val": "valid"}.get(split, split)

    def train(self, config: TrainConfig, folder: Path, start: Path | None) -> Path:
        """One run; returns its weights."""
        if self.features is None:
            windows = FeedWindows(read_split(self.data, "train"), config.observations)
            validation = self.matches("val")
            assert isinstance(validation, FeedMatches)
            return run_feed(config, windows, validation, _SAMPLE_MATCHES, folder, start)
        store, validation = FeatureStore(self.features), self.matches("val")
        assert isinstance(validation, RecordedMatches)
        training = recordings_of(store, self.folder("train"))
        return run_video(config, store, training, validation.recordings, folder, start)

    def baseline(self, name: str, split: str) -> Scored:
        """A baseline fitted on train, its scale chosen on val."""
        halves, lasted_ms = self._training()
        fitted = ConstantRate(halves, lasted_ms) if name == "constant-rate" else MarkovRenewal(halves)

        def read(matches: Matches) -> Readings:
            pairs = zip(matches.halves, matches.end_ms, strict=True)
            return join_readings([fitted.read(half, ends) for half, ends in pairs])

        decoder = choose(Decoding(), read(self.matches("val")), self.matches("val").table)
        matches = self.matches(split)
        return score(decoder.scores(read(matches)), matches.count_by_match)

    def _training(self) -> tuple[Sequence[FeedHalf], int]:
        """Halves (or clips) of train, and how long their labels last in all."""
        if self.features is None:
            halves = read_split(self.data, "train")
            return halves, sum(int(half.t_ms[-1]) for half in halves if len(half))
        recordings = recordings_of(FeatureStore(self.features), self.folder("train"))
        lasted_ms = sum(recording.last_end_ms + ANTICIPATION_MS for recording in recordings)
        return [recording.actions for recording in recordings], lasted_ms
