"""``playahead features import``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.imported import ImportConfig, import_features


def command(source: Path, data: Path, config: ImportConfig, out: Path = Path("features"), json: bool = False) -> None:
    """Store ready-made features of a dataset's videos: .npy files of steps, from T-DEED, E2E-Spot, VideoMAE, CLIP ...

    Args:
        source: folder of the files, named as the videos are: train/clip_1.npy, or match/1_ResNET_TF2.npy.
        data: the labelled dataset: folder of train, valid and test, or of annotations_*.json.
        config: rate of the steps, and what made them.
        out: the store, which train video, evaluate video and submit read.
        json: the report as JSON on standard output.
    """
    with terminal.progress() as show:
        report = import_features(source, data, out, config, show)
    if json:
        terminal.print_json({"store": str(out), **vars(report)})
        return
    for names, what in ((report.missing, "videos have no features"), (report.unused, "files are of no video")):
        if names:
            terminal.notice(f"{len(names):,} {what}, first {names[0]}")
    terminal.out().print(
        f"{report.videos:,} videos, {report.windows:,} windows of {report.feature_dim:,} features a snippet. "
        f"Features: {out}"
    )
