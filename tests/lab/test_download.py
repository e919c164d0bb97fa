"""The benchmark's download against a stand-in hub and zips on this disk: unpacked, resumed, refused in one line."""

import os
import resource
import signal
import socket
import subprocess
import sys
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import pyzipper
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.io.errors import InputError
from playahead.io.files import readable_size
from playahead.io.progress import Progress
from playahead.lab import download
from playahead.lab.download import download_baa, plan_download, run_download, safe_path
from playahead.sources.soccernet import SPLITS, read_baa_split
from tests.support.hub import PASSWORD, TOKEN, StandIn, calm_client, serving, split_files, zipped

TRAIN, VALID = split_files("train", n_clips=8, clip_bytes=150_000), split_files("valid", n_clips=3)
ZIPS = {"224p/train.zip": zipped(TRAIN), "224p/valid.zip": zipped(VALID)}
TWO = ("train", "valid")
SMALL = {"train/a.bin": b"pass drive header " * 20, "train/b.bin": bytes(range(200)), "train/c.bin": b""}
SMALL_ZIP = zipped(SMALL)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr(download, "_LOOK_BYTES", 1 << 15)
    monkeypatch.setattr(download, "_FETCH_BYTES", 1 << 18)
    with serving(StandIn(dict(ZIPS))) as hub:
        yield hub


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A zip of the split train where somebody put it; nothing of it comes from a hub."""
    path = tmp_path / "224p" / "train.zip"
    path.parent.mkdir()
    path.write_bytes(ZIPS["224p/train.zip"])
    return path


def files_in(folder: Path) -> dict[str, bytes]:
    paths = (path for split in SPLITS for path in (folder / "224p" / split).rglob("*") if path.is_file())
    return {path.relative_to(folder / "224p").as_posix(): path.read_bytes() for path in paths}


@contextmanager
def refused(match: str, where: str = "") -> Iterator[None]:
    """One line, about that place."""
    with pytest.raises(InputError, match=match) as raised:
        yield
    assert "\n" not in str(raised.value)
    assert str(raised.value.where).startswith(where)


def train(out: Path, password: str = PASSWORD, **more) -> list[Path]:
    return download_baa(out, password, ["train"], **more)


def test_downloads_what_the_readers_read_and_no_more(hub: StandIn, tmp_path: Path) -> None:
    seen: list[Progress] = []
    folders = download_baa(tmp_path, PASSWORD, TWO, show=seen.append)
    assert folders == [tmp_path / "224p/train", tmp_path / "224p/valid"]
    assert files_in(tmp_path) == TRAIN | VALID
    assert [len(read_baa_split(folder).clips) for folder in folders] == [8, 3]
    assert hub.served_bytes <= 1.5 * sum(map(len, ZIPS.values()))  # some of it was looked at before
    assert list(dict.fromkeys(one.task for one in seen)) == [f"fetching 224p/{split}.zip" for split in TWO]
    done = [one.done for one in seen if "train" in one.task]
    assert done == sorted(done)
    assert done[-1] == seen[0].total == sum(map(len, TRAIN.values()))


def test_zips_without_the_splits_folder_in_them_and_resolutions_beside_each_other(hub: StandIn, tmp_path: Path) -> None:
    hub.files["224p/valid.zip"] = zipped({name.removeprefix("valid/"): content for name, content in VALID.items()})
    hub.files["720p/valid.zip"] = zipped(split_files("valid", seed=9))
    for resolution in ("224p", "224p", "720p"):
        folders = download_baa(tmp_path, PASSWORD, ["valid"], resolution)
        assert folders == [tmp_path / resolution / "valid"]
        assert files_in(tmp_path) == VALID


def test_second_run_looks_and_fetches_what_is_missing(hub: StandIn, tmp_path: Path) -> None:
    download_baa(tmp_path, PASSWORD, TWO)
    lost = tmp_path / "224p/train/clip_2/224p.mp4"
    written_at = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file() and path != lost}
    served = hub.served_bytes
    assert plan_download(tmp_path, PASSWORD, TWO).needed_bytes == 0
    assert hub.served_bytes - served < len(ZIPS["224p/train.zip"]) / 4
    lost.write_bytes(b"cut short")
    assert plan_download(tmp_path, PASSWORD, TWO).needed_bytes == 150_000
    download_baa(tmp_path, PASSWORD, TWO)
    assert files_in(tmp_path) == TRAIN | VALID
    assert {path: path.stat().st_mtime_ns for path in written_at} == written_at


def test_dropped_connection_is_repeated_or_resumed(hub: StandIn, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    plan = plan_download(tmp_path, PASSWORD, ["train"])
    hub.skips, hub.drops = 2, 1
    run_download(plan, PASSWORD)
    assert files_in(tmp_path) == TRAIN
    plan = plan_download(tmp_path / "again", PASSWORD, ["train"])
    hub.skips, hub.drops = 6, 1_000
    with refused(r"no connection .*run the same command again"):
        run_download(plan, PASSWORD)
    before = files_in(tmp_path / "again")
    assert 0 < len(before) < len(TRAIN)
    assert before.items() <= TRAIN.items()
    hub.drops = 0
    assert plan_download(tmp_path / "again", PASSWORD, ["train"]).needed_bytes < plan.needed_bytes
    train(tmp_path / "again")
    assert files_in(tmp_path / "again") == TRAIN


def test_sigkill_is_resumed(hub: StandIn, tmp_path: Path) -> None:
    killed = f"""
