"""The page of a match: predictions beside the video and the feed or labels, or a running session."""

import html
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import numpy as np

from playahead.domain.actions import ACTIONS, Action, parse_action
from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf
from playahead.domain.palette import COLOURS, DARK, LIGHT, PAST_SHARE, short_name
from playahead.io.errors import InputError, RecordError
from playahead.io.files import match_file, write_whole
from playahead.sources import reading
from playahead.sources.feeds import read_feed, reader_of, refusal_of

_ASSETS = files("playahead.live.page") / "assets"
_SCRIPTS = ("match.js", "draw.js", "live.js", "viewer.js")  # one module, in the order of use
_SMALL_LANES = (Action.THROW_IN, Action.OUT, Action.BLOCK, Action.TACKLE)  # rare, and seldom what one looks for
_LONGEST_TEAM = 80
_HORIZONS = ("within_1_s", "within_2_s", "within_5_s")
_MOST_TIMES = 100_000  # of a part: more than a day, a second apart


@dataclass(frozen=True)
class Shown:
    """Files of a page: output of ``predict --format json``, the match's video, and its feed or labels."""

    predictions: Mapping[str, object]
    video: Path | None
    halves: Sequence[FeedHalf]


def recognise(paths: Sequence[Path]) -> Shown:
    """Tell predictions, a video and a feed (or labels) apart by their content.

    Raises:
        InputError: no predictions among them, or two of a kind.
    """
    predictions: list[Mapping[str, object]] = []
    videos: list[Path] = []
    feeds: list[Sequence[FeedHalf]] = []
    for path in map(match_file, paths):
        if (document := _predictions(path)) is not None:
            predictions.append(document)
        elif reader_of(path) is not None:
            feeds.append(read_feed(path))
        else:
            videos.append(path)
    if len(predictions) != 1:
        fix = "playahead predict match.mp4 --format json > predictions.json"
        raise InputError("files", f"one file of predictions is needed, {len(predictions)} are given", fix)
    if odd := [path for path in videos if path.suffix in reading.NO_VIDEO]:
        raise refusal_of(odd[0]) or InputError(odd[0], "is neither predictions nor a feed, labels or a video")
    if len(videos) > 1 or len(feeds) > 1:
        raise InputError("files", "at most one video, and one feed or file of labels, can be shown")
    return Shown(predictions[0], videos[0] if videos else None, feeds[0] if feeds else ())


def _predictions(path: Path) -> dict[str, object] | None:
    if path.suffix.lower() != ".json":
        return None
    document = reading.read_json(path)
    return document if isinstance(document, dict) and isinstance(document.get("anticipated"), list) else None


def write_page(shown: Shown, out: Path) -> None:
    """Write the page; a video stays where it is, and is named relative to it.

    Raises:
        InputError: a prediction that is not of ``predict``, or the page cannot be written.
    """
    title = _printable(str(shown.predictions.get("source", "match"))[:200])
    about: dict[str, object] = {}
    if shown.video is not None:
        address = quote(os.fsencode(os.path.relpath(shown.video.resolve(), out.resolve().parent)))
        about = {"video": address, "videoName": _printable(shown.video.name)}
    about |= {"teams": _teams(shown), "minimums": _minimums(shown.predictions), "parts": _parts(shown)}
    write_whole(out, _page(f"{title}: what was expected", about))


