"""Folders that tests read from."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
GOLDENS = TESTS / "goldens"
DATA = TESTS / "data"
"""Small real data (its README says whose): there in every clone."""
SHARED = ROOT.parent / "shared"
"""The project's shared folder, beside some clones only."""
