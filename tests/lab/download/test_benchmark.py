"""The whole download against a stand-in hub: planned, fetched, unpacked, resumed, refused."""

from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from playahead.io.errors import InputError
from playahead.io.progress import Progress
from playahead.lab.download import remote_file
from playahead.lab.download.benchmark import Resolution, download_baa, parse_splits, plan_download, run_download
from playahead.sources.soccernet import SPLITS, read_baa_split
from tests.lab.download.hub_stand_in import PASSWORD, StandIn, serving, split_files, zipped

TRAIN, VALID = split_files("train", n_clips=8, clip_bytes=150_000), split_files("valid", n_clips=3)
ZIPS = {"224p/train.zip": zipped(TRAIN), "224p/valid.zip": zipped(VALID)}
TWO = ("train", "valid")
LITTLE = 3 * remote_file.WINDOW_BYTES
"""What looking at a zip may cost: its directory and its smallest entry."""


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with serving(StandIn(dict(ZIPS))) as hub:
        yield hub


def files_in(folder: Path) -> dict[str, bytes]:
    found = (path for split in SPLITS for path in (folder / split).rglob("[!.]*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_downloads_what_the_readers_read(hub: StandIn, tmp_path: Path) -> None:
    seen: list[Progress] = []
    folders = download_baa(tmp_path, PASSWORD, TWO, show=seen.append, endpoint=hub.address)
    assert folders == [tmp_path / "224p/train", tmp_path / "224p/valid"]
    assert files_in(tmp_path / "224p") == TRAIN | VALID
    assert [len(read_baa_split(folder).clips) for folder in folders] == [8, 3]
    assert hub.served_bytes <= sum(map(len, ZIPS.values())) + 2 * LITTLE
    assert list(dict.fromkeys(progress.task for progress in seen)) == [
        f"{step} {zip_}"
        for split in TWO
        for step, zip_ in (
            ("fetch", f"SoccerNet/ActionAnticipation 224p/{split}.zip"),
            ("verify", f"SoccerNet/ActionAnticipation 224p/{split}.zip"),
            ("unpack", f"{split}.zip"),
        )
    ]


def test_zips_without_the_splits_folder_in_them(hub: StandIn, tmp_path: Path) -> None:
    bare = {name.removeprefix("valid/"): content for name, content in VALID.items()}
    hub.files["224p/valid.zip"] = zipped(bare)
    for _ in range(2):
        assert download_baa(tmp_path, PASSWORD, ["valid"], endpoint=hub.address) == [tmp_path / "224p/valid"]
        assert files_in(tmp_path / "224p") == VALID


def test_resolutions_lie_beside_each_other(hub: StandIn, tmp_path: Path) -> None:
    sharp = split_files("valid", seed=9)
    hub.files["720p/valid.zip"] = zipped(sharp)
    download_baa(tmp_path, PASSWORD, ["valid"], "224p", endpoint=hub.address)
    download_baa(tmp_path, PASSWORD, ["valid"], "720p", endpoint=hub.address)
    assert files_in(tmp_path / "224p") == VALID
    assert files_in(tmp_path / "720p") == sharp


def test_second_run_fetches_and_unpacks_nothing(hub: StandIn, tmp_path: Path) -> None:
    download_baa(tmp_path, PASSWORD, TWO, endpoint=hub.address)
    served, written_at = hub.served_bytes, {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    plan = plan_download(tmp_path, PASSWORD, TWO, endpoint=hub.address)
    assert plan.needed_bytes == 0
    run_download(plan, PASSWORD)
    assert hub.served_bytes == served
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written_at


def test_zip_that_was_deleted_once_unpacked_is_not_fetched_again(hub: StandIn, tmp_path: Path) -> None:
    download_baa(tmp_path, PASSWORD, ["train"], endpoint=hub.address)
    (tmp_path / "224p/train.zip").unlink()
    served = hub.served_bytes
    download_baa(tmp_path, PASSWORD, ["train"], endpoint=hub.address)
    assert hub.served_bytes - served <= LITTLE
    assert not (tmp_path / "224p/train.zip").exists()
    assert files_in(tmp_path / "224p") == TRAIN


def test_dropped_connection_then_the_same_command(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", ())
    plan = plan_download(tmp_path, PASSWORD, ["train"], endpoint=hub.address)
    hub.drops, hub.drop_after = 1, 1_100_000
    with pytest.raises(InputError, match="run the same command again"):
        run_download(plan, PASSWORD)
    have = (tmp_path / "224p/train.zip.part").stat().st_size
    again = plan_download(tmp_path, PASSWORD, ["train"], endpoint=hub.address)
    assert again.zips[0].fetch_bytes == len(ZIPS["224p/train.zip"]) - have
    served = hub.served_bytes
    run_download(again, PASSWORD)
    assert hub.gets("224p/train.zip")[-1].first == have > 0
    assert hub.served_bytes - served == again.zips[0].fetch_bytes
    assert files_in(tmp_path / "224p") == TRAIN


def test_whole_part_of_a_killed_run_is_used(hub: StandIn, tmp_path: Path) -> None:
    part = tmp_path / "224p/train.zip.part"
    part.parent.mkdir()
    part.write_bytes(ZIPS["224p/train.zip"])
    part.with_name("train.zip.part.etag").write_text(hub.etag("224p/train.zip"))
    download_baa(tmp_path, PASSWORD, ["train"], endpoint=hub.address)
    assert hub.served_bytes <= LITTLE
    assert files_in(tmp_path / "224p") == TRAIN


def test_wrong_password_costs_a_look_only(hub: StandIn, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the password is wrong") as raised:
        download_baa(tmp_path / "out", "hunter2-wrong", TWO, endpoint=hub.address)
    assert "hunter2" not in str(raised.value)
    assert "224p/train.zip" in raised.value.where
    assert hub.served_bytes <= LITTLE < len(ZIPS["224p/train.zip"]) / 5
    assert not (tmp_path / "out").exists()


def test_wrong_password_without_ranges_costs_the_smallest_zip(hub: StandIn, tmp_path: Path) -> None:
    hub.ranges = False
    with pytest.raises(InputError, match="the password is wrong"):
        download_baa(tmp_path, "hunter2-wrong", TWO, endpoint=hub.address)
    assert [path.name for path in (tmp_path / "224p").iterdir()] == ["valid.zip"]


def test_server_without_ranges(hub: StandIn, tmp_path: Path) -> None:
    hub.ranges = False
    plan = plan_download(tmp_path, PASSWORD, TWO, endpoint=hub.address)
    assert not any(zip_.measured for zip_ in plan.zips)
    assert "about" in str(plan)
    assert run_download(plan, PASSWORD) == [tmp_path / "224p/train", tmp_path / "224p/valid"]
    assert files_in(tmp_path / "224p") == TRAIN | VALID


@pytest.mark.parametrize("password", [None, ""])
def test_no_password_asks_the_hub_nothing(hub: StandIn, tmp_path: Path, password: str | None) -> None:
    with pytest.raises(InputError, match=r"^password: .*SOCCERNET_PASSWORD.*NDA form.*soccer-net\.org"):
        download_baa(tmp_path, password, endpoint=hub.address)
    assert not hub.requests


def test_split_that_the_hub_does_not_have(hub: StandIn, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"224p/test\.zip: no such repository or file"):
        download_baa(tmp_path / "out", PASSWORD, endpoint=hub.address)
    assert not (tmp_path / "out").exists()


def test_gated(hub: StandIn, tmp_path: Path) -> None:
    hub.status = 401
    with pytest.raises(InputError, match="accept the terms"):
        download_baa(tmp_path, PASSWORD, endpoint=hub.address)


def test_too_little_room_is_said_before_anything_is_fetched(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_download(tmp_path, PASSWORD, TWO, endpoint=hub.address)
    unpacked = sum(map(len, (TRAIN | VALID).values()))
    assert plan.needed_bytes == sum(map(len, ZIPS.values())) + unpacked
    assert f"needed in {tmp_path}" in str(plan)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, plan.needed_bytes - 1))
    with pytest.raises(InputError, match=r"too little room: 2 MB to fetch and 2 MB to unpack, and 3 MB free"):
        download_baa(tmp_path / "out", PASSWORD, TWO, endpoint=hub.address)
    assert hub.served_bytes <= 4 * LITTLE
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, plan.needed_bytes))
    download_baa(tmp_path / "out", PASSWORD, TWO, endpoint=hub.address)


def test_unsafe_zip_is_refused_before_it_is_fetched(hub: StandIn, tmp_path: Path) -> None:
    hub.files["224p/train.zip"] = zipped(TRAIN | {"../evil.txt": b"evil"})
    with pytest.raises(InputError, match="unsafe entry name"):
        download_baa(tmp_path / "out", PASSWORD, ["train"], endpoint=hub.address)
    assert hub.served_bytes <= LITTLE
    assert not (tmp_path / "out").exists()


def test_local_zip_of_another_size_is_not_unpacked(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "224p").mkdir()
    (tmp_path / "224p/train.zip").write_bytes(ZIPS["224p/train.zip"] + b"more")
    with pytest.raises(InputError, match="move it away"):
        download_baa(tmp_path, PASSWORD, ["train"], endpoint=hub.address)


def test_unwritable_folder(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        download_baa(tmp_path / "out", PASSWORD, ["valid"], endpoint=hub.address)


def test_parse_splits() -> None:
    assert parse_splits("valid, train") == ("train", "valid")
    with pytest.raises(InputError, match="'dev' is not one of train, valid, test, challenge"):
        parse_splits("train,dev")
    with pytest.raises(InputError, match="no split is named"):
        parse_splits(" , ")


def test_unknown_resolution(tmp_path: Path) -> None:
    resolution: Resolution = "1080p"  # type: ignore[assignment]
    with pytest.raises(InputError, match="'1080p' is not one of 224p, 720p"):
        plan_download(tmp_path, PASSWORD, resolution=resolution)
