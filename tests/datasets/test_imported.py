"""Ready-made features: three layouts, the snippets' own times, a round trip to the bit, and nothing of the future."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.cli.main import run
from playahead.datasets.dataset import VideoDataset
from playahead.datasets.imported import ImportConfig, import_features, windows_of_steps
from playahead.domain.grid import GRID
from playahead.features.store import FeatureStore
from playahead.io.errors import InputError

FPS = GRID.fps
CENTRES = [125 * window + 14 + 3 * snippet for window in range(8) for snippet in range(33)]


def steps(seconds: float, fps: float = FPS, width: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(round(seconds * fps), width)).astype(np.float32)


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return path


def imported(source: Path, data: Path, out: Path, fps: float = FPS, **more) -> FeatureStore:
    import_features(source, data, out, ImportConfig(fps=fps, made_by="test", **more))
    return FeatureStore(out)


def clips_of(split: Path) -> list[str]:
    return sorted(path.name for path in split.iterdir() if path.is_dir())


def labels_of_matches(folder: Path, halves: tuple[int, ...] = (1, 2)) -> Path:
    """A dataset of matches in SoccerNet's layout, of which only the labels are there."""
    for split in ("train", "valid", "test"):
        match = folder / split / "league" / "2019-2020" / f"A - B {split}"
        match.mkdir(parents=True)
        entries = [
            {"gameTime": f"{half} - 00:{second:02}", "position": str(1000 * second), "label": "PASS", "team": "left"}
            for half in halves
            for second in (3, 36, 39)
        ]
        (match / "Labels-ball.json").write_text(json.dumps({"annotations": entries}))
    return folder


def test_stored_features_come_back_to_the_bit(pipeline, tmp_path):
    """Windows of our own store, laid out at 25 steps a second, imported again."""
    own = FeatureStore(pipeline.folder / "features")
    for name in own.videos():
        windows = np.stack(own.windows(name)).astype(np.float32)
        laid_out = np.zeros((125 * len(windows), windows.shape[2]), np.float32)
        laid_out[CENTRES[: 33 * len(windows)]] = windows.reshape(-1, windows.shape[2])
        save(tmp_path / "npy" / f"{name}.npy", laid_out)
    back = imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")
    assert list(back.videos()) == list(own.videos())
    for name in own.videos():
        np.testing.assert_array_equal(np.stack(back.windows(name)), np.stack(own.windows(name)))


def test_three_layouts_of_the_same_features_give_the_same_store(pipeline, tmp_path):
    stores = []
    for layout, place in (
        ("flat", "{split}/{clip}.npy"),
        ("folders", "{split}/{clip}/clip.npy"),
        ("one", "{clip}.npy"),
    ):
        data = tmp_path / f"data-{layout}"
        splits = ["train"] if layout == "one" else ["train", "valid"]  # clips of two splits have the same names
        for split in splits:
            shutil.copytree(pipeline.benchmark / split, data / split, ignore=shutil.ignore_patterns("*.mp4"))
            for index, clip in enumerate(clips_of(data / split)):
                save(tmp_path / layout / place.format(split=split, clip=clip), steps(30, seed=index))
        stores.append(imported(tmp_path / layout, data, tmp_path / f"features-{layout}"))
    for name in stores[2].videos():
        first, second, third = (np.stack(store.windows(name)) for store in stores)
        assert first.shape == (6, 33, 4)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third)


def test_matches_are_imported_half_by_half_and_trained_on_without_their_videos(tmp_path):
    data = labels_of_matches(tmp_path / "SoccerNet")
    for split in ("train", "valid", "test"):
        for half in (1, 2):
            match = f"{split}/league/2019-2020/A - B {split}"
            save(tmp_path / "npy" / match / f"{half}_ResNET_TF2_PCA512.npy", steps(45, fps=2, width=512, seed=half))
    words = (
        f"features import {tmp_path / 'npy'} --data {data} --fps 2 --made-by ResNet-152 --out {tmp_path / 'features'}"
    )
    assert run(words.split()) == 0
    dataset = VideoDataset(data, tmp_path / "features")
    assert [len(video.windows) for video in dataset.training_examples(1).videos] == [9, 9]
    assert dataset.features["weights"] == "ResNet-152 (2 steps/s, 0 s ahead)"
    for labels in data.rglob("Labels-ball.json"):  # the same features serve once the videos are there
        for half in (1, 2):
            labels.with_name(f"{half}_720p.mp4").touch()
    assert [len(video.windows) for video in VideoDataset(data, tmp_path / "features").training_examples(1).videos] == [
        9,
        9,
    ]
    brief = "--epochs 1 --steps-per-epoch 2 --sequences 2 --precision 32-true"
    trained = f"train video --features {tmp_path / 'features'} --data {data} --out {tmp_path / 'run'} --recipe demo"
    assert run([*trained.split(), *brief.split()]) == 0
    weights = tmp_path / "run" / "weights.safetensors"
    scored = f"evaluate video {data / 'test'} --features {tmp_path / 'features'} --weights {weights} --json"
    assert run(scored.split()) == 0


