"""What comes next in a match, from its event feed: ``python examples/your_feed.py MATCH``."""

import sys
from pathlib import Path

import playahead


def main(match: Path) -> None:
    """Print what is expected after the first minute of the match."""
    half = playahead.read_feed(match)[0]
    predictor = playahead.open_predictor()
    (coming,) = predictor.anticipate_at(predictor.prepare(half), [60_000], min_confidence=0.3)
    for anticipation in coming:
        print(f"{anticipation.action} in {anticipation.offset_ms / 1000:.1f} s ({anticipation.confidence:.0%})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
