"""The pitch that positions in percent are turned into metres on."""

PITCH_M = (105.0, 68.0)
"""Length and breadth."""
