"""Two processes that train together: the same weights in both, one that writes, and an end together."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from playahead.io.errors import InputError
from playahead.lab.faantra.end_to_end import EndToEndConfig
from playahead.lab.pretrain import PretrainConfig
from playahead.lab.recipes import recipe
from tests.conftest import simulate
from tests.support.training import TINY

ROOT = Path(__file__).parents[2]
KINDS = ("anticipator", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("backbone", "frames")))


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    simulate(folder, layout="baa", matches=4, minutes=0.75, halves=1, video=True, width=64, height=32)
    return folder


def run(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.two_processes", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_both_end_with_the_same_weights_and_one_writes(tmp_path, request, kind):
    done = run(kind, tmp_path, tmp_path if kind == "anticipator" else request.getfixturevalue("films"))
    assert done.returncode == 0, done.stderr
    said = [(tmp_path / f"rank{n}.txt").read_text().split() for n in (0, 1)]
    (first, written, drawn, due), (second, by_the_other, drawn_there, _) = said
    assert first == second
    unit = 3 if kind == "anticipator" else 1  # its batches name sequences of three examples
    assert unit * int(drawn) == unit * int(drawn_there) == int(due) // 2, "two devices see what one would"
    assert int(written) > 0
    assert int(by_the_other) == 0
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (TINY, "sequences"),
        (recipe("backbone", PretrainConfig), "batch"),
        (recipe("faantra-frames", EndToEndConfig), "batch"),
    ],
)
def test_a_batch_that_devices_cannot_share_evenly_is_refused(config, name):
    assert replace(config, devices=2).devices == 2
    with pytest.raises(InputError, match=rf"Config\.{name}: .* cannot be shared evenly by 3 devices"):
        replace(config, devices=3)


@pytest.mark.parametrize("failing", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_one_that_fails_ends_both_with_one_line(tmp_path, failing):
    done = run("anticipator", tmp_path, tmp_path, failing)
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line] == ["playahead: match 7: cannot be read any more"]
