"""Any event feed that can be read, whoever provided it.

A provider is one entry of ``READERS``: how its files are recognised, and the function that reads a match
(docs/how-to/add-a-provider.md). Some providers ship a match as two files; the second is the match's companion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import ESTIMATED_OUT, UNKNOWN, FeedHalf
from playahead.domain.notices import Notices
from playahead.io.errors import InputError, RecordError
from playahead.io.files import match_file
from playahead.io.progress import Show, counter, quiet
from playahead.sources import impect, metrica, opta, skillcorner, spadl
from playahead.sources.datafactory import read_datafactory
from playahead.sources.feed_tables import read_table, write_feed_table
from playahead.sources.kloppy_events import read_wyscout_v3
from playahead.sources.pff import read_pff
from playahead.sources.reading import FeedFile, Recognise, head_of, holding, starting
from playahead.sources.sportec import read_sportec
from playahead.sources.spotting_files import read_osl, read_soccernet_spotting
from playahead.sources.statsbomb import read_statsbomb
from playahead.sources.unread_formats import unread_format
from playahead.sources.wyscout import read_wyscout

_HEAD_BYTES = 65_536


@dataclass(frozen=True)
class Companion:
    """The second file of a match: the provider's name for it, and how it is recognised.

    It is never needed; given, it must be of the same match.
    """

    called: str
    recognises: Recognise


@dataclass(frozen=True)
class FeedReader:
    """Reader of one provider's matches.

    ``read`` adds what it does not read to the file's notices; an ``InputError`` names a file that is missing, mostly
    unreadable, or the companion of another match.
    """

    provider: str
    recognises: Recognise
    read: Callable[[FeedFile], list[FeedHalf]]
    companion: Companion | None = None


_JSON, _XML = b"{[", b"<"
READERS: tuple[FeedReader, ...] = (
    FeedReader("compact table", starting(b"PK\x03\x04"), read_table),
    FeedReader(
        "SkillCorner",
        starting(skillcorner.HEADER),
        skillcorner.read_skillcorner,
        Companion("match file", holding(_JSON, r'"home_team"\s*:', r'"away_team_kit"\s*:')),
    ),
    FeedReader("Metrica (CSV)", starting(metrica.HEADER.encode()), metrica.read_metrica_csv),
    FeedReader(
        "StatsBomb",
        holding(_JSON, r'"possession_team"\s*:', r'"period"\s*:'),
        read_statsbomb,
        Companion("line-up", holding(_JSON, r'"team_name"\s*:', r'"lineup"\s*:')),
    ),
    FeedReader(
        "Sportec",
        holding(_XML, r"<Event\s[^>]*EventTime="),
        read_sportec,
        Companion("match information", holding(_XML, r"<MatchInformation")),
    ),
    FeedReader(
        "Opta",
        holding(_XML, r"<Games", r"<Event "),
        opta.read_opta,
        Companion("F7 file", holding(_XML, r"<SoccerFeed")),
    ),
    FeedReader(
        "Stats Perform",
        holding(_JSON + _XML, r'"typeId"\s*:|typeId=', r'"liveData"|<liveData'),
        opta.read_stats_perform,
        Companion("MA1 file", holding(_JSON + _XML, r'"matchInfo"|<matchInfo', r"ineUp")),
    ),
    FeedReader(
        "Metrica (JSON)",
        holding(_JSON, r'"subtypes"\s*:', r'"start"\s*:'),
        metrica.read_metrica_json,
        Companion("EPTS metadata", holding(_XML, r"<Metadata|<main>")),
    ),
    FeedReader("DataFactory", holding(_JSON, r'"incidences"\s*:'), read_datafactory),
    FeedReader("Wyscout v3", holding(_JSON, r'"primary"\s*:', r'"matchPeriod"\s*:'), read_wyscout_v3),
    FeedReader(
        "Impect",
        holding(_JSON, r'"actionType"\s*:', r'"gameTimeInSec"\s*:'),
        impect.read_impect,
        Companion("line-up", holding(_JSON, r'"squadHome"\s*:', r'"squadAway"\s*:')),
    ),
    FeedReader("PFF", holding(_JSON, r'"gameEvents"\s*:', r'"possessionEvents"\s*:'), read_pff),
    FeedReader("OSL JSON", holding(_JSON, r'"data"\s*:\s*\[', r'"(inputs|position_ms)"\s*:'), read_osl),
    FeedReader(
        "SoccerNet spotting",
        holding(_JSON, r'"(predictions|annotations)"\s*:', r'"label"\s*:'),
        read_soccernet_spotting,
    ),
    FeedReader(
        "WhoScored",
        holding(_JSON, r'"(matchCentreData|playerIdNameDictionary|expandedMinute)"\s*:'),
        opta.read_whoscored,
    ),
    FeedReader("SPADL", spadl.is_spadl, spadl.read_spadl_file),
    FeedReader("Wyscout v2", holding(_JSON, r'"(events|eventSec|eventName|matchPeriod)"'), read_wyscout),
)


def reader_of(path: Path) -> FeedReader | None:
    """The first reader that recognises a file's content; None if it is no feed, or one that is not read."""
    head = _head(path)
    return None if unread_format(head) else next((reader for reader in READERS if reader.recognises(head)), None)


