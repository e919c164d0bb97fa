"""``playahead demo``."""

import time
from dataclasses import replace
from pathlib import Path

from playahead.cli import terminal
from playahead.cli.formats import writer_of
from playahead.domain.time import format_duration
from playahead.lab import demo as pipeline

_SHOWN_UNTIL_MS = 66_000


def demo(out: Path = Path("playahead-demo"), seed: int = 7, epochs: int | None = None) -> None:
    """Simulate broadcasts, extract, train a small model, score it on a match it has not seen, show it on video.

    Args:
        out: folder for everything made; run again after an interruption to resume.
        seed: seed of everything random.
        epochs: number of epochs instead of the recipe's.
    """
    started = time.monotonic()
    with terminal.progress() as show:
        made = pipeline.demo(out, pipeline.DemoConfig(epochs=epochs, seed=seed), show)
    shown = [line for line in made.prediction.expected if line.observed_until_ms < _SHOWN_UNTIL_MS]
    writer_of("table").end(replace(made.prediction, expected=shown))
    console = terminal.out()
    title = f"average precision, simulated held-out match, {made.n_examples:,} examples"
    console.print(terminal.score_table(made.evaluation.counts, title))
    console.print(
        f"average of the six tolerances: {100 * made.evaluation.average:.2f} (official metric; simulated broadcasts: "
        "this is not a football result)"
    )
    rows = [
        ("video with a timeline", str(made.overlay)),
        ("weights", str(made.weights)),
        ("training log", str(made.log)),
        ("features", str(made.features)),
        ("simulated broadcasts", str(made.broadcasts)),
    ]
    console.print(terminal.plain_table("files", ("what", "where"), rows))
    terminal.errors.print(f"done in {format_duration(time.monotonic() - started)}")
