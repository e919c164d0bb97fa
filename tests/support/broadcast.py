"""A live HLS broadcast on loopback that a test can cut, break and restart."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np

SEGMENT_S = 1


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Broadcast:
    """Publishes segments of a second, one after the other.

    Args:
        folder: that is served.
        frames: to encode, (H, W) gray.
        speed: seconds of video a second.
    """

    def __init__(self, folder: Path, frames: list[np.ndarray], speed: float = 2.0) -> None:
        self.folder, self.frames, self.speed = folder, frames, speed
        self.entries: list[str] = []
        self._stopped = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    def segments(self, first: int, last: int, at_s: int | None = None) -> None:
        """Publish seconds first to last, their clock beginning at ``at_s`` (as a discontinuity) or going on."""
        for second in range(first, last):
            name = f"{len(self.entries):04}.ts"
            discontinuity = at_s is not None and second == first
            self._encode(name, second, second if at_s is None else at_s + second - first)
            self.entries.append(
                ("#EXT-X-DISCONTINUITY\n" if discontinuity else "") + f"#EXTINF:{SEGMENT_S}.0,\n{name}\n"
            )
            self._publish(ended=False)
            if self._stopped.wait(SEGMENT_S / self.speed):
                return

    def end(self) -> None:
        """Say that nothing more comes."""
        self._publish(ended=True)

    def _encode(self, name: str, second: int, clock_s: int) -> None:
        shown = self.frames[25 * second : 25 * second + 25]
        with av.open(str(self.folder / f"part-{name}"), "w", format="mpegts") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0", "g": "25"})
            height, width = shown[0].shape
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for index, gray in enumerate(shown):
                frame = av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, 2), format="rgb24")
                frame.pts, frame.time_base = clock_s * 25 + index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        (self.folder / f"part-{name}").rename(self.folder / name)

    def _publish(self, ended: bool) -> None:
        head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{SEGMENT_S}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        text = head + "".join(self.entries) + ("#EXT-X-ENDLIST\n" if ended else "")
        (self.folder / "part.m3u8").write_text(text)
        (self.folder / "part.m3u8").rename(self.folder / "live.m3u8")

    def up(self) -> None:
        """Serve, on the same port as before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), partial(_Quiet, directory=str(self.folder)))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def address(self) -> str:
        """Of the playlist."""
        return f"http://127.0.0.1:{self.port}/live.m3u8"


@contextmanager
def broadcast(folder: Path, frames: list[np.ndarray], speed: float = 2.0) -> Iterator[Broadcast]:
    """A broadcast that is up, until the end of the block."""
    made = Broadcast(folder, frames, speed)
    made.up()
    try:
        yield made
    finally:
        made._stopped.set()
        made.down()
        time.sleep(0.05)
