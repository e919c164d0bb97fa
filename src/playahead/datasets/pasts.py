"""Pasts: matches observed through a worse source than the one that recorded them. Labels are never degraded.

``CAREFUL`` and ``GREEDY`` are two action spotters whose published outputs on broadcast video were compared with human
labels. HIGH PASS and OUT were not among their classes; those values are our guess from similar classes. Training never
sees these two: ``random_past`` draws from ranges around and beyond them.

Axes: C classes, E rows, Q quantiles.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FINER, LONGEST_DELAY_MS, N_CODES, UNKNOWN, FeedHalf, Tally, setpiece_of
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.io.settings import check_choices

_ACTION_CODES = frozenset(range(len(ACTIONS)))
_ERROR_QUANTILES = (0.0, 0.05, 0.25, 0.75, 0.95, 1.0)
_ERRORS_MS = (-600.0, -300.0, -40.0, 120.0, 450.0, 900.0)
_FALSE_NEAR_MS = 800.0
_MATCH_S = 90 * 60

# Shares of the kinds of source that ``random_past`` draws, and of flaws that any of them may have.
_SPOTTED, _LABELS_ONLY, _CODES_ALONE = 0.35, 0.2, 0.2
_WITH_HINDSIGHT = 0.5  # of spotters and labels
_CLOCK_UNKNOWN, _LATE, _NOTHING, _SHORT = 0.1, 0.15, 0.01, 0.1
_LATE_S = (0.3, 12.0)
_FALSE_A_MATCH = (6.0, 700.0)  # of a class of middling frequency; a careful spotter's are near 16, a greedy one's 250


@dataclass(frozen=True)
class SpotterNoise:
    """Errors of an action spotter.

    A spotted time before the true one is set to the true one: nothing is seen before it happens.

    Attributes:
        recall_C: share of each class's actions that it finds.
        precision_C: share of its detections of each class that are true.
        error_scale: scale of the errors of its times; 1 has the quartiles -40 and +120 ms, 5 % beyond -300 and +450 ms.
        near: share of the false detections that lie close to an action; the others lie anywhere.
        confident: True if it reports confidences (those of true detections are higher, on average).
    """

    recall_C: tuple[float, ...]
    precision_C: tuple[float, ...]
    error_scale: float = 1.0
    near: float = 0.6
    confident: bool = True

    def spot(self, half: FeedHalf, rng: np.random.Generator, usual_C: NDArray | None = None) -> FeedHalf:
        """Detections in a half; everything but class, time and confidence is lost.

        Args:
            half: a half, or a stretch of one.
            rng: generator that draws missed and false detections.
            usual_C: actions of each class that a stretch of this length usually has. False detections must not leak how
                a short stretch continues; a whole half's own numbers tell next to nothing.
        """
        # True detections: a share of the actions, at times that may be late.
        actions = half.take(np.isin(half.code, list(_ACTION_CODES)))
        spotted = actions.take(rng.random(len(actions)) < np.array(self.recall_C)[actions.code])
        error_ms = np.interp(rng.random(len(spotted)), _ERROR_QUANTILES, _ERRORS_MS) * self.error_scale
        true_ms = spotted.t_ms + np.maximum(error_ms, 0)
        # False detections: as many as the precision leaves room for.
        if usual_C is None:
            usual_C = np.bincount(actions.code, minlength=len(ACTIONS))
        count_C = rng.poisson(usual_C * np.array(self.recall_C) * (1 / np.array(self.precision_C) - 1))
        false_code = np.repeat(np.arange(len(ACTIONS)), count_C)
        false_ms = self._false_times(actions, len(false_code), rng)
        # Both in time order, as rows of a feed.
        t_ms = np.r_[true_ms, false_ms].round().clip(0, LONGEST_HALF_MS).astype(np.int32)
        order = np.argsort(t_ms, kind="stable")
        code = np.r_[spotted.code, false_code].astype(np.uint8)[order]
        delay_ms = np.r_[spotted.delay_ms, np.zeros(len(false_code))].astype(np.uint16)[order]
        unknown = np.full(len(code), UNKNOWN, np.uint8)
        confidence = unknown
        if self.confident:
            sure = np.r_[rng.beta(5, 2, len(spotted)), rng.beta(2, 3, len(false_code))][order]
            confidence = (100 * sure).round().astype(np.uint8)
        nowhere = {"team": unknown, "x": unknown, "y": unknown, "setpiece": setpiece_of(code)}
        seen = {"t_ms": t_ms[order], "code": code, "delay_ms": delay_ms, "confidence": confidence}
        watched = {"clock_known": half.clock_known, "seen_from_ms": half.seen_from_ms}
        tally = self._count(half.tally, usual_C / max(_seconds(half), 1), rng) if half.tally else None
        return FeedHalf(half.match, half.half, **seen, **nowhere, **watched, reports=_ACTION_CODES, tally=tally)

    def _count(self, tally: Tally, per_s_C: NDArray[np.floating], rng: np.random.Generator) -> Tally:
        """Detections of each class among as many actions, true and false."""
        true_C = tally.count_TK[:, : len(ACTIONS)].sum(axis=0)
        recall_C, precision_C = np.array(self.recall_C), np.array(self.precision_C)
        false_C = rng.poisson(per_s_C * (tally.until_ms / 1000) * recall_C * (1 / precision_C - 1))
        count_TK = np.zeros_like(tally.count_TK)
        count_TK[-1, : len(ACTIONS)] = rng.binomial(true_C, recall_C) + false_C
        return replace(tally, count_TK=count_TK)

    def _false_times(self, actions: FeedHalf, count: int, rng: np.random.Generator) -> NDArray[np.floating]:
        """Times of the false detections: close after an action (never before it), or anywhere."""
        if not len(actions):
            return np.zeros(count)
        first_ms, last_ms = actions.t_ms[[0, -1]]
        anywhere_ms = rng.uniform(first_ms, last_ms, count)
        near_ms = rng.choice(actions.visible_ms, count) + np.abs(rng.normal(0, _FALSE_NEAR_MS, count))
        return np.where(rng.random(count) < self.near, near_ms, anywhere_ms)


#                     pass  drive head  high  throw cross shot  out   block tackle
CAREFUL = SpotterNoise(
    recall_C=(0.86, 0.83, 0.60, 0.72, 0.84, 0.71, 0.67, 0.75, 0.32, 0.04),
    precision_C=(0.90, 0.85, 0.67, 0.75, 0.78, 0.80, 0.68, 0.70, 0.48, 0.14),
)
GREEDY = SpotterNoise(
    recall_C=(0.73, 0.77, 0.71, 0.70, 0.51, 0.69, 0.79, 0.60, 0.72, 0.58),
    precision_C=(0.58, 0.37, 0.11, 0.17, 0.21, 0.17, 0.17, 0.20, 0.06, 0.03),
)
_SPOTTERS = {"careful": CAREFUL, "greedy": GREEDY}


@dataclass(frozen=True, kw_only=True)
class Past:
    """A source of a match's rows.

    Attributes:
        positions: True if it tells positions.
        teams: True if it tells teams.
        tokens: True if it tells duels, saves, stoppages and touches beside the ten actions.
        setpieces: True if it tells kinds of restart (a throw-in's is known from its class).
        details: True if it tells more than codes: finer kinds, flags, players and roles.
        spotter: action spotter on video whose detections replace the true rows.
        late_s: delay of each row.
        nothing: True if no row ever arrives.
    """

    positions: bool = True
    teams: bool = True
    tokens: bool = True
    setpieces: bool = True
    details: bool = True
    spotter: Literal["careful", "greedy"] | None = None
    late_s: float = 0.0
    nothing: bool = False

    def __post_init__(self) -> None:
        check_choices(self)
        if not 0 <= self.late_s <= LONGEST_DELAY_MS / 1000:
            raise InputError("Past.late_s", f"{self.late_s} is not in 0 to {LONGEST_DELAY_MS / 1000:g}")

    def observe(self, half: FeedHalf, seed: int = 0) -> FeedHalf:
        """Rows of a half as this source tells them; the noise depends on match, half and seed alone."""
        rng = np.random.default_rng((seed, half.match, half.half))
        spotter = _SPOTTERS.get(self.spotter or "")
        return _later(_less(half, self) if spotter is None else spotter.spot(half, rng), self)


PASTS = {
    "full feed": Past(),
    "no positions": Past(positions=False),
    "no teams": Past(teams=False),
    "no tokens": Past(tokens=False),
    "codes alone": Past(details=False),
    "labels only": Past(positions=False, teams=False, tokens=False, setpieces=False, details=False),
    "careful spotter": Past(spotter="careful"),
    "greedy spotter": Past(spotter="greedy"),
    **{f"{late_s} s late": Past(late_s=late_s) for late_s in (1, 2, 5, 10)},
    "nothing seen": Past(nothing=True),
}
"""Sources that people have, by name."""


def past_of(name: str) -> Past:
    """Find one of ``PASTS``.

    Raises:
        InputError: there is none of that name.
    """
    if name not in PASTS:
        raise InputError("past", f"{name!r} is not one of {', '.join(PASTS)}")
    return PASTS[name]


def _later(seen: FeedHalf, past: Past) -> FeedHalf:
    """Delay rows by ``late_s``, or drop all."""
    if past.nothing:
        return seen.take(np.zeros(len(seen), bool)).changed(seen_from_ms=LONGEST_HALF_MS)
    late_ms = seen.late_ms + round(past.late_s * 1000)
    return seen.changed(late_ms=np.minimum(late_ms, LONGEST_DELAY_MS).astype(np.uint16))


def _less(half: FeedHalf, past: Past) -> FeedHalf:
    """Remove the columns that this source lacks."""
    if not past.tokens:
        half = half.take(half.code < len(ACTIONS)).changed(reports=half.reports & _ACTION_CODES)
    unknown, changed = np.full(len(half), UNKNOWN, np.uint8), dict[str, Any]()
    if half.tally is not None:
        count_TK = half.tally.count_TK * np.isin(np.arange(N_CODES), list(half.reports))
        if not past.teams:
            count_TK = np.stack([0 * count_TK[0], 0 * count_TK[1], count_TK.sum(axis=0)])
        changed["tally"] = replace(half.tally, count_TK=count_TK)
    if not past.positions:
        changed |= {"x": unknown, "y": unknown}
    if not past.teams:
        changed["team"] = unknown
    if not past.setpieces:
        changed["setpiece"] = setpiece_of(half.code)
    if not past.details:
        changed |= dict.fromkeys(FINER, unknown)
    return half.changed(**changed) if changed else half


def _seconds(half: FeedHalf) -> float:
    return (half.t_ms[-1] - half.t_ms[0]) / 1000 if len(half) else 0.0


def random_past(
    half: FeedHalf,
    recorded: FeedHalf,
    first_ms: int,
    last_ms: int,
    per_s_C: NDArray[np.floating],
    rng: np.random.Generator,
) -> FeedHalf:
    """Rows of a stretch of a half as a random source might tell them, to train on.

    Args:
        half: the stretch.
        recorded: the same with hindsight, which people who label, and spotters that see some later frames, have.
        first_ms, last_ms: start of the first window and end of the last; an observation may begin in between.
        per_s_C: usual rate of each class, events per second.
        rng: generator that draws the source.
    """
    kind = rng.random()
    if kind < _SPOTTED + _LABELS_ONLY and rng.random() < _WITH_HINDSIGHT:
        half = recorded
    if rng.random() < _CLOCK_UNKNOWN:
        half = half.changed(clock_known=False)
    late_s = float(np.exp(rng.uniform(*np.log(_LATE_S)))) if rng.random() < _LATE else 0.0
    past = Past(late_s=late_s, nothing=rng.random() < _NOTHING)
    if kind < _SPOTTED:
        seen = _random_spotter(per_s_C, rng).spot(half, rng, per_s_C * _seconds(half))
    elif kind < _SPOTTED + _LABELS_ONLY:
        seen = _less(half, PASTS["labels only"])
    elif kind < _SPOTTED + _LABELS_ONLY + _CODES_ALONE:
        seen = _less(half, PASTS["codes alone"])
    else:
        known = rng.random()  # a source that lacks one thing mostly lacks others
        positions, teams, tokens, setpieces, details = map(bool, rng.random(5) < known)
        past = replace(past, positions=positions, teams=teams, tokens=tokens, setpieces=setpieces, details=details)
        seen = _less(half, past)
    seen = _later(seen, past)
    if rng.random() < _SHORT:
        seen = seen.changed(seen_from_ms=max(int(rng.integers(first_ms, last_ms)), 0))
    return seen


def _random_spotter(per_s_C: NDArray[np.floating], rng: np.random.Generator) -> SpotterNoise:
    """Draw a spotter of any quality; it makes more false detections of frequent classes, and is worst on rare ones."""
    recall_C = (rng.uniform(0.35, 1.0) + rng.normal(0, 0.15, len(ACTIONS))).clip(0.02, 1.0)
    per_match_C = np.maximum(per_s_C * _MATCH_S, 1.0)
    usual = np.exp(np.log(per_match_C).mean())
    false_C = np.exp(rng.uniform(*np.log(_FALSE_A_MATCH)) + rng.normal(0, 0.6, len(ACTIONS)))
    false_C *= (per_match_C / usual) ** rng.uniform(0.2, 1.0)
    true_C = recall_C * per_match_C
    return SpotterNoise(
        recall_C=tuple(recall_C),
        precision_C=tuple(true_C / (true_C + false_C)),
        error_scale=rng.uniform(0, 2),
        near=rng.uniform(0.2, 0.9),
        confident=rng.random() < 0.75,
    )
