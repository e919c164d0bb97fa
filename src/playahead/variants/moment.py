"""A model of one moment of a feed: its columns, memory of its latest rows, and a rate for every frame and class.

The network is small enough for NumPy (``inference/moment_predictor.py``). It is an anticipator whose encoder does all
the work: nothing stands for the paper's memory and decoder.

Axes: B sequences, W moments of a sequence, O examples (B x W), F columns, N columns of the moment and its latest rows,
R rows, G columns of a row, H heads, D model, T width of a row, V value of a head, C classes.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAMES
from playahead.features.now import MOMENT_NAMES, MOST_ROWS, NOW_ROWS, ROW_NAMES, n_columns
from playahead.paper.anticipator import Anticipator, AnticipatorOutput
from playahead.variants.config import AnticipatorConfig

_FIRST_LOG_RATE = -5.3  # 1.5 actions in 5 s, over all frames and classes
_ROW_SHARE, _KEY_SHARE, _VALUE_SHARE = 4, 4, 2  # of d_model: widths of a row, of all keys and of all values
_GONE = -1e4


class RateLogits(NamedTuple):
    """Output of the heads for each moment.

    Attributes:
        log_rate_ORC: logarithm of the expected number of actions in each frame.
        where_OC3: logit that the side in possession acts, and place in the acting side's attack, -1 to 1 along and
            across, for an action of each class.
    """

    log_rate_ORC: Tensor
    where_OC3: Tensor


class NowEncoder(nn.Module):
    """An MLP on the columns of the moment and its latest rows."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.n_now = n_columns(NOW_ROWS)
        self.enter = nn.Linear(self.n_now, config.d_model)
        self.norm = nn.LayerNorm(config.d_model)
        self.hidden = nn.Linear(config.d_model, config.ffn_dim)
        self.back = nn.Linear(config.ffn_dim, config.d_model)
        self.norm_last = nn.LayerNorm(config.d_model)

    def forward(self, features_BWNF: Tensor) -> Tensor:
        """features_BW1F -> state_BW1D."""
        state = nn.functional.gelu(self.enter(features_BWNF[..., : self.n_now]))
        state = state + self.recall(state, features_BWNF)
        return self.norm_last(state + self.back(nn.functional.gelu(self.hidden(self.norm(state)))))

    def recall(self, state: Tensor, features_BWNF: Tensor) -> Tensor:  # noqa: ARG002
        """Contribution of memory to the state: none."""
        return torch.zeros_like(state)


class RowsEncoder(NowEncoder):
    """The same with memory: the moment's state looks for what it needs among the latest rows."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__(config)
        width, keys, values = (config.d_model // share for share in (_ROW_SHARE, _KEY_SHARE, _VALUE_SHARE))
        self.heads = config.heads
        self.row_enter = nn.Linear(len(ROW_NAMES), width)
        self.row_hidden = nn.Linear(width, width)
        self.norm_query = nn.LayerNorm(config.d_model)
        self.query = nn.Linear(config.d_model, keys)
        self.key = nn.Linear(width, keys, bias=False)
        self.value = nn.Linear(width, values)
        self.recalled = nn.Linear(values, config.d_model)

    def recall(self, state: Tensor, features_BWNF: Tensor) -> Tensor:
        """Attend from each moment to its rows; rows that are not there count for nothing."""
        rows_ORG = features_BWNF[..., len(MOMENT_NAMES) :].reshape(-1, MOST_ROWS, len(ROW_NAMES))
        gone_O1R = 1 - rows_ORG[:, None, :, ROW_NAMES.index("is_there")]
        tokens_ORT = nn.functional.gelu(self.row_enter(rows_ORG))
        tokens_ORT = nn.functional.gelu(self.row_hidden(tokens_ORT))
        query_OHK = self.query(self.norm_query(state)).flatten(0, -2).unflatten(-1, (self.heads, -1))
        # One query meets many rows. So it is turned into their space, and values are made of the mixed rows.
        key_HKT = self.key.weight.unflatten(0, (self.heads, -1))
        query_OHT = torch.einsum("ohk,hkt->oht", query_OHK * query_OHK.shape[-1] ** -0.5, key_HKT)
        weight_OHR = (query_OHT @ tokens_ORT.mT + gone_O1R * _GONE).softmax(dim=-1)
        mixed_OHT = weight_OHR.to(tokens_ORT.dtype) @ tokens_ORT
        value_HVT = self.value.weight.unflatten(0, (self.heads, -1))
        value_OV = torch.einsum("oht,hvt->ohv", mixed_OHT, value_HVT).flatten(1) + self.value.bias
        return self.recalled(value_OV).reshape(state.shape)


class RateHead(nn.Module):
    """One rate for every frame and class, and where and by whom: state_BW1D -> ``RateLogits``."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.rates = nn.Linear(d_model, RASTER_FRAMES * len(ACTIONS))
        self.where = nn.Linear(d_model, len(ACTIONS) * 3)

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.zeros_(self.rates.weight)
        nn.init.constant_(self.rates.bias, _FIRST_LOG_RATE)

    def forward(self, state_BW1D: Tensor) -> RateLogits:
        """See the class."""
        state_OD = state_BW1D.flatten(0, 2)
        log_rate_ORC = self.rates(state_OD).unflatten(-1, (RASTER_FRAMES, len(ACTIONS)))
        # Where and by whom is read from what the rates need: shaping the state for it, too, costs them (docs/log.md).
        return RateLogits(log_rate_ORC, self.where(state_OD.detach()).unflatten(-1, (len(ACTIONS), 3)))


class MomentAnticipator(Anticipator):
    """An anticipator whose "windows" are descriptions of moments, one for each example."""

    def forward(self, features_BWNF: Tensor) -> AnticipatorOutput:
        """Logits of B x W moments; other shapes raise ``ValueError``."""
        shape = tuple(features_BWNF.shape)
        if len(shape) != 4 or shape[2:] != (1, self.config.feature_dim):
            raise ValueError(
                f"features: shape {shape} is not (sequences, moments, 1, {self.config.feature_dim} columns)"
            )
        return self.answer(self.encode(features_BWNF))
