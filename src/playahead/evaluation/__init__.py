"""How good anticipations are: the benchmark's own arithmetic, an exact one, and intervals. No torch."""
