"""The overlay over a match's video, of what its feed showed and of what was anticipated from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.records import Mark
from playahead.inference.result import PredictResult, require_kick_offs
from playahead.io.errors import InputError
from playahead.video.overlay import Timeline, write_overlay


def write_feed_overlay(
    video: Path, path: Path, result: PredictResult, halves: Sequence[FeedHalf], times_ms: Mapping[int, Sequence[int]]
) -> None:
    """Write the video from the first time that was asked about to 5 s after the last.

    Args:
        video: of the match.
        path: the .mp4.
        result: with the halves' kick-offs.
        halves: what was observed.
        times_ms: that were asked about, by half.

    Raises:
        InputError: several matches, no kick-off of a half, or a video that cannot be read.
    """
    if len({half.match for half in halves}) > 1:
        raise InputError("--video", "is of one match, and the feed holds several")
    require_kick_offs({half.half for half in halves}, result.kick_offs_ms)
    asked = sorted(result.kick_offs_ms[half] + time_ms for half, times in times_ms.items() for time_ms in times)
    if not asked:
        raise InputError("--overlay", "no time to anticipate at lies in the feed")
    by_time: dict[int, list[Mark]] = {time_ms: [] for time_ms in asked}
    actions = {str(action): action for action in ACTIONS}
    for line in result.in_video().expected:
        by_time[line.observed_until_ms].append(Mark(line.time_ms, actions[line.action], line.confidence))
    seen = [mark for half in halves for mark in _marks(half, result.kick_offs_ms[half.half])]
    timeline = Timeline(sorted(seen, key=lambda mark: mark.time_ms), asked, [by_time[time_ms] for time_ms in asked])
    write_overlay(video, path, timeline, (asked[0], asked[-1] + result.every_ms))


def _marks(half: FeedHalf, kick_off_ms: int) -> list[Mark]:
    """The actions of a half on the video's clock."""
    return [
        Mark(kick_off_ms + int(t_ms), ACTIONS[code], 1.0 if confidence == UNKNOWN else confidence / 100)
        for t_ms, code, confidence in zip(half.t_ms, half.code, half.confidence, strict=True)
        if code < len(ACTIONS)
    ]
