"""What a reader met in a file that a person must know: rows left out, parts not read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from playahead.io.errors import InputError

_NAMED = 3  # so many dropped rows are named, the rest counted


@dataclass
class SourceNotes:
    """Handed to a reader, which says here what it did not read.

    Attributes:
        drop_bad_rows: leave out rows that cannot be, and count them; else the first one stops the reader.
        kick_offs_ms: when each half starts in its video, for files that hold a whole match on one clock.
        provider: whose file it was recognised as.
        left_out: what was not read, counted: ``{"events of the shoot-out": 12}``.
        bad_rows: what was wrong with each row that was dropped.
        doubts: what a library that read the file doubted.
        unusual: numbers of actions that football rarely has.
    """

    drop_bad_rows: bool = False
    kick_offs_ms: Mapping[int, int] = field(default_factory=dict)
    provider: str = ""
    left_out: Counter[str] = field(default_factory=Counter)
    bad_rows: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    unusual: list[str] = field(default_factory=list)

    def bad_row(self, reason: InputError) -> None:
        """A row that cannot be.

        Raises:
            InputError: ``reason``, unless bad rows are dropped.
        """
        if not self.drop_bad_rows:
            fix = reason.fix or "leave such rows out with playahead data convert --drop-bad-rows"
            raise InputError(reason.where, reason.what, fix)
        self.bad_rows.append(f"{reason.where}: {reason.what}")

    @property
    def lines(self) -> list[str]:
        """A line for each kind of thing that was not read."""
        found = [f"{count:,} {what} not read" for what, count in self.left_out.items()]
        if self.bad_rows:
            more = f" and {len(self.bad_rows) - _NAMED:,} more" if len(self.bad_rows) > _NAMED else ""
            found.append(f"{len(self.bad_rows):,} bad rows dropped: {'; '.join(self.bad_rows[:_NAMED])}{more}")
        found += self.unusual
        if len(self.doubts) > _NAMED:
            return [*found, *self.doubts[:_NAMED], f"and {len(self.doubts) - _NAMED:,} more doubts"]
        return [*found, *self.doubts]
