"""Other pieces for the anticipator: memories, a dense head, FAANTRA's encoder and regressed times.

Axes: B sequences, W windows, N snippets, F features, S summaries, D model, O examples, M memory steps, L steps of an
example (windows x snippets), X encoder layers, K slots, C classes, T bins, R raster frames.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAMES
from playahead.io.errors import InputError
from playahead.paper.anticipator import Anticipator, AnticipatorOutput, ObservationHead
from playahead.paper.encoder import LocalEncoder, LocalLayer
from playahead.paper.memory import Memory, ObservationMemory, examples_of, run_gru, summarise
from playahead.paper.slots import RARE_LOGIT, SlotDecoder, SlotHeads, SlotLogits
from playahead.variants.config import SLOT_HEADS, AnticipatorConfig
from playahead.variants.moment import MomentAnticipator, NowEncoder, RateHead, RateLogits, RowsEncoder

NEIGHBOURS = 15
"""Steps that a step of FAANTRA's encoder attends to, itself in the middle."""
_NEVER = -1e4  # a logit whose probability is 0 in every precision


def build(config: AnticipatorConfig) -> Anticipator:
    """Build an anticipator; with default settings the paper's."""
    if config.reads_moments:
        return _moment_model(config)
    encoder: nn.Module = StepEncoder(config) if config.encoder == "steps" else LocalEncoder(config)
    memory = _memory(config)
    has_slots, is_unrolled = config.head in SLOT_HEADS, config.head == "unrolled"
    queries = config.slots if has_slots else RASTER_FRAMES
    decoder: nn.Module = UnrolledDecoder(config) if is_unrolled else SlotDecoder(config, queries)
    heads = _annotated(_slot_heads(config) if has_slots else FRAME_HEADS[config.head](config.d_model), config)
    heads = JointHeads(heads) if config.head == "joint" else heads
    observer: nn.Module | None = None
    if config.auxiliary != "off":
        observer = ObservationHead(config.d_model, 0 if config.auxiliary == "all" else config.n_windows - 1)
    observer = _annotated(observer, config) if observer is not None else None
    kind = StepAnticipator if config.encoder == "steps" else Anticipator
    return kind(config, encoder, memory, decoder, heads, observer)


def _moment_model(config: AnticipatorConfig) -> Anticipator:
    encoder = NowEncoder(config) if config.encoder == "now" else RowsEncoder(config)
    head = _annotated(RateHead(config.d_model), config)
    return MomentAnticipator(config, encoder, nn.Identity(), nn.Identity(), head, None)


def _annotated(head: nn.Module, config: AnticipatorConfig) -> nn.Module:
    return OnlyClasses(head, config.class_indices) if config.classes else head


def _memory(config: AnticipatorConfig) -> nn.Module:
    if config.encoder == "steps":
        return StepMemory()
    is_papers = config.memory == "gru" and config.importance_on == "inputs" and config.window_importance
    return ObservationMemory(config) if is_papers and not config.memory_tail else VariantMemory(config)


def _slot_heads(config: AnticipatorConfig) -> nn.Module:
    return SlotHeads(config) if config.slot_time == "bins" else RegressionHeads(config)


