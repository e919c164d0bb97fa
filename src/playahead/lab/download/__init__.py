"""The benchmark's videos and labels, from its hub."""
