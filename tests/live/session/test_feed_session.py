"""A session on a feed: the numbers of ``predict``, whatever order the rows come in."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import playahead
from playahead.datasets.pasts import PASTS
from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import COLUMNS, EVERY_CODE, LONGEST_DELAY_MS, UNKNOWN, FeedHalf, FeedRow
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import simulate_half
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import MOST_ROWS, FeedSession
from playahead.live.session.lines import Reports, Tick, parse_line


@pytest.fixture(scope="module")
def predictor():
    return playahead.Predictor.open()


def rows_of(half: FeedHalf) -> list[FeedRow]:
    columns = ("t_ms", "code", "team", "x", "y", "setpiece", "delay_ms", "confidence")
    return [FeedRow(half.half, **{name: int(getattr(half, name)[row]) for name in columns}) for row in range(len(half))]


def seen_by(session: FeedSession, arrived: list[tuple[FeedRow, int]]) -> FeedHalf:
    """A half of all rows that a session took, each as late as it came."""
    ordered = sorted(arrived, key=lambda pair: pair[0].t_ms)
    columns = {name: [getattr(row, name) for row, _ in ordered] for name in COLUMNS if name != "late_ms"}
    columns["late_ms"] = [late_ms for _, late_ms in ordered]
    return replace(
        session.half(),
        **{name: np.array(columns[name], column.dtype) for name, column in session.half().columns.items()},
    )


def played(
    session: FeedSession,
    rows: list[FeedRow],
    arrivals_ms: np.ndarray,
    until_ms: int,
    arrived: list[tuple[FeedRow, int]],
) -> list[Answer]:
    """Push each row when it arrives, ask at every second."""
    answers, waiting = [], sorted(zip(arrivals_ms.tolist(), range(len(rows)), strict=True))
    session.push(Tick(rows[0].half if rows else 1, 0))
    for now_ms in range(1_000, until_ms + 1, 1_000):
        while waiting and waiting[0][0] < now_ms:
            row = rows[waiting.pop(0)[1]]
            session.push(row)
            arrived.append((row, max(0, session.now_ms - row.t_ms - row.delay_ms)))
        answers += session.answers(now_ms)
    return answers


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**16), past=st.sampled_from(["full feed", "labels only", "greedy spotter"]))
def test_live_equals_offline_to_the_last_bit(predictor, seed, past):
    """Rows arrive late and out of order: the session's numbers are those of ``predict`` on what it saw."""
    rng = np.random.default_rng(seed)
    half = PASTS[past].observe(simulate_half(seed % 5, minutes=1))
    rows = rows_of(half)
    late_ms = rng.exponential(rng.choice([1.0, 2_000.0]), len(rows)) * (rng.random(len(rows)) < 0.5)
    session = FeedSession(predictor, min_confidence=0.0)
    session.push(Reports(half.reports))
    arrived: list[tuple[FeedRow, int]] = []
    answers = played(session, rows, half.visible_ms + late_ms, 45_000, arrived)
    assert [answer.now_ms for answer in answers] == list(range(1_000, 45_001, 1_000))
    seen = seen_by(session, [pair for pair in arrived if pair[1] <= LONGEST_DELAY_MS])
    track = playahead.prepare_track(seen)
    listed = predictor.anticipate_at(track, [answer.now_ms for answer in answers], min_confidence=0.0)
    for answer, offline in zip(answers, listed, strict=True):
        ours = [(line.action, line.time_ms - answer.now_ms, line.confidence) for line in answer.expected]
        assert ours == [(str(one.action), one.offset_ms, round(one.confidence, 4)) for one in offline]
        windows = track.windows(np.array([answer.now_ms]))
        exact = predictor.answer(predictor.encode(windows), np.arange(6)[None]).intensity()[0]
        np.testing.assert_array_equal(answer.intensity_RC, exact)


