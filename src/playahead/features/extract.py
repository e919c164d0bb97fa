"""``extract()``: every distinct window of a video, a folder or a dataset, encoded once and for all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.fast import FastBackbone, Precision
from playahead.domain.grid import GRID
from playahead.features.by_ray import extract_by_ray
from playahead.features.encoder import WindowEncoder
from playahead.features.extractor import ExtractionReport, Extractor
from playahead.features.plan import expected_windows, find_videos, shard_of
from playahead.features.store import FeatureStore, StoreFacts
from playahead.io.assets import packaged_weights
from playahead.io.choices import check_choices
from playahead.io.errors import InputError
from playahead.io.files import disk_errors, free_bytes, holding, readable_size
from playahead.io.progress import Show, counter, quiet
from playahead.io.runtime import pick_device
from playahead.video.input_size import InputSize, Luma, parse_input_size


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """How features are made.

    Attributes:
        backbone: weights written by ``pretrain`` or ``weights convert``; the packaged ones (trained on simulated
            broadcasts) if not given.
        input_size: of the backbone, as 1280x736; the one that the weights were trained at if not given.
        luma: limited (as broadcast stores it, what the published predictor reads) or full.
        precision: float32; where the hardware gains, bfloat16 or (CUDA) tf32.
        batch: stacks encoded together.
        compile: through torch.compile; the first window takes a minute or two.
        device: cpu, cuda, cuda:1, mps, or auto.
        share: encode a window that several clips share once; False encodes it every time, to compare.
    """

    backbone: Path | None = None
    input_size: str | None = None
    luma: Luma = "limited"
    precision: Precision = "float32"
    batch: int = 41
    compile: bool = False
    device: str = "auto"
    share: bool = True

    def __post_init__(self) -> None:
        check_choices(self, "-")
        if self.batch < 1:
            raise InputError("--batch", f"{self.batch} is below 1")


@dataclass(frozen=True)
class MakeExtractor:
    """Makes an extractor in whichever process it is called: only paths and settings travel there."""

    config: ExtractConfig
    out: Path
    input_size: InputSize

    def __call__(self) -> Extractor:
        """Loads the backbone."""
        backbone, _ = load_backbone(self.config.backbone or packaged_weights("simulated-backbone"))
        fast = FastBackbone(backbone, self.config.precision, self.config.compile, pick_device(self.config.device))
        encoder = WindowEncoder(fast, self.config.batch)
        return Extractor(FeatureStore(self.out), encoder, self.input_size, self.config.share)


def prepare(config: ExtractConfig, out: Path) -> tuple[MakeExtractor, StoreFacts]:
    """(what makes an extractor, what the store says of its features); the store is there afterwards.

    Raises:
        InputError: weights that cannot be read, or a store of other weights, input size or precision.
    """
    backbone, provenance = load_backbone(config.backbone or packaged_weights("simulated-backbone"))
    input_size = parse_input_size(config.input_size or str(provenance.get("input_size", "1280x736")), config.luma)
    facts = StoreFacts(
        weights=weights_digest(backbone),
        input_size=(input_size.width, input_size.height, input_size.luma),
        precision=config.precision,
        snippets=GRID.n_snippets,
        feature_dim=backbone.config.feature_dim,
        provenance=provenance,
    )
    with disk_errors(out):
        FeatureStore(out, facts)
    return MakeExtractor(config, out.absolute(), input_size), facts


def extract(
    source: Path,
    out: Path,
    config: ExtractConfig | None = None,
    shard: str = "1/1",
    engine: Literal["local", "ray"] = "local",
    show: Show = quiet,
) -> ExtractionReport:
    """Encode every distinct 5-s window; called again, it resumes.

    Args:
        source: a video, a folder of videos, or a dataset in the benchmark's layout.
        out: the store; it can hold many videos, all made with the same weights and input size.
        config: how features are made.
        shard: "2/4" takes the second quarter of the videos, for any scheduler.
        engine: local, or ray for many machines.
        show: told about every window.

    Returns:
        What was done; videos that could not be read are in its ``failed``.

    Raises:
        InputError: no videos, too little room (said before anything is encoded), or another store in ``out``.
    """
    videos = shard_of(find_videos(source), shard)
    with holding(out, shard):
        make, facts = prepare(config or ExtractConfig(), out)
        store = FeatureStore(out)
        waiting = [video for video in videos if not store.journal(video.name).closed]
        windows = expected_windows(waiting)
        _require_room(out, windows * facts.window_bytes)
        report = ExtractionReport(skipped=len(videos) - len(waiting))
        if store.notice:
            report.notes.append(store.notice)
        window_s = GRID.window_ms / 1000
        advance_s = counter(show, f"extracting {len(waiting):,} videos", windows * window_s, "s of video")

        def advance(more: int) -> None:
            advance_s(more * window_s)

        with disk_errors(out):
            if engine == "ray":
                gpus = pick_device(make.config.device).startswith("cuda")
                report.add(extract_by_ray(waiting, make, advance, gpus))
            else:
                report.add(make().extract_all(waiting, advance))
        return report


def _require_room(out: Path, wanted_bytes: int) -> None:
    free = free_bytes(out)
    if wanted_bytes > free:
        needed = f"features need {readable_size(wanted_bytes)}, {readable_size(free)} are free"
        raise InputError(out, needed, "choose another --out")
