"""SoccerNet's two label layouts: round trips, quirks, and everything that can be wrong with them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.notices import Notices
from playahead.domain.records import SIDES, ActionEvent, Clip
from playahead.io.errors import InputError
from playahead.sources.layouts import find_labelled_videos
from playahead.sources.soccernet import (
    LABELS_NAME,
    clip_name,
    cut_into_clips,
    read_baa_split,
    read_bas_match,
    write_baa_split,
)


def events(low: int, high: int):
    event = st.builds(
        ActionEvent,
        st.integers(low, high),
        st.sampled_from(ACTIONS),
        st.sampled_from([None, *SIDES]),
        st.booleans(),
    )
    return st.lists(event, max_size=6).map(lambda listed: tuple(sorted(listed, key=lambda e: e.position_ms)))


@settings(max_examples=60)
@given(
    parts=st.lists(st.tuples(events(0, 30_000), st.one_of(st.none(), events(30_000, 35_000))), max_size=4),
)
def test_what_is_written_is_read_back(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("baa")
    clips = [Clip(f"clip_{i}", f"clip_{i}/224p.mp4", o, a) for i, (o, a) in enumerate(parts, start=1)]
    write_baa_split(folder, clips)
    read = read_baa_split(folder)
    assert [_plain(clip) for clip in read.clips] == [_plain(clip) for clip in clips]
    assert not read.rejected


def _plain(clip: Clip):
    """Events as sets: readers sort ties their own way."""
    key = lambda e: (e.position_ms, e.action, str(e.side), e.visible)  # noqa: E731
    coming = None if clip.anticipation is None else sorted(map(key, clip.anticipation))
    return clip.name, clip.video, sorted(map(key, clip.observation)), coming


def labels(tmp_path: Path, videos: object) -> Path:
    path = tmp_path / LABELS_NAME
    path.write_text(json.dumps({"videos": videos}))
    return path


def video(*anticipation: dict, path="clip_1/224p.mp4", observation=()) -> dict:
    return {"path": path, "annotations": {"observation": list(observation), "anticipation": list(anticipation)}}


def entry(**change) -> dict:
    return {"label": "PASS", "position": "31240", "team": "home", "visibility": "visible", **change}


def test_quirks(tmp_path):
    path = labels(
        tmp_path,
        [
            video(
                entry(),
                entry(position=32000, visibility="not shown", label="HIGH PASS"),
                entry(label="FREE KICK"),
                entry(label="GOAL"),
                entry(team="not applicable"),
            ),
            {"path": "clip_2/224p.mp4", "annotations": {"observation": []}},
        ],
    )
    split = read_baa_split(path)
    first, second = split.clips
    assert first.anticipation is not None
    assert [(e.position_ms, e.action, e.visible) for e in first.anticipation][-1] == (32_000, Action.HIGH_PASS, False)
    assert len(first.anticipation) == 3
    assert second.anticipation is None, "withheld"
    assert split.dropped == {"FREE KICK": 1, "GOAL": 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (entry(label="CORNER"), "unknown label 'CORNER'"),
        (entry(position="31.5"), "not a whole number"),
        (entry(position=float("nan")), "not a whole number"),
        (entry(position=None), "not a whole number"),
        (entry(position=40_000), "outside 30000..35000"),
        ({"label": "PASS"}, "has no 'position'"),
        ("PASS", "expected an object, found str"),
    ],
)
def test_bad_entries_are_named(tmp_path, bad, reason):
    path = labels(tmp_path, [video(entry()), video(entry(), bad, path="clip_7/224p.mp4")])
    with pytest.raises(InputError, match=r"clip_7|video 1") as refusal:
        read_baa_split(path)
    assert reason in str(refusal.value)
    kept = read_baa_split(path, keep_going=True)
    assert len(kept.rejected) == 1
    assert kept.clips[0].name == "clip_1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ('{"videos": [', "not JSON"),
        ("[]", "expected an object, found list"),
        ("{}", "has no 'videos'"),
        ('{"videos": 3}', "expected a list, found int"),
        ('{"videos": [{"annotations": {}}]}', "has no 'path'"),
        ('{"videos": [{"path": "../clip_1"}]}', "not of the form"),
    ],
)
def test_files_that_are_not_labels(tmp_path, text, reason):
    (tmp_path / LABELS_NAME).write_text(text)
    with pytest.raises(InputError, match="Labels-ball") as refusal:
        read_baa_split(tmp_path)
    assert reason in str(refusal.value)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_baa_split(tmp_path / "nothing.json")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match=r"not text|not JSON"):
        read_baa_split(tmp_path / "x.json")


def test_a_clip_listed_twice(tmp_path):
    with pytest.raises(InputError, match="clip_1 is listed 2 times"):
        read_baa_split(labels(tmp_path, [video(), video()]))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "//x/y.mp4", "///x", r"\\srv\x\y.mp4", "../x/y.mp4", "a/../../b", "C:\\x", "", ".."]
)
def test_paths_that_leave_the_folder(path):
    with pytest.raises(InputError, match="not of the form"):
        clip_name(path, "here")


@settings(max_examples=80)
@given(cut=st.integers(0, 400), flip=st.integers(0, 255))
def test_damaged_bytes_never_crash_the_reader(tmp_path_factory, cut, flip):
    folder = tmp_path_factory.mktemp("damaged")
    whole = json.dumps({"videos": [video(entry(), entry(label="SHOT"), observation=[entry(position=5)])]}).encode()
    place = cut % len(whole)
    damaged = bytearray(whole)
    damaged[place] = flip
    for body in (whole[:place], bytes(damaged)):
        (folder / LABELS_NAME).write_bytes(body)
        try:
            read_baa_split(folder)
        except InputError as refusal:
            assert "\n" not in str(refusal)


def bas(tmp_path: Path, *annotations: dict) -> Path:
    path = tmp_path / LABELS_NAME
    path.write_text(json.dumps({"annotations": list(annotations)}))
    return path


def test_spotting_labels(tmp_path):
    path = bas(
        tmp_path,
        {"gameTime": "1 - 00:31", "label": "PASS", "position": "31240", "team": "left", "visibility": "visible"},
        {"gameTime": "2 - 01:00", "label": "SHOT"},
        {"gameTime": "2 - 01:01", "label": "GOAL", "position": "61000"},
    )
    notices = Notices()
    match = read_bas_match(path, notices)
    assert match[1] == (ActionEvent(31_240, Action.PASS, "left"),)
    assert match[2] == (ActionEvent(60_000, Action.SHOT),)
    assert notices.lines == ["1 actions labelled 'GOAL' not read"]


def test_what_was_not_read_of_labels_is_said_once_a_match(tmp_path):
    for match in ("a", "b"):
        goals = [{"gameTime": f"{half} - 01:01", "label": "GOAL"} for half in (1, 1, 2)]
        played = [{"gameTime": "1 - 00:31", "label": "PASS"}, {"gameTime": "2 - 45:10", "label": "SHOT"}]
        (tmp_path / match).mkdir()
        bas(tmp_path / match, *played, *(goals[:2] if match == "b" else goals))
        for half in (1, 2):
            (tmp_path / match / f"{half}_224p.mp4").touch()
    notices = Notices()
    find_labelled_videos(tmp_path, notices)
    assert notices.lines == [
        "5 actions labelled 'GOAL' not read",
        "b: half 2: its clock starts at 45:00; its times are counted from there",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"gameTime": "6 - 00:00", "label": "PASS"},
        {"gameTime": "1 - 00:00", "label": "WHAT"},
        {"label": "PASS"},
        {"gameTime": "1 - 00:00", "label": "PASS", "position": "-3"},
    ],
)
def test_wrong_spotting_labels_are_named(tmp_path, wrong):
    with pytest.raises(InputError, match="annotation 1"):
        read_bas_match(bas(tmp_path, {"gameTime": "1 - 00:00", "label": "PASS"}, wrong))


@pytest.mark.parametrize("stride_ms", [1_000, 5_000, 35_000])
def test_windows_at_any_stride(stride_ms):
    actions = tuple(ActionEvent(t, Action.PASS) for t in range(500, 120_000, 700))
    clips = cut_into_clips(actions, 120_000, stride_ms)
    assert len(clips) == (120_000 - 35_000) // stride_ms + 1
    for index, clip in enumerate(clips):
        start = index * stride_ms
        expected = [e.position_ms - start for e in actions if start + 30_000 < e.position_ms <= start + 35_000]
        assert [e.position_ms for e in clip.anticipation or ()] == expected
    with pytest.raises(InputError, match="not positive"):
        cut_into_clips(actions, 120_000, 0)
