"""opensportslib's inference server: send a video, wait for the job, fetch its predictions."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote, urlsplit

from playahead.io.errors import InputError
from playahead.io.files import write_whole
from playahead.io.progress import Progress, Show

_TIMEOUT_S, _POLL_S, _TRIES = 60, 1.0, 5
_CHUNK_BYTES, _MOST_BYTES = 1 << 20, 64 << 20


def spot_by_server(address: str, model: str, video: Path, out: Path, show: Show) -> None:
    """Write the predictions of a server's model as OSL JSON.

    Args:
        address: http or https, host and port.
        model: a model that the server has registered.
        video: a file, which is uploaded.
        out: file to write.
        show: progress of the upload, then of the job.

    Raises:
        InputError: no such server, or it refuses or fails.
    """
    where = f"opensportslib at {address}"
    sending = f"sending {video.name}"
    size = video.stat().st_size
    fields = {"task_type": "localization", "model_id": model, "task_options": "{}"}
    boundary = token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in video.name)
    head += f'--{boundary}\r\nContent-Disposition: form-data; name="upload_file"; filename="{safe}"\r\n'
    first, last = f"{head}Content-Type: video/mp4\r\n\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield first
        sent = 0
        with video.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
                sent += len(chunk)
                show(Progress(sending, sent, size, "bytes"))
        yield last

    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(first) + size + len(last)),
    }
    job = _request(address, where, "POST", "/predict", body(), headers)
    job_id = quote(str(job.get("job_id") or ""), safe="")
    if not job_id:
        raise InputError(where, "accepted the video, but named no job")
    started = time.monotonic()
    while (state := (status := _request(address, where, "GET", f"/jobs/{job_id}")).get("status")) != "succeeded":
        if state not in ("queued", "started", "running", "scheduled", "deferred"):
            raise InputError(where, f"the job is {state}: {status.get('error', 'no reason is given')}")
        show(
            Progress(f"opensportslib: spotting {video.name}", 0, 1, "", f"{state}, {time.monotonic() - started:.0f} s")
        )
        time.sleep(_POLL_S)
    result = _request(address, where, "GET", f"/jobs/{job_id}/result").get("result")
    if not isinstance(result, dict) or not isinstance(result.get("predictions"), dict):
        raise InputError(where, "the job's result holds no predictions")
    write_whole(out, json.dumps(result["predictions"]))


def _request(
    address: str, where: str, method: str, path: str, body: Iterator[bytes] | None = None, headers: dict | None = None
) -> dict:
    parts = urlsplit(address)
    try:
        port, known = parts.port, parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # a port that is no number
        port, known = None, False
    if not known:
        fix = "opensportslib:http://HOST:8000"
        raise InputError("SpotterConfig.spotter", f"{address} is no address of a server", fix)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    tries = _TRIES if body is None else 1  # a video is sent once
    while True:
        tries -= 1
        connection = kind(str(parts.hostname), port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, headers or {})
            response = connection.getresponse()
            answer = json.loads(response.read(_MOST_BYTES))
        except (OSError, HTTPException) as reason:
            if not tries:
                raise InputError(where, f"no answer ({reason})", "is it running?") from None
            time.sleep(_POLL_S)
            continue
        except ValueError:
            raise InputError(where, f"{method} {path}: the answer is no JSON") from None
        finally:
            connection.close()
        if response.status >= 400 or not isinstance(answer, dict):
            detail = answer.get("detail", "") if isinstance(answer, dict) else ""
            raise InputError(where, f"{method} {path}: {response.status} {detail}".strip())
        return answer
