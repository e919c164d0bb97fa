"""What is asked of a live session."""

import math
from dataclasses import dataclass
from pathlib import Path

from playahead.io.errors import InputError


@dataclass(frozen=True, kw_only=True)
class LiveConfig:
    """How to watch a running match.

    Attributes:
        weights: of the model; the packaged ones if not given.
        backbone: of video features; the packaged one (trained on simulated broadcasts) if not given.
        min_confidence: minimum confidence of what is shown (confidence is a probability).
        speed: of a file: 1 as it was played, 10 ten times faster, 0 as fast as this machine can.
        device: cpu, cuda, cuda:1, mps, or auto.
    """

    weights: Path | None = None
    backbone: Path | None = None
    min_confidence: float = 0.3
    speed: float = 1.0
    device: str = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise InputError("--min-confidence", f"{self.min_confidence} is not in [0, 1]")
        if not 0 <= self.speed < math.inf:
            raise InputError("--speed", f"{self.speed} is not a number of 0 or more")
