"""``playahead data simulate``: matches that never were, as tables, labels or video."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from playahead.domain.feed import FeedHalf
from playahead.domain.records import Clip
from playahead.errors import InputError
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.sources.simulation.plays import MARKER, clips_of, simulate_half, write_bas_labels
from playahead.sources.soccernet_baa import LABELS_NAME, SPLITS, write_baa_split
from playahead.verbs import show

Halves = list[FeedHalf]


def simulate(
    out: Path,
    layout: Literal["feed", "baa", "bas"] = "feed",
    matches: int = 6,
    minutes: float = 45.0,
    halves: int = 2,
    video: bool = False,
    width: int = 398,
    height: int = 224,
    sequences: Path | None = None,
    seed: int = 0,
) -> None:
    """Write simulated matches; their numbers say nothing about football. Killed and run again, it goes on.

    Args:
        out: folder to write to.
        layout: feed (train.npz, val.npz, test.npz), baa (clips of four splits) or bas (whole matches of four splits).
        matches: 4 or more; the last three become val, test and, for baa, challenge.
        minutes: length of a half.
        halves: halves of a match, 1 or 2.
        video: film them too (layouts baa and bas), at 25 frames a second.
        width: of the picture.
        height: of the picture.
        sequences: play out the real action sequences of this compact feed table (.npz) instead of invented ones.
        seed: of everything random.
    """
    if matches < 4:
        raise InputError("--matches", f"{matches}: at least 4 are needed, one for each split")
    if halves not in (1, 2):
        raise InputError("--halves", f"{halves} is neither 1 nor 2")
    if video and layout == "feed":
        raise InputError("--video", "has no place in the feed layout", "choose --layout baa or bas")
    played = real_plays(sequences, matches, minutes, halves) if sequences else invented(seed, matches, minutes, halves)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text("Simulated: these matches never were, and no figure made from them is about football.\n")
    picture = (seed, width, height) if video else None
    parts = dict(zip(SPLITS, (played[:-3], played[-3:-2], played[-2:-1], played[-1:]), strict=True))
    if layout == "bas":
        _write_bas(out, parts, picture)
    elif layout == "baa":
        _write_baa(
            out, {split: [half for match in chosen for half in match] for split, chosen in parts.items()}, picture
        )
    else:
        tables = zip(FEED_SPLITS, (played[:-2], played[-2:-1], played[-1:]), strict=True)
        for split, chosen in tables:
            write_feed_table(out / f"{split}.npz", [half for match in chosen for half in match])
    show.errors.print(f"{matches} simulated matches in {out}")


def invented(seed: int, matches: int, minutes: float, halves: int) -> list[Halves]:
    """Matches that never were."""
    return [[simulate_half(seed, m + 1, h + 1, minutes) for h in range(halves)] for m in range(matches)]


def real_plays(table: Path, matches: int, minutes: float, halves: int) -> list[Halves]:
    """The first ``minutes`` of the halves of so many matches of a table."""
    by_match: dict[int, Halves] = {}
    for half in read_feed_table(table):
        by_match.setdefault(half.match, []).append(_first_minutes(half, minutes))
    chosen = [found[:halves] for found in by_match.values() if len(found) >= halves][:matches]
    if len(chosen) < matches:
        raise InputError(table, f"holds {len(chosen)} matches of {halves} halves, {matches} were asked for")
    return chosen


def _first_minutes(half: FeedHalf, minutes: float) -> FeedHalf:
    kept = half.t_ms < minutes * 60_000
    columns = ("t_ms", "code", "team", "x", "y", "setpiece", "delay_ms")
    return replace(half, **{name: getattr(half, name)[kept] for name in columns})


def _write_baa(out: Path, splits: dict[str, Halves], picture: tuple[int, int, int] | None) -> None:
    name = f"{picture[2] if picture else 224}p.mp4"
    films: list[tuple[FeedHalf, Path, tuple[Path, ...]]] = []
    for split, halves in splits.items():
        folder = out / split
        folder.mkdir(exist_ok=True)
        clips: list[Clip] = []
        for half in halves:
            new = [
                replace(clip, name=f"clip_{n}", video=f"clip_{n}/{name}")
                for n, clip in enumerate(clips_of(half), start=len(clips) + 1)
            ]
            films.append((half, folder / f"half_{len(films)}.mp4", tuple(folder / clip.video for clip in new)))
            clips += new
        if split == "challenge":
            clips = [replace(clip, anticipation=None) for clip in clips]
        write_baa_split(folder, clips)
    if picture:
        _film([(half, path, cuts) for half, path, cuts in films if cuts], picture)


def _write_bas(out: Path, splits: dict[str, list[Halves]], picture: tuple[int, int, int] | None) -> None:
    films = []
    for split, played in splits.items():
        for halves in played:
            folder = out / split / f"match_{halves[0].match}"
            folder.mkdir(parents=True, exist_ok=True)
            write_bas_labels(folder / LABELS_NAME, halves)
            films += [(half, folder / f"{half.half}_{picture[2] if picture else 224}p.mp4", ()) for half in halves]
    if picture:
        _film(films, picture)


def _film(films: Sequence[tuple[FeedHalf, Path, tuple[Path, ...]]], picture: tuple[int, int, int]) -> None:
    from playahead.broadcast.layouts import Recording, film_all

    seed, width, height = picture
    recordings = [
        Recording(half, seed * 100_003 + half.match % 100_003, width, height, path, cuts) for half, path, cuts in films
    ]
    minutes = sum(recording.n_frames for recording in recordings) / 1500
    with show.counted_progress(f"filming {minutes:.0f} minutes", len(recordings)) as advance:
        for _ in film_all(recordings, os.cpu_count() or 1):
            advance()
