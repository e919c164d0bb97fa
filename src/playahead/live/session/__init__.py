"""Anticipation while a match is being played: rows or frames in as they arrive, an answer every second."""
