"""Video of strangers: formats that lead to no other file, pictures that fit into memory, and each hop checked."""

from collections.abc import Callable
from pathlib import Path

from av.container import InputContainer

from playahead.io.errors import InputError
from playahead.video.source import is_address, opened, shown

MOST_PIXELS = 10_000_000
"""More than 4096 x 2304."""
_CONTAINERS = "mov,mp4,matroska,webm,mpegts,avi,flv,h264,hevc"
_AND_PLAYLISTS = f"{_CONTAINERS},hls,aac,ac3,eac3,mp3,webvtt"  # those of sound and subtitles: a playlist has them, too
_THROUGH_A_PROXY = "http,https,tls,tcp,crypto,httpproxy"


def opened_clip(source: Path | str) -> InputContainer:
    """An uploaded file.

    Raises:
        InputError: no video, or its pictures are too large.
    """
    return _opened(source, {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"})


def opened_through(source: Path | str, proxy: str, require_file: Callable[[str], str]) -> InputContainer:
    """A file or an address that a session watches, and whatever it leads to.

    Args:
        source: allowed already.
        proxy: address of the HTTP proxy that checks each request: FFmpeg follows redirects and playlists by itself.
        require_file: called with the path of each file, returns the one to open or raises ``InputError``.

    Raises:
        InputError: no video, its pictures are too large, or it leads to what is not allowed.
    """
    if not is_address(source):
        open_file = lambda name, *_: open(require_file(name.removeprefix("file:")), "rb")  # noqa: E731, PTH123, SIM115
        return _opened(source, {"format_whitelist": _AND_PLAYLISTS}, open_file)
    if str(source).startswith("rtsp"):  # over its one connection, so that no packet goes elsewhere
        return _opened(source, {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtsps,tcp,tls,rtp"})
    options = {"format_whitelist": _AND_PLAYLISTS, "protocol_whitelist": _THROUGH_A_PROXY, "http_proxy": proxy}
    return _opened(source, options)


def _opened(
    source: Path | str, options: dict[str, str], open_file: Callable[..., object] | None = None
) -> InputContainer:
    most = {"max_pixels": str(MOST_PIXELS)}
    container = opened(source, {**options, **most}, open_file)
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = most
    sizes = [stream.width * stream.height for stream in container.streams.video]
    if sizes and not 0 < max(sizes) <= MOST_PIXELS:  # FFmpeg forgets a size that it refuses
        container.close()
        raise InputError(shown(source), f"its pictures have no size, or more than {MOST_PIXELS:,} pixels")
    return container
