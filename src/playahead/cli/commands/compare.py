"""``playahead compare``."""

import shlex
from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.dataset import open_dataset
from playahead.lab.compare import compare as experiments
from playahead.lab.compare.compare import FEW_MATCHES, FEW_SEEDS
from playahead.lab.compare.grid import open_grid


def compare(
    grid: str,
    data: Path,
    options: experiments.CompareConfig,
    features: Path | None = None,
    out: Path = Path("runs/compare"),
    json: bool = False,
) -> int:
    """Train every variant with every seed, score them, and say which differences are significant; resumes.

    Args:
        grid: paper, decoding, pasts, columns, winner, or a YAML file like those in playahead/grids.
        data: folder of compact feed tables, or with --features the dataset's splits.
        options: split to score, and how.
        features: store of video features to compare on instead.
        out: folder to write to: a folder for each run, and comparison-SPLIT.json.
        json: print the comparison as JSON.
    """
    variants, dataset = open_grid(grid, options.reference), open_dataset(data, features)
    with terminal.progress() as show:
        found = experiments.compare(variants, dataset, out, options, show, _command(grid, data, options, features, out))
    for name, reason in found.failed.items():
        terminal.complain(reason, name)
    if json:
        terminal.print_json(found.as_dict())
    else:
        _print(found, out)
    return 2 if found.failed else 0


def _command(grid: str, data: Path, options: experiments.CompareConfig, features: Path | None, out: Path) -> str:
    words = ["playahead", "compare", grid, "--data", str(data)]
    words += ["--features", str(features)] if features else []
    words += ["--out", str(out), "--split", options.split]
    for name, value in (("--reference", options.reference), ("--only", options.only)):
        words += [name, value] if value else []
    return shlex.join(words)


def _print(found: experiments.Comparison, out: Path) -> None:
    console = terminal.out(160)
    resampled = f"{found.n_matches} {found.unit}"
    console.print(terminal.comparison_table(found.rows, f"{found.grid.name}, {found.split}, {resampled}"))
    variant, decoding = found.grid.reference
    console.print(
        "Compare by area: the official figure moves by a point where nothing has changed, and falls as a set grows. "
        f"Resampling {found.unit}, for differences jointly with seeds and in pairs. Each row is compared "
        f"with {variant!r} under the same decoding, its other decodings with {decoding!r}. Coloured differences are "
        f"significant: the interval excludes 0, with {FEW_SEEDS} seeds and {FEW_MATCHES} {found.unit} or more. "
        f"Everything is in {out / f'comparison-{found.split}.json'}",
    )
    for name, members in found.members.items():
        console.print(f"{name}: {', '.join(members)}")
    if found.split == "val":
        console.print("Checkpoints and decodings were chosen on val: figures on it are optimistic, for all rows alike.")
    for notice in found.notices:
        terminal.notice(notice)
