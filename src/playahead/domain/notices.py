"""Notices: what a reader or a user should know about what was read, made or answered."""

from collections import Counter


class Notices:
    """Collector of notices, passed down like ``show``; each is kept once, in the order in which it was met."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Add a sentence."""
        self._texts[text] = None

    def count(self, what: str, n: int = 1) -> None:
        """Count something that occurs many times: ``count("events of the shoot-out not read", 12)``."""
        self._counts[what] += n

    @property
    def lines(self) -> list[str]:
        """One line for each thing counted, then the sentences."""
        return [f"{n:,} {what}" for what, n in self._counts.items() if n] + list(self._texts)
