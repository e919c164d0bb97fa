"""Event feeds of any readable provider -> one compact table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.feed import FeedHalf
from playahead.errors import InputError
from playahead.progress import Show, counter, quiet
from playahead.sources.feed_tables import write_feed_table
from playahead.sources.feeds import read_feed


@dataclass(frozen=True)
class Converted:
    """What went into a table."""

    matches: int
    rows: int


def convert_feeds(files: Sequence[Path], out: Path, show: Show = quiet) -> Converted:
    """Write all matches of these files as one compact table, in match order.

    Args:
        files: matches as their providers ship them, or compact tables.
        out: the table (.npz).
        show: told about every file.

    Raises:
        InputError: a file that cannot be read, or a half that two files hold.
    """
    if not files:
        raise InputError("convert", "needs a feed")
    if out.suffix != ".npz":
        raise InputError(out, "is not a .npz", "name the table as train.npz")
    advance = counter(show, f"converting {len(files):,} files", len(files), "files")
    halves: dict[tuple[int, int], FeedHalf] = {}
    for path in files:
        for half in read_feed(path):
            if (half.match, half.half) in halves:
                raise InputError(path, f"match {half.match}, half {half.half} is in another file, too")
            if len(half):
                halves[half.match, half.half] = half
        advance()
    ordered = [halves[key] for key in sorted(halves)]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_feed_table(out, ordered)
    return Converted(len({half.match for half in ordered}), sum(len(half) for half in ordered))
