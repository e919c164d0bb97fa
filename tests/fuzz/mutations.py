"""Ways in which a file can be damaged."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 65_537, 2**31, 10**12, 10**18, 10**400, 1e308,
    float("nan"), float("inf"), 0.5, "", " ", "7", "x" * 5000,
    "\ud800", "[red]", "a\nb", "\x1b[31m", "../../etc/passwd", "/etc/passwd", "C:\\x",
    [], {}, [[]], [None] * 3, {"": {}},
)  # fmt: skip


def damaged_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, cut, doubled, blanked or put in."""
    found = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(0, max(len(found), 1)))
        length = int(rng.integers(1, 64))
        kind = rng.integers(0, 7)
        if kind == 0 and found:
            found[place % len(found)] = int(rng.integers(0, 256))
        elif kind == 1:
            del found[place:]
        elif kind == 2:
            del found[place : place + length]
        elif kind == 3:
            found[place:place] = found[place : place + length]
        elif kind == 4:
            found[place : place + length] = bytes(len(found[place : place + length]))
        elif kind == 5:
            found[place:place] = rng.integers(0, 256, length, np.uint8).tobytes()
        elif found:
            found[place % len(found)] ^= 1 << int(rng.integers(0, 8))
    return bytes(found)


def places(value: Any, here: tuple = ()) -> list[tuple]:
    """The path of every value inside a JSON document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, part in inside for place in places(part, (*here, key)))]


def with_value(document: Any, place: tuple, value: Any) -> Any:
    """The document with one value put in, or taken out where it is ``...``."""
    if not place:
        return value
    copy = json.loads(json.dumps(document))
    holder = copy
    for key in place[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return copy


def odd_document(document: Any, rng: np.random.Generator) -> Any:
    """One to three values replaced by odd ones, or taken out."""
    for _ in range(int(rng.integers(1, 4))):
        found = places(document)
        place = found[int(rng.integers(0, len(found)))]
        choice = int(rng.integers(0, len(ODD_VALUES) + 1))
        value = ODD_VALUES[choice] if choice < len(ODD_VALUES) else ... if place else None
        document = with_value(document, place, value)
    return document


def odd_text(document: Any, rng: np.random.Generator, dumps: Callable[[Any], str] = json.dumps) -> bytes:
    """A document as text that was damaged in its values, its encoding, its keys, its nesting, or its bytes."""
    kind = int(rng.integers(0, 8))
    if kind < 4:
        return dumps(odd_document(document, rng)).encode("utf-8", "surrogatepass")
    text = dumps(document)
    if kind == 4:
        return text.encode(str(rng.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7"])))
    if kind == 5:
        return (str(rng.choice(["[", '{"a":'])) * int(rng.integers(10, 200_000)) + text).encode()
    if kind == 6 and "{" in text:
        return text.replace("{", '{"path": "twice", "path": "clip_1", ', 1).encode()
    return damaged_bytes(text.encode(), rng)
