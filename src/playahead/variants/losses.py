"""Other assignments, losses and optimisers.

Axes: O examples, K slots, E events (padded), C classes, V none and the classes, T bins, R frames, X events or pairs,
P observed windows, N steps.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Muon, Optimizer

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import FRAMES_PER_WINDOW
from playahead.domain.pitch import PITCH_M
from playahead.io.runtime import emulates_bfloat16
from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.losses import Criterion, Loss, PresenceLoss, SlotLosses, observed_presence
from playahead.paper.matcher import Assignment, Matcher, SlotsOnHost
from playahead.paper.schedule import build_adamw
from playahead.paper.slots import SlotLogits
from playahead.paper.targets import Targets, soft_bins, time_bin
from playahead.variants.config import SLOT_HEADS, CriterionConfig, Head, OptimConfig
from playahead.variants.moment import RateLogits
from playahead.variants.muon import Float32Muon

_TINY = 1e-6
_WHERE_WEIGHT = 0.3
_WIDENED_STEPS = 4


def build_criterion(
    config: CriterionConfig,
    head: Head,
    class_weight_C: NDArray[np.float32],
    device: torch.device,
    classes: Sequence[int] = range(len(ACTIONS)),
) -> Criterion:
    """Build the losses of a run; with default settings the paper's.

    Args:
        config: weights and shapes.
        head: the model's head.
        class_weight_C: inverse frequencies.
        device: device of the outputs.
        classes: indices of the annotated classes.
    """
    losses: list[tuple[float, Loss]] = []
    weight_C = torch.from_numpy(class_weight_C).to(device)
    has_slots = head in SLOT_HEADS
    is_matched = has_slots and config.matched_weight > 0
    if is_matched:
        is_papers = not config.class_balance and len(classes) == len(ACTIONS)
        slot_losses = SlotLosses(config) if is_papers else VariantSlotLosses(config, weight_C, classes)
        losses.append((config.matched_weight, slot_losses))
    if has_slots and config.intensity_weight:
        losses.append((config.intensity_weight, intensity_loss))
    if head == "rates":
        losses += [(1.0, RateLoss(config, weight_C)), (_WHERE_WEIGHT, where_loss)]
    elif not has_slots:
        losses.append((1.0, dense_loss))
    is_focal = config.observation == "focal"
    presence_loss = PresenceLoss(config.focal_gamma) if is_focal else SegmentationLoss(weight_C)
    losses.append((config.presence_weight, presence_loss))
    return Criterion(losses, _matcher(config, class_weight_C) if is_matched else None, device)


def _matcher(config: CriterionConfig, class_weight_C: NDArray[np.float32]) -> Matcher:
    if config.pairing == "sequential":
        return InOrder(class_weight_C)
    if (config.frequency, config.class_weight) == ("divide", 1.0):
        return Matcher(class_weight_C, config.offset_weight)
    return VariantMatcher(config, class_weight_C)


class VariantMatcher(Matcher):
    """Eq. (5) with the class weights elsewhere or nowhere, or by time alone."""

    def __init__(self, config: CriterionConfig, class_weight_C: NDArray[np.float32]) -> None:
        super().__init__(np.ones_like(class_weight_C), config.offset_weight)
        self.config, self.column_weight_C = config, class_weight_C

    def cost(self, slots: SlotsOnHost, class_OE: NDArray, time_OE: NDArray) -> NDArray[np.floating]:
        """See ``Matcher``."""
        weighted = slots._replace(log_p_OKC=self.config.class_weight * slots.log_p_OKC)
        cost_OKE, weight_O1E = super().cost(weighted, class_OE, time_OE), self.column_weight_C[class_OE][:, None]
        if self.config.frequency == "divide":
            return cost_OKE / weight_O1E
        return cost_OKE * weight_O1E if self.config.frequency == "multiply" else cost_OKE


class InOrder(Matcher):
    """Event number j, in time order, belongs to slot j; events past the last slot to none (FAANTRA)."""

    def __call__(self, slots: SlotsOnHost, targets: Targets) -> Assignment:
        """See ``Matcher``."""
        kept = targets.event_X < slots.time_OK.shape[1]
        example_X, event_X = targets.example_X[kept], targets.event_X[kept]
        return Assignment(example_X, event_X, event_X)


class VariantSlotLosses(SlotLosses):
    """The paper's slot losses; the class loss looks at annotated classes alone, weighted if the settings say so."""

    def __init__(self, config: CriterionConfig, class_weight_C: Tensor, classes: Sequence[int]) -> None:
        super().__init__(config)
        self.class_weight_C = class_weight_C if config.class_balance else None
        self.classes = None
        if len(classes) < len(ACTIONS):
            self.classes = torch.tensor(classes, device=class_weight_C.device)

    def action(self, logit_XC: Tensor, class_X: Tensor) -> Tensor:
        """CE of p_k with label smoothing, over the annotated classes."""
        weight_C = self.class_weight_C
        if self.classes is not None:
            logit_XC, class_X = logit_XC.index_select(1, self.classes), torch.searchsorted(self.classes, class_X)
            weight_C = None if weight_C is None else weight_C[self.classes]
        smoothing = self.config.label_smoothing
        return F.cross_entropy(logit_XC, class_X, weight_C, label_smoothing=smoothing, reduction="none")


