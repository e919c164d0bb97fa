"""``playahead``: one command line, a command for each thing that people do with it."""

import codecs
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from jsonargparse import Namespace

from playahead.cli.parser import Parser, build_parser, call, chosen_command, in_options, spelt_for_python
from playahead.cli.terminal import complain, in_other_letters, starting
from playahead.io.errors import InputError, PlayaheadError
from playahead.io.extras import in_one_line
from playahead.io.runtime import end_process, keep_freed_memory


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: exit code 0, or 2 with one line that says what is wrong, where, and what to do."""
    keep_freed_memory()
    codecs.register_error("in_other_letters", in_other_letters)
    closed = _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be Unicode
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="in_other_letters")
    if closed:
        complain("standard output is closed (to throw it away: > /dev/null)")
        end_process(2)
    try:
        code = run(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as stop:  # of --help, or of arguments that are refused
        code = stop.code if isinstance(stop.code, int) else 2
    end_process(_flushed(code))


def _open_what_is_closed() -> bool:
    """Replace closed streams, so that no file gets their numbers; True if standard output was closed."""
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - to the end
    return closed


def _flushed(code: int) -> int:
    """Flush standard output; Python's own attempt at exit would print many lines on failure."""
    try:
        sys.stdout.flush()
    except OSError as reason:
        code = code or _of_disk_error(reason)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def run(arguments: Sequence[str]) -> int:
    """Parse, work, and turn errors that a person can act on into one line."""
    command = None
    try:
        if not arguments:
            build_parser(arguments).print_help()
            return 2
        if "" in map(_value, arguments):
            raise InputError("an argument", "is empty", "is a variable of the shell not set?")
        Parser.typed, words = arguments, [spelt_for_python(word) for word in arguments]
        with starting():  # libraries of training take seconds to import
            parser = build_parser(words)
            parsed = parser.parse_args(words)
            command, _ = chosen_command(parsed.as_dict())
            _, options = chosen_command(_instantiated(parser, parsed).as_dict())
        return call(command, options) or 0
    except InputError as reason:
        complain(in_options(reason, command) if command is not None else str(reason))
        return 2
    except PlayaheadError as reason:
        complain(str(reason))
        return 2
    except KeyboardInterrupt:
        complain("stopped; the same command resumes where this one stopped")
        return 130
    except ModuleNotFoundError as missing:
        if (line := in_one_line(missing)) is None:
            raise
        complain(line)
        return 2
    except OSError as reason:
        return _of_disk_error(reason)


def _instantiated(parser: Parser, parsed: Namespace) -> Namespace:
    """Settings as their dataclasses; the paper's refuse a value with a ValueError."""
    try:
        return parser.instantiate(parsed)
    except PlayaheadError:
        raise
    except ValueError as reason:
        where, _, what = str(reason).partition(": ")
        raise InputError(where, what) from None


def _value(word: str) -> str:
    """Value of an option (``--out=x``: ``x``), or the word itself."""
    name, equals, value = word.partition("=")
    return value if equals and name.startswith("--") else word


def _of_disk_error(reason: OSError) -> int:
    """Report a disk error in one line; a broken pipe, as in ``| head``, is none."""
    if isinstance(reason, BrokenPipeError):
        return 0
    where = reason.filename or "standard output or a disk"
    complain(f"{where}: {reason.strerror or reason} (is it writable, and is there room?)")
    return 2


if __name__ == "__main__":
    main()