class VariantMemory(nn.Module):
    """The paper's memory without the GRU, with the importance elsewhere or nowhere, or with a tail."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.config = config
        self.gru = nn.GRU(config.d_model, config.d_model, batch_first=True) if config.memory == "gru" else None
        self.importance_W = nn.Parameter(torch.empty(config.n_windows)) if config.window_importance else None

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        if self.importance_W is not None:
            nn.init.constant_(self.importance_W, 2.0)

    def forward(self, tokens_BWND: Tensor) -> Memory:
        """See ``ObservationMemory``."""
        n_windows = self.config.n_windows
        memory = self._recall(examples_of(summarise(tokens_BWND, self.config.summaries), n_windows))
        if not self.config.memory_tail:
            return memory
        last_OND = tokens_BWND[:, n_windows - 1 :].flatten(0, 1)
        return memory._replace(steps_OMD=torch.cat([memory.steps_OMD, last_OND], dim=1))

    def _recall(self, summaries_OWSD: Tensor) -> Memory:
        on_inputs = self.config.importance_on == "inputs"
        if on_inputs:
            summaries_OWSD = self._weighted(summaries_OWSD)
        if self.config.memory == "last":
            summaries_OWSD = summaries_OWSD[:, -1:]
        if self.gru is None:
            return Memory(summaries_OWSD.flatten(1, 2), summaries_OWSD.mean(dim=(1, 2)))
        steps_OMD = run_gru(self.gru, summaries_OWSD.flatten(1, 2))
        if not on_inputs:
            steps_OMD = self._weighted(steps_OMD.unflatten(1, summaries_OWSD.shape[1:3])).flatten(1, 2)
        return Memory(steps_OMD, steps_OMD[:, -1])

    def _weighted(self, steps_OWSD: Tensor) -> Tensor:
        return steps_OWSD if self.importance_W is None else steps_OWSD * self.importance_W.sigmoid()[:, None, None]


class OnlyClasses(nn.Module):
    """A head whose logits give every class that is not annotated a probability of 0, and no gradient."""

    def __init__(self, head: nn.Module, classes: Sequence[int]) -> None:
        super().__init__()
        self.head = head
        annotated_C = torch.zeros(len(ACTIONS), dtype=torch.bool)
        annotated_C[list(classes)] = True
        self.register_buffer("annotated_C", annotated_C, persistent=False)

    def forward(self, x: Tensor) -> SlotLogits | RateLogits | Tensor:
        """Logits of the head."""
        logits = self.head(x)
        if isinstance(logits, SlotLogits):
            return logits._replace(class_OKC=logits.class_OKC.where(self.annotated_C, _NEVER))
        if isinstance(logits, RateLogits):
            return logits._replace(log_rate_ORC=logits.log_rate_ORC.where(self.annotated_C, _NEVER))
        return logits.where(self.annotated_C, _NEVER)


class DenseHead(nn.Linear):
    """One query per raster frame, one logit per class: frames_ORD -> logits_ORC."""

    def __init__(self, d_model: int) -> None:
        super().__init__(d_model, len(ACTIONS))

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.constant_(self.bias, RARE_LOGIT)


FRAME_HEADS: dict[str, type[nn.Module]] = {"dense": DenseHead, "unrolled": DenseHead}
"""Heads that answer for every raster frame, by ``AnticipatorConfig.head``: made with d_model, frames_ORD -> logits_ORC.
See docs/how-to/add-a-head.md."""


class UnrolledDecoder(nn.Module):
    """A GRU that starts from the context and goes on for a step per frame, fed with the context (RULSTM)."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        if config.memory_tail or not config.conditioned:
            what = "unrolled reads the context alone"
            raise InputError("AnticipatorConfig.head", what, "leave out memory_tail and conditioned")
        self.gru = nn.GRU(config.d_model, config.d_model, batch_first=True)

    def forward(self, memory: Memory) -> Tensor:
        """Memory of O examples -> frames_ORD."""
        context_OD = memory.context_OD.float()
        with torch.autocast(context_OD.device.type, enabled=False):  # as the memory's GRU
            return self.gru(context_OD[:, None].expand(-1, RASTER_FRAMES, -1), context_OD[None].contiguous())[0]


class JointHeads(nn.Module):
    """Slot heads with one softmax over the classes and "nothing": objectness and class are no longer independent.

    The objectness layer gives minus the logit of "nothing", up to a constant with which few slots fire at first: o_k is
    the share of all classes in that softmax, and p_k the shares of each within them. The cross-entropy of the joint
    softmax is then what the paper's losses add up to with ``positive_weight`` 1, no label smoothing and classes that
    weigh equally.
    """

    def __init__(self, heads: nn.Module) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, slots_OKD: Tensor) -> SlotLogits:
        """slots_OKD -> logits."""
        logits: SlotLogits = self.heads(slots_OKD)
        something_OK = logits.class_OKC.float().logsumexp(dim=-1) - math.log(len(ACTIONS))
        return logits._replace(objectness_OK=something_OK + logits.objectness_OK)


