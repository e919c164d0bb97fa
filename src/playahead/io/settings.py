"""Settings from outside (a weights file, a manifest, a grid) -> the dataclass that they belong to, types checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentParser

from playahead.io.errors import InputError, PlayaheadError
from playahead.io.files import require_file

_MOST_BYTES = 1 << 20
_MOST_NODES = 20_000
_DEEPEST = 20

Settings = TypeVar("Settings")


def build(kind: type[Settings], values: object, where: object) -> Settings:
    """Settings as their dataclass, nested ones included.

    Args:
        kind: the dataclass.
        values: a mapping as JSON or YAML gives it.
        where: names the file or entry in errors.

    Raises:
        InputError: a setting that is missing, unknown, of another type, or refused by the dataclass.
    """
    if not isinstance(values, Mapping):
        raise InputError(where, f"expected settings, found {type(values).__name__}")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "settings")
    try:
        found: Any = parser.instantiate(parser.parse_object({"settings": dict(values)}))
    except PlayaheadError as reason:
        raise InputError(where, reason) from None
    except Exception as reason:  # jsonargparse raises argparse's and its own
        said = " ".join(str(reason).split()).replace("settings.", "")
        raise InputError(where, said[:300]) from None
    return found.settings


def read_yaml(path: Path) -> object:
    """A small YAML file, in plain values.

    Raises:
        InputError: missing, no ordinary file, not YAML, a key twice in one mapping (with its line), or nested or
            repeated (by aliases) beyond any use.
    """
    require_file(path, _MOST_BYTES)
    try:
        text = path.read_text(encoding="utf-8")
        _require_shallow(text, path)
        root = yaml.compose(text, yaml.SafeLoader)
        if root is not None and _size(root, {}) > _MOST_NODES:
            raise InputError(path, f"holds more than {_MOST_NODES:,} values once its aliases are written out")
        _require_no_twins(root, path, set())
        return yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as reason:
        raise InputError(path, f"cannot be read as YAML ({' '.join(str(reason).split())})") from None


def _require_shallow(text: str, path: Path) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(path, f"is nested more than {_DEEPEST} deep")


def _require_no_twins(node: yaml.Node | None, path: Path, done: set[int]) -> None:
    """Refuse a key that stands twice, of which PyYAML takes the last without a word."""
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
    """Values below a node, each alias counted in full; a node inside itself counts without end."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST_NODES + 1  # until it is known: an alias to what holds it
    inside = node.value if isinstance(node, yaml.CollectionNode) else []
    size = 1 + sum(_size(part, known) for item in inside for part in (item if isinstance(item, tuple) else (item,)))
    known[id(node)] = size
    return size
