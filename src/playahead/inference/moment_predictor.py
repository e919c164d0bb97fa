"""The model of a moment (``variants/moment.py``) in NumPy: a few matrix products, and no deep-learning library.

Axes: P moments, F columns, N columns of the moment and its latest rows, R rows, G columns of a row, T width of a row,
H heads, D model, K key and V value of a head, X rows of all moments, O examples, C classes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions, Predictions
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAMES
from playahead.features.now import MOMENT_NAMES, NOW_ROWS, ROW_NAMES, n_columns
from playahead.inference.any_predictor import AnyPredictor
from playahead.io.arrays import read_arrays
from playahead.io.errors import InputError
from playahead.io.settings import build
from playahead.variants.config import AnticipatorConfig

_TOGETHER = 1024  # moments
_EPSILON = np.float32(1e-5)  # of PyTorch's LayerNorm
_NEVER = np.float32(-1e4)


class MomentPredictor(AnyPredictor):
    """A model of moments with trained weights.

    Args:
        arrays: weights by their names in PyTorch's state.
        about: training configuration, features, and the decodings chosen on validation.
        where: file that it comes from, named in error messages.

    Raises:
        InputError: the weights do not fit the model that ``about`` describes, or hold NaN or infinity.
    """

    def __init__(self, arrays: Mapping[str, NDArray], about: Mapping[str, Any], where: Path | str) -> None:
        super().__init__(about, where)
        config = build(AnticipatorConfig, about.get("model"), f"{where}: model")
        self._heads, self._d_model, self._has_memory = config.heads, config.d_model, config.encoder == "rows"
        self._never_C = ~np.isin(np.arange(len(ACTIONS)), config.class_indices)
        # Matrices are turned once, so that a moment is a row on their left.
        self._weights: dict[str, NDArray[np.float32]] = {}
        shapes = _shapes(config)
        if odd := sorted(shapes.keys() ^ arrays.keys()):
            raise InputError(where, f"its tensors do not fit the network: {odd[0]}")
        for name, shape in shapes.items():
            array = arrays[name]
            if array.shape != shape or array.dtype != np.float32:
                what = f"{name} is {array.dtype} {array.shape} instead of float32 {shape}"
                raise InputError(where, f"its tensors do not fit the network: {what}")
            if not np.isfinite(array).all():
                raise InputError(where, f"{name} holds NaN or infinity", "train again")
            self._weights[name.replace("heads.head.", "heads.")] = np.ascontiguousarray(array.T)
        if self._has_memory:  # per head: keys K x T, values T x V
            self._key_HKT = arrays["encoder.key.weight"].reshape(self._heads, -1, config.d_model // 4)
            values_HVT = arrays["encoder.value.weight"].reshape(self._heads, -1, config.d_model // 4)
            self._value_HTV = np.ascontiguousarray(values_HVT.transpose(0, 2, 1))

    def encode(self, windows_PNF: NDArray[np.float32]) -> NDArray[np.float32]:
        # The last bits of a product depend on its size. So every moment is computed by products of its own, which
        # NumPy does for all moments with equally many rows at once: a live answer is a single moment.
        moments_PF = windows_PNF[:, 0]
        n_rows_P = np.ones(len(moments_PF), np.intp)
        if self._has_memory:
            there_PR = moments_PF[:, len(MOMENT_NAMES) + ROW_NAMES.index("is_there") :: len(ROW_NAMES)]
            n_rows_P = np.maximum(there_PR.sum(axis=1).astype(np.intp), 1)
        state_PD = np.empty((len(moments_PF), self._d_model), np.float32)
        for n_rows in sorted(set(n_rows_P.tolist())):
            alike = np.flatnonzero(n_rows_P == n_rows)
            for part in np.split(alike, range(_TOGETHER, len(alike), _TOGETHER)):
                state_PD[part] = self._state(moments_PF[part], n_rows)
        return state_PD[:, None]

    def answer(self, encoded_PND: NDArray[np.float32], looks_at_OW: NDArray[np.intp]) -> Predictions:
        state_OD = encoded_PND[looks_at_OW[:, -1], 0]
        log_rate_ORC = self._linear("heads.rates", state_OD).reshape(-1, RASTER_FRAMES, len(ACTIONS))
        log_rate_ORC[:, :, self._never_C] = _NEVER
        where_OC3 = self._linear("heads.where", state_OD).reshape(-1, len(ACTIONS), 3)
        return DensePredictions.of_rates(np.exp(log_rate_ORC), where_OC3)

    def predict(self, windows: NDArray[np.float32]) -> Predictions:
        """Predictions of (B, W, 1, F) moments."""
        if windows.ndim != 4 or windows.shape[2:] != (1, self.reading.n_features):
            layout = f"(sequences, moments, 1, {self.reading.n_features} columns)"
            raise ValueError(f"features: shape {windows.shape} is not {layout}")
        return super().predict(windows)

    def _linear(self, name: str, x_PF: NDArray[np.float32]) -> NDArray[np.float32]:
        found_PF = (x_PF[:, None] @ self._weights[f"{name}.weight"])[:, 0]
        found_PF += self._weights[f"{name}.bias"]
        return found_PF

    def _norm(self, name: str, x_PD: NDArray[np.float32]) -> NDArray[np.float32]:
        n = np.float32(x_PD.shape[1])
        centred_PD = x_PD - np.add.reduce(x_PD, axis=1, keepdims=True, dtype=np.float32) / n
        squared_P1 = np.add.reduce(np.square(centred_PD), axis=1, keepdims=True, dtype=np.float32)
        spread_P1 = np.sqrt(squared_P1 / n + _EPSILON)
        scale_D, shift_D = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return centred_PD / spread_P1 * scale_D + shift_D  # type: ignore[bad-return]

    def _state(self, moments_PF: NDArray[np.float32], n_rows: int) -> NDArray[np.float32]:
        """``NowEncoder.forward``, or ``RowsEncoder``'s, of moments with so many rows."""
        state_PD = _gelu(self._linear("encoder.enter", moments_PF[:, : n_columns(NOW_ROWS)]))
        if self._has_memory:
            rows_PF = moments_PF[:, len(MOMENT_NAMES) : len(MOMENT_NAMES) + n_rows * len(ROW_NAMES)]
            state_PD += self._recall(state_PD, rows_PF.reshape(len(rows_PF), n_rows, -1))
        hidden = _gelu(self._linear("encoder.hidden", self._norm("encoder.norm", state_PD)))
        return self._norm("encoder.norm_last", state_PD + self._linear("encoder.back", hidden))

    def _recall(self, state_PD: NDArray[np.float32], rows_PRG: NDArray[np.float32]) -> NDArray[np.float32]:
        """``RowsEncoder.recall``, without the rows that are not there, which weigh nothing."""
        of, n = self._weights, len(state_PD)
        tokens_PRT = _gelu(rows_PRG @ of["encoder.row_enter.weight"] + of["encoder.row_enter.bias"])
        tokens_PRT = _gelu(tokens_PRT @ of["encoder.row_hidden.weight"] + of["encoder.row_hidden.bias"])
        query_PV = self._linear("encoder.query", self._norm("encoder.norm_query", state_PD))
        query_PH1K = query_PV.reshape(n, self._heads, 1, -1)
        query_PHT = (query_PH1K @ self._key_HKT)[:, :, 0] * np.float32(query_PH1K.shape[-1] ** -0.5)
        affinity_PHR = query_PHT @ tokens_PRT.transpose(0, 2, 1)
        weight_PHR = np.exp(affinity_PHR - affinity_PHR.max(axis=-1, keepdims=True))
        weight_PHR /= np.add.reduce(weight_PHR, axis=-1, keepdims=True)
        mixed_PHT = weight_PHR @ tokens_PRT
        value_PHV = (mixed_PHT[:, :, None] @ self._value_HTV)[:, :, 0]
        return self._linear("encoder.recalled", value_PHV.reshape(n, -1) + of["encoder.value.bias"])


