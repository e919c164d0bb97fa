"""The whole model: windows of features in, what is coming out (docs/paper.md 1.2-1.3).

Axes: B sequences, W windows, N snippets, F feature, D model, S summaries, O examples, M memory steps,
K slots, C classes, T bins, R raster frames.

A *sequence* is a run of W >= 6 consecutive windows. Every six of them in a row are one example, so a sequence
gives W - 5 examples and each window is encoded once. A batch of single examples has W = 6.
"""

from dataclasses import asdict
from typing import NamedTuple

import torch
from torch import Tensor, nn

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, RASTER_FRAMES
from playahead.io.errors import InputError
from playahead.model.config import AnticipatorConfig
from playahead.model.heads import FRAME_HEADS, ObservationHead, SlotHeads, SlotLogits
from playahead.model.local_encoder import LocalEncoder
from playahead.model.memory import ObservationMemory
from playahead.model.slot_decoder import SlotDecoder
from playahead.model.step_encoder import StepEncoder

_RARE = -3.0  # initial logit of "something happens here": about 5 %
_NEVER = -1e4  # a logit whose probability is 0 in every precision
_HALFWAY = -0.6931  # initial logarithm of a regressed time


class AnticipatorOutput(NamedTuple):
    """Logits by name.

    Attributes:
        slots: of the slot head, or None.
        dense_ORC: of the dense head, or None.
        presence_BWNC: of the auxiliary head for the windows it looks at, or None. "last" looks at each
            example's last window, which over a sequence are windows 5 to W - 1.
    """

    slots: SlotLogits | None
    dense_ORC: Tensor | None
    presence_BWNC: Tensor | None

    def of_classes(self, annotated_C: Tensor) -> "AnticipatorOutput":
        """The same, with a probability of 0 for every other class; no gradient comes from there."""
        slots, dense_ORC, presence_BWNC = self
        if slots is not None:
            slots = slots._replace(class_OKC=slots.class_OKC.where(annotated_C, _NEVER))
        return AnticipatorOutput(
            slots,
            None if dense_ORC is None else dense_ORC.where(annotated_C, _NEVER),
            None if presence_BWNC is None else presence_BWNC.where(annotated_C, _NEVER),
        )

    def tensors(self) -> list[Tensor]:
        """All logits that there are."""
        return [t for t in (*(self.slots or ()), self.dense_ORC, self.presence_BWNC) if t is not None]


