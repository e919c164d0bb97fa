"""The server through its routes: sessions, events, questions, limits, and bad input that is never a 500."""

import json
import re
import tempfile
import threading
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient

import playahead
from playahead.cli.main import run
from playahead.cli.parser import build_parser, spelt_for_python
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.live.server.app import build_app
from playahead.live.server.config import ServeConfig
from playahead.live.server.run import serving
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import parse_entry

LOCAL = "http://127.0.0.1"
DEPLOY = Path(__file__).parents[3] / "deploy"
ROWS = [
    {"t_ms": 1_200, "action": "PASS", "team": "home", "x": 50, "y": 50},
    {"t_ms": 2_900, "action": "DRIVE", "team": "home"},
    {"t_ms": 5_100, "action": "HIGH PASS", "team": "home", "confidence": 0.7},
    {"now_ms": 9_000},
]
CLIP = {"content-type": "video/mp4"}
NO_SOURCES = {
    "/etc/passwd": (403, "not a file in a folder"),
    "{folder}/../../../../../etc/passwd": (403, "not a file in a folder"),
    "http://127.0.0.1/live.m3u8": (403, "not among the addresses"),
    "file:///etc/passwd": (403, "addresses begin with"),
    "rtsp://127.0.0.1/x": (403, "rtsp needs private networks"),
    "concat:/etc/passwd|x": (403, "not a file"),
    "http://[::1/x": (422, "not an address"),
    "a\nb": (422, "control character"),
}


@pytest.fixture(scope="module")
def client(video):
    config = ServeConfig(sources=str(video.parent), sessions=3, upload_mib=2, requests_per_s=10_000, device="cpu")
    with TestClient(build_app(config), LOCAL) as found:
        yield found
        found.app.state.close()


