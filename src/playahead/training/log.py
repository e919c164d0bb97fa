"""A run's log: one row an epoch, in ``log.csv`` and, where tensorboardX is installed, for TensorBoard."""

import csv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from playahead.io.files import atomic_write

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter


class RunLog:
    """``log.csv`` and ``tensorboard/`` in a run's folder; rows that a resumed run makes again replace the old ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._board: SummaryWriter | None = None  # one a process: a resumed one cuts off what it makes again

    def add(self, row: Mapping[str, float]) -> None:
        """Add an epoch's figures; ``"step"`` among them says when."""
        self._add_to_csv(row)
        if find_spec("tensorboardX") is not None:
            self._add_to_tensorboard(row)

    def close(self) -> None:
        """Write out what TensorBoard's file still waits for; a later ``add`` opens it again."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _add_to_csv(self, row: Mapping[str, float]) -> None:
        path = self.folder / "log.csv"
        rows: list[Mapping[str, object]] = []
        if path.exists():
            with path.open(newline="") as file:
                rows = [old for old in csv.DictReader(file) if int(old["step"]) < row["step"]]
        with atomic_write(path) as part, part.open("w", newline="") as file:
            columns = list(dict.fromkeys([*(name for old in rows for name in old), *row]))
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows([*rows, row])

    def _add_to_tensorboard(self, row: Mapping[str, float]) -> None:
        from tensorboardX import SummaryWriter

        step = int(row["step"])
        if self._board is None:
            self._board = SummaryWriter(str(self.folder / "tensorboard"), purge_step=step)
        for name, value in row.items():
            self._board.add_scalar(name.replace("loss_", "loss/"), value, step)
        self._board.flush()
