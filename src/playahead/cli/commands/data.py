"""``playahead data check`` and ``data convert``."""

from pathlib import Path
from typing import Any

from rich.text import Text

from playahead.cli import terminal
from playahead.datasets.check import check_dataset
from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.time import parse_kick_offs
from playahead.sources.audit import Audit
from playahead.sources.feeds import convert_feeds

_COLUMNS = ("action", "anticipated", "observed")


def check(path: Path, json: bool = False) -> int:
    """Count actions by split and class, list bad entries, and check whether splits share video.

    Few clips without a video (one in a hundred) are named and set aside; the other commands go on without them.

    Args:
        path: dataset in a benchmark's layout (``train/Labels-ball.json`` ...) or in OSL JSON, one split of it, or a
            folder of compact feed tables.
        json: one JSON document on standard output.
    """
    audit = check_dataset(path)
    aside = audit.set_aside if isinstance(audit, Audit) else []
    if json:
        splits = {name: vars(facts) for name, facts in audit.splits.items()}
        problems = {"rejected": audit.rejected, "leaks": audit.leaks, "set_aside": aside, "fine": audit.fine}
        terminal.print_json({"splits": splits, **problems})
        return 0 if audit.fine else 2
    for name, facts in audit.splits.items():
        _print_split(name, facts)
    console = terminal.out()
    problems = (("bad entry", "red", audit.rejected), ("set aside", "yellow", aside))
    for what, colour, lines in (*problems, ("overlap across splits", "red", audit.leaks)):
        for line in lines:
            console.print(Text(what, colour), terminal.printable(line))
    console.print("no problems" if audit.fine else Text("problems found", "red"))
    return 0 if audit.fine else 2


def _print_split(name: str, facts: Any) -> None:
    console = terminal.out()
    rows = [(str(a), f"{facts.actions[str(a)]:,}", f"{facts.observed[str(a)]:,}") for a in ACTIONS]
    if hasattr(facts, "examples"):
        counted, per_example = f"{facts.matches:,} matches, {facts.examples:,} examples", facts.per_example
        rows += [(f"{token} (observed only)", "", f"{facts.observed[token]:,}") for token in OBSERVED_TOKENS]
    else:
        counted, per_example = f"{facts.clips:,} clips", facts.per_clip
    title = f"{name}: {counted}, {facts.mean_actions:.2f} actions each on average, {per_example[0]:,} without any"
    console.print(Text(title, "bold"), terminal.plain_table("", _COLUMNS, rows), sep="\n")
    by_number = ", ".join(f"{n}: {per_example[n]:,}" for n in sorted(per_example))
    console.print(f"  by number of actions: {by_number}")
    if not hasattr(facts, "examples"):
        console.print(
            f"  share video with another clip: {facts.sharing:,}; future seen in another clip: "
            f"{facts.future_visible:,}; labels withheld: {facts.withheld:,}; "
            f"outside the ten classes, dropped: {dict(facts.dropped) or 'none'}"
        )


def convert(
    files: list[Path], out: Path = Path("matches.npz"), drop_bad_rows: bool = False, kick_off: str = ""
) -> None:
    """Convert event feeds of any readable provider into one compact table, to train and evaluate on.

    Args:
        files: matches, each as its provider ships it; a provider's second files may be among them.
        out: table to write; train.npz, val.npz or test.npz in a folder makes it a split.
        kick_off: start of each half, as 0:12,58:40, in a file that holds a whole match on its video's clock.
        drop_bad_rows: leave out invalid rows (such as a position off the pitch) and count them.
    """
    with terminal.progress() as show:
        done = convert_feeds(files, out, drop_bad_rows, show, parse_kick_offs(kick_off))
    for line in done.notices:
        terminal.notice(line)
    terminal.out().print(f"{out}: {done.matches:,} matches, {done.rows:,} rows")
