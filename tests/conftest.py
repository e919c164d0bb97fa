"""Shared fixtures. Tests that need the project's shared folder say so and are skipped where it is absent."""

from pathlib import Path

import pytest
import torch

from playahead.domain.feed import FeedHalf
from playahead.io.runtime import keep_freed_memory
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import SimulationConfig, simulate as write_simulation

SHARED = Path(__file__).parents[2] / "shared"

keep_freed_memory()
torch.set_num_threads(1)


def simulate(folder: Path, layout: str = "feed", **settings) -> None:
    """Simulated matches in a folder."""
    write_simulation(folder, SimulationConfig(layout=layout, **settings))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def wyscout_baa() -> Path:
    """Real matches, where they are at hand."""
    folder = SHARED / "data" / "wyscout_baa"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/wyscout_baa")
    return folder


@pytest.fixture(scope="session")
def played_half() -> FeedHalf:
    """Eight simulated minutes."""
    return simulate_half(seed=3, minutes=8)
