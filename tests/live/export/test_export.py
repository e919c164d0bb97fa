"""Exported models answer as PyTorch does, and without it."""

import json
import subprocess
import sys

import numpy as np
import pytest

import playahead
from playahead.backbone.checkpoint import load_backbone
from playahead.cli.main import run
from playahead.features.feed import FEED_FEATURES
from playahead.inference.onnx_predictor import OnnxPredictor
from playahead.inference.open_predictor import open_predictor
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.lab.simulation.plays import simulate_half
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


def test_a_match_is_answered_alike(exported):
    track = playahead.prepare_track(simulate_half(1, minutes=4))
    ours, theirs = Predictor.open(device="cpu"), open_predictor(exported, FEED_FEATURES)
    assert isinstance(theirs, OnnxPredictor)
    windows = track.windows(np.arange(30_000, 200_000, 5_000))
    looks_at = np.arange(6) + np.arange(len(windows) - 5)[:, None]
    one, other = (p.answer(p.encode(windows), looks_at) for p in (ours, theirs))
    for name in ("objectness_OK", "class_OKC", "offset_OKT"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=TOLERANCE)
    times_ms = range(30_000, 200_000, 1_000)
    listed = [p.anticipate_at(track, list(times_ms)) for p in (ours, theirs)]
    for here, there in zip(*listed, strict=True):
        assert [(a.action, a.offset_ms) for a in here] == [(a.action, a.offset_ms) for a in there]


def test_prediction_imports_no_pytorch(exported, tmp_path):
    write_feed_table(tmp_path / "match.npz", [simulate_half(0, minutes=2)])
    words = ["predict", str(tmp_path / "match.npz"), "--weights", str(exported), "--format", "json"]
    program = (
        "import sys; from playahead.cli.main import run; "
        f"code = run({words!r}); "
        "sys.exit(code or 7 * ('torch' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["anticipated"]


@pytest.mark.parametrize("changes", [{"head": "dense"}, {"encoder": "steps", "n_windows": 2}], ids=["dense", "steps"])
def test_every_head_and_encoder_can_be_exported(tmp_path, changes):
    small = {"feature_dim": 85, "d_model": 16, "heads": 2, "ffn_dim": 32, "slots": 5, "decoder_layers": 1}
    about = {"features": FEED_FEATURES, "train": {"criterion": {"positive_weight": 5.0}}}
    predictor = Predictor(build(AnticipatorConfig(**small, **changes)), about)
    differences = export_anticipator(predictor, tmp_path)
    assert max(differences.values()) <= TOLERANCE
    windows = np.random.default_rng(0).normal(size=(7, 33, 85)).astype(np.float32)
    looks_at = np.arange(6) + np.arange(2)[:, None]
    other = OnnxPredictor(tmp_path)
    one, two = (p.answer(p.encode(windows), looks_at) for p in (predictor, other))
    np.testing.assert_allclose(one.intensity(), two.intensity(), atol=TOLERANCE)
    if "head" not in changes:  # the paper's threshold reads it
        np.testing.assert_allclose(one.network_objectness_OK, two.network_objectness_OK, atol=TOLERANCE)


def test_the_backbone_is_exported_at_its_size(tmp_path):
    network, _ = load_backbone(packaged_weights("simulated-backbone"))
    differences = export_backbone(network, InputSize(64, 64), tmp_path)
    assert set(differences) == {"stacks.onnx", "snippets.onnx"}
    assert max(differences.values()) <= TOLERANCE


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
    assert shown.out == ""
    assert said in " ".join(shown.err.split())


def _copied(exported, folder, knows_digests=False):
    """An export; one from before digests were written is checked by what it computes."""
    for file in exported.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    if not knows_digests:
        about = json.loads((folder / "about.json").read_text())
        del about["sha256"]
        (folder / "about.json").write_text(json.dumps(about))


def test_graphs_that_were_swapped_are_one_line(exported, tmp_path):
    _copied(exported, tmp_path)
    for name, other in (("encode.onnx", "answer.onnx"), ("answer.onnx", "encode.onnx")):
        (tmp_path / name).write_bytes((exported / other).read_bytes())
    with pytest.raises(InputError, match="not of encoded windows"):
        open_predictor(tmp_path, FEED_FEATURES)


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
    ],
)
def test_a_damaged_export_names_the_file(exported, tmp_path, name, content, said):
    _copied(exported, tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        open_predictor(tmp_path, FEED_FEATURES)
