"""Predictor: what its confidences mean."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.slots import SlotLogits
from playahead.variants.config import CriterionConfig
from playahead.variants.losses import build_criterion
from tests.support.paper import targets


class OneSlot(nn.Module):
    """Says the same of every example."""

    def __init__(self) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.zeros(()))

    def forward(self, windows):
        n = len(windows)
        return AnticipatorOutput(SlotLogits(self.logit.expand(n, 1), torch.zeros(n, 1, 10), torch.zeros(n, 1, 20)))


@pytest.mark.parametrize("positive_weight", [1.0, 5.0, 2.5])
def test_objectness_is_a_chance_whatever_matched_slots_weighed(positive_weight):
    """One example in ten has an event. The loss's own optimum at weight 5 is 0.36; what is read is 0.1."""
    config = CriterionConfig(positive_weight=positive_weight, intensity_weight=0.0, presence_weight=0.0)
    criterion = build_criterion(config, "slots", np.ones(10, np.float32), torch.device("cpu"))
    network = OneSlot()
    wanted = targets([(0, 0.5)], *[[]] * 9)
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=50)

    def closure():
        optimizer.zero_grad()
        loss = criterion(network(torch.zeros(10, 6)), [(1.0, wanted)])["objectness"]
        loss.backward()
        return loss

    optimizer.step(closure)
    optimum = 0.1 * positive_weight / (0.1 * positive_weight + 0.9)
    assert network.logit.sigmoid().item() == pytest.approx(optimum, abs=1e-3)
    losses = {"positive_weight": positive_weight, "intensity_weight": 0.0}
    found = Predictor(network, {"train": {"criterion": losses}}).predict(np.zeros((1, 6), np.float32))
    assert found.objectness_OK[0] == pytest.approx([0.1], abs=1e-3)
    (own,) = found.network_objectness_OK[0]
    assert own == pytest.approx(network.logit.sigmoid().item(), rel=1e-5), "the paper's o_k, which its threshold reads"


def test_with_the_intensity_likelihood_objectness_is_read_as_it_is():
    predictor = Predictor(OneSlot(), {"train": {"criterion": {"positive_weight": 5.0, "intensity_weight": 1.0}}})
    assert predictor.predict(np.zeros((1, 6), np.float32)).objectness_OK[0, 0] == 0.5


@pytest.mark.parametrize("weight", [0, -1.0, math.inf, "5", None])
def test_a_weight_that_cannot_be_is_refused(weight):
    with pytest.raises(InputError, match="positive_weight"):
        Predictor(OneSlot(), {"train": {"criterion": {"positive_weight": weight}}}).objectness_weight  # noqa: B018
