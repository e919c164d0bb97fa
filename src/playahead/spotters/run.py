"""A video through a spotter: run it as a process, read what it writes, and write OSL JSON that says when it was known.

A spotter sees some seconds of video after an action before it reports it. So every row of the file carries that delay
(``late_ms``), and no answer rests on a row that could not have been there yet.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playahead.domain.feed import LONGEST_DELAY_MS
from playahead.domain.notices import Notices
from playahead.domain.time import format_clock, parse_game_time
from playahead.io.errors import InputError, RecordError
from playahead.io.files import lock_folder, require_file, require_replaceable, write_whole
from playahead.io.progress import Progress, Show, quiet
from playahead.sources.reading import as_list, as_object, number, read_json
from playahead.spotters.adapters import (
    LEAST_CONFIDENCE,
    SOCCERNET_MATCHES,
    SPOTTERS,
    Spotter,
    SpotterConfig,
    find_spotter,
)
from playahead.spotters.server import spot_by_server

_LAST_LINES = 6
_LONGEST_MS = 86_400_000
_DIGESTED_BYTES = 1 << 20
_PERCENT = re.compile(rb"(\d{1,3})%")


@dataclass(frozen=True)
class Spotted:
    """Actions that a spotter found.

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
    weights = config.spotter_weights or spotter.weights
    if Path(weights).exists() and not config.server and weights:
        weights = str(Path(weights).absolute())  # the spotter may run in another folder
    config = replace(config, spotter_home=home, spotter_weights=weights)
    window_s = config.spotter_window if config.spotter_window is not None else spotter.window_s or 0.0
    made_by = _identity(spotter, config, video)
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
    path = str(video.resolve()).lower()
    if spotter.name in SPOTTERS and any(all(team in path for team in teams) for teams in SOCCERNET_MATCHES):
        notices.add("this may be a match that the spotter was trained on: its rows are better than on any other")
    late_ms = min(round(1000 * window_s), LONGEST_DELAY_MS)
    _write(out, video, made_by, [event | {"late_ms": late_ms} for event in events])
    return Spotted(out, Counter(str(event["label"]) for event in events), window_s, notices.lines)


def _identity(spotter: Spotter, config: SpotterConfig, video: Path) -> dict[str, object]:
    """What a file of rows was made from: the whole command, and the video's size, beginning and end."""
    command = [*spotter.argv(config, Path("VIDEO"), Path("OUT")), str(config.spotter_home), config.server]
    size = video.stat().st_size
    with video.open("rb") as file:
        parts = file.read(_DIGESTED_BYTES)
        file.seek(max(0, size - _DIGESTED_BYTES))
        parts += file.read()
    return {
        "spotter": spotter.name,
        "weights": config.spotter_weights,
        "command_sha256": hashlib.sha256(json.dumps(command).encode()).hexdigest(),
        "video_bytes": size,
        "video_ends_sha256": hashlib.sha256(parts).hexdigest(),
    }


def _run(spotter: Spotter, config: SpotterConfig, video: Path, out: Path, show: Show) -> Path:
    """Run the program, with its last line beside the progress; its file."""
    argv = spotter.argv(config, video.resolve(), out)
    if spotter.needs_python:
        argv = [str((config.spotter_python or Path()).absolute()), *argv]
    home = config.spotter_home if spotter.needs_home else None
    written = spotter.written(config, out)
    task, last, started = f"{spotter.name}: spotting {video.name}", deque[bytes](maxlen=_LAST_LINES), time.monotonic()
    with lock_folder(home, "playahead") if home is not None else nullcontext():
        with suppress(FileNotFoundError):
            written.unlink()  # what an earlier run left must not be taken for this one's
        with _process(argv, home, spotter.name) as process:
            # Another thread reads what it prints (tqdm ends lines by a carriage return); here it is shown.
            reader = threading.Thread(target=_keep_lines, args=(process, last), daemon=True)
            reader.start()
            while process.poll() is None:
                line = last[-1] if last else b""
                percent = _PERCENT.search(line)
                note = f"{format_clock(round(1000 * (time.monotonic() - started)))} {_text(line)[:60]}"
                show(Progress(task, int(percent[1]) if percent else 0, 100, "%", note))
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
        reader.join(5)
        said = " | ".join(filter(None, map(_text, last))) or "it printed nothing"
        if code := process.returncode:
            how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
            raise InputError(spotter.name, f"{how}: {said}")
        if not written.is_file():
            raise InputError(spotter.name, f"ended without writing {written.name}: {said}")
        if written != out:
            out.write_bytes(written.read_bytes())
    return out


@contextmanager
def _process(argv: list[str], folder: Path | None, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process; it and its children end with the block, also when this process is told to end."""
    piped = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with _interrupted_by_signals():
        try:
            process = subprocess.Popen(argv, cwd=folder, start_new_session=True, **piped)  # type: ignore[no-matching-overload]
        except (OSError, ValueError) as reason:
            raise InputError(name, f"cannot be started: {reason}") from None
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does; one that is ignored (``nohup``) stays ignored."""
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    heard = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, interrupt) for one in heard}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


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
    if spotter.apart_ms:
        events = _surest(events, spotter.apart_ms)
    return [event for _, event in sorted(events, key=lambda timed: timed[0])]


def _surest(events: list[tuple[int, dict[str, object]]], apart_ms: int) -> list[tuple[int, dict[str, object]]]:
    """Of rows of one class that are close together, the one of highest confidence; none below ``LEAST_CONFIDENCE``."""
    kept: dict[object, list[int]] = {}
    found = []
    for position_ms, event in sorted(events, key=lambda timed: -_confidence(timed[1])):
        if _confidence(event) < LEAST_CONFIDENCE:
            break
        of_class = kept.setdefault(event["label"], [])
        if all(abs(position_ms - other_ms) >= apart_ms for other_ms in of_class):
            of_class.append(position_ms)
            found.append((position_ms, event))
    return found


def _confidence(event: Mapping[str, object]) -> float:
    given = event.get("confidence", event.get("score"))
    return 1.0 if given is None else number(given)


def _only_frame(entry: Mapping[str, object]) -> bool:
    return "frame" in entry and not any(name in entry for name in ("position_ms", "position", "gameTime"))


def _position_ms(entry: Mapping[str, object], fps: float, where: str) -> int:
    half, half_ms = _game_time(entry.get("gameTime"))
    if half is not None and half != 1:
        raise InputError(where, f"is of half {half}", "run the spotter on one video, with times from its beginning")
    if _only_frame(entry):
        given = entry["frame"]
        position_ms = number(given) * 1000 / fps
    elif (given := entry.get("position_ms", entry.get("position"))) not in (None, ""):
        position_ms = number(given)
    elif half is None:
        raise InputError(where, "has no position, frame or gameTime")
    else:
        given = position_ms = half_ms
    if not 0 <= position_ms < _LONGEST_MS:
        raise InputError(where, f"{str(given)[:40]!r} is no time in a video")
    return round(position_ms)


def _game_time(given: object) -> tuple[int | None, int]:
    try:
        return parse_game_time(str(given))
    except RecordError:
        return None, 0


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
