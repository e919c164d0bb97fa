"""Spotters as processes of their own: their interfaces (by stand-ins), what goes wrong, and when a row counts."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.cli.main import run
from playahead.domain.notices import Notices
from playahead.domain.records import Timeline
from playahead.inference.feed import predict_feed
from playahead.inference.result import PredictConfig
from playahead.io.errors import InputError
from playahead.io.files import lock_folder
from playahead.io.progress import Progress
from playahead.sources.feeds import read_feed
from playahead.spotters.adapters import SPOTTERS, SpotterConfig
from playahead.spotters.run import spot
from tests.support import spotter_stand_ins as stand_ins


@pytest.fixture(scope="module")
def video(pipeline) -> Path:
    return pipeline.match_video


@pytest.fixture
def opensportslib(tmp_path, monkeypatch) -> SpotterConfig:
    monkeypatch.setenv("PYTHONPATH", str(stand_ins.opensportslib(tmp_path / "site")))
    return SpotterConfig(spotter="opensportslib", spotter_python=stand_ins.python_of(tmp_path), spotter_window=8)


def command(tmp_path: Path, program: str, window: float = 0.0) -> SpotterConfig:
    script = tmp_path / "spot me.py"
    script.write_text(program)
    words = [sys.executable, str(script), "{video}", "{out}"]
    return SpotterConfig(
        spotter=f"command:{shlex.join(words)}".replace("'{", "{").replace("}'", "}"), spotter_window=window
    )


WRITES = "import json, sys\njson.dump({content}, open(sys.argv[2], 'w'))"


def rows(path: Path) -> list[tuple[int, int, int, int]]:
    (half,) = read_feed(path)
    return list(
        zip(half.t_ms.tolist(), half.code.tolist(), half.confidence.tolist(), half.late_ms.tolist(), strict=True)
    )


def test_opensportslib_is_called_as_its_python_api_is(tmp_path, video, opensportslib):
    shown: list[Progress] = []
    found = spot(video, opensportslib, tmp_path / "spotted.json", shown.append)
    assert found.labels == {"PASS": 2, "DRIVE": 1, "CROSS": 1}
    assert rows(found.path) == [
        (1_100, 0, 90, 8_000),
        (3_100, 1, 80, 8_000),
        (4_100, 0, 6, 8_000),
        (31_100, 5, 70, 8_000),
    ]
    assert shown
    assert {progress.task for progress in shown} == {f"opensportslib: spotting {video.name}"}
    assert any("47.98" in text for text in found.notices)


def test_t_deed_is_run_from_its_folder_by_its_own_script(tmp_path, video):
    home = stand_ins.t_deed(tmp_path / "T-DEED")
    config = SpotterConfig(spotter="t-deed", spotter_home=home, spotter_python=home / ".venv/bin/python")
    found = spot(video, config, tmp_path / "spotted.json")
    assert [(t_ms, code) for t_ms, code, _, _ in rows(found.path)] == [(1_040, 0), (3_040, 1), (4_080, 0), (31_040, 5)]
    again = home / "inference_output" / "results_inference.json"
    assert [row[:3] for row in rows(again)] == [row[:3] for row in rows(found.path)]  # that file can be read itself
    notices = Notices()
    read_feed(again, notices=notices)
    assert any("frame numbers, read as 25 a second; each action counts at once" in text for text in notices.lines)


def test_ball_action_spotting_is_called_by_its_own_functions(tmp_path, video, monkeypatch):
    stand_ins.ball_action_spotting(tmp_path / "bas")
    monkeypatch.chdir(tmp_path)  # a relative folder is found from anywhere
    config = SpotterConfig(
        spotter="ball-action-spotting", spotter_home=Path("bas"), spotter_python=Path("bas/.venv/bin/python")
    )
    found = spot(video, config, tmp_path / "spotted.json")
    assert rows(found.path) == [(1_080, 0, 90, 2_400), (3_080, 1, 80, 2_400), (4_080, 0, 6, 2_400)]


class _Server(BaseHTTPRequestHandler):
    """opensportslib's routes (docs/server/inference-server.md of version 0.3)."""

    polls, received = 0, b""

    def do_POST(self) -> None:
        assert self.path == "/predict"
        type(self).received = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"job_id": "j 1", "session_id": "s", "status": "queued"})

    def do_GET(self) -> None:
        if self.path == "/jobs/j%201/result":
            events = [{"head": "action", "label": "PASS", "position_ms": 2_000, "confidence": 0.5}]
            self._answer({"job_id": "j 1", "result": {"predictions": {"data": [{"events": events}]}}})
            return
        assert self.path == "/jobs/j%201"
        type(self).polls += 1
        self._answer({"status": "running" if self.polls < 2 else "succeeded"})

    def _answer(self, content: dict, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"opensportslib:http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def server() -> Iterator[str]:
    yield from served(_Server)


def test_opensportslibs_server_gets_the_video_and_is_asked_until_the_job_is_done(tmp_path, video, server, monkeypatch):
    monkeypatch.setattr("playahead.spotters.server._POLL_S", 0.01)
    found = spot(video, SpotterConfig(spotter=server, spotter_window=8), tmp_path / "spotted.json")
    assert rows(found.path) == [(2_000, 0, 50, 8_000)]
    assert video.read_bytes() in _Server.received
    assert b'name="task_type"\r\n\r\nlocalization' in _Server.received
    assert b'name="model_id"\r\n\r\nOpenSportsLab/OSL-loc-snbas-2025-e2e' in _Server.received


def test_a_question_to_the_server_that_is_lost_is_asked_again(tmp_path, video, monkeypatch):
    class Loses(_Server):
        lost = 0

        def do_GET(self) -> None:
            type(self).lost += 1
            if self.lost > 2:
                super().do_GET()

    monkeypatch.setattr("playahead.spotters.server._POLL_S", 0.01)
    for address in served(Loses):
        found = spot(video, SpotterConfig(spotter=address, spotter_window=8), tmp_path / "spotted.json")
    assert found.labels == {"PASS": 1}


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (409, {"detail": "model is not ready"}, "POST /predict: 409 model is not ready"),
        (200, {"session_id": "s"}, "named no job"),
        (200, {"job_id": None}, "named no job"),
        (200, {"job_id": "1"}, "the job is None: no reason"),
        (200, [], "POST /predict: 200"),
    ],
)
def test_a_server_that_refuses_is_quoted(tmp_path, video, status, content, message):
    class Refuses(_Server):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(content, status)

        def do_GET(self) -> None:
            self._answer({})

    for address in served(Refuses):
        with pytest.raises(InputError, match=message):
            spot(video, SpotterConfig(spotter=address, spotter_window=8), tmp_path / "spotted.json")


