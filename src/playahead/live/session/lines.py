"""Lines of a running match: what a feed or a spotter sends, checked one at a time, each source in its own thread."""

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeGuard

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import (
    COLUMNS,
    FLAGS,
    HOME_AND_AWAY,
    LONGEST_DELAY_MS,
    RANGES,
    ROLES,
    UNKNOWN,
    Detail,
    FeedHalf,
    FeedRow,
)
from playahead.io.channel import Channel
from playahead.io.errors import InputError
from playahead.sources.reading import as_list, as_object, field, parse_json
from playahead.sources.spotting_files import code_of, setpiece_of, team_of

LONGEST_LINE = 65_536
_WAITING = 10_000  # lines read ahead of their use
_LOOK_AGAIN_S = 0.1
_STILL_S = 2.0  # a last line that has not grown for so long is read as it is
_TOKENS = {name: len(ACTIONS) + place for place, name in enumerate(OBSERVED_TOKENS)}
_SETPIECES = ("open play", "throw-in", "goal kick", "corner", "free kick", "penalty")  # in the order of SetPiece
_NUMBERS = {name: RANGES[name] for name in ("half", "t_ms", "x", "y", "delay_ms", "player")} | {
    "now_ms": RANGES["t_ms"]
}
_DETAILS = {detail.name.lower().replace("_", " "): detail for detail in Detail}
_FINER = {
    "detail": {"enum": [*_DETAILS, None]},
    "flags": {"type": ["array", "null"], "items": {"enum": list(FLAGS)}},
    "role": {"enum": [*ROLES, None]},
}
_OF_A_ROW = frozenset(
    {"half", "t_ms", "action", "team", "x", "y", "setpiece", "delay_ms", "confidence", "player", *_FINER}
)
EXAMPLE = 'one object a line, as {"t_ms": 61200, "action": "PASS"}'

ROW_SCHEMA = {
    "type": "object",
    "description": "An event; or with now_ms alone, the time until which nothing else happened.",
    "additionalProperties": False,
    "properties": {
        **{
            name: {"type": ["number", "null"], "minimum": low, "maximum": high}
            for name, (low, high) in _NUMBERS.items()
        },
        "action": {"type": ["string", "null"], "maxLength": 40},
        "team": {"enum": ["home", "away", None]},
        "setpiece": {"enum": [*_SETPIECES, None]},
        "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        **_FINER,
    },
}
"""JSON schema of what ``parse_entry`` takes, ``reports`` aside."""


@dataclass(frozen=True)
class Tick:
    """A moment until which nothing else happened."""

    half: int
    now_ms: int


@dataclass(frozen=True)
class Reports:
    """Facts about the source that come before its first row.

    Attributes:
        codes: those that it reports at all; the absence of any other code means nothing.
        teams: names of its teams.
    """

    codes: frozenset[int]
    teams: tuple[str, str] = HOME_AND_AWAY


Line = FeedRow | Tick | Reports


def parse_line(line: str, where: str) -> Line:
    """One line, such as ``{"half": 1, "t_ms": 61200, "action": "PASS", "team": "home", "x": 44, "y": 20}``.

    A row needs ``t_ms`` (from the half's start) and ``action`` (a label of the benchmark, or DUEL, SAVE, STOPPAGE,
    TOUCH). It may give ``half`` (else 1), ``team`` (home or away), ``x`` and ``y`` (0 to 100, in the acting team's
    attack), ``setpiece`` (as "corner"), ``confidence`` (0 to 1), ``delay_ms`` (it could only be known so much later),
    and what tells more than the action: ``detail`` (as "smart pass"), ``flags`` (as ["left foot", "high"]), ``player``
    (a number within the match) and ``role`` (as "defender").

    ``{"half": 1, "now_ms": 65000}`` says that nothing else happened until then. ``{"reports": ["PASS", "DUEL"]}``,
    before the first row, names what the source reports at all; without it, the ten actions. Numbers are JSON numbers,
    not text.

    Raises:
        InputError: ``where``, and what is wrong.
    """
    if len(line) > LONGEST_LINE:
        raise InputError(where, f"is longer than {LONGEST_LINE:,} characters", EXAMPLE)
    if "\0" in line:
        raise InputError(where, "holds zero bytes", "is it UTF-16? write UTF-8")
    try:
        entry = as_object(parse_json(line.encode("utf-8", "surrogatepass"), where), where)
    except InputError as reason:
        raise InputError(where, reason.what, EXAMPLE) from None
    return parse_entry(entry, where)


