"""Does a wider model help? Two variants on your tables: ``python examples/train_and_compare.py TABLES OUT``."""

import sys
from pathlib import Path

import playahead

GRID = """
recipe: demo
seeds: [0]
common: {epochs: 1, steps_per_epoch: 10, precision: 32-true}
variants:
  plain: {}
  fewer slots: {model.slots: 6}
"""


def main(tables: Path, out: Path) -> None:
    """Train both, and print each row with its interval."""
    out.mkdir(parents=True, exist_ok=True)
    grid = out / "grid.yaml"
    grid.write_text(GRID)
    comparison = playahead.compare(playahead.open_grid(str(grid)), playahead.FeedDataset(tables), out / "runs")
    for row in comparison.rows:
        mean, low, high = row.mean
        print(f"{row.variant}, {row.decoding}: {mean:.2f} [{low:.2f}, {high:.2f}]")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
