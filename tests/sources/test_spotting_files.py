"""Spotters' and annotators' files: any usual spelling in, rows out; one line for what cannot be."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import STOPPAGE, TOUCH, UNKNOWN, FeedHalf
from playahead.domain.notices import Notices
from playahead.domain.time import parse_game_time
from playahead.io.errors import InputError
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.feeds import convert_feeds, read_feed, reader_of
from tests.support.provider_files import timeline


def written(folder: Path, content: object) -> Path:
    path = folder / "match.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def said(notices: Notices) -> list[str]:
    """Its lines, but the one that says that files of three actions hold fewer than a match."""
    return [line for line in notices.lines if "unusual numbers" not in line]


def soccernet(*entries: dict, key: str = "predictions") -> dict:
    return {"UrlLocal": "league/match", key: list(entries)}


def spotted(label: str = "PASS", clock: str = "1 - 00:31", **more) -> dict:
    return {"gameTime": clock, "label": label, **more}


def read(tmp_path: Path, *entries: dict, key: str = "predictions", **options) -> tuple[list[FeedHalf], list[str]]:
    """Halves and notices of a file of SoccerNet's, or of OSL's where the entries have a head."""
    notices = Notices()
    content = osl(entries) if "head" in entries[0] else soccernet(*entries, key=key)
    return read_feed(written(tmp_path, content), notices, **options), said(notices)


def times(halves: list[FeedHalf]) -> dict[int, list[int]]:
    return {half.half: half.t_ms.tolist() for half in halves}


def test_results_of_a_spotter(tmp_path):
    (first, second), _ = read(
        tmp_path,
        spotted("Drive", "1 - 00:33", position="33120", confidence="0.41", half="1"),
        spotted("PASS", position=31040, confidence=0.873, half=1, team="right"),
        spotted("THROW IN", "2 - 45:10", position=5_000),
    )
    assert timeline(first, "confidence", "team", "x") == "31040 PASS 87 1 255; 33120 DRIVE 41 255 255"
    assert (second.half, timeline(second, "setpiece", "confidence")) == (2, "5000 THROW IN 1 255")
    assert first.reports == frozenset(range(10))


@pytest.mark.parametrize("label", ["HIGH PASS", "High_Pass", "high-pass", " High  pass "])
def test_labels_in_any_usual_spelling(tmp_path, label):
    (half,), _ = read(tmp_path, spotted(label), key="annotations")
    assert half.code.tolist() == [3]


def test_soccernets_seventeen_classes(tmp_path):
    """Those that are ours are read, the others counted; what such a file does not label, it does not report."""
    labels = ("Ball out of play", "Throw-in", "Shots off target", "Corner", "Foul", "Substitution", *["Kick-off"] * 2)
    (half,), lines = read(tmp_path, *map(spotted, labels), key="annotations")
    assert set(half.code.tolist()) == half.reports == {4, 5, 6, 7, STOPPAGE}
    assert lines == ["1 actions labelled 'Substitution' not read", "2 actions labelled 'Kick-off' not read"]


def test_extra_time_is_read_and_the_shoot_out_counted(tmp_path):
    halves, lines = read(tmp_path, spotted(), spotted(clock="3 - 2:00"), spotted(clock="5 - 0:10"))
    assert [half.half for half in halves] == [1, 3]
    assert lines == ["1 actions of the shoot-out not read"]


def osl(*items: Sequence[dict]) -> dict:
    inputs = [{"type": "video", "path": "a.mp4", "fps": 25}]
    data = [{"id": f"m{i}", "inputs": inputs, "events": events} for i, events in enumerate(items)]
    return {"version": "2.0", "labels": {"action": {"type": "single_label", "labels": ["PASS"]}}, "data": data}


def marked(label: str, position_ms: object, head: str = "action", **more) -> dict:
    return {"head": head, "label": label, "position_ms": position_ms, **more}


def test_osl_items_are_matches_and_our_own_anticipations_did_not_happen(tmp_path):
    one = [marked("PASS", "4000"), marked("SHOT", 900), marked("SHOT", 5, "anticipation")]
    two = [marked("CROSS", 100, confidence=0.5, team="left")]
    first, second = read_feed(written(tmp_path, osl(one, two)))
    assert first.match != second.match
    assert (first.half, timeline(first)) == (1, "900 SHOT; 4000 PASS")
    assert (second.half, timeline(second, "team", "confidence")) == (1, "100 CROSS 0 50")


def test_the_clock_of_a_half_may_go_on_where_the_last_one_ended(tmp_path):
    """Positions agree with the clock or are missing; the first half's stoppage time stays where it is."""
    clocks = ["1 - 00:05", "1 - 46:20", "2 - 45:10", "2 - 93:00", "3 - 90:30", "4 - 105:15"]
    halves, lines = read(tmp_path, *(spotted(clock=clock) for clock in clocks))
    assert times(halves) == {1: [5_000, 2_780_000], 2: [10_000, 2_880_000], 3: [30_000], 4: [15_000]}
    started = [f"half {half}: its clock starts at {at}:00; " for half, at in ((2, 45), (3, 90), (4, 105))]
    assert all(line.startswith(start) for line, start in zip(lines, started, strict=True))
    positions = [5_200, 2_780_400, 2_710_700, 5_580_000, 5_430_000, 6_315_000]
    same = [spotted(clock=clock, position=at) for clock, at in zip(clocks, positions, strict=True)]
    halves, _ = read(tmp_path, *same, key="annotations")
    assert times(halves) == {1: [5_200, 2_780_400], 2: [10_700, 2_880_000], 3: [30_000], 4: [15_000]}


