"""The ten actions of SoccerNet Ball Action Anticipation, in benchmark order."""

from collections.abc import Sequence
from enum import StrEnum

from playahead.io.errors import InputError, RecordError


class Action(StrEnum):
    """A ball action; its value is the benchmark's label, its index the benchmark's class index."""

    PASS = "PASS"
    DRIVE = "DRIVE"
    HEADER = "HEADER"
    HIGH_PASS = "HIGH PASS"
    THROW_IN = "THROW IN"
    CROSS = "CROSS"
    SHOT = "SHOT"
    OUT = "OUT"
    BLOCK = "BALL PLAYER BLOCK"
    TACKLE = "PLAYER SUCCESSFUL TACKLE"

    @property
    def class_index(self) -> int:
        """Class index, 0 to 9. (The benchmark's vectors put the background before it.)"""
        return _INDEX[self]


ACTIONS: tuple[Action, ...] = tuple(Action)
_INDEX = {action: index for index, action in enumerate(ACTIONS)}

OUTSIDE_LABELS = frozenset({"FREE KICK", "GOAL"})
"""Labels of Ball Action Spotting that the anticipation benchmark drops."""

OBSERVED_TOKENS: tuple[str, ...] = ("DUEL", "SAVE", "STOPPAGE", "TOUCH")
"""Tokens of an event feed beside the ten actions: observed (codes 10 to 13), never anticipated."""

ALIASES = {
    "BLOCK": Action.BLOCK,
    "TACKLE": Action.TACKLE,
    "SUCCESSFUL TACKLE": Action.TACKLE,
}


_LABELS = (*ACTIONS, *ALIASES)


def label_words(label: str) -> str:
    """A label in capitals, its words parted by one space: ``"high_pass"`` and ``"High-pass"`` -> ``"HIGH PASS"``."""
    return " ".join(str(label).replace("_", " ").replace("-", " ").upper().split())


def actions_named(names: Sequence[str]) -> list[Action]:
    """Actions by their names, in any spelling.

    Raises:
        InputError: one is no action.
    """
    named = {name: parse_action(name) if label_words(name) in _LABELS else None for name in names}
    if unknown := [name for name, action in named.items() if action is None]:
        known = ", ".join((*ACTIONS[:-2], "block", "tackle"))
        raise InputError("of", f"{unknown[0].strip()!r} is no action", f"one of {known.lower()}")
    return [action for action in named.values() if action is not None]


def parse_action(label: str) -> Action | None:
    """Read a label in any case, with spaces, underscores or dashes.

    Returns:
        The action, or None for a label that the benchmark drops (``OUTSIDE_LABELS``).

    Raises:
        RecordError: the label is neither.
    """
    words = label_words(label)
    if words in OUTSIDE_LABELS:
        return None
    if words in ALIASES:
        return ALIASES[words]
    try:
        return Action(words)
    except ValueError:
        raise RecordError(f"unknown label {label!r}: expected one of {', '.join(ACTIONS)}") from None
