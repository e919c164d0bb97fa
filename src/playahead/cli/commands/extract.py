"""``playahead extract``."""

from pathlib import Path
from typing import Literal

from playahead.cli import terminal
from playahead.features import extract as features
from playahead.features.extract import ExtractConfig


def extract(
    source: Path,
    config: ExtractConfig,
    out: Path = Path("features"),
    shard: str = "1/1",
    engine: Literal["local", "ray"] = "local",
    json: bool = False,
) -> int:
    """Encode every distinct 5-s window of a video, a folder of videos, or the benchmark's clips; run again to resume.

    A video that cannot be read is named and set aside; only more than one in a hundred are an error. The next run tries
    it again.

    Args:
        source: a video, a folder of videos, or a dataset in the benchmark's layout.
        config: backbone, input size and precision of the features.
        out: the store; it can hold many videos, all made with the same weights and input size.
        shard: 2/4 takes the second quarter of the videos, for any scheduler.
        engine: local, or ray for many machines.
        json: the report as JSON on standard output.
    """
    with terminal.progress() as show:
        report = features.extract(source, out, config, shard, engine, show)
    if json:
        terminal.print_json({"store": str(out), **vars(report)})
        return 2 if report.is_broken else 0
    for notice in report.notices:
        terminal.notice(notice)
    for name, reason in report.failed.items():
        terminal.complain(reason, name)
    share = report.shared / max(report.windows, 1)
    padded = f"{report.padded:,} were filled up at their end, " if report.padded else ""
    terminal.out().print(
        f"{report.videos:,} videos, {report.windows:,} windows, {report.shared:,} of them ({share:.0%}) already there "
        f"from another clip; {report.skipped:,} videos were done before, {padded}{len(report.failed):,} set aside. "
        f"Features: {out}"
    )
    return 2 if report.is_broken else 0
