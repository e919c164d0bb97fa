"""Encrypted zips: unpacking, resuming, refusing."""

import io
import os
import signal
import stat
import subprocess
import sys
import zipfile
from collections import namedtuple
from contextlib import suppress
from pathlib import Path

import pytest
import pyzipper
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.io.errors import InputError
from playahead.io.progress import Progress
from playahead.lab.download.encrypted_zip import Unpacked, entry_path, open_zip, unpack_encrypted
from tests.lab.download.hub_stand_in import PASSWORD, split_files, zipped

FILES = split_files("train", n_clips=4, clip_bytes=20_000)


@pytest.fixture
def zip_path(tmp_path: Path) -> Path:
    path = tmp_path / "train.zip"
    path.write_bytes(zipped(FILES))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("aes_version", [1, 2])
@pytest.mark.parametrize("compression", [pyzipper.ZIP_STORED, pyzipper.ZIP_DEFLATED, pyzipper.ZIP_LZMA])
def test_unpacks_what_was_packed(tmp_path: Path, compression: int, aes_version: int) -> None:
    path = tmp_path / "train.zip"
    files = FILES | {"train/empty.txt": b"", "train/much.txt": b"pass " * 500_000}
    path.write_bytes(zipped(files, compression=compression, aes_version=aes_version))
    assert unpack_encrypted(path, tmp_path / "out", PASSWORD) == Unpacked(len(files), 0)
    assert contents(tmp_path / "out") == files


def test_unencrypted_zip_needs_no_password(tmp_path: Path) -> None:
    path = tmp_path / "train.zip"
    path.write_bytes(zipped(FILES, password=None))
    assert unpack_encrypted(path, tmp_path / "out", None) == Unpacked(len(FILES), 0)
    assert contents(tmp_path / "out") == FILES


def test_encrypted_and_plain_entries_in_one_zip(tmp_path: Path) -> None:
    path = tmp_path / "train.zip"
    path.write_bytes(zipped(FILES))
    with pyzipper.AESZipFile(path, "a") as archive:
        archive.writestr("train/README.txt", b"terms of use")
    unpack_encrypted(path, tmp_path / "out", PASSWORD)
    assert contents(tmp_path / "out") == FILES | {"train/README.txt": b"terms of use"}


@pytest.mark.parametrize("aes_version", [1, 2])
def test_second_run_writes_only_what_differs(tmp_path: Path, aes_version: int) -> None:
    path, out = tmp_path / "train.zip", tmp_path / "out"
    path.write_bytes(zipped(FILES, aes_version=aes_version))
    unpack_encrypted(path, out, PASSWORD)
    written_at = {name: (out / name).stat().st_mtime_ns for name in FILES}
    assert unpack_encrypted(path, out, PASSWORD) == Unpacked(0, len(FILES))
    assert {name: (out / name).stat().st_mtime_ns for name in FILES} == written_at

    video = out / "train/clip_2/224p.mp4"
    video.write_bytes(bytes(video.stat().st_size))  # same size, other content
    (out / "train/clip_3/224p.mp4").unlink()
    assert unpack_encrypted(path, out, PASSWORD) == Unpacked(2, len(FILES) - 2)
    assert contents(out) == FILES


def test_another_zip_of_the_same_name_is_unpacked_anew(tmp_path: Path, zip_path: Path) -> None:
    out = tmp_path / "out"
    unpack_encrypted(zip_path, out, PASSWORD)
    newer = split_files("train", n_clips=4, clip_bytes=20_000, seed=1)
    zip_path.write_bytes(zipped(newer | {"train/more.txt": b"more"}))
    unpack_encrypted(zip_path, out, PASSWORD)
    assert contents(out) == newer | {"train/more.txt": b"more"}