def test_positions_that_count_from_the_half_stay_whatever_the_clock_shows(tmp_path):
    mixed = [spotted(clock="2 - 45:10", position=10_400), spotted(clock="2 - 46:00")]
    halves, lines = read(tmp_path, mixed[0])
    assert (times(halves), lines) == ({2: [10_400]}, [])
    assert times(read(tmp_path, *mixed)[0]) == {2: [10_400, 60_000]}


@pytest.mark.parametrize(
    "clocks",
    [
        ["2 - 00:10", "2 - 46:00"],
        ["2 - 43:00", "2 - 47:00", "2 - 48:00"],
        ["2 - 46:00", "3 - 02:00"],  # the clock of extra time starts at 0, so this is stoppage time
        ["1 - 46:00"],
    ],
)
def test_a_half_whose_clock_starts_at_zero_stays(tmp_path, clocks):
    halves, lines = read(tmp_path, *(spotted(clock=clock) for clock in clocks))
    seen = [(half.half, time_ms) for half in halves for time_ms in half.t_ms.tolist()]
    assert (seen, lines) == ([parse_game_time(clock) for clock in clocks], [])


def test_one_wrong_time_does_not_hide_the_clock_of_a_half(tmp_path):
    entries = [spotted(clock="2 - 00:00"), *(spotted(clock=f"2 - {minute}:00") for minute in range(46, 92, 3))]
    with pytest.raises(InputError, match=r"prediction 0: lies before 45:00, where its half's clock starts"):
        read(tmp_path, *entries)
    (half,), _ = read(tmp_path, *entries, drop_bad_rows=True)
    assert (half.t_ms[0], len(half)) == (60_000, len(entries) - 1)


@pytest.mark.parametrize("key", ["predictions", "annotations"])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize(
    ("a_second", "unit"),
    [(1, "seconds"), (25, "frames, 25 a second"), (29.97, "frames, 30 a second"), (50, "frames, 50")],
)
def test_positions_in_another_unit_are_refused_and_the_unit_is_said(tmp_path, key, absolute, a_second, unit):
    start = 45 if absolute else 0
    entries = [
        spotted(clock=f"2 - {start + minute:02d}:{minute:02d}", position=str(round(61 * minute * a_second)))
        for minute in range(0, 40, 3)
    ]
    for drop in (False, True):  # rows that agree by chance are no better
        with pytest.raises(InputError, match=rf"position \d+ ms contradicts gameTime .*positions look like {unit}"):
            read(tmp_path, *entries, key=key, drop_bad_rows=drop)


def test_one_position_that_contradicts_its_clock_is_a_bad_row(tmp_path):
    entries = [spotted(position=position) for position in (31_000, 31_900, 600_000)]
    with pytest.raises(InputError, match=r"prediction 2: position 600000 ms contradicts gameTime '1 - 00:31'"):
        read(tmp_path, *entries)
    halves, lines = read(tmp_path, *entries, drop_bad_rows=True)
    assert times(halves) == {1: [31_000, 31_900]}
    assert lines[0].startswith("1 bad rows dropped")


@pytest.mark.parametrize("name", ["confidence", "confidence_score", "score"])
def test_confidences_are_read_under_any_of_their_names(tmp_path, name):
    (half,), _ = read(tmp_path, marked("PASS", 100, **{name: "0.84"}), marked("SHOT", 200))
    assert half.confidence.tolist() == [84, UNKNOWN]
    (half,), _ = read(tmp_path, spotted(**{name: 0.31}), spotted())
    assert sorted(half.confidence.tolist()) == [31, UNKNOWN]


