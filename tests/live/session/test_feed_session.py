"""A session on a feed: the numbers of ``predict``, whatever order the rows come in."""

from dataclasses import replace
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import playahead
from playahead.datasets.pasts import PASTS
from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import COLUMNS, EVERY_CODE, LONGEST_DELAY_MS, FeedHalf, FeedRow
from playahead.io.errors import InputError, RecordError
from playahead.io.files import match_file
from playahead.lab.simulation.plays import simulate_half
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import MOST_ROWS, FeedSession
from playahead.live.session.lines import Reports, Tick, rows_of


@pytest.fixture(scope="module")
def predictor():
    return playahead.Predictor.open()


@pytest.fixture
def session(predictor):
    return FeedSession(predictor, min_confidence=0.0)


def seen_by(session: FeedSession, arrived: list[tuple[FeedRow, int]]) -> FeedHalf:
    """A half of all rows that a session took, each as late as it came."""
    half, ordered = session.half(), sorted(arrived, key=lambda pair: pair[0].t_ms)
    columns = {name: [getattr(row, name) for row, _ in ordered] for name in COLUMNS}
    columns["late_ms"] = [late_ms for _, late_ms in ordered]
    all_rows = {name: np.array(columns[name], column.dtype) for name, column in half.columns.items()}
    return replace(half, **all_rows, tally=None)


def played(session: FeedSession, half: FeedHalf, late_ms: np.ndarray, until_ms: int) -> tuple[list[Answer], list]:
    """Push each row when it arrives, ask at every second; (answers, (row, late_ms) of the rows)."""
    rows, answers, arrived = list(rows_of(half)), [], []
    arrivals = [row.t_ms + row.delay_ms + late for row, late in zip(rows, late_ms.tolist(), strict=True)]
    waiting = sorted(zip(arrivals, rows, strict=True), key=itemgetter(0))
    session.push(Reports(half.reports, half.teams))
    session.push(Tick(half.half, 0))
    for now_ms in range(1_000, until_ms + 1, 1_000):
        while waiting and waiting[0][0] < now_ms:
            _, row = waiting.pop(0)
            session.push(row)
            arrived.append((row, max(0, session.now_ms - row.t_ms - row.delay_ms)))
        answers += session.answers(now_ms)
    return answers, arrived


def assert_exact(predictor, answer: Answer, half: FeedHalf) -> None:
    windows = predictor.prepare(half).windows(np.array([answer.now_ms]))
    exact = predictor.answer(predictor.encode(windows), np.arange(len(windows))[None]).intensity()[0]
    np.testing.assert_array_equal(answer.intensity_RC, exact)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**16), past=st.sampled_from(["full feed", "labels only", "greedy spotter"]))
def test_live_equals_offline_to_the_last_bit(predictor, seed, past):
    """Rows arrive late and out of order: the session's numbers are those of ``predict`` on what it saw."""
    rng, session = np.random.default_rng(seed), FeedSession(predictor, min_confidence=0.0)
    half = PASTS[past].observe(simulate_half(seed % 5, minutes=1))
    late_ms = rng.exponential(rng.choice([1.0, 2_000.0]), len(half)) * (rng.random(len(half)) < 0.5)
    answers, arrived = played(session, half, late_ms, 45_000)
    assert [answer.now_ms for answer in answers] == list(range(1_000, 45_001, 1_000))
    seen = seen_by(session, [pair for pair in arrived if pair[1] <= LONGEST_DELAY_MS])
    times_ms = [answer.now_ms for answer in answers]
    listed = predictor.anticipate_at(predictor.prepare(seen), times_ms, min_confidence=0.0)
    for answer, offline in zip(answers, listed, strict=True):
        ours = [(line.action, line.time_ms - answer.now_ms, line.confidence) for line in answer.expected]
        assert ours == [(str(one.action), one.offset_ms, round(one.confidence, 4)) for one in offline]
        assert_exact(predictor, answer, seen)


def test_rows_are_kept_as_recorded_for_as_long_as_answers_need_them(session):
    half = simulate_half(1, minutes=2)
    played(session, half, np.zeros(len(half)), 110_000)
    seen, needed = session.half(), half.take((half.visible_ms < 110_000) & (half.visible_ms >= 70_000))
    for name, column in needed.columns.items():
        np.testing.assert_array_equal(seen.columns[name], column, err_msg=name)
    assert len(session._windows._encoded) <= 30


