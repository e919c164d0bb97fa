"""One bad clip among many is named and set aside; with many bad ones the set is broken."""

import json
import shutil
from itertools import islice
from pathlib import Path

import pytest

from playahead.backbone.checkpoint import save_backbone
from playahead.cli.main import run
from playahead.datasets.check import check_dataset
from playahead.datasets.stored import features_of_clips, note_short
from playahead.domain.notices import Notices
from playahead.features.extract import ExtractConfig, extract
from playahead.features.store import FeatureStore
from playahead.io.errors import InputError
from playahead.sources.layouts import find_labelled_videos
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from tests.conftest import simulate
from tests.support.backbone import tiny_backbone

MANY = 100


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A split of a hundred clips, all of one video, of which 90 are extracted: ``train`` and ``features``."""
    root = tmp_path_factory.mktemp("many")
    simulate(root / "sim", layout="baa", matches=4, minutes=0.6, halves=1, video=True, width=64, height=32)
    first = next((root / "sim" / "train").glob("clip_*/*.mp4"))
    annotations = json.loads((root / "sim" / "train" / "Labels-ball.json").read_text())["videos"][0]["annotations"]
    for number in range(1, MANY + 1):
        (root / "train" / f"clip_{number}").mkdir(parents=True)
        shutil.copy(first, root / "train" / f"clip_{number}" / "224p.mp4")
    videos = [{"path": f"clip_{number}/224p.mp4", "annotations": annotations} for number in range(1, MANY + 1)]
    (root / "train" / "Labels-ball.json").write_text(json.dumps({"videos": videos}))
    save_backbone(root / "tiny.safetensors", tiny_backbone(), {"source": "test", "input_size": "64x32"})
    extract(root / "train", root / "features", making(root), shard=f"{MANY}/{MANY}")
    for number in range(11, MANY):
        journals = root / "features" / "videos"
        shutil.copy(journals / f"clip_{MANY}.jsonl", journals / f"clip_{number}.jsonl")
    return root


def making(root: Path) -> ExtractConfig:
    return ExtractConfig(backbone=root / "tiny.safetensors", device="cpu")


def spoil(folder: Path, *names: str) -> None:
    for name in names:
        next((folder / name).glob("*.mp4")).write_bytes(b"not a video")


@pytest.fixture
def spoilt(clips, tmp_path) -> Path:
    for part in ("train", "features"):
        shutil.copytree(clips / part, tmp_path / part)
    spoil(tmp_path / "train", "clip_7")
    return tmp_path


@pytest.fixture
def two_frames_a_video(monkeypatch):
    """Decoding stops early where it works at all."""

    def few(*words, **named):
        return islice(read_frames(*words, **named), 2)

    monkeypatch.setattr("playahead.video.frame_cache.read_frames", few)


@pytest.mark.slow
def test_extraction_names_it_goes_on_and_tries_it_again(clips, spoilt, capsys):
    words = ["extract", str(spoilt / "train"), "--out", str(spoilt / "features")]
    words += ["--backbone", str(clips / "tiny.safetensors"), "--device", "cpu"]
    assert run(words) == 0
    said = capsys.readouterr()
    assert "clip_7" in said.err
    assert "1 set aside" in " ".join(said.out.split())
    store = FeatureStore(spoilt / "features")
    found = features_of_clips(store, spoilt / "train")[1]
    assert [video.name for video in found if video.is_short] == ["clip_7"]
    notices = Notices()
    note_short(found, notices)
    assert notices.lines[0].startswith("1 of 100 clips cannot be read")
    shutil.copy(spoilt / "train" / "clip_8" / "224p.mp4", spoilt / "train" / "clip_7" / "224p.mp4")
    assert run(words) == 0
    assert not any(video.is_short for video in features_of_clips(store, spoilt / "train")[1])


@pytest.mark.slow
def test_too_many_are_an_error(clips, spoilt, two_frames_a_video):
    spoil(spoilt / "train", "clip_8")
    out = spoilt / "features"
    report = extract(spoilt / "train", out, making(clips))
    assert report.is_broken
    with pytest.raises(InputError, match="2 of 100 clips of train could not be read, first clip_7"):
        features_of_clips(FeatureStore(out), spoilt / "train")
    with pytest.raises(InputError, match=r"2 of 100 cannot be read, the first: .*clip_7"):
        FrameCache(spoilt, InputSize(64, 32)).fill(sorted((spoilt / "train").glob("*/*.mp4")))


@pytest.mark.slow
def test_a_clip_without_a_video_is_named_before_anything_is_trained(clips, spoilt, capsys):
    shutil.rmtree(spoilt / "train" / "clip_7")
    assert run(["data", "check", str(spoilt / "train")]) == 0
    assert "set aside" in (shown := capsys.readouterr().out)
    assert "clip_7" in shown
    (spoilt / "train" / "clip_9" / "224p.mp4").write_bytes(b"")
    assert not check_dataset(spoilt / "train").fine
    (spoilt / "train" / "clip_9" / "224p.mp4").unlink()
    shutil.copy(spoilt / "train" / "clip_8" / "224p.mp4", spoilt / "train" / "clip_9" / "224p.mp4")
    extract(spoilt / "train", spoilt / "features", making(clips))
    found = features_of_clips(FeatureStore(spoilt / "features"), spoilt / "train")[1]
    assert [video.name for video in found if video.is_short] == ["clip_7"]


def test_frames_to_pretrain_on_leave_it_out(spoilt, two_frames_a_video):
    videos = sorted((spoilt / "train").glob("*/*.mp4"))
    cache = FrameCache(spoilt, InputSize(64, 32))
    assert [path.parent.name for path in cache.fill(videos)] == ["clip_7"]
    assert len(cache.frames(videos[0])) == 2


def test_labels_that_name_another_resolution_find_the_clips_only_video(spoilt):
    for path in (spoilt / "train").glob("*/*.mp4"):
        path.rename(path.with_name("720p.mp4"))
    assert all(video.path.name == "720p.mp4" for video in find_labelled_videos(spoilt / "train"))
