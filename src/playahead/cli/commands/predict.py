"""``playahead predict``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.cli.formats import Format, write_result
from playahead.errors import InputError
from playahead.inference.predict import predict as predict_match
from playahead.inference.result import PredictConfig


def predict(asked: PredictConfig, match: str | None = None, feed: Path | None = None, format: Format = "table") -> None:
    """Anticipate what comes next, all through a match.

    Args:
        asked: what to anticipate.
        match: video (any file or stream that FFmpeg reads) or an event feed (a match as Wyscout ships it, or a compact
            table); the file's content decides.
        feed: the same as MATCH, for a feed.
        format: table, json, csv, vtt (subtitles) or osl (OpenSportsLab annotations), on standard output.
    """
    if (match is None) == (feed is None):
        raise InputError("predict", "needs a match: a video or an event feed", "playahead predict match.mp4")
    with terminal.progress() as show:
        result = predict_match(str(feed or match), asked, must_be="feed" if feed else None, show=show)
    if result.kind == "feed" and format in ("vtt", "osl"):
        raise InputError("--format", f"{format} is for video", "choose table, json or csv")
    for text in result.notices:
        terminal.notice(text)
    write_result(result, format)
    if asked.overlay is not None:
        terminal.errors.print(f"overlay: {asked.overlay}")
