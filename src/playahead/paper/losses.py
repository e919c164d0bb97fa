"""1.4 f to l, z: assign events to slots, compare, add up with weights.

Losses of slots are sums over slots or events, averaged over examples with the weights ``Targets.weight_O``. The loss of
the observation head is summed over a window's steps and classes and averaged over windows. This average is unweighted,
because several examples can share a window.
Axes: O examples, K slots, E events (padded), C classes, T bins, X assigned pairs, B sequences, W windows, P windows
that the observation head looks at, N steps.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.config import LossConfig
from playahead.paper.matcher import Assignment, Matcher, slots_on_host
from playahead.paper.targets import Targets, soft_bins, time_bin

Loss = Callable[[AnticipatorOutput, Targets, Assignment | None], Mapping[str, Tensor]]
"""(output, targets, assignment or None) -> losses by name; an empty mapping if the output lacks what the loss needs."""


class Criterion:
    """The weighted sum of a list of losses.

    Args:
        losses: (weight, loss) pairs.
        matcher: assigns events to slots; None if no loss needs an assignment.
        device: device of the outputs.
    """

    def __init__(self, losses: Sequence[tuple[float, Loss]], matcher: Matcher | None, device: torch.device) -> None:
        self.losses, self.matcher, self.device = losses, matcher, device

    def __call__(self, output: AnticipatorOutput, parts: Sequence[tuple[float, Targets]]) -> dict[str, Tensor]:
        """Losses by name, and their weighted sum as ``"total"``.

        Args:
            output: logits of one batch; slots whose logits are not finite raise ``FloatingPointError``.
            parts: (share, targets) of each source that MixUp mixed; targets on the host. Losses are weighted by share.
        """
        slots = slots_on_host(output.slots) if self.matcher is not None else None  # one transfer for all parts
        summed: dict[str, Tensor] = {}
        for share, targets in parts:
            assignment = self.matcher(slots, targets).to(self.device) if self.matcher and slots else None
            on_device, named = targets.to(self.device), {}
            zero = total = torch.zeros((), device=self.device)
            for weight, loss in self.losses:
                values = loss(output, on_device, assignment)
                named |= values
                total = total + weight * sum(values.values(), zero)
            for name, value in {**named, "total": total}.items():
                summed[name] = summed[name] + share * value if name in summed else share * value
        return summed


class SlotLosses:
    """Losses of every slot's objectness, and of the class and offset of slots that have an event (1.4 f)."""

    def __init__(self, config: LossConfig) -> None:
        self.config = config

    def __call__(self, output: AnticipatorOutput, targets: Targets, assignment: Assignment | None) -> dict[str, Tensor]:
        """See ``Loss``."""
        if assignment is None:
            return {}
        slots, (example_X, slot_X, event_X) = output.slots, assignment
        class_X, time_X = targets.class_OE[example_X, event_X], targets.time_OE[example_X, event_X]
        # BCE of o_k: towards 1, weighted, if slot k is matched; else towards 0, and slot k has no other loss (1.4 g).
        logit_OK = slots.objectness_OK.float()
        matched_OK = torch.zeros_like(logit_OK)
        matched_OK[example_X, slot_X] = 1.0
        weight_OK = 1 + (self.config.positive_weight - 1) * matched_OK  # (1.4 h)
        objectness_OK = F.binary_cross_entropy_with_logits(logit_OK, matched_OK, weight_OK, reduction="none")
        # CE of p_k, and CE of r_k against the soft target of Eq. (6), around the event's bin.
        action_X = self.action(slots.class_OKC[example_X, slot_X].float(), class_X)
        logit_XT = slots.offset_OKT[example_X, slot_X].float()
        n_bins = logit_XT.shape[1]
        soft_XT = soft_bins(time_bin(time_X, n_bins), n_bins, self.config.sigma_bins)
        offset_X = -(soft_XT * logit_XT.log_softmax(dim=-1)).sum(dim=1)
        # Weight each example's sum by the example's weight.
        weight_O, weight_X, n_examples = targets.weight_O, targets.weight_O[example_X], len(targets.class_OE)
        return {
            "objectness": (weight_O * objectness_OK.sum(dim=1)).sum() / n_examples,
            "class": (weight_X * action_X).sum() / n_examples,
            "offset": (weight_X * offset_X).sum() / n_examples,
        }

    def action(self, logit_XC: Tensor, class_X: Tensor) -> Tensor:
        """CE of p_k with label smoothing."""
        return F.cross_entropy(logit_XC, class_X, label_smoothing=self.config.label_smoothing, reduction="none")


class PresenceLoss:
    """Focal BCE of the observation head, which says which actions each step of the last windows holds (1.4 k)."""

    def __init__(self, focal_gamma: float) -> None:
        self.focal_gamma = focal_gamma

    def __call__(self, output: AnticipatorOutput, targets: Targets, _: Assignment | None) -> dict[str, Tensor]:
        """See ``Loss``."""
        if output.presence_PNC is None:
            return {}
        logit_PNC, presence_PNC = output.presence_PNC.float(), observed_presence(output, targets)
        error_PNC = F.binary_cross_entropy_with_logits(logit_PNC, presence_PNC, reduction="none")  # -log p_t
        focal_PNC = (1 - torch.exp(-error_PNC)) ** self.focal_gamma * error_PNC  # -(1 - p_t)^gamma log p_t
        return {"presence": focal_PNC.sum(dim=(1, 2)).mean()}  # sum over steps and classes, mean over windows (1.4 z)


def observed_presence(output: AnticipatorOutput, targets: Targets) -> Tensor:
    """Labels of the windows that the observation head looks at: the last ones of each sequence -> presence_PNC."""
    assert output.presence_PNC is not None
    n_observed = len(output.presence_PNC) // len(targets.presence_BWNC)
    return targets.presence_BWNC[:, -n_observed:].flatten(0, 1)


def build_losses(config: LossConfig) -> list[tuple[float, Loss]]:
    """Build the paper's losses, with their weights (1.4 l)."""
    return [(1.0, SlotLosses(config)), (config.presence_weight, PresenceLoss(config.focal_gamma))]
