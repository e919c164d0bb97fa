"""Files of action spotters and annotators of video: SoccerNet's results and labels, and OSL JSON.

They hold actions of a match without places: a feed that knows classes and times, often confidences, sometimes teams.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from playahead.domain.actions import ACTIONS, ALIASES, Action, label_words
from playahead.domain.feed import (
    HOME_AND_AWAY,
    LONGEST_DELAY_MS,
    PERIODS,
    STOPPAGE,
    TOUCH,
    UNKNOWN,
    FeedHalf,
    FeedRow,
    SetPiece,
)
from playahead.domain.notices import Notices
from playahead.domain.time import parse_game_time
from playahead.io.errors import InputError, RecordError
from playahead.sources import reading
from playahead.sources.match_clock import Stamp, break_inside, half_at, times_in_halves
from playahead.sources.reading import (
    FeedFile,
    as_list,
    as_object,
    list_in,
    match_id,
    match_id_of_file,
    number,
    read_json,
)

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
    **{"THROW IN": SetPiece.THROW_IN, "CORNER": SetPiece.CORNER, "PENALTY": SetPiece.DIRECT_SHOT},
    **dict.fromkeys(_FREE_KICKS, SetPiece.FREE_KICK),
}
_CONFIDENCES = ("confidence", "confidence_score", "score")
_FRAME_MS = 40  # of the 25 frames a second that SoccerNet's spotters take every video to have
_SURELY_PERCENT = 20  # a logit is smaller
_MATCH_NAMES = ("UrlLocal", "game", "game_id", "match_id", "path", "video", "media", "UrlYoutube")


class _Mark(NamedTuple):
    """An entry of the file, and its time as the file gives it."""

    stamp: Stamp
    entry: Mapping[str, object]


class _Match(NamedTuple):
    """A match of the file; ``name`` where it holds several. Times are from the half's start."""

    id: int
    name: str
    marks: Sequence[_Mark]
    times: Sequence[int | InputError]


def read_soccernet_spotting(file: FeedFile) -> list[FeedHalf]:
    """The halves of a match in ``results_spotting.json``, ``Labels-ball.json`` or ``Labels-v2.json``.

    Labels that are none of ours are counted, not read; a shoot-out as well.
    """
    path = file.path
    root = as_object(read_json(path), str(path))
    key = "predictions" if "predictions" in root else "annotations"
    marks: list[_Mark] = []
    for index, item in enumerate(list_in(root, key, str(path))):
        where = f"{path}: {key[:-1]} {index}"
        try:
            entry = as_object(item, where)
            mark = _Mark(_stamp(entry, where), entry)
        except (InputError, RecordError) as reason:
            file.bad_row(reason if isinstance(reason, InputError) else InputError(where, reason))
            continue
        if mark.stamp.half in PERIODS:
            marks.append(mark)
        else:
            file.notices.count("actions of the shoot-out not read")
    if any("frame" in mark.entry and mark.stamp.clock_ms is None for mark in marks):
        file.notices.add(
            "frame numbers, read as 25 a second; each action counts at once, though a spotter reports it only after it "
            "has seen more of the video: playahead spot says when"
        )
    times = times_in_halves([mark.stamp for mark in marks], file.notices)
    # Kick-offs split the file only if it is one video of the whole match: later than the second one, all in half 1.
    later_ms = min((ms for half, ms in file.kick_offs_ms.items() if half > 1), default=None)
    last_ms = max((time for time in times if not isinstance(time, InputError)), default=0)
    if later_ms is not None and last_ms > later_ms and all(mark.stamp.half == 1 for mark in marks):
        marks, times = _split(marks, times, file)
    # The match's number, by its name in the file or else by the file's own.
    named = (str(value) for key in _MATCH_NAMES if isinstance(value := root.get(key), str | int))
    name = next(named, "").replace("\\", "/").strip("/ ")
    return _halves([_Match(match_id(name) if name else match_id_of_file(path), "", marks, times)], file)


