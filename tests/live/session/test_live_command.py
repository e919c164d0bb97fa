"""``playahead live`` on rows: from standard input, from a file that grows, and recorded."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import playahead
from playahead.cli.main import run
from playahead.domain.feed import FeedRow
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import simulate_half
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import FeedSession, watch_feed
from playahead.live.session.lines import Tick, of_growing_file, of_stream
from playahead.live.session.open import LiveConfig, live
from playahead.live.session.record import Record, read_record
from playahead.sources.feed_tables import write_feed_table

ROWS = [
    {"half": 1, "t_ms": 1_200, "action": "PASS", "team": "home", "x": 50, "y": 50},
    {"half": 1, "t_ms": 2_900, "action": "DRIVE", "team": "home"},
    {"half": 1, "t_ms": 5_100, "action": "high pass", "team": "home", "confidence": 0.7},
    {"half": 1, "now_ms": 9_000},
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def answer_line(**changed: object) -> str:
    """A line of a record with an answer, and something wrong in it."""
    silent = {"half": 0, "now_ms": 5_000, "seen_ms": 5_000, "seen": [], "expected": [], "notices": []}
    return json.dumps({"answer": {**silent, "intensity_per_mille": [[0] * 32] * 10, **changed}})


def answers_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def command(*words: object, **how) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "playahead.cli.main", "live", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


def test_rows_from_standard_input():
    done, said = command("-", "--speed", "0", "--json").communicate("nonsense\n" + LINES, timeout=120)
    assert said.startswith("note: standard input: line 1: not JSON")
    assert said.count("\n") == 1
    answers = answers_of(done)
    assert [answer["now_ms"] for answer in answers] == list(range(1_000, 9_001, 1_000))
    assert answers[0]["notices"][0].startswith("standard input: line 1: not JSON")
    assert [mark["action"] for mark in answers[-1]["seen"]] == ["PASS", "DRIVE", "HIGH PASS"]
    assert any(answer["expected"] for answer in answers)


def test_a_file_of_lines_in_the_terminal(tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text(LINES)
    assert run(["live", str(path), "--speed", "0", "--min-confidence", "0.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert lines[0].startswith("1 - 00:01.0  ")
    assert " s (" in lines[-1]


def test_a_file_that_grows_is_followed(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"t_ms": 100, "action": "PASS"}\n{"t_ms": 200, "act')
    lines = of_growing_file(path, follow=True)
    assert lines.next(5) == FeedRow(1, 100, 0)
    with pytest.raises(TimeoutError):
        lines.next(0.3)
    with path.open("ab") as file:
        file.write(b'ion": "DRIVE"}\n')
    assert lines.next(5) == FeedRow(1, 200, 1)
    path.write_bytes(b'{"t_ms": 300, "action": "PASS"}\n')
    assert "cut short or replaced" in str(lines.next(5))
    assert lines.next(5) == FeedRow(1, 300, 0)
    lines.close()


def test_a_recorded_match_is_played_at_its_speed(tmp_path):
    half = simulate_half(0, minutes=1)
    write_feed_table(tmp_path / "match.npz", [half])
    started_s = time.monotonic()
    answers = list(live(str(tmp_path / "match.npz"), LiveConfig(speed=6)))
    took_s = time.monotonic() - started_s
    assert took_s >= half.t_ms[-1] / 1000 / 6
    assert [answer.now_ms for answer in answers][:3] == [1_000, 2_000, 3_000]
    assert abs(answers[-1].now_ms - half.visible_ms[-1]) <= 1_500


def watched(session: FeedSession, now_s: list[float], take) -> list[Answer]:
    """Answers at a clock of our own; ``take`` gives the next line, or None, or raises TimeoutError."""
    lines = SimpleNamespace(next=take, close=lambda: None)
    return list(watch_feed(session, lines, 1.0, seconds=lambda: now_s[0]))  # type: ignore[bad-argument-type]


def test_a_machine_that_is_too_slow_leaves_moments_out_and_makes_no_row_late(monkeypatch):
    """Each answer takes three seconds of a clock that runs with the machine's; rows arrive in time all the while."""
    now_s, rows = [0.0], [FeedRow(1, 1_000 * second, 0) for second in range(1, 60)]

    def take(timeout_s):
        if not rows:
            return None
        if rows[0].t_ms <= now_s[0] * 1000:
            return rows.pop(0)
        now_s[0] = min(rows[0].t_ms / 1000, now_s[0] + (60.0 if timeout_s is None else timeout_s))
        raise TimeoutError

    session = FeedSession(playahead.Predictor.open())
    answer = session._answer

    def slow():
        now_s[0] += 3.0
        return answer()

    monkeypatch.setattr(session, "_answer", slow)
    answers = watched(session, now_s, take)
    assert {text.partition(" ")[2] for one in answers for text in one.notices} == {"s without an answer"}
    assert session._n_rows
    assert not session._rows["late_ms"].any()
    assert 15 < len(answers) < 30


