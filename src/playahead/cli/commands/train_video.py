"""``playahead train video``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.dataset import VideoDataset
from playahead.training.run import train
from playahead.training.trainer import TrainConfig


def train_video(
    features: Path,
    data: Path,
    run: TrainConfig,
    out: Path = Path("runs/video"),
    recipe: str = "video",  # noqa: ARG001 - it has given ``run`` its defaults
    start: Path | None = None,
) -> None:
    """Train on stored features of clips or whole matches, choose the decoding on valid; run again to resume.

    Args:
        features: store written by ``playahead extract``.
        data: folder with train and valid, each a split of clips or matches in the spotting benchmark's layout; or with
            annotations_train.json and annotations_valid.json in OSL JSON.
        run: settings of the run; feature_dim is the store's.
        out: the run's folder: weights.safetensors (to predict with), log.csv, state to resume from.
        recipe: video (the paper as it stands), video-small (two CPU cores) or faantra; the options below change it.
        start: weights of an earlier run of the same model to start from.
    """
    terminal.notice_leak(features)
    with terminal.progress(terminal.slow_precision(run.precision)) as show:
        dataset = VideoDataset(data, features)
        finished = train(dataset, run, out, start, show=show)
    for note in dataset.notes:
        terminal.notice(note)
    terminal.print_finished(finished.validation, finished.weights, finished.log)