def reads_moments(path: Path) -> bool:
    """Whether a file holds a model of moments."""
    _, about = read_arrays(path, only_about=True)
    model = about.get("model")
    return isinstance(model, Mapping) and model.get("encoder") in ("now", "rows")


def open_moment_predictor(path: Path) -> MomentPredictor:
    """Open weights of a model of moments.

    Raises:
        InputError: missing, damaged or foreign file.
    """
    arrays, about = read_arrays(path)
    return MomentPredictor(arrays, about, path)


_ERF = [np.float32(a) for a in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)]
_ERF_SCALE = np.float32(0.3275911)


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """x times the normal distribution's share below x; erf by Abramowitz and Stegun 7.1.26, within 1.5e-7."""
    size = np.abs(x) * np.float32(2**-0.5)
    t = 1 / (1 + _ERF_SCALE * size)
    tail = np.float32(0)
    for a in _ERF:
        tail = (tail + a) * t
    tail *= np.exp(-size * size) * np.float32(0.5)  # the normal distribution's share beyond |x|
    return x * np.where(x > 0, 1 - tail, tail)


def _shapes(config: AnticipatorConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights, by their names in PyTorch's state."""
    d, hidden = config.d_model, config.ffn_dim
    linear = {"enter": (d, n_columns(NOW_ROWS)), "hidden": (hidden, d), "back": (d, hidden)}
    norms = ["norm", "norm_last"]
    if config.encoder == "rows":
        width, keys, values = d // 4, d // 4, d // 2
        linear |= {"row_enter": (width, len(ROW_NAMES)), "row_hidden": (width, width), "query": (keys, d)}
        linear |= {"key": (keys, width), "value": (values, width), "recalled": (d, values)}
        norms.append("norm_query")
    shapes: dict[str, tuple[int, ...]] = {f"encoder.{name}.weight": shape for name, shape in linear.items()}
    shapes |= {f"encoder.{name}.bias": shape[:1] for name, shape in linear.items() if name != "key"}
    shapes |= {f"encoder.{name}.{part}": (d,) for name in norms for part in ("weight", "bias")}
    head = "heads.head" if config.classes else "heads"
    n_rates = RASTER_FRAMES * len(ACTIONS)
    outputs = {"rates": n_rates, "where": 3 * len(ACTIONS)}
    shapes |= {f"{head}.{name}.weight": (size, d) for name, size in outputs.items()}
    return shapes | {f"{head}.{name}.bias": (size,) for name, size in outputs.items()}
