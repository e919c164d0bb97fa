"""Everything that the page shows, gathered from a folder of runs and their data."""

from pathlib import Path
from typing import Any

from playahead.datasets.dataset import Dataset
from playahead.evaluation.scores import score
from playahead.io.progress import Show, quiet
from playahead.lab.compare.members import Members
from playahead.lab.compare.rows import summarise
from playahead.lab.report.chosen import Chosen, choose_run
from playahead.lab.report.curves import flat, learning_curves, run_description
from playahead.lab.report.data import describe_splits, is_simulated
from playahead.lab.report.diagnose import diagnose
from playahead.lab.report.page import Page
from playahead.lab.report.shown import shown_examples
from playahead.sources.layouts import folder_of_split

STALE = "the data is not what the comparison was scored on: compare again"


def gather(
    runs: Path, dataset: Dataset, split: str, asked: tuple[str, str], examples: int, show: Show = quiet
) -> tuple[Page, list[str]]:
    """The page, and what a reader must know about it.

    Args:
        runs: folder of a comparison or of one run.
        dataset: what they were trained and scored on.
        split: what was scored.
        asked: name of the run shown in detail (may be empty), and of its decoding.
        examples: shown on either side.
        show: told how far predicting is.
    """
    chosen = choose_run(runs, split, *asked)
    evaluation_set = dataset.evaluation_set(split)
    members = Members([chosen.weights], dataset)
    predictions, decoder = members.predict(split, show), members.decoder(chosen.decoding)
    scores_ORV = decoder.scores(predictions)
    probabilities = evaluation_set.table(decoder.probabilities(predictions))
    diagnosis = diagnose(predictions, probabilities, evaluation_set.table(scores_ORV))
    folder = folder_of_split(dataset.folder, split)
    best, worst = shown_examples(evaluation_set, folder, probabilities, diagnosis, examples)
    data, about = describe_splits(dataset), members.predictors[0].about
    if chosen.comparison is None:
        scored, key = score(scores_ORV, evaluation_set.count_by_match), (chosen.folder.name, chosen.name)
        alone = summarise({key: [scored]}, key, {chosen.folder.name: members.predictors[0].examples_seen})
        rows, reference = [row.as_dict() for row in alone], key
    else:
        rows, reference = chosen.comparison["rows"], tuple(chosen.comparison["reference"])
    page = Page(
        title=f"Ball action anticipation: {_name(chosen)}",
        about=str(chosen.comparison["about"]) if chosen.comparison else "One run.",
        split=split,
        n_matches=len(evaluation_set.matches),
        n_examples=len(evaluation_set),
        simulated=is_simulated(dataset.folder),
        rows=rows,
        pasts=chosen.comparison["pasts"] if chosen.comparison else (),
        reference=reference,
        unit=evaluation_set.unit,
        notice=dataset.notice,
        chosen=(chosen.folder.name, chosen.name),
        diagnosis=diagnosis,
        best=best,
        worst=worst,
        importance_W=_importance(members.predictors[0].network),
        curves=learning_curves(runs),
        splits=data.splits,
        leaks=data.leaks,
        unread=data.unread,
        settings=flat(about.get("train", {})),
        environment=run_description(chosen.folder).get("environment", {}),
    )
    stale = chosen.comparison is not None and chosen.comparison["data"] != dataset.digest("val", split)
    return page, [STALE] if stale else []


def _name(chosen: Chosen) -> str:
    return chosen.comparison["grid"] if chosen.comparison else chosen.folder.name


def _importance(network: Any) -> list[float]:
    weight_W = getattr(network.memory, "importance_W", None)
    return [] if weight_W is None else weight_W.sigmoid().tolist()
