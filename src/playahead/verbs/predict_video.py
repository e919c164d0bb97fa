"""Anticipations rolling through a video, and the actions spotted on the way."""

from pathlib import Path

import numpy as np

from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.fast import FastBackbone
from playahead.decoding.anticipations import anticipations_of
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Anticipation
from playahead.errors import InputError
from playahead.extraction.watch import Watched, watch
from playahead.learning.checkpoint import load_video_model, packaged_weights
from playahead.learning.inference import read_at, read_passage
from playahead.model.anticipator import Anticipator
from playahead.spotting.peaks import pick_peaks
from playahead.verbs import show
from playahead.verbs.extract import packaged_backbone, pick_device
from playahead.verbs.formats import Answer, Line
from playahead.verbs.predict import PredictConfig
from playahead.video.canvas import Canvas
from playahead.video.overlay import write_overlay
from playahead.video.reader import probe
from playahead.video.timeline import Mark, Timeline

SIMULATED_NOTICE = (
    "these weights were trained on simulated broadcasts only: on real football they say nothing; give --backbone and "
    "--weights of your own"
)
SPOTTED_LEAST = 0.5
"""Spotted actions less sure than this are not shown: a focal loss leaves everything else between 0.2 and 0.4."""
_FRAME_MS = 1000 // GRID.fps


def predict_video(source: Path, asked: PredictConfig) -> Answer:
    """Anticipate all through a video; writes the overlay if one is asked for."""
    backbone, provenance = load_backbone(asked.backbone or packaged_backbone())
    weights = asked.weights or packaged_weights("simulated-video")
    model, about = load_video_model(weights, weights_digest(backbone))
    if asked.backbone is None:
        show.errors.print(f"[yellow]note:[/] {SIMULATED_NOTICE}", soft_wrap=True)
    if "notice" in provenance:
        show.errors.print(f"[yellow]note:[/] {provenance['notice']}", soft_wrap=True)
    width, height, luma = about["features"]["canvas"]  # type: ignore[index]
    every_ms = _whole_frames_ms(1.0 if asked.every is None else asked.every)
    start_ms = asked.start_ms - OBSERVATION_MS
    facts = probe(source)
    n_frames = int(((asked.end_ms or (facts.duration_s or 0) * 1000) - start_ms) * GRID.fps / 1000)
    fast = FastBackbone(backbone, device=pick_device(asked.device))
    with show.frame_progress(f"watching {source.name}", max(n_frames, 1)) as advance:
        watched = watch(source, fast, Canvas(width, height, luma), start_ms, asked.end_ms, every_ms, advance)
    ends_O = watched.ends_ms(asked.start_ms, every_ms)
    listed = _anticipate(model, decoder_of(about, "marginal"), watched, ends_O, asked.least)
    found = pick_peaks(watched.spotting_TC, watched.centre_ms_T, least=max(asked.least, SPOTTED_LEAST))
    order = np.argsort(found.time_ms, kind="stable")
    spotted = [
        Mark(int(found.time_ms[i]), ACTIONS[found.class_index[i]], round(float(found.score[i]), 4)) for i in order
    ]
    if asked.overlay is not None:
        _write_overlay(source, asked.overlay, spotted, ends_O, listed, asked.end_ms)
    return _answer(source, asked, spotted, ends_O, listed, every_ms)


def _whole_frames_ms(seconds: float) -> int:
    every_ms = round(seconds * 1000)
    if every_ms % _FRAME_MS:
        raise InputError("--every", f"{seconds} s is not a whole number of frames ({_FRAME_MS} ms each)")
    return every_ms


def _anticipate(
    model: Anticipator, decoder: Decoder, watched: Watched, ends_ms_O: np.ndarray, least: float
) -> list[list[Anticipation]]:
    """Anticipated actions after each moment."""
    listed: list[list[Anticipation]] = [[] for _ in ends_ms_O]
    for places, readings in read_at(lambda ends: read_passage(model, watched.passage(ends)), ends_ms_O):
        for place, records in zip(places, anticipations_of(decoder.probabilities(readings), least), strict=True):
            listed[place] = records
    return listed


def _answer(
    source: Path,
    asked: PredictConfig,
    spotted: list[Mark],
    ends_ms_O: np.ndarray,
    listed: list[list[Anticipation]],
    every_ms: int,
) -> Answer:
    lines = [
        Line(0, 0, int(end), int(end) + a.offset_ms, str(a.action), round(a.confidence, 4))
        for end, records in zip(ends_ms_O, listed, strict=True)
        for a in records
    ]
    title = (
        f"{source.name}: {len(lines)} actions anticipated with confidence of {asked.least:.0%} or more, "
        f"{len(spotted)} spotted"
    )
    return Answer(source.name, title, lines, spotted, every_ms)


def _write_overlay(
    source: Path,
    path: Path,
    spotted: list[Mark],
    ends_ms_O: np.ndarray,
    listed: list[list[Anticipation]],
    end_ms: int | None,
) -> None:
    anticipated = [
        [Mark(int(end) + a.offset_ms, a.action, a.confidence) for a in records]
        for end, records in zip(ends_ms_O, listed, strict=True)
    ]
    timeline = Timeline(spotted, ends_ms_O.tolist(), anticipated)
    write_overlay(source, path, timeline, int(ends_ms_O[0]), end_ms)
    show.errors.print(f"overlay: {path}")