def parse_entry(entry: object, where: str) -> Line:
    """``parse_line`` of what is parsed already."""
    entry = as_object(entry, where)
    if entry.keys() == {"reports"}:
        return Reports(frozenset(_code(label, where) for label in as_list(entry["reports"], f"{where}: reports")))
    half = _whole(entry, "half", where, 1)
    if "now_ms" in entry and entry.keys() <= {"half", "now_ms"}:
        return Tick(half, _whole(entry, "now_ms", where))
    if unknown := sorted(entry.keys() - _OF_A_ROW):
        raise InputError(where, f"{unknown[0][:40]!r} is not one of {', '.join(sorted(_OF_A_ROW))}", EXAMPLE)
    label = field(entry, "action", where)
    team, setpiece, confidence = (entry.get(name) for name in ("team", "setpiece", "confidence"))
    return FeedRow(
        half=half,
        code=_code(label, where),
        t_ms=_whole(entry, "t_ms", where),
        team=UNKNOWN if team is None else _team(team, where),
        x=_whole(entry, "x", where, UNKNOWN),
        y=_whole(entry, "y", where, UNKNOWN),
        setpiece=setpiece_of(str(label)) if setpiece is None else _setpiece(setpiece, where),
        delay_ms=_whole(entry, "delay_ms", where, 0),
        confidence=UNKNOWN if confidence is None else _percent(confidence, where),
        detail=_one_of(_DETAILS, entry, "detail", where),
        flags=_flags(entry.get("flags"), where),
        player=_whole(entry, "player", where, UNKNOWN),
        role=_one_of({role: place for place, role in enumerate(ROLES)}, entry, "role", where),
    )


def _code(label: object, where: str) -> int:
    code = _TOKENS.get(label, code_of(label)) if isinstance(label, str) else None
    if code is None:
        known = ", ".join((*ACTIONS, *OBSERVED_TOKENS))
        raise InputError(where, f"action {str(label)[:40]!r} is not one of {known}")
    return code


def _team(team: object, where: str) -> int:
    if (known := team_of(team)) == UNKNOWN:
        raise InputError(where, f"team {str(team)[:40]!r} is not home or away", "leave it out if unknown")
    return known


def _setpiece(setpiece: object, where: str) -> int:
    if setpiece not in _SETPIECES:
        raise InputError(where, f"setpiece {str(setpiece)[:40]!r} is not one of {', '.join(_SETPIECES)}")
    return _SETPIECES.index(setpiece)


def _one_of(values: Mapping[str, int], entry: Mapping[str, object], name: str, where: str) -> int:
    """Value of a word; ``UNKNOWN`` where there is none (or null)."""
    word = entry.get(name)
    if word is None:
        return UNKNOWN
    if not isinstance(word, str) or word not in values:
        raise InputError(where, f"{name} {str(word)[:40]!r} is not one of {', '.join(values)}")
    return values[word]


def _flags(words: object, where: str) -> int:
    if words is None:
        return UNKNOWN
    listed = as_list(words, f"{where}: flags")
    for word in listed:
        if word not in FLAGS:
            raise InputError(where, f"flags: {str(word)[:40]!r} is not one of {', '.join(FLAGS)}")
    return sum(1 << bit for bit, flag in enumerate(FLAGS) if flag in listed)


def _whole(entry: Mapping[str, object], name: str, where: str, default: int | None = None) -> int:
    """A number in its range, rounded; the default where there is none (or null)."""
    value = entry.get(name)
    if value is None and default is not None:
        return default
    low, high = _NUMBERS[name]
    if not _is_number(value) or not low <= round(value) <= high:
        raise InputError(where, f"{name} {str(value)[:40]!r} is not a number from {low} to {high:,}")
    return round(value)


