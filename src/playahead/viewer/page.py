"""Predictions, and what there is beside them, put into one page."""

import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import numpy as np

from playahead.domain.actions import ACTIONS, parse_action
from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf
from playahead.domain.palette import COLOURS, DARK, LIGHT, PAST_SHARE, short_name
from playahead.errors import InputError, RecordError
from playahead.files import write_whole
from playahead.sources import jsonfile
from playahead.sources.feeds import read_feed, reader_of

_ASSETS = files("playahead.viewer") / "assets"


@dataclass(frozen=True)
class Shown:
    """What the files of a page are.

    Attributes:
        predictions: what ``predict --format json`` wrote.
        video: of the match, or None.
        halves: the match's feed, or its labels; empty if not given.
    """

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
    for path in paths:
        if (found := _predictions(path)) is not None:
            predictions.append(found)
        elif reader_of(path) is not None:
            feeds.append(read_feed(path))
        else:
            videos.append(path)
    if len(predictions) != 1:
        fix = "playahead predict match.mp4 --format json > predictions.json"
        raise InputError("view", f"needs one file of predictions, {len(predictions)} are given", fix)
    if len(videos) > 1 or len(feeds) > 1:
        raise InputError("view", "needs at most one video, and one feed or file of labels")
    return Shown(predictions[0], videos[0] if videos else None, feeds[0] if feeds else ())


def _predictions(path: Path) -> dict[str, object] | None:
    if path.suffix.lower() != ".json":
        return None
    found = jsonfile.read_json(path)
    return found if isinstance(found, dict) and isinstance(found.get("anticipated"), list) else None


def write_page(shown: Shown, out: Path) -> None:
    """Write the page; a video stays where it is, and is named relative to it.

    Raises:
        InputError: a prediction that no ``predict`` wrote, or the page cannot be written.
    """
    title = str(shown.predictions.get("source", "match"))[:200]
    video = None if shown.video is None else quote(os.path.relpath(shown.video.resolve(), out.resolve().parent))
    write_whole(out, _page(f"{title}: what was expected", {"video": video, "parts": _parts(shown)}))


def live_page(title: str, session: str) -> str:
    """The page of a running match.

    Args:
        title: of the page.
        session: its address.
    """
    part = {"name": "", "answers": [], "seen": [], "labels": [], "lengthMs": 0}
    return _page(title, {"video": None, "live": session, "parts": [part]})


def _page(title: str, about: Mapping[str, object]) -> str:
    document = {
        "title": title,
        "labels": [str(action) for action in ACTIONS],
        "classes": [short_name(action) for action in ACTIONS],
        "colours": [COLOURS[action] for action in ACTIONS],
        "pastShare": PAST_SHARE,
        **about,
    }
    text = (_ASSETS / "viewer.html").read_text("utf-8")
    data = json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    pieces = {
        "TITLE": html.escape(title),
        "STYLE": _colours() + (_ASSETS / "viewer.css").read_text("utf-8"),
        "SCRIPT": (_ASSETS / "viewer.js").read_text("utf-8"),
        "DATA": data,
    }
    for name, piece in pieces.items():  # the data last: it may hold any word
        text = text.replace(name, piece)
    return text


def _colours() -> str:
    """The palette as CSS variables, by day and by night."""
    light, dark = ("".join(f"--{name}: {colour}; " for name, colour in theme.items()) for theme in (LIGHT, DARK))
    return f":root {{ {light}}}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"


def _parts(shown: Shown) -> list[dict[str, object]]:
    """The halves of a feed, or the whole of a video."""
    entries = jsonfile.as_list(shown.predictions["anticipated"], "anticipated")
    spotted = _marks(jsonfile.as_list(shown.predictions.get("spotted", []), "spotted"), "spotted")
    by_half: dict[int, list[dict[str, object]]] = {}
    for index, raw in enumerate(entries):
        entry = jsonfile.as_object(raw, f"anticipated {index}")
        half = int(_number(entry, "half", f"anticipated {index}")) if "half" in entry else 0
        by_half.setdefault(half, []).append(entry)
    parts = []
    for half, found in sorted(by_half.items()):
        feed = next((h for h in shown.halves if h.half == half or half == 0), None)
        parts.append(_part(f"Half {half}" if half in PERIODS else "Match", found, feed, spotted))
    return parts


def _part(
    name: str, entries: Sequence[dict[str, object]], feed: FeedHalf | None, spotted: list[dict[str, object]]
) -> dict[str, object]:
    answers: dict[int, list[dict[str, object]]] = {}
    for entry in entries:
        now_ms = int(_number(entry, "observed_until_ms", name))
        answers.setdefault(now_ms, []).append({**_mark(entry, name), "p": _number(entry, "confidence", name)})
    seen = spotted or ([] if feed is None else _rows(feed))
    labels = None if feed is None else [row for row in _rows(feed) if row.pop("target")]
    latest = max([*answers, *(int(str(mark["t"])) for mark in seen)], default=0)
    return {
        "name": name,
        "lengthMs": latest + 5_000,
        "answers": [{"now": now_ms, "expected": expected} for now_ms, expected in sorted(answers.items())],
        "seen": [{key: value for key, value in row.items() if key != "target"} for row in seen],
        "labels": labels,
    }


def _rows(half: FeedHalf) -> list[dict[str, object]]:
    """A feed's actions: time, class, and team and place where they are known."""
    rows = []
    for row in np.flatnonzero(half.code < len(ACTIONS)):
        found: dict[str, object] = {
            "t": int(half.t_ms[row]),
            "c": int(half.code[row]),
            "target": bool(half.is_target[row]),
        }
        if half.team[row] != UNKNOWN and half.x[row] != UNKNOWN and half.y[row] != UNKNOWN:
            found |= {"team": int(half.team[row]), "x": int(half.x[row]), "y": int(half.y[row])}
        rows.append(found)
    return rows


def _marks(entries: Sequence[object], where: str) -> list[dict[str, object]]:
    return [_mark(jsonfile.as_object(entry, f"{where} {index}"), where) for index, entry in enumerate(entries)]


def _mark(entry: dict[str, object], where: str) -> dict[str, object]:
    try:
        action = parse_action(str(jsonfile.field(entry, "action", where)))
    except RecordError as reason:
        raise InputError(where, reason) from None
    if action is None:
        raise InputError(where, f"action {entry['action']!r} is none that is anticipated")
    return {"t": int(_number(entry, "time_ms", where)), "c": action.class_index}


def _number(entry: dict[str, object], name: str, where: str) -> float:
    found = jsonfile.number(jsonfile.field(entry, name, where))
    if not 0 <= found < 1e9:
        raise InputError(where, f"{name} {str(entry[name])[:40]!r} is not a number of 0 or more")
    return round(found, 4)
