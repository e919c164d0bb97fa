"""OSL JSON 2.0 as training data: videos, the actions in them, and which classes its annotators looked for."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from playahead.domain.actions import ACTIONS, Action, parse_action
from playahead.domain.records import ActionEvent, in_time_order
from playahead.io.errors import InputError, RecordError
from playahead.io.files import write_whole
from playahead.sources.reading import as_list, as_object, field, list_in, read_json, time_ms
from playahead.sources.soccernet import is_visible, side_of


@dataclass(frozen=True)
class OslVideo:
    """One item of the file.

    Attributes:
        id: the item's id.
        video: path of its video, relative to the file.
        path: path of its video, to open it.
        events: actions of the ten classes, ms from the video's start.
        classes: indices of the classes that the file's schema lists; of the others, nobody has looked for any.
        dropped: labels outside the ten classes, counted.
    """

    id: str
    video: PurePosixPath
    path: Path
    events: tuple[ActionEvent, ...]
    classes: tuple[int, ...]
    dropped: Counter[str]


def read_osl_videos(path: Path) -> list[OslVideo]:
    """Items of ``{"labels": {head: {"labels": [...]}}, "data": [{"id", "inputs", "events"}]}``.

    Raises:
        InputError: file, item, event and reason.
    """
    root = as_object(read_json(path), str(path))
    classes = _annotated(root, path)
    places = [(raw, f"{path}: data {i}") for i, raw in enumerate(list_in(root, "data", str(path)))]
    found = [_item(as_object(raw, where), where, path, classes) for raw, where in places]
    for name, values in (("id", [item.id for item in found]), ("video", [item.video for item in found])):
        if twice := next((value for value, times in Counter(values).items() if times > 1), None):
            raise InputError(path, f"{name} {str(twice)!r} is listed twice")
    if not found:
        raise InputError(path, "lists no videos")
    return found


def write_osl_videos(
    path: Path, videos: Mapping[PurePosixPath, Sequence[ActionEvent]], classes: Sequence[Action] = ACTIONS
) -> None:
    """Write what ``read_osl_videos`` reads: actions of these classes in each video; the others are left out."""
    items = [
        {
            "id": video.stem,
            "inputs": [{"type": "video", "path": str(video), "fps": 25.0}],
            "events": [
                {"head": "action", "label": str(e.action), "position_ms": e.position_ms, "team": e.side}
                for e in events
                if e.action in classes
            ],
        }
        for video, events in videos.items()
    ]
    schema = {"action": {"type": "single_label", "labels": [str(action) for action in classes]}}
    root = {"version": "2.0", "task": "action_spotting", "modalities": ["video"], "labels": schema, "data": items}
    write_whole(path, json.dumps(root, indent=1))


def _annotated(root: dict[str, object], path: Path) -> tuple[int, ...]:
    """Classes that the schema of any head lists."""
    heads = as_object(field(root, "labels", str(path)), f"{path}: labels")
    known: set[Action] = set()
    for head, schema in heads.items():
        where = f"{path}: labels of {head!r}"
        listed = as_list(field(as_object(schema, where), "labels", where), where)
        known |= {action for label in listed if (action := _action(label)) is not None}
    if not known:
        raise InputError(path, "annotates none of the ten classes", f"known: {', '.join(ACTIONS)}")
    return tuple(sorted(action.class_index for action in known))


def _action(label: object) -> Action | None:
    try:
        return parse_action(str(label))
    except RecordError:
        return None


def _item(entry: dict[str, object], where: str, path: Path, classes: tuple[int, ...]) -> OslVideo:
    events, dropped = [], Counter[str]()
    for index, raw in enumerate(as_list(entry.get("events", []), f"{where}: events")):
        at = f"{where}, event {index}"
        event = as_object(raw, at)
        action = _action(field(event, "label", at))
        if action is None or action.class_index not in classes:
            dropped[str(event["label"])[:40]] += 1
            continue
        position_ms = time_ms(field(event, "position_ms", at), "position_ms", at)
        try:
            events.append(ActionEvent(position_ms, action, side_of(event), is_visible(event)))
        except RecordError as reason:
            raise InputError(at, reason) from None
    video = _video(entry, where)
    return OslVideo(
        str(entry.get("id", video.stem)), video, path.parent / video, in_time_order(events), classes, dropped
    )


def _video(entry: dict[str, object], where: str) -> PurePosixPath:
    """The one input that is a video; it lies beside the file or below."""
    inputs = [as_object(raw, f"{where}: input {i}") for i, raw in enumerate(list_in(entry, "inputs", where))]
    videos = [source for source in inputs if source.get("type") == "video"]
    if len(videos) != 1:
        raise InputError(where, f"has {len(videos)} videos among its inputs instead of one")
    written = field(videos[0], "path", where)
    video = PurePosixPath(written) if isinstance(written, str) else PurePosixPath()
    if not video.name or video.is_absolute() or ".." in video.parts or "\\" in str(written) or "\0" in str(written):
        raise InputError(where, f"path {written!r} is not that of a file beside this one, as train/videos/1.mp4")
    return video
