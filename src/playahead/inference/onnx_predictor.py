"""An exported model, run by ONNX Runtime: no PyTorch is imported."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions, Predictions, SlotPredictions, join_predictions
from playahead.domain.grid import GRID
from playahead.inference.any_predictor import EXAMPLES, WINDOWS, AnyPredictor, pieces
from playahead.io.errors import InputError
from playahead.io.files import read_bytes, require_format, strict_json

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
        self._folder = folder
        digests = about.get("sha256") if isinstance(about.get("sha256"), dict) else {}
        self._encode, self._answer = (_session(folder / name, digests.get(name)) for name in (ENCODE, ANSWER))
        shape = self._answer.get_inputs()[0].shape
        if len(shape) != 4 or shape[1] not in range(1, GRID.n_windows + 1):
            raise InputError(folder / ANSWER, f"takes arrays of {shape}, not of encoded windows", "export it again")
        self._looks_at = int(shape[1])

    def encode(self, windows_PNF: NDArray[np.float32]) -> NDArray[np.float32]:
        found = [_run(self._encode, self._folder / ENCODE, filled)[0] for filled, _ in pieces(windows_PNF, WINDOWS)]
        return np.concatenate(found)[: len(windows_PNF)]

    def answer(self, encoded_PND: NDArray[np.float32], looks_at_OW: NDArray[np.intp]) -> Predictions:
        answers: list[Predictions] = []
        for looks_at, n in pieces(looks_at_OW[:, -self._looks_at :], EXAMPLES):
            found = _run(self._answer, self._folder / ANSWER, encoded_PND[looks_at])
            if len(found) == 1:
                answer = DensePredictions(*found)
            else:
                answer = SlotPredictions(*found, positive_weight=self.objectness_weight)
            answers.append(answer.select(np.arange(EXAMPLES) < n))
        return join_predictions(answers)


def _session(path: Path, digest: str | None) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise InputError(path, "needs onnxruntime", "pip install 'playahead[video]'") from None
    content = read_bytes(path, _MOST_BYTES)
    if digest and hashlib.sha256(content).hexdigest() != digest:  # one weight that is NaN need not show in an answer
        raise InputError(path, "is not the file that was exported", "export it again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # threads that wait for each other spin: see ``runtime.one_thread``
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as reason:  # its own, which share no base
        raise InputError(path, f"is no model ({str(reason).splitlines()[0][:200]})", "export it again") from None


def _run(session: Any, path: Path, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Compute a graph.

    Raises:
        InputError: it takes or gives something else than an export, or NaN or infinity.
    """
    try:
        found = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(inputs, np.float32)})
    except Exception as reason:  # its own, which share no base
        raise InputError(path, f"does not compute ({str(reason).splitlines()[0][:200]})", "export it again") from None
    if not all(np.isfinite(array).all() for array in found):
        raise InputError(path, "computes NaN or infinity: its weights hold such, or the features", "export it again")
    return found
