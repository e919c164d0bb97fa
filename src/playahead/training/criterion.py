"""The losses, by name (docs/paper.md 1.4): match, compare, weigh.

Every loss is a sum over an example's slots, frames or events, averaged over examples as they count
(``Targets.weight_O``): nats per example. The observation head's is averaged over windows, whose examples share them.

Axes: O examples, K slots, E events (padded), C classes, V none and the classes, T bins, R frames, X matched pairs,
B sequences, W windows, P all their windows, N steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from playahead.datasets.batch import Targets
from playahead.domain.grid import FRAMES_PER_WINDOW
from playahead.evaluation.frames import ALL_CLASSES
from playahead.io.errors import InputError
from playahead.io.settings import check_choices
from playahead.model.anticipator import AnticipatorOutput
from playahead.model.heads import SlotLogits
from playahead.training.matcher import Assignment, Matcher, MatcherConfig, read_slots
from playahead.training.targets import soft_bins, time_bin

_TINY = 1e-6
_WIDENED_STEPS = 4


@dataclass(frozen=True, kw_only=True)
class CriterionConfig:
    """Weights and shapes of the losses.

    Attributes:
        matcher: Eq. (5).
        positive_weight: of the objectness BCE on matched slots (L: 5; 1 keeps objectness a probability).
        label_smoothing: of the class CE (L: 0.1).
        class_balance: weigh the class CE by inverse frequency (FAANTRA).
        sigma_bins: of the Gaussian offset target, Eq. (6) (L: 1 bin); 0 is one-hot.
        matched_weight: of the paper's three matched losses together.
        intensity_weight: of the point-process likelihood of the slots' summed intensity (C; 0 is the paper).
        observation: loss of the auxiliary head: "focal" BCE per class and step (P), or "segmentation": each step is one
            class or none, labels widened to 4 steps on either side, CE weighed by inverse frequency (FAANTRA).
        presence_weight: of the auxiliary observation head (L: 0.3).
        focal_gamma: of the auxiliary focal BCE (C: 2).
    """

    matcher: MatcherConfig = field(default_factory=MatcherConfig)
    positive_weight: float = 5.0
    label_smoothing: float = 0.1
    class_balance: bool = False
    sigma_bins: float = 1.0
    matched_weight: float = 1.0
    intensity_weight: float = 0.0
    observation: Literal["focal", "segmentation"] = "focal"
    presence_weight: float = 0.3
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        check_choices(self, "criterion")
        for name in ("sigma_bins", "matched_weight", "intensity_weight", "presence_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"criterion.{name}", f"{getattr(self, name)} is not a number of 0 or more")
        if not 0 < self.positive_weight < math.inf:
            raise InputError("criterion.positive_weight", f"{self.positive_weight} is not a number above 0")
        if not 0 <= self.label_smoothing < 1:
            raise InputError("criterion.label_smoothing", f"{self.label_smoothing} is not in [0, 1)")
        if not 1 <= self.focal_gamma < math.inf:
            raise InputError("criterion.focal_gamma", f"{self.focal_gamma} is not 1 or more (below, gradients explode)")


class Criterion:
    """Named losses of an output against its targets.

    Args:
        config: weights and shapes.
        class_weight_C: inverse frequencies.
        device: of the outputs.
        classes: indices of those that are annotated; the others' logits are 0 in probability already, and only label
            smoothing would still look at them.
    """

    def __init__(
        self,
        config: CriterionConfig,
        class_weight_C: NDArray[np.float32],
        device: torch.device,
        classes: Sequence[int] = ALL_CLASSES,
    ) -> None:
        self.config = config
        self.classes = torch.tensor(classes, device=device) if len(classes) < len(ALL_CLASSES) else None
        self.class_weight_C = torch.from_numpy(class_weight_C).to(device)
        self.matcher = Matcher(config.matcher, class_weight_C)

    def __call__(self, output: AnticipatorOutput, parts: Sequence[tuple[float, Targets]]) -> dict[str, Tensor]:
        """Losses by name, with their weighted sum as ``"total"``, on the output's device.

        Slots are read from the device once, for all parts together; everything else stays on it.

        Args:
            output: of one batch.
            parts: (share, targets) of each source that MixUp mixed, whose losses add up by share; not on the device.

        Raises:
            FloatingPointError: what is read of the slots is not finite.
        """
        is_matched = output.slots is not None and self.config.matched_weight > 0
        read = read_slots(output.slots) if is_matched and output.slots is not None else None
        device = output.tensors()[0].device
        losses: dict[str, Tensor] = {}
        for share, targets in parts:
            assignment = self.matcher(read, targets).to(device) if read is not None else None
            for name, value in self._losses(output, targets.to(device), assignment).items():
                losses[name] = losses[name] + share * value if name in losses else share * value
        return losses

    def _losses(self, output: AnticipatorOutput, targets: Targets, assignment: Assignment | None) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        total = torch.zeros((), device=targets.class_OE.device)
        if output.slots is not None and assignment is not None:
            matched = self._matched_losses(output.slots, targets, assignment)
            losses |= matched
            total = total + self.config.matched_weight * sum(matched.values(), total)
        if output.slots is not None and self.config.intensity_weight:
            losses["intensity"] = intensity_loss(output.slots, targets)
            total = total + self.config.intensity_weight * losses["intensity"]
        if output.dense_ORC is not None:
            losses["dense"] = dense_loss(output.dense_ORC, targets)
            total = total + losses["dense"]
        if output.presence_BWNC is not None:
            losses["presence"] = self._presence_loss(output.presence_BWNC, targets)
            total = total + self.config.presence_weight * losses["presence"]
        return {**losses, "total": total}

    def _matched_losses(self, slots: SlotLogits, targets: Targets, assignment: Assignment) -> dict[str, Tensor]:
        n_examples = len(targets.class_OE)
        class_X = targets.class_OE[assignment.example, assignment.event]
        time_X = targets.time_OE[assignment.example, assignment.event]
        at, weight_X = (assignment.example, assignment.slot), targets.weight_O[assignment.example]
        objectness_OK = self._objectness_losses(slots.objectness_OK.float(), assignment)
        return {
            "objectness": (targets.weight_O * objectness_OK.sum(dim=1)).sum() / n_examples,
            "class": (weight_X * self._class_losses(slots.class_OKC[at], class_X)).sum() / n_examples,
            "offset": (weight_X * self._offset_losses(slots.offset_OKT[at], time_X)).sum() / n_examples,
        }

    def _objectness_losses(self, objectness_OK: Tensor, assignment: Assignment) -> Tensor:
        matched_OK = torch.zeros_like(objectness_OK)
        matched_OK[assignment.example, assignment.slot] = 1.0
        weight_OK = 1 + (self.config.positive_weight - 1) * matched_OK
        return F.binary_cross_entropy_with_logits(objectness_OK, matched_OK, weight_OK, reduction="none")

    def _class_losses(self, class_XC: Tensor, class_X: Tensor) -> Tensor:
        weight_C = self.class_weight_C if self.config.class_balance else None
        smoothing = self.config.label_smoothing
        if self.classes is not None:
            class_XC, class_X = class_XC.index_select(1, self.classes), torch.searchsorted(self.classes, class_X)
            weight_C = None if weight_C is None else weight_C[self.classes]
        return F.cross_entropy(class_XC.float(), class_X, weight_C, label_smoothing=smoothing, reduction="none")

    def _offset_losses(self, offset_XT: Tensor, time_X: Tensor) -> Tensor:
        n_bins = offset_XT.shape[-1]
        soft_XT = soft_bins(time_bin(time_X, n_bins), n_bins, self.config.sigma_bins)
        return -(soft_XT * offset_XT.float().log_softmax(dim=-1)).sum(dim=1)

    def _presence_loss(self, presence_BWNC: Tensor, targets: Targets) -> Tensor:
        observed = targets.presence_BWNC[:, -presence_BWNC.shape[1] :]
        logits = presence_BWNC.float()
        if self.config.observation == "segmentation":
            return segmentation_loss(logits.flatten(0, 1), observed.flatten(0, 1), self.class_weight_C)
        error = F.binary_cross_entropy_with_logits(logits, observed, reduction="none")
        focal = (1 - torch.exp(-error)) ** self.config.focal_gamma * error
        return focal.sum(dim=(2, 3)).mean()


def intensity_loss(slots: SlotLogits, targets: Targets) -> Tensor:
    """Negative log-likelihood of the events under the slots read as one Poisson process per class.

    lambda_c(t) = sum_k o_k p_k(c) q_k(t): total mass minus the log intensity at every event. It trains what
    marginal decoding reads, whatever slot answers for what. Ours, not the paper's.
    """
    objectness_OK = slots.objectness_OK.float().sigmoid()
    mass_OKC = objectness_OK[..., None] * slots.class_OKC.float().softmax(dim=-1)
    intensity_OTC = torch.einsum("okc,okt->otc", mass_OKC, slots.offset_OKT.float().softmax(dim=-1))
    example_X, event_X = targets.example_X, targets.event_X
    bin_X = time_bin(targets.time_OE[example_X, event_X], intensity_OTC.shape[1])
    at_event_X = intensity_OTC[example_X, bin_X, targets.class_OE[example_X, event_X]]
    weight_O = targets.weight_O
    expected_O, said_X = objectness_OK.sum(dim=1), (at_event_X + _TINY).log()
    return ((weight_O * expected_O).sum() - (weight_O[example_X] * said_X).sum()) / len(objectness_OK)


def segmentation_loss(logits_PNC: Tensor, presence_PNC: Tensor, class_weight_C: Tensor) -> Tensor:
    """CE of every step being one class or none (logit 0), weighed by inverse frequency: FAANTRA's auxiliary task.

    A step within ``_WIDENED_STEPS`` of an action is that action's; of several the rarest. The background weighs what
    makes its steps of a batch count as much as an average class's.
    """
    width = 2 * _WIDENED_STEPS + 1
    near_PNC = F.max_pool1d(presence_PNC.transpose(1, 2), width, 1, _WIDENED_STEPS).transpose(1, 2)
    is_action_PN = near_PNC.any(dim=2)
    label_PN = torch.where(is_action_PN, (near_PNC * class_weight_C).argmax(dim=2) + 1, 0)
    background = is_action_PN.sum() / len(class_weight_C) / (~is_action_PN).sum().clamp(min=1)
    weight_V = torch.cat([background.clamp(min=_TINY)[None], class_weight_C])
    logits_PNV = torch.cat([torch.zeros_like(logits_PNC[..., :1]), logits_PNC], dim=2)
    return F.cross_entropy(logits_PNV.flatten(0, 1), label_PN.flatten(), weight=weight_V)


def dense_loss(dense_ORC: Tensor, targets: Targets) -> Tensor:
    """BCE of every frame and class against what happened there."""
    example_X, event_X = targets.example_X, targets.event_X
    frame_X = (targets.time_OE[example_X, event_X] * FRAMES_PER_WINDOW).long()
    happened_ORC = torch.zeros_like(dense_ORC, dtype=torch.float32)
    happened_ORC[example_X, frame_X, targets.class_OE[example_X, event_X]] = 1.0
    error_ORC = F.binary_cross_entropy_with_logits(dense_ORC.float(), happened_ORC, reduction="none")
    return (targets.weight_O * error_ORC.sum(dim=(1, 2))).sum() / len(dense_ORC)
