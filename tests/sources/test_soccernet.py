"""SoccerNet's two label layouts: round trips, quirks, and everything that can be wrong with them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.notices import Notices
from playahead.domain.records import SIDES, ActionEvent, Clip, in_time_order
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
    kinds = st.sampled_from(ACTIONS), st.sampled_from([None, *SIDES]), st.booleans()
    event = st.builds(ActionEvent, st.integers(low, high), *kinds)
    return st.lists(event, max_size=6, unique_by=lambda e: e.position_ms).map(in_time_order)


@settings(max_examples=60)
@given(parts=st.lists(st.tuples(events(0, 30_000), st.one_of(st.none(), events(30_000, 35_000))), max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("baa")
    clips = [Clip(f"clip_{i}", f"clip_{i}/224p.mp4", o, a) for i, (o, a) in enumerate(parts, start=1)]
    write_baa_split(folder, clips)
    read = read_baa_split(folder)
    assert (read.clips, read.rejected) == (clips, [])


def labels(tmp_path: Path, videos: object) -> Path:
    path = tmp_path / LABELS_NAME
    path.write_text(json.dumps({"videos": videos}))
    return path


def video(*anticipation: dict, path="clip_1/224p.mp4", observation=()) -> dict:
    return {"path": path, "annotations": {"observation": list(observation), "anticipation": list(anticipation)}}


def entry(**change) -> dict:
    return {"label": "PASS", "position": "31240", "team": "home", "visibility": "visible", **change}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_quirks(tmp_path, encoding):
    later = entry(position=32000, visibility="not shown", label="HIGH PASS")
    odd = [entry(label="FREE KICK"), entry(label="GOAL"), entry(team="not applicable")]
    withheld = {"path": "clip_2/224p.mp4", "annotations": {"observation": []}}
    path = labels(tmp_path, [video(entry(), later, *odd), withheld])
    path.write_bytes(path.read_text().encode(encoding))
    split = read_baa_split(path)
    first, second = split.clips
    assert [(e.position_ms, e.visible) for e in first.anticipation or ()] == [
        *[(31_240, True)] * 2,
        (32_000, False),
    ]
    assert second.anticipation is None
    assert split.dropped == {"FREE KICK": 1, "GOAL": 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (entry(label="CORNER"), "unknown label 'CORNER'"),
        (entry(position="31.5"), "not a whole number"),
        (entry(position=float("nan")), "not a whole number"),
        (entry(position=40_000), "outside 30000..35000"),
        (entry(visibility="banana"), "anticipation 1: visibility 'banana' is neither"),
        (entry(team=5), "anticipation 1: team 5 is not text"),
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
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b'{"videos": [', "not JSON"),
        (b"\xff\xfe\x00\x80", "not JSON"),
        (b"[]", "expected an object, found list"),
        (b"{}", "has no 'videos'"),
        (b'{"videos": 3}', "expected a list, found int"),
        (b'{"videos": [{"annotations": {}}]}', "has no 'path'"),
        (b'{"videos": [{"path": "../clip_1"}]}', "not of the form"),
        (b'{"videos": [{"path": "clip_1", "annotations": []}]}', "expected an object, found list"),
        (b'{"videos": [{"path": "clip_1", "annotations": 0}]}', "expected an object, found int"),
        (b'{"videos": [{"path": "clip_1", "path": "clip_2"}]}', "key 'path' twice"),
        (b'{"videos": [{"path": "clip_1"}, {"path": "clip_1"}]}', "clip_1 is listed 2 times"),
    ],
)
def test_files_that_are_not_labels(tmp_path, content, reason):
    with pytest.raises(InputError, match="no such file"):
        read_baa_split(tmp_path / LABELS_NAME)
    (tmp_path / LABELS_NAME).write_bytes(content)
    with pytest.raises(InputError, match="Labels-ball") as refusal:
        read_baa_split(tmp_path)
    assert reason in str(refusal.value)


OUTSIDE = ["/etc/passwd", "//x/y.mp4", "///x", r"\\srv\x\y.mp4", "../x/y.mp4", "a/../../b", "C:\\x", "", ".."]


@pytest.mark.parametrize("path", [*OUTSIDE, "clip\n1/224p.mp4", "clip_\x1b[31m"])
def test_paths_that_leave_the_folder_or_cannot_be_printed(path):
    with pytest.raises(InputError, match="not of the form"):
        clip_name(path, "here")


def bas(tmp_path: Path, *annotations: dict) -> Path:
    path = tmp_path / LABELS_NAME
    path.write_text(json.dumps({"annotations": [{"label": "PASS", **annotation} for annotation in annotations]}))
    return path


def timed(clock: str, position: object = None, **more) -> dict:
    return {"gameTime": clock, **({} if position is None else {"position": position}), **more}


def test_spotting_labels(tmp_path):
    goal, extra = timed("2 - 01:01", "61000", label="GOAL"), timed("3 - 00:10")
    path = bas(tmp_path, timed("1 - 00:31", "31240", team="left"), timed("2 - 01:00", label="SHOT"), goal, extra)
    notices = Notices()
    match = read_bas_match(path, notices)
    assert match == {1: (ActionEvent(31_240, Action.PASS, "left"),), 2: (ActionEvent(60_000, Action.SHOT),)}
    assert notices.lines == ["1 actions of period 3 not read", "1 actions labelled 'GOAL' not read"]


LATE = "half 2: its clock starts at 45:00; its times are counted from there"


@pytest.mark.parametrize(
    ("entries", "times_ms", "lines"),
    [
        ([timed("2 - 45:10", "10000")], [10_000], []),
        ([timed("1 - 46:00", "2760000"), timed("2 - 45:10", "2710000"), timed("2 - 46:10")], [10_000, 70_000], [LATE]),
        ([timed("2 - 00:10"), timed("2 - 46:10")], [10_000, 2_770_000], []),
    ],
    ids=["position from the half's start", "from 45 minutes on", "from 0 on"],
)
def test_a_second_half_is_counted_from_its_start_wherever_its_clock_begins(tmp_path, entries, times_ms, lines):
    notices = Notices()
    match = read_bas_match(bas(tmp_path, *entries), notices)
    assert ([event.position_ms for event in match[2]], notices.lines) == (times_ms, lines)


def test_what_was_not_read_of_labels_is_said_once_a_match(tmp_path):
    for match, n_goals in (("a", 3), ("b", 2)):
        (tmp_path / match).mkdir()
        bas(tmp_path / match, timed("1 - 00:31"), timed("2 - 45:10"), *[timed("1 - 01:01", label="GOAL")] * n_goals)
        for half in (1, 2):
            (tmp_path / match / f"{half}_224p.mp4").touch()
    notices = Notices()
    find_labelled_videos(tmp_path, notices)
    assert notices.lines == ["5 actions labelled 'GOAL' not read", f"a: {LATE}", f"b: {LATE}"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (timed("6 - 00:00"), "gameTime '6 - 00:00' is not of the form"),
        (timed("1 - 00:00", label="WHAT"), "unknown label 'WHAT'"),
        ({"label": "PASS"}, "has no 'gameTime'"),
        (timed("1 - 00:00", "-3"), "position -3 ms is negative"),
        (timed("1 - 00:10", "60000"), "contradicts gameTime"),
        (timed("2 - 00:10", "9" * 12), "contradicts gameTime"),
    ],
)
def test_wrong_spotting_labels_are_named(tmp_path, wrong, reason):
    with pytest.raises(InputError, match=f"annotation 1: .*{reason}"):
        read_bas_match(bas(tmp_path, timed("1 - 00:00"), wrong))


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
