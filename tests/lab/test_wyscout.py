"""Wyscout-BAA from its source: fetched from a stand-in, resumed, refused, converted, compared match by match."""

import gzip
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.datasets.benchmark import Benchmark, Source, digests_of, wyscout_baa
from playahead.datasets.dataset import FeedDataset
from playahead.domain.actions import ACTIONS
from playahead.io.errors import InputError
from playahead.lab import wyscout
from playahead.lab.wyscout import fetch, make_wyscout_baa
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.sources.feeds import read_feed
from tests.support.paths import SHARED

MATCH = 2499720


@pytest.fixture(scope="module")
def match(real_match: Path) -> dict:
    """The sample match, which says nothing of roles, with roles that are made up."""
    events = json.loads(gzip.decompress(real_match.read_bytes()))["events"]
    ids = sorted({event["playerId"] for event in events if event["playerId"]})
    codes = ("GKP", "DEF", "MID", "FWD")
    listed = [{"player": {"wyId": one, "role": {"code3": codes[one % 4]}}} for one in ids]
    return {"events": events, "players": {"all": listed}}


@pytest.fixture(scope="module")
def players(match) -> bytes:
    return json.dumps([entry["player"] for entry in match["players"]["all"]]).encode()


@pytest.fixture(scope="module")
def digest(match, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("match") / "match.json"
    path.write_text(json.dumps(match))
    return digests_of(read_feed(path))[MATCH]


@pytest.fixture(scope="module")
def archive(match) -> bytes:
    other = [{**event, "matchId": 7} for event in match["events"][:20]]  # of a competition that is not ours
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("events_England.json", json.dumps([*match["events"], *other]))
    return content.getvalue()


class _Served(BaseHTTPRequestHandler):
    files: ClassVar[dict[str, bytes]] = {}
    breaks_off_at: ClassVar[int] = 0
    ranges: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        content, asked = self.files[self.path], self.headers.get("Range", "")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.breaks_off_at and not asked:
            self.wfile.write(content[: self.breaks_off_at])
            self.wfile.flush()
            self.connection.close()
            return
        self.wfile.write(content[start:])

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(archive, players, digest) -> Iterator[Benchmark]:
    """The benchmark of one match, whose sources a server on this machine has."""
    _Served.files, _Served.breaks_off_at, _Served.ranges = {"/events": archive, "/players": players}, 0, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_address[1]}"
    sources = {
        name: Source(f"{at}/{name}", hashlib.sha256(content).hexdigest())
        for name, content in (("events", archive), ("players", players))
    }
    yield Benchmark("tiny", {split: {MATCH: digest} for split in ("train", "val", "test", "large")}, sources)
    server.shutdown()
    server.server_close()


def test_the_package_lists_every_match_of_the_benchmark():
    splits = wyscout_baa().splits
    assert {split: len(matches) for split, matches in splits.items()} == {
        "train": 200,
        "val": 40,
        "test": 64,
        "large": 1406,
    }
    assert splits["train"].items() <= splits["large"].items()
    assert len(splits["large"].keys() | splits["val"].keys() | splits["test"].keys()) == 1510


@pytest.mark.parametrize("match", [2499720, 2500689, 2500710, 2565549])
def test_raw_matches_have_the_digests_of_the_package(match):
    path = SHARED / "data" / "wyscout_raw" / f"{match}.json"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    (listed,) = {of[match] for of in wyscout_baa().splits.values() if match in of}
    assert digests_of(read_feed(path)) == {match: listed}


def test_one_other_row_gives_another_digest(real_match):
    first, second = read_feed(real_match)
    moved = first.t_ms.copy()
    moved[17] += 1
    assert digests_of([first.changed(t_ms=moved), second]) != digests_of([first, second])
    renumbered = first.player.copy()
    renumbered[first.player < 40] += 60
    other = second.player.copy()
    other[second.player < 40] += 60
    same = [first.changed(player=renumbered), second.changed(player=other)]
    assert digests_of(same) == digests_of([first, second])


