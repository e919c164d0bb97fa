"""Fixtures of all tests. Tests that need the project's shared folder are skipped where it is absent."""

from pathlib import Path

import pytest
import torch

from playahead.domain.feed import FeedHalf
from playahead.io.runtime import keep_freed_memory
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import SimulationConfig, simulate as write_simulation
from tests.support.paths import DATA, SHARED
from tests.support.pipeline import Pipeline, shared_pipeline

keep_freed_memory()
torch.set_num_threads(1)


def simulate(folder: Path, layout: str = "feed", **settings) -> None:
    """Simulated matches in a folder."""
    write_simulation(folder, SimulationConfig(layout=layout, **settings))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def real_match() -> Path:
    """A real match as Wyscout ships it, without names: 2499720 of the test split."""
    return DATA / "wyscout" / "2499720.json.gz"


@pytest.fixture(scope="session")
def real_matches() -> Path:
    """A folder with ``test.npz``: the first nine matches of Wyscout-BAA's test split, 2499720 first."""
    return DATA / "wyscout"


@pytest.fixture(scope="session")
def wyscout_baa() -> Path:
    """All of Wyscout-BAA: 304 real matches."""
    folder = SHARED / "data" / "wyscout_baa"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/wyscout_baa")
    return folder


@pytest.fixture(scope="session")
def played_half() -> FeedHalf:
    """Eight simulated minutes."""
    return simulate_half(seed=3, minutes=8)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory) -> Pipeline:
    """Simulated matches, features and trained models (``tests/support/pipeline.py``); read only."""
    return shared_pipeline(tmp_path_factory)
