"""What comes next all through a video, with progress: ``python examples/your_video.py VIDEO``."""

import sys
from pathlib import Path

import playahead


def main(video: Path) -> None:
    """Print every anticipation; the packaged video weights are of simulated broadcasts only."""

    def show(progress: playahead.Progress) -> None:
        print(
            f"\r{progress.task}: {progress.done:.0f} of {progress.total:.0f} {progress.unit}", end="", file=sys.stderr
        )

    result = playahead.predict_video(video, playahead.PredictConfig(every=5, min_confidence=0.1), show)
    for notice in result.notices:
        print(f"\nnote: {notice}", file=sys.stderr)
    for line in result.expected:
        print(f"{line.observed_until_ms / 1000:.0f} s: {line.action} at {line.time_ms / 1000:.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
