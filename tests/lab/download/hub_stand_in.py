"""A stand-in for the Hugging Face hub on 127.0.0.1, and small zips for it to serve."""

import hashlib
import io
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pyzipper
from huggingface_hub import close_session

PASSWORD = "s0ccer-näme"
TOKEN = "hf_standin"
COMMIT = "c0ffee" * 6 + "c0ff"
_RESOLVE = re.compile(r"^/datasets/SoccerNet/ActionAnticipation/resolve/(main|" + COMMIT + r")/(.+)$")


@dataclass(frozen=True)
class Request:
    """What the stand-in was asked: ``first`` is where the range asked for starts, None where none was."""

    method: str
    name: str
    first: int | None
    authorization: str | None


@dataclass
class StandIn:
    """Files by their path in the repository, and how badly they are served."""

    files: dict[str, bytes]
    etags: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    status: int = 200
    drops: int = 0
    """So many answers of over ``drop_after`` bytes break off there."""
    drop_after: int = 0
    cdn: "StandIn | None" = None
    """Where GETs are redirected to, as the hub does for large files."""
    address: str = ""
    requests: list[Request] = field(default_factory=list)
    served_bytes: int = 0

    def etag(self, name: str) -> str:
        return self.etags.get(name) or hashlib.sha256(self.files[name]).hexdigest()

    def gets(self, name: str) -> list[Request]:
        return [request for request in self.requests if request.method == "GET" and request.name == name]


@contextmanager
def calm_client() -> Iterator[None]:
    """huggingface_hub with a made-up token, no proxy, and no calls of its own to the real hub."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        patch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")  # for child processes
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        patch.setenv("HF_TOKEN", TOKEN)
        close_session()
        yield
        close_session()


@contextmanager
def serving(hub: StandIn) -> Iterator[StandIn]:
    """Run a stand-in on a free port, for a client that has no other hub to talk to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with calm_client():
            yield hub
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        found = _RESOLVE.match(self.path)
        name = found[2] if found else self.path
        asked = re.match(r"bytes=(\d+)-(\d+)$", self.headers.get("Range", ""))
        first = int(asked[1]) if asked else None
        self.hub.requests.append(Request(self.command, name, first, self.headers.get("Authorization")))
        if self.hub.status != 200 or name not in self.hub.files:
            return self._refuse(self.hub.status if self.hub.status != 200 else 404)
        body = self.hub.files[name]
        headers = {"ETag": f'"{self.hub.etag(name)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if self.hub.cdn:
            headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(body)), "Content-Length": "0"}
            return self._send(302, headers | {"Location": self.hub.cdn.address + self.path}, b"")
        if asked and self.hub.ranges:
            body = body[int(asked[1]) : int(asked[2]) + 1]
            headers["Content-Range"] = f"bytes {first}-{int(asked[1]) + len(body) - 1}/{len(self.hub.files[name])}"
            return self._send(206, headers | {"Content-Length": str(len(body))}, body)
        return self._send(200, headers | {"Content-Length": str(len(body))}, body)

    def _refuse(self, status: int) -> None:
        code = {401: "GatedRepo", 403: "GatedRepo", 404: "EntryNotFound"}.get(status, "")
        self._send(status, {"X-Error-Code": code, "Content-Length": "0"}, b"")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        breaks_off = self.hub.drops > 0 and len(body) > self.hub.drop_after
        if breaks_off:
            self.hub.drops -= 1
            body, self.close_connection = body[: self.hub.drop_after], True
        try:
            for start in range(0, len(body), 16384):
                self.hub.served_bytes += len(body[start : start + 16384])
                self.wfile.write(body[start : start + 16384])
        except OSError:  # the other side has read enough
            self.close_connection = True


def zipped(
    files: dict[str, bytes],
    password: str | None = PASSWORD,
    compression: int = pyzipper.ZIP_DEFLATED,
    aes_version: int | None = None,
) -> bytes:
    """A zip, encrypted unless ``password`` is None; ``aes_version`` 1 keeps the CRC-32 in it, 2 (usual) does not."""
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=compression) as archive:
        if password is not None:
            archive.setpassword(password.encode())
            archive.setencryption(pyzipper.WZ_AES, force_wz_aes_version=aes_version)
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def split_files(split: str, n_clips: int = 3, clip_bytes: int = 100_000, seed: int = 0) -> dict[str, bytes]:
    """The files of a split as the dataset's zips hold them; videos are random bytes."""
    source = random.Random(f"{split} {seed}")
    videos = [
        {"path": f"clip_{n}/224p.mp4", "annotations": {"observation": [], "anticipation": []}}
        for n in range(1, n_clips + 1)
    ]
    clips = {f"{split}/{video['path']}": source.randbytes(clip_bytes) for video in videos}
    return clips | {f"{split}/Labels-ball.json": json.dumps({"videos": videos}).encode()}