def test_resumes_after_sigkill(tmp_path: Path, zip_path: Path) -> None:
    killed = f"""
import os, signal
from pathlib import Path
from playahead.lab.download.encrypted_zip import unpack_encrypted
def show(progress):
    if progress.task.startswith("unpack") and progress.done > 50_000:
        os.kill(os.getpid(), signal.SIGKILL)
unpack_encrypted(Path({str(zip_path)!r}), Path({str(tmp_path / "out")!r}), {PASSWORD!r}, show)
"""
    ended = subprocess.run([sys.executable, "-c", killed], timeout=30, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list((tmp_path / "out").rglob("*.part")) == [tmp_path / "out/train/clip_3/224p.mp4.part"]
    assert unpack_encrypted(zip_path, tmp_path / "out", PASSWORD) == Unpacked(3, 2)
    assert contents(tmp_path / "out") == FILES


def test_half_a_journal_line_costs_one_entry(tmp_path: Path, zip_path: Path) -> None:
    out = tmp_path / "out"
    unpack_encrypted(zip_path, out, PASSWORD)
    journal = out / ".train.zip.unpacked"
    journal.write_bytes(journal.read_bytes()[:-7])
    assert unpack_encrypted(zip_path, out, PASSWORD) == Unpacked(1, len(FILES) - 1)
    journal.write_bytes(b"\xff\x00 not a journal")
    assert unpack_encrypted(zip_path, out, PASSWORD) == Unpacked(len(FILES), 0)


def test_progress_grows_to_the_total(tmp_path: Path, zip_path: Path) -> None:
    seen: list[Progress] = []
    unpack_encrypted(zip_path, tmp_path / "out", PASSWORD, seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].total == sum(map(len, FILES.values()))
    assert {progress.task for progress in seen} == {"unpack train.zip"}


def test_wrong_password_is_found_before_anything_is_written(tmp_path: Path, zip_path: Path) -> None:
    with pytest.raises(InputError, match="the password is wrong") as raised:
        unpack_encrypted(zip_path, tmp_path / "out", "hunter2-wrong")
    assert "hunter2" not in str(raised.value)
    assert "train.zip: train/" in raised.value.where
    assert "soccer-net.org" in raised.value.fix
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("password", [None, ""])
def test_no_password(tmp_path: Path, zip_path: Path, password: str | None) -> None:
    with pytest.raises(InputError, match=r"no password is given .*NDA form.*soccer-net\.org"):
        unpack_encrypted(zip_path, tmp_path / "out", password)


def test_damaged_entry_is_named_and_the_others_stay(tmp_path: Path, zip_path: Path) -> None:
    with zipfile.ZipFile(zip_path) as archive:
        offset = archive.getinfo("train/clip_3/224p.mp4").header_offset
    content = bytearray(zip_path.read_bytes())
    content[offset + 5000] ^= 1
    zip_path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or cut short") as raised:
        unpack_encrypted(zip_path, tmp_path / "out", PASSWORD)
    assert raised.value.where == f"{zip_path}: train/clip_3/224p.mp4"
    assert "\n" not in str(raised.value)
    assert set(contents(tmp_path / "out")) - {"train/clip_3/224p.mp4.part"} == {
        "train/clip_1/224p.mp4",
        "train/clip_2/224p.mp4",
    }


@pytest.mark.parametrize("keep", [0, 10, 30_000, -1, -30])
def test_truncated_zip(tmp_path: Path, zip_path: Path, keep: int) -> None:
    zip_path.write_bytes(zip_path.read_bytes()[:keep])
    with pytest.raises(InputError, match="damaged or cut short") as raised:
        unpack_encrypted(zip_path, tmp_path / "out", PASSWORD)
    assert str(zip_path) in raised.value.where


def test_bytes_lost_in_the_middle(tmp_path: Path, zip_path: Path) -> None:
    content = zip_path.read_bytes()
    zip_path.write_bytes(content[:30_000] + content[31_000:])
    with pytest.raises(InputError, match=r"train\.zip: train/"):
        unpack_encrypted(zip_path, tmp_path / "out", PASSWORD)


def test_size_in_a_damaged_directory_is_not_believed(tmp_path: Path) -> None:
    path, size = tmp_path / "train.zip", 10_000
    content = bytearray(zipped({"train/much.txt": b"x" * size}))
    at = content.index(b"PK\x01\x02") + 24
    assert int.from_bytes(content[at : at + 4], "little") == size
    content[at : at + 4] = (size - 1).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"much\.txt: holds 10,000 bytes, not the 9,999"):
        unpack_encrypted(path, tmp_path / "out", PASSWORD)


