"""Scores of a submission, whoever wrote it."""

from pathlib import Path

from playahead.evaluation.evaluate import Evaluation
from playahead.evaluation.exact import timed_events_of_clips
from playahead.evaluation.official import count_detections
from playahead.evaluation.submission.write import frame_table, read_results, timed_events_of_results
from playahead.io.errors import InputError
from playahead.sources.soccernet import read_baa_split


def evaluate_submission(results: Path, labels: Path) -> Evaluation:
    """Score ``results_anticipation.json`` or its zip; clips that it lacks are empty.

    Args:
        results: the submission.
        labels: Labels-ball.json of the split, or its folder.

    Raises:
        InputError: labels that are withheld, or a file that cannot be read.
    """
    split = read_baa_split(labels)
    withheld = [clip.name for clip in split.clips if clip.anticipation is None]
    if withheld:
        raise InputError(split.path, f"labels of {len(withheld)} clips are withheld", "only the server can score them")
    if not split.clips:
        raise InputError(split.path, "holds no clips")
    entries = read_results(results)
    table = frame_table(split.clips, entries, results)
    timed = (timed_events_of_clips(split.clips), timed_events_of_results(split.clips, entries, results))
    return Evaluation(count_detections(table), [table], [timed])
