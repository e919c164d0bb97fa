"""Labels, tables, feeds, submissions, grids and manifests whose meaning would have changed without a word."""

import io
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.domain.feed import FeedHalf
from playahead.domain.notices import Notices
from playahead.evaluation.exact import TimedEvents, score_exactly
from playahead.evaluation.submission import RESULTS_NAME, check_submission
from playahead.features.store import FeatureStore, StoreFacts
from playahead.io.errors import InputError
from playahead.lab.compare.grid import open_grid
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.sources.feeds import read_feed
from playahead.sources.soccernet import read_baa_split, read_bas_match

EVENT = {"label": "PASS", "position": "31000"}


def labels(tmp_path, annotations, path="clip_1/224p.mp4"):
    file = tmp_path / "Labels-ball.json"
    file.write_text(json.dumps({"videos": [{"path": path, "annotations": annotations}]}))
    return file


@pytest.mark.parametrize("nothing", [[], "", 0, False])
def test_annotations_that_are_no_object_are_not_an_empty_clip(tmp_path, nothing):
    with pytest.raises(InputError, match="expected an object"):
        read_baa_split(labels(tmp_path, nothing))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_labels_in_other_encodings_are_read(tmp_path, encoding):
    file = labels(tmp_path, {"observation": [], "anticipation": [EVENT]})
    file.write_bytes(file.read_text().encode(encoding))
    assert len(read_baa_split(file).clips[0].anticipation or ()) == 1


def test_a_key_given_twice_is_refused(tmp_path):
    file = tmp_path / "Labels-ball.json"
    file.write_text('{"videos": [{"path": "clip_1", "path": "clip_2", "annotations": {}}]}')
    with pytest.raises(InputError, match="key 'path' twice"):
        read_baa_split(file)


@pytest.mark.parametrize(
    "path", ["../clip_1", "/clip_1", "clip_1/../../x", "clip\n1/224p.mp4", "clip_\x1b[31m", "C:\\x"]
)
def test_paths_that_leave_the_folder_or_cannot_be_printed(tmp_path, path):
    with pytest.raises(InputError, match="is not of the form"):
        read_baa_split(labels(tmp_path, {}, path))


@pytest.mark.parametrize("odd", [{"visibility": "banana"}, {"visibility": 3}, {"team": 5}, {"team": []}])
def test_visibility_and_team_of_the_wrong_kind(tmp_path, odd):
    with pytest.raises(InputError, match=r"anticipation 0: (visibility|team)"):
        read_baa_split(labels(tmp_path, {"observation": [], "anticipation": [{**EVENT, **odd}]}))


def spotting(tmp_path, *entries):
    file = tmp_path / "Labels-ball.json"
    file.write_text(json.dumps({"annotations": [{"label": "PASS", **entry} for entry in entries]}))
    return file


def test_extra_time_in_spotting_labels_is_counted_and_the_match_is_read(tmp_path):
    notices = Notices()
    found = read_bas_match(spotting(tmp_path, {"gameTime": "1 - 00:10"}, {"gameTime": "3 - 00:10"}), notices)
    assert len(found[1]) == 1
    assert notices.lines == ["1 actions of period 3 not read"]


@pytest.mark.parametrize(
    ("time", "position"), [("1 - 00:10", "60000"), ("1 - 00:10", str(2**31)), ("2 - 00:10", "9" * 12)]
)
def test_a_position_that_contradicts_the_clock(tmp_path, time, position):
    with pytest.raises(InputError, match="contradicts gameTime"):
        read_bas_match(spotting(tmp_path, {"gameTime": time, "position": position}))


def test_second_halves_whose_clock_goes_on_from_45_minutes(tmp_path):
    found = read_bas_match(spotting(tmp_path, {"gameTime": "2 - 45:10", "position": "10000"}))
    assert found[2][0].position_ms == 10_000


def test_a_half_whose_clock_and_positions_go_on_from_45_minutes_is_counted_from_there(tmp_path):
    later = [{"gameTime": "2 - 45:10", "position": "2710000"}, {"gameTime": "2 - 46:10"}]
    notices = Notices()
    labels = spotting(tmp_path, {"gameTime": "1 - 46:00", "position": "2760000"}, *later)
    found = read_bas_match(labels, notices)
    assert [[event.position_ms for event in found[half]] for half in (1, 2)] == [[2_760_000], [10_000, 70_000]]
    assert notices.lines == ["half 2: its clock starts at 45:00; its times are counted from there"]


def test_a_clock_that_starts_again_stays(tmp_path):
    notices = Notices()
    found = read_bas_match(spotting(tmp_path, {"gameTime": "2 - 00:10"}, {"gameTime": "2 - 46:10"}), notices)
    assert [event.position_ms for event in found[2]] == [10_000, 2_770_000]
    assert notices.lines == []


def test_positions_of_labels_in_frames_are_refused_and_the_unit_is_said(tmp_path):
    entries = [{"gameTime": f"1 - {m:02d}:00", "position": str(60 * 25 * m)} for m in range(5)]
    with pytest.raises(InputError, match=r"annotation 1: .*contradicts gameTime .* look like frames, 25 a second"):
        read_bas_match(spotting(tmp_path, *entries))


