"""``playahead``: one command, a verb for each thing that people do with it.

Each verb is a function in ``verbs/``; its options, types and help come from its signature and docstring.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, get_args

import yaml
from docstring_parser import parse as parse_docstring
from jsonargparse import ArgumentParser, set_parsing_settings
from rich.markup import escape

from playahead.allocator import keep_freed_memory
from playahead.errors import PlayaheadError


@dataclass(frozen=True)
class Verb:
    """A verb.

    Attributes:
        function: where its function is, ``module:name`` in ``verbs/``.
        summary: what it is for, in a line.
        example: a command that shows it.
        positional: its positional argument, if it has one.
        settings: its parameter that holds settings (a dataclass), if it has one: each field is an option, its default
            comes from the recipe named by ``--recipe``.
    """

    function: str
    summary: str
    example: str
    positional: str = ""
    settings: str = ""

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
                "simulate:simulate",
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
    "pretrain": Verb(
        "pretrain:pretrain",
        "train the backbone to spot actions: features without a leak",
        "playahead pretrain --train SoccerNet/224p/train --validate SoccerNet/224p/valid --recipe backbone-small",
        settings="run",
    ),
    "train": Group(
        "train a recipe on a dataset",
        {
            "feed": Verb(
                "train:train_feed",
                "train on an event feed",
                "playahead train feed --data wyscout_baa --out runs/wide --model.d_model 192 --seed 1",
                settings="run",
            ),
            "frames": Verb(
                "train_frames:train_frames",
                "train FAANTRA end to end on video files",
                "playahead train frames --data SoccerNet/224p --out runs/frames --model.encoder regnety_004",
                settings="run",
            ),
            "video": Verb(
                "train:train_video",
                "train on features of video",
                "playahead train video --features features --data SoccerNet/224p --out runs/video",
                settings="run",
            ),
        },
    ),
    "extract": Verb(
        "extract:extract",
        "encode video into features, once and for all",
        "playahead extract SoccerNet/224p --out features --backbone backbone.safetensors --canvas 416x224",
        positional="source",
        settings="making",
    ),
    "weights": Group(
        "keep published weights safely",
        {
            "convert": Verb(
                "weights:convert",
                "a published checkpoint into safetensors",
                "playahead weights convert model-015.pth --out backbone.safetensors",
                positional="checkpoint",
            )
        },
    ),
    "evaluate": Verb(
        "evaluate:evaluate",
        "score frames, a submission, or weights on a feed",
        "playahead evaluate --labels test --predictions results_anticipation.json --json",
    ),
    "compare": Verb(
        "compare:compare",
        "which changes help: a grid of runs, with paired intervals",
        "playahead compare paper --data wyscout_baa --out runs/paper --processes 2",
        positional="grid",
    ),
    "report": Verb(
        "report:report",
        "one page about runs: scores, calibration, mistakes, windows",
        "playahead report runs/paper --data wyscout_baa --out report.html",
        positional="runs",
    ),
    "predict": Verb(
        "predict:predict",
        "anticipate what comes next, all through a match",
        "playahead predict match.mp4 --from 12:30 --to 20:00 --overlay ahead.mp4",
        positional="video",
        settings="asked",
    ),
    "submit": Verb(
        "submit:submit",
        "write a submission, or check one before the server does",
        "playahead submit --check results_anticipation.zip --labels test",
    ),
    "bench": Verb(
        "bench:bench",
        "how fast training, scoring and extraction are here",
        "playahead bench extract --canvas 1280x736",
        positional="what",
    ),
}


_WORDS = {"--from": "--start", "--to": "--end"}
"""Options that people say in two ways; ``from`` cannot name a Python parameter."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: exit code 0, or 2 with one line that says what is wrong, where, and what to do."""
    keep_freed_memory()
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """Parse, work, and turn errors that a person can act on into one line."""
    try:
        if not arguments:
            build_parser(arguments).print_help()
            return 2
        arguments = [_WORDS.get(word, word) for word in arguments]
        parser = build_parser(arguments)
        chosen = parser.instantiate(parser.parse_args(list(arguments)))
        return _call(*_chosen(chosen.as_dict())) or 0
    except PlayaheadError as reason:
        _complain(str(reason))
        return 2
    except KeyboardInterrupt:
        _complain("stopped; the same command goes on where this one left off")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as reason:
        _complain(f"{reason.filename or 'disk'}: {reason.strerror or reason} (is it writable, and is there room?)")
        return 2


