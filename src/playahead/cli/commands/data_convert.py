"""``playahead data convert``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.domain.time import parse_kick_offs
from playahead.sources.feeds import convert_feeds


def convert(
    files: list[Path], out: Path = Path("matches.npz"), drop_bad_rows: bool = False, kick_off: str = ""
) -> None:
    """Event feeds of any readable provider -> one compact table, to train and evaluate on.

    Args:
        files: matches, each as its provider ships it; a provider's second files may be among them.
        out: the table; train.npz, val.npz or test.npz in a folder makes it a split.
        kick_off: when each half starts, as 0:12,58:40, in a file that holds a whole match on its video's clock.
        drop_bad_rows: leave out rows that cannot be (such as a position off the pitch) and count them.
    """
    with terminal.progress() as show:
        done = convert_feeds(files, out, drop_bad_rows, show, parse_kick_offs(kick_off))
    for line in done.notices:
        terminal.notice(line)
    terminal.out().print(f"{out}: {done.matches:,} matches, {done.rows:,} rows")
