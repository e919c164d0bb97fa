"""The same extraction through Ray Data: one actor per worker, each with its own backbone."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from playahead.errors import InputError
from playahead.features.extractor import ExtractionReport, Extractor
from playahead.features.plan import Video

MakeExtractor = Callable[[], Extractor]


class _Worker:
    """An actor: makes its extractor once, then takes videos."""

    def __init__(self, make: MakeExtractor) -> None:
        self.extractor = make()

    def __call__(self, row: dict) -> dict:
        report = self.extractor.extract(Video(row["name"], Path(row["path"])))
        return {"windows": report.windows, "report": asdict(report)}


def extract_by_ray(videos: Sequence[Video], make: MakeExtractor, advance: Callable[[int], None]) -> ExtractionReport:
    """Every video, in as many actors as Ray has CPUs, less the one that its reader needs to get anywhere.

    Raises:
        InputError: ray is not installed.
    """
    try:
        import ray  # type: ignore[missing-import]
        import ray.data  # type: ignore[missing-import]
    except ImportError:
        raise InputError("--engine ray", "ray is not installed", "pip install 'playahead[ray]'") from None
    # Ray 2.60's default, RATE_BASED, waits for ever on one small machine: it counts no CPUs (docs/log.md).
    os.environ.setdefault("RAY_DATA_CLUSTER_AUTOSCALER", "V2")
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)) - 1)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"name": video.name, "path": str(video.path.absolute())} for video in videos])
    done = rows.map(_Worker, fn_constructor_args=(make,), compute=ray.data.ActorPoolStrategy(size=workers))
    report = ExtractionReport()
    for row in done.iter_rows():
        report.add(ExtractionReport(**row["report"]))
        advance(row["windows"])
    return report