def test_a_server_that_is_not_there_is_named(tmp_path, video):
    with pytest.raises(InputError, match=r"opensportslib at http://127\.0\.0\.1:9: no answer .*is it running"):
        spot(
            video,
            SpotterConfig(spotter="opensportslib:http://127.0.0.1:9", spotter_window=8),
            tmp_path / "spotted.json",
        )
    for address in ("ftp://x", "http://x:80a"):
        with pytest.raises(InputError, match=f"{address} is no address of a server"):
            spot(video, SpotterConfig(spotter=f"opensportslib:{address}", spotter_window=8), tmp_path / "spotted.json")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"spotter": "spotnik"},
            "there is no spotter 'spotnik' .*opensportslib, ball-action-spotting, t-deed",
        ),
        ({"spotter": "opensportslib"}, "spotter_python: opensportslib needs it .*pip install 'opensportslib>=0.3.1'"),
        ({"spotter": "t-deed", "spotter_python": Path(sys.executable)}, "spotter_home: t-deed needs it .*git clone"),
        ({"spotter": "t-deed", "spotter_python": Path("gone")}, "spotter_python: gone does not exist"),
        (
            {"spotter": "opensportslib", "spotter_python": Path(sys.executable)},
            "spotter_window: opensportslib needs it: .*clip_len / extract_fps",
        ),
        ({"spotter": "command:spot {video}", "spotter_window": 1}, r"names no \{video\} or no \{out\}"),
        ({"spotter": "command:spot {video} {out}"}, "spotter_window: is needed with a command"),
        ({"spotter": "command:'spot {video} {out}", "spotter_window": 1}, "cannot be split into words"),
        ({"spotter": "command:/no/such {video} {out}", "spotter_window": 1}, "such: cannot be started"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path, video, config, message):
    with pytest.raises(InputError, match=message):
        spot(video, SpotterConfig(**config), tmp_path / "spotted.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("window", [-1, 61, float("nan")])
def test_a_window_that_cannot_be_is_refused(window):
    with pytest.raises(InputError, match="spotter_window"):
        SpotterConfig(spotter="t-deed", spotter_window=window)


@pytest.mark.parametrize("option", [{"spotter_window": 1.0}, {"spotter_home": Path("x")}, {"spotter_weights": "x"}])
def test_an_option_of_a_spotter_without_one_is_refused(option):
    with pytest.raises(InputError, match=f"{next(iter(option))}: is for a spotter"):
        SpotterConfig(**option)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise SystemExit('CUDA out of memory')", "ended with 1: CUDA out of memory"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9: it printed nothing"),
        ("print('all done')", "ended without writing spotted.json: all done"),
        (WRITES.format(content="{'actions': []}"), "neither predictions nor data"),
        (WRITES.format(content="{'predictions': [{'label': 'PASS'}]}"), "entry 0: has no position, frame or gameTime"),
        (
            WRITES.format(content="{'predictions': [{'label': 'PASS', 'gameTime': '2 - 00:05', 'position': '5000'}]}"),
            "entry 0: is of half 2",
        ),
        (WRITES.format(content="{'predictions': [{'label': 'PASS', 'position': 'soon'}]}"), "soon"),
        (WRITES.format(content="{'predictions': [{'label': 'PASS', 'frame': -4}]}"), "no time in a video"),
        ("import sys; open(sys.argv[2], 'w').write('{\"predictions\": [')", "spotted.json"),
    ],
)
def test_a_spotter_that_fails_says_why_and_leaves_nothing(tmp_path, video, program, message):
    with pytest.raises(InputError, match=message):
        spot(video, command(tmp_path, program), tmp_path / "spotted.json")
    assert not (tmp_path / "spotted.json").exists()


