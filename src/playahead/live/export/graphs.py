"""A module -> an ONNX file whose answers are the module's.

Axes: B batch.
"""

import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from playahead.io.errors import InputError
from playahead.io.files import atomic_write, disk_errors

OPSET = 18
TOLERANCE = 1e-4
"""Most that an exported model's answers may differ from PyTorch's."""
_BATCHES = (1, 2, 5)


def export_graph(module: nn.Module, example: Tensor, path: Path, names: Sequence[str]) -> float:
    """Write one graph with a dynamic batch, and run it beside the module on random inputs.

    Args:
        module: (B, ...) -> one or more (B, ...).
        example: an input of batch 2.
        path: of the .onnx.
        names: of the outputs.

    Returns:
        The largest difference found.

    Raises:
        InputError: the answers differ by more than ``TOLERANCE``, or a library is missing.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - the exporter needs it, and says so less clearly
    except ModuleNotFoundError as missing:
        raise InputError("export", f"needs {missing.name}", "pip install 'playahead[export]'") from None
    module = module.eval()
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part, warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            part,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
            input_names=["features"],
            output_names=list(names),
            opset_version=OPSET,
            external_data=False,
        )
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    worst = max(_difference(module, session, example, batch) for batch in _BATCHES)
    if worst > TOLERANCE:
        path.unlink()
        raise InputError(path, f"answers differ from PyTorch's by {worst:.1e}", "please report it with the weights")
    return worst


@torch.inference_mode()
def _difference(module: nn.Module, session: object, example: Tensor, batch: int) -> float:
    generator = torch.Generator().manual_seed(batch)
    shape = (batch, *example.shape[1:])
    if example.is_floating_point():
        inputs = torch.randn(shape, generator=generator)
    else:
        inputs = torch.randint(0, 256, shape, generator=generator, dtype=example.dtype)
    theirs = session.run(None, {"features": inputs.numpy()})  # type: ignore[missing-attribute]
    ours = module(inputs)
    pairs = zip(ours if isinstance(ours, tuple) else (ours,), theirs, strict=True)
    return max(float(np.abs(our.numpy() - their).max()) for our, their in pairs)
