"""``playahead compare``: a grid of recipes, seeds and decodings, trained, scored and compared in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Literal

from rich.markup import escape

from playahead.comparison.grid import Grid, narrowed, read_grid, referred
from playahead.comparison.jobs import jobs_of, kept_scores, run_folder, score_members
from playahead.comparison.scored import Scored
from playahead.comparison.summary import FEW_MATCHES, Key, Row, summarise
from playahead.errors import InputError
from playahead.verbs import show
from playahead.verbs.compare_runs import run_jobs
from playahead.verbs.compared_data import Source
from playahead.verbs.environment import write_whole
from playahead.verbs.train import prepare_folder


def compare(
    grid: str,
    data: Path,
    features: Path | None = None,
    out: Path = Path("runs/compare"),
    split: Literal["val", "test"] = "val",
    processes: int = 1,
    only: str = "",
    reference: str = "",
    json: bool = False,
) -> int:
    """Train every variant with every seed, score them, and say which differences can be told; run again to go on.

    Args:
        grid: paper, decoding, winner, or a YAML file like those in playahead/grids.
        data: folder of compact feed tables, or with --features the dataset's splits.
        features: store of video features to compare on instead.
        out: a folder for each run, and comparison-SPLIT.json.
        split: what is scored; decodings are chosen on val either way, so val flatters a little; look at test once.
        processes: runs at a time, each with its share of the cores.
        only: names of variants, separated by commas, to train no others (the reference, always); the table has every
            run that has been scored before, too.
        reference: a variant to compare all others with, instead of the grid's own.
        json: the comparison as JSON on standard output.
    """
    asked = referred(read_grid(grid), reference) if reference else read_grid(grid)
    chosen = narrowed(asked, [name.strip() for name in only.split(",")]) if only else asked
    if processes < 1:
        raise InputError("--processes", f"{processes} is below 1")
    source = Source(data.absolute(), features.absolute() if features else None)
    source.check(asked, split)
    prepare_folder(out)
    failed = run_jobs(jobs_of(chosen, out), chosen, source, split, processes)
    rows = _summary(asked, chosen, out, source, split, failed)
    document = _document(asked, rows, source, split, failed)
    write_whole(out / f"comparison-{split}.json", dumps(document, indent=1))
    for name, reason in failed.items():
        show.errors.print(f"[red]{name}:[/] {escape(reason)}", soft_wrap=True)
    if json:
        show.print_json(document)
    else:
        _show(asked, rows, source, split, out)
    return 2 if failed else 0


def _summary(grid: Grid, chosen: Grid, out: Path, source: Source, split: str, failed: Mapping[str, str]) -> list[Row]:
    """A row for each variant, ensemble and baseline with each decoding; without what failed and what rests on it."""
    scored: dict[Key, list[Scored]] = {}
    windows: dict[str, int] = {}

    def add(name: str, found: Mapping[str, Scored], budget: int) -> None:
        windows[name] = budget
        for decoding, one in found.items():
            scored.setdefault((name, decoding), []).append(one)

    for job in jobs_of(grid, out):
        if job.folder.name not in failed:
            of = score_members if job.name in chosen.variants else kept_scores
            add(job.name, of(job.folder, [job.weights], grid.decodings, split, source), grid.budget_of(job.name))
    for name, members in chosen.ensembles.items():
        folders = [run_folder(out, member, seed) for member in members for seed in grid.seeds]
        if not any(folder.name in failed for folder in folders):
            paths = [folder / "weights.safetensors" for folder in folders]
            found = score_members(run_folder(out, name, "ensemble"), paths, grid.decodings, split, source)
            add(name, found, len(grid.seeds) * sum(grid.budget_of(member) for member in members))
    for name in grid.baselines:
        add(name, {"marginal": source.baseline(name, split)}, 0)
    return summarise(scored, grid.reference, windows)


def _document(
    grid: Grid, rows: Sequence[Row], source: Source, split: str, failed: Mapping[str, str]
) -> dict[str, object]:
    return {
        "grid": grid.name,
        "about": grid.about,
        "split": split,
        "matches": len(source.matches(split).matches),
        "unit": source.unit(split),
        "notice": source.notice,
        "data": source.digest("val", split),
        "reference": list(grid.reference),
        "seeds": list(grid.seeds),
        "decodings": {name: asdict(decoding) for name, decoding in grid.decodings.items()},
        "rows": [row.as_dict() for row in rows],
        "failed": dict(failed),
    }


def _show(grid: Grid, rows: Sequence[Row], source: Source, split: str, out: Path) -> None:
    drawn = f"{len(source.matches(split).matches)} {source.unit(split)}"
    console = show.out(140)
    console.print(show.comparison_table(rows, f"{grid.name}, {split}, {drawn}"))
    console.print(
        f"95 % intervals: {source.unit(split)} drawn again, for differences seeds too, in pairs; ± is the standard "
        f"deviation over seeds. Differences are to {grid.reference[0]!r} with the same decoding, its own to "
        f"{grid.reference[1]!r}; coloured where the interval leaves out 0 with two seeds or more and {FEW_MATCHES} "
        f"{source.unit(split)} or more. Everything is in {out / f'comparison-{split}.json'}"
    )
    if split == "val":
        console.print("Checkpoints and decodings were chosen on val: figures on it flatter, all rows alike.")
    if source.notice:
        show.errors.print(f"[yellow]note:[/] {source.notice}", soft_wrap=True)
