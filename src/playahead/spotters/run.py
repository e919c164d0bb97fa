"""A video through a spotter: run it as a process, read what it writes, and write OSL JSON that says when it was known.

A spotter sees some seconds of video after an action before it reports it. So every row of the file carries that delay
(``late_ms``), and no answer rests on a row that could not have been there yet.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from playahead.domain.feed import LONGEST_DELAY_MS
from playahead.domain.notices import Notices
from playahead.domain.time import format_clock, parse_game_time
from playahead.io.errors import InputError, RecordError
from playahead.io.files import require_file, require_replaceable, write_whole
from playahead.io.progress import Progress, Show, quiet
from playahead.sources.reading import as_list, as_object, number, read_json
from playahead.spotters.adapters import SOCCERNET_MATCHES, Spotter, SpotterConfig, find_spotter
from playahead.spotters.server import spot_by_server

_LAST_LINES = 6
_LONGEST_MS = 86_400_000
_PERCENT = re.compile(rb"(\d{1,3})%")


@dataclass(frozen=True)
class Spotted:
    """What a spotter found.

    Attributes:
        path: OSL JSON file, which ``predict`` reads like any feed.
        labels: number of actions by label.
        window_s: seconds after an action from which on its row counts.
        notices: facts about the spotter that a reader should know.
    """

    path: Path
    labels: Mapping[str, int]
    window_s: float
    notices: list[str]


def spot(video: Path, config: SpotterConfig, out: Path, show: Show = quiet) -> Spotted:
    """Run a spotter over a video; a file that it wrote of the same video before is used again.

    Args:
        video: a file.
        config: the spotter, and where it is.
        out: OSL JSON file to write.
        show: progress; called with what the spotter prints.

    Raises:
        InputError: the spotter is not there, fails, or writes what cannot be read; the file is another one's.
    """
    require_file(video)
    spotter = find_spotter(config)
    home = config.spotter_home.absolute() if config.spotter_home is not None else None
    config = replace(config, spotter_home=home, spotter_weights=config.spotter_weights or spotter.weights)
    window_s = spotter.window_s if config.spotter_window is None else config.spotter_window
    made_by = {"spotter": spotter.name, "weights": config.spotter_weights, "video_bytes": video.stat().st_size}
    notices = Notices()
    if out.exists():
        events = _events_of(out, made_by)
        notices.add(f"{out} holds what {spotter.name} found in this video: it was not run again")
    else:
        require_replaceable(out)
        with TemporaryDirectory(prefix="playahead-") as folder:
            written = Path(folder) / "spotted.json"
            if config.server:
                spot_by_server(config.server, config.spotter_weights, video, written, show)
            else:
                written = _run(spotter, config, video, written, show)
            events = _read(written, spotter, video, notices)
    if spotter.published:
        notices.add(f"{spotter.name}: {spotter.published}")
    if window_s:
        notices.add(f"a row counts {window_s:g} s after its action: so much of the video after it the spotter may see")
    else:
        notices.add(
            "rows count at once: if the spotter sees frames after an action, answers know a little of the future"
        )
    if any(all(team in str(video.resolve()).lower() for team in teams) for teams in SOCCERNET_MATCHES):
        notices.add("this may be a match that the spotter was trained on: its rows are better than on any other")
    late_ms = min(round(1000 * window_s), LONGEST_DELAY_MS)
    _write(out, video, made_by, [event | {"late_ms": late_ms} for event in events])
    return Spotted(out, Counter(str(event["label"]) for event in events), window_s, notices.lines)


def _run(spotter: Spotter, config: SpotterConfig, video: Path, out: Path, show: Show) -> Path:
    """Run the program, with its last line beside the progress; its file."""
    argv = spotter.argv(config, video.resolve(), out)
    if config.spotter_python is not None and spotter.install:
        argv = [str(config.spotter_python.absolute()), *argv]
    started, task = time.time(), f"{spotter.name}: spotting {video.name}"
    last: deque[bytes] = deque(maxlen=_LAST_LINES)
    with _process(argv, config.spotter_home if spotter.needs_home else None, spotter.name) as process:
        # Another thread reads what it prints (tqdm ends lines by a carriage return); this one shows that it goes on.
        reader = Thread(target=_keep_lines, args=(process, last), daemon=True)
        reader.start()
        while process.poll() is None:
            line = last[-1] if last else b""
            percent = _PERCENT.search(line)
            note = f"{format_clock(round(1000 * (time.time() - started)))} {_text(line)[:60]}"
            show(Progress(task, int(percent[1]) if percent else 0, 100, "%", note))
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        reader.join(5)
    said = " | ".join(filter(None, map(_text, last)))
    if process.returncode:
        how = (
            f"ended with {process.returncode}"
            if process.returncode > 0
            else f"was ended by signal {-process.returncode}"
        )
        raise InputError(spotter.name, f"{how}: {said or 'it printed nothing'}")
    written = spotter.written(config, out)
    if not written.is_file() or written.stat().st_mtime < started - 2:
        raise InputError(spotter.name, f"ended without writing {written.name}: {said or 'it printed nothing'}")
    return written


@contextmanager
def _process(argv: list[str], folder: Path | None, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process and its children, which end with the block."""
    piped = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        process = subprocess.Popen(argv, cwd=folder, start_new_session=True, **piped)  # type: ignore[no-matching-overload]
    except (OSError, ValueError) as reason:
        raise InputError(name, f"cannot be started: {reason}") from None
    try:
        yield process
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _keep_lines(process: "subprocess.Popen[bytes]", last: "deque[bytes]") -> None:
    if (pipe := process.stdout) is None:
        return
    with pipe:
        rest = b""
        while chunk := os.read(pipe.fileno(), 4096):
            *lines, rest = re.split(rb"[\r\n]+", (rest + chunk)[-65_536:])
            last.extend(line for line in lines if line.strip())
        if rest.strip():
            last.append(rest)


