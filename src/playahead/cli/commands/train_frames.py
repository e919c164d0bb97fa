"""``playahead train frames``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.lab.faantra import end_to_end
from playahead.lab.faantra.end_to_end import EndToEndConfig


def train_frames(
    data: Path,
    run: EndToEndConfig,
    out: Path = Path("runs/frames"),
    recipe: str = "faantra-frames",  # noqa: ARG001 - it has given ``run`` its defaults
    cache: Path | None = None,
) -> None:
    """Train a frame encoder and an anticipator as one, from clips or whole matches; run again to resume.

    Args:
        data: folder with train and valid, each a split of clips or matches in the spotting benchmark's layout.
        run: settings of the run.
        out: folder of the run: weights.safetensors (to evaluate), log.csv, state to resume from.
        recipe: faantra-frames; the options below change it.
        cache: folder for decoded frames; inside --out if not given.
    """
    with terminal.progress(terminal.slow_precision(run.precision)) as show:
        finished = end_to_end.train_frames(data, run, out, cache, show)
    terminal.print_finished(finished.validation, finished.weights, finished.log)
