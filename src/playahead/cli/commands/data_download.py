"""``playahead data download``."""

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Literal

from playahead.cli import terminal
from playahead.lab.download import plan_download, require_password, run_download
from playahead.sources.soccernet import SPLITS


def download(
    dataset: Literal["baa"],  # noqa: ARG001 - there is one yet; the word keeps the command open for others
    out: Path,
    password: str | None = None,
    splits: str = ",".join(SPLITS),
    resolution: Literal["224p", "720p"] = "224p",
) -> None:
    """Fetch and unpack SoccerNet Ball Action Anticipation; run again to resume after an interruption.

    Args:
        dataset: baa, SoccerNet Ball Action Anticipation.
        out: folder to download to.
        password: password from SoccerNet's NDA. Other users of this machine can see a command line, so rather set
            SOCCERNET_PASSWORD in the environment, or wait for the prompt.
        splits: splits to download, separated by commas: train, valid, test, challenge.
        resolution: resolution of the videos: 224p or 720p.
    """
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
