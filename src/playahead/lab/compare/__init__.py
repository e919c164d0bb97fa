"""Comparisons of many runs: a grid, the runs' scores, and which differences are significant."""
