"""``playahead submit``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from playahead.cli import terminal
from playahead.domain.notices import Notices
from playahead.evaluation.submission import check_submission, perfect_answer, write_submission
from playahead.inference.open_predictor import DecodingOptions
from playahead.io.errors import InputError
from playahead.sources.soccernet import read_baa_split


def submit(
    options: DecodingOptions,
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
        options: decoding of the predictions.
        labels: Labels-ball.json of the split (or its folder), which lists its clips and what is seen in them.
        weights: model to use. Without ``features``, an event-feed model (the packaged one if not given) anticipates
            each clip from its observed actions in the labels, not from video.
        features: store of the clips' video features.
        out: folder to write to.
        check: a zip or JSON to check; nothing is written.
        perfect: write the ground truth as a submission.
        json: print the files written, or the problems found, as JSON.
    """
    clips = read_baa_split(labels).clips if labels else None
    if check is not None:
        return _check(check, [clip.name for clip in clips] if clips is not None else None, json)
    if labels is None or not clips:
        raise InputError("labels", "needs a split with clips in it, or --check a file")
    if perfect:
        answer = perfect_answer(clips)
    else:
        from playahead.inference.clips import anticipate_clips  # here and not above: checking needs no torch

        terminal.notice_leak(features)
        notices = Notices()
        with terminal.progress() as show:
            answer = anticipate_clips(labels, weights, features, options, notices, show)
        terminal.show_notices(notices)
    results, archive = write_submission(out, answer)
    if json:
        terminal.print_json({"results": str(results), "archive": str(archive), "clips": len(clips)})
    else:
        sys.stdout.write(f"{results}\n{archive}\n")
    return 0


def _check(path: Path, names: Sequence[str] | None, json: bool) -> int:
    problems = check_submission(path, names)
    if json:
        terminal.print_json({"path": str(path), "problems": problems})
    else:
        for problem in problems:
            sys.stdout.write(f"{path}: {problem}\n")
        unseen = "" if names is not None else " (give --labels to also check which clips are there)"
        sys.stdout.write(f"{path}: {len(problems) or 'no'} problems found{unseen}\n")
    return 2 if problems else 0
