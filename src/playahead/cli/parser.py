"""The parser of all commands: options, types and help come from each function's signature and docstring.

Errors of the library name fields and arguments (``PredictConfig.every_s``); ``in_options`` puts options in their place.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, is_dataclass
from importlib.metadata import version
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, ClassVar, NoReturn, get_args, get_origin, get_type_hints

from docstring_parser import parse as parse_docstring
from jsonargparse import ArgumentParser, DefaultHelpFormatter, set_parsing_settings

from playahead.cli.registry import COMMANDS, Command, Group, overview
from playahead.cli.terminal import complain
from playahead.io.errors import InputError
from playahead.io.settings import read_yaml

_WORDS = {"--from": "--start", "--to": "--end"}
"""Options that people say in two ways; ``from`` cannot name a Python parameter."""
_OPTION = re.compile(r"(?<![\w-])--[A-Za-z][\w.]*")


def spelt_for_python(word: str) -> str:
    """``--model.d-model=8`` -> ``--model.d_model=8``: people write dashes, Python underscores."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    name = _WORDS.get(name, name)
    return "--" + name[2:].replace("-", "_") + equals + value


def _spelt_for_people(text: str) -> str:
    return _OPTION.sub(lambda option: option[0].replace("_", "-"), text)


_SECTIONS = {
    "input": "feed provider seen split features labels stream video kick_off data train validate",
    "spotter": "spotter spotter_python spotter_home spotter_weights spotter_window",
    "time": "start end every half short speed",
    "output": "format out overlay record json min_confidence of title exact noise_at force port host",
    "model": "weights backbone device decoding tau confidence time rescue precision recipe seed",
}
_SECTION_OF = {name: section for section, names in _SECTIONS.items() for name in names.split()}
"""Section of the help that an option stands in, whichever command has it; the others stand at the end."""
_METAVARS = {"end": "TIME", "every": "SECONDS", "min_confidence": "P", "kick_off": "TIMES"}


def as_typed(text: str, typed: Sequence[str]) -> str:
    """A message about options with the words that somebody typed: ``--from`` for ``--start``."""
    for said, name in _WORDS.items():
        if any(word.partition("=")[0] == said for word in typed):
            text = re.sub(rf"{name}\b", said, text)
    return _spelt_for_people(text)


class _Help(DefaultHelpFormatter):
    """Help in sections and without types: names of values, a default and the text say enough."""

    def _get_help_string(self, action: argparse.Action) -> str:
        if action.dest in ("help", "config", "print_config"):
            return action.help or ""
        text = super()._get_help_string(action).replace("type: %(type)s", "").replace("(, ", "(")
        is_worth_saying = action.default not in (None, False, "")
        text = text.replace(", )", ")") if is_worth_saying else text.replace("default: %(default)s", "")
        return text.replace(", )", ")").replace(" ()", "").replace(" (required)", "")

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if action.nargs == "?" and action.const is True:  # a switch that also takes true and false
            return ""
        return super()._format_args(action, _METAVARS.get(action.dest, default_metavar))

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Any:
        if action.metavar is None and action.option_strings and not action.choices:
            hint = str(getattr(action, "_typehint", ""))
            kind = next((name for part, name in (("Path", "PATH"), ("int", "N"), ("float", "X")) if part in hint), None)
            default_metavar = _METAVARS.get(action.dest, kind or default_metavar)
        return super()._metavar_formatter(action, default_metavar)

    def add_argument(self, action: argparse.Action) -> None:
        """Add an option, unless it is hidden."""
        if not getattr(action, "is_hidden", False):
            super().add_argument(action)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Usage with required options and positionals alone."""
        needed = [action for action in actions if action.required or not action.option_strings]
        super().add_usage(usage, needed, groups, prefix)


class Parser(ArgumentParser):
    """Parser that shows options with dashes and reports errors in one line.

    Attributes:
        typed: the words of the command line.
    """

    typed: ClassVar[Sequence[str]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, formatter_class=_Help, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:  # noqa: ARG002 - the base's signature
        # The top-level parser reports what a command's lacks, as "predict.out": the arguments say which command it is.
        words = [word for word in self.typed if not word.startswith("-")]
        path = words[: 2 if isinstance(COMMANDS.get(words[0] if words else ""), Group) else 1]
        path = path if path and path[0] in COMMANDS else []
        said, colon, missing = " ".join(message.split()).partition("required: ")
        said += colon + (re.sub(r"[\w.]+\.(\w+)", r"--\1", missing) if colon else "")
        complain(f"{as_typed(said, self.typed)}{self._meant(words)} (options: {' '.join(['playahead', *path])} --help)")
        sys.exit(2)

    def _meant(self, words: Sequence[str]) -> str:
        """A command or an option whose name is close to what was typed."""
        options = [option for action in self._actions for option in action.option_strings]
        odd = [word for word in self.typed if word.startswith("--") and word not in options]
        known, typed = (list(COMMANDS), words[:1]) if words and words[0] not in COMMANDS else (options, odd[:1])
        close = difflib.get_close_matches(typed[0], known, n=1) if typed else []
        return f"; did you mean {_spelt_for_people(close[0])}?" if close else ""

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        """Help with dashes in the options; of times, ``--from`` and ``--to`` are what people say."""
        text = super().format_help(*args, **kwargs)
        if {"start", "end"} <= {action.dest for action in self._actions}:
            text = text.replace("--start START", "--from TIME  ").replace("--end TIME", "--to TIME ")
        text = re.sub(r"usage: playahead \[options\] (.*)", r"usage: playahead \1", text.replace(" [options] ", " "))
        return _spelt_for_people(text)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Write help; a failure is an error, which argparse would ignore."""
        (file or sys.stderr).write(message)


