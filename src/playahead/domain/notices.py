"""Notices: what a reader or a user should know about what was read, made or answered."""

from collections import Counter
from collections.abc import Iterable

_NAMED = 3  # so many of one kind are named, the rest counted


class Notices:
    """Collector of notices, passed down like ``show``; each is kept once, in the order in which it was met.

    Args:
        most: number of sentences to keep; further ones are counted.

    Attributes:
        counts: number of times that each thing of ``count`` occurred.
        texts: the sentences.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}
        self.texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Add a sentence."""
        if self._most is None or len(self.texts) < self._most or text in self.texts:
            self.texts[text] = None
        else:
            self.count("more notices")

    def add_all(self, texts: Iterable[str]) -> None:
        """Add sentences of one kind: the first three, and how many more there are."""
        new = [text for text in dict.fromkeys(texts) if text not in self.texts]
        for text in new[:_NAMED]:
            self.add(text)
        if len(new) > _NAMED:
            self.add(f"and {len(new) - _NAMED:,} more notices like these")

    def count(self, what: str, n: int = 1, example: str = "") -> None:
        """Count something that occurs many times: ``count("events of the shoot-out not read", 12)``.

        Args:
            what: noun in the plural, and what happened to it.
            n: number of occurrences.
            example: description of this one; the first three are shown.
        """
        if n:
            self.counts[what] += n
        if example:
            self._examples.setdefault(what, []).append(example)

    @property
    def lines(self) -> list[str]:
        """One line for each thing counted, then the sentences."""
        return [f"{n:,} {what}{self._examples_of(what)}" for what, n in self.counts.items()] + list(self.texts)

    def take(self) -> list[str]:
        """``lines``, which are then forgotten: a running session gives each notice with one answer."""
        lines = self.lines
        for kept in (self.texts, self.counts, self._examples):
            kept.clear()
        return lines

    def _examples_of(self, what: str) -> str:
        examples = self._examples.get(what, [])
        more = f" and {len(examples) - _NAMED:,} more" if len(examples) > _NAMED else ""
        return f": {'; '.join(examples[:_NAMED])}{more}" if examples else ""