def table(tmp_path, **columns):
    half = FeedHalf(
        1, 1, *(np.array(c, np.int64) for c in ([0, 1000], [0, 1], [0, 0], [50, 50], [50, 50], [0, 0], [0, 0]))
    )
    write_feed_table(tmp_path / "good.npz", [half])
    with np.load(tmp_path / "good.npz") as good:
        arrays = {name: good[name].astype(np.int64) for name in good.files}
    for name, value in columns.items():
        arrays[name][1] = value
    np.savez(tmp_path / "bad.npz", **arrays)
    return tmp_path / "bad.npz"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("half", 65_537),
        ("delay_ms", 10**12),
        ("t_ms", 2**31 - 1),
        ("t_ms", 10**18),
        ("x", 101),
        ("team", 256),
        ("match", 2**31),
    ],
)
def test_values_that_would_wrap_around_are_refused_with_row_and_value(tmp_path, column, value):
    with pytest.raises(InputError, match=rf"row 1: {column} {value} is not in"):
        read_feed_table(table(tmp_path, **{column: value}))


def test_bad_rows_are_dropped_and_counted_when_asked(tmp_path, capsys):
    bad = table(tmp_path, x=101)
    assert run(["data", "convert", str(bad), "--out", str(tmp_path / "out.npz")]) == 2
    assert "drop_bad_rows" in capsys.readouterr().err
    assert run(["data", "convert", str(bad), "--out", str(tmp_path / "out.npz"), "--drop-bad-rows"]) == 0
    assert "1 bad rows dropped" in " ".join(capsys.readouterr().err.split())
    assert len(read_feed_table(tmp_path / "out.npz")[0]) == 1


def test_a_table_that_unpacks_beyond_any_use(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as file,
    ):
        for _ in range(600):
            file.write(bytes(1 << 20))
    with pytest.raises(InputError, match="unpacks to"):
        read_feed_table(tmp_path / "bomb.npz")


def wyscout(tmp_path, *events):
    about = {"matchId": 1, "teamId": 1, "playerId": 1, "eventName": "Pass", "subEventName": "Simple pass", "tags": []}
    file = tmp_path / "match.json"
    file.write_text(
        json.dumps([{**about, "matchPeriod": "1H", "positions": [{"x": 50, "y": 50}], **e} for e in events])
    )
    return file


def test_events_given_twice_count_once_and_extra_time_is_told(tmp_path):
    first = {"id": 1, "eventSec": 1.0}
    notices = Notices()
    (half,) = read_feed(
        wyscout(tmp_path, {"id": 2, "eventSec": 9.0}, first, first, {"id": 3, "eventSec": 1, "matchPeriod": "P"}),
        notices,
    )
    assert half.t_ms.tolist() == [1000, 9000]
    assert notices.lines == ["1 events given twice not read", "1 events of the shoot-out not read"]


def test_positions_written_as_text_are_read(tmp_path):
    (half,) = read_feed(wyscout(tmp_path, {"eventSec": 1.0, "positions": [{"x": "40", "y": "50.5"}]}))
    assert half.x.tolist() == [40]


@pytest.mark.parametrize("path", [None, 7, "\ud800", "clip\n1"])
def test_submissions_with_paths_that_are_none(tmp_path, path):
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"videos": [{"path": path, "annotations": {"anticipation": []}}]}))
    assert check_submission(file)


def test_zips_that_servers_would_not_take(tmp_path):
    good = json.dumps({"videos": [{"path": "clip_1", "annotations": {"anticipation": []}}]})

    def problems(name=RESULTS_NAME, content=b""):
        content = content or good.encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        (tmp_path / "s.zip").write_bytes(buffer.getvalue())
        return " | ".join(check_submission(tmp_path / "s.zip"))

    assert "entries outside the zip's folder: ../x" in problems("../x")
    assert "entries outside the zip's folder: /x" in problems("/x")
    assert "UTF-16" in problems(content=good.encode("utf-16"))
    assert "unpacks to" in problems(content=bytes(300 << 20))
    assert "lies in a folder" in problems(f"folder/{RESULTS_NAME}")
    assert "other files in the zip: __MACOSX/x" in problems("__MACOSX/x")


def test_the_exact_score_of_nothing():
    nothing = TimedEvents(*(np.zeros(0, int) for _ in range(3)))
    one = TimedEvents(np.zeros(1, int), np.zeros(1, int), np.ones(1), np.ones(1))
    assert score_exactly(nothing, one).average == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)), "aliases"),
        ("variants: " + "[" * 5000, "nested"),
        ("variants: &v {a: *v}", "aliases"),
        ("x" * (2 << 20), "too large"),
    ],
    ids=["bomb", "nesting", "inside itself", "large"],
)
def test_grids_that_are_bombs(tmp_path, text, said):
    (tmp_path / "g.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        open_grid(str(tmp_path / "g.yaml"))


@pytest.mark.parametrize(
    "change",
    [
        {"precision": None},
        {"precision": "float64"},
        {"snippets": -1},
        {"feature_dim": float("nan")},
        {"weights": "\x1b[31m"},
        {"input_size": [1, 2]},
    ],
)
def test_manifests_with_fields_that_cannot_be(tmp_path, change):
    facts = asdict(StoreFacts("w", (96, 64, "limited"), "float32", 33, 4))
    (tmp_path / "manifest.json").write_text(json.dumps({**facts, **change}))
    with pytest.raises(InputError, match="manifest"):
        FeatureStore(tmp_path)
