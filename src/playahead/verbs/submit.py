"""``playahead submit``: write a submission, or look for what is wrong with one."""

import sys
from pathlib import Path

import numpy as np

from playahead.decoding.anticipations import anticipations_of
from playahead.domain.feed import feed_of_actions
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Anticipation, Clip
from playahead.errors import InputError
from playahead.features.feed import prepare_track, window_features
from playahead.sources.soccernet_baa import read_baa_split
from playahead.submission.check import check_submission
from playahead.submission.write import perfect_answer, write_submission
from playahead.verbs import show

_SOMEWHERE_MS = 22 * 60_000  # a clip does not say when in its half it lies: the middle


def submit(
    labels: Path | None = None,
    weights: Path | None = None,
    features: Path | None = None,
    out: Path = Path("submission"),
    check: Path | None = None,
    perfect: bool = False,
    json: bool = False,
) -> int:
    """Write ``results_anticipation.json`` and its zip, or check them before the server does.

    Args:
        labels: Labels-ball.json of the split (or its folder): which clips there must be, and what is seen in them.
        weights: of the model. Without ``features`` an event-feed model (the packaged one if not given) anticipates each
            clip from its observed actions.
        features: store of the clips' video features.
        out: folder to write to.
        check: a zip or JSON to check; nothing is written.
        perfect: write the ground truth as a submission: what a perfect answer scores.
        json: what was written, or the problems found, as JSON on standard output.
    """
    clips = read_baa_split(labels).clips if labels else None
    if check is not None:
        return _check(check, [clip.name for clip in clips] if clips is not None else None, json)
    if not clips:
        raise InputError("submit", "needs --labels with clips in it, or --check FILE")
    if perfect:
        answer = perfect_answer(clips)
    elif features is not None:
        answer = _anticipated_from_video(labels, features, weights)  # type: ignore[bad-argument-type]
    else:
        answer = _anticipated(clips, weights)
    results, archive = write_submission(out, answer)
    if json:
        show.print_json({"results": str(results), "archive": str(archive), "clips": len(clips)})
    else:
        sys.stdout.write(f"{results}\n{archive}\n")
    return 0


def _check(path: Path, names: list[str] | None, json: bool) -> int:
    problems = check_submission(path, names)
    if json:
        show.print_json({"path": str(path), "problems": problems})
    else:
        for problem in problems:
            sys.stdout.write(f"{path}: {problem}\n")
        unseen = "" if names is not None else " (give --labels to also check which clips are there)"
        sys.stdout.write(f"{path}: {len(problems) or 'no'} problems found{unseen}\n")
    return 2 if problems else 0


def _anticipated(clips: list[Clip], weights: Path | None) -> dict[str, list[Anticipation]]:
    """Each clip on its own: only its own observed actions are seen, whatever its neighbours show."""
    # Here and not above: checking a submission needs no torch.
    from playahead.api import load
    from playahead.learning.inference import read_passages

    loaded = load(weights)
    seen = sum(len(clip.observation) for clip in clips)
    show.errors.print(
        f"anticipating {len(clips):,} clips from their {seen:,} observed actions in the labels, not from video"
    )
    ends_W = _SOMEWHERE_MS + np.arange(GRID.window_ms, OBSERVATION_MS + 1, GRID.window_ms)
    tracks = [prepare_track(feed_of_actions(clip.observation, _SOMEWHERE_MS)) for clip in clips]
    features_BWNF = np.stack([window_features(track, ends_W) for track in tracks])
    listed = anticipations_of(loaded.decoder.scores(read_passages(loaded.model, features_BWNF)))
    return {clip.name: records for clip, records in zip(clips, listed, strict=True)}


def _anticipated_from_video(labels: Path, features: Path, weights: Path | None) -> dict[str, list[Anticipation]]:
    """Each clip from its own six windows."""
    from playahead.decoding.decoder import decoder_of
    from playahead.features.store import FeatureStore
    from playahead.learning.checkpoint import load_video_model
    from playahead.learning.inference import join_readings, read_passages
    from playahead.verbs.recordings import recordings_of_split, require_observations

    if weights is None:
        raise InputError("submit", "--features needs --weights")
    store = FeatureStore(features)
    model, about = load_video_model(weights, store.facts.weights)
    decoder = decoder_of(about, "marginal")
    clips, recordings = recordings_of_split(store, labels)
    require_observations(recordings, store)
    with show.counted_progress(f"anticipating {len(clips):,} clips", len(clips)) as advance:
        readings = []
        for recording in recordings:
            readings.append(read_passages(model, recording.passage(0, GRID.n_windows)[None]))
            advance()
    listed = anticipations_of(decoder.scores(join_readings(readings)))
    return {clip.name: records for clip, records in zip(clips, listed, strict=True)}
