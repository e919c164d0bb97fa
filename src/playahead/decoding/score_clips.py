"""The benchmark's figures for anticipations as records."""

from collections.abc import Mapping, Sequence

from playahead.decoding.anticipations import frames_of
from playahead.domain.records import Anticipation, Clip
from playahead.evaluation.frames import FrameTable, clip_labels
from playahead.evaluation.official import benchmark_average, count_detections, metrics_from_counts
from playahead.io.errors import InputError


def score_clips(clips: Sequence[Clip], anticipations: Mapping[str, Sequence[Anticipation]]) -> dict[str, object]:
    """Score anticipations by clip name; a clip that they lack is empty.

    Raises:
        InputError: no clips, or labels that are withheld.

    Returns:
        The upstream scorer's metric names (``at1`` ... ``tightV2``) and ``"average"`` of the six tolerances.
    """
    if not clips or any(clip.anticipation is None for clip in clips):
        raise InputError("score", "needs clips, and none whose labels are withheld")
    scores_NRV = frames_of([anticipations.get(clip.name, ()) for clip in clips])
    counts = count_detections(FrameTable(*clip_labels(clips), scores_NRV))
    return {"average": benchmark_average(counts), **metrics_from_counts(counts)}
