"""``playahead predict``."""

import sys
from pathlib import Path

from playahead.cli import terminal
from playahead.cli.formats import Format, writer_of
from playahead.inference.predict import predict as predict_match
from playahead.inference.result import PredictConfig, PredictResult
from playahead.io.errors import InputError


def predict(asked: PredictConfig, match: list[str] = [], feed: Path | None = None, format: Format = "table") -> None:  # noqa: B006
    """Anticipate what comes next, all through a match.

    Args:
        asked: what to anticipate.
        match: a video, an event feed, or what an action spotter wrote ("sample": the match that ships); a provider's
            second file, too.
        feed: the same as MATCH, for a feed.
        format: on standard output: spadl and kloppy are CSV with their columns, vtt subtitles, osl OpenSportsLab
            annotations.
    """
    if bool(match) == bool(feed):
        raise InputError("predict", "needs a match: a video or an event feed", "playahead predict match.mp4")
    writer, n_told = writer_of(format), 0

    def tell(result: PredictResult) -> None:
        nonlocal n_told
        for text in result.notices[n_told:]:
            terminal.notice(text)
        n_told = len(result.notices)

    def on_rows(part: PredictResult) -> None:
        tell(part)
        if writer.is_prompt and sys.stdout.isatty():
            show.stop()  # the rows show how far it is
        writer.rows(part)

    with terminal.progress() as show:
        result = predict_match([str(feed)] if feed else match, asked, "feed" if feed else None, show, on_rows)
    tell(result)
    writer.end(result)
    if asked.overlay is not None:
        terminal.errors.print(f"overlay: {asked.overlay}")
