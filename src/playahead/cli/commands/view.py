"""``playahead view``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.io.errors import InputError
from playahead.live.page.page import recognise, write_page


def view(files: list[Path], out: Path = Path("view.html")) -> None:
    """Write a page that plays a match beside its anticipations; it needs no server and no network.

    Args:
        files: output of predict --format json and, in any order, the match's video and its event feed or labels (then
            the page shows which anticipations came true).
        out: file of the page; keep the video where it is.
    """
    if out.resolve() in [file.resolve() for file in files]:
        raise InputError(out, "is a file that the page is made from", "choose another file")
    shown = recognise(files)
    write_page(shown, out)
    terminal.errors.print(f"page: {out}")
