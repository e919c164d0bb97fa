"""``playahead predict``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.cli.formats import Format, write_result
from playahead.inference.predict import predict as predict_match
from playahead.inference.result import PredictConfig
from playahead.io.errors import InputError


def predict(asked: PredictConfig, match: list[str] = [], feed: Path | None = None, format: Format = "table") -> None:  # noqa: B006
    """Anticipate what comes next, all through a match.

    Args:
        asked: what to anticipate.
        match: video (any file or stream that FFmpeg reads) or an event feed of any provider that docs/data.md names,
            or what an action spotter wrote; the content decides. A provider's second file (such as a line-up) may be
            given, too.
        feed: the same as MATCH, for a feed.
        format: table, json, csv, vtt (subtitles) or osl (OpenSportsLab annotations), on standard output.
    """
    if bool(match) == bool(feed):
        raise InputError("predict", "needs a match: a video or an event feed", "playahead predict match.mp4")
    with terminal.progress() as show:
        result = predict_match([str(feed)] if feed else match, asked, must_be="feed" if feed else None, show=show)
    for text in result.notices:
        terminal.notice(text)
    write_result(result, format)
    if asked.overlay is not None:
        terminal.errors.print(f"overlay: {asked.overlay}")
