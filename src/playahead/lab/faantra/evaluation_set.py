"""Frames to score end-to-end weights on.

Axes: O examples, B of them together, T frames, H, W.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.lab.faantra.network import EndToEndModelConfig
from playahead.lab.faantra.videos import AnnotatedVideo, benchmark_ends, observed_frames
from playahead.video.input_size import parse_input_size

_TOGETHER = 8


class FramesEvaluationSet(EvaluationSet):
    """Every example of videos that the benchmark scores.

    Args:
        videos: with their actions.
        config: of the network that looks at them: how many frames, how large.
        split: what it is called.
        unit: what intervals resample.
        keep: keep decoded frames for the next time.
    """

    def __init__(
        self,
        videos: Sequence[AnnotatedVideo],
        config: EndToEndModelConfig,
        split: str = "",
        unit: str = "matches",
        keep: bool = False,
    ) -> None:
        self.videos = [video for video in videos if len(benchmark_ends(video))]
        self.names = [video.source.name for video in self.videos]
        ends = [benchmark_ends(video) for video in self.videos]
        labels = [video.labels for video in self.videos]
        super().__init__([video.actions for video in self.videos], labels, ends, split, unit)
        self.features = {"kind": "frames"}
        self._config, self._input_size, self._keep = config, parse_input_size(config.input_size), keep
        self._frames: dict[int, NDArray[np.uint8]] = {}

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        """Frames (B, T, H, W), uint8."""
        for index, (video, ends) in enumerate(zip(self.videos, self.end_ms, strict=True)):
            frames_OTHW = self._frames.get(index)
            if frames_OTHW is None:
                frames_OTHW = observed_frames(video, ends, self._config, self._input_size)
            if self._keep:
                self._frames[index] = frames_OTHW
            for first in range(0, len(frames_OTHW), _TOGETHER):
                yield frames_OTHW[first : first + _TOGETHER]
