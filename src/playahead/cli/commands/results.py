"""``playahead results record``, ``results check`` and ``results table``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.lab import results
from playahead.lab.record import record_feed

FOLDER = Path("results")


def record(
    path: Path,
    data: Path,
    split: str = "test",
    past: str = "",
    weights: str = "",
    model: str = "",
    predictions: Path | None = None,
) -> None:
    """Score weights on a split of a feed, and write the figures with all that they were made from.

    Args:
        path: .json to write; counts get its name with .npz.
        data: folder of compact feed tables.
        split: train, val or test.
        past: worse source to observe the split through, as "labels only" or "strong spotter".
        weights: files of the model, separated by commas: one for each seed, of which the figures are the mean; the
            packaged one if not given.
        model: which model it is, in words, for the table; the names of the weights if not given.
        predictions: .npz to keep the scored frames in (of the first weights), as float16; playahead evaluate frames
            reads it.
    """
    with terminal.progress() as show:
        chosen = [one for one in weights.split(",") if one]
        result = record_feed(path, data, split, past, chosen, model, predictions, show)
    area, low, high = result.area
    terminal.out().print(
        f"{result.name}: exact area {area:.2f} [{low:.2f}, {high:.2f}], official {result.official[0]:.2f}"
    )


def check(folder: Path | None = None, json: bool = False) -> int:
    """Say which results are stale: made by other code, weights or counts than today's. And how to make them again.

    Args:
        folder: folder of results; results if not given.
        json: one JSON document on standard output.
    """
    with terminal.progress() as show:
        found = results.check(folder or FOLDER, show)
    stale = [one for one in found if one.stale]
    if json:
        listed = [{"path": str(one.path), "stale": one.stale, "command": one.command} for one in found]
        terminal.print_json({"results": listed})
        return 2 if stale else 0
    for one in stale:
        terminal.complain(f"{'; '.join(one.stale)}. Again: {one.command}", str(one.path))
    terminal.out().print(
        f"{len(found)} results, {len(stale)} stale" if stale else f"{len(found)} results, nothing stale"
    )
    return 2 if stale else 0


def table(folder: Path | None = None) -> None:
    """Print a folder's results as a table in Markdown.

    Args:
        folder: folder of results; results if not given.
    """
    print(results.table(results.recorded(folder or FOLDER)), end="")