def test_confidences_in_percent(tmp_path):
    """Of the whole file, or of a value that says so; logits are refused."""
    (half,), lines = read(tmp_path, *(spotted(confidence=c) for c in (87, "40", 1)))
    assert sorted(half.confidence.tolist()) == [1, 40, 87]
    assert lines == ["confidences are read as percent"]
    (half,), _ = read(tmp_path, spotted(confidence="87 %"), spotted(confidence=0.5))
    assert sorted(half.confidence.tolist()) == [50, 87]
    for wrong in ((2.31, 3.5), (-2.0, 45.0), (0.9, 0.8, 87), (130,)):
        with pytest.raises(InputError, match=r"confidence .* is not in \[0, 1\]"):
            read(tmp_path, *(spotted(confidence=c) for c in wrong))


def test_free_kicks_are_restarts_and_goals_stoppages(tmp_path):
    """Both are observed and never anticipated: the benchmark drops them."""
    labels = ("FREE KICK", "goal", "Direct free-kick", "indirect_free_kick", "PASS")
    (half,), lines = read(tmp_path, *(marked(label, 1000 * i) for i, label in enumerate(labels)))
    assert half.code.tolist() == [TOUCH, STOPPAGE, TOUCH, TOUCH, 0]
    assert half.setpiece.tolist() == [4, UNKNOWN, 4, 4, UNKNOWN]
    assert half.is_target.tolist() == [False] * 4 + [True]
    assert lines == []


def test_a_label_may_say_the_team(tmp_path):
    labels = ("PASS left", "high-pass-right", "away")
    (half,), _ = read(tmp_path, *map(spotted, labels), spotted("SHOT home", team="away"))
    assert sorted((row.code, row.team) for row in half.rows) == [(0, 0), (3, 1), (6, 1)]


WHOLE_MATCH = [marked("PASS", second * 1000) for second in (5, *range(12, 2800, 60), *range(3520, 6400, 60))]


def test_a_whole_match_in_one_video_is_split_at_its_kick_offs(tmp_path):
    _, (line,) = read(tmp_path, *WHOLE_MATCH)
    assert line.startswith("a half of 105 minutes looks like a whole match, and from 46:12.0 to 58:40.0 like its break")
    halves, lines = read(tmp_path, *WHOLE_MATCH, kick_offs_ms={1: 12_000, 2: 3_520_000})
    ends = [(half.half, int(half.t_ms[0]), int(half.t_ms[-1])) for half in halves]
    assert ends == [(1, 0, 2_760_000), (2, 0, 2_820_000)]
    assert lines == ["1 actions before the kick-off not read"]
    with pytest.raises(InputError, match="kick_off: half 2 does not start after half 1"):
        read(tmp_path, *WHOLE_MATCH, kick_offs_ms={1: 12_000, 2: 9_000})
    with pytest.raises(InputError, match="holds 2 videos, and the kick-offs are those of one"):
        read_feed(written(tmp_path, osl(WHOLE_MATCH, WHOLE_MATCH)), kick_offs_ms={1: 12_000})


def test_data_convert_splits_a_whole_match_at_its_kick_offs(tmp_path, capsys):
    path = written(tmp_path, osl(WHOLE_MATCH))
    options = ["--out", str(tmp_path / "test.npz"), "--kick-off", "0:12,58:40"]
    assert run(["data", "convert", str(path), *options]) == 0
    assert [half.half for half in read_feed_table(tmp_path / "test.npz")] == [1, 2]
    other = tmp_path / "other"
    other.mkdir()
    assert run(["data", "convert", str(path), str(written(other, osl(WHOLE_MATCH))), *options]) == 2
    assert "is of one match, not of 2" in " ".join(capsys.readouterr().err.split())


