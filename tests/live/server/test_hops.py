"""Wherever a source leads, by a redirect or a playlist: only what is allowed is asked, and only files that are."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from playahead.io.errors import InputError
from playahead.live.server.config import ServeConfig
from playahead.live.server.sources import Gate, Refused, allowed_source, checked_address
from tests.support.broadcast import Broadcast
from tests.support.odd_clips import picture_of

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
END = "#EXT-X-ENDLIST\n"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n"
PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "::1", "fd00::1"]
AS_GOOD_AS_PRIVATE = ["::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "224.0.0.1", "0.0.0.0", "100.64.0.1"]


class Site:
    """Serves a folder on loopback, sends ``/to?ADDRESS`` on to that address, and remembers what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                path, _, address = self.path.partition("?")
                if path != "/to":
                    super().do_GET()
                    return
                self.send_response(302)
                self.send_header("Location", address)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three segments of a second, ``live.m3u8`` that names them, and one outside."""
    folder = tmp_path_factory.mktemp("site") / "allowed"
    folder.mkdir()
    written = Broadcast(folder, [np.full((64, 96), n, np.uint8) for n in range(75)], speed=1e6)
    written.segments(0, 3)
    written.end()
    shutil.copy(folder / "0000.ts", folder.parent / "outside.ts")
    return folder


@pytest.fixture(scope="module")
def sites(folder) -> Iterator[tuple[Site, Site]]:
    """One that is allowed, and one that is not."""
    both = Site(folder), Site(folder)
    yield both
    for site in both:
        site.server.shutdown()


@pytest.fixture(scope="module")
def gate(sites, folder) -> Iterator[Gate]:
    found = Gate(ServeConfig(sources=f"{sites[0].address}/, {folder}", allow_private=True))
    yield found
    found.close()


def frames_of(gate: Gate, source: str) -> int:
    with gate.open(source) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("source", ["SITE/live.m3u8", "SITE/master.m3u8", "SITE/0001.ts", "FOLDER/live.m3u8"])
def test_what_is_allowed_is_read(gate, sites, folder, source):
    (folder / "master.m3u8").write_text(f"{MASTER}/to?{sites[0].address}/live.m3u8\n")
    source = source.replace("SITE", sites[0].address).replace("FOLDER", str(folder))
    assert frames_of(gate, source) == (25 if source.endswith("ts") else 75)


@pytest.mark.parametrize(
    "playlist",
    [
        f"{HEAD}#EXTINF:1.0,\nOTHER/0000.ts\n{END}",
        f"{HEAD}#EXTINF:1.0,\n/to?OTHER/0000.ts\n{END}",
        f'{HEAD}#EXT-X-KEY:METHOD=AES-128,URI="OTHER/key"\n#EXTINF:1.0,\n0000.ts\n{END}',
        f"{MASTER}OTHER/live.m3u8\n",
        f"{MASTER}/to?OTHER/live.m3u8\n",
        f"{HEAD}#EXTINF:1.0,\nfile://FOLDER/0000.ts\n{END}",
        "ffconcat version 1.0\nfile '/to?OTHER/0000.ts'\n",
    ],
    ids=["segment", "redirected segment", "key", "playlist", "redirected playlist", "file", "concat"],
)
def test_a_playlist_leads_nowhere_else(gate, sites, folder, playlist):
    ours, other = sites
    (folder / "evil.m3u8").write_text(playlist.replace("OTHER", other.address).replace("FOLDER", str(folder)))
    with pytest.raises(InputError):
        frames_of(gate, f"{ours.address}/evil.m3u8")
    assert "/evil.m3u8" in ours.asked
    assert not other.asked


def test_a_redirect_leads_nowhere_else(gate, sites, monkeypatch):
    ours, other = sites
    with pytest.raises(InputError, match="403"):
        frames_of(gate, f"{ours.address}/to?{other.address}/live.m3u8")
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # for whoever runs the server: FFmpeg would go straight there
    again = Gate(ServeConfig(sources=f"{ours.address}/", allow_private=True))
    with pytest.raises(InputError, match="403"):
        frames_of(again, f"{ours.address}/to?{other.address}/live.m3u8")
    again.close()
    assert not other.asked


def test_a_name_that_leads_elsewhere_later_is_not_followed(monkeypatch, sites):
    """What was checked is what is connected to: a name may stand for a private address the next time."""
    port = sites[0].server.server_port
    found = [(0, 0, 0, "", ("127.0.0.1", port))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    config = ServeConfig(sources=f"http://cdn.example.org:{port}/")
    n_asked = len(sites[0].asked)
    gate = Gate(config)
    with pytest.raises(InputError, match="403"):
        frames_of(gate, f"http://cdn.example.org:{port}/live.m3u8")
    gate.close()
    assert len(sites[0].asked) == n_asked
    found[0] = (0, 0, 0, "", ("93.184.216.34", port))
    assert checked_address(f"http://cdn.example.org:{port}/x", config) == ("93.184.216.34", port)


@pytest.mark.parametrize("open_source", [checked_address, allowed_source])
@pytest.mark.parametrize("address", [*PRIVATE, *AS_GOOD_AS_PRIVATE, "fe80::1%lo"])
def test_private_networks_stay_closed_where_a_public_name_leads_there(monkeypatch, address, open_source):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (address, 443))])
    with pytest.raises(Refused, match="private network"):
        open_source("https://cdn.example.org/x", ServeConfig(sources="https://cdn.example.org/"))


@pytest.mark.parametrize("begins", ["https://cdn.example.org", "https://user@cdn.example.org:443"])
def test_only_what_begins_as_allowed_is_opened(monkeypatch, begins):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("93.184.216.34", 443))])
    config = ServeConfig(sources="/srv, https://cdn.example.org/live")
    assert checked_address(f"{begins}/live/a%20b.ts", config) == ("93.184.216.34", 443)
    assert allowed_source(f"{begins}/live/match.m3u8", config) == f"{begins}/live/match.m3u8"
    climbs = [f"{begins}/live/{up}/x" for up in ("..", "%2e%2e", "%252e%252e", "..%2f", "..%5c")]
    sites = ("http://cdn.example.org", "https://cdn.example.org:444", "https://cdn.example.org.evil.net")
    for address in (*climbs, f"{begins}/livelier/x", *(f"{site}/live/x" for site in sites)):
        with pytest.raises(Refused):
            allowed_source(address, config)


NAMED = ["../outside.ts", "FOLDER/../outside.ts", "file:FOLDER/../outside.ts", "OTHER/0000.ts"]


@pytest.mark.parametrize("named", NAMED)
def test_a_playlist_file_or_a_link_leads_out_of_no_folder(gate, sites, folder, named):
    named = named.replace("FOLDER", str(folder)).replace("OTHER", sites[1].address)
    (folder / "leads.m3u8").write_text(f"{HEAD}#EXTINF:1.0,\n{named}\n{END}")
    (folder / "link.ts").unlink(missing_ok=True)
    (folder / "link.ts").symlink_to(folder.parent / "outside.ts")
    for name in ("leads.m3u8", "link.ts"):
        with pytest.raises(Refused, match="not a file in a folder"):
            frames_of(gate, str(folder / name))
    assert not sites[1].asked


def test_a_session_is_shown_no_picture_that_is_too_large(gate, folder):
    with pytest.raises(InputError, match="more than 10,000,000 pixels"):
        frames_of(gate, str(picture_of(folder / "large.mov", 4_000)))
    assert frames_of(gate, str(picture_of(folder / "small.mov", 3_000))) == 2