def begin(client, **body) -> str:
    answer = client.post("/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/sessions/{answer.json()['id']}"
    return answer.headers["location"]


def events_of(text: str) -> list[dict]:
    blocks = (block for block in text.split("\n\n") if "event:" in block)
    events = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [{**event, "data": json.loads(event["data"])} for event in events]


def answers_of(events: list[dict]) -> list[dict]:
    return [event["data"] for event in events if event["event"] == "answer"]


def finish(client, session: str) -> list[dict]:
    """End a session's source, and read all of its events."""
    client.app.state.sessions.find(session.rpartition("/")[2]).feed.close()
    answer = client.get(f"{session}/events")
    assert answer.headers["x-accel-buffering"] == "no", "a proxy must not hold events back"
    return events_of(answer.text)


def test_rows_in_answers_out(client):
    session = begin(client, speed=0, min_confidence=0.3)
    assert client.post(f"{session}/rows", json={"rows": ROWS}).json() == {"taken": 4}
    events = finish(client, session)
    assert (events[-1]["event"], events[-1]["data"]) == ("end", {"detail": "the source ended"})
    ours, expected = FeedSession(playahead.Predictor.open(), 0.3), []
    for row in ROWS:
        ours.push(parse_entry(row, "row"))
        expected += [answer.as_json() for answer in ours.answers()]
    assert answers_of(events) == expected
    assert [answer["now_ms"] for answer in expected] == list(range(1_000, 9_001, 1_000))
    assert [client.delete(session).status_code, client.get(session).status_code] == [204, 404]


@pytest.mark.slow
def test_a_reader_who_comes_back_gets_what_he_missed(client):
    session = begin(client, speed=0)
    client.post(f"{session}/rows", json={"rows": [{"now_ms": 400_000}, {"now_ms": 400_000}]})
    for now_ms in range(401_000, 801_000, 1_000):
        client.post(f"{session}/rows", json={"rows": [{"now_ms": now_ms}]})
    finish(client, session)
    events = events_of(client.get(f"{session}/events").text)
    assert (len(events), events[0]["event"], events[0]["data"]["from"]) == (301, "lost", 1)
    again = client.get(f"{session}/events", headers={"Last-Event-ID": events[-4]["id"]}).text
    assert events_of(again) == events[-3:]
    client.delete(session)


@pytest.mark.slow
def test_a_video_is_watched(client, video):
    session = begin(client, kind="video", source=str(video), speed=0)
    answers = answers_of(events_of(client.get(f"{session}/events").text))
    assert [answer["now_ms"] for answer in answers][:26] == list(range(5_000, 30_001, 1_000))
    assert "trained on simulated broadcasts" in answers[0]["notices"][0]
    assert client.post(f"{session}/rows", json={"rows": ROWS}).status_code == 409
    client.delete(session)


@pytest.mark.slow
def test_single_questions(client, video):
    of_rows = client.post("/v1/anticipate", json={"rows": ROWS, "now_ms": 8_500}).raise_for_status().json()
    assert (of_rows["now_ms"], len(of_rows["expected"]) > 0) == (8_500, True)
    client.post("/v1/anticipate", json={"features": [[[0.0] * open_predictor().reading.n_features]]}).raise_for_status()
    of_clip = client.post("/v1/anticipate", content=video.read_bytes(), headers=CLIP).raise_for_status()
    assert of_clip.json()["seen_ms"] == 30_000


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/v1/sessions", {"kind": "video"}, 422, "a video needs one"),
        ("/v1/sessions", {"kind": "feed", "source": "x.mp4"}, 422, "rows are posted"),
        ("/v1/sessions", {"kind": "radio"}, 422, "kind"),
        ("/v1/sessions", {"reports": ["GOALS"]}, 422, "'GOALS' is not one of"),
        ("/v1/sessions", [], 422, "body"),
        ("/v1/anticipate", {}, 422, "either rows or features"),
        ("/v1/anticipate", {"features": [[[1]]]}, 422, "features"),
        ("/v1/anticipate", {"features": [[[]] * 34]}, 422, "features.0: List should have at most 33 items"),
        ("/v1/anticipate", {"rows": [{"now_ms": 1}] * 5_001}, 422, "rows: List should have at most 5000 items"),
        ("/v1/anticipate", {"rows": [{"now_ms": 1}] * 50_000}, 422, "rows: List should have at most 5000 items"),
        ("/v1/anticipate", {"features": [[[1], [1, 2]]]}, 422, "not of one length"),
        ("/v1/anticipate", {"rows": [{"t_ms": 1, "action": "CHEER"}]}, 422, "rows.0: action 'CHEER'"),
        ("/v1/anticipate", {"rows": [{"t_ms": 1, "action": "GOAL"}]}, 422, "was not declared in `reports`"),
        ("/v1/anticipate", {"rows": [{"t_ms": 1, "action": "DUEL"}]}, 422, "was not declared in `reports`"),
        ("/v1/anticipate", {"rows": [{"t_ms": -1, "action": "PASS"}]}, 422, "rows.0: t_ms '-1'"),
        *(("/v1/sessions", {"kind": "video", "source": source}, *said) for source, said in NO_SOURCES.items()),
        ("/v1/sessions/none/rows", {"rows": []}, 404, "no session"),
        ("/v1/goals", {}, 404, "Not Found"),
    ],
)
def test_what_is_wrong_is_a_problem_document(client, video, path, body, status, said):
    text = json.dumps(body).replace("{folder}", str(video.parent))
    answer = client.post(path, content=text, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["status"], document["title"]) == (status, HTTPStatus(status).phrase)
    assert said in document["detail"]


