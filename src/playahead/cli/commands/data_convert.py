"""``playahead data convert``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.sources.convert import convert_feeds


def convert(files: list[Path], out: Path = Path("matches.npz")) -> None:
    """Event feeds of any readable provider -> one compact table, to train and evaluate on.

    Args:
        files: matches, each as its provider ships it.
        out: the table; train.npz, val.npz or test.npz in a folder makes it a split.
    """
    with terminal.progress() as show:
        done = convert_feeds(files, out, show)
    terminal.out().print(f"{out}: {done.matches:,} matches, {done.rows:,} rows")
