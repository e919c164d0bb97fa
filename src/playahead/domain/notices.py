"""Notices: what a reader or a user should know about what was read, made or answered."""

from collections import Counter


class Notices:
    """Collector of notices, passed down like ``show``; each is kept once, in the order in which it was met.

    Args:
        most: number of sentences to keep; further ones are counted.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._texts: dict[str, None] = {}
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Add a sentence."""
        if self._most is None or len(self._texts) < self._most or text in self._texts:
            self._texts[text] = None
        else:
            self.count("more notices")

    def count(self, what: str, n: int = 1) -> None:
        """Count something that occurs many times: ``count("events of the shoot-out not read", 12)``."""
        self._counts[what] += n

    @property
    def lines(self) -> list[str]:
        """One line for each thing counted, then the sentences."""
        return [f"{n:,} {what}" for what, n in self._counts.items() if n] + list(self._texts)

    def take(self) -> list[str]:
        """``lines``, which are then forgotten: a running session gives each notice with one answer."""
        lines = self.lines
        self._texts.clear()
        self._counts.clear()
        return lines