def test_content_of_other_kinds_is_refused(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert client.post("/v1/anticipate", content=b"x", headers={"content-type": "text/csv"}).status_code == 415
    for content in (b"", b"x" * 1000, b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"):
        answer = client.post("/v1/anticipate", content=content, headers=CLIP)
        assert (answer.status_code, "cannot be opened as video" in answer.json()["detail"]) == (422, True)
    for too_large in (b"x" * (2 * 1024 * 1024 + 1), (b"x" * 500_000 for _ in range(6))):
        assert client.post("/v1/anticipate", content=too_large, headers=CLIP).status_code == 413
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "PyTorch may make a folder of its own there"


def test_there_is_room_for_so_many_sessions(client):
    made = [begin(client) for _ in range(3)]
    full = client.post("/v1/sessions", json={})
    assert (full.status_code, full.headers["retry-after"]) == (429, "60")
    for session in made:
        client.delete(session)
    client.delete(begin(client))


def test_health_and_figures(client):
    assert client.get("/healthz").json() == {"status": "running"}
    assert client.get("/readyz").json() == {"status": "ready"}
    figures = client.get("/metrics").text
    assert "playahead_answer_seconds_bucket" in figures
    assert 'playahead_problems_total{status="422"}' in figures
    assert client.get("/docs").status_code == 200


def test_a_token_is_asked_for(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("a-long-enough-secret\n")
    config = ServeConfig(host="0.0.0.0", token_file=tmp_path / "token", device="cpu")
    with TestClient(build_app(config), LOCAL) as client:
        assert client.get("/healthz").status_code == 200
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic a-long-enough-secret"}):
            refused = client.post("/v1/sessions", json={}, headers=headers)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        allowed = client.post("/v1/sessions", json={}, headers={"Authorization": "Bearer a-long-enough-secret"})
        assert allowed.status_code == 201


def test_a_client_has_a_rate():
    with TestClient(build_app(ServeConfig(requests_per_s=1, device="cpu")), LOCAL) as client:
        statuses = [client.get("/v1/sessions/x").status_code for _ in range(15)]
    assert statuses[:10] == [404] * 10
    assert 429 in statuses[10:]


def test_wrong_settings_are_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("PLAYAHEAD_TOKEN", raising=False)
    assert run(["serve", "--host", "0.0.0.0"]) == 2
    assert "there is no token" in capsys.readouterr().err
    monkeypatch.setenv("PLAYAHEAD_TOKEN", "short")
    with pytest.raises(InputError, match="fewer than 16 characters"):
        ServeConfig(host="0.0.0.0")
    for wrong in ({"port": -1}, {"sessions": 0}, {"session_minutes": float("nan")}):
        with pytest.raises(InputError, match="ServeConfig"):
            ServeConfig(**wrong)


def test_sessions_end_with_the_server():
    """A running server on loopback: events arrive while they are made, and the last one says that it ends."""
    seen = []
    with serving(ServeConfig(port=0, device="cpu")) as (server, base):
        session = base + httpx.post(f"{base}/v1/sessions", json={"speed": 50}).json()["url"].removesuffix("/events")
        httpx.post(f"{session}/rows", json={"rows": [{"t_ms": 100, "action": "PASS"}]})
        with httpx.stream("GET", f"{session}/events", timeout=30) as stream:
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    seen.append(line.removeprefix("event: "))
                if len(seen) == 5:
                    server.should_exit = True
    assert base not in [thread.name for thread in threading.enumerate()], "its thread is not alive"
    assert [*seen[:5], seen[-1]] == ["answer"] * 5 + ["end"]


def test_the_options_of_the_container_exist(monkeypatch):
    monkeypatch.setenv("PLAYAHEAD_TOKEN", "long-enough-for-a-token")

    def parsed(words: list[str]) -> dict:
        arguments = ["serve", *words]
        return build_parser(arguments).parse_args([spelt_for_python(word) for word in arguments])["serve"]

    container = (DEPLOY / "Containerfile").read_text()
    assert "USER playahead" in container
    assert parsed(json.loads(re.search(r"^CMD (\[.+\])$", container, re.MULTILINE)[1]))["host"] == "0.0.0.0"
    compose, prometheus = (yaml.safe_load((DEPLOY / name).read_text()) for name in ("compose.yaml", "prometheus.yml"))
    assert str(parsed(compose["services"]["playahead"]["command"])["token_file"]) == "/run/secrets/token"
    assert prometheus["scrape_configs"][0]["static_configs"][0]["targets"] == ["playahead:8008"]


def test_a_feed_has_the_name_and_the_teams_of_its_match(client):
    about = client.post(
        "/v1/sessions", json={"speed": 0, "name": "Brighton - City", "teams": ["Brighton", "City"]}
    ).json()
    assert about["source"] == "Brighton - City"
    client.post(f"/v1/sessions/{about['id']}/rows", json={"rows": [{"t_ms": 900, "action": "PASS"}, {"now_ms": 2_000}]})
    with client.stream("GET", about["url"]) as response:
        first = next(json.loads(line[5:]) for line in response.iter_lines() if line.startswith("data:"))
    assert first["teams"] == ["Brighton", "City"]
    for wrong in ({"teams": ["one"]}, {"teams": ["", "b"]}, {"name": ""}, {"name": "x" * 81}):
        assert client.post("/v1/sessions", json=wrong).status_code == 422