def test_rows_in_time_are_kept_as_they_were_recorded_for_as_long_as_answers_need_them(predictor):
    half = simulate_half(1, minutes=2)
    session = FeedSession(predictor)
    session.push(Reports(EVERY_CODE))
    played(session, rows_of(half), half.visible_ms, 110_000, [])
    seen, needed = session.half(), half.take((half.visible_ms < 110_000) & (half.visible_ms >= 75_000))
    for name, column in needed.columns.items():
        np.testing.assert_array_equal(seen.columns[name], column, err_msg=name)


def test_far_too_many_rows_are_counted_and_cost_little(predictor):
    """What is used is used as ``predict`` would; the rest is said."""
    rows = [FeedRow(1, 30_000 * n // 20_000, n % 10) for n in range(20_000)]
    session = FeedSession(predictor, min_confidence=0.0)
    for row in rows:
        session.push(row)
    answers = list(session.answers(30_000))
    assert answers[0].notices == ["15,000 rows not used: more than 5,000 in 35 s"]
    used = seen_by(session, [(row, 0) for row in rows[:MOST_ROWS]])
    windows = playahead.prepare_track(used).windows(np.array([answers[-1].now_ms]))
    exact = predictor.answer(predictor.encode(windows), np.arange(6)[None]).intensity()[0]
    np.testing.assert_array_equal(answers[-1].intensity_RC, exact)
    for n in range(1_000):
        session.notices.add(f"{n}" + "x" * 100)
    (last,) = session.answers(31_000)
    assert last.notices[0] == "980 more notices"
    list(session.answers(45_000))
    session.push(FeedRow(1, 60_000, 0))
    assert not next(session.answers(46_000)).notices, "there is room again"
    assert len(session.half()) < MOST_ROWS


def test_what_happens_to_a_source_is_told(predictor):
    session = FeedSession(predictor)
    session.push(FeedRow(1, 500, 0))
    (first,) = session.answers(1_000)
    assert not first.notices
    assert first.seen_ms == 1_000
    list(session.answers(3_000))
    session.push(FeedRow(1, 400, 1))
    (second,) = session.answers(4_000)
    assert second.notices == ["1 rows over a second late"]
    third = list(session.answers(100_000))
    assert third[0].notices == ["66 s without an answer"]
    assert [third[0].now_ms, third[-1].now_ms] == [71_000, 100_000]
    session.push(FeedRow(1, 10_000, 0))
    session.push(Tick(1, 5_000))
    (last,) = session.answers(101_000)
    assert sorted(last.notices) == ["1 rows over a minute late, not used", "1 ticks that went back"]


def test_a_new_half_starts_its_own_clock(predictor):
    session = FeedSession(predictor)
    session.push(FeedRow(1, 44_000, 0))
    list(session.answers())
    session.push(FeedRow(2, 2_500, 3))
    answers = list(session.answers())
    assert [(answer.half, answer.now_ms) for answer in answers] == [(2, 1_000), (2, 2_000)]
    session.push(FeedRow(1, 45_000, 0))
    (answer,) = session.answers(3_000)
    assert answer.notices == ["1 rows of half 1, which is over"]
    assert len(session.half()) == 1


def test_a_session_that_joins_late_says_how_much_it_saw(predictor):
    session = FeedSession(predictor)
    session.push(Tick(2, 1_800_400))
    answers = list(session.answers(1_840_000))
    assert answers[0].now_ms == 1_811_000
    assert answers[0].seen_ms == 11_000
    assert answers[-1].seen_ms == 30_000
    assert session.half().seen_from_ms == 1_800_000


def test_memory_stays_flat_over_a_half(predictor):
    half = simulate_half(2, minutes=2)
    session = FeedSession(predictor)
    session.push(Reports(EVERY_CODE))
    for row in rows_of(half):
        session.push(row)
        list(session.answers())
    assert len(session.half()) < 200
    assert len(session._windows._encoded) <= 30


def test_an_answer_is_one_line_of_json(predictor):
    session = FeedSession(predictor, min_confidence=0.05)
    session.push(FeedRow(1, 900, 0, confidence=80))
    (answer,) = session.answers(1_000)
    read = json.loads(json.dumps(answer.as_json(), allow_nan=False))
    assert read["now_ms"] == 1_000
    assert read["seen"] == [{"time_ms": 900, "action": "PASS", "confidence": 0.8}]
    assert len(read["intensity_per_mille"]) == len(ACTIONS)


def test_a_line_is_read_as_its_fields_say():
    line = '{"half": 2, "t_ms": 61200, "action": "pass", "team": "away", "x": 44, "y": 20.4, "confidence": 0.82}'
    assert parse_line(line, "line 1") == FeedRow(2, 61_200, 0, team=1, x=44, y=20, confidence=82)
    assert parse_line('{"t_ms": 5, "action": "DUEL"}', "line 2") == FeedRow(1, 5, len(ACTIONS))
    assert parse_line('{"t_ms": 5, "action": "THROW IN"}', "line 3").setpiece == 1
    assert parse_line('{"now_ms": 65000}', "line 4") == Tick(1, 65_000)
    assert parse_line('{"reports": ["PASS", "duel"]}'.replace("duel", "DUEL"), "line 5") == Reports(frozenset({0, 10}))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not JSON"),
        ("[]", "expected an object"),
        ('{"t_ms": 1}', "'action'"),
        ('{"t_ms": 1, "action": "GOAL KICK"}', "'GOAL KICK' is not one of PASS"),
        ('{"t_ms": -1, "action": "PASS"}', "t_ms '-1' is not a number from 0"),
        ('{"t_ms": "5", "action": "PASS"}', "t_ms '5' is not a number from 0"),
        ('{"t_ms": NaN, "action": "PASS"}', "t_ms 'nan'"),
        ('{"t_ms": 1, "action": "PASS", "x": 101}', "x '101' is not a number from 0 to 100"),
        ('{"t_ms": 1, "action": "PASS", "team": "Ajax"}', "team 'Ajax' is not home or away"),
        ('{"t_ms": 1, "action": "PASS", "half": 5}', "half '5' is not a number from 1 to 4"),
        ('{"t_ms": 1, "action": "PASS", "confidence": 80}', "confidence '80' is not in"),
        ('{"t_ms": 1, "action": "PASS", "setpiece": "kick"}', "setpiece 'kick' is not one of open play"),
        ('{"t_ms": 1, "action": "PASS", "player": 7}', "'player' is not one of"),
        ('{"now_ms": 1, "action": "PASS"}', "'now_ms' is not one of"),
        ('{"reports": ["SAVES"]}', "'SAVES' is not one of"),
        ('{"t_ms": 1' + " " * 70_000 + "}", "longer than 65,536"),
        ("[" * 60_000, "not JSON"),
    ],
)
def test_a_wrong_line_is_named(line, said):
    with pytest.raises(InputError, match="line 7") as caught:
        parse_line(line, "line 7")
    assert said in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["half", "t_ms", "now_ms", "action", "team", "x", "y", "setpiece", "confidence", "reports"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("PASS")),
    )
)
def test_any_line_is_a_row_or_one_line_of_error(entry):
    try:
        found = parse_line(json.dumps(entry), "line 1")
    except InputError as reason:
        assert "\n" not in str(reason)
    else:
        if isinstance(found, FeedRow):
            assert found.team in (0, 1, UNKNOWN)
            assert found.code < len(ACTIONS) + len(OBSERVED_TOKENS)


def test_a_token_must_be_announced(predictor):
    session = FeedSession(predictor)
    duel = FeedRow(1, 5, len(ACTIONS) + OBSERVED_TOKENS.index("DUEL"))
    with pytest.raises(InputError, match="was not declared in `reports`"):
        session.push(duel)
    session.push(Reports(EVERY_CODE))
    session.push(duel)
    with pytest.raises(InputError, match="before the first row"):
        session.push(Reports(frozenset({0})))
