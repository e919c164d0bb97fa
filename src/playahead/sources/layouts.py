"""Labelled videos on disk: splits of clips (anticipation benchmark), whole matches (spotting benchmark), or OSL JSON,
where a split is a file of annotations beside the folder of its videos."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from playahead.domain.actions import ACTIONS, Action, parse_action
from playahead.domain.notices import Notices
from playahead.domain.records import ActionEvent, Clip, in_time_order
from playahead.io.errors import InputError, RecordError
from playahead.io.files import are_few, write_whole
from playahead.sources.reading import as_list, as_object, field, list_in, read_json, time_ms
from playahead.sources.soccernet import LABELS_NAME, is_visible, read_baa_split, read_bas_match, side_of

BLOCK_CLIPS = 60
"""Clips, five minutes of a split, that intervals resample: clips do not say which match they are of."""
SIMULATED_MARKER = "SIMULATED.txt"
"""A file of this name in a dataset's folder says that its matches are simulated."""
_ANNOTATIONS = "annotations_"
_TILING = 6  # 30-s clips that start every 5 s: every sixth covers the video once


@dataclass(frozen=True)
class LabelledVideo:
    """A video and the actions seen in it.

    Attributes:
        name: name for people.
        path: the file.
        events: actions, ms from the video's start.
        match: name of its match; the videos of one match have the same.
        stored: its name in a feature store.
        classes: indices of the classes that its annotators looked for.
    """

    name: str
    path: Path
    events: tuple[ActionEvent, ...]
    match: str = ""
    stored: str = ""
    classes: tuple[int, ...] = tuple(range(len(ACTIONS)))


def find_labelled_videos(folder: Path, notices: Notices | None = None, need_videos: bool = True) -> list[LabelledVideo]:
    """A split of the anticipation benchmark, a folder of matches in the spotting benchmark's layout, or an OSL JSON.

    Args:
        folder: the folder, or the file.
        notices: collector of labels of matches that were not read, and of times that were moved.
        need_videos: False where features of the videos are there instead.

    Raises:
        InputError: none of them is there, or a video is missing.
    """
    notices = notices or Notices()
    if folder.is_file():
        videos = read_osl_videos(folder, notices)
        return _present(videos) if need_videos else videos
    if is_clip_split(folder):
        return _baa_videos(folder)
    matches = sorted(path.parent for path in folder.rglob(LABELS_NAME))
    if not matches:
        raise InputError(folder, f"no {LABELS_NAME} here", "expected a split of clips, or folders of matches")
    named = [(match, match.relative_to(folder).as_posix()) for match in matches]
    return [video for match, name in named for video in _bas_videos(match, name, notices, need_videos)]


def folder_of_split(dataset: Path, split: str) -> Path:
    """A split's folder, or its annotations in OSL JSON; the benchmarks call val "valid"."""
    name = {"val": "valid"}.get(split, split)
    annotations = dataset / f"{_ANNOTATIONS}{name}.json"
    return annotations if annotations.is_file() else dataset / name


def name_of_split(place: Path) -> str:
    """The split of a folder or file: train, valid or test."""
    return place.stem.removeprefix(_ANNOTATIONS) if place.is_file() else place.name


def resampled_unit(folder: Path) -> str:
    """Unit that intervals over a split resample: clips do not say which match they are of."""
    return "five-minute runs of clips" if is_clip_split(folder) else "matches"


def match_numbers(videos: Sequence[LabelledVideo]) -> list[int]:
    """The match of each video, as a number."""
    number_of = {match: number for number, match in enumerate(dict.fromkeys(video.match for video in videos))}
    return [number_of[video.match] for video in videos]


def is_clip_split(folder: Path) -> bool:
    """True if a folder holds a split of clips, and not matches."""
    labelled = (folder / LABELS_NAME).is_file()
    return labelled and any(path.is_dir() and path.name.startswith("clip_") for path in folder.iterdir())


def clip_video(folder: Path, clip: Clip) -> Path:
    """A clip's video: the file that the labels name, else the only one in its folder (of another resolution)."""
    named = folder / clip.video
    if named.is_file():
        return named
    there = [path for path in (folder / clip.name).glob("*.mp4") if not path.name.startswith(".")]
    return there[0] if len(there) == 1 else named


def _baa_videos(folder: Path) -> list[LabelledVideo]:
    """Clips that tile the split; only what is seen in them, never the labels of what follows."""
    clips = read_baa_split(folder).clips
    videos = [
        LabelledVideo(clip.name, clip_video(folder, clip), clip.observation, clip.name, clip.name)
        for clip in clips[::_TILING]
    ]
    present = [video for video in videos if video.path.is_file()]
    return present if are_few(len(videos) - len(present), len(videos)) else _present(videos)