class SegmentationLoss:
    """CE of every observed step being one class or none (logit 0), weighted by inverse frequency (FAANTRA).

    A step within ``_WIDENED_STEPS`` of an action is that action's; of several the rarest. The background weighs what
    makes its steps of a batch count as much as an average class's.
    """

    def __init__(self, class_weight_C: Tensor) -> None:
        self.class_weight_C = class_weight_C

    def __call__(self, output: AnticipatorOutput, targets: Targets, _: Assignment | None) -> dict[str, Tensor]:
        """See ``paper.losses.Loss``."""
        if output.presence_PNC is None:
            return {}
        return {"presence": self.presence(output.presence_PNC.float(), observed_presence(output, targets))}

    def presence(self, logit_PNC: Tensor, presence_PNC: Tensor) -> Tensor:
        """Mean over steps, weighted."""
        width = 2 * _WIDENED_STEPS + 1
        near_PNC = F.max_pool1d(presence_PNC.transpose(1, 2), width, 1, _WIDENED_STEPS).transpose(1, 2)
        is_action_PN = near_PNC.any(dim=2)
        label_PN = torch.where(is_action_PN, (near_PNC * self.class_weight_C).argmax(dim=2) + 1, 0)
        background = is_action_PN.sum() / len(self.class_weight_C) / (~is_action_PN).sum().clamp(min=1)
        weight_V = torch.cat([background.clamp(min=_TINY)[None], self.class_weight_C])
        logit_PNV = torch.cat([torch.zeros_like(logit_PNC[..., :1]), logit_PNC], dim=2)
        return F.cross_entropy(logit_PNV.flatten(0, 1), label_PN.flatten(), weight=weight_V)


def intensity_loss(output: AnticipatorOutput, targets: Targets, _: Assignment | None) -> dict[str, Tensor]:
    """Negative log-likelihood of the events under the slots read as one Poisson process per class.

    lambda_c(t) = sum_k o_k p_k(c) r_k(t): total mass minus the log intensity at every event. It trains what marginal
    decoding reads, whatever slot answers for what.
    """
    slots: SlotLogits = output.slots
    o_OK = slots.objectness_OK.float().sigmoid()
    mass_OKC = o_OK[..., None] * slots.class_OKC.float().softmax(dim=-1)
    intensity_OTC = torch.einsum("okc,okt->otc", mass_OKC, slots.offset_OKT.float().softmax(dim=-1))
    example_X, event_X = targets.example_X, targets.event_X
    bin_X = time_bin(targets.time_OE[example_X, event_X], intensity_OTC.shape[1])
    at_event_X = intensity_OTC[example_X, bin_X, targets.class_OE[example_X, event_X]]
    weight_O = targets.weight_O
    expected_O, log_X = o_OK.sum(dim=1), (at_event_X + _TINY).log()
    return {"intensity": ((weight_O * expected_O).sum() - (weight_O[example_X] * log_X).sum()) / len(o_OK)}


