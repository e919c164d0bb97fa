"""A round trip for each provider's file: plays written as it writes them come back as they were.

Whatever is done to the file, what comes back are rows, or one line that names the file and the provider.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.io.errors import InputError
from playahead.sources.feeds import choose_reader, read_feed
from tests.sources.test_statsbomb import EVENTS, TYPES, line_up, passing, statsbomb_event


@dataclass(frozen=True)
class Play:
    """A pass, throw-in or shot at a second of a half; x in percent of the acting team's attack."""

    half: int
    second: int
    action: Action
    team: int
    x: int


plays = st.lists(
    st.builds(
        Play,
        st.sampled_from([1, 2]),
        st.integers(1, 2600),
        st.sampled_from([Action.PASS, Action.THROW_IN, Action.SHOT]),
        st.integers(0, 1),
        st.integers(5, 95),
    ),
    unique_by=lambda play: (play.half, play.second),
    min_size=3,
    max_size=12,
).map(lambda found: sorted(found, key=lambda play: (play.half, play.second)))


@dataclass(frozen=True)
class Form:
    """How a provider writes: an entry for each play, what comes before them all, and the file around them.

    Attributes:
        entries: of the plays, in order.
        written: entries -> the file.
        beside: its companion, by name.
        knows_teams, knows_places: what comes back.
    """

    provider: str
    name: str
    entries: Callable[[Sequence[Play]], list[dict]]
    written: Callable[[list[dict]], str]
    beside: Callable[[], dict[str, str]] = dict
    knows_teams: bool = True
    knows_places: bool = False


def of_statsbomb(found: Sequence[Play]) -> list[dict]:
    """Events; 120 yards long."""
    entries = []
    for number, play in enumerate(found, start=100):
        kind = {"type": {"id": 67, "name": "Throw-in"}} if play.action is Action.THROW_IN else None
        details = passing(kind, end=(1.2 * play.x, 45.0))
        if play.action is Action.SHOT:
            outcome, kind = {"id": 100, "name": "Saved"}, {"id": 87, "name": "Open Play"}
            details = {"shot": {"outcome": outcome, "type": kind, "end_location": [120.0, 40.0]}}
        name = "Shot" if play.action is Action.SHOT else "Pass"
        at = {"location": [1.2 * play.x, 40.0]}
        entries.append(statsbomb_event(number, name, play.second, play.team, play.half, **at, **details))
    return [*deepcopy(EVENTS[:6]), *entries]


COLUMNS = (
    "Team,Type,Subtype,Period,Start Frame,Start Time [s],End Frame,End Time [s],From,To,Start X,Start Y,End X,End Y"
)


def of_metrica(found: Sequence[Play]) -> list[dict]:
    """Entries; a half begins with its first, the second half's clock goes on."""
    entries = []
    for half in sorted({play.half for play in found}):
        offset = 2700 * (half - 1)
        entries.append(metrica("SET PIECE", "KICK OFF", half, offset, 0, 50))
        for play in (play for play in found if play.half == half):
            at = (half, offset + play.second, play.team, play.x)
            if play.action is Action.THROW_IN:
                entries.append(metrica("SET PIECE", "THROW IN", *at))
            entries.append(metrica("SHOT" if play.action is Action.SHOT else "PASS", "", *at))
    return entries


def metrica(kind: str, subtype: str, half: int, second: int, team: int, x: int) -> dict:
    values = ["Away" if team else "Home", kind, subtype, half, 0, second, 0, second, "Player1", "", x / 100, 0.5]
    return dict(zip(COLUMNS.split(","), [*values, x / 100, 0.5], strict=True))


def as_csv(entries: list[dict]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS.split(","), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(entries)
    return out.getvalue()


def of_spotting(found: Sequence[Play]) -> list[dict]:
    return [
        {
            "gameTime": f"{play.half} - {play.second // 60:02d}:{play.second % 60:02d}",
            "label": str(play.action),
            "position": str(play.second * 1000),
            "team": ("home", "away")[play.team],
            "confidence": "0.5",
        }
        for play in found
    ]


def of_osl(found: Sequence[Play]) -> list[dict]:
    """An item has one clock: both halves of a play are items of their own."""
    return [
        {
            "id": f"half {half}",
            "inputs": [{"type": "video", "path": f"{half}.mp4", "fps": 25}],
            "events": [
                {"head": "action", "label": str(play.action), "position_ms": play.second * 1000}
                for play in found
                if play.half == half
            ],
        }
        for half in (1, 2)
        if any(play.half == half for play in found)
    ]


FORMS = [
    Form(
        "StatsBomb",
        "events.json",
        of_statsbomb,
        json.dumps,
        lambda: {"lineup.json": json.dumps(line_up())},
        knows_places=True,
    ),
    Form("Metrica (CSV)", "events.csv", of_metrica, as_csv),
    Form("SoccerNet spotting", "Labels-ball.json", of_spotting, lambda found: json.dumps({"annotations": found})),
    Form("OSL JSON", "osl.json", of_osl, lambda found: json.dumps({"data": found}), knows_teams=False),
]
by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.provider)


