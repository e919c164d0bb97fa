"""``playahead data simulate``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.lab.simulation.simulate import SimulationConfig, simulate


def command(out: Path, config: SimulationConfig) -> None:
    """Write simulated matches; figures made from them are meaningless for football. Run again, it resumes.

    Args:
        out: folder to write to.
        config: number, length and layout of the matches.
    """
    with terminal.progress() as show:
        simulate(out, config, show)
    terminal.errors.print(f"{config.matches} simulated matches in {out}")
