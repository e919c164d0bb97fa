"""A running server and clients that misbehave: crowds, half-sent requests, other sites, and those who go away."""

import logging
import re
import socket
import threading

import httpx
import pytest
from fastapi.testclient import TestClient

from playahead.io.errors import InputError
from playahead.live.server import requests, run
from playahead.live.server.app import build_app
from playahead.live.server.config import ServeConfig
from playahead.live.server.run import make_server, serving

LOCAL = "http://127.0.0.1"
HALF = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def base():
    """A server with room for 20 connections, whose headers must come within a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_HEADERS_S", 1.0)
        with serving(ServeConfig(port=0, device="cpu", connections=20)) as (_, address):
            yield address


@pytest.fixture(scope="module")
def client():
    with TestClient(build_app(ServeConfig(device="cpu", hosts="live.example.org")), LOCAL) as found:
        yield found
        found.app.state.close()


def opened(base: str, sent: bytes) -> socket.socket:
    host, _, port = base.removeprefix("http://").rpartition(":")
    client = socket.create_connection((host, int(port)), 30)
    client.sendall(sent)
    return client


def is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_crowd_of_half_sent_headers_keeps_nobody_out(base):
    crowd = [opened(base, HALF) for _ in range(60)]
    assert httpx.get(f"{base}/healthz", timeout=30).status_code == 200
    assert all(is_closed(one) for one in crowd[:40]), "the oldest make room"
    assert all(is_closed(one) for one in crowd), "the others have had their time"
    kept = opened(base, HALF + b"\r\n\r\n")
    assert kept.recv(100).startswith(b"HTTP/1.1 200")
    kept.sendall(HALF)
    while kept.recv(1000):  # the answer's body, and then the end
        pass


@pytest.mark.parametrize(("proxies", "statuses"), [("", [404, 429, 429]), ("127.0.0.1", [404, 404, 429])])
def test_only_a_trusted_proxy_says_whose_request_it_is(proxies, statuses):
    with serving(ServeConfig(port=0, device="cpu", requests_per_s=0.1, proxies=proxies)) as (_, base):
        ask = lambda n: httpx.get(f"{base}/v1/sessions/x", headers={"X-Forwarded-For": f"10.0.0.{n}"})  # noqa: E731
        assert [ask(n).status_code for n in (0, 1, 0)] == statuses


def posted(path: str, kind: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: 99\r\n\r\nx"
    return head.encode()


def test_a_client_that_goes_away_leaves_no_traceback(base, caplog):
    with caplog.at_level(logging.ERROR):
        for path in ("/v1/anticipate", "/v1/sessions"):
            for kind in ("video/mp4", "application/json"):
                opened(base, posted(path, kind)).close()
        assert httpx.get(f"{base}/healthz", timeout=30).status_code == 200
    assert not caplog.records


def test_json_is_parsed_beside_the_event_loop(base, monkeypatch):
    parsing, go_on = threading.Event(), threading.Event()
    parse = requests._parsed

    def slow(*about):
        parsing.set()
        assert go_on.wait(60)
        return parse(*about)

    monkeypatch.setattr(requests, "_parsed", slow)
    ask = threading.Thread(target=httpx.post, args=(f"{base}/v1/sessions",), kwargs={"json": {}, "timeout": 60})
    ask.start()
    assert parsing.wait(60)
    assert httpx.get(f"{base}/healthz", timeout=30).status_code == 200
    go_on.set()
    ask.join()


@pytest.mark.parametrize("path", ["/v1/anticipate", "/v1/sessions", "/v1/sessions/x/rows"])
def test_json_is_small(client, path):
    features = b'{"features": [[[' + b"0," * (2 * 1024 * 1024) + b"0]]]}"
    pieces = (features[n : n + 9999] for n in range(0, len(features), 9999))
    for content in (features, pieces):
        assert client.post(path, content=content, headers=JSON).status_code == 413
    assert client.post(path, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415


def test_a_body_that_comes_too_slowly_is_given_up(base, monkeypatch):
    monkeypatch.setattr(requests, "_SILENT_S", 0.3)
    with opened(base, posted("/v1/anticipate", "video/mp4")) as slow:
        assert slow.recv(100).startswith(b"HTTP/1.1 408 Request Timeout")


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8008", None, 200),
        ("localhost", None, 200),
        ("[::1]:8008", None, 200),
        ("live.example.org", None, 200),
        ("evil.example.org", None, 421),
        ("127.0.0.1.evil.example.org", None, 421),
        ("[::1", None, 421),
        ("localhost:8008", "http://localhost:8008", 200),
        ("localhost:8008", "https://live.example.org", 200),
        ("localhost:8008", "http://localhost:3000", 403),
        ("localhost:8008", "https://evil.example.org", 403),
        ("localhost:8008", "null", 403),
    ],
)
def test_names_of_other_sites_are_refused(client, host, origin, status):
    headers = {"host": host, **({} if origin is None else {"origin": origin})}
    for path in ("/healthz", "/metrics", "/watch/x"):
        assert client.get(path, headers=headers).status_code == status


def test_with_a_token_any_name_will_do_unless_some_are_given(monkeypatch):
    monkeypatch.setenv("PLAYAHEAD_TOKEN", "long-enough-for-a-token")
    assert not ServeConfig(host="0.0.0.0").names
    names = ServeConfig(host="0.0.0.0", hosts="Live.example.org").names
    assert names == {"live.example.org", "localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/watch/x"])
def test_head_is_answered(client, path):
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_address_is_one_that_a_browser_opens():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with serving(ServeConfig(port=0, host="::1", device="cpu")) as (_, address):
        assert re.fullmatch(r"http://\[::1\]:\d+", address)
        assert httpx.get(f"{address}/healthz").json() == {"status": "running"}


def test_more_connections_than_files_are_refused():
    with pytest.raises(InputError, match="ulimit -n"):
        make_server(ServeConfig(connections=100_000_000, device="cpu"))
