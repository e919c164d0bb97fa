"""Uploads that would take a decoder's time or memory: bounded, and in processes that end with the server."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.live.server import clips
from playahead.live.server.app import build_app
from playahead.live.server.config import ServeConfig
from tests.support.odd_clips import HEIGHT, WIDTH, picture_of, sparse_video, with_length

LOCAL = "http://127.0.0.1"
VIDEO = {"content-type": "video/mp4"}
WEIGH = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print("used", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
"""  # a process that is forked from a large one counts that one's memory as its own


def decoded(clip: Path, longest_s: float = 120.0) -> tuple[int, str, int, int]:
    """(frames, what is said, exit status, largest memory in MiB) of the process that decodes a clip."""
    words = [sys.executable, "-m", "playahead.live.server.decode", clip, longest_s, WIDTH, HEIGHT, "limited"]
    done = subprocess.run([sys.executable, "-c", WEIGH, *map(str, words)], capture_output=True)
    said, _, used_mib = done.stderr.decode().rpartition("used ")
    return len(done.stdout) // (WIDTH * HEIGHT), said.strip(), done.returncode, int(used_mib)


def test_no_more_frames_are_made_than_the_header_says(tmp_path):
    """Pictures 29 s apart, 10 minutes in all: what the header claims is read, and of that the last 30 s."""
    clip = with_length(sparse_video(tmp_path / "sparse.mkv", 580, apart_s=29.0), 60)
    assert decoded(clip)[:3] == (OBSERVATION_MS * GRID.fps // 1000, "", 0)
    assert decoded(with_length(clip, 580))[1:3] == ("lasts 580 s, the limit is 120 s", 1)
    assert decoded(with_length(clip, 4))[1:3] == ("4.0 s are too few, 5 s are needed", 1)
    assert decoded(sparse_video(tmp_path / "short.mkv", 12))[:3] == (10 * GRID.fps, "", 0)


def test_a_large_picture_is_refused_before_it_is_decoded(tmp_path):
    clip = picture_of(tmp_path / "large.mov", 16_000)
    assert clip.stat().st_size < 4_000_000
    frames, said, status, used_mib = decoded(clip)
    assert (frames, status, "more than 10,000,000 pixels" in said) == (0, 1, True)
    assert used_mib < 200, "a picture has 256 MB"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other ways")
def test_the_process_that_decodes_has_little_memory():
    code = "from playahead.live.server.decode import limit_this_process; limit_this_process(); bytearray(2 << 30)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MemoryError" in done.stderr


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A server whose decoders do nothing for a minute."""
    stuck = tmp_path / "stuck"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o700)
    monkeypatch.setattr(clips.sys, "executable", str(stuck))
    with TestClient(build_app(ServeConfig(device="cpu")), LOCAL) as found:
        yield found
        found.app.state.close()


def test_a_decoder_that_takes_too_long_is_ended(client, monkeypatch):
    monkeypatch.setattr(clips, "_DECODING_S", 0.1)
    answer = client.post("/v1/anticipate", content=b"x", headers=VIDEO)
    assert (answer.status_code, answer.json()["detail"][:21]) == (422, "clip: takes too long,")


def test_few_clips_are_read_at_once_and_end_with_the_server(client):
    with ThreadPoolExecutor(5) as pool:
        posts = [pool.submit(client.post, "/v1/anticipate", content=b"x", headers=VIDEO) for _ in range(5)]
        answers = as_completed(posts)
        first = next(answers).result()
        assert (first.status_code, first.headers["retry-after"]) == (429, "5")
        assert client.get("/metrics").status_code == 200
        started_s = time.monotonic()
        client.app.state.close()
        assert [answer.result().status_code for answer in answers] == [503] * 4
    assert time.monotonic() - started_s < 30, "they sleep for 60"
