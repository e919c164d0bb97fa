"""``playahead extract``: video -> features in a store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.fast import FastBackbone, Precision
from playahead.domain.grid import GRID
from playahead.errors import InputError
from playahead.extraction.by_ray import extract_by_ray
from playahead.extraction.encoder import WindowEncoder
from playahead.extraction.extract import Extractor, Report
from playahead.extraction.plan import expected_windows, find_videos, shard_of
from playahead.features.store import FeatureStore, StoreFacts
from playahead.sources.disk import disk_errors, free_bytes, readable_size
from playahead.verbs import show
from playahead.video.canvas import Canvas, Luma


@dataclass(frozen=True)
class ExtractConfig:
    """How features are made.

    Attributes:
        backbone: weights written by ``pretrain`` or ``weights convert``; the packaged ones (trained on simulated
            broadcasts) if not given.
        canvas: of the backbone's input, as 1280x736; the one that the weights were trained on if not given.
        luma: limited (as broadcast stores it, what the published predictor reads) or full.
        precision: float32, or bfloat16 where the hardware gains.
        batch: stacks encoded together.
        compile: through torch.compile; the first window takes a minute or two.
        device: cpu, cuda, or auto.
    """

    backbone: Path | None = None
    canvas: str | None = None
    luma: Luma = "limited"
    precision: Precision = "float32"
    batch: int = 41
    compile: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise InputError("--batch", f"{self.batch} is below 1")


def extract(
    source: Path,
    making: ExtractConfig,
    out: Path = Path("features"),
    no_share: bool = False,
    shard: str = "1/1",
    engine: Literal["local", "ray"] = "local",
    json: bool = False,
) -> int:
    """Encode every distinct 5-s window of a video, a folder of videos, or the benchmark's clips; run again to go on.

    Args:
        source: a video, a folder of videos, or a dataset in the benchmark's layout.
        making: how features are made.
        out: the store; it can hold many videos, all made with the same weights and canvas.
        no_share: encode windows anew that another clip shares, to compare.
        shard: 2/4 takes the second quarter of the videos, for any scheduler.
        engine: local, or ray for many machines.
        json: the report as JSON on standard output.
    """
    videos = shard_of(find_videos(source), shard)
    make, facts = prepare(making, out, not no_share)
    store = FeatureStore(out)
    waiting = [video for video in videos if not store.journal(video.name).closed]
    windows = expected_windows(waiting)
    _require_room(out, windows * facts.window_bytes)
    report = Report(skipped=len(videos) - len(waiting))
    with show.window_progress(f"extracting {len(waiting):,} videos", windows) as advance, disk_errors(out):
        if engine == "ray":
            report.add(extract_by_ray(waiting, make, advance))
        else:
            report.add(make().extract_all(waiting, advance))
    _show(report, out, json)
    return 2 if report.failed else 0


@dataclass(frozen=True)
class MakeExtractor:
    """Makes an extractor in whichever process it is called: only paths and settings travel there."""

    making: ExtractConfig
    out: Path
    canvas: Canvas
    share: bool

    def __call__(self) -> Extractor:
        """Loads the backbone."""
        backbone, _ = load_backbone(self.making.backbone or packaged_backbone())
        device = pick_device(self.making.device)
        fast = FastBackbone(backbone, self.making.precision, self.making.compile, device)
        return Extractor(FeatureStore(self.out), WindowEncoder(fast, self.making.batch), self.canvas, self.share)


def prepare(making: ExtractConfig, out: Path, share: bool = True) -> tuple[MakeExtractor, StoreFacts]:
    """(what makes an extractor, what the store says of its features); the store is there afterwards."""
    backbone, provenance = load_backbone(making.backbone or packaged_backbone())
    canvas = parse_canvas(making.canvas or str(provenance.get("canvas", "1280x736")), making.luma)
    if "notice" in provenance:
        show.errors.print(f"[yellow]note:[/] {provenance['notice']}", soft_wrap=True)
    facts = StoreFacts(
        weights=weights_digest(backbone),
        canvas=(canvas.width, canvas.height, canvas.luma),
        precision=making.precision,
        clips=GRID.n_clips,
        feature_dim=backbone.config.feature_dim,
        provenance=provenance,
    )
    with disk_errors(out):
        FeatureStore(out, facts)
    return MakeExtractor(making, out.absolute(), canvas, share), facts


def packaged_backbone() -> Path:
    """The small backbone that ships with the package, trained on simulated broadcasts."""
    return Path(__file__).parents[1] / "weights" / "simulated-backbone.safetensors"


def parse_canvas(text: str, luma: Luma) -> Canvas:
    """``"1280x736"`` -> a canvas.

    Raises:
        InputError: not two sizes, or not multiples of 32.
    """
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise InputError("--canvas", f"{text!r} is not of the form 1280x736") from None
    return Canvas(width, height, luma)


def pick_device(name: str) -> str:
    """``auto``: an accelerator where there is one."""
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _require_room(out: Path, wanted_bytes: int) -> None:
    free = free_bytes(out)
    if wanted_bytes > free:
        needed = f"features need {readable_size(wanted_bytes)}, {readable_size(free)} are free"
        raise InputError(out, needed, "choose another --out")


def _show(report: Report, out: Path, as_json: bool) -> None:
    if as_json:
        show.print_json({"store": str(out), **vars(report)})
        return
    for note in report.notes:
        show.errors.print(f"[yellow]note:[/] {note}", soft_wrap=True)
    for name, reason in report.failed.items():
        show.errors.print(f"[red]{name}:[/] {reason}", soft_wrap=True)
    share = report.shared / max(report.windows, 1)
    show.out().print(
        f"{report.videos:,} videos, {report.windows:,} windows, {report.shared:,} of them ({share:.0%}) already there "
        f"from another clip; {report.skipped:,} videos were done before, {len(report.failed):,} failed. Features: {out}"
    )
