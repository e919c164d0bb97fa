"""The chance of each action over a match, second by second: what a model knows beyond its anticipations.

Axes: O times, C classes, H horizons, A actions.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.chances import HORIZONS_S, expected_within
from playahead.decoding.predictions import DensePredictions
from playahead.domain.actions import ACTIONS, actions_named
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.time import format_clock, parse_clock
from playahead.features.forms import FEED_FEATURES, possession_at
from playahead.inference.any_predictor import AnyPredictor
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.io.extras import as_frame
from playahead.io.files import atomic_write, write_whole
from playahead.sources.feeds import read_feed


@dataclass(frozen=True)
class Curves:
    """Chances over the halves of a match, in time order.

    Attributes:
        teams: names of both sides.
        half_O: half of each time.
        time_ms_O: time from the half's start; what became visible before it was seen.
        side_O: side in possession, 0 or 1, -1 unknown.
        chance_OHC: probability of at least one such action within 1, 2 and 5 s, float32.
        expected_OC: expected number of such actions within 5 s, as the rates say it (the chances are calibrated).
        first_OC: probability that it is team 0 who acts, if somebody does; NaN unknown.
        actions: (half, t_ms, class index, team) of what happened, for pictures.
    """

    teams: tuple[str, str]
    half_O: NDArray[np.int64]
    time_ms_O: NDArray[np.int64]
    side_O: NDArray[np.intp]
    chance_OHC: NDArray[np.float32]
    expected_OC: NDArray[np.float32]
    first_OC: NDArray[np.float32]
    actions: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.time_ms_O)

    def __repr__(self) -> str:
        halves = ", ".join(map(str, np.unique(self.half_O).tolist()))
        return f"Curves({len(self):,} times of half {halves}, {len(ACTIONS)} classes)"

    def columns(self, of: Sequence[str] = ACTIONS) -> dict[str, NDArray]:
        """Columns by name: half, time_ms, clock, team (in possession), the names of both teams; then for each class its
        chance within 1, 2 and 5 s, the expected number within 5 s, and the chances within 5 s by team where sides are
        known.
        """
        teams = np.array([*self.teams, ""])  # -1 is the last
        columns: dict[str, NDArray] = {
            "half": self.half_O,
            "time_ms": self.time_ms_O,
            "clock": np.array([format_clock(time_ms) for time_ms in self.time_ms_O.tolist()]),
            "team": teams[self.side_O],
            "team_1": np.full(len(self), self.teams[0]),
            "team_2": np.full(len(self), self.teams[1]),
        }
        for action in actions_named(of):
            c, name = action.class_index, str(action).lower().replace(" ", "_")
            columns |= {f"{name}_{s}s": self.chance_OHC[:, h, c] for h, s in enumerate(HORIZONS_S)}
            columns[f"{name}_expected"] = self.expected_OC[:, c]
            if not np.isnan(self.first_OC).all():
                within_5_s = self.chance_OHC[:, -1, c]
                columns[f"{name}_5s_team_1"] = within_5_s * self.first_OC[:, c]
                columns[f"{name}_5s_team_2"] = within_5_s * (1 - self.first_OC[:, c])
        return columns

    def to_frame(self, of: Sequence[str] = ACTIONS) -> Any:
        """The columns as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return as_frame(self.columns(of))

    def rows(self, of: Sequence[str] = ACTIONS) -> list[dict[str, object]]:
        """The same as rows for JSON: chances have four digits, unknown ones are None."""
        columns = {name: _plain(column) for name, column in self.columns(of).items()}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def write(self, path: Path, of: Sequence[str] = ACTIONS) -> None:
        """Write CSV, JSON or Parquet (which needs pandas and pyarrow), as the name ends.

        Raises:
            InputError: the name ends otherwise.
        """
        if path.suffix == ".parquet":
            try:
                with atomic_write(path) as part:
                    self.to_frame(of).to_parquet(part)
            except ImportError:
                raise InputError(path, "needs pyarrow", "pip install pandas pyarrow") from None
        elif path.suffix in (".csv", ".json"):
            write_whole(path, self.csv(of) if path.suffix == ".csv" else json.dumps(self.rows(of), indent=0) + "\n")
        else:
            raise InputError(path, "ends in none of .csv, .json and .parquet")

    def csv(self, of: Sequence[str] = ACTIONS) -> str:
        """A header and a line for each time."""
        written, rows = io.StringIO(), self.rows(of)
        writer = csv.DictWriter(written, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return written.getvalue()


def _plain(column: NDArray) -> list[object]:
    if column.dtype.kind != "f":
        return column.tolist()
    return [None if np.isnan(value) else round(value, 4) for value in column.astype(np.float64).tolist()]


def curves(
    match: str | Path | Sequence[FeedHalf],
    every: float = 1.0,
    weights: Path | None = None,
    start: str = "0:30",
    end: str = "",
    half: int | None = None,
) -> Curves:
    """Chances of each action, all through a match's feed.

    Args:
        match: a match as its provider ships it ("sample": the one that ships), a compact table, or its halves.
        every: seconds from one time to the next.
        weights: weights of the model; the packaged ones if None.
        start: first time of each half, as 12:30; not before 0:30.
        end: last time of each half; its last row's if empty.
        half: half to look at; all if None.

    Raises:
        InputError: the match or the weights cannot be read, or there is no such time in it.
    """
    if not 0.001 <= every < 3600:
        raise InputError("every", f"{every} is not in 0.001 to 3600 seconds")
    halves = read_feed(match) if isinstance(match, str | Path) else list(match)
    if (n_matches := len({one.match for one in halves})) > 1:
        raise InputError("match", f"holds {n_matches} matches", "give the halves of one")
    if half is not None and half not in {one.half for one in halves}:
        raise InputError("half", f"{half} is not in the match")
    predictor = open_predictor(weights, FEED_FEATURES)
    first_ms = max(parse_clock(start), OBSERVATION_MS)
    parts = []
    for one in halves:
        last_ms = int(one.t_ms[-1]) if len(one) else 0
        last_ms = min(last_ms, parse_clock(end)) if end else last_ms
        times_ms = np.arange(first_ms, last_ms + 1, round(1000 * every), dtype=np.int64)
        if half in (None, one.half) and len(times_ms):
            parts.append((one.half, times_ms, *_of_half(predictor, one, times_ms)))
    if not parts:
        raise InputError("match", f"no half has rows after {format_clock(first_ms)}")
    happened = [(one.take(one.is_target), one.half) for one in halves if half in (None, one.half)]
    columns = [(np.full(len(rows), number), rows.t_ms, rows.code, rows.team) for rows, number in happened]
    half_A, t_ms_A, class_A, team_A = (np.concatenate(column).astype(np.int64) for column in zip(*columns, strict=True))
    return Curves(
        halves[0].teams,
        np.concatenate([np.full(len(times_ms), number) for number, times_ms, *_ in parts]),
        *(np.concatenate(column) for column in list(zip(*parts, strict=True))[1:]),  # type: ignore[bad-argument-type]
        actions=(half_A, t_ms_A, class_A, team_A),
    )


def _of_half(predictor: AnyPredictor, half: FeedHalf, times_ms: NDArray[np.int64]) -> tuple[NDArray, ...]:
    """(side_O, chance_OHC, expected_OC, first_OC) of one half."""
    track, n = predictor.prepare(half), len(times_ms)
    chance_OHC = np.empty((n, len(HORIZONS_S), len(ACTIONS)), np.float32)
    expected_OC, own_OC = np.empty((n, len(ACTIONS)), np.float32), np.full((n, len(ACTIONS)), np.nan, np.float32)
    for places, predictions in predictor.predict_at(track, times_ms):
        intensity_ORC = predictions.intensity()
        chance_OHC[places] = predictor.chance_map(intensity_ORC)
        expected_OC[places] = expected_within(intensity_ORC)[:, -1]
        if isinstance(predictions, DensePredictions) and predictions.where_OC3 is not None:
            own_OC[places] = predictions.where_OC3[..., 0]
    possession = possession_at(track, times_ms)
    side_O = np.full(n, -1) if possession is None else possession.side_O
    first_OC = np.where(side_O[:, None] == 0, own_OC, np.where(side_O[:, None] == 1, 1 - own_OC, np.nan))
    return side_O, chance_OHC, expected_OC, first_OC.astype(np.float32)
