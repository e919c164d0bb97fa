"""``evaluate(predictor, evaluation_set)``: the only place where a model meets what followed."""

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.decoding.decoder import Decoder
from playahead.evaluation.exact import timed_events_of_frames
from playahead.evaluation.official import count_detections
from playahead.evaluation.reliability import reliability
from playahead.evaluation.scores import Evaluation, score
from playahead.inference.any_predictor import AnyPredictor
from playahead.io.progress import Show, quiet


def evaluate(
    predictor: AnyPredictor, evaluation_set: EvaluationSet, decoder: Decoder | None = None, show: Show = quiet
) -> Evaluation:
    """Score a predictor on an evaluation set.

    Args:
        predictor: any predictor.
        evaluation_set: examples, and what followed each (``datasets.evaluation_set``).
        decoder: decoder of the predictions; the marginal one that the weights carry if None.
        show: function that is called with the progress.

    Raises:
        InputError: the predictor was trained on other features, or has no such decoding.
    """
    predictor.check(evaluation_set.features)
    decoder = decoder or predictor.decoder()
    scores_ORV, confidences_ORV = decoder.decode(predictor.predict_all(evaluation_set, show))
    table, events = evaluation_set.table(scores_ORV), evaluation_set.timed_events()
    timed = (events, timed_events_of_frames(table)[1])
    by_match = score(scores_ORV, evaluation_set.count_by_match)
    reliable = reliability(events, evaluation_set.table(confidences_ORV))
    return Evaluation(count_detections(table), [table], [timed], by_match, evaluation_set.unit, reliable)
