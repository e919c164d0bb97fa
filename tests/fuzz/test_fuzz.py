"""500 damaged inputs: read, or refused in one line, quickly, within memory, without a change of meaning."""

import warnings

import pytest

from tests.fuzz.groups import GROUPS, SHARES
from tests.fuzz.run import fuzz

CASES = 500  # make fuzz runs as many as a night allows


@pytest.mark.parametrize("name", GROUPS)
def test_damaged_inputs(name, tmp_path):
    cases = round(CASES * SHARES.get(name, 1.0) / sum(SHARES.get(group, 1.0) for group in GROUPS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts = fuzz(name, cases, 0, tmp_path)
    assert counts.is_fine, counts
    assert counts.refused > cases / 20
