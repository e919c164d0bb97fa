"""The process that decodes an uploaded clip.

``python -m playahead.live.server.decode CLIP LONGEST_S WIDTH HEIGHT LUMA``

It writes gray frames of the clip's last 30 s to standard output, one after the other. An error in the clip goes to
standard error, with exit code 1. A stranger's file that breaks the decoder breaks this process, which has little memory
and can be ended.
"""

import sys
import warnings
from pathlib import Path

from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.io.errors import InputError
from playahead.live.server.sources import opened_clip
from playahead.video.input_size import InputSize
from playahead.video.reader import VideoDecoder, probe

_MOST_BYTES = 1536 * 1024 * 1024
_MOST_CPU_S = 120


def main(clip: str, longest_s: str, width: str, height: str, luma: str) -> None:
    """Decode one clip."""
    limit_this_process()
    path, size = Path(clip), InputSize(int(width), int(height), luma)  # type: ignore[bad-argument-type]
    lasts_s = probe(path, open_source=opened_clip).duration_s
    if lasts_s is None or not 0 < lasts_s <= float(longest_s):
        length = "has no length" if lasts_s is None else f"lasts {lasts_s:.0f} s"
        raise InputError("clip", f"{length}, the limit is {float(longest_s):g} s")
    windows = min(int(lasts_s * 1000), OBSERVATION_MS) // GRID.window_ms
    if not windows:
        raise InputError("clip", f"{lasts_s:.1f} s are too few, {GRID.window_ms // 1000} s are needed")
    # The header's length is only a claim: nothing after it is read.
    start_s = max(0.0, lasts_s - windows * GRID.window_ms / 1000)
    decoder = VideoDecoder(path, size.draw, start_s, lasts_s, None, open_source=opened_clip)
    for _, gray_HW in decoder.frames():
        sys.stdout.buffer.write(gray_HW.tobytes())


def limit_this_process() -> None:
    """Limit memory and processor time, if the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        main(*sys.argv[1:])
        sys.stdout.flush()
    except InputError as reason:
        sys.exit(reason.what)
    except MemoryError:
        sys.exit("needs too much memory")
