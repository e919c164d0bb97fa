"""``playahead evaluate``: the benchmark's score of frames, of a submission, or of weights on a feed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playahead.decoding.decoder import Decoder, decoder_of
from playahead.domain.actions import ACTIONS
from playahead.domain.records import Clip
from playahead.errors import InputError
from playahead.evaluation.bootstrap import bootstrap_interval
from playahead.evaluation.exact import Moments, moments_of_clips, moments_of_frames, score_exactly
from playahead.evaluation.frames import load_frame_case
from playahead.evaluation.official import (
    BENCHMARK_METRICS,
    ThresholdCounts,
    benchmark_average,
    count_detections,
    metrics_from_counts,
    score_videos,
)
from playahead.sources.feed_tables import read_split
from playahead.sources.soccernet_baa import read_baa_split
from playahead.submission.write import frame_table, moments_of_results, read_results
from playahead.verbs import show

if TYPE_CHECKING:
    from torch import nn

    from playahead.learning.matches import Matches


_CLIPS_DRAWN = ": runs of five minutes, as clips do not say theirs"


@dataclass(frozen=True)
class Scored:
    """What was scored, ready to be shown.

    ``moments`` makes (events, predictions) in continuous time, if asked for; ``drawn`` says what stands for matches in
    ``by_match`` where they are not known.
    """

    title: str
    counts: ThresholdCounts
    moments: Callable[[], list[tuple[Moments, Moments]]]
    by_match: list[ThresholdCounts] | None = None
    drawn: str = ""


def evaluate(
    frames: Path | None = None,
    labels: Path | None = None,
    predictions: Path | None = None,
    features: Path | None = None,
    feed: Path | None = None,
    split: str = "val",
    weights: Path | None = None,
    decoding: str = "marginal",
    tau: float | None = None,
    time: Literal["argmax", "expected"] | None = None,
    rescue: bool = False,
    exact: bool = False,
    json: bool = False,
) -> None:
    """Score by the official metric, to the last bit.

    Args:
        frames: a .npz of the golden cases' layout.
        labels: Labels-ball.json (or its folder), with ``predictions``, or with ``features`` and ``weights``.
        predictions: results_anticipation.json or the zip.
        features: store of the labelled clips' video features, to score weights on.
        feed: folder of compact feed tables, with ``split`` and ``weights``.
        split: of the feed: train, val or test.
        weights: of the model to score; for a feed the packaged ones if not given. Weights trained end to end need
            ``labels`` alone.
        decoding: of the model: marginal or threshold, as it was chosen on validation.
        tau: threshold decoding with this objectness instead of the chosen one.
        time: threshold decoding with this reading of a slot's time instead of the chosen one.
        rescue: threshold decoding that fills clips left empty with their likeliest slot.
        exact: also every threshold and continuous time (slower).
        json: one JSON document on standard output.
    """
    if predictions is not None and weights is not None:
        raise InputError("evaluate", "takes --predictions or --weights, not both")
    given = [name for name, value in (("frames", frames), ("labels", labels), ("feed", feed)) if value]
    if len(given) != 1:
        raise InputError("evaluate", "needs exactly one of --frames, --labels, --feed")
    if frames is not None:
        tables = load_frame_case(frames)
        scored = Scored(frames.name, score_videos(tables), lambda: [moments_of_frames(table) for table in tables])
    elif labels is not None and features is None and weights is None:
        scored = _score_submission(labels, predictions)
    else:
        asked = {"tau": tau, "time": time, "rescue": rescue or None}
        changes = {name: value for name, value in asked.items() if value is not None}
        if changes and decoding != "threshold":
            raise InputError(f"--{next(iter(changes))}", "is of threshold decoding", "add --decoding threshold")
        if feed is not None:
            scored = _score_feed(feed, split, weights, decoding, changes)
        else:
            assert labels is not None
            if features is None:
                scored = _score_frames(labels, weights, decoding, changes)
            else:
                scored = _score_video(labels, features, weights, decoding, changes)
    _show(scored, exact, json)


def _score_submission(labels: Path, predictions: Path | None) -> Scored:
    if predictions is None:
        raise InputError("evaluate", "--labels needs --predictions")
    split = read_baa_split(labels)
    _require_labels(split.path, split.clips)
    results = read_results(predictions)
    counts = count_detections(frame_table(split.clips, results, predictions))
    return Scored(
        str(predictions),
        counts,
        lambda: [(moments_of_clips(split.clips), moments_of_results(split.clips, results, predictions))],
    )


def _require_labels(path: Path, clips: Sequence[Clip]) -> None:
    withheld = [clip.name for clip in clips if clip.anticipation is None]
    if withheld:
        raise InputError(path, f"labels of {len(withheld)} clips are withheld", "only the server can score them")
    if not clips:
        raise InputError(path, "holds no clips")


def _score_feed(data: Path, split: str, weights: Path | None, decoding: str, changes: dict[str, Any]) -> Scored:
    # Here and not above: scoring a file needs no torch, and starts in a third of the time without it.
    from playahead.learning.checkpoint import load_feed_model, packaged_weights
    from playahead.learning.matches import FeedMatches

    model, about = load_feed_model(weights or packaged_weights())
    matches = FeedMatches(read_split(data, split))
    title = f"{split}: {len(matches.matches)} matches, {len(matches):,} windows, {decoding} decoding"
    return _score_model(model, replace(decoder_of(about, decoding), **changes), matches, title)


def _score_video(labels: Path, features: Path, weights: Path | None, decoding: str, changes: dict[str, Any]) -> Scored:
    from playahead.features.store import FeatureStore
    from playahead.learning.checkpoint import load_video_model
    from playahead.learning.matches import RecordedMatches
    from playahead.spotting.videos import is_clip_split
    from playahead.verbs.recordings import recordings_of

    if weights is None:
        raise InputError("evaluate", "--features needs --weights")
    store = FeatureStore(features)
    model, about = load_video_model(weights, store.facts.weights)
    folder = labels if labels.is_dir() else labels.parent
    has_clips = is_clip_split(folder)
    if has_clips:
        _require_labels(folder, read_baa_split(folder).clips)
    matches = RecordedMatches(recordings_of(store, folder))
    title = f"{folder}: {len(matches):,} windows, {decoding} decoding"
    scored = _score_model(model, replace(decoder_of(about, decoding), **changes), matches, title)
    return replace(scored, drawn=_CLIPS_DRAWN if has_clips else "")


def _score_frames(labels: Path, weights: Path | None, decoding: str, changes: dict[str, Any]) -> Scored:
    from playahead.endtoend.engine import FilmMatches, load_end_to_end
    from playahead.endtoend.films import find_films
    from playahead.spotting.videos import is_clip_split
    from playahead.verbs.extract import parse_canvas

    assert weights is not None
    model, about = load_end_to_end(weights)
    folder = labels if labels.is_dir() else labels.parent
    matches = FilmMatches(find_films(folder), model.config, parse_canvas(model.config.canvas, "limited"))
    title = f"{folder}: {len(matches):,} windows, end to end, {decoding} decoding"
    scored = _score_model(model, replace(decoder_of(about, decoding), **changes), matches, title)
    return replace(scored, drawn=_CLIPS_DRAWN if is_clip_split(folder) else "")


def _score_model(model: "nn.Module", decoder: Decoder, matches: "Matches", title: str) -> Scored:
    from playahead.learning.inference import join_readings

    with show.counted_progress("reading", len(matches.halves)) as advance:
        scores_ORV = decoder.scores(join_readings(matches.read(model, advance)))
    table = matches.table(scores_ORV)
    by_match = matches.count_by_match(scores_ORV)
    return Scored(title, count_detections(table), lambda: [(matches.moments(), moments_of_frames(table)[1])], by_match)


def _show(scored: Scored, exact: bool, as_json: bool) -> None:
    interval = bootstrap_interval(scored.by_match) if scored.by_match else None
    moments = [score_exactly(*pair) for pair in scored.moments()] if exact else []
    if as_json:
        document: dict[str, object] = {
            "classes": [str(action) for action in ACTIONS],
            "metrics": metrics_from_counts(scored.counts),
            "average": benchmark_average(scored.counts),
        }
        if interval:
            document["average_interval_95"] = [interval.low, interval.high]
        if moments:
            document["exact"] = [{"average": m.average, "average_area": m.average_area} for m in moments]
        show.print_json(document)
        return
    console = show.out()
    console.print(show.score_table(scored.counts, f"average precision, {scored.title}"))
    if interval:
        console.print(
            f"average of {len(BENCHMARK_METRICS)} tolerances {interval} (95 %, matches drawn again{scored.drawn})"
        )
    for scores in moments:
        console.print(
            f"every threshold and continuous time: {100 * scores.average:.2f} (11-point), "
            f"{100 * scores.average_area:.2f} (area)"
        )
