"""Output folders that one process locks, and files that are none."""

import os
import subprocess
import sys

import pytest

from playahead.io.errors import InputError
from playahead.io.files import lock_folder, require_archive, require_file, write_whole


def test_a_folder_is_locked_by_one_process_at_a_time(tmp_path):
    other = "from pathlib import Path; from playahead.io.files import lock_folder\nwith lock_folder(Path('out')): pass"
    with lock_folder(tmp_path / "out"):
        second = subprocess.run([sys.executable, "-c", other], cwd=tmp_path, capture_output=True, text=True)
        assert "is in use by process" in second.stderr
        with lock_folder(tmp_path / "out", "2/4"):  # another part of the work
            pass
    subprocess.run([sys.executable, "-c", other], cwd=tmp_path, check=True)


def test_a_process_that_is_killed_releases_its_folder(tmp_path):
    killed = "import os\nfrom pathlib import Path; from playahead.io.files import lock_folder\n"
    killed += "with lock_folder(Path('out')): os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", killed], cwd=tmp_path).returncode == -9
    with lock_folder(tmp_path / "out"):
        pass


def test_files_that_cannot_be(tmp_path):
    large, nothing = tmp_path / "large", tmp_path / "no.zip"
    large.write_bytes(bytes(100))
    nothing.write_bytes(b"PK\x03\x04")
    for refused, what in (
        (lambda: require_file(large, 99), "too large"),
        (lambda: require_file(tmp_path / "none"), "no such file"),
        (lambda: require_file(tmp_path / "a\0b"), "cannot be read"),
        (lambda: require_archive(nothing, 1000), "not a readable .zip"),
    ):
        with pytest.raises(InputError, match=what):
            refused()


@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_what_is_no_file_is_not_replaced_by_one(kind, tmp_path):
    """A link to the device: were it replaced, only the link would be gone."""
    path = tmp_path / "page.html"
    {"device": lambda: path.symlink_to("/dev/null"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
    before = path.lstat().st_mode
    with pytest.raises(InputError, match=f"is a {kind}, not a file to write"):
        write_whole(path, "content")
    assert path.lstat().st_mode == before
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
