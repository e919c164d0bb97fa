"""Wyscout-BAA from its public source: fetch the archive, make the tables, compare each match with the benchmark's list.

The events are those of Pappalardo et al. (2019, CC BY 4.0): a zip of 77 MB with a JSON file for each competition. A
folder that somebody has already is taken instead: the competitions' files, or a file for each match.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playahead.datasets.benchmark import Benchmark, Source, wyscout_baa
from playahead.domain.feed import FeedHalf
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.io.files import RESUMES, disk_errors, file_digest, put_in_place, strict_json
from playahead.io.progress import Show, counter, quiet
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.sources.feeds import read_feed

_TIMEOUT_S, _CHUNK_BYTES = 60, 1 << 20
_TABLES_OF = {
    "train": ["train.npz"],
    "large": ["large/train.npz"],
    "val": ["val.npz", "large/val.npz"],
    "test": ["test.npz", "large/test.npz"],
}
_TOURNAMENTS = {"events_European_Championship": "euro-2016", "events_World_Cup": "world-cup-2018"}
_OFF_PITCH = 5.0  # percent; a place further out is unknown


@dataclass
class Made:
    """Tables that were made, and how they differ from the benchmark's.

    Attributes:
        tables: rows of each table.
        differences: for each split, matches that are missing or differ from the benchmark's.
        tournaments: matches of each tournament that were read, and all that its file has.
    """

    tables: dict[str, int] = field(default_factory=dict)
    differences: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    tournaments: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_benchmark(self) -> bool:
        """Whether every match of every split is the benchmark's, to the row."""
        return not any(chain.from_iterable(of.values() for of in self.differences.values()))


def make_wyscout_baa(
    out: Path, mirror: Path | None = None, benchmark: Benchmark | None = None, show: Show = quiet
) -> Made:
    """Write train.npz, val.npz and test.npz, and large/ with its own train.npz and the same two; called again, a
    download goes on where it stopped.

    A tournament whose file the source has becomes euro-2016/test.npz or world-cup-2018/test.npz. All its matches are
    taken as they come, as the list has no digests of them.

    Args:
        out: folder to write to.
        mirror: folder with events_England.json and so on, or with a JSON file for each match; fetched if not given.
        benchmark: the matches and their digests; the packaged list if not given.
        show: progress of the download and of the conversion.

    Raises:
        InputError: no connection, a file that is not the published one, a folder without the matches, or tables of
            other matches where these are to go.
    """
    benchmark = benchmark or wyscout_baa()
    wanted = {match for of in benchmark.splits.values() for match in of}
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        if mirror is None:
            events = fetch(benchmark.sources["events"], out / "events.zip", show)
            players = fetch(benchmark.sources["players"], out / "players.json", show)
            found = _of_archive(events, _players(players), wanted)
        else:
            found = _of_folder(mirror, wanted)
        converted = _convert(found, len(wanted), show)
        halves = converted.pop("", {})
        made = Made(tournaments={name: (sum(map(bool, of.values())), len(of)) for name, of in converted.items()})
        chosen = {
            split: [half for match in sorted(matches) for half in halves.get(match, [])]
            for split, matches in benchmark.splits.items()
        }
        for split, of in chosen.items():
            if not of:
                raise InputError(mirror or out, f"holds no match of the split {split}", "is this the right folder?")
        tables = {name: (of, wanted) for split, of in chosen.items() for name in _TABLES_OF[split]}
        for tournament, by_match in converted.items():
            if of := [half for match in sorted(by_match) for half in by_match[match]]:
                tables[f"{tournament}/test.npz"] = of, set(by_match)
        for name, (_, ours) in tables.items():
            _require_ours(out / name, ours)
        for name, (of, _) in tables.items():
            (out / name).parent.mkdir(exist_ok=True)
            write_feed_table(out / name, of)
            made.tables[name] = sum(map(len, of))
        made.differences = {split: benchmark.differences(split, of) for split, of in chosen.items()}
    return made


def _require_ours(path: Path, ours: set[int]) -> None:
    """Refuse to write over a table of other matches."""
    if path.exists() and {half.match for half in read_feed_table(path)} - ours:
        raise InputError(path, "is there already, with matches of another dataset", "choose another folder")