def _complain(message: str) -> None:
    from playahead.verbs.show import errors

    errors.print(f"[red]playahead:[/] {escape(message)}", soft_wrap=True)


class _Parser(ArgumentParser):
    """Says what is wrong with the options in one line, like every other error."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:  # noqa: ARG002 - the base's signature
        prog = self.prog.replace(" [options]", "")
        _complain(f"{' '.join(message.split())} (options: {prog} --help)")
        sys.exit(2)


def build_parser(arguments: Sequence[str]) -> _Parser:
    """The parser for these arguments; only the verb that they name is imported."""
    set_parsing_settings(docstring_parse_attribute_docstrings=False)
    about = "Watch 30 s of football, say what happens in the next 5."
    parser = _Parser(prog="playahead", description=about, version=version("playahead"))
    subcommands = parser.add_subcommands(title="verbs", dest="verb", metavar="VERB")
    for name, entry in VERBS.items():
        if isinstance(entry, Verb):
            subcommands.add_subcommand(name, _leaf(entry, arguments, name), help=entry.summary)
            continue
        group = _Parser(description=entry.summary)
        subcommands.add_subcommand(name, group, help=entry.summary)
        inner = group.add_subcommands(title="verbs", dest="what", metavar="VERB")
        for part, verb in entry.verbs.items():
            inner.add_subcommand(part, _leaf(verb, arguments, name, part), help=verb.summary)
    return parser


def _leaf(verb: Verb, arguments: Sequence[str], *words: str) -> _Parser:
    if not all(word in arguments for word in words):
        return _Parser()
    function = verb.load()
    docstring = parse_docstring(function.__doc__ or "")
    help_of = {param.arg_name: " ".join((param.description or "").split()) for param in docstring.params}
    kinds = function.__annotations__
    flags = {name for name, kind in kinds.items() if kind is bool}
    parser = _Parser(description=docstring.short_description, epilog=f"example: {verb.example}")
    if verb.positional:
        kind = kinds[verb.positional]
        count: dict[str, Any] = {"nargs": "?"} if type(None) in get_args(kind) else {}
        parser.add_argument(verb.positional, type=kind, help=help_of[verb.positional], **count)
    elsewhere: set[int | str] = {name for name in (verb.positional, verb.settings, *flags) if name}
    parser.add_function_arguments(function, skip=elsewhere, as_group=False)
    if verb.settings:
        _add_settings(parser, kinds[verb.settings], arguments)
    for name in sorted(flags):
        parser.add_argument(f"--{name}", action="store_true", help=help_of[name])
    return parser


def _add_settings(parser: _Parser, kind: type, arguments: Sequence[str]) -> None:
    """An option for each field of a settings dataclass; defaults are those of the recipe that the arguments name."""
    parser.add_argument("--config", action="config", help="a YAML file of options, as --print_config writes it")
    parser.add_class_arguments(kind, None, as_group=False)
    if "recipe" not in parser.get_defaults():
        return
    from playahead.recipes import recipe

    named = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    named.add_argument("--recipe")
    named.error = lambda message: parser.error(message)  # type: ignore[method-assign]
    named.add_argument("--config", type=Path)
    known, _ = named.parse_known_args(list(arguments))
    name = known.recipe or _recipe_of(known.config) or parser.get_defaults()["recipe"]
    parser.set_defaults(asdict(recipe(name, kind)))


def _recipe_of(config: Path | None) -> str | None:
    """The recipe that a YAML file of options names, if it can be read and does."""
    try:
        options = yaml.safe_load(config.read_text()) if config else None
    except (OSError, ValueError, yaml.YAMLError):
        return None  # the parser says what is wrong with it
    return str(options["recipe"]) if isinstance(options, dict) and "recipe" in options else None


def _chosen(config: dict) -> tuple[Verb, dict]:
    """The verb that a parsed configuration names, and its options."""
    name = config["verb"]
    entry, options = VERBS[name], config[name]
    if isinstance(entry, Verb):
        return entry, options
    return entry.verbs[options["what"]], options[options["what"]]


def _call(verb: Verb, options: dict) -> int | None:
    """Call the verb's function, its settings put together from their options."""
    function = verb.load()
    if verb.settings:
        kind = function.__annotations__[verb.settings]
        settings = kind(**{field.name: options.pop(field.name) for field in fields(kind)})
        options = {**options, verb.settings: settings}
        del options["config"]
    return function(**options)


if __name__ == "__main__":
    main()