def test_the_archive_becomes_the_tables_to_the_row(served, tmp_path):
    made = make_wyscout_baa(tmp_path, benchmark=served)
    assert made.is_benchmark
    assert served.recognise(read_feed_table(tmp_path / "test.npz")) == "train"  # all splits are the same match here
    assert set(made.tables) == {f"{folder}{name}.npz" for folder in ("", "large/") for name in ("train", "val", "test")}
    assert make_wyscout_baa(tmp_path, benchmark=served).tables == made.tables
    assert len(_Served.ranges) == 2, "what is there is not fetched again"


def test_a_download_goes_on_where_it_broke_off(served, tmp_path, archive):
    _Served.breaks_off_at = len(archive) // 2
    with pytest.raises(InputError, match=r"cannot be fetched .*it resumes"):
        fetch(served.sources["events"], tmp_path / "events.zip")
    assert not (tmp_path / "events.zip").exists()
    fetch(served.sources["events"], tmp_path / "events.zip")
    assert (tmp_path / "events.zip").read_bytes() == archive
    assert _Served.ranges == ["", f"bytes={len(archive) // 2}-"]


def test_a_part_that_is_whole_is_put_in_place(served, tmp_path, archive):
    (tmp_path / "events.zip.part").write_bytes(archive)
    fetch(served.sources["events"], tmp_path / "events.zip")
    assert (tmp_path / "events.zip").read_bytes() == archive
    assert not _Served.ranges


def test_a_part_that_is_longer_than_the_file_is_fetched_anew(served, tmp_path, archive):
    (tmp_path / "events.zip.part").write_bytes(archive + b"and more")
    fetch(served.sources["events"], tmp_path / "events.zip")
    assert (tmp_path / "events.zip").read_bytes() == archive
    assert len(_Served.ranges) == 2


def test_tables_of_another_dataset_are_not_written_over(served, tmp_path, real_match):
    half = read_feed(real_match)[0]
    write_feed_table(tmp_path / "val.npz", [half.changed(match=7)])
    before = (tmp_path / "val.npz").read_bytes()
    with pytest.raises(InputError, match=r"val\.npz: is there already, with matches of another dataset"):
        make_wyscout_baa(tmp_path, benchmark=served)
    assert (tmp_path / "val.npz").read_bytes() == before
    assert not (tmp_path / "train.npz").exists()


def test_late_or_unsure_rows_are_not_the_benchmark(served, real_match, tmp_path):
    assert make_wyscout_baa(tmp_path, benchmark=served).is_benchmark
    halves = read_feed_table(tmp_path / "test.npz")
    assert served.recognise(halves)
    n = len(halves[0])
    for changed in ({"late_ms": np.full(n, 500)}, {"confidence": np.full(n, 90)}, {"reports": frozenset(range(10))}):
        assert not served.recognise([halves[0].changed(**changed), *halves[1:]])


def test_a_file_that_is_not_the_published_one_is_refused(served, tmp_path):
    _Served.files = {**_Served.files, "/events": b"<html>come back later</html>"}
    with pytest.raises(InputError, match="is not the file that was published"):
        fetch(served.sources["events"], tmp_path / "events.zip")
    assert not list(tmp_path.iterdir())
    wrong = Source("http://127.0.0.1:9/events", "0")
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch(wrong, tmp_path / "events.zip")


@pytest.mark.parametrize("layout", ["match", "competition"])
def test_a_folder_of_files_is_taken_instead(served, tmp_path, match, players, layout):
    folder = tmp_path / "mirror"
    folder.mkdir()
    if layout == "match":
        (folder / f"{MATCH}.json").write_text(json.dumps(match))
        (folder / "7.json").write_text("no match of ours")
    else:
        (folder / "events_England.json").write_text(json.dumps(match["events"]))
        (folder / "players.json").write_bytes(players)
    assert make_wyscout_baa(tmp_path / "out", folder, served).is_benchmark


@pytest.fixture
def without_out(match) -> list[dict]:
    """Events of a match that say nothing of the ball going out."""
    return [event for event in match["events"] if event["subEventName"] != "Ball out of the field"]