def read_osl(file: FeedFile) -> list[FeedHalf]:
    """Every video of an OSL JSON 2.0 file, as a match, in the file's order.

    A video's halves are those of the kick-offs, or else those that its events' game times name; without either, it is
    one half.
    """
    path = file.path
    items = list_in(as_object(read_json(path), str(path)), "data", str(path))
    if file.kick_offs_ms and len(items) > 1:
        what = f"holds {len(items)} videos, and the kick-offs are those of one"
        raise InputError(path, what, "give each video's actions a file of their own")
    matches: list[_Match] = []
    names: Counter[str] = Counter()
    moved = Notices()
    for index, raw in enumerate(items):
        where = f"{path}: data {index}"
        item = as_object(raw, where)
        # An item's id and its first input: either alone is often the same in every file.
        inputs = item.get("inputs")
        first = inputs[0] if isinstance(inputs, list) and inputs else None
        named = (item.get("id"), first.get("path") if isinstance(first, dict) else None)
        name = " ".join(str(part) for part in named if isinstance(part, str | int))
        name = name or f"{match_id_of_file(path)} {index}"
        names[name] += 1
        marks = list(_osl_marks(item, where, file))
        times = times_in_halves([mark.stamp for mark in marks], moved, one_video=True)
        if file.kick_offs_ms:
            marks, times = _split(marks, times, file)
        distinct = name if names[name] == 1 else f"{name} {names[name]}"
        matches.append(_Match(match_id(distinct), name if len(items) > 1 else "", marks, times))
    file.notices.add_all(moved.lines)
    return _halves(matches, file)


def _stamp(entry: Mapping[str, object], where: str) -> Stamp:
    """``gameTime`` and ``position``; where the first is missing, ``half`` says the half."""
    half, clock_ms, position_ms = entry.get("half"), None, None
    if "frame" in entry and not {"gameTime", "position", "half"} & entry.keys():  # T-DEED's results_inference.json
        return Stamp(where, 1, None, reading.time_ms(number(entry["frame"]) * _FRAME_MS, "frame", where))
    if "gameTime" in entry:
        half, clock_ms = parse_game_time(str(entry["gameTime"]))
    elif isinstance(half, bool) or not (str(half).isascii() and str(half).strip().isdigit()):
        raise InputError(where, f"SoccerNet: neither gameTime nor half says which half it is of ({half!r})")
    if entry.get("position") not in (None, ""):
        position_ms = reading.time_ms(entry["position"], "position", where)
    elif clock_ms is None:
        raise InputError(where, "SoccerNet: neither gameTime nor position says when it was")
    return Stamp(where, int(str(half)), clock_ms, position_ms)


def _osl_marks(item: Mapping[str, object], where: str, file: FeedFile) -> Iterator[_Mark]:
    for index, event in enumerate(as_list(item.get("events", []), f"{where}: events")):
        at = f"{where}, event {index}"
        try:
            entry = as_object(event, at)
            if entry.get("head") == "anticipation":  # our own, of what had not happened yet
                continue
            half, clock_ms, position_ms = 1, None, None
            with suppress(RecordError):  # OSL needs no game time
                half, clock_ms = parse_game_time(str(entry.get("gameTime")))
            if "position_ms" in entry or clock_ms is None:
                position_ms = reading.time_ms(reading.field(entry, "position_ms", at), "position_ms", at)
        except InputError as reason:
            file.bad_row(reason)
            continue
        if half in PERIODS:
            yield _Mark(Stamp(at, half, clock_ms, position_ms), entry)
        else:
            file.notices.count("actions of the shoot-out not read")


def _split(
    marks: Sequence[_Mark], times: Sequence[int | InputError], file: FeedFile
) -> tuple[list[_Mark], list[int | InputError]]:
    """The actions of one video in the halves that the kick-offs make of it; those before the first are counted."""
    split: list[tuple[_Mark, int | InputError]] = []
    for mark, time in zip(marks, times, strict=True):
        in_video_ms = time if mark.stamp.position_ms is None else mark.stamp.position_ms
        if isinstance(time, InputError) or isinstance(in_video_ms, InputError):
            split.append((mark, time))
        elif (place := half_at(in_video_ms, file.kick_offs_ms)) is None:
            file.notices.count("actions before the kick-off not read")
        else:
            split.append((mark._replace(stamp=mark.stamp._replace(half=place[0])), place[1]))
    return [mark for mark, _ in split], [time for _, time in split]


