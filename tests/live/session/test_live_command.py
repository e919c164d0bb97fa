"""``playahead live`` on rows: from standard input, from a file that grows, and recorded."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import playahead
from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
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
FULL_SPEED = LiveConfig(speed=0)


@pytest.fixture
def rows(tmp_path) -> str:
    (tmp_path / "rows.jsonl").write_text(LINES)
    return str(tmp_path / "rows.jsonl")


@pytest.fixture
def kept(tmp_path) -> Path:
    return tmp_path / "kept.jsonl"


@pytest.fixture
def session() -> FeedSession:
    return FeedSession(playahead.Predictor.open())


def command(*words: object) -> subprocess.Popen:
    program = [sys.executable, "-m", "playahead.cli.main", "live", *map(str, words)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(program, text=True, **pipes)


def answers_in(record: Path) -> list[dict]:
    return [value.as_json() for kind, value in read_record(record) if kind == "answer"]


def test_rows_from_standard_input():
    done, said = command("-", "--speed", "0", "--json").communicate("nonsense\n" + LINES, timeout=120)
    (note,) = said.splitlines()
    assert note.startswith("note: standard input: line 1: not JSON")
    answers = [json.loads(line) for line in done.splitlines()]
    assert [answer["now_ms"] for answer in answers] == list(range(1_000, 9_001, 1_000))
    assert answers[0]["notices"][0].startswith("standard input: line 1: not JSON")
    assert [mark["action"] for mark in answers[-1]["seen"]] == ["PASS", "DRIVE", "HIGH PASS"]
    assert answers[-1]["seen"][-1] == {"time_ms": 5_100, "action": "HIGH PASS", "confidence": 0.7, "team": "home"}
    assert len(answers[-1]["intensity_per_mille"]) == len(ACTIONS)
    assert any(answer["expected"] for answer in answers)


def test_a_file_of_lines_in_the_terminal(rows, capsys):
    assert run(["live", rows, "--speed", "0", "--min-confidence", "0.1"]) == 0
    first, *_, last = lines = capsys.readouterr().out.splitlines()
    assert (len(lines), first[:13], " s (" in last) == (9, "1 - 00:01.0  ", True)


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


@pytest.mark.slow
def test_a_recorded_match_is_played_at_its_speed(tmp_path):
    half = simulate_half(0, minutes=1)
    write_feed_table(tmp_path / "match.npz", [half])
    started_s = time.monotonic()
    answers = list(live(str(tmp_path / "match.npz"), LiveConfig(speed=6)))
    assert time.monotonic() - started_s >= half.t_ms[-1] / 1000 / 6
    assert [answer.now_ms for answer in answers][:3] == [1_000, 2_000, 3_000]
    assert abs(answers[-1].now_ms - half.visible_ms[-1]) <= 1_500


def watched(session: FeedSession, now_s: list[float], take) -> list[Answer]:
    """Answers at a clock of our own; ``take`` gives the next line, or None, or raises TimeoutError."""
    lines = SimpleNamespace(next=take, close=lambda: None)
    return list(watch_feed(session, lines, 1.0, seconds=lambda: now_s[0]))  # type: ignore[bad-argument-type]


def test_a_machine_that_is_too_slow_leaves_moments_out_and_makes_no_row_late(session, monkeypatch):
    """Each answer takes three seconds of a clock that runs with the machine's; rows arrive in time all the while."""
    now_s, rows, answer = [0.0], [FeedRow(1, 1_000 * second, 0) for second in range(1, 60)], session._answer

    def take(timeout_s):
        if not rows:
            return None
        if rows[0].t_ms <= now_s[0] * 1000:
            return rows.pop(0)
        now_s[0] = min(rows[0].t_ms / 1000, now_s[0] + (60.0 if timeout_s is None else timeout_s))
        raise TimeoutError

    def slow():
        now_s[0] += 3.0
        return answer()

    monkeypatch.setattr(session, "_answer", slow)
    answers = watched(session, now_s, take)
    assert {text.partition(" ")[2] for one in answers for text in one.notices} == {"s without an answer"}
    assert (session._n_rows > 0, session._rows["late_ms"].any()) == (True, False)
    assert 15 < len(answers) < 30


def test_the_clock_goes_on_without_rows_and_follows_rows_that_are_ahead(session):
    now_s, script = [100.0], [FeedRow(1, 2_000, 0), 1.0, 1.0, FeedRow(1, 9_500, 0), 32.0, 0.0, 0.0, 0.0, 0.0, None]

    def take(_):
        step = script.pop(0)
        if isinstance(step, float):
            now_s[0] += step
            raise TimeoutError
        return step

    answers = watched(session, now_s, take)
    assert [answer.now_ms for answer in answers[:9]] == list(range(1_000, 9_001, 1_000))
    assert answers[-1].now_ms == 41_000
    notices = [text for answer in answers for text in answer.notices]
    assert sorted(notices) == ["27 s without an answer", "no row for 30 s"]


def test_a_disk_that_fills_up_is_an_error_and_no_wrong_row(session):
    def full(line):
        raise InputError("kept.jsonl", "the disk is full")

    with pytest.raises(InputError, match="the disk is full"):
        list(watch_feed(session, of_stream(io.BytesIO(LINES.encode()), "rows"), 0.0, full))