def test_weights_of_imported_features_say_that_no_video_can_be_predicted_with_them(tmp_path, pipeline, capsys):
    data = labels_of_matches(tmp_path / "SoccerNet", (1,))
    for split in ("train", "valid"):
        save(tmp_path / f"npy/{split}/league/2019-2020/A - B {split}/1_x.npy", steps(45, fps=2))
    imported(tmp_path / "npy", data, tmp_path / "features", 2)
    words = f"train video --features {tmp_path / 'features'} --data {data} --out {tmp_path / 'run'} --recipe demo"
    brief = "--epochs 1 --steps-per-epoch 1 --sequences 2 --precision 32-true"
    assert run([*words.split(), *brief.split()]) == 0
    capsys.readouterr()
    assert run(["predict", str(pipeline.match_video), "--weights", str(tmp_path / "run" / "weights.safetensors")]) == 2
    assert "was trained on imported features (test (2 steps/s, 0 s ahead))" in capsys.readouterr().err


@settings(deadline=None)
@given(
    fps=st.sampled_from([1.0, 2.0, 6.25, 12.5, 25.0, 29.97, 50.0]),
    looks_ahead=st.sampled_from([0.0, 0.5, 0.64, 4.0, 12.0]),
    seconds=st.integers(6, 40),
)
def test_no_window_knows_what_comes_after_it(fps, looks_ahead, seconds):
    times_s = np.arange(int(seconds * fps)) / fps
    seen_until_s = (times_s + looks_ahead + 1)[:, None].astype(np.float32)  # one more, so that 0 is no time
    windows_WNF = windows_of_steps(seen_until_s, fps, looks_ahead)
    for index, window in enumerate(windows_WNF.astype(np.float64) - 1):
        told = window[window != -1]
        assert (told < 5 * (index + 1) + 0.05).all()  # float16 of 46 s is right to 0.03 s
        nearest = (125 * index + np.array(CENTRES[:33])) / 25
        can_be = np.minimum(nearest, times_s[-1] + looks_ahead)[(window != -1)[:, 0]]  # a last step may be lacking
        assert (np.abs(told - can_be) <= 1 / fps + 0.05).all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((900, 4), np.nan, np.float32), "holds NaN or infinity"),
        (np.full((900, 4), 1e5, np.float32), "float16 ends at 65504"),
        (np.zeros((50, 4), np.float32), "50 steps at 25 a second last 2.0 s, a window needs 5"),
        (np.zeros((900, 4), np.int64), "holds int64"),
        (np.zeros(900, np.float32), "expected steps x features"),
        (np.zeros((900, 4, 7), np.float32), "expected steps x features"),
        (np.zeros((0, 4), np.float32), "expected steps x features"),
        (np.array([object()], object), "is no array"),
    ],
)
def test_a_file_that_holds_no_features_is_named(pipeline, tmp_path, array, message):
    clip = clips_of(pipeline.benchmark / "train")[0]
    path = save(tmp_path / "npy" / "train" / f"{clip}.npy", array)
    with pytest.raises(InputError, match=message) as raised:
        imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")
    assert str(path) in str(raised.value)


def test_two_videos_never_get_the_same_file(pipeline, tmp_path):
    clip = clips_of(pipeline.benchmark / "train")[0]
    assert clip in clips_of(pipeline.benchmark / "valid")
    save(tmp_path / "npy" / f"{clip}.npy", steps(30))
    with pytest.raises(InputError, match=f"would be the features of train/{clip} and of valid/{clip}"):
        imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")
    assert not (tmp_path / "features").exists()


def test_what_is_missing_and_what_is_of_no_video_is_told(pipeline, tmp_path, capsys):
    clip = clips_of(pipeline.benchmark / "train")[0]
    save(tmp_path / "npy" / "train" / f"{clip}.npy", steps(30))
    save(tmp_path / "npy" / "train" / "holiday.npy", steps(30))
    words = (
        f"features import {tmp_path / 'npy'} --data {pipeline.benchmark} --fps 25 --made-by me --out {tmp_path / 'f'}"
    )
    assert run(words.split()) == 0
    said = capsys.readouterr()
    assert "1 files are of no video, first train/holiday.npy" in said.err
    assert "videos have no features, first train/" in said.err
    assert "1 videos, 6 windows of 4 features" in said.out
    with pytest.raises(InputError, match="is not a folder"):
        imported(tmp_path / "gone", pipeline.benchmark, tmp_path / "f")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no features of any of 8 videos \(name them as train/"):
        imported(tmp_path / "empty", pipeline.benchmark, tmp_path / "f")


def test_an_import_that_was_killed_goes_on_and_other_features_are_refused(pipeline, tmp_path):
    clips = clips_of(pipeline.benchmark / "train")[:2]
    for index, clip in enumerate(clips):
        save(tmp_path / "npy" / "train" / f"{clip}.npy", steps(30, seed=index))
    store = imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")
    journal = store.journal_path(f"train/{clips[1]}")
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) // 2])  # in the middle of a line
    imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")
    assert journal.read_bytes() == whole
    save(tmp_path / "npy" / "train" / f"{clips[1]}.npy", steps(30, seed=7))
    with pytest.raises(InputError, match=f"train/{clips[1]} is there with other features"):
        imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")
    save(tmp_path / "npy" / "train" / f"{clips[1]}.npy", steps(30, width=5))
    with pytest.raises(InputError, match="holds 5 features a step, the files before it 4"):
        imported(tmp_path / "npy", pipeline.benchmark, tmp_path / "features")


@pytest.mark.parametrize(
    ("values", "message"),
    [({"fps": 0}, "fps: 0"), ({"looks_ahead": -1}, "looks_ahead: -1"), ({"made_by": " "}, "made_by: says nothing")],
)
def test_settings_that_cannot_be_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        ImportConfig(**{"fps": 25, "made_by": "me", **values})
