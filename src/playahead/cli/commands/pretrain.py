"""``playahead pretrain``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.domain.notices import Notices
from playahead.lab import pretrain as spotting
from playahead.lab.pretrain import PretrainConfig


def pretrain(
    train: Path,
    validate: Path,
    run: PretrainConfig,
    out: Path = Path("runs/backbone"),
    recipe: str = "backbone",  # noqa: ARG001 - it has given ``run`` its defaults
    cache: Path | None = None,
    validation_videos: int = 20,
) -> None:
    """Train the backbone to spot ball actions; killed and run again, it resumes. The leak-free way to features.

    Args:
        train: split of the anticipation benchmark's clips, a folder of matches in the spotting benchmark's layout, or
            an annotations file in OSL JSON.
        validate: videos to validate on, in the same layouts; matches that are in neither train nor test.
        run: settings of the run.
        out: folder of the run: backbone.safetensors (to extract with), log.csv, state to resume from.
        recipe: backbone (as published) or backbone-small (two CPU cores); the options below change it.
        cache: folder for decoded frames; inside --out if not given.
        validation_videos: number of videos that are scored, spread over those of --validate.
    """
    notices = Notices()
    with terminal.progress(terminal.slow_precision(run.precision)) as show:
        made = spotting.pretrain((train, validate), run, out, cache, validation_videos, show, notices)
    terminal.show_notices(notices)
    terminal.errors.print(f"spotting mAP@1 {made.best:.2f}; weights: {made.weights}")