def test_a_whole_match_that_a_spotter_calls_its_first_half_is_split_as_well(tmp_path):
    minutes = [mark["position_ms"] // 60_000 for mark in WHOLE_MATCH]
    entries = [spotted(clock=f"1 - {minute}:00", position=60_000 * minute) for minute in minutes]
    assert "looks like a whole match" in read(tmp_path, *entries)[1][0]
    assert [half.half for half in read(tmp_path, *entries, kick_offs_ms={1: 0, 2: 3_480_000})[0]] == [1, 2]


def test_kick_offs_in_another_video_leave_the_halves_of_a_spotter_alone(tmp_path):
    entries = spotted(position=31_000), spotted(clock="2 - 00:10")
    assert times(read(tmp_path, *entries, kick_offs_ms={1: 12_000, 2: 3_520_000})[0]) == {1: [31_000], 2: [10_000]}


@pytest.mark.parametrize("clock", ["2 - 00:{:02d}", "2 - 45:{:02d}"])
def test_game_times_split_one_video_into_its_halves(tmp_path, clock):
    first = [marked("PASS", 12_000 + 1000 * s, gameTime=f"1 - 00:{s:02d}") for s in (3, 20)]
    second = [marked("DRIVE", 3_520_000 + ms, gameTime=clock.format(ms // 1000)) for ms in (10_900, 40_400)]
    halves, lines = read(tmp_path, *first, *second)
    assert times(halves) == {1: [3_000, 20_000], 2: [10_500, 40_000]}
    assert "half 2: starts at 58:40.4 of the video, by its game times" in lines


def test_osl_events_without_a_position_have_a_game_time(tmp_path):
    timed = {"head": "action", "label": "PASS", "gameTime": "1 - 00:10"}
    assert times(read(tmp_path, timed, marked("SHOT", 12_400, gameTime="1 - 00:12"))[0]) == {1: [10_000, 12_400]}


def test_osl_positions_in_frames_are_refused_where_game_times_say_so(tmp_path):
    entries = [marked("PASS", 25 * s, gameTime=f"1 - {s // 60:02d}:{s % 60:02d}") for s in range(10, 2000, 50)]
    with pytest.raises(InputError, match="positions look like frames, 25 a second"):
        read(tmp_path, *entries)


def test_matches_of_several_files_have_numbers_of_their_own(tmp_path):
    """By what the file says, the same in labels and results; else by its name, or its folder's."""

    def number(content: dict, name: str = "match.json") -> int:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
        halves = read_feed(path)
        assert len({half.match for half in halves}) == 1
        return halves[0].match

    bare = {"predictions": [spotted()]}
    assert number(bare | {"UrlLocal": "a/b"}) == number({"UrlLocal": "a/b/", "annotations": [spotted()]}, "other.json")
    assert number(bare | {"UrlLocal": "a/b"}) != number(bare | {"UrlLocal": "a/c"})
    assert number(bare | {"game_id": 3812}) == 3812
    assert number(bare, "one.json") != number(bare, "two.json")
    assert number(bare, "a/results_spotting.json") == number({"annotations": [spotted()]}, "a/Labels-ball.json")
    assert number(bare, "a/results_spotting.json") != number(bare, "b/results_spotting.json")
    video = {"inputs": [{"path": "clips/match.mp4"}], "events": [marked("PASS", 1)]}
    assert number({"data": [video]}) == number({"data": [video]}, "same.json")
    twice = read_feed(written(tmp_path, {"data": [video, video]}))
    assert len({half.match for half in twice}) == 2


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
        (soccernet(spotted("Substitution"), key="annotations"), r"holds no action of ours"),
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


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(entry, max_size=12), key=st.sampled_from(["predictions", "annotations"]), seed=st.integers())
def test_any_entries_are_read_or_refused(tmp_path, entries, key, seed):
    if not entries or reader_of(written(tmp_path, soccernet(*entries, key=key))) is None:
        return
    try:
        halves, _ = read(tmp_path, *entries, key=key, drop_bad_rows=True)
    except InputError as refused:
        assert "holds no action of ours" in str(refused) or "contradicts gameTime" in str(refused)
        return
    shuffled = [entries[i] for i in np.random.default_rng(abs(seed)).permutation(len(entries))]
    again, _ = read(tmp_path, *shuffled, key=key, drop_bad_rows=True)
    assert list(map(timeline, again)) == list(map(timeline, halves))


def test_files_of_several_matches_go_into_one_table(tmp_path):
    """Spotters call every match's file the same: the folder, or what the file says, tells them apart."""
    files = []
    for match in ("first", "second"):
        (tmp_path / match).mkdir()
        files.append(tmp_path / match / "results_spotting.json")
        files[-1].write_text(json.dumps({"predictions": [spotted(), spotted(clock="2 - 45:10")]}))
    done = convert_feeds(files, tmp_path / "both.npz")
    assert (done.matches, done.rows) == (2, 4)
    with pytest.raises(InputError, match="half 1 is in another file, too"):
        convert_feeds([files[0], files[0]], tmp_path / "both.npz")