def _printable(text: str) -> str:
    """A name from outside, without line ends and other letters that no page can hold."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def live_page(title: str, session: str) -> str:
    """Page of the running match with this session address."""
    part = {"name": "", "answers": [], "seen": [], "labels": [], "lengthMs": 0}
    return _page(title, {"live": session, "parts": [part]})


def _page(title: str, about: Mapping[str, object]) -> str:
    document = {
        "title": title,
        "labels": [str(action) for action in ACTIONS],
        "classes": [short_name(action) for action in ACTIONS],
        "colours": [COLOURS[action] for action in ACTIONS],
        "small": [action.class_index for action in _SMALL_LANES],
        "pastShare": PAST_SHARE,
        **about,
    }
    light, dark = ("".join(f"--{name}: {colour}; " for name, colour in theme.items()) for theme in (LIGHT, DARK))
    marks = f"--shot: {COLOURS[Action.SHOT]}; --cross: {COLOURS[Action.CROSS]}; "
    colours = f":root {{ {light}{marks}}}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
    # All pieces at once, so that a name inside one piece is not taken for another piece.
    return Template((_ASSETS / "viewer.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        style=colours + (_ASSETS / "viewer.css").read_text("utf-8"),
        script="".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS),
        data=json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    )


def _parts(shown: Shown) -> list[dict[str, object]]:
    """Parts of the page: the halves of a feed, or the whole of a video."""
    spotted = [_mark(entry, where) for where, entry in _objects(shown.predictions, "spotted")]
    spotted.sort(key=lambda mark: int(str(mark["t"])))
    answers = _answers(shown)
    n_matches, parts = len({match for match, _ in answers}), []
    for (match, half), of_half in sorted(answers.items()):
        name = f"Half {half}" if half in PERIODS else "Match"
        feed = _feed_of(shown.halves, match, half)
        rows = [] if feed is None else _rows(feed)
        # Seen: what the backbone spotted, else the rows of the feed. Labels: the rows that are anticipated and scored.
        seen = spotted or [row for row, _ in rows]
        latest = max([*of_half, *(int(str(mark["t"])) for mark in seen)], default=0)
        part = {
            "name": name if n_matches < 2 else f"Match {match}, {name.lower()}",
            "lengthMs": latest + 5_000,
            "answers": [{"now": now_ms, **answer} for now_ms, answer in sorted(of_half.items())],
            "seen": seen,
            "labels": None if feed is None else [row for row, is_target in rows if is_target],
        }
        parts.append(part)
    return parts


def _answers(shown: Shown) -> dict[tuple[int, int], dict[int, dict[str, Any]]]:
    """(match, half) -> time -> what was expected then and, in newer files, the chances and who had the ball."""
    teams = _teams(shown) or []
    answers: dict[tuple[int, int], dict[int, dict[str, Any]]] = {}

    def at(entry: dict[str, object], where: str) -> dict[str, Any]:
        now_ms = int(_number(entry, "observed_until_ms", where))
        return answers.setdefault(_half_of(entry, where), {}).setdefault(now_ms, {"expected": []})

    # An answer for each time of each half, also for times without an action.
    for where, entry in _objects(shown.predictions, "times"):
        times_ms = _times(entry, where)
        answers.setdefault(_half_of(entry, where), {}).update((time_ms, {"expected": []}) for time_ms in times_ms)
    for where, entry in _objects(shown.predictions, "anticipated"):
        at(entry, where)["expected"].append(_expected(entry, where, teams))
    for where, entry in _objects(shown.predictions, "chances"):
        answer = at(entry, where)
        answer["chances"] = [_chances(entry, horizon, where) for horizon in _HORIZONS]
        answer |= _side("ball", entry.get("possession"), teams)
    return answers


def _expected(entry: dict[str, object], where: str, teams: Sequence[str]) -> dict[str, object]:
    """An anticipation: time, class and confidence; team, place and times the usual if they are known."""
    mark = {**_mark(entry, where), "p": _number(entry, "confidence", where, 1)}
    mark |= _side("team", entry.get("team"), teams)
    known = {name: _number(entry, name, where, 100) for name in ("x", "y") if entry.get(name) is not None}
    if entry.get("times_usual") is not None:
        known["usual"] = _number(entry, "times_usual", where)
    return mark | known


def _side(name: str, team: object, teams: Sequence[str]) -> dict[str, object]:
    """{name: number of this team}; nothing of an unknown one."""
    shown = _printable(str(team)[:_LONGEST_TEAM])
    return {name: teams.index(shown)} if team is not None and shown in teams else {}


def _chances(entry: dict[str, object], horizon: str, where: str) -> list[int]:
    """Chance of each class in units of 0.01 %, which keeps the page small."""
    chance_C = reading.as_list(reading.field(entry, horizon, where), f"{where}: {horizon}")
    if len(chance_C) != len(ACTIONS):
        raise InputError(where, f"{horizon} holds {len(chance_C)} chances, not {len(ACTIONS)}")
    return [round(10_000 * _number({horizon: chance}, horizon, where, 1)) for chance in chance_C]


def _teams(shown: Shown) -> list[str] | None:
    """Names of teams 0 and 1 in the predictions, else in the feed."""
    named = shown.predictions.get("teams") or (list(shown.halves[0].teams) if shown.halves else None)
    if named is None:
        return None
    teams = [_printable(str(name)[:_LONGEST_TEAM]) for name in reading.as_list(named, "teams")]
    if len(teams) != 2:
        raise InputError("teams", f"names {len(teams)} teams, not 2")
    return teams


def _minimums(predictions: Mapping[str, object]) -> list[float] | None:
    """Smallest confidence of each class that the predictions list, if they say so."""
    if not predictions.get("min_confidence"):
        return None
    by_class = reading.as_object(predictions["min_confidence"], "min_confidence")
    return [_number(by_class, str(action), "min_confidence", 1) for action in ACTIONS]


def _objects(document: Mapping[str, object], name: str) -> Iterator[tuple[str, dict[str, object]]]:
    """(where, object) of each entry of a list; nothing if there is no such list."""
    for index, raw in enumerate(reading.as_list(document.get(name, []), name)):
        yield f"{name} {index}", reading.as_object(raw, f"{name} {index}")


def _half_of(entry: dict[str, object], where: str) -> tuple[int, int]:
    """(match, half) of an entry; zeros for a video."""
    match, half = (int(_number(entry, name, where)) if name in entry else 0 for name in ("match", "half"))
    return match, half


def _times(entry: dict[str, object], where: str) -> range:
    """Times of anticipation, also those without an action."""
    first, last, every = (int(_number(entry, name, where)) for name in ("from_ms", "to_ms", "every_ms"))
    times_ms = range(first, last + 1, max(every, 1))
    if len(times_ms) > _MOST_TIMES:
        raise InputError(where, f"holds more than {_MOST_TIMES:,} times")
    return times_ms


def _feed_of(halves: Sequence[FeedHalf], match: int, half: int) -> FeedHalf | None:
    """Half of a feed or of labels that predictions are about; the first for a video without halves."""
    has_several = len({one.match for one in halves}) > 1
    same = (one for one in halves if half in (0, one.half) and (one.match == match or not has_several))
    return next(same, None)


def _rows(half: FeedHalf) -> list[tuple[dict[str, object], bool]]:
    """Actions of a feed (time, class, and team and place if they are known), and whether each is anticipated."""
    rows = []
    for row in np.flatnonzero(half.code < len(ACTIONS)):
        mark: dict[str, object] = {"t": int(half.t_ms[row]), "c": int(half.code[row])}
        if half.team[row] != UNKNOWN and half.x[row] != UNKNOWN and half.y[row] != UNKNOWN:
            mark |= {"team": int(half.team[row]), "x": int(half.x[row]), "y": int(half.y[row])}
        rows.append((mark, bool(half.is_target[row])))
    return rows


def _mark(entry: dict[str, object], where: str) -> dict[str, object]:
    try:
        action = parse_action(str(reading.field(entry, "action", where)))
    except RecordError as reason:
        raise InputError(where, reason) from None
    if action is None:
        raise InputError(where, f"action {entry['action']!r} is not anticipated")
    return {"t": int(_number(entry, "time_ms", where)), "c": action.class_index}


def _number(entry: dict[str, object], name: str, where: str, most: float = reading.LARGEST_ID) -> float:
    number = reading.number(reading.field(entry, name, where))
    if not 0 <= number <= most:
        raise InputError(where, f"{name} {str(entry[name])[:40]!r} is not a number from 0 to {most:,.0f}")
    return round(number, 4)