def dense_loss(output: AnticipatorOutput, targets: Targets, _: Assignment | None) -> dict[str, Tensor]:
    """BCE of every frame and class against what happened there."""
    logit_ORC: Tensor = output.slots  # type: ignore[bad-assignment]
    example_X, event_X = targets.example_X, targets.event_X
    frame_X = (targets.time_OE[example_X, event_X] * FRAMES_PER_WINDOW).long()
    happened_ORC = torch.zeros_like(logit_ORC, dtype=torch.float32)
    happened_ORC[example_X, frame_X, targets.class_OE[example_X, event_X]] = 1.0
    error_ORC = F.binary_cross_entropy_with_logits(logit_ORC.float(), happened_ORC, reduction="none")
    return {"dense": (targets.weight_O * error_ORC.sum(dim=(1, 2))).sum() / len(logit_ORC)}


class RateLoss:
    """Negative log-likelihood of the events under one Poisson process per class, with soft targets around each event.

    Expected number less the log rate at every event, which is smeared over neighbouring frames (Eq. 6). Rare classes
    weigh more; as a weight multiplies all of its class's likelihood, it leaves rates unbiased.
    """

    def __init__(self, config: CriterionConfig, class_weight_C: Tensor) -> None:
        self.sigma_frames, self.weight_C = config.sigma_bins, class_weight_C**config.class_power

    def __call__(self, output: AnticipatorOutput, targets: Targets, _: Assignment | None) -> dict[str, Tensor]:
        """See ``paper.losses.Loss``."""
        rates: RateLogits = output.slots  # type: ignore[bad-assignment]
        log_rate_ORC = rates.log_rate_ORC.float()
        example_X, event_X = targets.example_X, targets.event_X
        class_X = targets.class_OE[example_X, event_X]
        frame_X = (targets.time_OE[example_X, event_X] * FRAMES_PER_WINDOW).long()
        soft_XR = soft_bins(frame_X, log_rate_ORC.shape[1], self.sigma_frames)
        at_event_X = (soft_XR * log_rate_ORC[example_X, :, class_X]).sum(dim=1)
        expected_O = (log_rate_ORC.exp().sum(dim=1) * self.weight_C).sum(dim=1)
        weight_X = targets.weight_O[example_X] * self.weight_C[class_X]
        return {"rates": ((targets.weight_O * expected_O).sum() - (weight_X * at_event_X).sum()) / len(log_rate_ORC)}


def where_loss(output: AnticipatorOutput, targets: Targets, _: Assignment | None) -> dict[str, Tensor]:
    """Cross-entropy of the side that acts, and distance from where it acts, in halves of a pitch's length."""
    if targets.where_OE3 is None:
        return {}
    rates: RateLogits = output.slots  # type: ignore[bad-assignment]
    example_X, event_X = targets.example_X, targets.event_X
    said_X3 = rates.where_OC3.float()[example_X, targets.class_OE[example_X, event_X]]
    true_X3 = targets.where_OE3[example_X, event_X]
    # Unknown sides and places weigh nothing; they are not picked out, which would make an accelerator wait.
    known_X3, true_X3 = ~true_X3.isnan(), true_X3.nan_to_num()
    side_X = F.binary_cross_entropy_with_logits(said_X3[:, 0], true_X3[:, 0], reduction="none") * known_X3[:, 0]
    along_X, across_X = (said_X3 - true_X3)[:, 1], (said_X3 - true_X3)[:, 2] * (PITCH_M[1] / PITCH_M[0])
    distance_X = (along_X.square() + across_X.square() + _TINY).sqrt() * known_X3[:, 1]
    weight_X, n_examples = targets.weight_O[example_X], len(rates.where_OC3)
    return {"side": (weight_X * side_X).sum() / n_examples, "place": (weight_X * distance_X).sum() / n_examples}


def build_optimizers(model: nn.Module, config: OptimConfig) -> list[Optimizer]:
    """AdamW, or Muon for the layers' matrices and AdamW for the rest; in float32 where bfloat16 is emulated."""
    matrices = list(_layer_matrices(model)) if config.kind == "muon" else []
    taken = {id(matrix) for matrix in matrices}
    adamw = build_adamw([p for p in model.parameters() if id(p) not in taken], config)
    if not matrices:
        return [adamw]
    muon = Float32Muon if emulates_bfloat16("cpu") else Muon
    return [muon(matrices, lr=config.lr, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"), adamw]


def _layer_matrices(model: nn.Module) -> Iterator[nn.Parameter]:
    """Matrices that map features to features: not embeddings, positions or convolutions."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.GRU)):
            yield from (p for p in module.parameters(recurse=False) if p.ndim == 2)
