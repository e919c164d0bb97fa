"""Watch 30 s of football, say what happens in the next 5.

The short public list: load a model, anticipate from features or a feed, score, write a submission.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playahead.api import anticipate_features, anticipate_feed, load, score
    from playahead.domain.actions import ACTIONS, Action
    from playahead.domain.records import ActionEvent, Anticipation, Clip
    from playahead.errors import PlayaheadError
    from playahead.sources.wyscout import read_wyscout_match
    from playahead.submission.check import check_submission
    from playahead.submission.write import write_submission

_HOMES = {
    "ACTIONS": "domain.actions",
    "Action": "domain.actions",
    "ActionEvent": "domain.records",
    "Anticipation": "domain.records",
    "Clip": "domain.records",
    "PlayaheadError": "errors",
    "anticipate_features": "api",
    "anticipate_feed": "api",
    "check_submission": "submission.check",
    "load": "api",
    "read_wyscout_match": "sources.wyscout",
    "score": "api",
    "write_submission": "submission.write",
}

__all__ = [
    "ACTIONS",
    "Action",
    "ActionEvent",
    "Anticipation",
    "Clip",
    "PlayaheadError",
    "anticipate_features",
    "anticipate_feed",
    "check_submission",
    "load",
    "read_wyscout_match",
    "score",
    "write_submission",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``import playahead`` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'playahead' has no attribute {name!r}")
    return getattr(import_module(f"playahead.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
