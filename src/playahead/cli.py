"""``playahead``: one command, a verb for each thing that people do with it.

Each verb is a function in ``verbs/``; its options, types and help come from its signature and docstring.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version

from docstring_parser import parse as parse_docstring
from jsonargparse import ArgumentParser, set_parsing_settings
from rich.markup import escape

from playahead.allocator import keep_freed_memory
from playahead.errors import PlayaheadError


@dataclass(frozen=True)
class Verb:
    """Where a verb's function is, what it is for, an example, and its positional argument if it has one."""

    function: str
    summary: str
    example: str
    positional: str = ""

    def load(self) -> Callable[..., int | None]:
        """The function; imported only when the verb is asked for."""
        module, name = self.function.split(":")
        return getattr(import_module(f"playahead.verbs.{module}"), name)


@dataclass(frozen=True)
class Group:
    """Verbs under a common word."""

    summary: str
    verbs: dict[str, Verb]


VERBS: dict[str, Verb | Group] = {
    "demo": Verb("demo:demo", "the whole road on simulated plays, in two minutes", "playahead demo"),
    "data": Group(
        "check, simulate or download a dataset",
        {
            "check": Verb(
                "data:check",
                "counts, bad entries, and whether splits share video",
                "playahead data check SoccerNet/ActionAnticipation",
                positional="path",
            ),
            "simulate": Verb(
                "data:simulate",
                "write simulated matches",
                "playahead data simulate --out sim --layout baa --matches 6",
            ),
            "download": Verb(
                "download:download",
                "fetch the benchmark's videos and labels",
                "playahead data download baa --out SoccerNet --splits train,valid",
                positional="dataset",
            ),
        },
    ),
    "train": Group(
        "train a recipe on a dataset",
        {
            "feed": Verb(
                "train:train_feed",
                "train on an event feed",
                "playahead train feed --data wyscout_baa --out runs/feed",
            )
        },
    ),
    "evaluate": Verb(
        "evaluate:evaluate",
        "score frames, a submission, or weights on a feed",
        "playahead evaluate --labels test --predictions results_anticipation.json --json",
    ),
    "predict": Verb(
        "predict:predict",
        "anticipate what comes next, all through a match",
        "playahead predict --feed match.json --start 12:30 --end 20:00",
    ),
    "submit": Verb(
        "submit:submit",
        "write a submission, or check one before the server does",
        "playahead submit --check results_anticipation.zip --labels test",
    ),
    "bench": Verb("bench:bench", "how fast training and scoring are on this machine", "playahead bench --json"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: exit code 0, or 2 with one line that says what is wrong, where, and what to do."""
    keep_freed_memory()
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """Parse, work, and turn errors that a person can act on into one line."""
    parser = build_parser(arguments)
    if not arguments:
        parser.print_help()
        return 2
    config = parser.parse_args(list(arguments))
    try:
        verb, options = _chosen(config.as_dict())
        return verb.load()(**options) or 0
    except PlayaheadError as reason:
        _complain(str(reason))
        return 2
    except KeyboardInterrupt:
        _complain("stopped; the same command goes on where this one left off")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _complain(message: str) -> None:
    from playahead.verbs.show import errors

    errors.print(f"[red]playahead:[/] {escape(message)}", soft_wrap=True)


def build_parser(arguments: Sequence[str]) -> ArgumentParser:
    """The parser for these arguments; only the verb that they name is imported."""
    set_parsing_settings(docstring_parse_attribute_docstrings=False)
    about = "Watch 30 s of football, say what happens in the next 5."
    parser = ArgumentParser(prog="playahead", description=about, version=version("playahead"))
    subcommands = parser.add_subcommands(title="verbs", dest="verb", metavar="VERB")
    for name, entry in VERBS.items():
        if isinstance(entry, Verb):
            subcommands.add_subcommand(name, _leaf(entry, name in arguments), help=entry.summary)
            continue
        group = ArgumentParser(description=entry.summary)
        subcommands.add_subcommand(name, group, help=entry.summary)
        inner = group.add_subcommands(title="verbs", dest="what", metavar="VERB")
        for part, verb in entry.verbs.items():
            asked = name in arguments and part in arguments
            inner.add_subcommand(part, _leaf(verb, asked), help=verb.summary)
    return parser


def _leaf(verb: Verb, asked: bool) -> ArgumentParser:
    if not asked:
        return ArgumentParser()
    function = verb.load()
    docstring = parse_docstring(function.__doc__ or "")
    help_of = {param.arg_name: " ".join((param.description or "").split()) for param in docstring.params}
    kinds = function.__annotations__
    flags = {name for name, kind in kinds.items() if kind is bool}
    parser = ArgumentParser(description=docstring.short_description, epilog=f"example: {verb.example}")
    if verb.positional:
        parser.add_argument(verb.positional, type=kinds[verb.positional], help=help_of[verb.positional])
    elsewhere: set[int | str] = {name for name in (verb.positional, *flags) if name}
    parser.add_function_arguments(function, skip=elsewhere, as_group=False)
    for name in sorted(flags):
        parser.add_argument(f"--{name}", action="store_true", help=help_of[name])
    return parser


def _chosen(config: dict) -> tuple[Verb, dict]:
    """The verb that a parsed configuration names, and its options."""
    name = config["verb"]
    entry, options = VERBS[name], config[name]
    if isinstance(entry, Verb):
        return entry, options
    return entry.verbs[options["what"]], options[options["what"]]


if __name__ == "__main__":
    main()
