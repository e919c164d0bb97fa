"""Anticipations all through a match, from its event feed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import FeedHalf
from playahead.domain.notices import Notices
from playahead.features.feed import FEED_FEATURES, prepare_track
from playahead.inference.open_predictor import open_predictor
from playahead.inference.result import SHORTEST_MS, Expected, PredictConfig, PredictResult, short_notices
from playahead.io.progress import Show, counter, quiet
from playahead.sources.feeds import choose_reader, read_feed

EVERY_S = 5.0


def predict_feed(
    feed: Path | Sequence[FeedHalf],
    config: PredictConfig | None = None,
    show: Show = quiet,
    companions: Sequence[Path] = (),
) -> PredictResult:
    """Anticipate what comes next, all through a match.

    Args:
        feed: a match as its provider ships it, a compact feed table (.npz), or the halves of one.
        config: from which weights, at which times, how certain.
        show: told about every time of a half.
        companions: further files of the match.

    Raises:
        InputError: the file or the weights cannot be read.
    """
    config = config or PredictConfig()
    read, provider = Notices(), ""
    if isinstance(feed, Path):
        source, provider = feed.name, choose_reader(feed, config.provider).provider
        halves = read_feed(feed, read, companions, provider, kick_offs_ms=config.kick_offs_ms)
    else:
        source, halves = "feed", list(feed)
    predictor = open_predictor(config.weights, FEED_FEATURES, config.device)
    decoder = config.decoding_options.decoder(predictor)
    every_ms = round(1000 * (config.every or EVERY_S))
    chosen = [half for half in halves if config.half in (None, half.half)]
    first_ms = config.start_ms(SHORTEST_MS)
    times = [times_of(half, first_ms, config.end_ms, every_ms) for half in chosen]
    notices = [*read.lines, *short_notices(config, times[0] if times else [], predictor.knows_worse_sources)]
    advance = counter(show, f"predicting {source}", sum(map(len, times)), "times")
    expected: list[Expected] = []
    for half, times_ms in zip(chosen, times, strict=True):
        track = prepare_track(half)
        listed = predictor.anticipate_at(track, times_ms, config.min_confidence, decoder)
        expected += [
            Expected.of(anticipation, int(time_ms), track.seen_ms(int(time_ms)), half.match, half.half)
            for time_ms, found in zip(times_ms, listed, strict=True)
            for anticipation in found
        ]
        advance(len(times_ms))
    result = PredictResult(
        source=source,
        kind="feed",
        expected=expected,
        spotted=(),
        every_ms=every_ms,
        min_confidence=config.min_confidence,
        notices=notices,
        provider=provider,
        kick_offs_ms=config.kick_offs_ms,
        times_ms={(half.match, half.half): times_ms for half, times_ms in zip(chosen, times, strict=True)},
    )
    if config.overlay is not None and config.video is not None:
        from playahead.inference.feed_overlay import write_feed_overlay  # a feed alone needs no video library

        asked = {half.half: times_ms.tolist() for half, times_ms in zip(chosen, times, strict=True)}
        write_feed_overlay(config.video, config.overlay, result, chosen, asked)
    return result


def times_of(half: FeedHalf, start_ms: int, end_ms: int | None, every_ms: int) -> NDArray[np.int64]:
    """When to anticipate in a half: from ``start_ms`` up to the last row."""
    last_ms = int(half.t_ms[-1]) if len(half) else 0
    stop_ms = last_ms if end_ms is None else min(end_ms, last_ms)
    return np.arange(start_ms, stop_ms + 1, every_ms, dtype=np.int64)
