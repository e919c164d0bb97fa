"""Words of a configuration: those that its types name, also where it is built in Python and not from options."""

from dataclasses import fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from playahead.io.errors import InputError


def check_choices(config: Any, where: str) -> None:
    """Check every field of a dataclass whose type is a ``Literal``, or one or None.

    Args:
        config: the dataclass.
        where: what its fields are called in errors, as ``optim`` in ``optim.kind``.

    Raises:
        InputError: the field, what it holds, and what it may hold.
    """
    hints = get_type_hints(type(config))
    for field in fields(config):
        value, allowed = getattr(config, field.name), _choices(hints[field.name])
        if allowed and not any(type(value) is type(choice) and value == choice for choice in allowed):
            listed = ", ".join(str(choice) for choice in allowed if choice is not None)
            raise InputError(f"{where}.{field.name}", f"{value!r} is not one of {listed}")


def _choices(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) not in (Union, UnionType):
        return ()
    parts = get_args(hint)
    if not all(part is type(None) or get_origin(part) is Literal for part in parts):
        return ()
    return tuple(choice for part in parts for choice in (get_args(part) or (None,)))
