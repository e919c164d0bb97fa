"""OSL JSON as training data: what is written is read; what is wrong is said in one line."""

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.notices import Notices
from playahead.domain.records import ActionEvent, in_time_order
from playahead.io.errors import InputError
from playahead.sources.layouts import (
    find_labelled_videos,
    folder_of_split,
    match_numbers,
    name_of_split,
    read_osl_videos,
    write_osl_videos,
)

names = st.from_regex(r"\A[a-z0-9]{1,8}\Z")
times, sides = st.integers(0, 10_000_000), st.sampled_from(["home", "away", None])
events = st.lists(st.builds(ActionEvent, times, st.sampled_from(ACTIONS), sides), max_size=8)


@given(
    videos=st.dictionaries(names, events, min_size=1, max_size=4), classes=st.sets(st.sampled_from(ACTIONS), min_size=1)
)
def test_what_is_written_is_read(tmp_path_factory, videos, classes):
    path = tmp_path_factory.mktemp("osl") / "annotations_train.json"
    written = {PurePosixPath("train", "videos", f"{name}.mp4"): found for name, found in videos.items()}
    write_osl_videos(path, written, sorted(classes))
    read = read_osl_videos(path, Notices())
    assert [video.path for video in read] == [path.parent / place for place in written]
    for video, found in zip(read, written.values(), strict=True):
        assert video.events == in_time_order([event for event in found if event.action in classes])
        assert video.classes == tuple(sorted(action.class_index for action in classes))


def document(**changes) -> dict:
    item = {
        "id": "3812",
        "inputs": [{"type": "video", "path": "train/videos/3812.mp4", "fps": 25}],
        "events": [{"head": "action", "label": "high_pass", "position_ms": "1500"}],
    }
    schema = {"action": {"type": "single_label", "labels": ["PASS", "HIGH PASS", "GOAL", "FREE KICK"]}}
    return {"labels": schema, "data": [{**item, **changes}]}


def test_labels_that_are_none_of_ours_are_counted_and_usual_spellings_read(tmp_path):
    path, notices = tmp_path / "one.json", Notices()
    more = [{"label": "GOAL", "position_ms": 1}, {"label": "DRIVE", "position_ms": 2}]
    path.write_text(json.dumps(document(events=[*document()["data"][0]["events"], *more])))
    (video,) = read_osl_videos(path, notices)
    assert video.events == (ActionEvent(1500, Action.HIGH_PASS),)
    assert video.classes == (Action.PASS.class_index, Action.HIGH_PASS.class_index)
    # Nobody promised to look for drives.
    assert notices.counts == {f"actions labelled '{label}' not read": 1 for label in ("GOAL", "DRIVE")}


def at(path: object) -> list[dict]:
    return [{"type": "video", "path": path}]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ([], "expected an object"),
        ({"data": []}, "has no 'labels'"),
        ({**document(), "labels": {"action": {"labels": ["GOAL"]}}}, "annotates none of the ten"),
        ({**document(), "data": []}, "lists no videos"),
        ({**document(), "data": document()["data"] * 2}, "id '3812' is listed twice"),
        (document(inputs=[]), "data 0: has 0 videos"),
        (document(inputs=at("../../etc/passwd")), "path '../../etc/passwd' is not that of a file"),
        (document(inputs=at("/etc/passwd")), "is not that of a file beside"),
        (document(inputs=at("//etc/passwd")), "is not that of a file beside"),
        (document(inputs=at(7)), "path 7 is not"),
        (document(events=[{"label": "PASS"}]), "data 0, event 0: has no 'position_ms'"),
        (document(events=[{"label": "PASS", "position_ms": 1e9}]), "is not a time"),
        (document(events={"0": 1}), "data 0: events: expected a list"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, broken, said):
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(broken))
    with pytest.raises(InputError, match=r"broken\.json") as raised:
        read_osl_videos(path, Notices())
    assert said in str(raised.value)


def test_splits_lie_beside_their_videos(tmp_path):
    write_osl_videos(tmp_path / "annotations_valid.json", {PurePosixPath("valid/videos/1.mp4"): []})
    place = folder_of_split(tmp_path, "val")
    assert (place.name, name_of_split(place)) == ("annotations_valid.json", "valid")
    with pytest.raises(InputError, match=r"valid/videos/1.mp4: no such video"):
        find_labelled_videos(place)
    (tmp_path / "valid" / "videos").mkdir(parents=True)
    (tmp_path / "valid" / "videos" / "1.mp4").touch()
    (video,) = found = find_labelled_videos(place)
    assert (video.name, video.stored, match_numbers(found)) == ("1", "valid/videos/1", [0])
