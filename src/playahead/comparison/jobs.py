"""Training and scoring the runs of a grid, each in a process and a folder of its own.

Whatever is there is not made again: a finished run is only scored, a scored one only read.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from torch import nn

from playahead.comparison.grid import Grid, plain_name
from playahead.comparison.scored import Scored, load, save, score
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.decoding.ensemble import average_readings
from playahead.decoding.readings import Readings
from playahead.errors import InputError
from playahead.learning.engine import TrainConfig
from playahead.learning.inference import join_readings
from playahead.learning.matches import Matches

_FORMAT = 2  # of kept scores: another number where scoring or decoding changes what it says

Train = Callable[[TrainConfig, Path, Path | None], Path]
"""(configuration, folder, weights to start from) -> weights; resumes, and returns at once where all is done."""


class ScoredData(Protocol):
    """What is scored on."""

    def matches(self, split: str) -> Matches:
        """Of val or test."""
        ...

    def load(self, weights: Path) -> tuple[nn.Module, dict[str, object]]:
        """A model for its features, and what is known about it."""
        ...

    def digest(self, *splits: str) -> str:
        """Another one where they are not what they were."""
        ...


@dataclass(frozen=True)
class Job:
    """One run: a variant with a seed.

    Attributes:
        name: of the variant.
        seed: of the run.
        config: all of it.
        folder: its own.
        start: folder of the run that it starts from, or None.
    """

    name: str
    seed: int
    config: TrainConfig
    folder: Path
    start: Path | None

    @property
    def weights(self) -> Path:
        """There when it is trained."""
        return self.folder / "weights.safetensors"


def jobs_of(grid: Grid, out: Path) -> list[Job]:
    """Every variant with the first seed, then with the second ...: a grid that is stopped early still compares."""
    return [
        Job(
            variant.name,
            seed,
            replace(variant.config, seed=seed),
            run_folder(out, variant.name, seed),
            run_folder(out, variant.start, seed) if variant.start else None,
        )
        for seed in grid.seeds
        for variant in grid.variants.values()
    ]


def run_folder(out: Path, variant: str, seed: int | str) -> Path:
    """``out/static-0``."""
    return out / f"{plain_name(variant)}-{seed}"


def train(job: Job, run: Train, data: str) -> None:
    """Train a run, unless its weights are there and were made by this configuration on this ``data`` (its digest)."""
    told = job.folder / "trained.json"
    start = _digest(job.start / "weights.safetensors") if job.start else None
    wanted = json.dumps({**asdict(job.config), "start": start, "data": data}, sort_keys=True)
    if told.exists() and told.read_text() != wanted:
        raise InputError(job.folder, "holds a run with other settings or data", "choose another --out")
    if told.exists() and job.weights.exists():
        return
    run(job.config, job.folder, job.start / "weights.safetensors" if job.start else None)
    told.write_text(wanted)


def score_members(
    folder: Path,
    members: Sequence[Path],
    decodings: Mapping[str, Decoding],
    split: str,
    data: ScoredData,
) -> dict[str, Scored]:
    """Scores of a run's weights (or of several, read as one) with every decoding; kept in ``folder``.

    A decoding is chosen on val whatever ``split`` is. Threshold decoding needs slots: it is left out where there are
    none.
    """
    key = _key(members, decodings, split, data)
    if (found := load(folder / f"scores-{split}.npz", key)) is not None:
        return found
    read = Reader(members, data)
    scored = {}
    for name, decoding in decodings.items():
        if decoding.kind == "threshold" and not read.has_slots:
            continue
        scored[name] = score(read.decoder(decoding).scores(read(split)), data.matches(split).count_by_match)
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / f"scores-{split}.npz", scored, key)
    return scored


def kept_scores(
    folder: Path, members: Sequence[Path], decodings: Mapping[str, Decoding], split: str, data: ScoredData
) -> dict[str, Scored]:
    """What ``score_members`` has kept; nothing where it has not, or of something else."""
    if not all(path.exists() for path in members):
        return {}
    return load(folder / f"scores-{split}.npz", _key(members, decodings, split, data)) or {}


def _key(members: Sequence[Path], decodings: Mapping[str, Decoding], split: str, data: ScoredData) -> str:
    """Of all that scores rest on; ``_FORMAT`` is of the code that makes them."""
    about = {name: asdict(decoding) for name, decoding in decodings.items()}
    whole = [_FORMAT, [_digest(path) for path in members], about, split, data.digest("val", split)]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Reader:
    """Readings of one model, or of several averaged, each split read once.

    Args:
        members: weights; refused where they were trained on other features than ``data`` has.
        data: what is read.
    """

    def __init__(self, members: Sequence[Path], data: ScoredData) -> None:
        self.models = [data.load(path) for path in members]
        self.data = data
        self._read: dict[str, Readings] = {}

    @property
    def has_slots(self) -> bool:
        return len(self.models) == 1 and self.models[0][0].config.head == "slots"  # type: ignore[union-attr]

    def decoder(self, decoding: Decoding) -> Decoder:
        """The one that the weights carry, where it is what was asked for; else chosen on val."""
        if len(self.models) == 1 and decoding in (Decoding(), Decoding("threshold")):
            return decoder_of(self.models[0][1], decoding.kind)
        return choose(decoding, self("val"), self.data.matches("val").table)

    def __call__(self, split: str, advance: Callable[[], None] = lambda: None) -> Readings:
        if split not in self._read:
            members = [join_readings(self.data.matches(split).read(model, advance)) for model, _ in self.models]
            self._read[split] = members[0] if len(members) == 1 else average_readings(members)
        return self._read[split]
