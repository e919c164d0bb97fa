"""The packaged video model as ONNX graphs: PyTorch's answers, weights that are shared, damaged files in one line."""

import json
import shutil
import sys

import numpy as np
import pytest

from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.exported import ABOUT, CLASSES, SNIPPETS, STACKS, ExportedBackbone
from playahead.backbone.fast import FastBackbone
from playahead.features.encoder import WindowEncoder
from playahead.inference import video
from playahead.inference.onnx_predictor import ABOUT as ANTICIPATOR, OnnxPredictor
from playahead.inference.predictor import Predictor
from playahead.inference.video import VideoModel
from playahead.io.errors import InputError
from playahead.io.files import file_digest, packaged_export, packaged_weights

DIGEST = file_digest(packaged_weights("simulated-video"))
NETWORK, _ = load_backbone(packaged_weights("simulated-backbone"))


def test_the_graphs_are_those_of_the_packaged_weights():
    """After new weights, scripts/package_video.py makes them anew."""
    trained = Predictor.open(packaged_weights("simulated-video"), device="cpu").about
    exported = json.loads((packaged_export() / ANTICIPATOR).read_text())
    assert {name: exported[name] for name in trained} == json.loads(json.dumps(trained))
    assert ExportedBackbone(packaged_export()).digest == weights_digest(NETWORK)
    size = sum(path.stat().st_size for path in packaged_export().parent.rglob("*"))
    assert size < 13e6


def test_features_spotted_actions_and_answers_are_pytorchs():
    frames_THW = np.random.default_rng(0).integers(0, 255, (125, 128, 224), np.uint8)
    here, there = ExportedBackbone(packaged_export()), FastBackbone(NETWORK)
    ours, theirs = (WindowEncoder(backbone, 8).encode(frames_THW).astype(np.float32) for backbone in (here, there))
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)  # float16 keeps no more
    np.testing.assert_allclose(here.spot(ours), there.spot(ours.astype(np.float16)), atol=1e-5)
    windows = np.random.default_rng(1).standard_normal((1, 8, 33, here.feature_dim), np.float32)
    predictors = OnnxPredictor(packaged_export()), Predictor.open(packaged_weights("simulated-video"), device="cpu")
    one, other = (predictor.predict(windows).intensity() for predictor in predictors)
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_openvino_computes_the_same():
    pytest.importorskip("openvino")
    frames_THW = np.random.default_rng(2).integers(0, 255, (125, 128, 224), np.uint8)
    ours, theirs = (ExportedBackbone(packaged_export(), engine) for engine in ("openvino", "onnxruntime"))
    one, other = (WindowEncoder(backbone, 8).encode(frames_THW).astype(np.float32) for backbone in (ours, theirs))
    np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)
    first = ours.encoded(np.zeros((1, 3, 128, 224), np.uint8))[0]
    kept = first.copy()
    ours.encoded(np.full((1, 3, 128, 224), 200, np.uint8))
    np.testing.assert_array_equal(first, kept, err_msg="a later run writes over an earlier one's output")


def test_openvino_needs_an_exported_backbone(monkeypatch):
    assert isinstance(VideoModel.open(None, None, "openvino").backbone, ExportedBackbone)
    with pytest.raises(InputError, match="exported backbones"):
        VideoModel.open(None, packaged_weights("simulated-backbone"), "openvino")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(InputError, match="playahead\\[openvino\\]"):
        VideoModel.open(None, None, "openvino")


def test_which_engine_computes_what(monkeypatch):
    assert isinstance(VideoModel.open(None, None, "cpu").backbone, ExportedBackbone)
    trained = VideoModel.open(packaged_weights("simulated-video"), None, "cpu")
    assert isinstance(trained.backbone, FastBackbone)
    monkeypatch.setattr(video, "computes_on_cpu", lambda device: False)
    assert isinstance(VideoModel.open(None, None, "cpu").backbone, FastBackbone)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (ABOUT, {"feature_dim": "many"}, "describes no backbone"),
        (ABOUT, {"input_size": [224]}, "describes no backbone"),
        (ABOUT, {"input_size": ["a", "b"]}, "describes no backbone"),
        (ABOUT, {"feature_dim": 7}, "says 7 features, and its graph has"),
        (ABOUT, {"sha256": {}}, "describes no backbone"),
        (ABOUT, {"input_size": [448, 256]}, "was exported for frames of 448 x 256 .*together"),
        (ABOUT, {"weights": "0" * 64}, "another backbone"),
        (ABOUT, {"sha256": dict.fromkeys((STACKS, SNIPPETS, CLASSES), "0" * 64)}, "is not the file that was exported"),
        (ANTICIPATOR, {"shared": {"weights": "../../x", "graphs": {}}}, "names weights that are not there"),
        (ANTICIPATOR, {"shared": {"weights": "feed", "sha256": "0" * 64, "graphs": {}}}, "is another version"),
        (ANTICIPATOR, {"shared": {"graphs": {}}}, "names weights that are not there"),
        (
            ANTICIPATOR,
            {"shared": {"weights": "simulated-video", "sha256": DIGEST, "graphs": {"encode.onnx": {"x": ["y", True]}}}},
            "not there",
        ),
    ],
)
def test_a_damaged_export_is_one_line(tmp_path, name, change, reason):
    folder = shutil.copytree(packaged_export(), tmp_path / "exported")
    about = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**about, **change}))
    with pytest.raises(InputError, match=reason):
        VideoModel.open(folder, folder, "cpu")