TYPES["Shot"] = 16


def save(folder: Path, form: Form, text: str) -> Path:
    for name, content in form.beside().items():
        (folder / name).write_text(content)
    (folder / form.name).write_text(text)
    return folder / form.name


def rows(halves: Sequence[FeedHalf], form: Form) -> list[tuple]:
    """What can be compared; a drive is implied where none is recorded, and nobody wrote one here."""
    found = []
    for place, half in enumerate(halves):
        number = half.half if form.provider != "OSL JSON" else place + 1
        for t_ms, code, team in zip(half.t_ms, half.code, half.team, strict=True):
            if code < len(ACTIONS) and ACTIONS[code] is not Action.DRIVE:
                found.append((number, int(t_ms), ACTIONS[code], int(team)))
    return found


def expected(found: Sequence[Play], form: Form) -> list[tuple]:
    numbers = sorted({play.half for play in found})
    number = {half: place + 1 if form.provider == "OSL JSON" else half for place, half in enumerate(numbers)}
    return [(number[p.half], 1000 * p.second, p.action, p.team if form.knows_teams else UNKNOWN) for p in found]


@by_form
@settings(max_examples=8, deadline=None)
@given(found=plays, seed=st.integers(0, 99))
def test_plays_come_back_in_any_order_once_and_where_they_were(tmp_path_factory, form, found, seed):
    folder, rng = tmp_path_factory.mktemp("any"), random.Random(seed)
    entries = form.entries(found)
    path = save(folder, form, form.written(entries))
    halves = read_feed(path)
    assert choose_reader(path).provider == form.provider
    assert rows(halves, form) == expected(found, form)
    if form.knows_places:
        x = [int(x) for half in halves for x, code in zip(half.x, half.code, strict=True) if ACTIONS[code] != "DRIVE"]
        assert x == pytest.approx([play.x for play in found], abs=2)
    if form.provider != "OSL JSON":  # its items are matches: twice is two
        head = len(form.entries([]))  # line-ups come first, or kloppy refuses the file
        twice = [*entries[head:], *rng.sample(entries[head:], 2)]
        rng.shuffle(twice)
        twice = [*entries[:head], *twice]
        if form.provider == "Metrica (CSV)":
            twice.sort(key=lambda entry: entry["Period"])
        again = read_feed(save(folder, form, form.written(twice)))
        if form.provider != "SoccerNet spotting":
            assert rows(again, form) == expected(found, form)
        else:
            assert set(rows(again, form)) == set(expected(found, form))


WRONG = st.sampled_from([None, "", "soon", float("nan"), -1, 1e18, True, [], {}, [1, 2]])


@by_form
@settings(max_examples=8, deadline=None)
@given(found=plays, wrong=WRONG, seed=st.integers(0, 999))
def test_a_value_of_the_wrong_kind_is_read_or_refused_in_one_line(tmp_path_factory, form, found, wrong, seed):
    rng, entries = random.Random(seed), form.entries(found)
    entry = entries[rng.randrange(len(entries))]
    entry[rng.choice(sorted(entry))] = wrong
    folder = tmp_path_factory.mktemp("any")
    read_or_refused(save(folder, form, form.written(entries)), form)


@by_form
@settings(max_examples=8, deadline=None)
@given(found=plays, share=st.floats(0, 1))
def test_a_file_cut_short_is_read_or_refused_in_one_line(tmp_path_factory, form, found, share):
    text = form.written(form.entries(found))
    read_or_refused(save(tmp_path_factory.mktemp("any"), form, text[: int(share * len(text))]), form)


def read_or_refused(path: Path, form: Form) -> None:
    try:
        halves = read_feed(path)
    except InputError as refused:
        said = str(refused)
        assert path.name in said
        assert "\n" not in said
        named = form.provider.split()[0] in said or "is not an event feed of a known provider" in said
        assert named or str(path) in said
    else:
        assert all(len(half) for half in halves)


def test_two_matches_in_one_file(tmp_path):
    """Metrica's is told by its periods, StatsBomb's by its teams; OSL JSON holds as many as it likes."""
    found = [Play(half, second, Action.PASS, 0, 50) for half in (1, 2) for second in (5, 9)]
    csv_form, osl_form = FORMS[1], FORMS[3]
    path = save(tmp_path, csv_form, as_csv([*of_metrica(found), *of_metrica(found)]))
    with pytest.raises(InputError, match=r"line 8: Metrica: Period goes back to 1, as if another match began"):
        read_feed(path)
    teams = [{"id": 8, "name": "Greens"}, {"id": 9, "name": "Whites"}]
    other = [entry | {"team": teams[0], "possession_team": teams[1]} for entry in of_statsbomb(found)[6:]]
    path = save(tmp_path, FORMS[0], json.dumps([*of_statsbomb(found), *other]))
    with pytest.raises(InputError, match="StatsBomb: holds events of 3 teams"):
        read_feed(path)
    path = save(tmp_path, osl_form, osl_form.written(of_osl(found) + of_osl([replace(found[0], second=50)])))
    assert len({half.match for half in read_feed(path)}) == 3