def test_the_clock_goes_on_without_rows_and_follows_rows_that_are_ahead():
    now_s, script = [100.0], [FeedRow(1, 2_000, 0), 1.0, 1.0, FeedRow(1, 9_500, 0), 32.0, 0.0, 0.0, 0.0, 0.0, None]

    def take(_):
        step = script.pop(0)
        if isinstance(step, float):
            now_s[0] += step
            raise TimeoutError
        return step

    answers = watched(FeedSession(playahead.Predictor.open()), now_s, take)
    assert [answer.now_ms for answer in answers[:9]] == list(range(1_000, 9_001, 1_000))
    assert answers[-1].now_ms == 41_000
    notices = [text for answer in answers for text in answer.notices]
    assert sorted(notices) == ["27 s without an answer", "no row for 30 s"]


def test_a_disk_that_fills_up_is_an_error_and_no_wrong_row(tmp_path):
    def full(line):
        raise InputError("kept.jsonl", "the disk is full")

    lines = of_stream(io.BytesIO(LINES.encode()), "rows")
    with pytest.raises(InputError, match="the disk is full"):
        list(watch_feed(FeedSession(playahead.Predictor.open()), lines, 0.0, full))


def test_a_record_gives_the_same_answers_again(tmp_path):
    rows, kept = tmp_path / "rows.jsonl", tmp_path / "kept.jsonl"
    rows.write_text(LINES)
    first = list(live(str(rows), LiveConfig(speed=0), record=kept))
    again = list(live(str(kept)))
    assert [answer.as_json() for answer in again] == [answer.as_json() for answer in first]
    kinds = [kind for kind, _ in read_record(kept)]
    assert kinds[0] == "start"
    assert kinds.count("answer") == len(first) == 9


def test_what_is_written_survives_a_kill_and_is_continued(tmp_path):
    kept = tmp_path / "kept.jsonl"
    process = command("-", "--json", "--record", kept)
    process.stdin.write(LINES)
    process.stdin.flush()
    seen = [json.loads(process.stdout.readline()) for _ in range(9)]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    recorded = [value.as_json() for kind, value in read_record(kept) if kind == "answer"]
    assert recorded[:9] == [{key: value for key, value in answer.items() if key != "version"} for answer in seen]
    with kept.open("ab") as file:
        file.write(b'{"answer": {"half"')
    with Record(kept, {"source": "again"}) as record:
        record.line(Tick(1, 5))
    assert [kind for kind, _ in read_record(kept)][-2:] == ["start", "line"]


def test_two_sessions_cannot_record_into_one_file(tmp_path):
    path = tmp_path / "kept.jsonl"
    with Record(path, {"source": "first"}) as first:
        with pytest.raises(InputError, match="is being written by another session"):
            Record(path, {"source": "second"})
        first.line(Tick(1, 5))
    with Record(path, {"source": "third"}):
        pass
    assert [kind for kind, _ in read_record(path)] == ["start", "line", "start"]


