"""The same extraction through Ray Data: one actor per worker, each with its own backbone."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from playahead.features.extractor import ExtractionReport, Extractor
from playahead.features.plan import Video
from playahead.io.runtime import started_ray

MakeExtractor = Callable[[], Extractor]


class _Worker:
    """An actor: makes its extractor once, then takes videos."""

    def __init__(self, make: MakeExtractor) -> None:
        self.extractor = make()

    def __call__(self, row: dict) -> dict:
        report = self.extractor.extract(Video(row["name"], Path(row["path"])))
        return {"windows": report.windows, "report": asdict(report)}


def extract_by_ray(
    videos: Sequence[Video], make: MakeExtractor, advance: Callable[[int], None], on_gpus: bool = False
) -> ExtractionReport:
    """Every video, in an actor for each GPU, or for each CPU less the one that Ray's reader needs to get anywhere.

    Raises:
        InputError: ray is not installed.
    """
    # Ray 2.60's default, RATE_BASED, waits for ever on one small machine: it counts no CPUs (docs/log.md).
    os.environ.setdefault("RAY_DATA_CLUSTER_AUTOSCALER", "V2")
    ray, data = started_ray("ray.data", "ray")
    here = ray.cluster_resources()
    workers = max(1, int(here.get("GPU", 0)) if on_gpus else int(here.get("CPU", 1)) - 1)
    data.DataContext.get_current().enable_progress_bars = False
    rows = data.from_items([{"name": video.name, "path": str(video.path.absolute())} for video in videos])
    pool = data.ActorPoolStrategy(size=workers)
    done = rows.map(_Worker, fn_constructor_args=(make,), compute=pool, num_gpus=1 if on_gpus else None)
    report = ExtractionReport()
    for row in done.iter_rows():
        report.add(ExtractionReport(**row["report"]))
        advance(row["windows"])
    return report
