"""What action spotters and annotators of video write: SoccerNet's results and labels, and OSL JSON.

Actions of a match without places: a feed that knows classes and times, often confidences, sometimes teams.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from playahead.domain.actions import ACTIONS, ALIASES, Action, label_words
from playahead.domain.feed import PERIODS, STOPPAGE, TOUCH, UNKNOWN, FeedHalf
from playahead.domain.time import parse_game_time
from playahead.io.errors import InputError, RecordError
from playahead.sources import jsonfile
from playahead.sources.match_clock import Stamp, times_in_halves
from playahead.sources.match_ids import match_id, match_id_of_file
from playahead.sources.notes import SourceNotes
from playahead.sources.provider_events import CORNER, DIRECT_SHOT, FREE_KICK, THROW_IN
from playahead.sources.whole_video import break_inside, half_at

_FREE_KICKS = ("FREE KICK", "DIRECT FREE KICK", "INDIRECT FREE KICK")
_CODES: dict[str, int] = {
    **{str(action): action.class_index for action in ACTIONS},
    **{label: action.class_index for label, action in ALIASES.items()},
    "PLAYER BLOCK": Action.BLOCK.class_index,
    **dict.fromkeys(("BALL OUT", "BALL OUT OF PLAY"), Action.OUT.class_index),
    **dict.fromkeys(("SHOTS ON TARGET", "SHOTS OFF TARGET", "PENALTY"), Action.SHOT.class_index),
    "CORNER": Action.CROSS.class_index,
    **dict.fromkeys(_FREE_KICKS, TOUCH),  # a kick of an unknown class, which the benchmark drops: observed alone
    **dict.fromkeys(("FOUL", "OFFSIDE", "GOAL"), STOPPAGE),
}
"""Codes by label: SoccerNet's ball actions, and those of its 17 classes that are one of ours."""
_BALL_LABELS = frozenset(str(action) for action in ACTIONS) - {"THROW IN", "OUT", "SHOT"}
_TEAMS = {"home": 0, "left": 0, "away": 1, "right": 1}
_SETPIECES = {
    **{"THROW IN": THROW_IN, "CORNER": CORNER, "PENALTY": DIRECT_SHOT},
    **dict.fromkeys(_FREE_KICKS, FREE_KICK),
}
_CONFIDENCES = ("confidence", "confidence_score", "score")
_SURELY_PERCENT = 20  # a logit is smaller
_MATCH_NAMES = ("UrlLocal", "game", "game_id", "match_id", "path", "video", "media", "UrlYoutube")

Row = tuple[int, int, int, int, int]
"""time_ms, code, team, setpiece, confidence in percent (or ``UNKNOWN``)."""


class _Mark(NamedTuple):
    """An entry of the file, and when it says that it was."""

    stamp: Stamp
    entry: Mapping[str, object]


class _Match(NamedTuple):
    """A match of the file; ``name`` where it holds several. Times are from the half's start."""

    id: int
    name: str
    marks: Sequence[_Mark]
    times: Sequence[int | InputError]


