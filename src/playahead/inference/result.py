"""What is asked of a prediction through a match, and what it answers, whatever the match was observed through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.decoder import Kind
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.records import Anticipation, Mark
from playahead.domain.time import parse_clock, parse_kick_offs
from playahead.inference.open_predictor import DecodingOptions
from playahead.io.choices import check_choices
from playahead.io.errors import InputError
from playahead.io.files import require_replaceable

SHORTEST_MS = 1_000
"""The least of a feed that an answer can rest on."""


@dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """What to anticipate, and at which times.

    Attributes:
        weights: of the model; the packaged ones if not given.
        backbone: of video features; the packaged one (trained on simulated broadcasts) if not given.
        every: seconds between anticipations; 1 for video and 5 for a feed if not given.
        min_confidence: minimum confidence of what is shown (confidence is a probability).
        decoding: marginal, tuned-threshold or paper, as of evaluate.
        tau: slots with a larger objectness emit; not of marginal decoding.
        half: only this half of a feed's match (3 and 4: extra time); all if not given.
        start: first time to anticipate from, as 12:30; of each half of a feed. --from is the same.
        end: last time; the end if not given. --to is the same.
        overlay: also write the video with a timeline under it, to this .mp4.
        provider: of a feed, where its content does not say who made it.
        video: of a feed's match, to draw the overlay over.
        kick_off: when each half starts in that video (or in the subtitles), as 0:12,58:40.
        short: also answer where less than 30 s have been seen: of a feed from 1 s on, of a video from 5 s on.
        stream: of several video streams, which one, from 0; the longest if not given.
        device: cpu, cuda, cuda:1, mps, or auto.
    """

    weights: Path | None = None
    backbone: Path | None = None
    every: float | None = None
    min_confidence: float = 0.3
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
        if self.every is not None and not 0.001 <= self.every < 3600:
            raise InputError("--every", f"{self.every} is not in 0.001 to 3600 seconds")
        if not 0 <= self.min_confidence <= 1:
            raise InputError("--min-confidence", f"{self.min_confidence} is not in [0, 1]")
        if self.overlay is not None:
            require_replaceable(self.overlay)
        check_choices(self, "-")
        DecodingOptions(decoding=self.decoding, tau=self.tau)  # refuses what does not go together
        first_ms, kick_offs = self.start_ms(SHORTEST_MS), self.kick_offs_ms
        if self.video is not None and not (self.overlay and kick_offs):
            raise InputError("--video", "is what a feed's overlay is drawn over", "add --overlay and --kick-off")
        if self.end_ms is not None and self.end_ms < first_ms:
            raise InputError("--to", f"{self.end} lies before the first time to anticipate from, {self.start}")

    @property
    def decoding_options(self) -> DecodingOptions:
        """How predictions are decoded."""
        return DecodingOptions(decoding=self.decoding, tau=self.tau)

    def start_ms(self, shortest_ms: int) -> int:
        """First time to anticipate from: 30 s, or with ``short`` the least that can be observed."""
        if not self.short:
            return max(parse_clock(self.start), OBSERVATION_MS)
        return max(parse_clock(self.start), shortest_ms) if self.start != PredictConfig.start else shortest_ms

    @property
    def kick_offs_ms(self) -> dict[int, int]:
        """When each half starts in the video; empty if not given."""
        return parse_kick_offs(self.kick_off)

    @property
    def end_ms(self) -> int | None:
        """Last time."""
        return parse_clock(self.end) if self.end else None


@dataclass(frozen=True)
class Expected:
    """One anticipated action: what was observed until when, and what is expected when.

    Attributes:
        match, half: of a feed; 0 of a video.
        observed_until_ms, time_ms: from the start of the half, or of the video.
        seen_ms: how long was observed until then: 30 s, unless the match or the clip had just begun.
        action: the benchmark's label.
        confidence: a probability.
    """

    match: int
    half: int
    observed_until_ms: int
    time_ms: int
    action: str
    confidence: float
    seen_ms: int = OBSERVATION_MS

    def later(self, by_ms: int) -> "Expected":
        """On a clock that shows so much more."""
        return replace(self, observed_until_ms=self.observed_until_ms + by_ms, time_ms=self.time_ms + by_ms)

    @classmethod
    def of(
        cls, anticipation: Anticipation, observed_until_ms: int, seen_ms: int, match: int = 0, half: int = 0
    ) -> "Expected":
        """An anticipation made at a time."""
        confidence = round(anticipation.confidence, 4)
        time_ms = observed_until_ms + anticipation.offset_ms
        return cls(match, half, observed_until_ms, time_ms, str(anticipation.action), confidence, seen_ms)


@dataclass(frozen=True)
class PredictResult:
    """All that was asked for.

    Attributes:
        source: file name.
        kind: what was observed.
        expected: anticipated actions, by the time they were anticipated at.
        spotted: actions seen on the way; none in a feed.
        every_ms: from one anticipation to the next.
        min_confidence: of what is in ``expected``.
        provider: whose feed it is, where it is one that somebody ships.
        kick_offs_ms: when each half of a feed starts in its video.
        times_ms: of each (match, half), zeros of a video: when anticipations were made, also those of nothing.
        notices: what a reader must know about the weights, and about what was not read.
    """

    source: str
    kind: Literal["feed", "video"]
    expected: Sequence[Expected]
    spotted: Sequence[Mark]
    every_ms: int
    min_confidence: float
    notices: Sequence[str] = ()
    provider: str = ""
    kick_offs_ms: Mapping[int, int] = field(default_factory=dict)
    times_ms: Mapping[tuple[int, int], NDArray[np.int64]] = field(default_factory=dict)

    def in_video(self) -> "PredictResult":
        """The same with the times of the video; of a feed's single half without a kick-off, of that half.

        Raises:
            InputError: several halves, and no kick-off says where they lie.
        """
        halves = {line.half for line in self.expected}
        if self.kind == "video" or (len(halves) < 2 and not self.kick_offs_ms):
            return self
        require_kick_offs(halves, self.kick_offs_ms)
        return replace(self, expected=[line.later(self.kick_offs_ms[line.half]) for line in self.expected])


def require_kick_offs(halves: set[int], kick_offs_ms: Mapping[int, int]) -> None:
    """Refuse halves that nobody has placed in the video.

    Raises:
        InputError: the first of them.
    """
    if missing := sorted(halves - kick_offs_ms.keys()):
        fix = "as --kick-off 0:12,58:40; or choose a --half"
        raise InputError("--kick-off", f"does not say when half {missing[0]} starts", fix)


def short_notices(
    config: PredictConfig, times_ms: Sequence[int] | NDArray[np.int64], trained_for_it: bool
) -> list[str]:
    """What to say of answers that rest on less than 30 s."""
    if not config.short or not len(times_ms) or times_ms[0] >= OBSERVATION_MS:
        return []
    said = f"answers before {OBSERVATION_MS // 1000} s rest on less than 30 s (the first on {times_ms[0] / 1000:g} s)"
    return [said if trained_for_it else f"{said}, and the model was not trained on that"]