def _halves(matches: Sequence[_Match], file: FeedFile) -> list[FeedHalf]:
    """A file reports the classes that it names: all ten if one is known to ball action spotting alone."""
    # In percent are confidences that are mostly above 1, some above any logit, and none beyond what can be.
    written = [_written_confidence(mark.entry) for match in matches for mark in match.marks]
    values = sorted(number(value) for value in written if value is not None)
    in_percent = bool(values) and all(0 <= value <= 100 for value in values)
    in_percent = in_percent and values[len(values) // 2] > 1 and values[-1] > _SURELY_PERCENT
    if in_percent:
        file.notices.add("confidences are read as percent")
    labels: set[str] = set()
    halves: list[tuple[int, int, list[FeedRow]]] = []
    too_long: list[str] = []
    for match in matches:
        by_half: dict[int, list[FeedRow]] = {}
        for mark, time in zip(match.marks, match.times, strict=True):
            try:
                rows = by_half.setdefault(mark.stamp.half, [])
                rows += _row(mark, time, in_percent, labels, file.notices)
            except InputError as reason:
                file.bad_row(reason)
        if by_half.keys() == {1} and (text := break_inside([row.t_ms for row in by_half[1]])):
            too_long.append(f"{match.name}: {text}" if match.name else text)
        halves += [(match.id, half, sorted(rows)) for half, rows in sorted(by_half.items()) if rows]
    file.notices.add_all(too_long)
    if not labels:
        raise InputError(file.path, "holds no action of ours", f"labels known: {', '.join(_CODES)}")
    reports = {_CODES[label] for label in labels}
    if _BALL_LABELS & labels:
        reports |= set(range(len(ACTIONS)))
    return [
        FeedHalf.from_rows(match, half, rows, reports=frozenset(reports), teams=HOME_AND_AWAY)
        for match, half, rows in halves
    ]


def _row(
    mark: _Mark, time: int | InputError, in_percent: bool, labels: set[str], notices: Notices
) -> Iterator[FeedRow]:
    if isinstance(time, InputError):
        raise time
    written, team = str(mark.entry.get("label")), team_of(mark.entry.get("team"))
    label = label_words(written)
    code = _CODES.get(label)
    if code is None and label.rpartition(" ")[2].lower() in _TEAMS:  # "PASS left"
        label, _, side = label.rpartition(" ")
        code, team = _CODES.get(label), team_of(side) if team == UNKNOWN else team
    if code is None:
        notices.count(f"actions labelled {written[:40]!r} not read")
        return
    told = {"confidence": _confidence(mark, in_percent), "late_ms": _late_ms(mark)}
    labels.add(label)
    yield FeedRow(mark.stamp.half, time, code, team, setpiece=_SETPIECES.get(label, UNKNOWN), **told)


def code_of(label: str) -> int | None:
    """The code of a label in any usual spelling; None if it is none of ours."""
    return _CODES.get(label_words(label))


def setpiece_of(label: str) -> int:
    """The set piece that a label implies, as CORNER does; else ``UNKNOWN``."""
    return _SETPIECES.get(label_words(label), UNKNOWN)


def team_of(name: object) -> int:
    """0 for home and left, 1 for away and right, else ``UNKNOWN``."""
    return _TEAMS.get(str(name).strip().lower(), UNKNOWN)


def _late_ms(mark: _Mark) -> int:
    """Time after the action from which on a row counts, as ``playahead spot`` writes it; 0 in any other file."""
    late_ms = number(mark.entry.get("late_ms", 0))
    if not 0 <= late_ms <= LONGEST_DELAY_MS:
        raise InputError(mark.stamp.where, f"late_ms {late_ms} is not in 0 to {LONGEST_DELAY_MS}")
    return round(late_ms)


def _written_confidence(entry: Mapping[str, object]) -> object:
    """A confidence under any of its names; None if the entry has none."""
    return next((entry[name] for name in _CONFIDENCES if entry.get(name) not in (None, "")), None)


def _confidence(mark: _Mark, in_percent: bool) -> int:
    written = _written_confidence(mark.entry)
    if written is None:
        return UNKNOWN
    if isinstance(written, str) and written.strip().endswith("%"):
        percent = number(written.strip()[:-1])
    else:
        percent = number(written) * (1 if in_percent else 100)
    if not 0 <= percent <= 100:
        raise InputError(mark.stamp.where, f"confidence {written!r} is not in [0, 1]")
    return round(percent)
