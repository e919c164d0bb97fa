"""The feature store: whatever was torn, nothing half is ever read."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.features.store import FeatureStore, JournalWriter, StoreFacts
from playahead.io.errors import InputError

FACTS = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 3, 4, {"source": "test"})
KEYS = [f"{n:064x}" for n in range(5)]


def window(n: int) -> np.ndarray:
    return np.full((3, 4), n, np.float16)


def filled(folder) -> FeatureStore:
    store = FeatureStore(folder, FACTS)
    journal = JournalWriter(store, "train/clip_1")
    for n, key in enumerate(KEYS):
        store.write(key, window(n))
        journal.add(key)
    journal.close(["a note"])
    return store


def test_what_is_written_is_read(tmp_path):
    store = filled(tmp_path)
    assert list(store.videos()) == ["train/clip_1"]
    assert [int(w[0, 0]) for w in FeatureStore(tmp_path).windows("train/clip_1")] == [0, 1, 2, 3, 4]
    assert store.journal("train/clip_1").notices == ["a note"]
    assert FeatureStore(tmp_path).facts == FACTS


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 10_000))
def test_a_journal_torn_anywhere_holds_whole_windows_only(tmp_path_factory, cut):
    store = filled(tmp_path_factory.mktemp("store"))
    path = store.journal_path("train/clip_1")
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % len(whole)])
    journal = store.journal("train/clip_1")
    assert journal.keys == KEYS[: len(journal.keys)]
    assert not journal.closed
    again = JournalWriter(store, "train/clip_1")
    for key in KEYS[len(again.keys) :]:
        again.add(key)
    again.close(["a note"])
    assert path.read_bytes() == whole


@settings(max_examples=40, deadline=None)
@given(noise=st.binary(max_size=200))
def test_a_journal_of_noise_is_empty(tmp_path_factory, noise):
    store = filled(tmp_path_factory.mktemp("store"))
    store.journal_path("train/clip_1").write_bytes(noise)
    assert store.journal("train/clip_1").keys == []


def test_unfinished_videos_are_not_read(tmp_path):
    store = FeatureStore(tmp_path, FACTS)
    JournalWriter(store, "half").add(KEYS[0])
    with pytest.raises(InputError, match="not extracted"):
        store.windows("half")
    assert list(store.videos()) == []


def saved(save, *arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not a window of features"),
        (b"nonsense" * 50, "not a window of features"),
        (saved(np.savez, window(0)), "not a window of features"),
        (saved(np.save, window(0).astype(object)), "not a window of features"),
        (saved(np.save, window(0)).replace(b"(3, 4)", b"(3, (("), "not a window of features"),
        (saved(np.save, window(np.nan)), "holds NaN or infinity"),
        (saved(np.save, window(-np.inf)), "holds NaN or infinity"),
        (saved(np.save, window(0)[:2]), "holds float16"),
    ],
)
def test_what_is_no_window_is_one_line_that_names_it(tmp_path, content, what):
    filled(tmp_path).window_path(KEYS[2]).write_bytes(content)
    with pytest.raises(InputError, match=f"{KEYS[2]}.*{what}") as caught:
        FeatureStore(tmp_path).windows("train/clip_1")
    assert "\n" not in str(caught.value)


def test_features_of_two_kinds_never_meet(tmp_path):
    FeatureStore(tmp_path, FACTS)
    for other in ({"weights": "v" * 64}, {"input_size": (96, 64, "full")}, {"precision": "bfloat16"}):
        with pytest.raises(InputError, match="other weights"):
            FeatureStore(tmp_path, replace(FACTS, **other))
    FeatureStore(tmp_path, replace(FACTS, provenance={}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"input_size": 3}', '{"weights": 1}'])
def test_a_damaged_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match="manifest"):
        FeatureStore(tmp_path)


def test_no_store_is_said_so(tmp_path):
    with pytest.raises(InputError, match="no features here"):
        FeatureStore(tmp_path / "none")
