"""An exported model, run by ONNX Runtime: no PyTorch is imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions, Predictions, SlotPredictions, join_predictions
from playahead.domain.grid import GRID
from playahead.inference.any_predictor import EXAMPLES, WINDOWS, AnyPredictor, pieces
from playahead.io.arrays import read_arrays
from playahead.io.errors import InputError
from playahead.io.files import PACKAGED, file_digest, packaged_weights, read_bytes, require_format, strict_json
from playahead.io.onnx import Graph

ENCODE, ANSWER, ABOUT = "encode.onnx", "answer.onnx", "about.json"
"""Files of an exported anticipator: a window by itself, examples of encoded windows, and what is known of both."""
_MOST_BYTES = 64 * 1024 * 1024


class OnnxPredictor(AnyPredictor):
    """An anticipator from the folder that ``playahead export`` wrote.

    Args:
        folder: folder of the export.

    Raises:
        InputError: a file is missing or damaged, or ONNX Runtime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            about = strict_json(read_bytes(folder / ABOUT, _MOST_BYTES))
        except (ValueError, RecursionError) as reason:
            raise InputError(folder / ABOUT, f"not JSON ({reason})", "export it again") from None
        if not isinstance(about, dict):
            raise InputError(folder / ABOUT, "describes no model", "export it again")
        require_format(about, folder / ABOUT)
        super().__init__(about, folder)
        digests = about.get("sha256") if isinstance(about.get("sha256"), dict) else {}
        shared = _shared_weights(about, folder)
        self._encode, self._answer = (
            Graph(folder / name, digests.get(name), weights=shared.get(name)) for name in (ENCODE, ANSWER)
        )
        shape = self._answer.input_shape
        if len(shape) != 4 or shape[1] not in range(1, GRID.n_windows + 1):
            raise InputError(folder / ANSWER, f"takes arrays of {shape}, not of encoded windows", "export it again")
        self._looks_at = int(shape[1])

    def encode(self, windows_PNF: NDArray[np.float32]) -> NDArray[np.float32]:
        found = [self._encode(filled.astype(np.float32, copy=False))[0] for filled, _ in pieces(windows_PNF, WINDOWS)]
        return np.concatenate(found)[: len(windows_PNF)]

    def answer(self, encoded_PND: NDArray[np.float32], looks_at_OW: NDArray[np.intp]) -> Predictions:
        answers: list[Predictions] = []
        for looks_at, n in pieces(looks_at_OW[:, -self._looks_at :], EXAMPLES):
            found = self._answer(encoded_PND[looks_at].astype(np.float32, copy=False))
            if len(found) < 3:  # rates, and of moments where
                answer = DensePredictions(*found)
            else:
                answer = SlotPredictions(*found, positive_weight=self.objectness_weight)
            answers.append(answer.select(np.arange(EXAMPLES) < n))
        return join_predictions(answers)


def _shared_weights(about: Mapping[str, Any], folder: Path) -> dict[str, dict[str, NDArray]]:
    """Weights that graphs name and that lie in a packaged weights file, by graph and name."""
    shared = about.get("shared")
    if not isinstance(shared, Mapping):
        return {}
    try:
        path = packaged_weights(str(shared["weights"]))
        if path.stem not in PACKAGED:
            raise KeyError(path.stem)
        if file_digest(path) != shared["sha256"]:
            raise ValueError(f"{path.name} is another version")
        arrays, _ = read_arrays(path)
        return {
            graph: {name: arrays[tensor].T if is_turned else arrays[tensor] for name, (tensor, is_turned) in of.items()}
            for graph, of in shared["graphs"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as reason:
        raise InputError(folder / ABOUT, f"names weights that are not there ({reason})", "export it again") from None
