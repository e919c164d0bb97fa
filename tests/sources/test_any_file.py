"""A round trip for each provider's file: plays written as it writes them come back as they were."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import UNKNOWN
from playahead.io.errors import InputError
from playahead.sources.feeds import choose_reader, read_feed
from tests.support.provider_files import (
    FORMS,
    Form,
    Play,
    metrica_csv as as_csv,
    of_metrica,
    of_osl,
    of_statsbomb,
    rows_in_form as rows,
    save_form as save,
)

kinds = st.sampled_from([Action.PASS, Action.THROW_IN, Action.SHOT]), st.integers(0, 1), st.integers(5, 95)
some_play = st.builds(Play, st.sampled_from([1, 2]), st.integers(1, 2600), *kinds)


def when(play: Play) -> tuple[int, int]:
    return play.half, play.second


plays = st.lists(some_play, unique_by=when, min_size=3, max_size=12).map(lambda found: sorted(found, key=when))
by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.provider)


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
        head = len(form.entries([]))  # line-ups come first
        twice = [*entries[head:], *rng.sample(entries[head:], 2)]
        rng.shuffle(twice)
        twice = [*entries[:head], *twice]
        if form.provider == "Metrica (CSV)":
            twice.sort(key=lambda entry: entry["Period"])
        again = rows(read_feed(save(folder, form, form.written(twice))), form)
        is_list = form.provider == "SoccerNet spotting"  # an action that it gives twice happened twice
        assert (sorted(set(again)) if is_list else again) == expected(found, form)


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
