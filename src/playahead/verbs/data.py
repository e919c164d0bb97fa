"""``playahead data check``."""

from collections.abc import Mapping
from pathlib import Path

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.errors import InputError
from playahead.sources.audit import Audit, audit_splits, rows_of
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS
from playahead.sources.soccernet_baa import LABELS_NAME, SPLITS, BaaSplit, read_baa_split
from playahead.verbs import show
from playahead.verbs.feed_audit import audit_feed

COLUMNS = ("action", "anticipated", "observed")


def check(path: Path, json: bool = False) -> int:
    """Counts per split and class, bad entries, and whether splits share video.

    Args:
        path: a dataset in the benchmark's layout (``train/Labels-ball.json`` ...), one split of it, or a folder of
            compact feed tables.
        json: one JSON document on standard output.
    """
    if any((path / f"{split}.npz").exists() for split in FEED_SPLITS):
        return _check_feed(path, json)
    audit = audit_splits(_find_splits(path))
    if json:
        splits = {name: vars(facts) for name, facts in audit.splits.items()}
        show.print_json({"splits": splits, "leaks": audit.leaks, "fine": audit.fine})
    else:
        _print_audit(audit)
    return 0 if audit.fine else 2


def _find_splits(path: Path) -> dict[str, BaaSplit]:
    if path.is_file() or (path / LABELS_NAME).exists():
        return {path.name if path.is_dir() else path.parent.name: read_baa_split(path, keep_going=True)}
    folders = [path / split for split in SPLITS if (path / split / LABELS_NAME).exists()]
    if not folders:
        wanted = f"{LABELS_NAME} in it or in {', '.join(SPLITS)}; or train.npz, val.npz, test.npz"
        raise InputError(path, "no dataset found", f"expected {wanted}")
    return {folder.name: read_baa_split(folder, keep_going=True) for folder in folders}


def _print_audit(audit: Audit) -> None:
    console = show.out()
    for name, facts in audit.splits.items():
        rows = rows_of(facts)
        title = f"{name}: {facts.clips:,} clips, {facts.mean_actions:.2f} actions a window, {facts.empty:,} empty"
        console.print(f"[bold]{title}[/]", show.plain_table("", COLUMNS, rows), sep="\n")
        console.print(
            f"  windows by number of actions: {_distribution(facts.per_window)}\n"
            f"  share video with another clip: {facts.sharing:,}; future seen in another clip: "
            f"{facts.future_visible:,}; labels withheld: {facts.withheld:,}; "
            f"outside the ten classes, dropped: {dict(facts.dropped) or 'none'}"
        )
        for reason in facts.rejected:
            console.print(f"  [red]bad entry[/] {reason}")
    for leak in audit.leaks:
        console.print(f"[red]overlap across splits[/] {leak}")
    console.print("no problems" if audit.fine else "[red]problems found[/]")


def _check_feed(path: Path, json: bool) -> int:
    audit = audit_feed({split: path / f"{split}.npz" for split in FEED_SPLITS if (path / f"{split}.npz").exists()})
    if json:
        splits = {name: vars(facts) for name, facts in audit.splits.items()}
        show.print_json({"splits": splits, "rejected": audit.rejected, "leaks": audit.leaks, "fine": audit.fine})
        return 0 if audit.fine else 2
    console = show.out()
    for name, facts in audit.splits.items():
        title = (
            f"{name}: {facts.matches:,} matches, {facts.windows:,} windows, {facts.mean_actions:.2f} actions a window, "
            f"{facts.per_window[0] / max(facts.windows, 1):.1%} empty"
        )
        rows = [(str(a), f"{facts.actions[str(a)]:,}", f"{facts.observed[str(a)]:,}") for a in ACTIONS]
        rows += [(f"{token} (observed only)", "", f"{facts.observed[token]:,}") for token in OBSERVED_TOKENS]
        console.print(f"[bold]{title}[/]", show.plain_table("", COLUMNS, rows), sep="\n")
        console.print(f"  windows by number of actions: {_distribution(facts.per_window)}")
    for reason in audit.rejected:
        console.print(f"[red]bad table[/] {reason}")
    for leak in audit.leaks:
        console.print(f"[red]overlap across splits[/] {leak}")
    console.print("no problems" if audit.fine else "[red]problems found[/]")
    return 0 if audit.fine else 2


def _distribution(per_window: Mapping[int, int]) -> str:
    return ", ".join(f"{n}: {per_window[n]:,}" for n in sorted(per_window))
