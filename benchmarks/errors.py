"""Where a model of feeds errs: python errors.py DATA WEIGHTS [--split val] [--picture surprising.png].

Prints the exact area of each class, what it would be if the times were known (the class from the model), or the classes
(the times from the model), and which class was expected instead where an action was missed. Draws the most surprising
situations: those whose following 5 s the model held least likely, one a match.
"""

import argparse
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch

from playahead.datasets.dataset import FeedDataset
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, FRAMES_PER_WINDOW, RASTER_FRAMES
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.inference.predictor import Predictor
from playahead.lab.pitch import draw_situation

_NEAR = 8  # frames on either side: 1.3 s
_CONFIDENT = 0.3
_TINY = 1e-7


def main() -> None:
    """Print the tables and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    evaluation_set = FeedDataset(options.data).evaluation_set(options.split)
    predictor = Predictor.open(options.weights)
    intensity_ORC = predictor.predict_all(evaluation_set).intensity()
    events = evaluation_set.timed_events()
    count_ORC = np.zeros_like(intensity_ORC)
    frame_X = (events.time_ms / ANTICIPATION_MS * FRAMES_PER_WINDOW).astype(int)
    np.add.at(count_ORC, (events.clip, frame_X, events.class_index), 1)

    # Times known: each event's frame gets the classes that the model holds likely around it.
    near_ORC = _around(intensity_ORC)
    share_ORC = near_ORC / np.maximum(near_ORC.sum(axis=2, keepdims=True), _TINY)
    times_known = share_ORC * count_ORC.sum(axis=2, keepdims=True)
    # Classes known: each class's intensity adds up to the number of its events.
    mass_O1C = np.maximum(intensity_ORC.sum(axis=1, keepdims=True), _TINY)
    classes_known = intensity_ORC / mass_O1C * count_ORC.sum(axis=1, keepdims=True)
    rows = {"area": intensity_ORC, "times known": times_known, "classes known": classes_known}
    areas = {name: _areas(evaluation_set, events, values) for name, values in rows.items()}
    print("| class | events |" + "".join(f" {name} |" for name in rows) + " expected instead |")
    print("|---|---|" + "---|" * len(rows) + "---|")
    instead = _instead(near_ORC, events.clip, frame_X, events.class_index)
    for c, action in enumerate(ACTIONS):
        cells = "".join(f" {area[c]:.1f} |" for area in areas.values())
        print(f"| {action} | {int(count_ORC[..., c].sum()):,} |{cells} {instead[c]} |")
    print("| all |  |" + "".join(f" {area.mean():.2f} |" for area in areas.values()) + "  |")
    if options.picture:
        log_loss_O = intensity_ORC.sum(axis=(1, 2)) - (count_ORC * np.log(near_ORC + _TINY)).sum(axis=(1, 2))
        _draw(options.picture, evaluation_set, intensity_ORC, log_loss_O)


def _around(intensity_ORC):
    """Mean intensity within ``_NEAR`` frames."""
    padded = np.pad(intensity_ORC, ((0, 0), (1, 0), (0, 0))).cumsum(axis=1)
    frames = np.arange(RASTER_FRAMES)
    stop, start = np.minimum(frames + _NEAR + 1, RASTER_FRAMES), np.maximum(frames - _NEAR, 0)
    return (padded[:, stop] - padded[:, start]) / (stop - start)[:, None]


def _areas(evaluation_set, events, intensity_ORC):
    """Exact area of each class, in percent, averaged over the tolerances."""
    predictions = DensePredictions(event_probabilities(intensity_ORC))
    detections = timed_events_of_frames(evaluation_set.table(Decoder().scores(predictions)))[1]
    return 100 * score_exactly(events, detections).area_DC.mean(axis=0)


def _instead(near_ORC, clip_X, frame_X, class_X):
    """The two classes that the model held likelier, most often, around an action of each class."""
    top_X = near_ORC[clip_X, frame_X].argmax(axis=1)
    lines = []
    for c in range(len(ACTIONS)):
        count = np.bincount(top_X[class_X == c], minlength=len(ACTIONS))
        right, total = count[c] / count.sum(), count.sum()
        order = [int(k) for k in np.argsort(-count) if k != c][:2]
        lines.append(f"right {right:.0%}; " + ", ".join(f"{ACTIONS[k]} {count[k] / total:.0%}" for k in order))
    return lines


def _draw(path, evaluation_set, intensity_ORC, log_loss_O):
    """Ten situations on pitches: the latest rows, what came, what was expected."""
    match_O = np.concatenate(
        [
            np.full(len(ends), half.match)
            for half, ends in zip(evaluation_set.halves, evaluation_set.end_ms, strict=True)
        ]
    )
    chosen, seen = [], set()
    for example in np.argsort(-log_loss_O):
        if match_O[example] not in seen:
            chosen.append(int(example))
            seen.add(match_O[example])
        if len(chosen) == 10:
            break
    mpl.rcParams.update({"font.size": 8, "font.family": "DejaVu Sans"})
    figure, axes = plt.subplots(5, 2, figsize=(13, 17), constrained_layout=True)
    starts = np.cumsum([0, *map(len, evaluation_set.end_ms)])
    for axis, example in zip(axes.ravel(), chosen, strict=True):
        place = int(np.searchsorted(starts, example, "right")) - 1
        half, end_ms = evaluation_set.halves[place], int(evaluation_set.end_ms[place][example - starts[place]])
        mass_C = intensity_ORC[example].sum(axis=0)
        likely = ", ".join(f"{ACTIONS[c].lower()} {1 - np.exp(-mass_C[c]):.0%}" for c in np.argsort(-mass_C)[:4])
        when = f"half {half.half}, {end_ms // 60_000}:{end_ms // 1000 % 60:02d}"
        title = f"match {half.match}, {when}; expected: {likely}; surprise {log_loss_O[example]:.0f} nats"
        draw_situation(axis, half, end_ms, title)
    figure.suptitle(
        "Blue attacks to the right, red to the left. Dots: the latest rows seen. Circles: what came.", x=0.02, ha="left"
    )
    figure.savefig(path, dpi=80)
    print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