def choose_reader(path: Path, provider: str = "") -> FeedReader:
    """The reader of a provider, by any spelling of its name; else the one that recognises the file."""
    if provider:
        named = (reader for reader in READERS if _letters(reader.provider) == _letters(provider))
        if (reader := next(named, None)) is None:
            known = known_providers().removeprefix("known: ")
            raise InputError("provider", f"{provider!r} is not one of {known}")
        return reader
    if (reader := reader_of(path)) is None:
        raise refusal_of(path) or _unknown(path)
    return reader


def known_providers() -> str:
    """The providers that can be read, as a message lists them."""
    return f"known: {', '.join(reader.provider for reader in READERS)}"


def read_feed(
    path: Path | str,
    notices: Notices | None = None,
    companions: Sequence[Path] = (),
    provider: str = "",
    drop_bad_rows: bool = False,
    kick_offs_ms: Mapping[int, int] | None = None,
) -> list[FeedHalf]:
    """The halves of every match in a file, in its order.

    Args:
        path: a match as its provider ships it ("sample": the one that ships with the package), or a compact table.
        notices: collector of what was not read, and of what looks odd.
        companions: further files of the match.
        provider: the file's provider, where its content does not say so.
        drop_bad_rows: leave out rows that cannot be, and count them; else the first one is an error.
        kick_offs_ms: start of each half in its video, for a file that holds a whole match on one clock.

    Raises:
        InputError: not a feed, damaged, without events, or with a companion of another match.
    """
    path, notices = match_file(Path(path)), notices or Notices()
    reader = choose_reader(path, provider)
    file = FeedFile(path, _companion(companions, reader), notices, drop_bad_rows, kick_offs_ms or {})
    try:
        halves = reader.read(file)
        if not any(len(half) for half in halves):
            raise InputError(path, "none of its events is one that becomes a row")
    except InputError as reason:
        if reason.where != str(path) or reader.provider.split()[0] in str(reason):
            raise
        raise InputError(reason.where, f"{reader.provider}: {reason.what}", reason.fix) from None
    except RecordError as reason:  # a half knows no file
        raise InputError(path, f"{reader.provider}: {reason}") from None
    notices.add_all(unusual_rates(halves, reader.provider))
    return halves


def matches_among(files: Sequence[Path]) -> list[tuple[Path, list[Path]]]:
    """Each match in a list of files, with its further files: a companion goes with the feed nearest by name."""
    readers = {file: reader_of(file) for file in files}
    matches: list[tuple[Path, list[Path]]] = [(file, []) for file in files if readers[file] is not None]
    for file in (file for file in files if readers[file] is None):
        takers = [match for match in matches if _takes(readers[match[0]], file)]
        if not takers:
            raise refusal_of(file) or _unknown(file)
        near = max(takers, key=lambda match: (match[0].parent == file.parent, _same_start(match[0].name, file.name)))
        near[1].append(file)
    return matches


def refusal_of(path: Path) -> InputError | None:
    """Why a known file is not read: it is tracking data, say, or a match's other file; None if it is not known."""
    head = _head(path)
    if unread := unread_format(head):
        return InputError(path, unread.what, unread.instead)
    reader = next((reader for reader in READERS if _takes(reader, path)), None)
    if reader is None or reader.companion is None:
        return None
    what = f"is the {reader.companion.called} of a match of {reader.provider}"
    return InputError(path, what, "give the file of its events")


def _unknown(path: Path) -> InputError:
    return InputError(path, "is not an event feed of a known provider", known_providers())


def _head(path: Path) -> bytes:
    return head_of(path, _HEAD_BYTES).lstrip()


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _takes(reader: FeedReader | None, file: Path) -> bool:
    """True if a file is the companion of a reader's matches."""
    return reader is not None and reader.companion is not None and reader.companion.recognises(_head(file))