@pytest.mark.parametrize("moved", [False, True])
def test_a_record_that_is_removed_is_begun_again_and_told(tmp_path, moved):
    rows, kept = tmp_path / "rows.jsonl", tmp_path / "kept.jsonl"
    rows.write_text(LINES)
    answers = []
    for answer in live(str(rows), LiveConfig(speed=0), record=kept):
        answers.append(answer)
        if len(answers) == 3:
            kept.rename(tmp_path / "elsewhere.jsonl") if moved else kept.unlink()
    said = "kept.jsonl was removed, and is begun again"
    assert [said in answer.notices for answer in answers[:5]] == [False, False, False, True, False]
    recorded = [value.as_json() for kind, value in read_record(kept) if kind == "answer"]
    assert recorded == [answer.as_json() for answer in answers[3:]]


def test_a_foreign_file_is_not_recorded_into(tmp_path):
    path = tmp_path / "match.mp4"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match="is not a recorded session"):
        Record(path, {})
    assert path.read_bytes() == b"\0" * 100


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    with Path("/dev/full").open("wb", buffering=0) as full, Record(tmp_path / "kept.jsonl", {}) as record:
        monkeypatch.setattr(record, "_file", full)
        with pytest.raises(InputError, match=r"kept\.jsonl: the disk is full"):
            record.line(Tick(1, 5))


def test_a_record_must_be_a_file():
    with pytest.raises(InputError, match="a device, not a file"):
        Record(Path("/dev/zero"), {})


@pytest.mark.parametrize(
    "line",
    [
        '{"answer": 1, "line": 2}',
        "[]",
        '{"line": {"row": {"half": 1}}}',
        '{"line": {"goal": {}}}',
        '{"line": {"row": {"half": 1, "t_ms": "x", "code": 3}}}',
        '{"line": {"row": {"half": 1, "t_ms": -1, "code": 3}}}',
        '{"line": {"row": {"half": [], "t_ms": 1, "code": 3}}}',
        '{"line": {"row": {"half": 1, "t_ms": 1, "code": 3, "setpiece": 300}}}',
        '{"line": {"row": {"half": 1, "t_ms": 1, "code": true}}}',
        '{"line": {"row": {"half": 1, "t_ms": 1, "code": 3, "goal": 1}}}',
        '{"line": {"tick": {"half": 1, "now_ms": 1e12}}}',
        '{"line": {"tick": {"half": 1, "now_ms": %s}}}' % (30 * "9"),
        '{"line": {"reports": [1, 99]}}',
        '{"line": {"reports": ["x"]}}',
        '{"line": {"reports": [[]]}}',
        '{"start": [1]}',
        '{"frames": 7}',
        '{"answer": {}}',
        answer_line(notices=None),
        answer_line(notices=[1]),
        answer_line(now_ms=None),
        answer_line(now_ms=-1),
        answer_line(now_ms=10**30),
        answer_line(intensity_per_mille=[]),
        answer_line(intensity_per_mille=[[1e30] * 32] * 9),
        answer_line(seen=[{"time_ms": "x", "action": "PASS", "confidence": 1}]),
        answer_line(expected=[{"time_ms": 1, "action": "GOAL", "confidence": 1}]),
        '{"answer": ' + 5_000 * "[" + 5_000 * "]" + "}",
    ],
)
def test_a_damaged_record_names_the_line(tmp_path, line):
    path = tmp_path / "kept.jsonl"
    path.write_text(f'{{"start":{{}}}}\n{line}\n')
    with pytest.raises(InputError, match="line 2: is not of a recorded session"):
        list(read_record(path))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.jsonl"], "no such file"),
        (["nowhere.mp4"], "no such file"),
        (["-", "--speed", "-1"], "speed: -1"),
        (["-", "--min-confidence", "2"], "confidence: 2"),
    ],
)
def test_wrong_asks_are_one_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["live", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") <= 2


def test_several_matches_in_one_file_are_refused(tmp_path):
    halves = [simulate_half(0, match=m, minutes=1) for m in (1, 2)]
    write_feed_table(tmp_path / "two.npz", halves)
    with pytest.raises(InputError, match="holds several matches"):
        list(live(str(tmp_path / "two.npz")))
