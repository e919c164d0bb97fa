"""One ONNX graph, computed by ONNX Runtime, or by OpenVINO, on a CPU."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

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


Engine = Literal["onnxruntime", "openvino"]
Run = Callable[[NDArray], list[NDArray]]


def _by_onnxruntime(content: bytes, threads: int, weights: Mapping[str, NDArray]) -> tuple[Run, Sequence[Any]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if weights:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(w)) for w in weights.values()]
        options.add_external_initializers(list(weights), values)
    session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return lambda inputs: session.run(None, {given.name: inputs}), given.shape


def _by_openvino(content: bytes, threads: int) -> tuple[Run, Sequence[Any]]:
    import openvino  # type: ignore[missing-import]

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(content), "CPU", settings)
    shape = [size.get_length() if size.is_static else None for size in compiled.input(0).partial_shape]
    # An output belongs to the request: the next run writes over it.
    return lambda inputs: [array.copy() for array in compiled(inputs).values()], shape


class Graph:
    """A graph with one input.

    Args:
        path: its file.
        sha256: digest that the file must have, if it is known: one weight that is NaN need not show in an answer.
        threads: number of threads; they wait without spinning.
        weights: weights that the file names and does not hold; not for OpenVINO.
        engine: what computes it.

    Attributes:
        input_shape: shape of the input; what is free in it is no number.

    Raises:
        InputError: a missing, damaged or foreign file, or the engine is not installed.
    """

    def __init__(
        self,
        path: Path,
        sha256: object = None,
        threads: int = 1,
        weights: Mapping[str, NDArray] | None = None,
        engine: Engine = "onnxruntime",
    ) -> None:
        self.path, content = path, read_bytes(path, _MOST_BYTES)
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise InputError(path, "is not the file that was exported", "export it again")
        try:
            if engine == "openvino":
                self._run, self.input_shape = _by_openvino(content, threads)
            else:
                self._run, self.input_shape = _by_onnxruntime(content, threads, weights or {})
        except ModuleNotFoundError:
            extra = "openvino" if engine == "openvino" else "video"
            raise InputError(path, f"needs {engine}", f"pip install 'playahead[{extra}]'") from None
        except Exception as reason:  # the engine's own, which share no base
            what = f"is no model ({str(reason).splitlines()[0][:200]})"
            raise InputError(path, what, "export it again") from None

    def __call__(self, inputs: NDArray) -> list[NDArray]:
        """Outputs.

        Raises:
            InputError: it takes or gives something else than an export, or NaN or infinity.
        """
        try:
            found = self._run(np.ascontiguousarray(inputs))
        except Exception as reason:  # its own, which share no base
            what = f"does not compute ({str(reason).splitlines()[0][:200]})"
            raise InputError(self.path, what, "export it again") from None
        if not all(np.isfinite(array).all() for array in found):
            what = "computes NaN or infinity: its weights hold such, or the features"
            raise InputError(self.path, what, "export it again")
        return found
