"""The geometry of an observation: frames, snippets, windows and the frames that the scorer sees."""

from dataclasses import dataclass

OBSERVATION_MS = 30_000
"""The benchmark observes 30 s ..."""
ANTICIPATION_MS = 5_000
"""... and anticipates the following 5 s."""
RASTER_FRAMES = 32
"""Frames of the anticipation window in the official scorer: ceil(125 / 4) (docs/paper.md, Metric)."""
RASTER_FRAME_MS = 160
"""One of them at 25 / 4 = 6.25 frames a second."""
RASTER_HZ = 6.25
FRAMES_PER_WINDOW = ANTICIPATION_MS / RASTER_FRAME_MS
"""Frames in 5 s: 31.25. The last of the 32 is only a quarter filled."""


@dataclass(frozen=True)
class ObservationGrid:
    """Geometry from 30 s of video to (windows, snippets) features (docs/paper.md 1.1).

    ``window_frames`` frames make a window; in it, snippets of ``snippet_frames`` frames at step ``snippet_step``
    start every ``snippet_stride`` frames. A snippet is encoded as stacks of ``stack_frames`` frames.
    """

    fps: int = 25
    n_windows: int = 6
    window_frames: int = 125
    snippet_frames: int = 15
    snippet_step: int = 2
    snippet_stride: int = 3
    stack_frames: int = 3

    @property
    def snippet_span_frames(self) -> int:
        """Frames from a snippet's first to its last, both counted: 29."""
        return (self.snippet_frames - 1) * self.snippet_step + 1

    @property
    def n_snippets(self) -> int:
        """Snippets in a window: N = 33."""
        return (self.window_frames - self.snippet_span_frames) // self.snippet_stride + 1

    @property
    def stack_starts_frames(self) -> tuple[int, ...]:
        """First frames of a window's distinct stacks: 41, of the 33 x 5 = 165 that its snippets are made of."""
        return tuple(sorted({start for snippet in self._stacks_of_snippets() for start in snippet}))

    @property
    def stacks_of_snippets(self) -> tuple[tuple[int, ...], ...]:
        """For each snippet of a window, which of ``stack_starts_frames`` it is made of, in time order."""
        place = {start: index for index, start in enumerate(self.stack_starts_frames)}
        return tuple(tuple(place[start] for start in snippet) for snippet in self._stacks_of_snippets())

    def _stacks_of_snippets(self) -> list[tuple[int, ...]]:
        span = self.stack_frames * self.snippet_step
        within = range(0, self.snippet_frames * self.snippet_step, span)
        return [tuple(snippet * self.snippet_stride + start for start in within) for snippet in range(self.n_snippets)]

    @property
    def window_ms(self) -> int:
        """Length of a window: 5000 ms."""
        return self.window_frames * 1000 // self.fps

    @property
    def observation_ms(self) -> int:
        """Length of an observation: 30000 ms."""
        return self.n_windows * self.window_ms


GRID = ObservationGrid()
"""The paper's grid."""
