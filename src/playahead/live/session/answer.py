"""An answer of a session, its JSON, and the encoded windows that the next answers need.

Axes: P windows, N steps, F features, D model, R raster frames, C classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.chances import HORIZONS_S, chances_as_json
from playahead.decoding.shown import MinConfidence
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import HOME_AND_AWAY, Possession
from playahead.domain.grid import GRID, RASTER_FRAMES
from playahead.domain.records import Anticipation, Mark
from playahead.inference.any_predictor import AnyPredictor
from playahead.io.errors import InputError, RecordError

_MAX_TIME_MS = 2**53  # larger numbers are not exact in JSON


@dataclass(frozen=True)
class SeenRow(Mark):
    """An action of a feed: who acted, and where in that team's attack (0 to 100 along and across), if that is known."""

    team: str | None = None
    x: int | None = None
    y: int | None = None


@dataclass(frozen=True)
class Answer:
    """Actions seen until a moment, and actions expected after it.

    Attributes:
        half: half of a feed; 0 for a video.
        now_ms: the moment, from the start of the half or of the stream.
        seen_ms: how much of the 30 s before it was seen.
        seen: actions of those 30 s, in the order in which they became known.
        expected: actions of the next 5 s.
        notices: events at the source since the last answer: late rows, a gap, a clock that went back.
        intensity_RC: events per frame that the model expects.
        teams: names of both sides.
        chance_HC: probability of at least one action of each class within 1, 2 and 5 s; None where nothing was seen.
        possession: name of the side in possession, if it is known.
    """

    half: int
    now_ms: int
    seen_ms: int
    seen: Sequence[Mark]
    expected: Sequence[Anticipation]
    notices: Sequence[str]
    intensity_RC: NDArray[np.float32]
    teams: tuple[str, str] = HOME_AND_AWAY
    chance_HC: NDArray[np.float32] | None = None
    possession: str | None = None

    def as_json(self) -> dict[str, object]:
        """One line of ``--json``, of a record, or of the server's events."""
        return {
            "half": self.half,
            "now_ms": self.now_ms,
            "seen_ms": self.seen_ms,
            "teams": list(self.teams),
            "seen": [_mark_as_json(mark) for mark in self.seen],
            "expected": [_mark_as_json(one) for one in self.expected],
            "notices": list(self.notices),
            "intensity_per_mille": (1000 * self.intensity_RC.T).round().astype(int).tolist(),
            "chances": None if self.chance_HC is None else chances_as_json(self.chance_HC),
            "possession": self.possession,
        }


def _mark_as_json(mark: Mark | Anticipation) -> dict[str, object]:
    fields = {"time_ms": mark.time_ms, "action": str(mark.action), "confidence": mark.confidence}
    places = {name: getattr(mark, name, None) for name in ("team", "x", "y", "times_usual")}
    return fields | {name: known for name, known in places.items() if known is not None}


