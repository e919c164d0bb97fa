"""Small configurations, logits and events for tests of the paper's model, losses and their variants."""

import numpy as np
import torch

from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.matcher import Assignment, Matcher, slots_on_host
from playahead.paper.slots import SlotLogits
from playahead.paper.targets import Targets
from playahead.variants.config import AnticipatorConfig, CriterionConfig
from playahead.variants.losses import build_criterion

ONES, CPU = np.ones(10, np.float32), torch.device("cpu")
SMALL = AnticipatorConfig(feature_dim=7, d_model=16, heads=2, ffn_dim=32, slots=5, bins=4, decoder_layers=2)


def features(sequences: int = 2, windows: int = 6) -> torch.Tensor:
    """Features of sequences, as ``SMALL`` takes them."""
    return torch.randn(sequences, windows, 33, 7, generator=torch.Generator().manual_seed(1))


def targets(*events: list[tuple[int, float]]) -> Targets:
    """(class, time) events of each example."""
    width = max(len(row) for row in events)
    padded = [row + [(-1, 0.0)] * (width - len(row)) for row in events]
    class_OE = torch.tensor([[c for c, _ in row] for row in padded], dtype=torch.int64).reshape(len(events), width)
    time_OE = torch.tensor([[t for _, t in row] for row in padded]).reshape(len(events), width)
    return Targets.of(class_OE, time_OE, torch.zeros(len(events), 6, 33, 10))


def logits(seed: int, examples: int = 1, slots: int = 4) -> SlotLogits:
    """Random logits, 20 bins."""
    rng = torch.Generator().manual_seed(seed)
    return SlotLogits(
        torch.randn(examples, slots, generator=rng),
        3 * torch.randn(examples, slots, 10, generator=rng),
        3 * torch.randn(examples, slots, 20, generator=rng),
    )


def silent(examples: int = 1, slots: int = 3) -> SlotLogits:
    """Objectness 1/2, uniform classes and offsets."""
    return SlotLogits(torch.zeros(examples, slots), torch.zeros(examples, slots, 10), torch.zeros(examples, slots, 20))


def assigned(matcher: Matcher, slots: SlotLogits, events: Targets) -> Assignment:
    """Assignment of events to slots that are still logits."""
    return matcher(slots_on_host(slots), events)


def pairs(assignment: Assignment, example: int = 0) -> set[tuple[int, int]]:
    """(slot, event) pairs of an example."""
    rows = torch.stack(assignment, dim=1).tolist()
    return {(slot, event) for at, slot, event in rows if at == example}


def losses(
    config: CriterionConfig,
    slots: SlotLogits,
    events: Targets,
    presence_PNC: torch.Tensor | None = None,
    class_weight_C: np.ndarray = ONES,
) -> dict[str, torch.Tensor]:
    """Losses of one source."""
    criterion = build_criterion(config, "slots", class_weight_C, CPU)
    return criterion(AnticipatorOutput(slots, presence_PNC), [(1.0, events)])
