"""Scoring of anticipations: the benchmark's own arithmetic, an exact one, and intervals. No torch."""
