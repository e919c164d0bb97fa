"""``playahead``: one command line, a command for each thing that people do with it."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

from playahead.cli.parser import build_parser, call, chosen_command, spelt_for_python
from playahead.cli.terminal import complain, notice
from playahead.errors import PlayaheadError
from playahead.runtime import keep_freed_memory, leave
from playahead.video.warning import VideoWarning


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: exit code 0, or 2 with one line that says what is wrong, where, and what to do."""
    keep_freed_memory()
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be Unicode
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    leave(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """Parse, work, and turn errors that a person can act on into one line."""
    try:
        if not arguments:
            build_parser(arguments).print_help()
            return 2
        words = [spelt_for_python(word) for word in arguments]
        parser = build_parser(words)
        chosen = parser.instantiate(parser.parse_args(words))
        with _video_warnings_as_notes():
            return call(*chosen_command(chosen.as_dict())) or 0
    except PlayaheadError as reason:
        complain(str(reason))
        return 2
    except KeyboardInterrupt:
        complain("stopped; the same command resumes where this one stopped")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as reason:
        complain(f"{reason.filename or 'disk'}: {reason.strerror or reason} (is it writable, and is there room?)")
        return 2


@contextmanager
def _video_warnings_as_notes() -> Iterator[None]:
    """What is wrong with a video is said once, however often a command reads it."""
    said: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", VideoWarning)
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, VideoWarning):
                others(message, category, filename, lineno, file, line)
            elif str(message) not in said:
                said.add(str(message))
                notice(str(message))

        warnings.showwarning = show
        yield


if __name__ == "__main__":
    main()
