"""``playahead train feed`` and ``train video``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.dataset import FeedDataset, VideoDataset
from playahead.io.files import packaged_weights
from playahead.training.run import VALIDATION_MATCHES, train
from playahead.training.trainer import TrainConfig


def train_feed(
    data: Path,
    run: TrainConfig,
    out: Path = Path("runs/feed"),
    recipe: str = "feed",  # noqa: ARG001 - it has given ``run`` its defaults
    validation_matches: int = VALIDATION_MATCHES,
    start: Path | None = None,
) -> None:
    """Train on an event feed's train split, choose the decoding on val; run again to resume.

    Args:
        data: folder with train.npz and val.npz (compact feed tables).
        run: settings of the run.
        out: folder of the run: weights.safetensors (to predict with), log.csv, state to resume from.
        recipe: feed, now, feed-slots, paper-feed, paper-small, faantra or demo; the options below change it.
        validation_matches: matches of val that are scored while training (the end is scored on all).
        start: weights of an earlier run of the same model to start from; "packaged" are those of the package.
    """
    start = packaged_weights() if start == Path("packaged") else start
    with terminal.progress(terminal.slow_precision(run.precision)) as show:
        finished = train(FeedDataset(data), run, out, start, validation_matches, show)
    terminal.print_finished(finished.validation, finished.weights, finished.log)


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
        out: folder of the run: weights.safetensors (to predict with), log.csv, state to resume from.
        recipe: video (the paper as it stands), video-small (two CPU cores) or faantra; the options below change it.
        start: weights of an earlier run of the same model to start from.
    """
    terminal.notice_leak(features)
    with terminal.progress(terminal.slow_precision(run.precision)) as show:
        dataset = VideoDataset(data, features)
        finished = train(dataset, run, out, start, show=show)
    terminal.show_notices(dataset.notices)
    terminal.print_finished(finished.validation, finished.weights, finished.log)