class _Overview(Parser):
    """The parser of all commands."""

    def format_help(self, *args: Any, **kwargs: Any) -> str:  # noqa: ARG002 - the base's signature
        """See ``overview``."""
        return overview()


def build_parser(arguments: Sequence[str]) -> Parser:
    """Build the parser for these arguments; only the command that they name is imported."""
    set_parsing_settings(docstring_parse_attribute_docstrings=False)
    parser = _Overview(prog="playahead", version=version("playahead"))
    subcommands = parser.add_subcommands(title="commands", dest="command", metavar="COMMAND")
    for name, entry in COMMANDS.items():
        if isinstance(entry, Command):
            subcommands.add_subcommand(name, _leaf(entry, arguments, name), help=entry.summary)
            continue
        group = Parser(description=entry.summary)
        subcommands.add_subcommand(name, group, help=entry.summary)
        inner = group.add_subcommands(title="commands", dest="what", metavar="COMMAND")
        for part, command in entry.commands.items():
            inner.add_subcommand(part, _leaf(command, arguments, name, part), help=command.summary)
    return parser


def _leaf(command: Command, arguments: Sequence[str], *words: str) -> Parser:
    if not all(word in arguments for word in words):
        return Parser()
    function = command.load()
    docstring = parse_docstring(function.__doc__ or "")
    help_of = {param.arg_name: " ".join((param.description or "").split()) for param in docstring.params}
    kinds = function.__annotations__
    flags = {name for name, kind in kinds.items() if kind is bool}
    parser = Parser(
        description=docstring.short_description,
        epilog=f"example: {' '.join(['playahead', *words, command.example]).strip()}",
    )
    if command.positional:
        name, kind = command.positional, kinds[command.positional]
        optional = signature(function).parameters[name].default is not Parameter.empty
        count: dict[str, Any] = {"nargs": "?"} if optional else {}
        if get_origin(kind) is list:
            kind, count = get_args(kind)[0], {"nargs": "*" if optional else "+"}
        parser.add_argument(name, type=kind, help=help_of[name], **count)  # type: ignore[bad-argument-type]
    elsewhere: set[int | str] = {name for name in (command.positional, command.settings, *flags) if name}
    parser.add_function_arguments(function, skip=elsewhere, as_group=False)
    if command.settings:
        _add_settings(parser, kinds[command.settings], command, arguments)
    for name in sorted(flags):
        parser.add_argument(f"--{name}", action="store_true", help=help_of[name])
    if "recipe" not in parser.get_defaults():  # training has sections of its own
        _put_into_sections(parser)
    return parser


