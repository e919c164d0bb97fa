"""Event feeds of any readable provider -> one compact table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.feed import FeedHalf
from playahead.io.errors import InputError
from playahead.io.progress import Show, counter, quiet
from playahead.sources.feed_tables import write_feed_table
from playahead.sources.feeds import matches_among, read_feed
from playahead.sources.notes import SourceNotes


@dataclass(frozen=True)
class Converted:
    """What went into a table, and what did not."""

    matches: int
    rows: int
    notes: Sequence[str] = ()


def convert_feeds(
    files: Sequence[Path],
    out: Path,
    drop_bad_rows: bool = False,
    show: Show = quiet,
    kick_offs_ms: Mapping[int, int] | None = None,
) -> Converted:
    """Write all matches of these files as one compact table, in match order.

    Args:
        files: matches as their providers ship them (with further files of theirs, in any order), or compact tables.
        out: the table (.npz).
        drop_bad_rows: leave out rows that cannot be, and count them.
        show: told about every file.
        kick_offs_ms: when each half starts in the video of a file that holds a whole match on one clock.

    Raises:
        InputError: a file that cannot be read, or a half that two files hold.
    """
    if not files:
        raise InputError("convert", "needs a feed")
    if out.suffix != ".npz":
        raise InputError(out, "is not a .npz", "name the table as train.npz")
    matches = matches_among(files)
    if kick_offs_ms and len(matches) > 1:
        raise InputError("kick_off", f"is of one match, not of {len(matches)}", "convert each match by itself")
    advance = counter(show, f"converting {len(matches):,} files", len(matches), "files")
    halves: dict[tuple[int, int], FeedHalf] = {}
    said: list[str] = []
    for path, companions in matches:
        notes = SourceNotes(drop_bad_rows, kick_offs_ms=kick_offs_ms or {})
        for half in read_feed(path, notes, companions):
            if (half.match, half.half) in halves:
                raise InputError(path, f"match {half.match}, half {half.half} is in another file, too")
            if len(half):
                halves[half.match, half.half] = half
        said += [f"{path.name}: {line}" for line in notes.lines]
        advance()
    ordered = [halves[key] for key in sorted(halves)]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_feed_table(out, ordered)
    return Converted(len({half.match for half in ordered}), sum(len(half) for half in ordered), said)
