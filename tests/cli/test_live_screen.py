"""The screen of a running match on terminals of any width."""

import io
import re

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from playahead.cli.live_screen import LiveScreen
from playahead.domain.actions import Action
from playahead.domain.records import Anticipation
from playahead.live.session.answer import Answer, SeenRow


def answer(now_ms: int) -> Answer:
    shot = Anticipation(Action.SHOT, 1_200, 0.24, (0.24,) * 10, now_ms, 30_000, half=1, times_usual=16.0)
    passes = Anticipation(Action.PASS, 2_300, 0.71, (0.71,) * 10, now_ms, 30_000, half=1, times_usual=2.2)
    seen = [SeenRow(now_ms - 800, Action.CROSS, 1.0), SeenRow(now_ms - 29_000, Action.PASS, 1.0)]
    return Answer(1, now_ms, 30_000, seen, [shot, passes], ["a row was late"], np.full((32, 10), 0.03, np.float32))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_action_time_and_chance_stay_on_any_terminal(width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with LiveScreen("match", console) as screen:
        screen.show(answer(754_000))
    drawn = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", console.file.getvalue()).splitlines()
    shot = [line for line in drawn if line.lstrip().startswith("Shot")][-1]
    assert "24% in 1.2 s (16x)" in shot
    assert "71% in 2.3 s" in next(line for line in drawn if line.lstrip().startswith("Pass"))
    assert "●" in next(line for line in drawn if line.lstrip().startswith("Cross"))
    assert max(cell_len(line) for line in drawn if "│" in line) <= width
    assert any("half 1  12:34.0" in line for line in drawn)


def test_the_end_says_what_was_seen_and_answered(capsys):
    with LiveScreen("match", Console(file=io.StringIO(), width=80)) as screen:
        for now_ms in (754_000, 755_000):
            screen.show(answer(now_ms))
    assert "until half 1, 12:35.0: 4 actions seen, 2 answers" in " ".join(capsys.readouterr().err.split())


def test_a_match_that_never_began_ends_without_a_word(capsys):
    with LiveScreen("match", Console(file=io.StringIO(), width=80)):
        pass
    assert capsys.readouterr().err == ""
