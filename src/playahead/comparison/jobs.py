"""Training and scoring the runs of a grid, each in a process and a folder of its own.

Whatever is there is not made again: a finished run is only scored, a scored one only read.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from playahead.comparison.grid import Grid
from playahead.comparison.scored import Scored, load, save, score
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.decoding.ensemble import average_readings
from playahead.decoding.readings import Readings
from playahead.learning.checkpoint import load_model
from playahead.learning.engine import TrainConfig
from playahead.learning.inference import join_readings
from playahead.learning.matches import Matches

Train = Callable[[TrainConfig, Path, Path | None], Path]
"""(configuration, folder, weights to start from) -> weights; resumes, and returns at once where all is done."""


class ScoredData(Protocol):
    """What is scored on."""

    def matches(self, split: str) -> Matches:
        """Of val or test."""
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


def run_folder(out: Path, variant: str, seed: int) -> Path:
    """``out/static-0``; whatever a path cannot hold is a dash."""
    plain = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in variant)
    return out / f"{plain}-{seed}"


def train(job: Job, run: Train, data: str) -> None:
    """Train a run, unless its weights are there and were made by this configuration on this ``data`` (its digest)."""
    told = job.folder / "trained.json"
    start = _digest(job.start / "weights.safetensors") if job.start else None
    wanted = json.dumps({**asdict(job.config), "start": start, "data": data}, sort_keys=True)
    if job.weights.exists() and told.exists() and told.read_text() == wanted:
        return
    run(job.config, job.folder, job.start / "weights.safetensors" if job.start else None)
    told.write_text(wanted)


def score_members(
    folder: Path,
    members: Sequence[Path],
    decodings: dict[str, Decoding],
    split: str,
    data: ScoredData,
) -> dict[str, Scored]:
    """Scores of a run's weights (or of several, read as one) with every decoding; kept in ``folder``.

    A decoding is chosen on val whatever ``split`` is. Threshold decoding needs slots: it is left out where there are
    none.
    """
    listed = [_digest(path) for path in members]
    about = {name: asdict(decoding) for name, decoding in decodings.items()}
    whole = json.dumps([listed, about, split, data.digest("val", split)], sort_keys=True)
    key = hashlib.sha256(whole.encode()).hexdigest()
    kept = folder / f"scores-{split}.npz"
    if (found := load(kept, key)) is not None:
        return found
    read = _Reader(members, data.matches)
    scored = {}
    for name, decoding in decodings.items():
        if decoding.kind == "threshold" and not read.has_slots:
            continue
        decoder = read.carried(decoding) or choose(decoding, read("val"), data.matches("val").table)
        scored[name] = score(decoder.scores(read(split)), data.matches(split).count_by_match)
    folder.mkdir(parents=True, exist_ok=True)
    save(kept, scored, key)
    return scored


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Reader:
    """Readings of one model, or of several averaged, each split read once."""

    def __init__(self, members: Sequence[Path], matches: Callable[[str], Matches]) -> None:
        self.models = [load_model(path) for path in members]
        self.matches = matches
        self._read: dict[str, Readings] = {}

    @property
    def has_slots(self) -> bool:
        return len(self.models) == 1 and self.models[0][0].config.head == "slots"

    def carried(self, decoding: Decoding) -> Decoder | None:
        """The decoder that the weights carry, where it is what was asked for."""
        if len(self.models) == 1 and decoding in (Decoding(), Decoding("threshold")):
            return decoder_of(self.models[0][1], decoding.kind)
        return None

    def __call__(self, split: str) -> Readings:
        if split not in self._read:
            members = [join_readings(self.matches(split).read(model)) for model, _ in self.models]
            self._read[split] = members[0] if len(members) == 1 else average_readings(members)
        return self._read[split]
