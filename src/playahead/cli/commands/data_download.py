"""``playahead data download``."""

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Literal

from playahead.cli import terminal
from playahead.lab.wyscout import make_wyscout_baa
from playahead.sources.soccernet import SPLITS


def download(
    dataset: Literal["baa", "wyscout"],
    out: Path,
    password: str | None = None,
    splits: str = ",".join(SPLITS),
    resolution: Literal["224p", "720p"] = "224p",
    mirror: Path | None = None,
) -> int:
    """Fetch a benchmark; run again to resume after an interruption.

    Args:
        dataset: baa is SoccerNet Ball Action Anticipation (videos and labels, with a password); wyscout is Wyscout-BAA,
            the public events of 1,510 matches as tables to train and score on, and of the European Championship of
            2016 and the World Cup of 2018 as tables of their own (euro-2016, world-cup-2018).
        out: folder to download to.
        mirror: folder of wyscout's files that you have already: events_England.json and so on, or one for each match.
        password: password from SoccerNet's NDA. Other users of this machine can see a command line, so rather set
            SOCCERNET_PASSWORD in the environment, or wait for the prompt.
        splits: splits to download, separated by commas: train, valid, test, challenge.
        resolution: resolution of the videos: 224p or 720p.
    """
    if dataset == "wyscout":
        return _wyscout(out, mirror)
    from playahead.lab.download import plan_download, require_password, run_download  # they need the extra "hub"

    password = password or os.environ.get("SOCCERNET_PASSWORD")
    if not password and sys.stdin.isatty():
        password = getpass("Password from SoccerNet's NDA: ")
    password = require_password(password)
    named = [split.strip() for split in splits.split(",") if split.strip()]
    plan = plan_download(out, password, named, resolution)
    terminal.errors.print(str(plan))
    with terminal.progress() as show:
        folders = run_download(plan, password, show)
    for folder in folders:
        terminal.errors.print(f"{folder}: ready (playahead data check {folder})")
    return 0


def _wyscout(out: Path, mirror: Path | None) -> int:
    with terminal.progress() as show:
        made = make_wyscout_baa(out, mirror, show=show)
    for table, rows in made.tables.items():
        terminal.errors.print(f"{out / table}: {rows:,} rows")
    for tournament, (read, listed) in made.tournaments.items():
        terminal.errors.print(f"{tournament}: {read} of {listed} matches; the package has no digests to check them")
    for split, differences in made.differences.items():
        for what in ("missing", "different"):
            if matches := differences[what]:
                terminal.notice(f"{split}: matches that are {what}: {len(matches):,}, first {matches[0]}")
    if made.is_benchmark:
        terminal.out().print("all matches are those of wyscout-baa-v1, to the row")
        return 0
    terminal.complain("these tables are not wyscout-baa-v1: figures made with them are not comparable", str(out))
    return 2