def test_a_tournament_is_a_test_set_of_its_own_without_out(served, tmp_path, match, without_out, monkeypatch, capsys):
    folder, out = tmp_path / "mirror", tmp_path / "out"
    folder.mkdir()
    cup = [{**event, "matchId": number} for number in (2058017, 2057954) for event in without_out]
    (folder / "events_England.json").write_text(json.dumps([*match["events"], {**cup[0], "matchId": 7}]))
    (folder / "events_World_Cup.json").write_text(json.dumps(cup))
    (folder / "players.json").write_bytes(_Served.files["/players"])
    monkeypatch.setattr(wyscout, "wyscout_baa", lambda: served)
    for _ in range(2):
        assert run(["data", "download", "wyscout", "--out", str(out), "--mirror", str(folder)]) == 0
    assert "world-cup-2018: 2 of 2 matches" in capsys.readouterr().err
    assert {half.match for half in read_feed_table(out / "test.npz")} == {MATCH}
    found = FeedDataset(out / "world-cup-2018").evaluation_set("test")
    assert found.matches == [2057954, 2058017]
    assert set(found.class_names) == {action.value for action in ACTIONS} - {"OUT"}
    assert not (out / "euro-2016").exists()
    write_feed_table(out / "world-cup-2018" / "test.npz", read_feed_table(out / "test.npz"))
    with pytest.raises(InputError, match="with matches of another dataset"):
        make_wyscout_baa(out, folder, served)


def test_a_tournaments_odd_matches_are_left_out_and_counted(served, tmp_path, match, players, without_out):
    folder, out = tmp_path / "mirror", tmp_path / "out"
    folder.mkdir()
    (folder / "events_England.json").write_text(json.dumps(match["events"]))
    (folder / "players.json").write_bytes(players)
    odd = {**without_out[0], "matchId": 2, "positions": [{"y": 3}]}
    extra_time = {**without_out[0], "matchId": 3, "matchPeriod": "E1"}
    (folder / "events_World_Cup.json").write_text(json.dumps([*without_out, odd, extra_time]))
    (folder / "events_European_Championship.json").write_text(json.dumps([odd, extra_time]))
    made = make_wyscout_baa(out, folder, served)
    assert made.is_benchmark
    assert made.tournaments == {"world-cup-2018": (1, 3), "euro-2016": (0, 2)}
    assert not (out / "euro-2016").exists()


@pytest.mark.parametrize("layout", ["match", "competition"])
def test_an_odd_match_of_a_league_is_an_error_that_names_its_file(served, tmp_path, match, layout):
    folder = tmp_path / "mirror"
    folder.mkdir()
    events = [{**match["events"][0], "positions": [{"y": 3}]}, *match["events"][1:]]
    name, content = (
        (f"{MATCH}.json", {**match, "events": events}) if layout == "match" else ("events_Italy.json", events)
    )
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(InputError, match=name):
        make_wyscout_baa(tmp_path / "out", folder, served)


def test_tables_that_differ_are_told_and_not_called_the_benchmark(served, tmp_path, match, monkeypatch, capsys):
    folder = tmp_path / "mirror"
    folder.mkdir()
    events = [dict(event) for event in match["events"]]
    first, second = [event for event in events if event["eventName"] == "Pass"][100:102]
    first["eventSec"] += 0.5
    second["positions"] = [{"x": 250, "y": 3}]  # off the pitch: a place that is unknown
    (folder / f"{MATCH}.json").write_text(json.dumps({**match, "events": events}))
    monkeypatch.setattr(wyscout, "wyscout_baa", lambda: served)
    assert run(["data", "download", "wyscout", "--out", str(tmp_path / "out"), "--mirror", str(folder)]) == 2
    said = capsys.readouterr().err
    assert f"test: matches that are different: 1, first {MATCH}" in said
    assert "figures made with them are not comparable" in said


@pytest.mark.parametrize("content", ["", "[", "[1]", "{}", '[{"matchId": 2499720, "positions": 3}]'])
def test_a_folder_that_holds_no_matches_is_one_line(served, tmp_path, content):
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "events_England.json").write_text(content)
    with pytest.raises(InputError) as raised:
        make_wyscout_baa(tmp_path / "out", folder, served)
    assert "\n" not in str(raised.value)
