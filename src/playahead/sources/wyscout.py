"""Reader of Wyscout match files (event format of Pappalardo et al., CC BY 4.0): one JSON per match."""

from pathlib import Path

import numpy as np

from playahead.domain.feed import FeedHalf
from playahead.io.errors import InputError
from playahead.sources.jsonfile import read_json
from playahead.sources.notes import SourceNotes
from playahead.sources.wyscout_events import HALF_OF_PERIOD, read_wyscout_events
from playahead.sources.wyscout_rules import FeedRow, half_rows, is_known
from playahead.sources.wyscout_v3 import is_wyscout_v3, read_wyscout_v3


def read_wyscout_match(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of one match that have rows, first half first.

    Gives the rows of the Wyscout-BAA tables exactly. Team 0 is the team of the match's first event.
    Extra time is read as halves 3 and 4. The penalty shoot-out, events given twice and events of an unknown name are
    passed over and noted.

    Raises:
        InputError: a file that is missing, not JSON or not of this format, naming the event; more
            than two teams; or nothing in it that becomes a row.
    """
    notes = notes or SourceNotes()
    if is_wyscout_v3(read_json(path)):  # with so much before its events that nothing else told
        return read_wyscout_v3(path, notes)
    match, events = read_wyscout_events(path, notes)
    for event in events:
        if not is_known(event):
            notes.left_out[f"events with an unknown name ({event.kind or event.family})"] += 1
    halves: list[FeedHalf] = []
    for half in HALF_OF_PERIOD.values():
        rows = half_rows([event for event in events if event.half == half])
        if rows:
            halves.append(_feed_half(match, half, rows))
    if not halves:
        raise InputError(path, "none of its events is of a known name", "is it in the Wyscout v2 format?")
    return halves


def _feed_half(match: int, half: int, rows: list[FeedRow]) -> FeedHalf:
    t_ms, code, team, x, y, setpiece, delay_ms = np.array(rows, dtype=np.int32).T
    return FeedHalf(
        match=match,
        half=half,
        t_ms=np.ascontiguousarray(t_ms),
        code=code.astype(np.uint8),
        team=team.astype(np.uint8),
        x=x.astype(np.uint8),
        y=y.astype(np.uint8),
        setpiece=setpiece.astype(np.uint8),
        delay_ms=delay_ms.astype(np.uint16),
    )
