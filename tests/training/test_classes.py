"""Classes that a dataset does not annotate take no part in losses, sampling, scores or answers."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from playahead.cli.main import run
from playahead.datasets.dataset import Dataset
from playahead.datasets.evaluation_set import VideoEvaluationSet
from playahead.datasets.sampling import inverse_frequency
from playahead.datasets.video_examples import VideoExamples
from playahead.domain.actions import ACTIONS, Action
from playahead.evaluation.evaluate import evaluate
from playahead.evaluation.exact import area_of_counts
from playahead.evaluation.official import average_precision, benchmark_average, count_detections
from playahead.evaluation.scores import AREA, average_of, load_scores, save_scores, score
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.lab.recipes import paper_small
from playahead.lab.simulation.plays import simulate_half
from playahead.model.anticipator import AnticipatorOutput
from playahead.model.config import AnticipatorConfig
from playahead.sources.feed_tables import write_feed_table
from playahead.training.criterion import Criterion, CriterionConfig
from playahead.training.run import train
from tests.datasets.test_video_examples import F, recording
from tests.training.test_criterion import CPU, ONES, silent
from tests.training.test_matcher import logits, targets

CLASSES = tuple(c for c, action in enumerate(ACTIONS) if action not in (Action.DRIVE, Action.BLOCK))
OTHERS = [c for c in range(len(ACTIONS)) if c not in CLASSES]
ANNOTATED = torch.tensor([c in CLASSES for c in range(len(ACTIONS))])
FEATURES = {"kind": "video", "weights": "w", "input_size": "i", "precision": "p"}
EVENTS = [(31_000, Action.PASS), (33_000, Action.SHOT), (38_000, Action.OUT), (44_000, Action.PASS)]


def annotated(seed: int):
    return replace(recording(10, EVENTS, name=f"v{seed}", seed=seed), classes=CLASSES)


@pytest.mark.parametrize("balanced", [False, True])
def test_losses_do_not_see_the_other_classes(balanced):
    config = CriterionConfig(intensity_weight=1.0, class_balance=balanced, observation="segmentation")
    criterion = Criterion(config, inverse_frequency(np.array([9, 0, 1, 1, 1, 1, 1, 1, 0, 1]), CLASSES), CPU, CLASSES)
    wanted = targets([(4, 0.33), (0, 0.7)])
    presence = torch.zeros(1, 1, 33, len(ACTIONS)).requires_grad_()
    slots = logits(5)
    found = []
    for moved in (0.0, 7.0):
        class_OKC = slots.class_OKC.clone()
        class_OKC[..., OTHERS] += moved
        class_OKC.requires_grad_()
        output = AnticipatorOutput(slots._replace(class_OKC=class_OKC), None, presence).of_classes(ANNOTATED)
        losses = criterion(output, [(1.0, replace(wanted, presence_BWNC=torch.zeros(1, 6, 33, len(ACTIONS))))])
        losses["total"].backward()
        assert not class_OKC.grad[..., OTHERS].any()
        assert not presence.grad[..., OTHERS].any()
        found.append({name: value.item() for name, value in losses.items()})
    assert found[0] == found[1]


def test_an_uninformed_class_costs_the_logarithm_of_those_there_are():
    """Also with label smoothing, which would otherwise ask for a share of what is never there."""
    output = AnticipatorOutput(silent(), torch.zeros(1, 32, len(ACTIONS)), None).of_classes(ANNOTATED)
    losses = Criterion(CriterionConfig(), ONES, CPU, CLASSES)(output, [(1.0, targets([(4, 0.33)]))])
    assert losses["class"].item() == pytest.approx(math.log(len(CLASSES)))
    assert losses["dense"].item() == pytest.approx(32 * len(CLASSES) * math.log(2))


def test_inverse_frequency_is_of_the_annotated():
    weight_C = inverse_frequency(np.array([30, 0, 10, 10, 10, 10, 10, 10, 0, 30]), CLASSES)
    assert weight_C[[0, 2]].tolist() == pytest.approx([0.5, 1.5])


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


class Recorded(Dataset):
    """Eight classes on three recordings."""

    features = FEATURES

    def training_examples(self, examples, degraded=0.0, augment=True):
        return VideoExamples([annotated(0), annotated(1)], examples)

    def evaluation_set(self, split):
        return VideoEvaluationSet([annotated(2)], FEATURES, split)

    def validation_sample(self, matches):
        return self.evaluation_set("val")

    def training_halves(self):
        raise NotImplementedError

    def digest(self, *splits):
        return "recorded"


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


def test_a_class_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"model.classes: 'GOAL', of PASS, DRIVE"):
        AnticipatorConfig(feature_dim=8, classes=("PASS", "GOAL"))


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
