"""Anticipations all through a video, and the actions spotted on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.fast import FastBackbone, Precision
from playahead.decoding.marginal import pick_peaks
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Mark
from playahead.features.store import StoreFacts
from playahead.features.streaming import StreamFeatures, encode_stream
from playahead.inference.predictor import Predictor
from playahead.inference.result import Expected, PredictConfig, PredictResult, short_notices
from playahead.io.assets import packaged_weights
from playahead.io.errors import InputError
from playahead.io.progress import Progress, Show, counter, quiet
from playahead.io.runtime import emulates_bfloat16, pick_device
from playahead.io.settings import build
from playahead.video.input_size import InputSize
from playahead.video.overlay import write_overlay
from playahead.video.reader import probe, read_frames
from playahead.video.source import STANDARD_INPUT, is_stream, shown
from playahead.video.timeline import Timeline

SIMULATED_NOTICE = (
    "these weights were trained on simulated broadcasts only: on real football their output is meaningless; "
    "give --backbone and --weights of your own"
)
SPOTTED_CONFIDENCE = 0.5
"""Spotted actions below this are not shown: a focal loss leaves everything else between 0.2 and 0.4."""
EVERY_S = 1.0
_FRAME_MS = 1000 // GRID.fps


@dataclass(frozen=True)
class VideoModel:
    """What turns frames into anticipations.

    Attributes:
        predictor: trained on the backbone's features.
        backbone: on its device.
        input_size: that frames are drawn at.
        classes: that the backbone was taught to spot.
        notices: what a reader must know of both.
    """

    predictor: Predictor
    backbone: FastBackbone
    input_size: InputSize
    classes: frozenset[str]
    notices: list[str]

    @classmethod
    def open(cls, weights: Path | None, backbone: Path | None, device: str) -> "VideoModel":
        """Open both, the packaged ones where none are given.

        Raises:
            InputError: they cannot be read, or do not belong together.
        """
        network, provenance = load_backbone(backbone or packaged_weights("simulated-backbone"))
        predictor = Predictor.open(weights or packaged_weights("simulated-video"), device=device)
        facts = facts_of(predictor)
        predictor.check({"kind": "video", **asdict(facts), "weights": weights_digest(network)})
        taught = provenance.get("classes")
        precision, told = _precision(facts.precision, device)
        leak = [str(provenance["notice"])] if "notice" in provenance else []
        return cls(
            predictor=predictor,
            backbone=FastBackbone(network, precision, device=pick_device(device)),
            input_size=InputSize(*facts.input_size),
            classes=frozenset(taught if isinstance(taught, list) else map(str, ACTIONS)),
            notices=[*([] if backbone else [SIMULATED_NOTICE]), *leak, *told],
        )


def facts_of(predictor: Predictor) -> StoreFacts:
    """What made the features that a predictor was trained on.

    Raises:
        InputError: they were no features of video, or their description is damaged.
    """
    features = predictor.about.get("features")
    if not isinstance(features, Mapping) or features.get("kind") != "video":
        raise InputError(predictor.where, "was not trained on video features", "train it with playahead train video")
    values = {name: value for name, value in features.items() if name != "kind"}
    return build(StoreFacts, values, f"{predictor.where}: features")


def predict_video(source: Path | str, config: PredictConfig | None = None, show: Show = quiet) -> PredictResult:
    """Anticipate what comes next, all through a video; writes the overlay if one is asked for.

    Args:
        source: any file or address that FFmpeg reads, or "-" for standard input.
        config: from which weights, at which times, how certain.
        show: told about every second of video.

    Raises:
        InputError: the video or the weights cannot be read, or they do not belong together.
    """
    config = config or PredictConfig()
    every_ms = _whole_frames_ms(config.every or EVERY_S)
    if config.overlay is not None and source == STANDARD_INPUT:
        raise InputError("--overlay", "standard input cannot be read twice", "save the video, then predict on the file")
    model = VideoModel.open(config.weights, config.backbone, config.device)
    decoder = config.decoding_options.decoder(model.predictor)
    stream = _encode(source, model, config, every_ms, show)
    times_ms = stream.ends_ms(config.start_ms(GRID.window_ms), every_ms)
    listed = model.predictor.anticipate_at(stream, times_ms, config.min_confidence, decoder)
    expected = [
        Expected.of(anticipation, int(time_ms), stream.seen_ms(int(time_ms)))
        for time_ms, found in zip(times_ms, listed, strict=True)
        for anticipation in found
    ]
    least = max(config.min_confidence, SPOTTED_CONFIDENCE)
    result = PredictResult(
        source=shown(source),
        kind="video",
        expected=expected,
        spotted=spotted_marks(stream.spotting_TC, stream.centre_ms_T, least, model.classes),
        every_ms=every_ms,
        min_confidence=config.min_confidence,
        notices=[*model.notices, *short_notices(config, times_ms, trained_for_it=False)],
        times_ms={(0, 0): times_ms},
    )
    if config.overlay is not None:
        span_ms = (int(times_ms[0]), config.end_ms)
        write_overlay(source, config.overlay, _timeline(result, times_ms.tolist()), span_ms, config.stream)
    return result


def _encode(source: Path | str, model: VideoModel, config: PredictConfig, every_ms: int, show: Show) -> StreamFeatures:
    """Features of the stretch that the times asked for rest on."""
    start_ms = max(0, config.start_ms(GRID.window_ms) - OBSERVATION_MS)
    if is_stream(source):
        show(Progress(f"waiting for {shown(source)}", 0, 1, ""))
    lasts_s = (
        None if is_stream(source) or config.end_ms is not None else probe(source, config.stream).duration_s
    ) or 0.0
    stretch_s = (config.end_ms or lasts_s * 1000) / 1000 - start_ms / 1000
    advance = counter(show, f"encoding {shown(source)}", max(stretch_s, 1), "s of video")
    frames = read_frames(
        source,
        model.input_size,
        start_ms / 1000,
        None if config.end_ms is None else config.end_ms / 1000,
        config.stream,
    )
    shortest_ms = GRID.window_ms if config.short else OBSERVATION_MS
    return encode_stream(
        frames,
        model.backbone,
        start_ms,
        every_ms,
        shortest_ms,
        shown(source),
        lambda n_frames: advance(n_frames / GRID.fps),
    )


def spotted_marks(
    scores_TC: NDArray[np.float32], time_ms_T: NDArray[np.int64], min_confidence: float, classes: frozenset[str]
) -> list[Mark]:
    """Peaks of the backbone's classifier in time order, of the classes that it was taught."""
    found = pick_peaks(scores_TC, time_ms_T, min_confidence)
    return [
        Mark(int(found.time_ms[i]), ACTIONS[found.class_index[i]], round(float(found.score[i]), 4))
        for i in np.argsort(found.time_ms, kind="stable")
        if ACTIONS[found.class_index[i]] in classes
    ]


def _timeline(result: PredictResult, times_ms: Sequence[int]) -> Timeline:
    by_time: dict[int, list[Mark]] = {time_ms: [] for time_ms in times_ms}
    actions = {str(action): action for action in ACTIONS}
    for e in result.expected:
        by_time[e.observed_until_ms].append(Mark(e.time_ms, actions[e.action], e.confidence))
    return Timeline(result.spotted, times_ms, list(by_time.values()))


def _precision(trained: Precision, device: str) -> tuple[Precision, list[str]]:
    """The precision of the features that the weights were trained on, unless it is emulated; what to say then."""
    if trained == "bfloat16" and emulates_bfloat16(device):
        return "float32", ["trained on bfloat16 features, which this processor emulates slowly: float32 is used"]
    return trained, []


def _whole_frames_ms(seconds: float) -> int:
    every_ms = round(seconds * 1000)
    if every_ms % _FRAME_MS:
        raise InputError("--every", f"{seconds} s is not a whole number of frames ({_FRAME_MS} ms each)")
    return every_ms
