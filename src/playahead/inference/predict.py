"""``predict()``: a match in, anticipations out, whatever it is observed through."""

from pathlib import Path
from typing import Literal

from playahead.errors import InputError
from playahead.inference.feed import predict_feed
from playahead.inference.result import PredictConfig, PredictResult
from playahead.progress import Show, quiet
from playahead.sources.feeds import known_providers, reader_of


def predict(
    match: str,
    config: PredictConfig | None = None,
    must_be: Literal["feed"] | None = None,
    show: Show = quiet,
) -> PredictResult:
    """Anticipate what comes next, all through a match.

    Args:
        match: an event feed or a video; the file's content decides. An address and "-" (standard input) are videos.
        config: from which weights, at which times, how certain.
        must_be: "feed" refuses a video.
        show: told how far it is.

    Raises:
        InputError: a file that cannot be read, or an option that does not go with it.
    """
    config, path = config or PredictConfig(), Path(match)
    # An address, standard input or a pipe can only be a video.
    if must_be == "feed" or (path.is_file() and reader_of(path) is not None):
        for name in ("overlay", "backbone", "stream"):
            if getattr(config, name) is not None:
                raise InputError(f"--{name}", "is for video", "leave it out, or give a video instead of a feed")
        return predict_feed(path, config, show)
    from playahead.inference.video import predict_video  # here and not above: a feed needs no video library
    from playahead.video.source import NOT_A_VIDEO

    try:
        return predict_video(match, config, show)
    except InputError as reason:
        if reason.what.startswith(NOT_A_VIDEO) and path.is_file():
            raise InputError(path, f"{reason.what}, and is no event feed", known_providers()) from None
        raise
