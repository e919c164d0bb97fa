"""The model of 1.2 and 1.3, from windows of features to logits of the coming actions, and its observation head, 1.4 k.

Axes: B sequences, W windows, N snippets, F features, D model, O examples, C classes, P windows of the observation head.
"""

from typing import Any, NamedTuple

from torch import Tensor, nn

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID
from playahead.paper.config import ModelConfig
from playahead.paper.encoder import LocalEncoder
from playahead.paper.memory import ObservationMemory
from playahead.paper.slots import SlotDecoder, SlotHeads, SlotLogits


class AnticipatorOutput(NamedTuple):
    """Logits of a batch."""

    slots: SlotLogits | Any  # of every slot; a variant's heads may return something else
    presence_PNC: Tensor | None = None  # of the windows that the observation head looks at; None outside training


class ObservationHead(nn.Module):
    """Auxiliary head: two convolutions over a window's tokens say which actions are present at each step (1.4 k).

    It looks at windows from index ``first_window`` on; ``n_windows - 1`` means the last window of each example.
    """

    def __init__(self, d_model: int, first_window: int) -> None:
        super().__init__()
        self.first_window = first_window
        self.convolve = nn.Sequential(
            nn.Conv1d(d_model, d_model, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv1d(d_model, len(ACTIONS), kernel_size=3, padding=1),
        )

    def forward(self, tokens_BWND: Tensor) -> Tensor:
        """tokens_BWND -> presence_PNC."""
        tokens_PND = tokens_BWND[:, self.first_window :].flatten(0, 1)
        return self.convolve(tokens_PND.transpose(1, 2)).transpose(1, 2)


class Anticipator(nn.Module):
    """Hierarchical encoder, slot decoder and heads; ``build`` puts the paper's pieces in.

    Args:
        config: sizes.
        encoder: features_BWNF -> tokens_BWND.
        memory: tokens_BWND -> ``Memory``.
        decoder: ``Memory`` -> slots_OKD.
        heads: slots_OKD -> logits.
        observer: tokens_BWND -> presence_PNC, for training only; or None.
    """

    def __init__(
        self,
        config: ModelConfig,
        encoder: nn.Module,
        memory: nn.Module,
        decoder: nn.Module,
        heads: nn.Module,
        observer: nn.Module | None,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.memory, self.decoder, self.heads, self.observer = encoder, memory, decoder, heads, observer
        self.init_weights()

    def forward(self, features_BWNF: Tensor) -> AnticipatorOutput:
        """Logits of B x (W - 5) examples, in time order within a sequence; other shapes raise ``ValueError``."""
        shape, (n, f) = tuple(features_BWNF.shape), (self.config.n_snippets, self.config.feature_dim)
        if len(shape) != 4 or shape[2:] != (n, f) or shape[1] < GRID.n_windows:
            layout = f"(sequences, {GRID.n_windows} or more windows, {n} snippets, {f} features)"
            raise ValueError(f"features: shape {shape} is not {layout}")
        return self.answer(self.encode(features_BWNF[:, GRID.n_windows - self.config.n_windows :]))

    def encode(self, features_BWNF: Tensor) -> Tensor:
        """Encode each window by itself -> tokens_BWND, which is all that examples need of a window."""
        return self.encoder(features_BWNF)

    def answer(self, encoded_BWND: Tensor) -> AnticipatorOutput:
        """Logits of the examples in encoded windows."""
        slots_OKD = self.decoder(self.memory(encoded_BWND))
        presence_PNC = self.observer(encoded_BWND) if self.training and self.observer is not None else None
        return AnticipatorOutput(self.heads(slots_OKD), presence_PNC)

    def encode_windows(self, features_PNF: Tensor) -> Tensor:
        """``encode`` of P single windows, to be kept while examples look at them: (P, N, F) -> (P, N, D)."""
        return self.encode(features_PNF[:, None])[:, 0]

    def init_weights(self) -> None:
        """Give all parameters their first values (C).

        | parameter | value |
        |---|---|
        | linear, convolution | Xavier uniform, bias 0 |
        | GRU | orthogonal recurrent, Xavier input, bias 0 |
        | positions, slot embeddings | truncated normal, standard deviation 0.2 and 0.5 |
        | window importance | 2 (sigmoid 0.88): all windows count at first |
        | objectness bias | -3: few slots fire at first |
        """
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d)):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        first = {"weight_hh_l0": nn.init.orthogonal_, "weight_ih_l0": nn.init.xavier_uniform_}
        for gru in (module for module in self.modules() if isinstance(module, nn.GRU)):
            for name, parameter in gru.named_parameters():
                first.get(name, nn.init.zeros_)(parameter)
        for module in self.modules():
            if callable(init := getattr(module, "init_parameters", None)):
                init()


def build(config: ModelConfig) -> Anticipator:
    """Build the paper's model."""
    return Anticipator(
        config,
        encoder=LocalEncoder(config),
        memory=ObservationMemory(config),
        decoder=SlotDecoder(config, config.slots),
        heads=SlotHeads(config),
        observer=ObservationHead(config.d_model, config.n_windows - 1),
    )
