"""Settings from outside (a weights file, a manifest, a grid) -> the dataclass that they belong to, values checked."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml
from jsonargparse import ArgumentParser

from playahead.io.errors import InputError, PlayaheadError
from playahead.io.files import require_file

_MAX_BYTES = 1 << 20
_MAX_NODES = 20_000
_MAX_DEPTH = 20

Settings = TypeVar("Settings")


def build(kind: type[Settings], values: object, where: object) -> Settings:
    """Build the dataclass of settings, nested ones included.

    Args:
        kind: the dataclass.
        values: a mapping as JSON or YAML gives it.
        where: the file or entry, for errors.

    Raises:
        InputError: a setting that is missing, unknown, of another type, or refused by the dataclass.
    """
    if not isinstance(values, Mapping):
        raise InputError(where, f"expected settings, got {type(values).__name__}")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "settings")
    try:
        parsed: Any = parser.instantiate(parser.parse_object({"settings": dict(values)}))
    except PlayaheadError as reason:
        raise InputError(where, reason) from None
    except Exception as reason:  # jsonargparse raises argparse's and its own
        what = " ".join(str(reason).split()).replace("settings.", "")
        raise InputError(where, what[:300]) from None
    return parsed.settings


def check_choices(config: Any) -> None:
    """Check every field of a dataclass whose type is a ``Literal``, or one or None.

    Raises:
        InputError: a field holds another value than its type lists.
    """
    hints = get_type_hints(type(config))
    for field in fields(config):
        value, allowed = getattr(config, field.name), choices(hints[field.name])
        if allowed and not any(type(value) is type(choice) and value == choice for choice in allowed):
            listed = ", ".join(str(choice) for choice in allowed if choice is not None)
            raise InputError(f"{type(config).__name__}.{field.name}", f"{value!r} is not one of {listed}")


def check_counts(config: Any, *names: str) -> None:
    """Check that these fields of a dataclass are 1 or more.

    Raises:
        InputError: one is not.
    """
    for name in names:
        if getattr(config, name) < 1:
            raise InputError(f"{type(config).__name__}.{name}", f"{getattr(config, name)} is below 1")


def choices(hint: Any) -> tuple[Any, ...]:
    """Values of a type that is a ``Literal``, or one or None; empty for other types."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not all(part is type(None) or get_origin(part) is Literal for part in parts):
        return ()
    return tuple(choice for part in parts for choice in (get_args(part) or (None,)))


def read_yaml(path: Path) -> object:
    """Read a small YAML file as plain values.

    Raises:
        InputError: missing, no ordinary file, not YAML, a key twice in one mapping (with its line), or too large once
            its aliases are written out.
    """
    require_file(path, _MAX_BYTES)
    try:
        text = path.read_text(encoding="utf-8")
        _require_shallow(text, path)
        root = yaml.compose(text, yaml.SafeLoader)
        if root is not None and _size(root, {}) > _MAX_NODES:
            raise InputError(path, f"holds more than {_MAX_NODES:,} values once its aliases are written out")
        _require_no_twins(root, path, set())
        return yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as reason:
        raise InputError(path, f"cannot be read as YAML ({' '.join(str(reason).split())})") from None


def _require_shallow(text: str, path: Path) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError(path, f"is nested more than {_MAX_DEPTH} deep")


def _require_no_twins(node: yaml.Node | None, path: Path, done: set[int]) -> None:
    """Refuse a key that stands twice; PyYAML would silently take the last."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                where = f"{path}, line {key.start_mark.line + 1}"
                raise InputError(where, f"key {key.value!r} twice in one mapping", "only one of them would count")
            seen.add((key.tag, str(key.value)))
    for item in node.value:
        for part in item if isinstance(item, tuple) else (item,):
            _require_no_twins(part, path, done)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Number of values below a node, each alias counted in full; a node inside itself exceeds any limit."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MAX_NODES + 1  # until it is counted: an alias may refer to a node that contains it
    inside = node.value if isinstance(node, yaml.CollectionNode) else []
    size = 1 + sum(_size(part, known) for item in inside for part in (item if isinstance(item, tuple) else (item,)))
    known[id(node)] = size
    return size
