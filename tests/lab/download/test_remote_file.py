"""Files of the hub: fetched whole and resumed, read in pieces, refused in one line."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.io.errors import InputError
from playahead.io.files import disk_errors, readable_size
from playahead.io.progress import Progress
from playahead.lab.download import remote_file
from playahead.lab.download.remote_file import (
    HubFile,
    InterruptedTransferError,
    RangeReader,
    RangesRefusedError,
    fetch,
    fetched_bytes,
    find_hub_file,
)
from tests.lab.download.hub_stand_in import COMMIT, TOKEN, StandIn, calm_client, serving

REPO = "SoccerNet/ActionAnticipation"
NAME = "224p/train.zip"
BODY = Random(7).randbytes(3_500_000)


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with serving(StandIn({NAME: BODY})) as hub:
        yield hub


def found(hub: StandIn) -> HubFile:
    return find_hub_file(REPO, NAME, hub.address)


def test_metadata(hub: StandIn) -> None:
    file = found(hub)
    assert file.size == len(BODY)
    assert file.sha256 == hub.etag(NAME)
    assert f"/resolve/{COMMIT}/" in file.url
    assert hub.served_bytes == 0


def test_fetches_once(hub: StandIn, tmp_path: Path) -> None:
    target, seen = tmp_path / "new" / "train.zip", list[Progress]()
    fetch(found(hub), target, seen.append)
    fetch(found(hub), target)
    assert target.read_bytes() == BODY
    assert [path.name for path in target.parent.iterdir()] == ["train.zip"]
    assert len(hub.gets(NAME)) == 1
    assert hub.served_bytes == len(BODY)
    fetching = [progress.done for progress in seen if progress.task.startswith("fetch")]
    assert fetching == sorted(fetching)
    assert fetching[-1] == seen[-1].done == seen[-1].total == len(BODY)


def test_dropped_connection_is_resumed_by_the_next_run(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", ())
    hub.drops, hub.drop_after = 1, 2_000_000
    target = tmp_path / "train.zip"
    with pytest.raises(InterruptedTransferError, match="run the same command again"):
        fetch(found(hub), target)
    assert not target.exists()
    have = fetched_bytes(found(hub), target)
    assert 1_900_000 < have <= 2_000_000
    fetch(found(hub), target)
    assert target.read_bytes() == BODY
    assert [request.first for request in hub.gets(NAME)] == [0, have]
    assert hub.served_bytes - len(BODY) == 2_000_000 - have


def test_dropped_connection_is_resumed_at_once(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", (0.0,))
    hub.drops, hub.drop_after = 3, 1_100_000  # more drops than waits, but each brings something
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY
    assert len(hub.gets(NAME)) == 4


def test_gives_up_on_a_server_that_sends_nothing(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", (0.0, 0.0))
    hub.drops = 100
    with pytest.raises(InterruptedTransferError):
        fetch(found(hub), tmp_path / "train.zip")
    assert len(hub.gets(NAME)) == 3


def test_sigkill_is_resumed(hub: StandIn, tmp_path: Path) -> None:
    target = tmp_path / "train.zip"
    killed = f"""
import os, signal
from pathlib import Path
from playahead.lab.download.remote_file import fetch, find_hub_file
def show(progress):
    if progress.done > 1_000_000:
        os.kill(os.getpid(), signal.SIGKILL)