def _companion(given: Sequence[Path], reader: FeedReader) -> Path | None:
    """The second file, of those that were given."""
    if given and reader.companion is None:
        raise InputError(given[0], f"is not needed: a match of {reader.provider} is one file", "leave it out")
    companion = next((file for file in given if _takes(reader, file)), None)
    if given and reader.companion and companion is None:
        raise InputError(given[0], f"is not the {reader.companion.called} of a match of {reader.provider}")
    return companion


def _same_start(first: str, second: str) -> int:
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))])


# Whether a feed holds about as many actions as football has: the guard against files that are read wrongly.

USUAL_PER_90_MIN = (671.3, 641.7, 91.6, 118.2, 41.6, 43.6, 22.4, 66.9, 31.8, 9.2)
"""Actions of each class in 1,406 matches of Wyscout-BAA (``benchmarks/rhythm.py`` prints them)."""
LOW, HIGH, FEWEST, SHORTEST_MIN = 0.4, 2.5, 15, 20
"""7 of those 1,406 matches have a class outside these shares of the usual number, where either number is 15 or more."""
CROWD = 100
"""From so many actions on, less than ``SHORTEST_MIN`` minutes can hold too many, too."""
SPAN = 20
"""Percent of the pitch's length that so many actions never stay within."""


def unusual_rates(halves: Sequence[FeedHalf], provider: str) -> list[str]:
    """A line on classes whose rates are far from the usual ones, or on places that cannot be; none if all are near."""
    # Places in another unit crowd together.
    x = np.concatenate([half.x[half.x != UNKNOWN] for half in halves])
    if len(x) >= CROWD and np.ptp(x) < SPAN:
        what = f"all {len(x):,} places lie within {int(np.ptp(x))} % of the pitch's length"
        return [f"{provider}: {what}, are they in another unit?"]
    # Too many actions for the time that they take: times in another unit.
    minutes = sum((int(half.t_ms[-1]) - half.seen_from_ms) / 60_000 for half in halves if len(half))
    counts_C = np.bincount(np.concatenate([half.code[half.is_target] for half in halves]), minlength=len(ACTIONS))
    total, most = int(counts_C.sum()), HIGH * sum(USUAL_PER_90_MIN) / 90 * minutes
    if minutes < SHORTEST_MIN:
        if total < max(CROWD, most):
            return []
        what = f"{total:,} actions in {60 * minutes:,.0f} s are more than anyone plays"
        return [f"{provider}: {what}, are its times in another unit?"]
    # Classes with far fewer or far more actions than usual; none at all is fine where outs are estimated.
    estimated = {int(code) for half in halves for code in half.code[half.setpiece == ESTIMATED_OUT]}
    odd = []
    for c, (count, usual) in enumerate(zip(counts_C.tolist(), np.array(USUAL_PER_90_MIN) / 90 * minutes, strict=True)):
        too_few = count < LOW * usual and usual >= FEWEST and not (count == 0 and c in estimated)
        if too_few or (count > HIGH * usual and count >= FEWEST):
            odd.append(f"{ACTIONS[c]} {count:,} instead of {usual:,.0f}")
    what = f"{provider}: unusual numbers in {minutes:.0f} minutes, is the file read right?"
    return [f"{what} {', '.join(odd)}"] if odd else []


@dataclass(frozen=True)
class Converted:
    """Matches and rows of a table that was written, and notices on what was left out."""

    matches: int
    rows: int
    notices: Sequence[str] = ()


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
        drop_bad_rows, kick_offs_ms: options of ``read_feed``.
        show: display of progress, updated after every file.

    Raises:
        InputError: a file that cannot be read, or a half that two files hold.
    """
    if not files:
        raise InputError("files", "needs a feed")
    if out.suffix != ".npz":
        raise InputError(out, "is not a .npz", "name the table as train.npz")
    matches = matches_among(files)
    if kick_offs_ms and len(matches) > 1:
        raise InputError("kick_off", f"is of one match, not of {len(matches)}", "convert each match by itself")
    advance = counter(show, f"converting {len(matches):,} files", len(matches), "files")
    halves: dict[tuple[int, int], FeedHalf] = {}
    lines: list[str] = []
    for path, companions in matches:
        notices = Notices()
        for half in read_feed(path, notices, companions, "", drop_bad_rows, kick_offs_ms):
            if (half.match, half.half) in halves:
                raise InputError(path, f"match {half.match}, half {half.half} is in another file, too")
            if len(half):
                halves[half.match, half.half] = half
        lines += [f"{path.name}: {line}" for line in notices.lines]
        advance()
    ordered = [halves[key] for key in sorted(halves)]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_feed_table(out, ordered)
    return Converted(len({half.match for half in ordered}), sum(len(half) for half in ordered), lines)