def test_a_record_gives_the_same_answers_again(rows, kept):
    first = list(live(rows, FULL_SPEED, record=kept))
    assert [answer.as_json() for answer in live(str(kept))] == [answer.as_json() for answer in first]
    kinds = [kind for kind, _ in read_record(kept)]
    assert (kinds[0], kinds.count("answer"), len(first)) == ("start", 9, 9)


def test_what_is_written_survives_a_kill_and_is_continued(kept):
    process = command("-", "--json", "--record", kept)
    process.stdin.write(LINES)
    process.stdin.flush()
    seen = [json.loads(process.stdout.readline()) for _ in range(9)]
    process.kill()
    process.communicate()
    assert [{"version": answer["version"], **written} for answer, written in zip(seen, answers_in(kept))] == seen  # noqa: B905
    with kept.open("ab") as file:
        file.write(b'{"answer": {"half"')
    with Record(kept, {"source": "again"}) as record:
        record.line(Tick(1, 5))
    assert [kind for kind, _ in read_record(kept)][-2:] == ["start", "line"]


def test_two_sessions_cannot_record_into_one_file(kept):
    with Record(kept, {"source": "first"}) as first:
        with pytest.raises(InputError, match="is being written by another session"):
            Record(kept, {"source": "second"})
        first.line(Tick(1, 5))
    with Record(kept, {"source": "third"}):
        pass
    assert [kind for kind, _ in read_record(kept)] == ["start", "line", "start"]


@pytest.mark.parametrize("moved", [False, True])
def test_a_record_that_is_removed_is_begun_again_with_a_notice(rows, kept, moved):
    answers = []
    for answer in live(rows, FULL_SPEED, record=kept):
        answers.append(answer)
        if len(answers) == 3:
            kept.rename(kept.with_name("elsewhere.jsonl")) if moved else kept.unlink()
    said = "kept.jsonl was removed, and is begun again"
    assert [said in answer.notices for answer in answers[:5]] == [False, False, False, True, False]
    assert answers_in(kept) == [answer.as_json() for answer in answers[3:]]


def test_only_a_record_that_is_a_file_with_room_is_recorded_into(kept, monkeypatch):
    with Path("/dev/full").open("wb", buffering=0) as full, Record(kept, {}) as record:
        monkeypatch.setattr(record, "_file", full)
        with pytest.raises(InputError, match=r"kept\.jsonl: the disk is full"):
            record.line(Tick(1, 5))
    with pytest.raises(InputError, match="a device, not a file"):
        Record(Path("/dev/zero"), {})
    foreign = kept.with_name("match.mp4")
    foreign.write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match="is not a recorded session"):
        Record(foreign, {})
    assert foreign.read_bytes() == b"\0" * 100


ROW = {"half": 1, "t_ms": 1, "code": 3}
SILENT = {"half": 0, "now_ms": 5_000, "seen_ms": 5_000, "seen": [], "expected": [], "notices": []}
SILENT["intensity_per_mille"] = [[0] * 32] * 10
ODD_LINES = [
    *({"row": {**ROW, **odd}} for odd in ({"t_ms": "x"}, {"t_ms": -1}, {"half": []}, {"setpiece": 300})),
    *({"row": {**ROW, **odd}} for odd in ({"code": True}, {"goal": 1})),
    *({"tick": {"half": 1, "now_ms": odd}} for odd in (1e12, int(30 * "9"))),
    *({"reports": odd} for odd in ([1, 99], ["x"], [[]])),
    {"row": {"half": 1}},
    {"goal": {}},
]
ODD_ANSWERS = [
    *({"notices": odd} for odd in (None, [1])),
    *({"now_ms": odd} for odd in (None, -1, 10**30)),
    *({"intensity_per_mille": odd} for odd in ([], [[1e30] * 32] * 9)),
    {"seen": [{"time_ms": "x", "action": "PASS", "confidence": 1}]},
    {"expected": [{"time_ms": 1, "action": "GOAL", "confidence": 1}]},
]


@pytest.mark.parametrize(
    "line",
    [
        *('{"answer": 1, "line": 2}', "[]", '{"start": [1]}', '{"frames": 7}', '{"answer": {}}'),
        *(json.dumps({"line": line}) for line in ODD_LINES),
        *(json.dumps({"answer": {**SILENT, **odd}}) for odd in ODD_ANSWERS),
        '{"answer": ' + 5_000 * "[" + 5_000 * "]" + "}",
    ],
)
def test_a_damaged_record_names_the_line(kept, line):
    kept.write_text(f'{{"start":{{}}}}\n{line}\n')
    with pytest.raises(InputError, match="line 2: is not of a recorded session"):
        list(read_record(kept))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.jsonl"], "no such file"),
        (["nowhere.mp4"], "no such file"),
        (["-", "--speed", "-1"], "speed: -1"),
        (["-", "--min-confidence", "2"], "confidence: 2"),
    ],
)
def test_wrong_options_are_one_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["live", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") <= 2


def test_several_matches_in_one_file_are_refused(tmp_path):
    write_feed_table(tmp_path / "two.npz", [simulate_half(0, match=m, minutes=1) for m in (1, 2)])
    with pytest.raises(InputError, match="holds several matches"):
        list(live(str(tmp_path / "two.npz")))
