"""Whole matches of other providers, where they are at hand: rows of each class, so that no reader changes unnoticed."""

from pathlib import Path

import numpy as np
import pytest

from playahead.domain.actions import ACTIONS
from playahead.sources.feeds import choose_reader, read_feed

PROVIDERS = Path(__file__).parents[3] / "shared" / "data" / "providers"


@pytest.mark.parametrize(
    ("name", "provider", "counts"),
    [
        ("statsbomb_events.json", "StatsBomb", [920, 824, 63, 141, 17, 26, 28, 35, 50, 10]),
        ("statsperform_ma3.json", "Stats Perform", [665, 566, 112, 108, 37, 62, 33, 76, 26, 10]),
        ("datafactory_events.json", "DataFactory", [669, 500, 0, 120, 45, 8, 20, 54, 0, 0]),
        ("sportec_match_events.xml", "Sportec", [663, 501, 85, 161, 41, 31, 26, 70, 31, 18]),
        ("metrica_events.csv", "Metrica (CSV)", [970, 626, 67, 88, 32, 21, 24, 49, 3, 28]),
    ],
)
def test_rows_of_each_class(name, provider, counts):
    if not (PROVIDERS / name).is_file():
        pytest.skip(f"needs {PROVIDERS / name}")
    halves = read_feed(PROVIDERS / name)
    assert choose_reader(PROVIDERS / name).provider == provider
    code = np.concatenate([half.code for half in halves])
    assert np.bincount(code, minlength=len(ACTIONS))[: len(ACTIONS)].tolist() == counts
