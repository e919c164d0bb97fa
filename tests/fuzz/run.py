"""Damaged inputs by the thousand: ``python -m tests.fuzz.run CASES [SEED]`` prints the table of counts."""

import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from playahead.io.errors import PlayaheadError
from tests.fuzz.groups import GROUPS, SHARES

LONGEST_S = 10.0
MOST_BYTES = 1 << 30
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass
class Counts:
    """What came of a group's cases; ``faults`` holds the first of each kind."""

    cases: int = 0
    refused: int = 0
    read: int = 0
    tracebacks: int = 0
    hangs: int = 0
    over_memory: int = 0
    silent: int = 0
    many_lines: int = 0
    slowest_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def is_fine(self) -> bool:
        """Whether no case broke the rule."""
        return not (self.tracebacks + self.hangs + self.over_memory + self.silent + self.many_lines)


NUMBERS = [each.name for each in fields(Counts) if each.name != "faults"]


class _TooLong(BaseException):
    pass


def _alarm(*_: object) -> None:
    raise _TooLong


def fuzz(name: str, cases: int, seed: int, folder: Path) -> Counts:
    """Run one group."""
    group, counts = GROUPS[name](folder, np.random.default_rng([seed, len(name), cases])), Counts()
    signal.signal(signal.SIGALRM, _alarm)
    for _ in range(cases):
        content = group.damage()
        path = folder / f"case{group.suffix}"
        path.write_bytes(content)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.monotonic()
        counts.cases += 1
        signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
        try:
            result = group.use(path)
            signal.setitimer(signal.ITIMER_REAL, 0)
            counts.read += 1
            if what := group.silent(result):
                counts.silent += 1
                counts.faults[f"silent: {what}"] += 1
        except PlayaheadError as reason:
            counts.refused += 1
            if len(str(reason).splitlines()) != 1:
                counts.many_lines += 1
                counts.faults[f"lines: {str(reason)[:80]!r}"] += 1
        except _TooLong:
            counts.hangs += 1
            counts.faults["hang"] += 1
            (folder / f"hang{counts.hangs}{group.suffix}").write_bytes(content)
        except BaseException as reason:
            counts.tracebacks += 1
            place = reason.__traceback__
            while place and place.tb_next and "playahead" in place.tb_next.tb_frame.f_code.co_filename:
                place = place.tb_next
            where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
            counts.faults[f"{type(reason).__name__} {str(reason)[:60]!r} at {where}"] += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        counts.slowest_s = max(counts.slowest_s, time.monotonic() - started)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * RSS_UNIT
        counts.over_memory += grown > MOST_BYTES
    return counts


def main(cases: int, seed: int) -> int:
    """Every group, and the table."""
    whole = sum(SHARES.get(name, 1.0) for name in GROUPS)
    print(f"{'group':16}" + "".join(f"{name:>12}" for name in NUMBERS))
    total = Counts()
    for name in GROUPS:
        with tempfile.TemporaryDirectory() as folder:
            found = fuzz(name, round(cases * SHARES.get(name, 1.0) / whole), seed, Path(folder))
        _print_row(name, found)
        for fault, count in found.faults.most_common(8):
            print(f"    {count} x {fault}")
        for key in NUMBERS:
            more = max if key == "slowest_s" else sum
            setattr(total, key, more([getattr(total, key), getattr(found, key)]))
    _print_row("all", total)
    return 0 if total.is_fine else 1


def _print_row(name: str, counts: Counts) -> None:
    print(f"{name:16}" + "".join(f"{round(getattr(counts, key), 2):12}" for key in NUMBERS), flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
