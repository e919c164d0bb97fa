"""The best ensemble on test, chosen on val (docs/results.md).

    .venv/bin/python benchmarks/ensemble.py --data DATA --members runs/feed-0 runs/feed-1 runs/feed-2 \\
      --members runs/feed-0 runs/feed-1 runs/feed-2 runs/feed-dense-0 runs/feed-dense-1 runs/feed-dense-2

Each ``--members`` is an ensemble: run folders whose readings are averaged as logits. The score scale of each is chosen
on val; test is read once, for the one with the largest exact area there.
"""

import argparse
from pathlib import Path

from playahead.allocator import keep_freed_memory
from playahead.comparison.jobs import Reader
from playahead.comparison.scored import score
from playahead.decoding.choosing import Decoding
from playahead.evaluation.bootstrap import bootstrap_interval
from playahead.verbs.compared_data import Source


def main() -> None:
    """Choose on val, score on test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--members", type=Path, nargs="+", action="append", required=True)
    options = parser.parse_args()
    keep_freed_memory()
    source = Source(options.data, None)
    tried = []
    for members in options.members:
        read = Reader([folder / "weights.safetensors" for folder in members], source)
        decoder = read.decoder(Decoding())
        found = score(decoder.scores(read("val")), source.matches("val").count_by_match)
        print(f"{len(members)} members, val {found.average:.2f}, area {found.area:.2f}", flush=True)
        tried.append((found.area, read, decoder))
    _, read, decoder = max(tried, key=lambda entry: entry[0])
    found = score(decoder.scores(read("test")), source.matches("test").count_by_match)
    by_tolerance = ", ".join(f"{value:.1f}" for value in found.precision_DC.mean(axis=1))
    members = f"{len(read.models)} members"
    print(f"{members}, test {bootstrap_interval(found.counts_M)}, area {found.area:.2f}, by tolerance {by_tolerance}")


if __name__ == "__main__":
    main()
