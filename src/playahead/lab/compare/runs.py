"""The runs of a grid: a folder each, trained in processes of their own; and what one, or several together, predict.

Cached scores are keyed by their inputs: weights, decodings, data and the version of the scoring code.
"""

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.datasets.pasts import past_of
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import Predictions, SlotPredictions, average_predictions
from playahead.evaluation.scores import Scores, load_scores, save_scores, score
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError, PlayaheadError
from playahead.io.files import file_digest, write_whole
from playahead.io.progress import Progress, Show, quiet
from playahead.io.runtime import keep_freed_memory
from playahead.lab.compare.grid import Grid, plain_name
from playahead.lab.results import code_of_training
from playahead.training.run import train
from playahead.training.trainer import TrainConfig

CODE = "code.json"  # in a run's folder: the code that trained it
_CHANGE_NO_FIGURE = ("device", "deterministic")  # settings; others make another run


@dataclass(frozen=True)
class Run:
    """A variant with a seed.

    Attributes:
        seed: seed of the run; index of weights that are there already.
        config: whole configuration; None for weights that are there already.
        start: folder of the run that it starts from, if any.
    """

    name: str
    seed: int
    folder: Path
    weights: Path
    config: TrainConfig | None = None
    start: Path | None = None


def runs_of(grid: Grid, out: Path) -> list[Run]:
    """Every variant with the first seed, then with the second ...: a grid that is stopped early still compares."""
    every = [(name, seed) for name in grid.variants for seed in grid.seeds_of(name)]
    runs = []
    for name, seed in sorted(every, key=lambda run: run[1]):
        variant, folder = grid.variants[name], run_folder(out, name, seed)
        start = run_folder(out, variant.start, seed) if variant.start else None
        config = variant.config and replace(variant.config, seed=seed)
        weights = folder / "weights.safetensors" if config else variant.weights[seed]
        runs.append(Run(name, seed, folder, weights, config, start))
    return runs


def run_folder(out: Path, variant: str, seed: int | str) -> Path:
    """``out/static-0``."""
    return out / f"{plain_name(variant)}-{seed}"


def train_runs(
    runs: Sequence[Run], grid: Grid, dataset: Dataset, split: str, processes: int, show: Show = quiet
) -> dict[str, str]:
    """Train and score all runs that have a configuration, each after its start; returns why which folders failed."""
    decodings = {} if grid.pasts else grid.decodings  # scores under pasts are made afterwards
    done = _done(runs, dataset, decodings, split)
    steps_of = {run.folder: run.config.total_steps for run in runs if run.config and run.folder not in done}
    runs = [run for run in runs if run.folder in steps_of]
    failed: dict[str, str] = {}
    waiting, running = list(runs), dict[Future[str], Run]()
    task, steps = f"{grid.name}: {len(runs)} runs", sum(steps_of.values())
    with _pool(processes) as pool:
        while waiting or running:
            # Submit what can begin: its start, if any, has ended. What starts from a failed run fails with it.
            pending = {run.folder for run in (*waiting, *running.values())}
            for run in [run for run in waiting if run.start not in pending]:
                waiting.remove(run)
                if run.start and run.start.name in failed:
                    failed[run.folder.name] = f"{run.start.name}, which it starts from, has failed"
                else:
                    running[pool.submit(_work, run, dataset, decodings, split)] = run
            # Collect what has ended, and show progress every two seconds.
            for future in wait(running, timeout=2, return_when=FIRST_COMPLETED).done:
                run = running.pop(future)
                try:
                    reason = future.result()
                except Exception as died:  # its process was killed
                    reason = f"{type(died).__name__}: {died}"
                if reason:
                    failed[run.folder.name] = reason
            under_way = [run.folder.name for run in list(running.values())[:processes]]
            steps_done = sum(_steps_done(run, steps_of[run.folder]) for run in runs)
            show(Progress(task, steps_done, steps, "steps", ", ".join(under_way[:4])))
    return failed


def _done(runs: Sequence[Run], dataset: Dataset, decodings: Mapping[str, Decoding], split: str) -> set[Path]:
    """Folders of runs that need no process: they, and those that they start from, are trained and scored already."""
    done: set[Path] = set()
    for run in runs:
        record = run.folder / "trained.json"
        if run.config and run.weights.exists() and record.exists() and (run.start is None or run.start in done):
            is_same = record.read_text() == _inputs(run, dataset)
            members = Members([run.weights], dataset)
            if is_same and (not decodings or members.scores(decodings, split, run.folder, only_cached=True)):
                done.add(run.folder)
    return done


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that share the cores and end with the block; runs that wait are dropped, and resume another time."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // processes))
    pool = ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _work(run: Run, dataset: Dataset, decodings: Mapping[str, Decoding], split: str) -> str:
    """Train a run, unless that is done, and score it, in a process of its own; returns what went wrong, or nothing."""
    keep_freed_memory()
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / "output.txt").open("a") as output:
        tenth = -1

        def show(progress: Progress) -> None:
            nonlocal tenth
            if (now := int(10 * progress.done / max(progress.total, 1))) != tenth:
                tenth = now
                print(f"{progress.task}: {10 * now} % {progress.note}", file=output, flush=True)

        try:
            record, inputs = run.folder / "trained.json", _inputs(run, dataset)
            if record.exists() and record.read_text() != inputs:
                raise InputError(run.folder, "holds a run with other settings or data", "choose another folder")
            if not (record.exists() and run.weights.exists()):
                assert run.config is not None
                _note_code(run.folder / CODE)
                start = run.start / "weights.safetensors" if run.start else None
                train(dataset, run.config, run.folder, start, show=show)
                write_whole(record, inputs)
            if decodings:
                Members([run.weights], dataset).scores(decodings, split, run.folder)
        except Exception as reason:  # the other runs go on, and the table names this one
            print(f"failed: {reason}", file=output)
            return str(reason) if isinstance(reason, PlayaheadError) else f"{type(reason).__name__}: {reason}"
    return ""


