"""What is a spotter's past worth? python spotters.py DATA/val.npz [--weights FILE] [--matches N].

For each simulated spotter (``datasets/spotters.py``): its own mAP@1, which is what spotters publish (an action counts
as found within half a second), its rows in a match, and the exact area of anticipations from its rows, at once or
after the seconds of video that a spotter needs to see. For the calibrated ones also by the confidence at which they
are cut.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from playahead.datasets import pasts
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.pasts import PASTS, Past
from playahead.datasets.spotters import SPOTTERS
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.evaluation.exact import TimedEvents, score_exactly, timed_events_of_frames
from playahead.inference.open_predictor import open_predictor
from playahead.lab.results import markdown_table
from playahead.sources.feed_tables import read_feed_table

CUTS = (0.05, 0.1, 0.2, 0.35, 0.5)
AFTER_S = (0.6, 2.4, 9.3)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--matches", type=int, default=12)
    options = parser.parse_args()
    halves = read_feed_table(options.table)
    chosen = set(sorted({half.match for half in halves})[: options.matches])
    halves = [half for half in halves if half.match in chosen]
    predictor = open_predictor(options.weights)
    whole = FeedEvaluationSet(halves, options.table.stem)
    rows = [_row(name, whole, PASTS[name], predictor) for name in ("full feed", "labels only")]
    for name, spotter in SPOTTERS.items():
        past = PASTS[f"{name} spotter"]
        rows.append(_row(f"{name} spotter", whole, past, predictor))
        for late_s in AFTER_S:
            rows.append(_row(f"{name} spotter, {late_s:g} s later", whole, replace(past, late_s=late_s), predictor))
        for cut in CUTS if spotter.confidences == "calibrated" else ():
            pasts.SPOTTERS[name] = replace(spotter, min_confidence=cut)
            rows.append(_row(f"{name} spotter, from {cut:.0%} on", whole, past, predictor))
        pasts.SPOTTERS[name] = spotter
    print(markdown_table(["past", "own mAP@1", "rows a match", "exact area"], rows), end="")


def _row(name: str, whole: FeedEvaluationSet, past: Past, predictor) -> list[str]:
    seen = [past.observe(half) for half in whole.halves]
    matches = len({half.match for half in whole.halves})
    shown = whole.seen_as(past)
    predictions = predictor.predict_all(shown)
    scores_ORV = predictor.decoder().scores(predictions)
    area = 100 * score_exactly(shown.timed_events(), timed_events_of_frames(shown.table(scores_ORV))[1]).average_area
    own = "" if past.spotter is None else f"{100 * _own(whole.halves, seen):.1f}"
    row = [name, own, f"{sum(map(len, seen)) / matches:,.0f}", f"{area:.2f}"]
    print(*row, file=sys.stderr, flush=True)
    return row


def _own(halves: list[FeedHalf], seen: list[FeedHalf]) -> float:
    """mAP@1 of a spotter: each half is a clip."""
    true, found = ([half.take(half.code < len(ACTIONS)) for half in rows] for rows in (halves, seen))
    confidence = np.concatenate([half.confidence for half in found]).astype(float)
    events, detections = (
        TimedEvents(
            np.repeat(np.arange(len(rows)), [len(half) for half in rows]),
            np.concatenate([half.code for half in rows]),
            np.concatenate([half.t_ms for half in rows]),
        )
        for rows in (true, found)
    )
    detections = replace(detections, score=np.where(confidence == UNKNOWN, 100, confidence))
    return float(score_exactly(events, detections).area_DC[0].mean())


if __name__ == "__main__":
    main()
