"""Options and result of `predict`, for feeds and video alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.decoder import Kind
from playahead.decoding.shown import MinConfidence, check_min_confidence
from playahead.domain.actions import ACTIONS, Action, actions_named
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.records import Anticipation, Mark, Timeline
from playahead.domain.time import parse_clock, parse_kick_offs
from playahead.inference.open_predictor import DecodingOptions
from playahead.inference.tables import ROWS, Table, columns_of
from playahead.io.errors import InputError
from playahead.io.extras import as_frame
from playahead.io.files import require_replaceable
from playahead.io.settings import check_choices
from playahead.spotters.adapters import SpotterConfig

SHORTEST_MS = 1_000  # shortest part of a feed that can be answered from


@dataclass(frozen=True, kw_only=True)
class PredictConfig(SpotterConfig):
    """Anticipations to make, and their times.

    Attributes:
        weights: weights of the model; the packaged ones if not given.
        backbone: backbone of video features; the packaged one (trained on simulated broadcasts) if not given.
        every: seconds between anticipations; 1 for video and 5 for a feed if not given.
        min_confidence: probability from which on an action is shown: of each class (shot=0.05,pass=0.5) or of all
            (0.3); if not given, each class is shown as often as it happens.
        of: actions to give, separated by commas, as shot,cross; all if not given.
        decoding: how predictions become anticipations; tuned-threshold and paper are for slots.
        tau: minimum objectness of slots that emit; not for marginal decoding.
        half: half of a feed's match (3 and 4: extra time); all if not given.
        start: first time to anticipate from, as 12:30; of each half of a feed.
        end: last time; the end if not given.
        overlay: .mp4 to write the video to, with a timeline under it.
        provider: provider of a feed, if its content does not say who made it.
        video: video of a feed's match, to draw the overlay over.
        kick_off: times at which the halves start in that video (or in the subtitles), as 0:12,58:40.
        short: also answer where less than 30 s have been seen: of a feed from 1 s on, of a video from 5 s on.
        stream: number of the video stream if there are several, from 0; the longest if not given.
        device: cpu, cuda, cuda:1, mps, or auto; openvino computes exported backbones of video on a CPU.

    The spotter that watches a video in place of the model is a ``SpotterConfig``.
    """

    weights: Path | None = None
    backbone: Path | None = None
    every: float | None = None
    min_confidence: MinConfidence = None
    of: str = ""
    decoding: Kind = "marginal"
    tau: float | None = None
    half: Literal[1, 2, 3, 4] | None = None
    start: str = "0:30"
    end: str | None = None
    overlay: Path | None = None
    provider: str = ""
    video: Path | None = None
    kick_off: str = ""
    short: bool = False
    stream: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.every is not None and not 0.001 <= self.every < 3600:
            raise InputError("PredictConfig.every", f"{self.every} is not in 0.001 to 3600 seconds")
        check_min_confidence(self)
        _ = self.actions
        if self.overlay is not None:
            require_replaceable(self.overlay)
        check_choices(self)
        _ = self.decoding_options  # refuses a threshold that does not go with the decoding
        first_ms, kick_offs = self.start_ms(SHORTEST_MS), self.kick_offs_ms
        if self.video is not None and not (self.overlay and kick_offs):
            fix = "give an overlay and kick-offs, too"
            raise InputError("PredictConfig.video", "is what a feed's overlay is drawn over", fix)
        if self.end_ms is not None and self.end_ms < first_ms:
            what = f"{self.end} lies before the first time to anticipate from, {self.start}"
            raise InputError("PredictConfig.end", what)

    @property
    def decoding_options(self) -> DecodingOptions:
        """Decoding of the predictions."""
        return DecodingOptions(decoding=self.decoding, tau=self.tau)

    @property
    def actions(self) -> frozenset[Action]:
        """Actions to give.

        Raises:
            InputError: one is no action.
        """
        try:
            return frozenset(actions_named(self.of.split(","))) if self.of else frozenset(ACTIONS)
        except InputError as reason:
            raise InputError("PredictConfig.of", reason.what, reason.fix) from None

    def start_ms(self, shortest_ms: int) -> int:
        """First time to anticipate from: at least 30 s, or with ``short`` the shortest part that can be observed."""
        if not self.short:
            return max(parse_clock(self.start), OBSERVATION_MS)
        return max(parse_clock(self.start), shortest_ms) if self.start != PredictConfig.start else shortest_ms

    @property
    def kick_offs_ms(self) -> dict[int, int]:
        """Start of each half in the video; empty if not given."""
        return parse_kick_offs(self.kick_off)

    @property
    def end_ms(self) -> int | None:
        """Last time."""
        return parse_clock(self.end) if self.end else None

    def short_notices(self, times_ms: Sequence[int] | NDArray[np.int64], trained_for_it: bool) -> list[str]:
        """Notices about answers at these times that rest on less than 30 s."""
        if not self.short or not len(times_ms) or times_ms[0] >= OBSERVATION_MS:
            return []
        text = f"answers before {OBSERVATION_MS // 1000} s rest on less than 30 s"
        text = f"{text} (the first on {times_ms[0] / 1000:g} s)"
        return [text if trained_for_it else f"{text}, and the model was not trained on that"]


@dataclass(frozen=True)
class PredictResult:
    """Anticipations all through a match.

    Attributes:
        source: file name.
        kind: kind of the match's source.
        expected: anticipated actions, by the time they were anticipated at.
        spotted: actions seen on the way; none in a feed.
        every_ms: time from one anticipation to the next.
        min_C: confidence from which on each class is in ``expected``.
        provider: provider of the feed, if it is known.
        kick_offs_ms: start of each half of a feed in its video.
        times_ms: times of anticipation for each (match, half), zeros for a video, also those without an action.
        teams: names of both sides, if the feed is of one match.
        chances: at the times of each (match, half): the probability of at least one action of each class within 1, 2
            and 5 s, and the side in possession (-1 unknown).
        notices: facts about the weights and the match that a reader should know.
    """

    source: str
    kind: Literal["feed", "video"]
    expected: Sequence[Anticipation]
    spotted: Sequence[Mark]
    every_ms: int
    min_C: tuple[float, ...]
    notices: Sequence[str] = ()
    provider: str = ""
    kick_offs_ms: Mapping[int, int] = field(default_factory=dict)
    times_ms: Mapping[tuple[int, int], NDArray[np.int64]] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    chances: Mapping[tuple[int, int], tuple[NDArray[np.float32], NDArray[np.intp]]] = field(default_factory=dict)

    def in_video(self) -> "PredictResult":
        """The same with the times of the video; for a single half of a feed without a kick-off, of that half.

        Raises:
            InputError: several halves, and no kick-off says where they lie.
        """
        halves = {one.half for one in self.expected}
        if self.kind == "video" or (len(halves) < 2 and not self.kick_offs_ms):
            return self
        require_kick_offs(halves, self.kick_offs_ms)
        placed = [
            replace(one, observed_until_ms=one.observed_until_ms + self.kick_offs_ms[one.half]) for one in self.expected
        ]
        return replace(self, expected=placed)

    def to_frame(self, table: Table = "anticipations") -> Any:
        """Anticipations as a pandas data frame, a row each.

        Args:
            table: "anticipations" has times in ms and as the clock has them, side and place; "spadl" has SPADL's
                columns (socceraction), "kloppy" those of kloppy's ``to_df``.

        Raises:
            InputError: pandas is not installed, or there is no such table.
        """
        if table not in ROWS:
            raise InputError("table", f"{table!r} is not one of {', '.join(ROWS)}")
        rows = [ROWS[table](one, number) for number, one in enumerate(self.expected)]
        return as_frame(rows, None if rows else columns_of(table))

    def timeline(self, seen: Sequence[Mark], times_ms: Sequence[int]) -> Timeline:
        """Timeline for an overlay: actions seen and times of anticipation, both increasing, on the video's clock."""
        anticipated: dict[int, list[Anticipation]] = {time_ms: [] for time_ms in times_ms}
        for one in self.in_video().expected:
            anticipated[one.observed_until_ms].append(one)
        # The chance of a shot within 5 s at each of these times.
        starts_ms = {half: self.kick_offs_ms.get(half, 0) for _, half in self.chances}
        danger = {
            starts_ms[half] + time_ms: chance
            for (match, half), (chance_OHC, _) in self.chances.items()
            for time_ms, chance in zip(
                self.times_ms[match, half].tolist(), chance_OHC[:, -1, Action.SHOT.class_index].tolist(), strict=True
            )
        }
        shot_chance = [danger[time_ms] for time_ms in times_ms] if danger else []
        return Timeline(seen, times_ms, [anticipated[time_ms] for time_ms in times_ms], shot_chance)


def require_kick_offs(halves: set[int], kick_offs_ms: Mapping[int, int]) -> None:
    """Refuse halves without a place in the video."""
    if missing := sorted(halves - kick_offs_ms.keys()):
        fix = "as 0:12,58:40; or choose one half"
        raise InputError("PredictConfig.kick_off", f"does not say when half {missing[0]} starts", fix)
