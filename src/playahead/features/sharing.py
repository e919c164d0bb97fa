"""Whether clips that show the same pictures share them by their pixels, or only by time.

Clips of the benchmark start every 5 s, so neighbours share 25 s. Cut from one file without encoding anew, they decode
to the same pixels, and a window's hash finds it again. Encoded one by one, they look alike and share no pixel: then a
clip takes the windows of the clip before it, after its pictures have been compared with those.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.features.plan import Video
from playahead.io.errors import InputError
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from playahead.video.warning import VideoWarning

_ALIKE_LEVELS = 3.0  # of 255, mean over pictures: what encoding does; another moment is further away
_CLEARLY = 0.5  # and less than half as far as the same picture 5 s on
_TRIED = 3
_A_LOOK_S = 10
_SMALL = InputSize(160, 96)


@dataclass(frozen=True)
class Overlap:
    """How a clip compares with the one before it, were it to start 5 s later.

    Attributes:
        is_same: every pixel that was compared.
        levels: mean difference of the pictures that both show, of 255.
        levels_unmoved: were it to start at the same time.
    """

    is_same: bool
    levels: float
    levels_unmoved: float

    @property
    def is_alike(self) -> bool:
        """The same pictures, encoded anew."""
        return not self.is_same and self.levels < min(_ALIKE_LEVELS, _CLEARLY * self.levels_unmoved)


def compare_neighbours(earlier: Path, later: Path, seconds: int = 30) -> Overlap | None:
    """Pictures of two clips, one a second; None where either cannot be read, or is too short to say.

    Args:
        earlier: the clip before.
        later: the clip that may start 5 s later.
        seconds: of both that are looked at.
    """
    try:
        first, second = (_one_a_second(path, path.stat().st_mtime_ns, seconds) for path in (earlier, later))
    except (InputError, OSError):
        return None  # whoever extracts it says why
    step = GRID.window_ms // 1000
    both = min(len(first) - step, len(second))
    if both < step:
        return None
    moved = np.abs(first[step : step + both] - second[:both])
    return Overlap(not moved.any(), float(moved.mean()), float(np.abs(first[:both] - second[:both]).mean()))


def shared_by_time(videos: Sequence[Video]) -> tuple[bool, str]:
    """Whether these clips were encoded one by one, from the first few of them; and what to say of it."""
    alike = []
    for earlier, later in [pair for pair in pairwise(videos) if are_neighbours(*pair)][:_TRIED]:
        overlap = compare_neighbours(earlier.path, later.path, seconds=_A_LOOK_S)
        if overlap is not None and overlap.is_same:
            return False, ""
        alike += [overlap] if overlap is not None and overlap.is_alike else []
    if not alike:
        return False, ""
    levels = float(np.mean([overlap.levels for overlap in alike]))
    told = f"clips were encoded one by one (neighbours differ by {levels:.1f} of 255): windows are shared by time"
    return True, told


def are_neighbours(earlier: Video, later: Video) -> bool:
    """Whether their names say that one clip follows the other."""
    if not (earlier.is_clip and later.is_clip) or earlier.path.parent.parent != later.path.parent.parent:
        return False
    numbers = [video.path.parent.name.rpartition("_")[2] for video in (earlier, later)]
    return all(number.isdecimal() for number in numbers) and int(numbers[1]) == int(numbers[0]) + 1


@lru_cache(maxsize=2)  # a clip is compared with the one before it, then with the next
def _one_a_second(path: Path, _: int, seconds: int) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VideoWarning)  # extraction tells them
        frames = [gray_HW for index, gray_HW in read_frames(path, _SMALL, stop_s=seconds) if index % GRID.fps == 0]
    return np.stack(frames).astype(np.float32)
