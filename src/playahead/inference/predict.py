"""``predict()``: a match in, anticipations out, from a feed or a video."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from playahead.inference.feed import predict_feed
from playahead.inference.result import PredictConfig, PredictResult
from playahead.io.errors import InputError
from playahead.io.files import match_file
from playahead.io.progress import Show, quiet
from playahead.sources.feeds import known_providers, reader_of, refusal_of
from playahead.sources.reading import NO_VIDEO
from playahead.spotters.adapters import SpotterConfig


def predict(
    match: str | Sequence[str],
    config: PredictConfig | None = None,
    must_be: Literal["feed"] | None = None,
    show: Show = quiet,
    on_rows: Callable[[PredictResult], object] = id,
) -> PredictResult:
    """Anticipate what comes next, all through a match.

    Args:
        match: an event feed or a video; the file's content decides. An address and "-" (standard input) are videos.
            Several files are those of one match of a feed, in any order; "sample" is the match that ships.
        config: weights, times and minimum confidence.
        must_be: "feed" refuses a video.
        show: progress, called on the way.
        on_rows: callback for a feed as its anticipations are made; the result that it gets holds the newest alone.

    Raises:
        InputError: a file that cannot be read, or an option that does not go with it.
    """
    config, named = config or PredictConfig(), [match] if isinstance(match, str) else match
    files = [match_file(name) for name in named]
    feeds = [file for file in files if Path(file).is_file() and reader_of(Path(file)) is not None]
    if must_be == "feed" or config.provider or feeds or len(files) > 1:
        for name in ("backbone", "stream"):
            if getattr(config, name) is not None:
                fix = "leave it out, or give a video instead of a feed"
                raise InputError(f"PredictConfig.{name}", "is for video", fix)
        if config.spotter:
            raise InputError("PredictConfig.spotter", "is for a video", "leave it out: this is what one found")
        if config.overlay is not None and config.video is None:
            raise InputError("PredictConfig.overlay", "of a feed is drawn over its video", "give a video and kick-offs")
        first = (feeds or files)[0]
        companions = [Path(file) for file in files if file != first]
        return predict_feed(Path(first), config, show, companions, on_rows)
    (match,) = files
    path = Path(match)
    if config.spotter:
        for name in ("backbone", "stream", "video"):
            if getattr(config, name) is not None:
                raise InputError(f"PredictConfig.{name}", "is not used with a spotter", "leave it out")
        return _spot_and_predict(path, config, show, on_rows)
    for name in ("video", "kick_off"):
        if getattr(config, name):
            raise InputError(f"PredictConfig.{name}", "is for a feed", "leave it out: a video has its own times")
    if path.is_file() and (reason := refusal_of(path)):
        raise reason
    if match != "-" and "://" not in match:
        if not path.exists():
            raise InputError(path, "no such file")
        if path.suffix in NO_VIDEO:  # said before a missing library of video is
            raise InputError(path, "is no event feed of a known provider, and no video", known_providers())
    from playahead.inference.video import predict_video  # here and not above: a feed needs no video library
    from playahead.video.source import NOT_A_VIDEO

    try:
        return predict_video(match, config, show)
    except InputError as reason:
        if reason.what.startswith(NOT_A_VIDEO) and path.is_file():
            raise InputError(path, f"{reason.what}, and is no event feed", known_providers()) from None
        raise


def _spot_and_predict(
    video: Path, config: PredictConfig, show: Show, on_rows: Callable[[PredictResult], object]
) -> PredictResult:
    """Predict from what a spotter finds in a video; that is kept beside the working folder's other files."""
    from playahead.spotters.run import spot

    spotted = spot(video, config, Path(f"{video.stem}.spotted.json"), show)
    kick_off = config.kick_off or "0:00"
    drawn_over = video if config.overlay is not None else None
    unset: dict[str, Any] = {field.name: field.default for field in fields(SpotterConfig)}
    of_feed = replace(config, **unset, kick_off=kick_off, video=drawn_over, provider="")
    result = predict_feed(spotted.path, of_feed, show, (), on_rows)
    notices = [f"spotted: {spotted.path} (predict reads it, too)", *spotted.notices]
    if not config.kick_off:
        notices.append("read as one half from the video's start: --kick-off 0:12,58:40 says when the halves start")
    return replace(result, notices=[*notices, *result.notices])
