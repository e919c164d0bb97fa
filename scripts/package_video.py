"""Make src/playahead/weights/simulated: the packaged video weights as ONNX graphs, for machines without PyTorch.

The anticipator's graphs hold no weights of their own: they name those of simulated-video.safetensors. Run it after new
weights were packaged: python scripts/package_video.py
"""

import json

import numpy as np
import onnx
from onnx import numpy_helper

from playahead.backbone.checkpoint import load_backbone
from playahead.inference.onnx_predictor import ABOUT, ANSWER, ENCODE
from playahead.inference.predictor import Predictor
from playahead.inference.video import facts_of
from playahead.io.arrays import read_arrays
from playahead.io.files import file_digest, packaged_export, packaged_weights, write_whole
from playahead.live.export import export_anticipator, export_backbone
from playahead.video.input_size import InputSize

_SMALL_BYTES = 1_000  # stay in the graph
_VIDEO = "simulated-video"


def main() -> None:
    """Export, then take weights out of the anticipator's graphs."""
    out, path = packaged_export(), packaged_weights(_VIDEO)
    predictor = Predictor.open(path, device="cpu")
    network, provenance = load_backbone(packaged_weights("simulated-backbone"))
    export_anticipator(predictor, out)
    export_backbone(network, provenance, InputSize(*facts_of(predictor).input_size), out)
    arrays, _ = read_arrays(path)
    places = {array.tobytes(): (name, False) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.ndim == 2:
            places.setdefault(np.ascontiguousarray(array.T).tobytes(), (name, True))
    graphs: dict[str, dict[str, tuple[str, bool]]] = {}
    for name in (ENCODE, ANSWER):
        graph, graphs[name] = onnx.load(out / name), {}
        for weight in graph.graph.initializer:
            content = numpy_helper.to_array(weight).tobytes()
            if len(content) > _SMALL_BYTES and content in places:
                graphs[name][weight.name] = places[content]
                weight.ClearField("raw_data")
                weight.data_location = onnx.TensorProto.EXTERNAL
                weight.external_data.add(key="location", value=path.name)
        (out / name).write_bytes(graph.SerializeToString())
    about = json.loads((out / ABOUT).read_text())
    about["sha256"] = {name: file_digest(out / name) for name in graphs}
    about["shared"] = {"weights": _VIDEO, "sha256": file_digest(path), "graphs": graphs}
    write_whole(out / ABOUT, json.dumps(about) + "\n")


if __name__ == "__main__":
    main()
