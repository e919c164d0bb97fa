"""One ONNX graph, computed by ONNX Runtime on a CPU."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.io.errors import InputError
from playahead.io.files import read_bytes

_MOST_BYTES = 256 * 1024 * 1024


def n_threads() -> int:
    """Threads for video: ``OMP_NUM_THREADS`` if it is set, else the cores that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Graph:
    """A graph with one input.

    Args:
        path: its file.
        sha256: digest that the file must have, if it is known: one weight that is NaN need not show in an answer.
        threads: number of threads; they wait without spinning.
        weights: weights that the file names and does not hold.

    Raises:
        InputError: a missing, damaged or foreign file, or ONNX Runtime is not installed.
    """

    def __init__(
        self, path: Path, sha256: object = None, threads: int = 1, weights: Mapping[str, NDArray] | None = None
    ) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise InputError(path, "needs onnxruntime", "pip install 'playahead[video]'") from None
        self.path, content = path, read_bytes(path, _MOST_BYTES)
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise InputError(path, "is not the file that was exported", "export it again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if weights:
            values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(w)) for w in weights.values()]
            options.add_external_initializers(list(weights), values)
        try:
            self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as reason:  # its own, which share no base
            what = f"is no model ({str(reason).splitlines()[0][:200]})"
            raise InputError(path, what, "export it again") from None
        (given,) = self._session.get_inputs()
        self._name, self.input_shape = given.name, given.shape

    def __call__(self, inputs: NDArray) -> list[NDArray]:
        """Outputs.

        Raises:
            InputError: it takes or gives something else than an export, or NaN or infinity.
        """
        try:
            found = self._session.run(None, {self._name: np.ascontiguousarray(inputs)})
        except Exception as reason:  # its own, which share no base
            what = f"does not compute ({str(reason).splitlines()[0][:200]})"
            raise InputError(self.path, what, "export it again") from None
        if not all(np.isfinite(array).all() for array in found):
            what = "computes NaN or infinity: its weights hold such, or the features"
            raise InputError(self.path, what, "export it again")
        return found
