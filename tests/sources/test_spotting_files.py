"""Spotters' and annotators' files: any usual spelling in, rows out; one line for what cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import STOPPAGE, UNKNOWN
from playahead.errors import InputError
from playahead.sources.feeds import read_feed, reader_of
from playahead.sources.notes import SourceNotes


def written(folder: Path, content: object) -> Path:
    path = folder / "match.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def soccernet(*entries: dict, key: str = "predictions") -> dict:
    return {"UrlLocal": "league/match", key: list(entries)}


def spotted(label: str = "PASS", clock: str = "1 - 00:31", **more) -> dict:
    return {"gameTime": clock, "label": label, **more}


def test_results_of_a_spotter(tmp_path):
    path = written(
        tmp_path,
        soccernet(
            spotted("Drive", "1 - 00:33", position="33120", confidence="0.41", half="1"),
            spotted("PASS", position=31040, confidence=0.873, half=1, team="right"),
            spotted("THROW IN", "2 - 45:10", position=5_000),
        ),
    )
    notes = SourceNotes()
    first, second = read_feed(path, notes)
    assert notes.provider == "SoccerNet spotting"
    assert (first.half, second.half) == (1, 2)
    assert first.t_ms.tolist() == [31_040, 33_120]
    assert first.code.tolist() == [0, 1]
    assert first.confidence.tolist() == [87, 41]
    assert first.team.tolist() == [1, UNKNOWN]
    assert second.setpiece.tolist() == [1]
    assert second.confidence.tolist() == [UNKNOWN]
    assert first.reports == frozenset(range(10))
    assert (first.x == UNKNOWN).all()


@pytest.mark.parametrize("label", ["HIGH PASS", "High_Pass", "high-pass", " High  pass "])
def test_labels_in_any_usual_spelling(tmp_path, label):
    (half,) = read_feed(written(tmp_path, soccernet(spotted(label), key="annotations")))
    assert half.code.tolist() == [3]


def test_soccernets_seventeen_classes(tmp_path):
    """Those that are ours are read, the others counted; what such a file does not label, it does not report."""
    labels = (
        "Ball out of play",
        "Throw-in",
        "Shots off target",
        "Corner",
        "Foul",
        "Substitution",
        "Kick-off",
        "Kick-off",
    )
    notes = SourceNotes()
    (half,) = read_feed(written(tmp_path, soccernet(*map(spotted, labels), key="annotations")), notes)
    assert sorted(half.code.tolist()) == [4, 5, 6, 7, STOPPAGE]
    assert half.reports == {4, 5, 6, 7, STOPPAGE}
    assert notes.lines == ["1 actions labelled 'Substitution' not read", "2 actions labelled 'Kick-off' not read"]


def test_extra_time_is_read_and_the_shoot_out_counted(tmp_path):
    notes = SourceNotes()
    halves = read_feed(
        written(tmp_path, soccernet(spotted(), spotted(clock="3 - 2:00"), spotted(clock="5 - 0:10"))), notes
    )
    assert [half.half for half in halves] == [1, 3]
    assert notes.lines == ["1 actions of the shoot-out not read"]


def osl(*items: list[dict]) -> dict:
    inputs = [{"type": "video", "path": "a.mp4", "fps": 25}]
    data = [{"id": f"m{i}", "inputs": inputs, "events": events} for i, events in enumerate(items)]
    return {"version": "2.0", "labels": {"action": {"type": "single_label", "labels": ["PASS"]}}, "data": data}


def marked(label: str, position_ms: object, head: str = "action", **more) -> dict:
    return {"head": head, "label": label, "position_ms": position_ms, **more}


def test_osl_items_are_matches(tmp_path):
    notes = SourceNotes()
    one = [marked("PASS", "4000"), marked("SHOT", 900)]
    two = [marked("CROSS", 100, confidence=0.5, team="left")]
    halves = read_feed(written(tmp_path, osl(one, two)), notes)
    assert notes.provider == "OSL JSON"
    assert [(half.match, half.half) for half in halves] == [(0, 1), (1, 1)]
    assert halves[0].t_ms.tolist() == [900, 4000]
    assert halves[1].team.tolist() == [0]
    assert halves[1].confidence.tolist() == [50]


def test_our_own_anticipations_are_not_taken_for_what_happened(tmp_path):
    mine = [marked("PASS", 1), marked("SHOT", 5, "anticipation")]
    (half,) = read_feed(written(tmp_path, osl(mine)))
    assert half.code.tolist() == [0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (soccernet(spotted(), spotted(position="soon")), r"prediction 1: position 'soon' is not a time"),
        (soccernet(spotted(position=float("nan"))), r"prediction 0: position nan is not a time"),
        (soccernet(spotted(position=-5)), r"prediction 0: position -5 is not a time"),
        (soccernet(spotted(confidence=1.4)), r"prediction 0: confidence 1.4 is not in \[0, 1\]"),
        (soccernet(spotted(confidence="high")), r"confidence 'high' is not in"),
        (soccernet(spotted(clock="half time")), r"gameTime 'half time' is not of the form"),
        (soccernet({"label": "PASS", "position": 3}), r"says which half it is of"),
        (soccernet({"label": "PASS"}, "PASS"), r"prediction 0: SoccerNet"),
        (soccernet(spotted("Goal"), key="annotations"), r"holds no action of ours"),
        ({"predictions": 3, "x": {"label": ""}}, r"predictions: expected a list"),
        (osl([{"label": "PASS"}]), r"data 0, event 0: has no 'position_ms'"),
        (osl([{"label": "PASS", "position_ms": True}]), r"position_ms True is not a time"),
        ({"data": [3], "inputs": {"inputs": ""}}, r"data 0: expected an object"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, content, reason):
    path = written(tmp_path, content)
    with pytest.raises(InputError, match=reason) as refused:
        read_feed(path)
    assert "match.json" in str(refused.value)
    assert "\n" not in str(refused.value)


labels = st.sampled_from([*map(str, ACTIONS), "Goal", "Throw-in", ""])
junk = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just([]))
clocks = st.sampled_from(["1 - 00:31", "2 - 45:10", "9 - 0:0"])
entry = st.fixed_dictionaries(
    {"gameTime": st.one_of(clocks, junk), "label": st.one_of(labels, junk)},
    optional={name: st.one_of(st.integers(0, 10**6), junk) for name in ("position", "half", "confidence", "team")},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(entry, max_size=12), key=st.sampled_from(["predictions", "annotations"]), seed=st.integers())
def test_any_entries_are_read_or_refused(tmp_path, entries, key, seed):
    path = written(tmp_path, soccernet(*entries, key=key))
    if reader_of(path) is None or not entries:
        return
    notes = SourceNotes(drop_bad_rows=True)
    try:
        halves = read_feed(path, notes)
    except InputError as refused:
        assert "holds no action of ours" in str(refused)
        return
    rng = np.random.default_rng(abs(seed))
    shuffled = [entries[i] for i in rng.permutation(len(entries))]
    again = read_feed(written(tmp_path, soccernet(*shuffled, key=key)), SourceNotes(drop_bad_rows=True))
    assert [half.t_ms.tolist() for half in again] == [half.t_ms.tolist() for half in halves]
    assert [half.code.tolist() for half in again] == [half.code.tolist() for half in halves]


@pytest.mark.parametrize("cut", range(1, 40, 4))
def test_truncated_files_are_refused(tmp_path, cut):
    whole = json.dumps(soccernet(spotted(), spotted()))
    with pytest.raises(InputError, match=r"not JSON|not an event feed"):
        read_feed(written(tmp_path, whole[:-cut]))