def _text(line: bytes) -> str:
    return "".join(letter for letter in line.decode("utf-8", "replace").strip() if letter.isprintable())


def _read(written: Path, spotter: Spotter, video: Path, notices: Notices) -> list[dict[str, object]]:
    """The entries of results_spotting.json, T-DEED's results_inference.json or OSL JSON, with times in the video."""
    root = as_object(read_json(written), f"{spotter.name}'s {written.name}")
    if "predictions" in root:
        entries = as_list(root["predictions"], f"{spotter.name}: predictions")
    else:
        data = as_list(root.get("data"), f"{spotter.name}: neither predictions nor data")
        entries = [
            e for item in data for e in as_list(as_object(item, "data").get("events", []), f"{spotter.name}: events")
        ]
    fps = 0.0
    if any(isinstance(entry, dict) and _only_frame(entry) for entry in entries):
        from playahead.video.reader import probe  # only frame numbers need the video library

        fps = probe(video).fps
        if not fps:
            raise InputError(video, "does not say its frame rate, and the spotter's times are frame numbers")
        if spotter.takes_fps and abs(fps - spotter.takes_fps) > 0.1:
            wanted = f"{spotter.takes_fps:g}"
            what = f"{spotter.name} was trained at {wanted} frames/s, this video has {fps:.4g}, so it finds less"
            notices.add(f"{what} (first: ffmpeg -i {video.name} -r {wanted} OUT.mp4)")
    events: list[tuple[int, dict[str, object]]] = []
    for index, item in enumerate(entries):
        where = f"{spotter.name}: entry {index}"
        entry = as_object(item, where)
        position_ms = _position_ms(entry, fps, where)
        event: dict[str, object] = {"head": "action", "label": str(entry.get("label")), "position_ms": position_ms}
        event |= {name: entry[name] for name in ("confidence", "score", "team") if entry.get(name) is not None}
        events.append((position_ms, event))
    return [event for _, event in sorted(events, key=lambda timed: timed[0])]


def _only_frame(entry: Mapping[str, object]) -> bool:
    return "frame" in entry and not any(name in entry for name in ("position_ms", "position", "gameTime"))


def _position_ms(entry: Mapping[str, object], fps: float, where: str) -> int:
    if _only_frame(entry):
        given = entry["frame"]
        position_ms = number(given) * 1000 / fps
    elif (given := entry.get("position_ms", entry.get("position"))) not in (None, ""):
        position_ms = number(given)
    else:
        try:
            position_ms = parse_game_time(str(entry.get("gameTime")))[1]
        except RecordError as reason:
            raise InputError(where, reason) from None
    if not 0 <= position_ms < _LONGEST_MS:
        raise InputError(where, f"{str(given)[:40]!r} is no time in a video")
    return round(position_ms)


def _write(out: Path, video: Path, made_by: Mapping[str, object], events: list[dict[str, object]]) -> None:
    item = {"id": video.stem, "inputs": [{"type": "video", "path": video.name}], "events": events}
    document = {"version": "2.0", "task": "action_spotting", "metadata": made_by, "data": [item]}
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, json.dumps(document, indent=1, allow_nan=False))


def _events_of(out: Path, made_by: Mapping[str, object]) -> list[dict[str, object]]:
    """The events of a file that an earlier run wrote of the same video."""
    root = as_object(read_json(out), str(out))
    if root.get("metadata") != made_by:
        raise InputError(out, "is there already, of another video or spotter", "name another file, or delete it")
    (item,) = as_list(root.get("data"), f"{out}: data")
    return [dict(as_object(event, str(out))) for event in as_list(as_object(item, str(out)).get("events"), str(out))]