import os, signal
from pathlib import Path
from playahead.lab.download import download_baa
def show(progress):
    if progress.done > 400_000:
        os.kill(os.getpid(), signal.SIGKILL)
download_baa(Path({str(tmp_path)!r}), {PASSWORD!r}, ["train"], show=show)
"""
    ended = subprocess.run([sys.executable, "-c", killed], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    whole = {name: content for name, content in files_in(tmp_path).items() if not Path(name).name.startswith(".")}
    assert len(whole) == 2
    assert whole.items() <= TRAIN.items()
    train(tmp_path)
    assert files_in(tmp_path) == TRAIN


def test_redirect_to_a_cdn_keeps_the_token_at_home(tmp_path: Path) -> None:
    with serving(StandIn(dict(ZIPS))) as cdn, serving(StandIn(dict(ZIPS), cdn=cdn)) as hub:
        train(tmp_path)
        assert files_in(tmp_path) == TRAIN
        assert {request.authorization for request in hub.requests} == {f"Bearer {TOKEN}"}
        assert {request.authorization for request in cdn.requests} == {None}


def test_wrong_password_is_found_before_anything_is_fetched(hub: StandIn, tmp_path: Path, local: Path) -> None:
    for _ in ("here", "on the hub"):
        with refused(r"^(?!.*hunter2).*the password is wrong .*soccer-net\.org", "224p/train.zip: train/"):
            train(tmp_path, "hunter2-wrong")
        assert not files_in(tmp_path)
        local.unlink(missing_ok=True)
    assert 0 < hub.served_bytes < len(ZIPS["224p/train.zip"]) / 4


def test_no_password_asks_the_hub_nothing(hub: StandIn, tmp_path: Path) -> None:
    for password in (None, ""):
        with refused(r"^password: .*SOCCERNET_PASSWORD.*NDA form.*soccer-net\.org"):
            download_baa(tmp_path, password)
    assert not hub.requests


def test_too_little_room_is_said_before_anything_is_fetched(hub: StandIn, tmp_path: Path, monkeypatch) -> None:
    plan = plan_download(tmp_path, PASSWORD, TWO)
    assert plan.needed_bytes == sum(map(len, (TRAIN | VALID).values()))
    assert f"needed in {tmp_path}" in str(plan)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, plan.needed_bytes - 1))
    with refused(r"too little room: 2 MB to fetch, 2 MB free"):
        download_baa(tmp_path / "out", PASSWORD, TWO)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, plan.needed_bytes))
    download_baa(tmp_path / "out", PASSWORD, TWO)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, r"HTTP 401 \(accept the terms on https://huggingface.co/datasets/SoccerNet.*hf auth login"),
        (403, r"HTTP 403 \(accept the terms"),
        (429, r"HTTP 429 \(later, run the same command again"),
        (503, r"HTTP 503 \(later, run the same command again"),
        (418, r"^(?!.*127\.0\.0\.1).*HTTP 418"),  # without the address
    ],
)
def test_refusals_are_one_line(hub: StandIn, tmp_path: Path, monkeypatch, status: int, message: str) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.status = status
    with refused(message, "224p/train.zip"):
        train(tmp_path)
    assert not files_in(tmp_path)


@pytest.mark.parametrize("address", ["nobody", "huggingface.co", "http://127.0.0.1:port", "http://", "ftp://127.0.0.1"])
def test_hub_that_cannot_be_reached(tmp_path: Path, address: str) -> None:
    if address == "nobody":
        with socket.create_server(("127.0.0.1", 0)) as closed:
            address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with calm_client(address), refused(r"no connection|cannot be read"):
        train(tmp_path)


def test_offline_mode(hub: StandIn, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with refused("unset HF_HUB_OFFLINE"):
        train(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"splits": ["train", "dev"]}, "^splits: 'dev' is not one of train, valid, test, challenge"),
        ({"splits": []}, "^splits: no split is named"),
        ({"splits": ["test"]}, r"224p/test\.zip: not in SoccerNet/ActionAnticipation on the hub, or no acc"),
        ({"resolution": "1080p"}, "^resolution: '1080p' is not one of 224p, 720p"),
    ],
)
def test_splits_and_resolutions_that_are_not_there(hub: StandIn, tmp_path: Path, wrong: dict, message: str) -> None:
    with refused(message):
        plan_download(tmp_path / "out", PASSWORD, **wrong)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("aes_version", [1, 2])
@pytest.mark.parametrize("compression", [pyzipper.ZIP_STORED, pyzipper.ZIP_DEFLATED, pyzipper.ZIP_LZMA])
def test_unpacks_what_was_packed(tmp_path: Path, local: Path, compression: int, aes_version: int) -> None:
    files = SMALL | {"train/much.txt": b"pass " * 500_000}
    local.write_bytes(zipped(files, compression=compression, aes_version=aes_version))
    with pyzipper.AESZipFile(local, "a") as archive:
        archive.writestr("train/README.txt", b"not encrypted")
    train(tmp_path)
    assert files_in(tmp_path) == files | {"train/README.txt": b"not encrypted"}


def test_damaged_entry_is_named_and_the_others_stay(tmp_path: Path, local: Path) -> None:
    with zipfile.ZipFile(local) as archive:
        offset = archive.getinfo("train/clip_3/224p.mp4").header_offset
    content = bytearray(local.read_bytes())
    content[offset + 5000] ^= 1
    local.write_bytes(content)
    with refused("damaged, or cut short", "224p/train.zip: train/clip_3/224p.mp4"):
        train(tmp_path)
    assert set(files_in(tmp_path)) == {"train/clip_1/224p.mp4", "train/clip_2/224p.mp4"}


def test_truncated_zip_and_bytes_lost_in_the_middle(tmp_path: Path, local: Path) -> None:
    content = local.read_bytes()
    for size in (0, 10, 30_000, -1, -30):
        local.write_bytes(content[:size])
        with refused(r"^224p/train\.zip: cannot be read: damaged, or cut short"):
            train(tmp_path)
    local.write_bytes(content[:30_000] + content[31_000:])
    with refused(r"^224p/train\.zip: train/"):
        train(tmp_path)


def test_size_in_a_damaged_directory_is_not_believed(tmp_path: Path, local: Path) -> None:
    content = bytearray(zipped({"train/much.txt": b"x" * 10_000}))
    at = content.index(b"PK\x01\x02") + 24
    assert int.from_bytes(content[at : at + 4], "little") == 10_000
    content[at : at + 4] = (9_999).to_bytes(4, "little")
    local.write_bytes(content)
    with refused(r"much\.txt: holds 10,000 bytes, not the 9,999"):
        train(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(SMALL_ZIP) - 1), flip=st.integers(1, 255), cut=st.booleans())
def test_damage_anywhere_is_one_error_or_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory, position: int, flip: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    content = bytearray(SMALL_ZIP)
    content[position] ^= flip
    (folder / "224p").mkdir()
    (folder / "224p/train.zip").write_bytes(content[:position] if cut else content)
    with suppress(InputError):
        train(folder)
    assert set(files_in(folder).values()) <= set(SMALL.values())


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil.txt", "//host/evil.txt", "C:evil.txt", "..\\evil.txt", "."])
def test_no_entry_leaves_the_folder(hub: StandIn, tmp_path: Path, name: str) -> None:
    hub.files["224p/train.zip"] = zipped({"train/fine.txt": b"fine", name: b"evil"})
    with refused("unsafe entry name"):
        train(tmp_path)
    assert not list(tmp_path.iterdir())


@given(st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "", "a", "C:", "~", "/", "\\"])).map("/".join))
def test_an_accepted_name_stays_inside(name: str) -> None:
    try:
        path = safe_path(name, "zip")
    except InputError:
        return
    root = Path("/somewhere/out")
    assert root in Path(os.path.normpath(root / path)).parents
    assert "\\" not in str(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(tmp_path: Path, local: Path) -> None:
    part = tmp_path / "224p/train/clip_2/.224p.part.mp4"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with refused(r"clip_2/224p\.mp4: the disk is full \(make room, then run the same command"):
        train(tmp_path)
    assert set(files_in(tmp_path)) == {"train/clip_1/224p.mp4"}
    train(tmp_path)
    assert files_in(tmp_path) == TRAIN


def test_disk_that_takes_no_large_file_and_folder_that_cannot_be_made(hub: StandIn, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with refused(r"clip_1/224p\.mp4: this disk takes no file as large"):
            train(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (tmp_path / "out").write_text("not a folder")
    with refused("cannot be written"):
        train(tmp_path / "out")


def test_readable_size() -> None:
    sizes = {7: "7 bytes", 12_400: "12 kB", 820_000_000: "820 MB", 31_400_000_000: "31.4 GB"}
    assert {size: readable_size(size) for size in sizes} == sizes
