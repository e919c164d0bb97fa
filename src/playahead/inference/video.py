"""Anticipations all through a video, and the actions spotted on the way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.backbone.exported import ExportedBackbone, packaged_backbone_digest
from playahead.decoding.marginal import pick_peaks
from playahead.decoding.shown import MinConfidence, min_confidences
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.domain.records import Mark
from playahead.features.encoder import SnippetBackbone, VideoEncoder
from playahead.features.store import StoreFacts
from playahead.inference.any_predictor import AnyPredictor
from playahead.inference.open_predictor import open_predictor
from playahead.inference.result import PredictConfig, PredictResult
from playahead.io.errors import InputError
from playahead.io.files import packaged_export, packaged_weights
from playahead.io.onnx import Engine
from playahead.io.progress import Progress, Show, counter, quiet
from playahead.io.runtime import computes_on_cpu, emulates_bfloat16, pick_device
from playahead.io.settings import build
from playahead.video.input_size import InputSize
from playahead.video.overlay import write_overlay
from playahead.video.reader import VideoDecoder, ahead
from playahead.video.source import STANDARD_INPUT, is_stream, shown

SIMULATED_NOTICE = (
    "these weights were trained on simulated broadcasts only: on real football their output is meaningless; "
    "give a backbone and weights of your own"
)
SPOTTED_CONFIDENCE = 0.5
"""Spotted actions below this are not shown: a focal loss leaves everything else between 0.2 and 0.4."""
EVERY_S = 1.0
_FRAME_MS = 1000 // GRID.fps


@dataclass(frozen=True)
class VideoModel:
    """Backbone and anticipator.

    Attributes:
        predictor: anticipator trained on the backbone's features.
        backbone: backbone on its device.
        input_size: size of the frames.
        classes: classes that the backbone was taught to spot.
        notices: facts about both that a reader should know.
    """

    predictor: AnyPredictor
    backbone: SnippetBackbone
    input_size: InputSize
    classes: frozenset[str]
    notices: list[str]

    @classmethod
    def open(cls, weights: Path | None, backbone: Path | None, device: str) -> "VideoModel":
        """Open both, the packaged ones if none are given: weights, or folders of exports, which need no PyTorch.

        Args:
            weights, backbone: files or folders.
            device: name of the device; "openvino" is the CPU, and OpenVINO computes an exported backbone.

        Raises:
            InputError: they cannot be read, or do not belong together.
        """
        engine: Engine = "openvino" if device == "openvino" else "onnxruntime"
        device = "cpu" if device == "openvino" else device
        # Weights that need PyTorch anyway get the backbone in PyTorch, too: in the precision of their features.
        is_light = computes_on_cpu(device) and (weights is None or weights.is_dir())
        shipped = packaged_export() if is_light else None
        where = backbone or shipped or packaged_weights("simulated-backbone")
        predictor = open_predictor(weights or shipped or packaged_weights("simulated-video"), None, device)
        facts = facts_of(predictor)
        input_size, notices = input_size_of(predictor), list[str]()
        if where.is_dir():
            exported = ExportedBackbone(where, engine)
            if exported.input_size != (input_size.width, input_size.height):
                what = "was exported for frames of {} x {}".format(*exported.input_size)
                raise InputError(where, what, "export it together with these weights")
            if facts.precision != "float32":
                notices.append(f"trained on {facts.precision} features: the exported backbone computes float32")
            notices += exported.notices
            computed: SnippetBackbone = exported
            provenance, digest = exported.provenance, exported.digest
        elif engine == "openvino":
            raise InputError(where, "OpenVINO computes exported backbones", f"playahead export --backbone {where}")
        else:
            from playahead.backbone.checkpoint import load_backbone, weights_digest  # they need PyTorch
            from playahead.backbone.fast import FastBackbone

            precision = facts.precision
            if precision == "bfloat16" and emulates_bfloat16(device):
                precision = "float32"
                notices.append("trained on bfloat16 features, which this processor emulates slowly: float32 is used")
            network, provenance = load_backbone(where)
            computed, digest = FastBackbone(network, precision, device=pick_device(device)), weights_digest(network)
        if digest == packaged_backbone_digest():
            notices.insert(0, SIMULATED_NOTICE)
        predictor.check({"kind": "video", **asdict(facts), "weights": digest})
        if "notice" in provenance:
            notices.append(str(provenance["notice"]))
        taught = provenance.get("classes")
        return cls(
            predictor=predictor,
            backbone=computed,
            input_size=input_size,
            classes=frozenset(taught if isinstance(taught, list) else map(str, ACTIONS)),
            notices=notices,
        )


def facts_of(predictor: AnyPredictor) -> StoreFacts:
    """Facts about the features that a predictor was trained on.

    Raises:
        InputError: it was not trained on features of video, or their description is damaged.
    """
    features = predictor.about.get("features")
    if not isinstance(features, Mapping) or features.get("kind") != "video":
        raise InputError(predictor.where, "was not trained on video features", "train it with playahead train video")
    values = {name: value for name, value in features.items() if name != "kind"}
    return build(StoreFacts, values, f"{predictor.where}: features")


def input_size_of(predictor: AnyPredictor) -> InputSize:
    """Size of the frames that a predictor's features were made of.

    Raises:
        InputError: they were imported, so that they cannot be made of any video here.
    """
    facts = facts_of(predictor)
    if facts.input_size is None:
        fix = "evaluate video and submit read imported features; for video, extract them with a backbone"
        raise InputError(predictor.where, f"was trained on imported features ({facts.weights})", fix)
    return InputSize(*facts.input_size)


def predict_video(source: Path | str, config: PredictConfig | None = None, show: Show = quiet) -> PredictResult:
    """Anticipate what comes next, all through a video; writes an overlay if the options name one.

    Args:
        source: any file or address that FFmpeg reads, or "-" for standard input.
        config: weights, times and minimum confidence.
        show: progress, called for every second of video.

    Raises:
        InputError: the video or the weights cannot be read, or they do not belong together.
    """
    config = config or PredictConfig()
    every_ms = round((config.every or EVERY_S) * 1000)
    if every_ms % _FRAME_MS:
        what = f"{config.every} s is not a whole number of frames ({_FRAME_MS} ms each)"
        raise InputError("PredictConfig.every", what)
    if config.overlay is not None and source == STANDARD_INPUT:
        fix = "save the video, then predict on the file"
        raise InputError("PredictConfig.overlay", "standard input cannot be read twice", fix)
    model = VideoModel.open(config.weights, config.backbone, config.device)
    decoder = config.decoding_options.decoder(model.predictor)
    notices = Notices()
    for text in model.notices:
        notices.add(text)
    stretch = _encode(source, model, config, every_ms, notices, show)
    times_ms = stretch.times_ms(config.start_ms(GRID.window_ms), every_ms)
    wanted = config.actions
    answers = model.predictor.answers_at(stretch, times_ms, config.min_confidence, decoder)
    result = PredictResult(
        source=shown(source),
        kind="video",
        expected=[
            anticipation.at(time_ms, stretch.seen_ms(time_ms))
            for time_ms, anticipations in zip(times_ms.tolist(), answers.listed, strict=True)
            for anticipation in anticipations
            if anticipation.action in wanted
        ],
        spotted=spotted_marks(stretch.encoder, stretch.start_ms, min_spotted(config.min_confidence), model.classes),
        every_ms=every_ms,
        min_C=tuple(min_confidences(config.min_confidence, decoder.shown).tolist()),
        notices=[],
        times_ms={(0, 0): times_ms},
        chances={(0, 0): (answers.chance_OHC, answers.side_O)},
    )
    for text in config.short_notices(times_ms, trained_for_it=False):
        notices.add(text)
    if config.overlay is not None:
        span_ms = (int(times_ms[0]), config.end_ms)
        timeline = result.timeline(result.spotted, times_ms.tolist())
        write_overlay(source, config.overlay, timeline, span_ms, config.stream, notices)
    return replace(result, notices=notices.lines)


@dataclass(frozen=True)
class _Stretch:
    """A part of a video that was encoded, as an observation source; ``start_ms`` is its first frame's time."""

    start_ms: int
    encoder: VideoEncoder

    def times_ms(self, first_ms: int, every_ms: int) -> NDArray[np.int64]:
        """Times to anticipate from: after 30 s of the stretch, unless it begins with the video."""
        first = max(first_ms, self.start_ms + (OBSERVATION_MS if self.start_ms else 0))
        end_ms = self.start_ms + self.encoder.n_frames * 1000 // GRID.fps
        return np.arange(first, end_ms + 1, every_ms, dtype=np.int64)

    def seen_ms(self, until_ms: int) -> int:
        """Length of the 30 s before a time that was seen, in whole windows."""
        return min((until_ms - self.start_ms) // GRID.window_ms * GRID.window_ms, OBSERVATION_MS)

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows (W, N, F) of the examples that end at these times, which lie 5 s apart."""
        # The first example needs the five windows before its last one; each further example adds one window.
        ends_W = (end_ms - self.start_ms) * GRID.fps // 1000
        before_W = ends_W[0] - np.arange(GRID.n_windows - 1, 0, -1) * GRID.window_frames
        return self.encoder.windows(np.r_[before_W, ends_W])


def _encode(
    source: Path | str, model: VideoModel, config: PredictConfig, every_ms: int, notices: Notices, show: Show
) -> _Stretch:
    """Encode the part of the video that the answers rest on; it is opened once."""
    start_ms = max(0, config.start_ms(GRID.window_ms) - OBSERVATION_MS)
    stop_s = None if config.end_ms is None else config.end_ms / 1000
    if is_stream(source):
        show(Progress(f"waiting for {shown(source)}", 0, 1, ""))
    # Windows lie as far apart as answers do, and as the grid does: that is a stride of both.
    stride = int(np.gcd(every_ms * GRID.fps // 1000, GRID.window_frames))
    encoder = VideoEncoder(model.backbone, stride)
    decoder = VideoDecoder(source, model.input_size.draw, start_ms / 1000, stop_s, config.stream)
    advance = None
    for _, gray_HW in ahead(decoder, notices):
        if advance is None:  # by now the video is open and says how long it is
            lasts_s = 0.0 if is_stream(source) else decoder.lasts_s or 0.0
            stretch_s = (stop_s or lasts_s) - start_ms / 1000
            advance = counter(show, f"encoding {shown(source)}", max(stretch_s, 1), "s of video")
        encoder.push(gray_HW)
        advance(1 / GRID.fps)
    shortest_ms = GRID.window_ms if config.short else OBSERVATION_MS
    if encoder.n_frames * 1000 < shortest_ms * GRID.fps:
        what = f"{encoder.n_frames / GRID.fps:.1f} s from {start_ms / 1000:.0f} s on"
        fix = "choose an earlier start or a longer video, or short answers from what there is"
        raise InputError(shown(source), f"{what}, an observation needs {shortest_ms // 1000} s", fix)
    return _Stretch(start_ms, encoder)


def min_spotted(wanted: MinConfidence) -> float:
    """Confidence from which on a spotted action is shown: bounds by class are of anticipations."""
    return max(float(wanted), SPOTTED_CONFIDENCE) if isinstance(wanted, float | int) else SPOTTED_CONFIDENCE


def spotted_marks(encoder: VideoEncoder, start_ms: int, min_confidence: float, classes: frozenset[str]) -> list[Mark]:
    """Actions that the backbone's classifier sees, in time order, of the classes that it was taught."""
    centres, scores_TC = encoder.spotted()
    peaks = pick_peaks(scores_TC, start_ms + centres * 1000 // GRID.fps, min_confidence)
    return [
        Mark(int(peaks.time_ms[i]), ACTIONS[peaks.class_index[i]], round(float(peaks.score[i]), 4))
        for i in np.argsort(peaks.time_ms, kind="stable")
        if ACTIONS[peaks.class_index[i]] in classes
    ]