def read_answer(entry: Mapping[str, Any]) -> Answer:
    """Read what ``as_json`` gave; numbers are as exact as written there.

    Raises:
        InputError: it is not an answer.
    """
    try:
        now_ms, half, seen_ms = entry["now_ms"], entry["half"], entry["seen_ms"]
        intensity_RC = np.array(entry["intensity_per_mille"], np.float32).T / np.float32(1000)
        if {type(number) for number in (now_ms, half, seen_ms)} != {int}:
            raise ValueError("a time is not a whole number")
        if not isinstance(entry["notices"], list) or not all(isinstance(text, str) for text in entry["notices"]):
            raise ValueError("notices is not a list of texts")
        first, second = map(str, entry.get("teams", HOME_AND_AWAY))
        if not 0 <= now_ms < _MAX_TIME_MS:
            raise ValueError(f"{str(now_ms)[:40]} ms is not a time")
        if intensity_RC.shape != (RASTER_FRAMES, len(ACTIONS)) or not np.isfinite(intensity_RC).all():
            raise ValueError(f"intensities of shape {intensity_RC.shape}")
        return Answer(
            half=half,
            now_ms=now_ms,
            seen_ms=seen_ms,
            seen=[_seen_row(**mark) for mark in entry["seen"]],
            expected=[_expected(half, now_ms, seen_ms, **mark) for mark in entry["expected"]],
            notices=entry["notices"],
            intensity_RC=intensity_RC,
            teams=(first, second),
            chance_HC=_chances(entry.get("chances")),
            possession=None if entry.get("possession") is None else str(entry["possession"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, RecordError) as reason:
        raise InputError("answer", f"is not of a recorded session ({reason})") from None


def _chances(entry: Any) -> NDArray[np.float32] | None:
    if entry is None:  # nothing was seen, or a record from before there were chances
        return None
    chance_HC = np.array([entry[f"within_{s}_s"] for s in HORIZONS_S], np.float32)
    if chance_HC.shape != (len(HORIZONS_S), len(ACTIONS)) or not ((chance_HC >= 0) & (chance_HC <= 1)).all():
        raise ValueError(f"chances of shape {chance_HC.shape}")
    return chance_HC


def _seen_row(action: str, time_ms: int, confidence: float, **place: Any) -> SeenRow:
    return SeenRow(int(time_ms), Action(action), float(confidence), **place)


def _expected(
    half: int, now_ms: int, seen_ms: int, action: str, time_ms: int, confidence: float, **place: Any
) -> Anticipation:
    # A record keeps the confidence of the likeliest class alone.
    by_class = tuple(confidence if name == action else 0.0 for name in ACTIONS)
    return Anticipation(Action(action), time_ms - now_ms, confidence, by_class, now_ms, seen_ms, half=half, **place)


class RecentWindows:
    """The encoded windows of the last 25 s, so that each window is encoded once."""

    def __init__(self, predictor: AnyPredictor, min_confidence: MinConfidence) -> None:
        self._predictor, self._decoder, self._min_confidence = predictor, predictor.decoder(), min_confidence
        self._before_ms = np.arange(predictor.reading.n_before, -1, -1, dtype=np.int64) * GRID.window_ms
        self._encoded: dict[int, NDArray[np.float32]] = {}

    def clear(self) -> None:
        """Forget all windows: a new half, or a stream that starts again."""
        self._encoded.clear()

    def anticipate(
        self,
        time_ms: int,
        features_of: Callable[[NDArray[np.int64]], NDArray[np.float32]],
        possession: Possession | None = None,
    ) -> tuple[list[Anticipation], NDArray[np.float32], NDArray[np.float32]]:
        """Anticipations after this time, intensity_RC and chance_HC.

        Args:
            time_ms: end of the observation; not before that of any earlier call.
            features_of: ends of windows in ms, increasing -> features_PNF; called for windows not encoded yet.
            possession: who has the ball then, see ``Decoder.anticipations``.
        """
        # An answer looks at six windows, or at one moment. Only those that no earlier answer looked at are encoded.
        ends_W = time_ms - self._before_ms
        missing = np.array([end for end in ends_W if int(end) not in self._encoded], np.int64)
        if len(missing):
            self._encoded.update(zip(missing.tolist(), self._predictor.encode(features_of(missing)), strict=True))
        # The oldest window is not needed again: the next answer is later.
        encoded_WND = np.stack([self._encoded[end] for end in ends_W.tolist()])
        self._encoded = {end: encoded for end, encoded in self._encoded.items() if end > ends_W[0]}
        predictions = self._predictor.answer(encoded_WND, np.arange(len(ends_W))[None])
        (anticipations,) = self._decoder.anticipations(predictions, self._min_confidence, possession=possession)
        intensity_ORC = predictions.intensity()
        return anticipations, intensity_ORC[0], self._predictor.chance_map(intensity_ORC)[0]
