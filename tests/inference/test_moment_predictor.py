"""The model of a moment: NumPy's answers are PyTorch's, and one moment's are the same alone and among others."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from playahead.domain.actions import ACTIONS
from playahead.features.forms import FEED_FEATURES, Reading
from playahead.inference.moment_predictor import MomentPredictor, open_moment_predictor
from playahead.inference.open_predictor import open_predictor
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.tensors import read_tensors, write_tensors
from playahead.lab.recipes import recipe
from playahead.lab.simulation.plays import simulate_half
from playahead.variants.model import build

TIMES_MS = np.arange(1_000, 100_000, 1_000)


def random_model(path, name: str, classes: tuple[str, ...] = ()) -> Predictor:
    """A small network with random weights, saved."""
    torch.manual_seed(0)
    config = recipe(name)
    config = replace(config, model=replace(config.model, d_model=32, ffn_dim=16, heads=2, classes=classes))
    network = build(config.model)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    decoders = {"marginal": {"kind": "marginal"}}
    about = {"train": asdict(config), "features": config.reading.description, "decoders": decoders}
    predictor = Predictor(network, about)
    predictor.save(path)
    return predictor


@pytest.mark.parametrize(("name", "classes"), [("now", ()), ("feed", ()), ("feed", ("PASS", "SHOT"))])
def test_numpy_answers_as_pytorch_does(tmp_path, name, classes):
    theirs = random_model(tmp_path / "w.safetensors", name, classes)
    ours = open_predictor(tmp_path / "w.safetensors")
    assert isinstance(ours, MomentPredictor)
    moments = ours.prepare(simulate_half(0, minutes=3)).windows(TIMES_MS)[None]
    one, other = (predictor.predict(moments) for predictor in (ours, theirs))
    np.testing.assert_allclose(one.probability_ORC, other.probability_ORC, rtol=2e-5, atol=1e-7)
    np.testing.assert_allclose(one.where_OC3, other.where_OC3, atol=1e-5)
    never = [c for c, action in enumerate(ACTIONS) if classes and action not in classes]
    assert not one.probability_ORC[:, :, never].any()


def test_a_moment_is_answered_alike_alone_and_among_others(tmp_path):
    random_model(tmp_path / "w.safetensors", "feed")
    predictor = open_predictor(tmp_path / "w.safetensors")
    moments = predictor.prepare(simulate_half(0, minutes=3)).windows(TIMES_MS)
    together = predictor.predict(moments[None])
    for place in (0, 17, 98):
        alone = predictor.answer(predictor.encode(moments[place : place + 1]), np.array([[0]]))
        np.testing.assert_array_equal(alone.probability_ORC[0], together.probability_ORC[place])
        np.testing.assert_array_equal(alone.where_OC3[0], together.where_OC3[place])


def test_it_is_shown_no_hindsight_and_says_how_it_reads(tmp_path):
    predictor = random_model(tmp_path / "w.safetensors", "feed")
    assert predictor.reading == Reading("rows", hindsight=False)
    assert open_predictor(tmp_path / "w.safetensors").reading == predictor.reading


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda arrays: arrays.pop("heads.rates.bias"), "do not fit the network: heads.rates.bias"),
        (lambda arrays: arrays["encoder.enter.bias"].fill_(np.nan), "encoder.enter.bias holds NaN"),
        (lambda arrays: arrays.update({"heads.rates.bias": torch.zeros(3)}), r"heads.rates.bias is float32 \(3,\)"),
    ],
)
def test_damaged_weights_are_named(tmp_path, damage, said):
    path = tmp_path / "w.safetensors"
    random_model(path, "feed")
    arrays, about = read_tensors(path)
    damage(arrays)
    write_tensors(path, arrays, about)
    for opened in (open_moment_predictor, lambda path: open_predictor(path, FEED_FEATURES)):
        with pytest.raises(InputError, match=said):
            opened(path)


def test_a_model_of_other_columns_is_refused(tmp_path):
    predictor = random_model(tmp_path / "w.safetensors", "feed")
    predictor.about["features"] = {"kind": "feed", "names": ["age"]}
    predictor.save(tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="was not trained on the event-feed features of this version"):
        open_predictor(tmp_path / "w.safetensors")
