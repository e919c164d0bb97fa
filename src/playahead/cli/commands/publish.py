"""``playahead publish``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.lab.publish import publish as write_folder


def publish(name: str, out: Path, weights: str | None = None, results: Path | None = None, license: str = "") -> None:
    """Write a folder to upload to the Hugging Face Hub: weights, and a card with their recorded results.

    Args:
        name: name of the repository, as org/name.
        out: folder to write to.
        weights: weights to publish; the packaged ones if not given.
        results: folder of recorded results; those of these weights go into the card.
        license: licence of the weights, as apache-2.0; not needed for the packaged ones.
    """
    found = write_folder(out, name, weights, results, license)
    terminal.out().print(f"{out}: weights, and a card with {len(found)} results. Upload: hf upload {name} {out}")
