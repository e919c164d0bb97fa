"""A stand-in for the Hugging Face hub on 127.0.0.1, and small zips for it to serve."""

import io
import json
import random
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pyzipper
from huggingface_hub import close_session

PASSWORD = "s0ccer-näme"
TOKEN = "hf_standin"
COMMIT = "c0ffee" * 6 + "c0ff"
_REPO = "SoccerNet/ActionAnticipation"
_RESOLVE = re.compile(rf"^/datasets/{_REPO}/resolve/main/(.+)$")
_MODEL = re.compile(r"^/(?:api/models/)?(?P<name>[\w.-]+/[\w.-]+)/resolve/main/(?P<file>.+)$")
_TREE = re.compile(rf"^/api/datasets/{_REPO}/tree/main/([^?]+)")


@dataclass(frozen=True)
class Request:
    """A request that the stand-in received; ``first`` is the start of its range."""

    name: str
    first: int
    authorization: str | None


@dataclass
class StandIn:
    """Files by their path in the repository, and how badly they are served.

    Attributes:
        status: of every answer about a file, if not 200.
        drops: number of answers that break off half-way.
        skips: number of answers before the first drop.
        models: files of repositories of models, by name.
        cdn: where requests for files are redirected to, as the hub does for large files.
    """

    files: dict[str, bytes]
    status: int = 200
    drops: int = 0
    skips: int = 0
    cdn: "StandIn | None" = None
    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    address: str = ""
    requests: list[Request] = field(default_factory=list)
    served_bytes: int = 0


@contextmanager
def calm_client(address: str) -> Iterator[None]:
    """huggingface_hub at an address, with a made-up token, no proxy, and no calls of its own to the real hub."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        patch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")  # for child processes
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        patch.setenv("HF_TOKEN", TOKEN)
        patch.setenv("HF_ENDPOINT", address)
        patch.setattr("huggingface_hub.constants.ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
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
        with calm_client(hub.address):
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
        """What a client asks before it fetches a model's file."""
        if self.hub.status != 200 or not (file := _MODEL.match(self.path)) or file["name"] not in self.hub.models:
            return self._send(404, {"X-Error-Code": "RepoNotFound"}, b"")
        if file["file"] not in self.hub.models[file["name"]]:
            return self._send(404, {"X-Error-Code": "EntryNotFound"}, b"")
        body = self.hub.models[file["name"]][file["file"]]
        self.send_response(200)
        for name, value in {"ETag": f'"{zlib.crc32(body)}"', "X-Repo-Commit": COMMIT}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return None

    def do_GET(self) -> None:
        if (file := _MODEL.match(self.path)) and file["name"] in self.hub.models:
            return self._send(200, {}, self.hub.models[file["name"]][file["file"]])
        hub, tree, file = self.hub, _TREE.match(self.path), _RESOLVE.match(self.path)
        if self.path == f"/api/datasets/{_REPO}":
            return self._json({"id": _REPO, "sha": COMMIT})
        if tree:
            listed = [(name, len(body)) for name, body in hub.files.items() if name.startswith(tree[1] + "/")]
            if not listed:
                return self._send(404, {"X-Error-Code": "EntryNotFound"}, b"")
            return self._json([{"type": "file", "oid": COMMIT, "size": size, "path": name} for name, size in listed])
        name = file[1] if file else self.path
        first, last = (int(end) for end in re.findall(r"\d+", self.headers.get("Range", "bytes=0-0")))
        hub.requests.append(Request(name, first, self.headers.get("Authorization")))
        if hub.status != 200 or name not in hub.files:
            refusal = {401: "GatedRepo", 403: "GatedRepo", 404: "EntryNotFound"}.get(hub.status, "")
            return self._send(hub.status if hub.status != 200 else 404, {"X-Error-Code": refusal}, b"")
        if hub.cdn:
            return self._send(302, {"Location": hub.cdn.address + self.path}, b"")
        body = hub.files[name][first : last + 1]
        hub.served_bytes += len(body)
        content_range = f"bytes {first}-{first + len(body) - 1}/{len(hub.files[name])}"
        return self._send(206, {"Content-Range": content_range}, body)

    def _json(self, content: object) -> None:
        self._send(200, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if status == 206 and self.hub.skips > 0:
            self.hub.skips -= 1
        elif status == 206 and self.hub.drops > 0:
            self.hub.drops -= 1
            body, self.close_connection = body[: len(body) // 2], True
        with suppress(OSError):  # the other side may have read enough
            self.wfile.write(body)


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
