"""Classes that a dataset does not annotate take no part in losses, sampling, scores or answers."""

import json
from dataclasses import replace

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.datasets.evaluation_set import VideoEvaluationSet
from playahead.domain.actions import ACTIONS, Action
from playahead.evaluation.exact import area_of_counts
from playahead.evaluation.official import average_precision, benchmark_average, count_detections
from playahead.evaluation.scores import AREA, average_of, load_scores, save_scores, score
from playahead.inference.evaluate import evaluate
from playahead.inference.predictor import Predictor
from playahead.lab.recipes import paper_small
from playahead.lab.simulation.plays import simulate_half
from playahead.sources.feed_tables import write_feed_table
from playahead.training.run import train
from tests.support.recordings import F
from tests.support.training import CLASSES, Recorded, annotated

OTHERS = [c for c in range(len(ACTIONS)) if c not in CLASSES]


def test_scores_are_means_over_the_annotated(tmp_path):
    found = VideoEvaluationSet([annotated(0), annotated(1)], {"kind": "video"}, "test")
    scores = np.random.default_rng(0).random((len(found), 32, 11)).astype(np.float32)
    table = found.table(scores)
    everything = count_detections(replace(table, classes=tuple(range(10))))
    counts = count_detections(table)
    assert benchmark_average(counts) == average_precision(everything)[0][:, list(CLASSES)].mean()
    scored = score(scores, found.count_by_match)
    ranked = sum(scored.ranked_M[1:], start=scored.ranked_M[0])
    assert average_of(scored.ranked_M, AREA) == area_of_counts(ranked)[0].mean()
    assert scored.precision_DC.shape == (6, len(CLASSES))
    save_scores(tmp_path / "scores.npz", {"one": scored}, "key")
    assert load_scores(tmp_path / "scores.npz", "key")["one"].area == scored.area


@pytest.mark.parametrize("head", ["slots", "dense"])
def test_weights_remember_what_they_were_taught(head, tmp_path):
    small = paper_small()
    model = replace(small.model, feature_dim=F, d_model=16, heads=2, ffn_dim=16, head=head)
    config = replace(small, model=model, epochs=1, steps_per_epoch=2, sequences=2, examples=1, precision="32-true")
    finished = train(Recorded(), config, tmp_path)
    predictor = Predictor.open(finished.weights)
    assert predictor.network.config.class_indices == CLASSES
    found = Recorded().evaluation_set("test")
    predictions = predictor.predict_all(found)
    assert not predictions.intensity()[..., OTHERS].any()
    assert predictions.intensity()[..., list(CLASSES)].all()
    assert len(evaluate(predictor, found).metrics["at1"]["a_mAP_per_class"]) == len(CLASSES)


def test_a_feed_is_scored_on_what_its_source_reports(tmp_path, capsys):
    """A match as a file, of a source that knows neither drives nor blocks."""
    half = simulate_half(0, minutes=3)
    reported = half.reports - {Action.DRIVE.class_index, Action.BLOCK.class_index}
    write_feed_table(tmp_path / "match.npz", [replace(half.take(np.isin(half.code, list(reported))), reports=reported)])
    assert run(["evaluate", "feed", str(tmp_path / "match.npz"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["classes"] == [str(ACTIONS[c]) for c in CLASSES]
    assert run(["evaluate", "feed", str(tmp_path / "match.npz")]) == 0
    shown = capsys.readouterr().out
    assert "one match has no interval" in shown
    assert "Drive" not in shown