class RegressionHeads(nn.Module):
    """Slot heads with one number for the time: exp(.) of the 5 s (FAANTRA)."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.n_bins = config.bins
        self.objectness = nn.Linear(config.d_model, 1)
        self.action = nn.Linear(config.d_model, len(ACTIONS))
        self.offset = nn.Linear(config.d_model, 1)

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``; a time begins in the middle of the 5 s."""
        nn.init.constant_(self.objectness.bias, RARE_LOGIT)
        nn.init.zeros_(self.offset.weight)
        nn.init.constant_(self.offset.bias, -0.6931)

    def forward(self, slots_OKD: Tensor) -> SlotLogits:
        """slots_OKD -> logits, offset bins made of the time."""
        objectness_OK, time_OK1 = self.objectness(slots_OKD).squeeze(-1), self.offset(slots_OKD).float().exp()
        return SlotLogits(objectness_OK, self.action(slots_OKD), gaussian_logits(time_OK1, self.n_bins))


def gaussian_logits(time_OK1: Tensor, n_bins: int) -> Tensor:
    """A time as a share of the 5 s -> offset_OKT: a Gaussian around it, one bin wide.

    The cross-entropy of these logits is the squared error in bins, so that regression goes through the same losses,
    matcher and decodings as bins do.
    """
    centre_T = (torch.arange(n_bins, device=time_OK1.device) + 0.5) / n_bins
    return -((centre_T - time_OK1.clamp(max=2.0)) * n_bins).square() / 2


class StepEncoder(nn.Module):
    """FAANTRA's encoder (arXiv 2504.12021): all steps of an example in one row, each layer with its own positions."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.n_windows, steps = config.n_windows, config.n_windows * config.n_snippets
        self.project = nn.Linear(config.feature_dim, config.d_model)
        self.position_XLD = nn.Parameter(torch.empty(config.encoder_layers, steps, config.d_model))
        self.layers = nn.ModuleList(LocalLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)
        place_L = torch.arange(steps)
        is_far_LL = (place_L[:, None] - place_L).abs() > NEIGHBOURS // 2
        self.register_buffer("far_LL", torch.zeros(steps, steps).masked_fill(is_far_LL, -torch.inf), persistent=False)

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.trunc_normal_(self.position_XLD, std=0.2)

    def forward(self, features_BWNF: Tensor) -> Tensor:
        """features_BWNF -> tokens_OWND of every example."""
        features_OWNF = examples_of(features_BWNF, self.n_windows)
        tokens_OLD = self.project(features_OWNF.flatten(1, 2))
        for position_LD, layer in zip(self.position_XLD, self.layers, strict=True):
            tokens_OLD = layer(tokens_OLD + position_LD, self.far_LL)
        return self.norm(tokens_OLD).unflatten(1, features_OWNF.shape[1:3])


class StepMemory(nn.Module):
    """Every step is the memory, the last one the context (FAANTRA)."""

    def forward(self, tokens_OWND: Tensor) -> Memory:
        """See ``ObservationMemory``."""
        steps_OMD = tokens_OWND.flatten(1, 2)
        return Memory(steps_OMD, steps_OMD[:, -1])


class StepAnticipator(Anticipator):
    """An anticipator whose windows cannot be encoded by themselves: a window is kept as its features."""

    def encode(self, features_BWNF: Tensor) -> Tensor:
        """See ``Anticipator``."""
        return features_BWNF

    def answer(self, encoded_BWND: Tensor) -> AnticipatorOutput:
        """See ``Anticipator``; windows are still features here."""
        return super().answer(self.encoder(encoded_BWND))