fetch(find_hub_file({REPO!r}, {NAME!r}, {hub.address!r}), Path({str(target)!r}), show)
"""
    ended = subprocess.run([sys.executable, "-c", killed], timeout=30, check=False)
    assert ended.returncode == -signal.SIGKILL
    have = fetched_bytes(found(hub), target)
    assert have > 900_000
    fetch(found(hub), target)
    assert target.read_bytes() == BODY
    assert hub.gets(NAME)[-1].first == have


def test_slices(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "SLICE_BYTES", 1_000_000)
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY
    assert [request.first for request in hub.gets(NAME)] == [0, 1_000_000, 2_000_000, 3_000_000]


def test_server_without_ranges_starts_over(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", (0.0,))
    hub.ranges, hub.drops, hub.drop_after = False, 1, 2_000_000
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY
    assert hub.served_bytes == 2_000_000 + len(BODY)


def test_part_of_another_version_is_not_continued(hub: StandIn, tmp_path: Path) -> None:
    target = tmp_path / "train.zip"
    (tmp_path / "train.zip.part").write_bytes(bytes(1_000_000))
    (tmp_path / "train.zip.part.etag").write_text("an older version's")
    assert fetched_bytes(found(hub), target) == 0
    fetch(found(hub), target)
    assert target.read_bytes() == BODY
    assert hub.gets(NAME)[0].first == 0


def test_whole_part_is_verified_and_not_fetched(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "train.zip.part").write_bytes(BODY)
    (tmp_path / "train.zip.part.etag").write_text(hub.etag(NAME))
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY
    assert not hub.gets(NAME)


def test_damage_in_transit_is_found_and_fetched_anew(hub: StandIn, tmp_path: Path) -> None:
    hub.etags[NAME] = hub.etag(NAME)
    hub.files[NAME] = BODY[:-1] + bytes([BODY[-1] ^ 1])
    with pytest.raises(InputError, match=r"224p/train\.zip: damaged in transit .*SHA-256.*fetched anew"):
        fetch(found(hub), tmp_path / "train.zip")
    assert not (tmp_path / "train.zip").exists()
    hub.files[NAME] = BODY
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY


def test_etag_that_is_no_sha256_is_not_compared(hub: StandIn, tmp_path: Path) -> None:
    hub.etags[NAME] = "f" * 40
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY


@pytest.mark.parametrize("ranges", [True, False])
def test_file_that_changed_its_size_meanwhile(hub: StandIn, tmp_path: Path, ranges: bool) -> None:
    file = found(hub)
    hub.ranges, hub.files[NAME] = ranges, BODY + b"more"
    with pytest.raises(InputError, match=r"other bytes than asked for|more than 3,500,000 bytes"):
        fetch(file, tmp_path / "train.zip")
    assert not (tmp_path / "train.zip").exists()


def test_another_file_of_that_name_is_not_overwritten(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "train.zip").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"is 4 bytes, but the hub's is 3,500,000 .*move it away"):
        fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == b"mine"


def test_redirect_to_a_cdn_keeps_the_token_at_home(hub: StandIn, tmp_path: Path) -> None:
    with serving(StandIn({NAME: BODY})) as hub.cdn:
        file = found(hub)
        assert (file.size, file.sha256) == (len(BODY), hub.cdn.etag(NAME))
        fetch(file, tmp_path / "train.zip")
        reader = RangeReader(file)
        reader.seek(1000)
        assert reader.read(10) == BODY[1000:1010]
    assert (tmp_path / "train.zip").read_bytes() == BODY
    assert {request.authorization for request in hub.requests} == {f"Bearer {TOKEN}"}
    assert {request.authorization for request in hub.cdn.requests} == {None}
    assert [request.first for request in hub.cdn.requests] == [0, 1000]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, r"refuses access \(HTTP 401\) \(accept the terms on https://huggingface.co/datasets/SoccerNet"),
        (403, r"refuses access \(HTTP 403\) .*hf auth login"),
        (404, r"no such repository or file on the hub \(HTTP 404\)"),
        (429, r"overloaded \(HTTP 429\) .*run the same command again"),
        (503, r"overloaded \(HTTP 503\) .*run the same command again"),
        (418, r"answers HTTP 418"),
    ],
)
def test_refusals_are_one_line(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, message: str
) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", ())
    file = found(hub)
    hub.status = status
    for attempt in (lambda: found(hub), lambda: fetch(file, tmp_path / "x.zip"), lambda: RangeReader(file).read(1)):
        with pytest.raises(InputError, match=message) as raised:
            attempt()
        assert raised.value.where == f"{REPO} {NAME}"
        assert "\n" not in str(raised.value)
        assert hub.address not in str(raised.value)


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refusal = pytest.raises(InputError, match=r"no connection to the hub, or it dropped \(ConnectError\)")
    with calm_client(), refusal:
        find_hub_file(REPO, NAME, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    "endpoint", ["huggingface.co", "http://127.0.0.1:port", "http://", "ftp://127.0.0.1", "http://["]
)
def test_endpoint_that_is_no_address(endpoint: str) -> None:
    with pytest.raises(InputError, match="HF_ENDPOINT: is not an address"):
        find_hub_file(REPO, NAME, endpoint)


def test_offline_mode(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="unset HF_HUB_OFFLINE"):
        found(hub)


def test_hf_endpoint_is_honoured(hub: StandIn) -> None:
    look_up = (
        f"from playahead.lab.download.remote_file import find_hub_file; print(find_hub_file({REPO!r}, {NAME!r}).size)"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.address}
    ended = subprocess.run(
        [sys.executable, "-c", look_up], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout.strip() == str(len(BODY))


def test_reading_in_pieces_fetches_little(hub: StandIn) -> None:
    reader = RangeReader(found(hub))
    reader.seek(-22, os.SEEK_END)
    assert reader.read() == BODY[-22:]
    reader.seek(-100, os.SEEK_END)
    assert reader.read(50) == BODY[-100:-50]
    assert len(hub.gets(NAME)) == 1
    assert hub.served_bytes == remote_file.WINDOW_BYTES


def test_reading_in_pieces_needs_ranges(hub: StandIn) -> None:
    hub.ranges = False
    reader = RangeReader(found(hub))
    with pytest.raises(RangesRefusedError, match="whole files only"):
        reader.read(1)


def test_reading_in_pieces_survives_a_drop(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "RETRY_WAITS_S", (0.0,))
    hub.drops = 1
    assert RangeReader(found(hub)).read(5) == BODY[:5]
    hub.drops = 2
    with pytest.raises(InterruptedTransferError):
        RangeReader(found(hub)).read(5)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END]), st.integers(-900, 900), st.integers(-1, 300)
        ),
        max_size=8,
    )
)
def test_reading_in_pieces_is_like_a_file(hub: StandIn, tmp_path: Path, moves: list[tuple[int, int, int]]) -> None:
    hub.files["small"] = content = BODY[:700]
    (tmp_path / "small").write_bytes(content)
    reader = RangeReader(find_hub_file(REPO, "small", hub.address))
    with (tmp_path / "small").open("rb", buffering=0) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote_file, "WINDOW_BYTES", 64)
        for whence, offset, length in moves:
            try:
                expected = file.seek(offset, whence)
            except OSError:
                with pytest.raises(OSError, match="before the start"):
                    reader.seek(offset, whence)
                continue
            assert reader.seek(offset, whence) == expected
            assert reader.read(length) == file.read(length)
            assert reader.tell() == file.tell()


def test_folder_that_cannot_be_made(hub: StandIn, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\)"):
        fetch(found(hub), tmp_path / "file" / "224p" / "train.zip")
    assert hub.served_bytes == 0


def test_file_that_the_disk_does_not_take(hub: StandIn, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, limits[1]))
        with pytest.raises(InputError, match=r"train\.zip: this disk takes no file as large"):
            fetch(found(hub), tmp_path / "train.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    fetch(found(hub), tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_bytes() == BODY


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_said_to_be_full() -> None:
    full = Path("/dev/full")
    with pytest.raises(InputError, match=r"the disk is full \(make room, then run the same"), disk_errors("x.zip"):
        full.write_bytes(b"1")


@pytest.mark.parametrize(
    ("size", "text"), [(7, "7 bytes"), (12_400, "12 kB"), (820_000_000, "820 MB"), (31_400_000_000, "31.4 GB")]
)
def test_readable_size(size: int, text: str) -> None:
    assert readable_size(size) == text
