"""``playahead submit``: write a submission, or look for what is wrong with one."""

import sys
from pathlib import Path

from playahead.errors import InputError
from playahead.sources.soccernet_baa import read_baa_split
from playahead.submission.check import check_submission
from playahead.submission.write import perfect_answer, write_submission
from playahead.verbs import show


def submit(
    labels: Path | None = None,
    out: Path = Path("submission"),
    check: Path | None = None,
    perfect: bool = False,
    json: bool = False,
) -> int:
    """Write ``results_anticipation.json`` and its zip, or check them before the server does.

    Args:
        labels: Labels-ball.json of the split (or its folder): which clips there must be.
        out: folder to write to.
        check: a zip or JSON to check; nothing is written.
        perfect: write the ground truth as a submission: what a perfect answer scores.
        json: problems as JSON on standard output.
    """
    clips = read_baa_split(labels).clips if labels else None
    if check is not None:
        names = [clip.name for clip in clips] if clips is not None else None
        problems = check_submission(check, names)
        if json:
            show.print_json({"path": str(check), "problems": problems})
        else:
            for problem in problems:
                sys.stdout.write(f"{check}: {problem}\n")
            unseen = "" if names is not None else " (give --labels to also check which clips are there)"
            sys.stdout.write(f"{check}: {len(problems) or 'no'} problems found{unseen}\n")
        return 2 if problems else 0
    if not perfect or clips is None:
        raise InputError("submit", "needs --labels with --perfect, or --check FILE")
    results, archive = write_submission(out, perfect_answer(clips))
    sys.stdout.write(f"{results}\n{archive}\n")
    return 0
