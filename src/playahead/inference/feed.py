"""Anticipations all through a match, from its event feed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.shown import min_confidences
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.notices import Notices
from playahead.domain.records import Anticipation, Mark
from playahead.domain.time import format_clock
from playahead.features.forms import FEED_FEATURES
from playahead.inference.any_predictor import Answers
from playahead.inference.open_predictor import open_predictor
from playahead.inference.result import SHORTEST_MS, PredictConfig, PredictResult, require_kick_offs
from playahead.io.errors import InputError
from playahead.io.progress import Show, counter, quiet
from playahead.sources.feeds import choose_reader, read_feed

EVERY_S = 5.0
_AT_FIRST, _AT_ONCE = 12, 240  # times


def predict_feed(
    feed: Path | Sequence[FeedHalf],
    config: PredictConfig | None = None,
    show: Show = quiet,
    companions: Sequence[Path] = (),
    on_rows: Callable[[PredictResult], object] = id,
) -> PredictResult:
    """Anticipate what comes next, all through a match; writes an overlay if the options name one.

    Args:
        feed: a match as its provider ships it, a compact feed table (.npz), or the halves of one.
        config: weights, times and minimum confidence.
        show: progress, called for every time of a half.
        companions: further files of the match.
        on_rows: called as anticipations are made, with a result that holds the newest alone.

    Raises:
        InputError: the file or the weights cannot be read.
    """
    config = config or PredictConfig()
    notices, provider = Notices(), ""
    if isinstance(feed, Path):
        source, provider = feed.name, choose_reader(feed, config.provider).provider
        halves = read_feed(feed, notices, companions, provider, kick_offs_ms=config.kick_offs_ms)
    else:
        source, halves = "feed", list(feed)
    predictor = open_predictor(config.weights, FEED_FEATURES, config.device)
    decoder = config.decoding_options.decoder(predictor)
    every_ms = round(1000 * (config.every or EVERY_S))
    chosen = [half for half in halves if config.half in (None, half.half)]
    if not chosen:
        raise InputError("PredictConfig.half", f"{config.half} is not in the match")
    first_ms = config.start_ms(SHORTEST_MS)
    times = [times_of(half, first_ms, config.end_ms, every_ms) for half in chosen]
    if not any(map(len, times)):
        notices.add(f"no time to anticipate at: the match has no rows after {format_clock(first_ms)}")
    for text in config.short_notices(times[0] if times else [], predictor.knows_worse_sources):
        notices.add(text)
    if config.overlay is not None:
        _require_overlay_fits(chosen, times, config)
    is_one_match = len({half.match for half in chosen}) == 1
    result = PredictResult(
        source=source,
        kind="feed",
        expected=(),
        spotted=(),
        every_ms=every_ms,
        min_C=tuple(min_confidences(config.min_confidence, decoder.shown).tolist()),
        notices=notices.lines,
        provider=provider,
        kick_offs_ms=config.kick_offs_ms,
        times_ms={(half.match, half.half): times_ms for half, times_ms in zip(chosen, times, strict=True)},
        teams=chosen[0].teams if is_one_match else (),
    )
    advance = counter(show, f"predicting {source}", sum(map(len, times)), "times")
    expected: list[Anticipation] = []
    chances, wanted = {}, config.actions
    for half, half_ms in zip(chosen, times, strict=True):
        track = predictor.prepare(half)
        # A few times first, so that there is something to read. Windows are shared over a half, so it is one part.
        cuts = [] if predictor.reading.n_before else range(_AT_FIRST, len(half_ms), _AT_ONCE)
        answers: list[Answers] = []
        for times_ms in np.split(half_ms, cuts):
            answers.append(predictor.answers_at(track, times_ms, config.min_confidence, decoder))
            found = [
                anticipation.at(time_ms, half.seen_ms(time_ms), half.match, half.half)
                for time_ms, anticipations in zip(times_ms.tolist(), answers[-1].listed, strict=True)
                for anticipation in anticipations
                if anticipation.action in wanted
            ]
            expected += found
            on_rows(replace(result, expected=found))
            advance(len(times_ms))
        side_O = np.concatenate([of.side_O for of in answers])
        chances[half.match, half.half] = np.concatenate([of.chance_OHC for of in answers]), side_O
    result = replace(result, expected=expected, chances=chances)
    if config.overlay is not None and config.video is not None:
        _write_overlay(config.video, config.overlay, result, chosen, notices)
    return replace(result, notices=notices.lines)


def times_of(half: FeedHalf, start_ms: int, end_ms: int | None, every_ms: int) -> NDArray[np.int64]:
    """Times to anticipate from in a half: from ``start_ms`` up to the last row."""
    last_ms = int(half.t_ms[-1]) if len(half) else 0
    stop_ms = last_ms if end_ms is None else min(end_ms, last_ms)
    return np.arange(start_ms, stop_ms + 1, every_ms, dtype=np.int64)


def _require_overlay_fits(halves: Sequence[FeedHalf], times: Sequence[NDArray], config: PredictConfig) -> None:
    """Refuse an overlay that could not be drawn, before anything is predicted."""
    if len({half.match for half in halves}) > 1:
        raise InputError("PredictConfig.video", "is of one match, and the feed holds several")
    require_kick_offs({half.half for half in halves}, config.kick_offs_ms)
    if not any(map(len, times)):
        raise InputError("PredictConfig.overlay", "no time to anticipate at lies in the feed")


def _write_overlay(
    video: Path, path: Path, result: PredictResult, halves: Sequence[FeedHalf], notices: Notices
) -> None:
    """Write the match's video from the first time of anticipation to one step after the last."""
    from playahead.video.overlay import write_overlay  # a feed alone needs no video library

    times_ms = sorted(
        result.kick_offs_ms[half] + int(time_ms) for (_, half), times in result.times_ms.items() for time_ms in times
    )
    seen = [mark for half in halves for mark in _marks(half, result.kick_offs_ms[half.half])]
    timeline = result.timeline(sorted(seen, key=lambda mark: mark.time_ms), times_ms)
    write_overlay(video, path, timeline, (times_ms[0], times_ms[-1] + result.every_ms), notices=notices)


def _marks(half: FeedHalf, kick_off_ms: int) -> list[Mark]:
    return [
        Mark(
            kick_off_ms + int(t_ms), ACTIONS[code], 1.0 if sure == UNKNOWN else sure / 100, late_ms=int(known_ms - t_ms)
        )
        for t_ms, code, sure, known_ms in zip(half.t_ms, half.code, half.confidence, half.visible_ms, strict=True)
        if code < len(ACTIONS)
    ]
