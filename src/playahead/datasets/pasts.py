"""Pasts: matches observed through a worse source than the one that recorded them. Labels are never degraded.

Axes: C classes, T teams, K codes.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.spotters import ACTION_CODES, SPOTTERS, random_spotter
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FINER, LONGEST_DELAY_MS, N_CODES, UNKNOWN, FeedHalf, setpiece_of
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.io.settings import check_choices

# Shares of the kinds of source that ``random_past`` draws, and of flaws that any of them may have.
_SPOTTED, _LABELS_ONLY, _CODES_ALONE = 0.35, 0.2, 0.2
_WITH_HINDSIGHT = 0.5  # of spotters and labels
_CLOCK_UNKNOWN, _LATE, _LATE_SPOTTER, _NOTHING, _SHORT = 0.1, 0.15, 0.4, 0.01, 0.1  # spotters see what comes after
_LATE_S = (0.3, 12.0)


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
    spotter: Literal["careful", "greedy", "strong", "fair"] | None = None
    late_s: float = 0.0
    nothing: bool = False

    def __post_init__(self) -> None:
        check_choices(self)
        if not 0 <= self.late_s <= LONGEST_DELAY_MS / 1000:
            raise InputError("Past.late_s", f"{self.late_s} is not in 0 to {LONGEST_DELAY_MS / 1000:g}")

    def observe(self, half: FeedHalf, seed: int = 0) -> FeedHalf:
        """Rows of a half as this source tells them; the noise depends on match, half and seed alone."""
        rng = np.random.default_rng((seed, half.match, half.half))
        spotter = SPOTTERS.get(self.spotter or "")
        return _later(_less(half, self) if spotter is None else spotter.spot(half, rng), self)


PASTS = {
    "full feed": Past(),
    "no positions": Past(positions=False),
    "no teams": Past(teams=False),
    "no tokens": Past(tokens=False),
    "codes alone": Past(details=False),
    "labels only": Past(positions=False, teams=False, tokens=False, setpieces=False, details=False),
    "strong spotter": Past(spotter="strong"),
    "fair spotter": Past(spotter="fair"),
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
        half = half.take(half.code < len(ACTIONS)).changed(reports=half.reports & ACTION_CODES)
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
    may_be_late = _LATE_SPOTTER if kind < _SPOTTED else _LATE
    late_s = float(np.exp(rng.uniform(*np.log(_LATE_S)))) if rng.random() < may_be_late else 0.0
    past = Past(late_s=late_s, nothing=rng.random() < _NOTHING)
    if kind < _SPOTTED:
        seen = random_spotter(per_s_C, rng).spot(half, rng, per_s_C * half.lasts_s)
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