def read_soccernet_spotting(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of a match in ``results_spotting.json``, ``Labels-ball.json`` or ``Labels-v2.json``.

    Labels that are none of ours are counted, not read; a shoot-out as well.

    Raises:
        InputError: file, entry and reason.
    """
    notes = notes or SourceNotes()
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    key = "predictions" if "predictions" in root else "annotations"
    raw = jsonfile.as_list(jsonfile.field(root, key, str(path)), f"{path}: {key}")
    marks: list[_Mark] = []
    for index, item in enumerate(raw):
        where = f"{path}: {key[:-1]} {index}"
        try:
            entry = jsonfile.as_object(item, where)
            mark = _Mark(_stamp(entry, where), entry)
        except (InputError, RecordError) as reason:
            notes.bad_row(reason if isinstance(reason, InputError) else InputError(where, reason))
            continue
        if mark.stamp.half in PERIODS:
            marks.append(mark)
        else:
            notes.left_out["actions of the shoot-out"] += 1
    times = times_in_halves([mark.stamp for mark in marks], notes.doubts)
    later_ms = min((ms for half, ms in notes.kick_offs_ms.items() if half > 1), default=None)
    last_ms = max((time for time in times if not isinstance(time, InputError)), default=0)
    whole = later_ms is not None and last_ms > later_ms and all(mark.stamp.half == 1 for mark in marks)
    if whole:
        marks, times = _split(marks, times, notes)
    return _halves([_Match(_match_of(root, path), "", marks, times)], path, notes)


def read_osl(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """Every video of an OSL JSON 2.0 file, as a match, in the file's order.

    A video's halves are those that ``notes.kick_offs_ms`` or else its events' game times name; without either, it is
    one half.

    Raises:
        InputError: file, item, event and reason; or kick-offs although there are several videos.
    """
    notes = notes or SourceNotes()
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    items = jsonfile.as_list(jsonfile.field(root, "data", str(path)), f"{path}: data")
    if notes.kick_offs_ms and len(items) > 1:
        what = f"holds {len(items)} videos, and the kick-offs are those of one"
        raise InputError(path, what, "give each video's actions a file of their own")
    matches: list[_Match] = []
    names: Counter[str] = Counter()
    for index, raw in enumerate(items):
        where = f"{path}: data {index}"
        item = jsonfile.as_object(raw, where)
        name = _name_of(item) or f"{match_id_of_file(path)} {index}"
        names[name] += 1
        marks = list(_osl_marks(item, where, notes))
        times = times_in_halves([mark.stamp for mark in marks], notes.doubts, one_video=True)
        if notes.kick_offs_ms:
            marks, times = _split(marks, times, notes)
        once = name if names[name] == 1 else f"{name} {names[name]}"
        matches.append(_Match(match_id(once), name if len(items) > 1 else "", marks, times))
    return _halves(matches, path, notes)


def _stamp(entry: Mapping[str, object], where: str) -> Stamp:
    """``gameTime`` and ``position``; where the first is missing, ``half`` says the half."""
    half, clock_ms, position_ms = 0, None, None
    if "gameTime" in entry:
        half, clock_ms = parse_game_time(str(entry["gameTime"]))
    else:
        value = entry.get("half")
        if isinstance(value, bool) or not (str(value).strip().isascii() and str(value).strip().isdigit()):
            raise InputError(where, f"SoccerNet: neither gameTime nor half says which half it is of ({value!r})")
        half = int(str(value))
    if entry.get("position") not in (None, ""):
        position_ms = jsonfile.time_ms(entry["position"], "position", where)
    elif clock_ms is None:
        raise InputError(where, "SoccerNet: neither gameTime nor position says when it was")
    return Stamp(where, half, clock_ms, position_ms)


def _osl_marks(item: dict[str, object], where: str, notes: SourceNotes) -> Iterator[_Mark]:
    for number, event in enumerate(jsonfile.as_list(item.get("events", []), f"{where}: events")):
        at = f"{where}, event {number}"
        try:
            entry = jsonfile.as_object(event, at)
            if entry.get("head") == "anticipation":  # our own, of what had not happened yet
                continue
            half, clock_ms = _game_time(entry)
            position_ms = None
            if "position_ms" in entry or clock_ms is None:
                position_ms = jsonfile.time_ms(jsonfile.field(entry, "position_ms", at), "position_ms", at)
        except InputError as reason:
            notes.bad_row(reason)
            continue
        if half in PERIODS:
            yield _Mark(Stamp(at, half, clock_ms, position_ms), entry)
        else:
            notes.left_out["actions of the shoot-out"] += 1


def _game_time(entry: Mapping[str, object]) -> tuple[int, int | None]:
    """Half and clock; half 1 and no clock where there is none that can be read: OSL needs none."""
    try:
        return parse_game_time(str(entry.get("gameTime")))
    except RecordError:
        return 1, None


def _split(
    marks: Sequence[_Mark], times: Sequence[int | InputError], notes: SourceNotes
) -> tuple[list[_Mark], list[int | InputError]]:
    """The actions of one video in the halves that the kick-offs make of it; those before the first are counted."""
    split: list[tuple[_Mark, int | InputError]] = []
    for mark, time_ms in zip(marks, times, strict=True):
        in_video_ms = time_ms if mark.stamp.position_ms is None else mark.stamp.position_ms
        if isinstance(time_ms, InputError) or isinstance(in_video_ms, InputError):
            split.append((mark, time_ms))
        elif (found := half_at(in_video_ms, notes.kick_offs_ms)) is None:
            notes.left_out["actions before the kick-off"] += 1
        else:
            split.append((mark._replace(stamp=mark.stamp._replace(half=found[0])), found[1]))
    return [mark for mark, _ in split], [time_ms for _, time_ms in split]


def _match_of(root: Mapping[str, object], path: Path) -> int:
    """The match's number, of what the file says of it or else of its name."""
    said = (root.get(name) for name in _MATCH_NAMES)
    name = next((str(value).replace("\\", "/").strip("/ ") for value in said if isinstance(value, str | int)), "")
    return match_id(name) if name else match_id_of_file(path)


def _name_of(item: Mapping[str, object]) -> str:
    """An item's id and its first input: either alone is often the same in every file."""
    inputs = item.get("inputs")
    first = inputs[0] if isinstance(inputs, list) and inputs else None
    path = first.get("path") if isinstance(first, dict) else None
    return " ".join(str(part) for part in (item.get("id"), path) if isinstance(part, str | int))


def _halves(matches: Sequence[_Match], path: Path, notes: SourceNotes) -> list[FeedHalf]:
    """What a file reports: all ten actions if it names one that only ball action spotting knows."""
    in_percent = _are_percent([mark.entry for match in matches for mark in match.marks])
    if in_percent:
        notes.doubts.append("confidences are read as percent")
    labels: Counter[str] = Counter()
    halves: list[tuple[int, int, list[Row]]] = []
    for match in matches:
        by_half: dict[int, list[Row]] = {}
        for mark, time_ms in zip(match.marks, match.times, strict=True):
            try:
                rows = by_half.setdefault(mark.stamp.half, [])
                rows.extend(_row(mark, time_ms, in_percent, labels, notes))
            except InputError as reason:
                notes.bad_row(reason)
        if by_half.keys() == {1} and (said := break_inside([row[0] for row in by_half[1]])):
            notes.doubts.append(f"{match.name}: {said}" if match.name else said)
        halves += [(match.id, half, sorted(rows)) for half, rows in sorted(by_half.items()) if rows]
    if not labels:
        raise InputError(path, "holds no action of ours", f"labels known: {', '.join(_CODES)}")
    reports = {_CODES[label] for label in labels}
    if _BALL_LABELS & labels.keys():
        reports |= set(range(len(ACTIONS)))
    return [_feed_half(match, half, rows, frozenset(reports)) for match, half, rows in halves]


def _row(
    mark: _Mark, time_ms: int | InputError, in_percent: bool, labels: Counter[str], notes: SourceNotes
) -> Iterator[Row]:
    if isinstance(time_ms, InputError):
        raise time_ms
    said, team = str(mark.entry.get("label")), team_of(mark.entry.get("team"))
    label = label_words(said)
    code = _CODES.get(label)
    if code is None and label.rpartition(" ")[2].lower() in _TEAMS:  # "PASS left"
        label, _, side = label.rpartition(" ")
        code, team = _CODES.get(label), team_of(side) if team == UNKNOWN else team
    if code is None:
        notes.left_out[f"actions labelled {said[:40]!r}"] += 1
        return
    confidence = _confidence(mark, in_percent)
    labels[label] += 1
    yield time_ms, code, team, _SETPIECES.get(label, UNKNOWN), confidence


def code_of(label: str) -> int | None:
    """A row's code, of a label in any usual spelling; None of a label that is none of ours."""
    return _CODES.get(label_words(label))


def setpiece_of(label: str) -> int:
    """What a label says of the set piece that it belongs to, as CORNER does; else ``UNKNOWN``."""
    return _SETPIECES.get(label_words(label), UNKNOWN)


def team_of(name: object) -> int:
    """0 for home and left, 1 for away and right, else ``UNKNOWN``."""
    return _TEAMS.get(str(name).strip().lower(), UNKNOWN)


def _said_confidence(entry: Mapping[str, object]) -> object:
    """Under any of its names; None where the entry says none."""
    return next((entry[name] for name in _CONFIDENCES if entry.get(name) not in (None, "")), None)


def _are_percent(entries: Sequence[Mapping[str, object]]) -> bool:
    """Whether a file's confidences are in percent: most above 1, some above any logit, none that cannot be."""
    said = [found for entry in entries if (found := _said_confidence(entry)) is not None]
    values = sorted(jsonfile.number(value) for value in said)
    if not values or not all(0 <= value <= 100 for value in values):
        return False
    return values[len(values) // 2] > 1 and values[-1] > _SURELY_PERCENT


def _confidence(mark: _Mark, in_percent: bool) -> int:
    said = _said_confidence(mark.entry)
    if said is None:
        return UNKNOWN
    if isinstance(said, str) and said.strip().endswith("%"):
        percent = jsonfile.number(said.strip()[:-1])
    else:
        percent = jsonfile.number(said) * (1 if in_percent else 100)
    if not 0 <= percent <= 100:
        raise InputError(mark.stamp.where, f"confidence {said!r} is not in [0, 1]")
    return round(percent)


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