def test_no_such_zip(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.zip: no such file"):
        unpack_encrypted(tmp_path / "none.zip", tmp_path / "out", PASSWORD)


UNSAFE_NAMES = [
    "../evil.txt",
    "train/../../evil.txt",
    "/etc/evil.txt",
    "//etc/evil.txt",
    "a/" * 1_500 + "evil.txt",
    "//host/share/evil.txt",
    "C:/evil.txt",
    "C:evil.txt",
    "..\\evil.txt",
    "\\evil.txt",
    "train/clip_1:stream",
    "train/line\nbreak.txt",
    "train/clip_1/224p.mp4.part",
    "train/...",
    ".",
]


@pytest.mark.parametrize("name", UNSAFE_NAMES)
def test_no_entry_leaves_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "deep" / "train.zip"
    path.parent.mkdir()
    path.write_bytes(zipped({"train/fine.txt": b"fine", name: b"evil"}))
    with pytest.raises(InputError, match="unsafe entry name") as raised:
        unpack_encrypted(path, tmp_path / "deep" / "out", PASSWORD)
    assert "\n" not in str(raised.value)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["deep", "train.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("train/clip_1")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc")
    with pytest.raises(InputError, match="is a link or a device"):
        unpack_encrypted(path, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_same_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.zip"
    path.write_bytes(zipped({"train/a.txt": b"1", "train/A.txt": b"2"}))
    with pytest.raises(InputError, match="two entries of the same name"):
        unpack_encrypted(path, tmp_path / "out", PASSWORD)


@given(st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "", "a", "C:", "~", "/", "\\"])).map("/".join))
def test_an_accepted_name_stays_inside(name: str) -> None:
    try:
        path = entry_path(name, "zip")
    except InputError:
        return
    root = Path("/somewhere/out")
    target = Path(os.path.normpath(root / path))
    assert target.is_relative_to(root)
    assert target != root
    assert "\\" not in str(path)


@given(st.lists(st.from_regex(r"[A-Za-z0-9_ -]{0,8}[A-Za-z0-9_]", fullmatch=True), min_size=1, max_size=4))
def test_plain_names_are_kept(parts: list[str]) -> None:
    assert entry_path("/".join(parts), "zip").parts == tuple(parts)


SMALL = {"train/a.bin": b"pass drive header " * 20, "train/b.bin": bytes(range(200)), "train/c.bin": b""}
SMALL_ZIP = zipped(SMALL)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(SMALL_ZIP) - 1), flip=st.integers(1, 255), cut=st.booleans())
def test_damage_anywhere_is_one_error_or_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory, position: int, flip: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    content = bytearray(SMALL_ZIP)
    content[position] ^= flip
    path = folder / "train.zip"
    path.write_bytes(content[:position] if cut else content)
    with suppress(InputError):
        unpack_encrypted(path, folder / "out", PASSWORD)
    written = contents(folder / "out").items()
    assert {content for name, content in written if not name.endswith(".part")} <= set(SMALL.values())


def test_too_little_room(tmp_path: Path, zip_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(100_000, 50_000, 50_000))
    with pytest.raises(InputError, match=r"unpacking needs 80 kB, and 50 kB are free"):
        unpack_encrypted(zip_path, tmp_path / "out", PASSWORD)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(tmp_path: Path, zip_path: Path) -> None:
    part = tmp_path / "out/train/clip_2/224p.mp4.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"clip_2/224p\.mp4: the disk is full .*run the same command again"):
        unpack_encrypted(zip_path, tmp_path / "out", PASSWORD)
    part.unlink()
    assert unpack_encrypted(zip_path, tmp_path / "out", PASSWORD) == Unpacked(len(FILES) - 1, 1)


def test_folder_that_cannot_be_made(tmp_path: Path, zip_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        unpack_encrypted(zip_path, tmp_path / "out", PASSWORD)


def test_missing_pyzipper_says_what_to_install(zip_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyzipper", None)
    with pytest.raises(InputError, match=r"pip install 'playahead\[data\]'"), open_zip(zip_path, zip_path):
        pass


def test_password_check_reads_the_smallest_entry_only(zip_path: Path) -> None:
    class Counted(io.FileIO):
        read_bytes = 0

        def readinto(self, buffer, /) -> int:
            count = super().readinto(buffer)
            Counted.read_bytes += count or 0
            return count or 0

    with Counted(str(zip_path)) as source, open_zip(source, zip_path) as archive:
        archive.check_password(PASSWORD)
    assert Counted.read_bytes < 5000
