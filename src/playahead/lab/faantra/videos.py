"""Labelled videos to train end to end on, and to score on.

Axes: O examples, T frames of an example, H, W, R raster frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.slicing import Labels, labels_of_clip, labels_of_match
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf, feed_of_actions
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.io.errors import InputError
from playahead.lab.faantra.network import EndToEndModelConfig
from playahead.sources.layouts import (
    BLOCK_CLIPS,
    LabelledVideo,
    clip_video,
    find_labelled_videos,
    is_clip_split,
    match_numbers,
)
from playahead.sources.soccernet import read_baa_split
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames

_TILING = 4  # of 30-s clips that start every 5 s: then every time ends an example somewhere


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video with its actions.

    Attributes:
        source: where it is.
        actions: in it, and up to 5 s beyond where they are labelled.
        labels: those that examples are to anticipate.
        last_end_ms: the last moment whose next 5 s are labelled.
    """

    source: LabelledVideo
    actions: FeedHalf
    labels: Labels
    last_end_ms: int


def find_annotated_videos(folder: Path) -> list[AnnotatedVideo]:
    """Every clip of a split of the anticipation benchmark, or the matches in the spotting benchmark's layout.

    Raises:
        InputError: neither is there, a video is missing, or labels are withheld.
    """
    if is_clip_split(folder):
        return _clips(folder)
    videos = find_labelled_videos(folder)
    if any(len(video.classes) < len(ACTIONS) for video in videos):
        raise InputError(folder, "does not annotate all ten classes", "extract features and use train video")
    return [
        AnnotatedVideo(
            video,
            replace(feed_of_actions(video.events), match=match),
            labels_of_match(video.events),
            int((probe(video.path).duration_s or 0) * 1000) - ANTICIPATION_MS,
        )
        for video, match in zip(videos, match_numbers(videos), strict=True)
    ]


def _clips(folder: Path) -> list[AnnotatedVideo]:
    videos = []
    for index, clip in enumerate(read_baa_split(folder).clips):
        if clip.anticipation is None:
            raise InputError(folder, f"{clip.name}: its labels are withheld")
        actions = feed_of_actions([*clip.observation, *clip.anticipation])
        video = LabelledVideo(clip.name, clip_video(folder, clip), clip.observation, clip.name, clip.name)
        if not video.path.is_file():
            raise InputError(video.path, "no such video")
        actions = replace(actions, match=index // BLOCK_CLIPS)
        videos.append(AnnotatedVideo(video, actions, labels_of_clip(clip), OBSERVATION_MS))
    return videos


def tiling(videos: Sequence[AnnotatedVideo]) -> list[AnnotatedVideo]:
    """Clips enough to train on every moment once; whole matches as they are."""
    return list(videos[::_TILING]) if all(video.last_end_ms == OBSERVATION_MS for video in videos) else list(videos)


def benchmark_ends(video: AnnotatedVideo) -> NDArray[np.int64]:
    """Ends of the examples that the benchmark scores: 30 s, 35 s ..."""
    return np.arange(OBSERVATION_MS, video.last_end_ms + 1, GRID.window_ms, dtype=np.int64)


def observed_frames(
    video: AnnotatedVideo, end_ms_O: NDArray[np.int64], config: EndToEndModelConfig, input_size: InputSize
) -> NDArray[np.uint8]:
    """frames_OTHW of examples that end at these times, decoded in one pass.

    Raises:
        InputError: the video ends before an example does.
    """
    wanted_OT = observed_indices(end_ms_O, config)
    frame_X, place_OT = np.unique(wanted_OT, return_inverse=True)
    kept_XHW = np.zeros((len(frame_X), input_size.height, input_size.width), np.uint8)
    start_s = int(frame_X[0]) // GRID.fps
    seen = 0
    for offset, gray_HW in read_frames(video.source.path, input_size, start_s, (frame_X[-1] + 1) / GRID.fps):
        if seen < len(frame_X) and start_s * GRID.fps + offset == frame_X[seen]:
            kept_XHW[seen] = gray_HW
            seen += 1
    if seen < len(frame_X):
        raise InputError(video.source.path, f"ends before {end_ms_O[-1] / 1000:.0f} s", "is it cut short?")
    return kept_XHW[place_OT.reshape(wanted_OT.shape)]


def observed_indices(end_ms_O: NDArray[np.int64], config: EndToEndModelConfig) -> NDArray[np.int64]:
    """Frames of each example: wanted_OT, the last one the last before its end."""
    last_O = end_ms_O * GRID.fps // 1000 - 1
    return last_O[:, None] - np.arange(config.frames - 1, -1, -1) * config.stride_frames
