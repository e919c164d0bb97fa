"""``write_report()``: one self-contained HTML page about a comparison, or about one run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playahead.datasets.dataset import Dataset
from playahead.io.errors import InputError
from playahead.io.files import write_whole
from playahead.io.progress import Show, quiet
from playahead.io.settings import check_choices
from playahead.lab.report.gather import gather

try:
    from playahead.lab.report.page import render
except ImportError:
    raise InputError("report", "jinja2 and matplotlib are not installed", "pip install 'playahead[report]'") from None


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """What the page shows.

    Attributes:
        split: what the comparison was scored on.
        run: name of the run shown in detail, such as paper-0; the best variant's first seed if empty.
        decoding: of that run: one of the comparison's, or of a single run marginal, tuned-threshold or paper.
        examples: examples shown on either side, best and worst.
    """

    split: Literal["val", "test"] = "val"
    run: str = ""
    decoding: str = "marginal"
    examples: int = 10

    def __post_init__(self) -> None:
        check_choices(self, "-")
        if self.examples < 0:
            raise InputError("--examples", f"{self.examples} is below 0")


def write_report(
    runs: Path, dataset: Dataset, out: Path, config: ReportConfig | None = None, show: Show = quiet
) -> list[str]:
    """Write scores, calibration, mistakes, slots, single examples, data and settings as one page.

    Args:
        runs: folder written by ``compare``, or one run's folder.
        dataset: what the runs were trained and scored on.
        out: the page.
        config: what it shows.
        show: told how far predicting is.

    Returns:
        What a reader must know about the page, a sentence each.

    Raises:
        InputError: nothing to report on there, a damaged file, or no run or decoding of that name.
    """
    config = config or ReportConfig()
    page, notices = gather(runs, dataset, config.split, (config.run, config.decoding), config.examples, show)
    write_whole(out, render(page))
    return notices
