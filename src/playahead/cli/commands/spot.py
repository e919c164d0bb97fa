"""``playahead spot``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.spotters.adapters import SpotterConfig
from playahead.spotters.run import spot as spot_video


def spot(config: SpotterConfig, video: Path, out: Path = Path("spotted.json"), json: bool = False) -> None:
    """Run somebody's action spotter over a video, in its own environment; predict reads what it finds.

    Args:
        config: the spotter, and where it is.
        video: video of a match.
        out: OSL JSON file to write.
        json: a summary as JSON on standard output.
    """
    with terminal.progress() as show:
        spotted = spot_video(video, config, out, show)
    if json:
        summary = {"out": str(out), "labels": spotted.labels, "window_s": spotted.window_s, "notices": spotted.notices}
        terminal.print_json(summary)
        return
    for text in spotted.notices:
        terminal.notice(text)
    found = ", ".join(f"{label} {count:,}" for label, count in sorted(spotted.labels.items(), key=lambda kv: -kv[1]))
    terminal.out().print(f"{sum(spotted.labels.values()):,} actions: {found or 'none'}")
    terminal.errors.print(f"spotted: {out}")