def _note_code(path: Path) -> None:
    """Write down which code trains a run; of a run that is resumed by other code, the code that began it stays."""
    began = json.loads(path.read_text()) if path.exists() else {}
    write_whole(path, json.dumps(code_of_training() | began, indent=1))


def code_of_runs(runs: Iterable[Run]) -> dict[str, str]:
    """Digests of today's code, but those of the code that trained a run where that was another, or is not known."""
    found = today = code_of_training()
    for run in (run for run in runs if run.config):
        path = run.folder / CODE
        trained = json.loads(path.read_text()) if path.exists() else {f"unknown: {run.folder.name}": ""}
        found = found | {name: digest for name, digest in trained.items() if today.get(name) != digest}
    return found


def _inputs(run: Run, dataset: Dataset) -> str:
    """Everything that decides what a run becomes: its settings, the weights that it starts from, the data."""
    assert run.config is not None
    settings = {name: value for name, value in asdict(run.config).items() if name not in _CHANGE_NO_FIGURE}
    start = file_digest(run.start / "weights.safetensors") if run.start else None
    return json.dumps({**settings, "start": start, "data": dataset.digest("train", "val")}, sort_keys=True)


def _steps_done(run: Run, total: int) -> int:
    """Steps in its log, which is a few kB."""
    if run.weights.exists():
        return total
    try:
        with (run.folder / "log.csv").open(newline="") as file:
            return max((int(row["step"]) for row in csv.DictReader(file)), default=0)
    except (OSError, KeyError, ValueError, TypeError, csv.Error):
        return 0


_FORMAT = 6  # of cached scores: another number where scoring or decoding changes its figures


class Members:
    """One file of weights, or several whose probabilities are averaged as logits.

    A ``past`` is one of ``datasets.pasts.PASTS``, or empty for the data as they are, on which decodings are chosen.
    """

    def __init__(self, weights: Sequence[Path], dataset: Dataset) -> None:
        self.weights, self.dataset = list(weights), dataset
        self._predictions: dict[tuple[str, str], Predictions] = {}
        self._decoders: dict[Decoding, Decoder] = {}

    @cached_property
    def predictors(self) -> list[Predictor]:
        """Opened when they are first needed: cached scores need none."""
        return [Predictor.open(path, self.dataset.features) for path in self.weights]

    def predict(self, split: str, past: str = "", show: Show = quiet) -> Predictions:
        """Predictions of a split."""
        if (split, past) not in self._predictions:
            observed = self.dataset.seen_as(past, split) if past else self.dataset.evaluation_set(split)
            each = [predictor.predict_all(observed, show) for predictor in self.predictors]
            self._predictions[split, past] = each[0] if len(each) == 1 else average_predictions(each)
        return self._predictions[split, past]

    def decoder(self, decoding: Decoding) -> Decoder:
        """The decoder stored with the weights if it matches, else one chosen on val."""
        if len(self.weights) == 1 and decoding in (Decoding(), Decoding("tuned-threshold")):
            return self.predictors[0].decoder(decoding.kind)
        if decoding not in self._decoders:
            self._decoders[decoding] = choose(decoding, self.predict("val"), self.dataset.evaluation_set("val").table)
        return self._decoders[decoding]

    def score(self, decoding: Decoding, split: str, past: str = "") -> Scores:
        """Scores of a split."""
        decoded = self.decoder(decoding).scores(self.predict(split, past))
        return score(decoded, self.dataset.evaluation_set(split).count_by_match)

    def scores(
        self, decodings: Mapping[str, Decoding], split: str, folder: Path, past: str = "", only_cached: bool = False
    ) -> dict[str, Scores]:
        """Scores with every decoding, cached in ``folder``; without decodings of slots if the model has none.

        With ``only_cached``, nothing is returned if there is no cache of the same inputs.
        """
        if not all(path.exists() for path in self.weights) and only_cached:
            return {}
        cache = folder / f"{'-'.join(['scores', split, *past.split()])}.npz"
        settings = {name: asdict(decoding) for name, decoding in decodings.items()}
        digests = [file_digest(path) for path in self.weights]
        inputs: list[object] = [_FORMAT, digests, settings, split, self.dataset.digest("val", split)]
        inputs += [asdict(past_of(past))] if past else []
        key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        if (cached := load_scores(cache, key)) is not None or only_cached:
            return cached or {}
        scored = {
            name: self.score(decoding, split, past)
            for name, decoding in decodings.items()
            if decoding.kind == "marginal" or isinstance(self.predict(split, past), SlotPredictions)
        }
        folder.mkdir(parents=True, exist_ok=True)
        save_scores(cache, scored, key)
        return scored