class Anticipator(nn.Module):
    """Hierarchical GRU with input-conditioned slot queries."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = LocalEncoder(config) if config.encoder == "windows" else StepEncoder(config)
        self.memory = ObservationMemory(config) if config.encoder == "windows" else None
        n_slots = config.slots if config.head == "slots" else RASTER_FRAMES
        self.decoder = SlotDecoder(config, n_slots)
        self.slot_heads = SlotHeads(config) if config.head == "slots" else None
        self.dense_head = FRAME_HEADS[config.head](config.d_model) if config.head in FRAME_HEADS else None
        self.observation_head = ObservationHead(config.d_model) if config.auxiliary != "off" else None
        annotated_C = torch.zeros(len(ACTIONS), dtype=torch.bool)
        annotated_C[list(config.class_indices)] = True
        self.register_buffer("annotated_C", annotated_C, persistent=False)
        self.init_weights()

    def init_weights(self) -> None:
        """The one place where parameters get their first values.

        | parameter | value |
        |---|---|
        | linear, convolution | Xavier uniform, bias 0 |
        | GRU | orthogonal recurrent, Xavier input, bias 0 |
        | positions, slot embeddings | truncated normal, standard deviation 0.2 and 0.5 |
        | window importance | 2 (sigmoid 0.88): all windows count at first |
        | objectness and dense bias | -3 in all: few slots fire at first |
        | a regressed time | weight 0, bias log 0.5: the middle of the 5 s |
        """
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d)):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        gru = self.memory.gru if self.memory is not None else None
        for name, parameter in gru.named_parameters() if gru is not None else ():
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            elif name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
        positions = self.encoder.position_ND if isinstance(self.encoder, LocalEncoder) else self.encoder.position_XLD
        nn.init.trunc_normal_(positions, std=0.2)
        nn.init.trunc_normal_(self.decoder.embedding_KD, std=0.5)
        if self.memory is not None and self.memory.importance_W is not None:
            nn.init.constant_(self.memory.importance_W, 2.0)
        if self.slot_heads is not None:
            nn.init.constant_(self.slot_heads.objectness.bias, _RARE)
            if self.slot_heads.regresses:
                nn.init.zeros_(self.slot_heads.offset.weight)
                nn.init.constant_(self.slot_heads.offset.bias, _HALFWAY)
        if self.dense_head is not None:
            nn.init.constant_(self.dense_head.bias, _RARE)  # type: ignore[bad-argument-type]

    def forward(self, features_BWNF: Tensor) -> AnticipatorOutput:
        """features_BWNF -> logits of its B * (W - 5) examples, those of a sequence in time order.

        Raises:
            InputError: a shape that the model was not built for.
        """
        self._check(features_BWNF)
        return self.anticipate(features_BWNF[:, GRID.n_windows - self.config.n_windows :])

    def anticipate(self, looked_at_BWNF: Tensor) -> AnticipatorOutput:
        """``forward`` of those windows alone that are looked at: ``n_windows`` or more of them."""
        encode = self._encode_windows if isinstance(self.encoder, LocalEncoder) else self._encode_steps
        return self._read(*encode(looked_at_BWNF))

    def _read(self, memory_OMD: Tensor, context_OD: Tensor, observed_BWND: Tensor | None) -> AnticipatorOutput:
        """The decoder's answer, by every head."""
        slots_OKD = self.decoder(memory_OMD, context_OD)
        output = AnticipatorOutput(
            slots=self.slot_heads(slots_OKD) if self.slot_heads is not None else None,
            dense_ORC=self.dense_head(slots_OKD) if self.dense_head is not None else None,
            presence_BWNC=self._presence(observed_BWND) if self.training and observed_BWND is not None else None,
        )
        return output.of_classes(self.annotated_C) if self.config.classes else output

    def encode_window(self, features_PNF: Tensor) -> Tensor:
        """All that can be computed of a window by itself, to keep while it is looked at -> (P, N, D)."""
        return self.encoder(features_PNF) if self.memory is not None else features_PNF

    def answer(self, encoded_OWND: Tensor) -> AnticipatorOutput:
        """What ``forward`` says of examples whose ``n_windows`` windows went through ``encode_window``."""
        if self.memory is None:
            tokens_OLD = self.encoder(encoded_OWND.flatten(1, 2))
            return self._read(tokens_OLD, tokens_OLD[:, -1], None)
        summaries_OWSD = self.memory.summarise(encoded_OWND.flatten(0, 1)).unflatten(0, encoded_OWND.shape[:2])
        return self._read(*self._recall(summaries_OWSD, encoded_OWND[:, -1]), None)

    def _encode_windows(self, features_BWNF: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The paper's: each window once, then the memory -> (memory_OMD, context_OD, tokens to observe)."""
        assert self.memory is not None
        tokens_PND = self.encoder(features_BWNF.flatten(0, 1))
        tokens_BWND = tokens_PND.unflatten(0, (-1, features_BWNF.shape[1]))
        summaries_BWSD = self.memory.summarise(tokens_PND).unflatten(0, tokens_BWND.shape[:2])
        last_BWND = tokens_BWND[:, self.config.n_windows - 1 :]
        recalled = self._recall(_examples(summaries_BWSD, self.config.n_windows), last_BWND.flatten(0, 1))
        return *recalled, tokens_BWND if self.config.auxiliary == "all" else last_BWND

    def _recall(self, summaries_OWSD: Tensor, last_OND: Tensor) -> tuple[Tensor, Tensor]:
        """Summaries of each example's windows, and its last window's tokens -> (memory_OMD, context_OD)."""
        assert self.memory is not None
        memory_OMD, context_OD = self.memory(summaries_OWSD)
        return torch.cat([memory_OMD, last_OND], dim=1) if self.config.memory_tail else memory_OMD, context_OD

    def _encode_steps(self, features_BWNF: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """FAANTRA's: all steps of each example, which are the memory -> the same three."""
        steps_OLF = _examples(features_BWNF, self.config.n_windows).flatten(1, 2)
        tokens_OLD = self.encoder(steps_OLF)
        last_BWND = tokens_OLD[:, -self.config.n_snippets :].unflatten(0, (len(features_BWNF), -1))
        return tokens_OLD, tokens_OLD[:, -1], last_BWND

    def _presence(self, tokens_BWND: Tensor) -> Tensor | None:
        if self.observation_head is None:
            return None
        logits_PNC = self.observation_head(tokens_BWND.flatten(0, 1))
        return logits_PNC.unflatten(0, tokens_BWND.shape[:2])

    def _check(self, features_BWNF: Tensor) -> None:
        wanted = (self.config.n_snippets, self.config.feature_dim)
        shape = tuple(features_BWNF.shape)
        if len(shape) != 4 or shape[2:] != wanted or shape[1] < GRID.n_windows:
            raise InputError(
                "features",
                f"shape {shape} is not (sequences, {GRID.n_windows} or more windows, "
                f"{wanted[0]} snippets, {wanted[1]} features)",
            )

    def summary(self) -> dict[str, object]:
        """Configuration and number of parameters, for logs and model cards."""
        parameters = sum(p.numel() for p in self.parameters())
        return {**asdict(self.config), "parameters": parameters, "classes": len(ACTIONS)}


def _examples(windows_BWSD: Tensor, n_windows: int) -> Tensor:
    """Every run of ``n_windows`` consecutive windows -> (O, n_windows, S, D)."""
    runs = windows_BWSD.unfold(1, n_windows, 1)  # (B, W - n_windows + 1, S, D, n_windows)
    return runs.permute(0, 1, 4, 2, 3).flatten(0, 1)