def _bas_videos(match: Path, name: str, notices: Notices, need_videos: bool) -> list[LabelledVideo]:
    """``1_224p.mp4`` and ``2_224p.mp4``, or one file that holds what the labels call the first half.

    Without any video, the halves are called 1 and 2 in a store.
    """
    own = Notices()
    halves = read_bas_match(match / LABELS_NAME, own)
    for what, n in own.counts.items():
        notices.count(what, n)
    for text in own.texts:
        notices.add(f"{name}: {text}")
    videos = sorted(path for path in match.glob("*.mp4") if not path.name.startswith("."))
    if not videos and not need_videos:
        videos = [match / f"{half}.mp4" for half in halves]
    by_half = {half: [path for path in videos if path.stem.split("_")[0] == str(half)] for half in halves}
    if len(videos) == 1 and list(halves) == [1]:
        by_half = {1: videos}
    for half, paths in by_half.items():
        if len(paths) != 1:
            raise InputError(match, f"{len(paths)} videos of half {half}", f"expected one {half}_*.mp4")
    return [
        LabelledVideo(f"{name}/{half}", by_half[half][0], events, name, f"{name}/{by_half[half][0].stem}")
        for half, events in halves.items()
    ]


def _present(videos: Sequence[LabelledVideo]) -> list[LabelledVideo]:
    missing = [video.path for video in videos if not video.path.is_file()]
    if missing:
        raise InputError(missing[0], f"no such video ({len(missing)} of {len(videos)} missing)")
    return list(videos)


def read_osl_videos(path: Path, notices: Notices) -> list[LabelledVideo]:
    """Items of ``{"labels": {head: {"labels": [...]}}, "data": [{"id", "inputs", "events"}]}``; videos may be missing.

    ``notices`` counts labels outside the classes that the file's schema lists: nobody has looked for any of these.
    """
    root = as_object(read_json(path), str(path))
    classes = _annotated(root, path)
    places = [(raw, f"{path}: data {i}") for i, raw in enumerate(list_in(root, "data", str(path)))]
    videos = [_osl_video(as_object(raw, where), where, path, classes, notices) for raw, where in places]
    files = [video.path.relative_to(path.parent).as_posix() for video in videos]
    for name, values in (("id", [video.name for video in videos]), ("video", files)):
        if twice := next((value for value, times in Counter(values).items() if times > 1), None):
            raise InputError(path, f"{name} {twice!r} is listed twice")
    if not videos:
        raise InputError(path, "lists no videos")
    return videos


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
    known: set[Action | None] = set()
    for head, schema in heads.items():
        where = f"{path}: labels of {head!r}"
        known |= {_action(label) for label in as_list(field(as_object(schema, where), "labels", where), where)}
    if not known - {None}:
        raise InputError(path, "annotates none of the ten classes", f"known: {', '.join(ACTIONS)}")
    return tuple(sorted(action.class_index for action in known if action is not None))


def _action(label: object) -> Action | None:
    try:
        return parse_action(str(label))
    except RecordError:
        return None


def _osl_video(
    entry: dict[str, object], where: str, path: Path, classes: tuple[int, ...], notices: Notices
) -> LabelledVideo:
    events = []
    for index, raw in enumerate(as_list(entry.get("events", []), f"{where}: events")):
        at = f"{where}, event {index}"
        event = as_object(raw, at)
        action = _action(field(event, "label", at))
        if action is None or action.class_index not in classes:
            notices.count(f"actions labelled {str(event['label'])[:40]!r} not read")
            continue
        position_ms = time_ms(field(event, "position_ms", at), "position_ms", at)
        try:
            events.append(ActionEvent(position_ms, action, side_of(event), is_visible(event)))
        except RecordError as reason:
            raise InputError(at, reason) from None
    # The one input that is a video; it lies beside the file or below.
    inputs = [as_object(raw, f"{where}: input {i}") for i, raw in enumerate(list_in(entry, "inputs", where))]
    videos = [source for source in inputs if source.get("type") == "video"]
    if len(videos) != 1:
        raise InputError(where, f"has {len(videos)} videos among its inputs instead of one")
    written = field(videos[0], "path", where)
    video = PurePosixPath(written) if isinstance(written, str) else PurePosixPath()
    if not video.name or video.is_absolute() or ".." in video.parts or "\\" in str(written) or "\0" in str(written):
        raise InputError(where, f"path {written!r} is not that of a file beside this one, as train/videos/1.mp4")
    name, stored = str(entry.get("id", video.stem)), str(video.with_suffix(""))
    return LabelledVideo(name, path.parent / video, in_time_order(events), name, stored, classes)