def _percent(confidence: object, where: str) -> int:
    if not _is_number(confidence) or not 0 <= confidence <= 1:
        raise InputError(where, f"confidence {str(confidence)[:40]!r} is not in [0, 1]")
    return round(100 * confidence)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


Lines = Channel[Line | InputError]
"""Parsed lines as they come; a line that cannot be read comes as its error."""


def lines_of(source: Callable[[threading.Event], Iterator[Line | InputError]]) -> Lines:
    """Read lines in a thread of its own: ``source`` yields them; it may sleep, and stops once the event is set."""

    def read(lines: Lines) -> None:
        for line in source(lines.closed):
            if not lines.put(line):
                return

    return Channel.fed_by(read, _WAITING)


def of_stream(stream: BinaryIO, where: str) -> Lines:
    """JSON lines from standard input or a pipe, until it is closed."""

    def read(_: threading.Event) -> Iterator[Line | InputError]:
        for number, text in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), start=1):
            yield from _parsed(text, f"{where}: line {number}")

    return lines_of(read)


def of_growing_file(path: Path, follow: bool) -> Lines:
    """JSON lines of a file.

    Args:
        path: the file.
        follow: wait for lines that are written later. A file that was cut short or replaced is read from its
            beginning; a file without a line that can be read is not followed.
    """

    def read(stopped: threading.Event) -> Iterator[Line | InputError]:
        file, number, rest, still_s = path.open("rb"), 0, b"", 0.0
        has_read = has_refused = False
        try:
            while not stopped.is_set():
                piece = file.readline(LONGEST_LINE + 1 - len(rest))
                rest, still_s = rest + piece, 0.0 if piece else still_s + _LOOK_AGAIN_S
                # A last line without an end may still grow, unless it is the whole file.
                as_it_is = not piece and rest and (not follow or (still_s > _STILL_S and not has_read))
                if rest.endswith(b"\n") or len(rest) > LONGEST_LINE or as_it_is:
                    number += 1
                    for line in _parsed(rest, f"{path}: line {number}"):
                        is_refused = isinstance(line, InputError)
                        has_refused, has_read = has_refused or is_refused, has_read or not is_refused
                        yield line
                    rest = b""
                if piece:
                    continue
                if not follow or (has_refused and not has_read and not rest):
                    return
                if _is_another(path, file):
                    file.close()
                    file, number, rest = path.open("rb"), 0, b""
                    yield InputError(path, "was cut short or replaced, read from its beginning")
                stopped.wait(_LOOK_AGAIN_S)
        finally:
            file.close()

    return lines_of(read)


def of_feed(halves: list[FeedHalf], speed: float) -> Lines:
    """Play the halves of one match, each row when it becomes visible, at this speed; 0 does not wait."""

    def play(stopped: threading.Event) -> Iterator[Line]:
        if halves:
            yield Reports(halves[0].reports, halves[0].teams)
        for half in halves:
            started_s = time.monotonic()
            yield Tick(half.half, 0)
            for row in rows_of(half):
                due_s = started_s + ((row.t_ms + row.delay_ms) / 1000 / speed if speed else 0.0)
                if stopped.wait(max(0.0, due_s - time.monotonic())):
                    return
                yield row

    return lines_of(play)


def rows_of(half: FeedHalf) -> Iterator[FeedRow]:
    """Rows in the order in which they become visible; a late row has a longer delay."""
    names = [name for name in COLUMNS if name not in ("delay_ms", "late_ms")]
    for row in half.visible_ms.argsort(kind="stable"):
        delay_ms = min(int(half.delay_ms[row]) + int(half.late_ms[row]), LONGEST_DELAY_MS)
        yield FeedRow(half.half, delay_ms=delay_ms, **{name: int(getattr(half, name)[row]) for name in names})


def _is_another(path: Path, file: BinaryIO) -> bool:
    try:
        now, read = path.stat(), os.fstat(file.fileno())
    except OSError:  # gone for the moment
        return False
    return (now.st_dev, now.st_ino) != (read.st_dev, read.st_ino) or now.st_size < file.tell()


def _parsed(text: bytes, where: str) -> Iterator[Line | InputError]:
    if not text.strip():
        return
    try:
        yield parse_line(text.decode("utf-8", "replace"), where)
    except InputError as reason:
        yield reason