def fetch(source: Source, path: Path, show: Show = quiet) -> Path:
    """Download a file unless it is there; a part that is there is completed, and the digest is checked.

    Raises:
        InputError: no connection, or not the file that was published.
    """
    if path.exists() and file_digest(path) == source.sha256:
        return path
    part = path.with_name(f"{path.name}.part")
    had = part.stat().st_size if part.exists() else 0
    if had and file_digest(part) == source.sha256:  # all was there when the process was killed
        put_in_place(part, path)
        return path
    request = Request(source.address, headers={"Range": f"bytes={had}-"} if had else {})
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer:
            goes_on = answer.status == 206
            total = int(answer.headers.get("Content-Length") or 0) + (had if goes_on else 0)
            advance = counter(show, f"fetching {path.name}", max(total, 1), "bytes")
            advance(had if goes_on else 0)
            with part.open("ab" if goes_on else "wb") as file:
                while chunk := answer.read(_CHUNK_BYTES):
                    file.write(chunk)
                    advance(len(chunk))
        if part.stat().st_size < total:
            raise OSError("the connection broke off")
    except HTTPError as reason:
        if had and reason.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # the part is longer than the file
            part.unlink()
            return fetch(source, path, show)
        raise InputError(path, f"cannot be fetched ({reason})", f"try again, or fetch {source.address}") from None
    except (OSError, HTTPException) as reason:
        fix = f"{RESUMES}; or fetch {source.address} yourself as {path.name}"
        raise InputError(path, f"cannot be fetched ({reason})", fix) from None
    if file_digest(part) != source.sha256:
        part.unlink()
        raise InputError(path, f"what {source.address} sent is not the file that was published", "try again")
    put_in_place(part, path)
    return path


def _players(path: Path) -> dict[str, list]:
    """Players as a match's file lists them, for their roles."""
    listed = strict_json(path.read_bytes())
    return {"all": [{"player": player} for player in listed]} if isinstance(listed, list) else {}


_Matches = Iterator[tuple[str, int, dict[str, Any]]]
"""For each match the tournament that it is of ("" for a league), its id and its events."""


def _of_archive(path: Path, players: Mapping[str, list], wanted: set[int]) -> _Matches:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if name.endswith(".json")):
                yield from _matches(name, json.loads(archive.read(name)), players, wanted)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError) as reason:
        raise InputError(path, f"cannot be read as the published archive ({reason})", "delete it") from None


def _of_folder(folder: Path, wanted: set[int]) -> _Matches:
    competitions = sorted(folder.rglob("events_*.json"))
    if competitions:
        beside = folder / "players.json"
        players = _players(beside) if beside.exists() else {}
        for path in competitions:
            try:
                yield from _matches(path.name, json.loads(path.read_bytes()), players, wanted)
            except (ValueError, KeyError, TypeError) as reason:
                raise InputError(path, f"is no list of Wyscout's events ({reason})") from None
        return
    files = {int(path.stem): path for path in sorted(folder.rglob("*.json")) if path.stem.isdigit()}
    for match in sorted(files.keys() & wanted):
        try:
            yield "", match, _tidied(json.loads(files[match].read_bytes()))
        except (ValueError, KeyError, TypeError) as reason:
            raise InputError(files[match], f"is no match of Wyscout's ({reason})") from None


def _matches(name: str, events: list[dict[str, Any]], players: Mapping[str, list], wanted: set[int]) -> _Matches:
    """The matches of a competition's events, each as a file of its own would hold it; of a tournament all."""
    tournament = _TOURNAMENTS.get(Path(name).stem, "")
    by_match: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        if tournament or event["matchId"] in wanted:
            by_match.setdefault(event["matchId"], []).append(event)
    for match in sorted(by_match):
        try:
            root = _tidied({"events": by_match[match], "players": players})
        except (ValueError, KeyError, TypeError):
            if not tournament:
                raise
            root = {}  # an odd match of a tournament is one that cannot be read
        yield tournament, match, root


def _tidied(root: dict[str, Any]) -> dict[str, Any]:
    """A match without the places that are off the pitch: two events of the public data have some."""
    for event in root["events"]:
        places = event.get("positions") or []
        if any(not -_OFF_PITCH <= place[axis] <= 100 + _OFF_PITCH for place in places for axis in "xy"):
            event["positions"] = []
    return root


def _convert(matches: _Matches, count: int, show: Show) -> dict[str, dict[int, list[FeedHalf]]]:
    """Halves by tournament and match; read as the reader reads a match's own file."""
    advance = counter(show, f"converting {count:,} matches", count, "matches")
    halves: dict[str, dict[int, list[FeedHalf]]] = {}
    with TemporaryDirectory(prefix="playahead-") as folder:
        path = Path(folder) / "match.json"
        for tournament, match, root in matches:
            found = halves.setdefault(tournament, {})
            found[match] = []
            path.write_text(json.dumps(root))
            with suppress(InputError):  # a match that cannot be read is one that is missing
                read = read_feed(path, Notices(), provider="Wyscout v2")
                found[match] = [half for half in read if half.half in (1, 2)]
            if not tournament:
                advance()
    return halves
