"""What action spotters and annotators of video write: SoccerNet's results and labels, and OSL JSON.

Actions of a match without places: a feed that knows classes and times, often confidences, sometimes teams.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from playahead.domain.actions import ACTIONS, ALIASES, Action
from playahead.domain.feed import PERIODS, STOPPAGE, UNKNOWN, FeedHalf
from playahead.domain.time import parse_game_time
from playahead.errors import InputError, RecordError
from playahead.sources import jsonfile
from playahead.sources.notes import SourceNotes

_CODES: dict[str, int] = {
    **{str(action): action.class_index for action in ACTIONS},
    **{label: action.class_index for label, action in ALIASES.items()},
    "PLAYER BLOCK": Action.BLOCK.class_index,
    **dict.fromkeys(("BALL OUT", "BALL OUT OF PLAY"), Action.OUT.class_index),
    **dict.fromkeys(("SHOTS ON TARGET", "SHOTS OFF TARGET", "PENALTY"), Action.SHOT.class_index),
    "CORNER": Action.CROSS.class_index,
    **dict.fromkeys(("FOUL", "OFFSIDE"), STOPPAGE),
}
"""Codes by label: SoccerNet's ball actions, and those of its 17 classes that are one of ours."""
_BALL_LABELS = frozenset(str(action) for action in ACTIONS) - {"THROW IN", "OUT", "SHOT"}
_TEAMS = {"home": 0, "left": 0, "away": 1, "right": 1}
_SETPIECES = {"THROW IN": 1, "CORNER": 3, "PENALTY": 5}

Row = tuple[int, int, int, int, int]
"""time_ms, code, team, setpiece, confidence in percent (or ``UNKNOWN``)."""


def read_soccernet_spotting(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of a match in ``results_spotting.json``, ``Labels-ball.json`` or ``Labels-v2.json``.

    Labels that are none of ours are counted, not read; a shoot-out as well.

    Raises:
        InputError: file, entry and reason.
    """
    notes = notes or SourceNotes()
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    key = "predictions" if "predictions" in root else "annotations"
    entries = jsonfile.as_list(jsonfile.field(root, key, str(path)), f"{path}: {key}")
    rows: dict[int, list[Row]] = {}
    labels: Counter[str] = Counter()
    for index, raw in enumerate(entries):
        where = f"{path}: {key[:-1]} {index}"
        try:
            entry = jsonfile.as_object(raw, where)
            half = _half(entry, where)
            if half not in PERIODS:
                notes.left_out["actions of the shoot-out"] += 1
                continue
            found = _row(entry, _position_ms(entry, where), where, labels, notes)
            rows.setdefault(half, []).extend(found)
        except (InputError, RecordError) as reason:
            notes.bad_row(reason if isinstance(reason, InputError) else InputError(where, reason))
    return _halves({(0, half): found for half, found in rows.items()}, labels, path)


def read_osl(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """Every video of an OSL JSON 2.0 file, as a match of one half each, in the file's order.

    Raises:
        InputError: file, item, event and reason.
    """
    notes = notes or SourceNotes()
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    items = jsonfile.as_list(jsonfile.field(root, "data", str(path)), f"{path}: data")
    rows: dict[tuple[int, int], list[Row]] = {}
    labels: Counter[str] = Counter()
    for index, raw in enumerate(items):
        item = jsonfile.as_object(raw, f"{path}: data {index}")
        events = jsonfile.as_list(item.get("events", []), f"{path}: data {index}: events")
        found = rows.setdefault((index, 1), [])
        for number, event in enumerate(events):
            where = f"{path}: data {index}, event {number}"
            try:
                entry = jsonfile.as_object(event, where)
                if entry.get("head") == "anticipation":  # our own, of what had not happened yet
                    continue
                time_ms = jsonfile.time_ms(jsonfile.field(entry, "position_ms", where), "position_ms", where)
                found += _row(entry, time_ms, where, labels, notes)
            except InputError as reason:
                notes.bad_row(reason)
    return _halves(rows, labels, path)


def _half(entry: Mapping[str, object], where: str) -> int:
    if "gameTime" in entry:
        return parse_game_time(str(entry["gameTime"]))[0]
    value = entry.get("half")
    if isinstance(value, bool) or not str(value).strip().isdigit():
        raise InputError(where, f"SoccerNet: neither gameTime nor half says which half it is of ({value!r})")
    return int(str(value))


def _position_ms(entry: Mapping[str, object], where: str) -> int:
    """``position`` where there is one, else the clock of ``gameTime``."""
    if entry.get("position") not in (None, ""):
        return jsonfile.time_ms(entry["position"], "position", where)
    return parse_game_time(str(entry.get("gameTime")))[1]


def _row(
    entry: Mapping[str, object], time_ms: int, where: str, labels: Counter[str], notes: SourceNotes
) -> Iterator[Row]:
    label = _in_words(str(entry.get("label")))
    code = code_of(label)
    if code is None:
        notes.left_out[f"actions labelled {str(entry.get('label'))[:40]!r}"] += 1
        return
    confidence = _confidence(entry, where)
    labels[label] += 1
    yield time_ms, code, team_of(entry.get("team")), _SETPIECES.get(label, UNKNOWN), confidence


def code_of(label: str) -> int | None:
    """A row's code, of a label in any usual spelling; None of a label that is none of ours."""
    return _CODES.get(_in_words(label))


def team_of(name: object) -> int:
    """0 for home and left, 1 for away and right, else ``UNKNOWN``."""
    return _TEAMS.get(str(name).strip().lower(), UNKNOWN)


def _in_words(label: str) -> str:
    return " ".join(label.replace("_", " ").replace("-", " ").upper().split())


def _confidence(entry: Mapping[str, object], where: str) -> int:
    if entry.get("confidence") in (None, ""):
        return UNKNOWN
    found = jsonfile.number(entry["confidence"])
    if not 0 <= found <= 1:
        raise InputError(where, f"confidence {entry['confidence']!r} is not in [0, 1]")
    return round(100 * found)


def _halves(rows: Mapping[tuple[int, int], list[Row]], labels: Counter[str], path: Path) -> list[FeedHalf]:
    """What a file reports: all ten actions if it names one that only ball action spotting knows."""
    if not labels:
        raise InputError(path, "holds no action of ours", f"labels known: {', '.join(_CODES)}")
    reports = {_CODES[label] for label in labels}
    if _BALL_LABELS & labels.keys():
        reports |= set(range(len(ACTIONS)))
    return [_feed_half(*key, sorted(found), frozenset(reports)) for key, found in sorted(rows.items()) if found]


def _feed_half(match: int, half: int, rows: list[Row], reports: frozenset[int]) -> FeedHalf:
    t_ms, code, team, setpiece, confidence = np.array(rows, np.int64).T
    unknown = np.full(len(rows), UNKNOWN, np.uint8)
    return FeedHalf(
        match=match,
        half=half,
        t_ms=t_ms.astype(np.int32),
        code=code.astype(np.uint8),
        team=team.astype(np.uint8),
        x=unknown,
        y=unknown,
        setpiece=setpiece.astype(np.uint8),
        delay_ms=np.zeros(len(rows), np.uint16),
        confidence=confidence.astype(np.uint8),
        reports=reports,
    )
