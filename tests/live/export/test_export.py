"""Exported models answer as PyTorch does, and without it."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from playahead.backbone.checkpoint import load_backbone
from playahead.cli.main import run
from playahead.features.forms import FEED_FEATURES
from playahead.inference.onnx_predictor import OnnxPredictor
from playahead.inference.open_predictor import open_predictor
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import Rendering, render
from playahead.live.export import TOLERANCE, export_anticipator, export_backbone
from playahead.sources.feed_tables import write_feed_table
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import build
from playahead.video.input_size import InputSize


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "feed"
    assert run(["export", "--out", str(folder)]) == 0
    return folder


def answers_of(predictors, windows: np.ndarray) -> list:
    looks_at = np.arange(6) + np.arange(len(windows) - 5)[:, None]
    return [predictor.answer(predictor.encode(windows), looks_at) for predictor in predictors]


@pytest.mark.slow
def test_a_match_is_answered_alike(exported):
    predictors = Predictor.open(device="cpu"), open_predictor(exported, FEED_FEATURES)
    track = predictors[0].prepare(simulate_half(1, minutes=4))
    assert isinstance(predictors[1], OnnxPredictor)
    one, other = answers_of(predictors, track.windows(np.arange(30_000, 200_000, 5_000)))
    np.testing.assert_allclose(one.intensity(), other.intensity(), atol=TOLERANCE)
    listed = [predictor.anticipate_at(track, list(range(30_000, 200_000, 1_000))) for predictor in predictors]
    for here, there in zip(*listed, strict=True):
        assert [(a.action, a.offset_ms) for a in here] == [(a.action, a.offset_ms) for a in there]


@pytest.mark.slow
def test_prediction_imports_no_pytorch(exported, tmp_path):
    write_feed_table(tmp_path / "match.npz", [simulate_half(0, minutes=2)])
    words = ["predict", str(tmp_path / "match.npz"), "--weights", str(exported), "--format", "json"]
    program = (
        f"import sys; from playahead.cli.main import run; sys.exit(run({words!r}) or 7 * ('torch' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["anticipated"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{}, {"head": "dense"}, {"encoder": "steps", "n_windows": 2}, {"head": "joint"}, {"head": "unrolled"}],
    ids=["slots", "dense", "steps", "joint", "unrolled"],
)
def test_every_head_and_encoder_can_be_exported(tmp_path, changes):
    small = {"feature_dim": 85, "d_model": 16, "heads": 2, "ffn_dim": 32, "slots": 5, "decoder_layers": 1}
    about = {"features": FEED_FEATURES, "train": {"criterion": {"positive_weight": 5.0}}}
    predictor = Predictor(build(AnticipatorConfig(**small, **changes)), about)
    assert max(export_anticipator(predictor, tmp_path).values()) <= TOLERANCE
    windows = np.random.default_rng(0).normal(size=(7, 33, 85)).astype(np.float32)
    one, two = answers_of((predictor, OnnxPredictor(tmp_path)), windows)
    np.testing.assert_allclose(one.intensity(), two.intensity(), atol=TOLERANCE)
    if "head" not in changes:  # the paper's threshold reads it
        np.testing.assert_allclose(one.network_objectness_OK, two.network_objectness_OK, atol=TOLERANCE)


@pytest.mark.slow
def test_the_backbone_is_exported_at_its_size(tmp_path):
    network, _ = load_backbone(packaged_weights("simulated-backbone"))
    differences = export_backbone(network, {}, InputSize(64, 64), tmp_path)
    assert max(differences.values()) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "odd", "knows_digests", "said"),
    [
        ("encode.onnx", np.nan, True, "encode.onnx: is not the file that was exported"),
        ("answer.onnx", np.nan, True, "answer.onnx: is not the file that was exported"),
        ("encode.onnx", np.nan, False, "encode.onnx: computes NaN or infinity"),
        ("encode.onnx", np.inf, False, "encode.onnx: computes NaN or infinity"),
    ],
)
def test_weights_with_nan_or_infinity_end_in_one_line(exported, tmp_path, capsys, name, odd, knows_digests, said):
    onnx = pytest.importorskip("onnx")
    _copied(exported, tmp_path, knows_digests)
    model = onnx.load(exported / name)
    largest = max(model.graph.initializer, key=lambda found: found.ByteSize())
    values = onnx.numpy_helper.to_array(largest).copy()
    values.flat[0] = odd
    largest.CopyFrom(onnx.numpy_helper.from_array(values, largest.name))
    onnx.save(model, tmp_path / name)
    write_feed_table(tmp_path / "match.npz", [simulate_half(0, minutes=1)])
    assert run(["predict", str(tmp_path / "match.npz"), "--weights", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, said in " ".join(shown.err.split())) == ("", True)


def _copied(exported, folder, knows_digests=False):
    """An export; one from before digests were written is checked by what it computes."""
    shutil.copytree(exported, folder, dirs_exist_ok=True)
    if not knows_digests:
        about = json.loads((folder / "about.json").read_text())
        (folder / "about.json").write_text(json.dumps({key: about[key] for key in about if key != "sha256"}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("about.json", b"{", "not JSON"),
        ("about.json", b"[]", "describes no model"),
        ("about.json", b'{"features": 1, "features": 2}', "key 'features' twice"),
        ("about.json", b"[" * 100_000, "not JSON"),
        ("encode.onnx", b"nonsense", "is no model"),
        ("answer.onnx", b"", "is no model"),
        ("encode.onnx", None, "no such file"),
        ("answer.onnx", "encode.onnx", "not of encoded windows"),
    ],
)
def test_a_damaged_export_names_the_file(exported, tmp_path, name, content, said):
    _copied(exported, tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        content = (exported / content).read_bytes() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        open_predictor(tmp_path, FEED_FEATURES)


@pytest.mark.slow
def test_an_int8_backbone_says_what_it_costs(tmp_path, capsys):
    """Its features differ by some percent; a digest guards the new graphs, and ``predict`` names the difference."""
    half = simulate_half(4, minutes=1.5)
    render(Rendering(half, 0, 224, 128, tmp_path / "match.mp4"))
    weights, backbone = (str(packaged_weights(name)) for name in ("simulated-video", "simulated-backbone"))
    out, video = str(tmp_path / "int8"), str(tmp_path / "match.mp4")
    assert run(["export", "--out", out, "--weights", weights, "--backbone", backbone, "--int8-on", video]) == 0
    said = capsys.readouterr().err
    assert 0.001 < float(re.search(r"int8: features differ by ([\d.]+)%", said)[1]) / 100 < 0.2
    assert run(["predict", video, "--weights", out, "--backbone", out, "--to", "0:31", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert "computes in int8: its features differ by" in said.err
    assert "simulated broadcasts only" in said.err
    assert run(["export", "--out", out, "--int8-on", video]) == 2
    assert "--int8-on: calibrates a backbone" in capsys.readouterr().err
