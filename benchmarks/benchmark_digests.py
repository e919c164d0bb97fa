"""Writes the list of Wyscout-BAA's matches into the package: python benchmark_digests.py TABLES LARGE.

TABLES has train.npz, val.npz and test.npz, LARGE the larger train.npz, all with the finer columns (finer_tables.py).
To be run again only for another version of the benchmark.
"""

import json
import sys
from pathlib import Path

from playahead.datasets import benchmark
from playahead.datasets.benchmark import digests_of
from playahead.sources.feed_tables import read_feed_table

SOURCE = {
    "of": "Pappalardo et al., Scientific Data 6:236 (2019), figshare collection 4415000, CC BY 4.0",
    "events": {
        "address": "https://ndownloader.figshare.com/files/14464685",
        "sha256": "877e015b716ffdeea18f04418e3f24fed307ed03c37ff305cabe1f47c4822a45",
    },
    "players": {
        "address": "https://ndownloader.figshare.com/files/15073721",
        "sha256": "877a111cb1005b73df5645e9338bd74fb4b496bace2fbc545a72abb3b73efa2e",
    },
}


def main(tables: Path, large: Path) -> None:
    """Write the file."""
    halves = {"large": read_feed_table(large / "train.npz")}
    halves |= {split: read_feed_table(tables / f"{split}.npz") for split in ("val", "test")}
    small = {half.match for half in read_feed_table(tables / "train.npz")}
    halves["train"] = [half for half in halves["large"] if half.match in small]
    splits = {split: digests_of(halves[split]) for split in ("train", "val", "test", "large")}
    root = {"name": "wyscout-baa-v1", "source": SOURCE, "splits": splits}
    path = Path(benchmark.__file__).with_name("wyscout-baa-v1.json")
    path.write_text(json.dumps(root, separators=(",", ":")))
    print({split: len(of) for split, of in splits.items()}, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
