"""``playahead report``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.dataset import open_dataset
from playahead.lab.report.write import ReportConfig, write_report


def report(
    runs: Path, data: Path, config: ReportConfig, features: Path | None = None, out: Path = Path("report.html")
) -> None:
    """Write one self-contained HTML page: scores, calibration, mistakes, slots, single examples, data, settings.

    Args:
        runs: folder written by compare, or one run's folder.
        data: folder of compact feed tables, or with --features the dataset's splits.
        config: runs and examples to show.
        features: store of video features that the runs were trained on.
        out: page to write.
    """
    with terminal.progress() as show:
        notices = write_report(runs, open_dataset(data, features), out, config, show)
    for text in notices:
        terminal.notice(text)
    terminal.out().print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, open it in a browser")