def test_no_shell_reads_the_command(tmp_path, video):
    program = (
        "import json, sys\njson.dump({'predictions': []}, open(sys.argv[2], 'w'))\nopen(sys.argv[3] + '.txt', 'w')"
    )
    config = command(tmp_path, program)
    odd = tmp_path / "$(touch gone); x"
    config = SpotterConfig(spotter=f"{config.spotter} {shlex.quote(str(odd))}", spotter_window=0)
    spot(video, config, tmp_path / "spotted.json")
    assert odd.with_name(odd.name + ".txt").exists()
    assert not (tmp_path / "gone").exists()


def test_an_interrupted_spotter_ends_with_its_children(tmp_path, video):
    program = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(60)"
    )

    def stop(progress: Progress) -> None:
        if (tmp_path / "pids").exists() and (tmp_path / "pids").read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spot(video, command(tmp_path, program), tmp_path / "spotted.json", stop)
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        until(lambda pid=pid: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_spotter_ends_with_playahead(tmp_path, video, sent):
    """The spotter must not go on for hours when the machine's job ends or the terminal closes."""
    mark = tmp_path / "pid"
    program = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    words = ["spot", str(video), "--spotter", command(tmp_path, program).spotter, "--spotter-window", "0"]
    playahead = subprocess.Popen(
        [Path(sys.executable).with_name("playahead"), *words, "--out", str(tmp_path / "spotted.json")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: mark.exists() and bool(mark.read_text()))
    playahead.send_signal(sent)
    assert playahead.wait(20) != 0
    until(lambda: not is_running(int(mark.read_text())))


def test_a_closed_terminal_does_not_end_what_runs_under_nohup(tmp_path, video):
    program = (
        "import os, signal, sys\n"
        "os.kill(os.getppid(), signal.SIGHUP)\n" + WRITES.format(content="{'predictions': []}").split("\n", 1)[1]
    )
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        found = spot(video, command(tmp_path, f"import json\n{program}"), tmp_path / "spotted.json")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert found.labels == {}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_spotter_runs_once_for_a_video(tmp_path, video):
    runs = tmp_path / "runs"
    program = f"open({str(runs)!r}, 'a').write('x')\n" + WRITES.format(content="{'predictions': []}")
    out = tmp_path / "spotted.json"
    spot(video, command(tmp_path, program), out)
    again = spot(video, command(tmp_path, program, window=1.5), out)  # another window needs no other run
    assert runs.read_text() == "x"
    assert any("it was not run again" in text for text in again.notices)


@pytest.mark.parametrize("change", ["a longer video", "a video of the same size", "another option of the command"])
def test_rows_of_another_run_are_never_taken_for_this_ones(tmp_path, video, change):
    config = command(tmp_path, WRITES.format(content="{'predictions': []}"))
    out = tmp_path / "spotted.json"
    spot(video, config, out)
    before, other = out.read_bytes(), tmp_path / "other.mp4"
    content = video.read_bytes()
    other.write_bytes(content + b"\0" if change == "a longer video" else content[:-1] + bytes([content[-1] ^ 1]))
    if change == "another option of the command":
        other, config = video, replace(config, spotter=f"{config.spotter} --fast")
    with pytest.raises(InputError, match="is there already, of another video or spotter"):
        spot(other, config, out)
    assert out.read_bytes() == before


def test_what_an_earlier_run_of_t_deed_left_is_not_taken_for_this_ones(tmp_path, video):
    home = stand_ins.t_deed(tmp_path / "T-DEED")
    left = home / "inference_output" / "results_inference.json"
    left.parent.mkdir()
    left.write_text('{"predictions": []}')
    (home / "inference.py").write_text("print('nothing to do')")
    config = SpotterConfig(spotter="t-deed", spotter_home=home, spotter_python=home / ".venv/bin/python")
    with pytest.raises(InputError, match=r"ended without writing results_inference\.json: nothing to do"):
        spot(video, config, tmp_path / "spotted.json")


def test_two_runs_of_t_deed_in_one_clone_do_not_mix(tmp_path, video):
    home = stand_ins.t_deed(tmp_path / "T-DEED")
    config = SpotterConfig(spotter="t-deed", spotter_home=home, spotter_python=home / ".venv/bin/python")
    with lock_folder(home, "playahead"), pytest.raises(InputError, match="is in use"):
        spot(video, config, tmp_path / "spotted.json")


def test_a_row_counts_only_after_what_the_spotter_saw_of_it(tmp_path, video):
    """The answer at 30 s must not change by an action that the spotter reported from frames after 30 s."""
    said = [{"label": "PASS", "position": t_ms, "confidence": 0.9} for t_ms in range(1_000, 30_000, 1_500)]
    answers = {}
    for name, last in (("without", []), ("with", [{"label": "CROSS", "position": 29_000, "confidence": 0.9}])):
        for window in (0.0, 1.5):
            folder = tmp_path / f"{name}-{window}"
            folder.mkdir()
            rows_after = [{"label": "PASS", "position": 40_000, "confidence": 0.9}]
            program = WRITES.format(content={"predictions": said + last + rows_after})
            spotted = spot(video, command(folder, program, window), folder / "spotted.json")
            (half,) = read_feed(spotted.path)
            answers[name, window] = anticipated(half)
    assert answers["with", 0.0] != answers["without", 0.0]
    assert answers["with", 1.5] == answers["without", 1.5]


def anticipated(half) -> list:
    from playahead.inference.open_predictor import open_predictor

    predictor = open_predictor(None)
    return predictor.anticipate_at(predictor.prepare(half), [30_000])[0]


def test_the_overlay_and_the_page_show_what_a_spotter_knew_by_then(tmp_path, video, monkeypatch):
    said = [{"label": "PASS", "position": t_ms, "confidence": 0.9} for t_ms in range(1_000, 45_000, 1_000)]
    spotted = spot(
        video, command(tmp_path, WRITES.format(content={"predictions": said}), 8.0), tmp_path / "spotted.json"
    )
    shown: list[Timeline] = []
    monkeypatch.setattr("playahead.video.overlay.write_overlay", lambda *call, **_: shown.append(call[2]))
    config = PredictConfig(video=video, kick_off="0:00", overlay=tmp_path / "a.mp4", end="0:31")
    result = predict_feed(spotted.path, config)
    assert [mark.time_ms for mark in shown[0].past(30_000)] == list(range(1_000, 22_001, 1_000))
    assert max(result.times_ms)[0] > 1_000_000_000, "numbers of matches may be so large"


def test_the_page_takes_what_predict_wrote_of_it(tmp_path, video, capsys):
    said = [{"label": "PASS", "position": t_ms, "confidence": 0.9} for t_ms in range(1_000, 45_000, 1_000)]
    spotted = spot(video, command(tmp_path, WRITES.format(content={"predictions": said})), tmp_path / "spotted.json")
    assert run(["predict", str(spotted.path), "--format", "json"]) == 0
    (tmp_path / "predictions.json").write_text(capsys.readouterr().out)
    words = [
        "view",
        str(video),
        str(tmp_path / "predictions.json"),
        str(spotted.path),
        "--out",
        str(tmp_path / "v.html"),
    ]
    assert run(words) == 0, capsys.readouterr().err


def test_a_match_that_the_spotters_learned_from_is_noticed(tmp_path, video):
    folder = tmp_path / "2019-10-01 - Leeds United - West Bromwich"
    folder.mkdir()
    match = folder / "1_720p.mkv"
    match.write_bytes(video.read_bytes())
    home = stand_ins.t_deed(tmp_path / "T-DEED")
    config = SpotterConfig(spotter="t-deed", spotter_home=home, spotter_python=home / ".venv/bin/python")
    noticed = "may be a match that the spotter was trained on"
    assert any(noticed in text for text in spot(match, config, tmp_path / "spotted.json").notices)
    unknown = command(tmp_path, WRITES.format(content="{'predictions': []}"))
    assert not any(noticed in text for text in spot(match, unknown, tmp_path / "other.json").notices)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["predictions", "data", "events", "label", "frame", "position", "gameTime", "confidence"]),
        inner, max_size=4,
    ),
    max_leaves=12,
))  # fmt: skip
def test_whatever_a_spotter_writes_is_rows_or_one_line(tmp_path, video, content):
    from playahead.spotters.run import _read

    written = tmp_path / "any.json"
    written.write_text(json.dumps(content))
    try:
        events = _read(written, SPOTTERS["t-deed"], video, Notices())
    except InputError as reason:
        assert "\n" not in str(reason)
    else:
        assert all(0 <= event["position_ms"] < 86_400_000 for event in events)  # type: ignore[operator]


def test_from_a_video_to_an_overlay_in_one_command(tmp_path, video, monkeypatch, capsys):
    stand_ins.t_deed(tmp_path / "T-DEED")
    monkeypatch.chdir(tmp_path)
    words = f"predict {video} --spotter t-deed --spotter-home T-DEED --spotter-python T-DEED/.venv/bin/python"
    assert run([*words.split(), "--to", "0:31", "--every", "1", "--overlay", "ahead.mp4", "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("match,half,observed_until_ms")
    assert "match.spotted.json" in said.err
    assert "read as one half" in said.err
    assert (tmp_path / "ahead.mp4").stat().st_size > 10_000
    assert run(["spot", str(video), *words.split()[2:], "--out", "match.spotted.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == {"PASS": 2, "DRIVE": 1, "CROSS": 1}
    assert run(["predict", "match.spotted.json", "--half", "1", "--to", "0:31"]) == 0
    assert run(["predict", "match.spotted.json", "--spotter", "t-deed"]) == 2
    assert "spotter: is for a video" in capsys.readouterr().err
    assert run(["predict", *words.split()[1:], "--stream", "0"]) == 2
    assert "stream: is not used with a spotter" in capsys.readouterr().err
