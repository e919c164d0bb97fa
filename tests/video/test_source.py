"""Sources of video: any name is read and printed as it is, an address hides its credentials, no file is waited for."""

import os
import socket
import time
from itertools import product
from pathlib import Path

import pytest

from playahead.cli.main import run
from playahead.inference.predict import predict
from playahead.io.errors import InputError
from playahead.video.source import shown
from tests.conftest import simulate
from tests.support.video import flat, read, write


@pytest.mark.parametrize(
    "name", ["20:45 final.mp4", "two\nlines.mp4", "[red]cup.mp4", "100%.mp4", os.fsdecode(b"caf\xe9.mp4")]
)
def test_any_name_is_read_and_printed_as_it_is(tmp_path, name, capsys):
    path = write(tmp_path / "plain.mp4", [flat(60)] * 25).rename(tmp_path / name)
    assert len(read(path)[0]) == 25
    assert run(["predict", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "an observation needs 30 s" in error
    assert name in error or "\\n" in error or "\\udce9" in error


def special(path: Path, kind: str) -> Path:
    make = {"pipe": os.mkfifo, "folder": Path.mkdir, "socket": lambda p: socket.socket(socket.AF_UNIX).bind(str(p))}
    if kind == "device":
        return Path("/dev/zero")
    make[kind](path)
    return path


COMMANDS = (
    "predict",
    "predict --feed",
    "evaluate frames",
    "submit --check",
    "weights convert",
    "compare --data none",
    "extract",
    "predict tables/test.npz --weights",
)


@pytest.mark.parametrize(
    ("kind", "command"), [*product(("pipe", "device"), COMMANDS), ("socket", "predict"), ("folder", "predict")]
)
def test_what_is_no_file_is_refused_at_once(tmp_path, kind, command, capsys, monkeypatch):
    """A pipe would be waited for, a device read without end."""
    monkeypatch.chdir(tmp_path)
    if "tables/test.npz" in command:
        simulate(tmp_path / "tables", matches=4, minutes=1)
    path = special(tmp_path / kind, kind)
    started = time.monotonic()
    assert run([*command.split(), str(path)]) == 2
    assert time.monotonic() - started < 15  # imports included
    output = "".join(capsys.readouterr())
    assert "Traceback" not in output
    assert kind in output or kind == "folder"


def test_an_address_stays_one_and_hides_its_credentials():
    address = "rtsp://user:secret@127.0.0.1:1//live//cam?token=abc"
    assert shown(address) == "rtsp://127.0.0.1:1//live//cam"
    with pytest.raises(InputError) as error:
        predict(address)
    assert "rtsp://127.0.0.1:1//live//cam" in str(error.value)
    assert "secret" not in str(error.value)
    assert "token" not in str(error.value)