def test_far_too_many_rows_are_counted_and_cost_little(predictor, session):
    """What is used is used as ``predict`` would; the rest is a notice."""
    rows = [FeedRow(1, 30_000 * n // 20_000, n % 10) for n in range(20_000)]
    for row in rows:
        session.push(row)
    answers = list(session.answers(30_000))
    assert answers[0].notices == ["15,000 rows not used: more than 5,000 in 40 s"]
    assert_exact(predictor, answers[-1], seen_by(session, [(row, 0) for row in rows[:MOST_ROWS]]))
    for n in range(1_000):
        session.notices.add(f"{n}" + "x" * 100)
    assert next(session.answers(31_000)).notices[0] == "980 more notices"
    list(session.answers(45_000))
    session.push(FeedRow(1, 60_000, 0))
    assert not next(session.answers(46_000)).notices, "there is room again"
    assert len(session.half()) < MOST_ROWS


def test_what_happens_to_a_source_is_a_notice(session):
    session.push(FeedRow(1, 500, 0))
    (first,) = session.answers(1_000)
    assert (first.notices, first.seen_ms) == ([], 1_000)
    list(session.answers(3_000))
    session.push(FeedRow(1, 400, 1))
    assert next(session.answers(4_000)).notices == ["1 rows over a second late"]
    third = list(session.answers(100_000))
    assert third[0].notices == ["66 s without an answer"]
    assert [third[0].now_ms, third[-1].now_ms] == [71_000, 100_000]
    session.push(FeedRow(1, 10_000, 0))
    session.push(Tick(1, 5_000))
    last = next(session.answers(101_000))
    assert sorted(last.notices) == ["1 rows over a minute late, not used", "1 ticks that went back"]


def test_a_new_half_starts_its_own_clock(session):
    session.push(FeedRow(1, 44_000, 0))
    list(session.answers())
    session.push(FeedRow(2, 2_500, 3))
    assert [(answer.half, answer.now_ms) for answer in session.answers()] == [(2, 1_000), (2, 2_000)]
    session.push(FeedRow(1, 45_000, 0))
    assert next(session.answers(3_000)).notices == ["1 rows of half 1, which is over"]
    assert len(session.half()) == 1


def test_a_session_that_joins_late_says_how_much_it_saw(session):
    session.push(Tick(2, 1_800_400))
    answers = list(session.answers(1_840_000))
    assert (answers[0].now_ms, answers[0].seen_ms, answers[-1].seen_ms) == (1_811_000, 11_000, 30_000)
    assert session.half().seen_from_ms == 1_800_000


def test_a_token_must_be_announced(session):
    duel = FeedRow(1, 5, len(ACTIONS) + OBSERVED_TOKENS.index("DUEL"))
    with pytest.raises(InputError, match="was not declared in `reports`"):
        session.push(duel)
    session.push(Reports(EVERY_CODE))
    session.push(duel)
    with pytest.raises(InputError, match="before the first row"):
        session.push(Reports(frozenset({0})))


def test_teams_have_the_names_that_a_file_gives_them(predictor):
    half, _ = playahead.read_feed(match_file("sample"))
    session = FeedSession(predictor, min_confidence=0.2)
    answers, _ = played(session, half.take(slice(0, 60)), np.zeros(60), 60_000)
    named = {mark.team for answer in answers for mark in [*answer.seen, *answer.expected] if mark.team}
    assert named == {"Brighton & Hove Albion", "Manchester City"}
    assert answers[-1].as_json()["teams"] == ["Manchester City", "Brighton & Hove Albion"]


@pytest.mark.parametrize(
    "wrong", [{"code": 14}, {"x": 101}, {"t_ms": -1}, {"half": 0}, {"confidence": 254}, {"role": 9}]
)
def test_a_row_that_no_feed_can_hold_is_refused_and_costs_nothing(predictor, wrong):
    half = simulate_half(0, minutes=1)
    kept, plain = FeedSession(predictor), FeedSession(predictor)
    for session in (kept, plain):
        session.push(Reports(EVERY_CODE))
        for row in half.rows:
            session.push(row)
    with pytest.raises((RecordError, InputError)):
        kept.push(replace(half.rows[5], **wrong))
    assert [answer.as_json() for answer in kept.answers()] == [answer.as_json() for answer in plain.answers()]
