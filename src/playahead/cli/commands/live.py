"""``playahead live``."""

import json
import sys
from contextlib import closing, suppress
from pathlib import Path

from playahead.cli import terminal
from playahead.cli.live_screen import LiveScreen
from playahead.live.session.open import LiveConfig, live as watch, name_of


def live(source: str, config: LiveConfig, record: Path | None = None, json: bool = False) -> None:
    """Watch a match while it is being played: what was seen in the last 30 s, what is expected in the next 5.

    Args:
        source: JSON lines of a feed or an action spotter, from standard input (-) or from a .jsonl file that grows; an
            event feed or a video, played as fast as the match was; a folder that segments of video are written into;
            an address (HLS, RTSP); or a recorded session. A line is {"half": 1, "t_ms": 61200, "action": "PASS"}; it
            may also have team (home, away), x, y, setpiece and confidence.
        config: how to watch.
        record: .jsonl to keep rows (times of frames for a video) and answers in, to play them again.
        json: one answer a line as JSON, instead of the screen.
    """
    with suppress(KeyboardInterrupt):
        if json:
            with closing(watch(source, config, record, terminal.notice)) as answers:
                for answer in answers:
                    _print(answer.as_json())
            return
        with (
            LiveScreen(name_of(source), terminal.out()) as screen,
            closing(watch(source, config, record, screen.notice)) as answers,
        ):
            for answer in answers:
                screen.show(answer)


def _print(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps({"version": terminal.JSON_VERSION, **answer}, allow_nan=False) + "\n")
    sys.stdout.flush()
