"""Action spotters, simulated: what they find, miss and invent in a match, when, and how sure they are of it.

``CAREFUL`` and ``GREEDY`` are two spotters whose published outputs on broadcast video were compared with human labels.
HIGH PASS and OUT were not among their classes; those values are our guess from similar classes. They cut at a
threshold, and their confidences say little. ``STRONG`` and ``FAIR`` report whatever they think possible, and a row of
confidence c is true in a share c of cases: such as the spotters with public weights, whose own mAP@1 they have
(``benchmarks/spotters.py``). Training never sees these four: ``random_spotter`` draws from ranges around and beyond.

Axes: C classes, T teams, K codes.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import UNKNOWN, FeedHalf, Tally, setpiece_of
from playahead.domain.time import LONGEST_HALF_MS

ACTION_CODES = frozenset(range(len(ACTIONS)))
_ERROR_QUANTILES = (0.0, 0.05, 0.25, 0.75, 0.95, 1.0)
_ERRORS_MS = (-600.0, -300.0, -40.0, 120.0, 450.0, 900.0)
_FALSE_NEAR_MS = 800.0
_MATCH_S = 90 * 60
_FALSE_A_MATCH = (6.0, 700.0)  # of a class of middling frequency; a careful spotter's are near 16, a greedy one's 250
_CUT_AT = (0.01, 0.3)
_CALIBRATED, _ROUGH = 0.5, 0.35  # shares of ``random_spotter``; the others report no confidences


@dataclass(frozen=True)
class SpotterNoise:
    """Errors of an action spotter.

    A spotted time before the true one is set to the true one: nothing is seen before it happens.

    Attributes:
        recall_C: share of each class's actions that it finds.
        precision_C: share of its detections of each class that are true.
        error_scale: scale of the errors of its times; 1 has the quartiles -40 and +120 ms, 5 % beyond -300 and +450 ms.
        near: share of the false detections that lie close to an action; the others lie anywhere.
        confidences: "rough" are higher of true detections, on average; "calibrated" ones are the share of rows that are
            true.
        contrast: how far apart the calibrated confidences of true and false detections lie; near 0 they are those of
            chance, at 1 nearly all are close to 0 or to 1.
        min_confidence: detections of which it is less sure are not reported, whatever recall and precision say.
    """

    recall_C: tuple[float, ...]
    precision_C: tuple[float, ...]
    error_scale: float = 1.0
    near: float = 0.6
    confidences: Literal["none", "rough", "calibrated"] = "rough"
    contrast: float = 0.7
    min_confidence: float = 0.0

    def spot(self, half: FeedHalf, rng: np.random.Generator, usual_C: NDArray | None = None) -> FeedHalf:
        """Detections in a half; everything but class, time and confidence is lost.

        Args:
            half: a half, or a stretch of one.
            rng: generator that draws missed and false detections.
            usual_C: actions of each class that a stretch of this length usually has. False detections must not leak how
                a short stretch continues; a whole half's own numbers tell next to nothing.
        """
        # True detections: a share of the actions, at times that may be late.
        actions = half.take(np.isin(half.code, list(ACTION_CODES)))
        spotted = actions.take(rng.random(len(actions)) < np.array(self.recall_C)[actions.code])
        error_ms = np.interp(rng.random(len(spotted)), _ERROR_QUANTILES, _ERRORS_MS) * self.error_scale
        true_ms = spotted.t_ms + np.maximum(error_ms, 0)
        # False detections: as many as the precision leaves room for.
        if usual_C is None:
            usual_C = np.bincount(actions.code, minlength=len(ACTIONS))
        count_C = rng.poisson(usual_C * np.array(self.recall_C) * (1 / np.array(self.precision_C) - 1))
        false_code = np.repeat(np.arange(len(ACTIONS)), count_C)
        false_ms = self._false_times(actions, len(false_code), rng)
        # Both in time order, as rows of a feed; those that it is too unsure of are left out.
        t_ms = np.r_[true_ms, false_ms].round().clip(0, LONGEST_HALF_MS).astype(np.int32)
        sure = np.r_[self._confidence(spotted.code, True, rng), self._confidence(false_code, False, rng)]
        order = np.argsort(t_ms, kind="stable")
        order = order[sure[order] >= self.min_confidence]
        code = np.r_[spotted.code, false_code].astype(np.uint8)[order]
        delay_ms = np.r_[spotted.delay_ms, np.zeros(len(false_code))].astype(np.uint16)[order]
        unknown = np.full(len(code), UNKNOWN, np.uint8)
        confidence = unknown if self.confidences == "none" else (100 * sure[order]).round().astype(np.uint8)
        nowhere = {"team": unknown, "x": unknown, "y": unknown, "setpiece": setpiece_of(code)}
        seen = {"t_ms": t_ms[order], "code": code, "delay_ms": delay_ms, "confidence": confidence}
        watched = {"clock_known": half.clock_known, "seen_from_ms": half.seen_from_ms}
        tally = self._count(half.tally, usual_C / max(half.lasts_s, 1), rng) if half.tally else None
        return FeedHalf(half.match, half.half, **seen, **nowhere, **watched, reports=ACTION_CODES, tally=tally)

    def _count(self, tally: Tally, per_s_C: NDArray[np.floating], rng: np.random.Generator) -> Tally:
        """Detections of each class among as many actions, true and false."""
        true_C = tally.count_TK[:, : len(ACTIONS)].sum(axis=0)
        recall_C, precision_C = np.array(self.recall_C), np.array(self.precision_C)
        false_C = rng.poisson(per_s_C * (tally.until_ms / 1000) * recall_C * (1 / precision_C - 1))
        if self.min_confidence:  # the share of each that it is sure enough of, by drawing some
            code = np.repeat(np.arange(len(ACTIONS)), 64)
            sure_2C = [self._confidence(code, is_true, rng).reshape(-1, 64) for is_true in (True, False)]
            kept_2C = [(sure >= self.min_confidence).mean(axis=1) for sure in sure_2C]
            recall_C, false_C = recall_C * kept_2C[0], rng.binomial(false_C, kept_2C[1])
        count_TK = np.zeros_like(tally.count_TK)
        count_TK[-1, : len(ACTIONS)] = rng.binomial(true_C, recall_C) + false_C
        return replace(tally, count_TK=count_TK)

    def _confidence(self, code: NDArray[np.integer], is_true: bool, rng: np.random.Generator) -> NDArray[np.floating]:
        """Confidences of true or of false detections of these classes, in [0, 1]."""
        if self.confidences == "none":
            return np.ones(len(code))
        if self.confidences == "rough":
            return rng.beta(5, 2, len(code)) if is_true else rng.beta(2, 3, len(code))
        # A true detection has the density c f(c) / p and a false one (1 - c) f(c) / (1 - p), so that of those with
        # confidence c a share c is true. With a beta density f of mean p, both are beta densities, too.
        precision = np.array(self.precision_C)[code].clip(1e-3, 1 - 1e-3)
        weight = 1 / self.contrast - 1
        return rng.beta(precision * weight + is_true, (1 - precision) * weight + (not is_true))

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
STRONG = SpotterNoise(
    recall_C=(0.99, 0.99, 0.97, 0.97, 0.98, 0.97, 0.97, 0.97, 0.92, 0.85),
    precision_C=(0.60, 0.55, 0.30, 0.40, 0.40, 0.30, 0.30, 0.35, 0.20, 0.10),
    confidences="calibrated",
    contrast=0.8,
    min_confidence=0.02,
)
FAIR = SpotterNoise(
    recall_C=(0.92, 0.90, 0.80, 0.82, 0.82, 0.80, 0.80, 0.80, 0.60, 0.50),
    precision_C=(0.22, 0.20, 0.08, 0.09, 0.09, 0.08, 0.06, 0.09, 0.03, 0.02),
    confidences="calibrated",
    contrast=0.4,
    min_confidence=0.02,
)
SPOTTERS = {"careful": CAREFUL, "greedy": GREEDY, "strong": STRONG, "fair": FAIR}


def random_spotter(per_s_C: NDArray[np.floating], rng: np.random.Generator) -> SpotterNoise:
    """Draw a spotter of any quality; it makes more false detections of frequent classes, and is worst on rare ones.

    Args:
        per_s_C: usual rate of each class, events per second.
        rng: generator that draws.
    """
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
        confidences=rng.choice(["calibrated", "rough", "none"], p=[_CALIBRATED, _ROUGH, 1 - _CALIBRATED - _ROUGH]),
        contrast=rng.uniform(0.3, 0.95),
        min_confidence=float(np.exp(rng.uniform(*np.log(_CUT_AT)))),
    )
