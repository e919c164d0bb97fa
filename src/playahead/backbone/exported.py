"""A backbone that was exported, computed by ONNX Runtime or OpenVINO: no PyTorch is imported.

Axes: X stacks, J frames of a stack, B snippets, S stacks of a snippet, C channels, H, W, F features.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.io.errors import InputError
from playahead.io.files import packaged_export, read_bytes, require_format, strict_json
from playahead.io.onnx import Engine, Graph, n_threads

STACKS, SNIPPETS, CLASSES, ABOUT = "stacks.onnx", "snippets.onnx", "classes.onnx", "backbone.json"
"""Files of an exported backbone: maps of stacks, features of snippets, spotted classes, and what is known of them."""
SPOT_BATCH = 16  # snippets classified together, always exactly so many: the last bits of a product depend on its size
_MOST_BYTES = 2**20


def packaged_backbone_digest() -> str:
    """Digest of the packaged backbone's weights, which have seen simulated broadcasts only."""
    return str(_read_about(packaged_export() / ABOUT)["weights"])


def _read_about(path: Path) -> Any:
    about: Any = strict_json(read_bytes(path, _MOST_BYTES))
    require_format(about, path)
    return about


class ExportedBackbone:
    """The interface of ``FastBackbone`` on the folder that ``playahead export`` wrote.

    Attributes:
        feature_dim: F.
        digest: digest of the exported weights (``checkpoint.weights_digest``).
        provenance: origin of these.
        input_size: width and height of the frames that the graphs were made for.
        notices: facts about it that a reader should know.

    Raises:
        InputError: a file is missing or damaged, or the engine is not installed.
    """

    def __init__(self, folder: Path, engine: Engine = "onnxruntime") -> None:
        path = folder / ABOUT
        try:
            about = _read_about(path)
            self.feature_dim, self.digest = int(about["feature_dim"]), str(about["weights"])
            self.provenance: Mapping[str, Any] = dict(about["provenance"])
            width, height = map(int, about["input_size"])
            self.notices = [str(about["notice"])] if "notice" in about else []
            digests = [str(about["sha256"][name]) for name in (STACKS, SNIPPETS, CLASSES)]
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError) as reason:
            raise InputError(path, f"describes no backbone ({reason})", "export it again") from None
        self.input_size = width, height
        graphs = zip((STACKS, SNIPPETS, CLASSES), digests, strict=True)
        self._stacks, self._snippets, self._classes = (
            Graph(folder / name, digest, n_threads(), engine=engine) for name, digest in graphs
        )
        if self._classes.input_shape[1] != self.feature_dim:
            what = f"says {self.feature_dim} features, and its graph has {self._classes.input_shape[1]}"
            raise InputError(path, what, "export it again")

    def encoded(self, stacks_XJHW: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Maps of uint8 stacks, one array each."""
        return list(self._stacks(stacks_XJHW)[0])

    def snippets(self, maps: Sequence[NDArray], stack_of_snippet_BS: NDArray[np.intp]) -> NDArray[np.float16]:
        """features_BF of snippets made of these maps."""
        return self._snippets(np.stack(maps)[stack_of_snippet_BS])[0].astype(np.float16)

    def spot(self, features_BF: NDArray[np.float16]) -> NDArray[np.float32]:
        """scores_BC of the spotting classifier at the snippets' centres."""
        n_filled = -len(features_BF) % SPOT_BATCH
        filled_BF = np.concatenate([features_BF, np.zeros((n_filled, self.feature_dim))]).astype(np.float32)
        pieces = np.split(filled_BF, len(filled_BF) // SPOT_BATCH)
        return np.concatenate([self._classes(piece)[0] for piece in pieces])[: len(features_BF)]
