"""``playahead bench live``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.lab.bench import bench_live


def command(feed_minutes: int = 120, video_minutes: int = 5, weights: Path | None = None, json: bool = False) -> None:
    """Measure the latency of live answers, sessions per core, and memory over time.

    Args:
        feed_minutes: length of a simulated match's feed.
        video_minutes: length of video at the packaged backbone's size.
        weights: model of the feed, or a folder that ``export`` wrote; the packaged model if not given.
        json: one JSON document on standard output.
    """
    with terminal.progress() as show:
        results = bench_live(feed_minutes, video_minutes, weights, show)
    if json:
        terminal.print_json(results)
        return
    terminal.out().print(terminal.machine_line(results))
    rows = [
        (
            kind,
            f"{1000 * found['p50_s']:.1f}",
            f"{1000 * found['p99_s']:.1f}",
            f"{found['sessions_per_core']:,.1f}",
            " -> ".join(f"{mib:.0f}" for mib in found["resident_mib"]),
            f"{found['answers']:,}",
        )
        for kind, found in ((kind, results[kind]) for kind in ("feed", "video"))
    ]
    columns = ("a live session", "answer p50, ms", "p99, ms", "sessions per core", "memory, MiB", "answers")
    terminal.print_table("from the last row or frame to the answer", columns, rows)