def _put_into_sections(parser: Parser) -> None:
    """Sort the options for the help; those without a section stand at the end."""
    sections = {title: parser.add_argument_group(title) for title in _SECTIONS}
    others = parser._optionals
    for action in list(others._group_actions):
        if section := sections.get(_SECTION_OF.get(action.dest, "")):
            others._group_actions.remove(action)
            section._group_actions.append(action)
        elif action.dest == "print_config":
            action.help, action.metavar = "print these options as YAML", ""
    groups: Any = parser._action_groups
    groups.append(groups.pop(groups.index(others)))
    others.title = "other options"


def _add_settings(parser: Parser, kind: type, command: Command, arguments: Sequence[str]) -> None:
    """Add an option for each field of a settings dataclass; defaults come from the recipe that the arguments name.

    Fields of a field, as ``model.slots``, are shown in the help if the command shows them; all can be set.
    """
    switches = [field.name for field in fields(kind) if field.type is bool and field.default is False]
    parser.add_argument("--config", action="config", help="a YAML file of options, as --print-config writes it")
    parser.add_class_arguments(kind, None, as_group=False)
    groups = {action.dest.split(".")[0] for action in parser._actions if "." in action.dest}
    for action in parser._actions:
        is_inside = "." in action.dest and action.dest not in command.shown
        if is_inside or action.dest in groups or action.dest in command.hidden:
            action.is_hidden = True  # type: ignore[attr-defined]
    named = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    named.add_argument("--recipe")
    named.add_argument("--config", type=Path, action="append", default=[])
    named.error = lambda message: parser.error(message)  # type: ignore[method-assign]
    known, _ = named.parse_known_args(list(arguments))
    files = [read_yaml(path) for path in known.config]  # stricter than jsonargparse, which reads them again
    if "recipe" not in parser.get_defaults():
        for action in parser._actions:
            if action.dest in switches:  # ``--video`` alone means true; ``--video false`` stays possible
                action.nargs, action.const = "?", True
        return
    from playahead.lab.recipes import recipe

    in_files = [str(options["recipe"]) for options in files if isinstance(options, dict) and "recipe" in options]
    name = known.recipe or (in_files[-1] if in_files else parser.get_defaults()["recipe"])
    parser.set_defaults(asdict(recipe(name, kind)))


def chosen_command(config: dict[str, Any]) -> tuple[Command, dict[str, Any]]:
    """Command that a parsed configuration names, and its options."""
    name = config["command"]
    entry, options = COMMANDS[name], config[name]
    if isinstance(entry, Command):
        return entry, options
    return entry.commands[options["what"]], options[options["what"]]


def in_options(error: InputError, command: Command) -> str:
    """An error's message with the name of an option (``--every-s``) for the field or argument that it names."""
    function = command.load()
    named = {name: name for name in signature(function).parameters}
    if command.settings:
        named |= _fields_as_options(function.__annotations__[command.settings])
    field = named.get(error.where)
    is_option = field is not None and field != command.positional
    where, fix = as_typed(f"--{field}", Parser.typed) if is_option else error.where, error.fix
    if fix.startswith("drop_bad_rows "):  # few commands have this option
        fix = _spelt_for_people(f"--{fix}") if "drop_bad_rows" in named else ""
    return str(InputError(where, error.what, fix))


def _fields_as_options(kind: type, before: str = "") -> dict[str, str]:
    """``Class.field`` -> name of its option, for a settings dataclass and the dataclasses among its fields."""
    named: dict[str, str] = {}
    hints = get_type_hints(kind)
    for field in fields(kind):
        named[f"{kind.__name__}.{field.name}"] = before + field.name
        if is_dataclass(inner := hints[field.name]):
            named |= _fields_as_options(inner, f"{before}{field.name}.")
    return named


def call(command: Command, options: dict[str, Any]) -> int | None:
    """Call the command's function with settings put together from options.

    Raises:
        ValueError: the paper's configuration refuses a value.
    """
    function: Callable[..., int | None] = command.load()
    if command.settings:
        kind = function.__annotations__[command.settings]
        values = {field.name: options.pop(field.name) for field in fields(kind)}
        options = {**options, command.settings: kind(**values)}
        if command.settings != "config":
            del options["config"]
    return function(**options)
