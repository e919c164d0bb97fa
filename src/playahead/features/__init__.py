"""Observation sources: anything that yields (W, N, F) features and a clock."""
