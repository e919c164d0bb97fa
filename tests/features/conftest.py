"""A small benchmark on video, and the backbone to extract it with."""

from pathlib import Path

import pytest

from tests.conftest import simulate
from tests.support.backbone import backbone, backbone_file  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def benchmark(tmp_path_factory) -> Path:
    """Four splits of two clips each."""
    folder = tmp_path_factory.mktemp("baa")
    simulate(folder, "baa", matches=4, minutes=0.75, halves=1, video=True, width=96, height=54)
    return folder
