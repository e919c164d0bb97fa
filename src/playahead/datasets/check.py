"""What is in a dataset, whichever layout it has: counts, bad entries, and whether splits share matches or video."""

from pathlib import Path

from playahead.datasets.feed_audit import FeedAudit, audit_feed
from playahead.errors import InputError
from playahead.sources.audit import Audit, audit_splits
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS
from playahead.sources.soccernet_baa import LABELS_NAME, SPLITS, BaaSplit, read_baa_split


def check_dataset(path: Path) -> Audit | FeedAudit:
    """Audit a dataset in the benchmark's layout, one split of it, or a folder of compact feed tables.

    Raises:
        InputError: no dataset there.
    """
    tables = {split: path / f"{split}.npz" for split in FEED_SPLITS if (path / f"{split}.npz").exists()}
    return audit_feed(tables) if tables else audit_splits(_splits(path))


def _splits(path: Path) -> dict[str, BaaSplit]:
    if path.is_file() or (path / LABELS_NAME).exists():
        return {path.name if path.is_dir() else path.parent.name: read_baa_split(path, keep_going=True)}
    folders = [path / split for split in SPLITS if (path / split / LABELS_NAME).exists()]
    if not folders:
        wanted = f"{LABELS_NAME} in it or in {', '.join(SPLITS)}; or train.npz, val.npz, test.npz"
        raise InputError(path, "no dataset found", f"expected {wanted}")
    return {folder.name: read_baa_split(folder, keep_going=True) for folder in folders}
