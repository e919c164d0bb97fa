"""Makes results: weights scored on a split of a feed, or anybody's evaluations, written with all that made them."""

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from playahead.datasets.benchmark import wyscout_baa
from playahead.datasets.dataset import FeedDataset
from playahead.datasets.pasts import past_of
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.scores import Evaluation, save_scores
from playahead.inference.evaluate import evaluate
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.io.files import atomic_write, file_digest, packaged_weights, require_file, write_whole
from playahead.io.hub import weights_file
from playahead.io.progress import Show, quiet
from playahead.io.settings import build
from playahead.lab.results import PACKAGED, Result, code_in_use, figures


def record_feed(
    path: Path,
    data: Path,
    split: str = "test",
    past: str = "",
    weights: Sequence[Path | str] = (),
    model: str = "",
    predictions: Path | None = None,
    show: Show = quiet,
) -> Result:
    """Score weights on a split of a folder of feed tables, and write the result; the mean of several weights.

    Args:
        path: the .json to write.
        data: folder of the tables.
        split: train, val or test.
        past: one of ``pasts.PASTS``, or "".
        weights: a file, or a name on the Hugging Face Hub, for each seed; the packaged one if there is none.
        model: which model it is, in words; the names of the weights if not given.
        predictions: .npz to keep the scored frames of the first weights in, as float16: a frame case, which
            ``playahead evaluate frames`` reads. Another name than that of the counts, which lie beside the result.
        show: progress of the scoring.

    Raises:
        InputError: see ``record``; or there is no such past, or the tables or weights cannot be read.
    """
    if predictions is not None and predictions.resolve() == path.with_suffix(".npz").resolve():
        raise InputError(predictions, "is where the result's counts go", "choose another name for the predictions")
    of_split = FeedDataset(data).evaluation_set(split)
    recognised = wyscout_baa().recognise(of_split.halves)
    seen = of_split.seen_as(past_of(past)) if past else of_split
    files = [weights_file(one) for one in weights] or [packaged_weights()]
    for file in files:
        require_file(file)  # an export is a folder: its figures are those of its weights
    predictors = [open_predictor(file) for file in files]
    trained = [predictor.about.get("train") for predictor in predictors]
    seeds = [one["seed"] for one in trained if isinstance(one, dict) and "seed" in one]
    about = {
        "benchmark": wyscout_baa().name if recognised else "",
        "split": recognised or split,
        "past": past,
        "model": model or (", ".join(file.parent.name or file.name for file in files) if weights else PACKAGED),
        "seeds": seeds if len(seeds) == len(files) else [],
        "examples": predictors[0].examples_seen,
        "weights": [file_digest(file) for file in files],
    }
    words = ["playahead", "results", "record", str(path), "--data", str(data), "--split", split]
    words += [
        word
        for name, value in (("--past", past), ("--weights", ",".join(map(str, weights))), ("--model", model))
        if value
        for word in (name, value)
    ]
    evaluations = [evaluate(predictor, seen, show=show) for predictor in predictors]
    if predictions is not None:
        _keep_predictions(predictions, evaluations[0].tables)
    return record(path, evaluations, about, words)


def _keep_predictions(path: Path, tables: Sequence[FrameTable]) -> None:
    arrays = {"n_videos": np.array(len(tables))}
    for number, one in enumerate(tables):
        arrays[f"v{number}_target_labels"] = one.labels_NR.astype(np.uint8)
        arrays[f"v{number}_target_visibility"] = one.visibility_NR.astype(np.int8)
        arrays[f"v{number}_pred_scores"] = one.scores_NRV.astype(np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]


def record(path: Path, evaluations: Sequence[Evaluation], about: Mapping[str, Any], command: Sequence[str]) -> Result:
    """Write a result and its counts.

    Args:
        path: the .json to write; the counts get its name with .npz.
        evaluations: evaluation of each seed, on the same matches.
        about: fields of ``Result`` that nothing here can know: benchmark, split, past, model, seeds, examples, weights.
        command: words of the command that makes it.

    Raises:
        InputError: the file cannot be written, or the evaluations say nothing of matches.
    """
    by_match = [evaluation.by_match for evaluation in evaluations if evaluation.by_match is not None]
    if len(by_match) != len(evaluations) or not by_match:
        raise InputError(path, "a result needs counts by match", "score a split of matches")
    name, counts = path.stem, path.with_suffix(".npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_scores(counts, {str(number): scores for number, scores in enumerate(by_match)}, name)
    made_now = {
        "name": name,
        **figures(by_match),
        "command": shlex.join(command),
        "code": code_in_use(command),
        "counts": file_digest(counts),
        "made": {"date": date.today().isoformat(), "version": version("playahead"), "machine": platform.machine()},
    }
    result = build(Result, {**about, **made_now}, path)
    write_whole(path, json.dumps(asdict(result), indent=1, allow_nan=False) + "\n")
    return result
