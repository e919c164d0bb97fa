"""Simulated football for tests and the demo. Its numbers say nothing about real football."""
