"""Words of every configuration are checked where it is built in Python, and none is built by position."""

from dataclasses import is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_type_hints

import pytest

import playahead
from playahead.io.errors import InputError
from playahead.io.settings import choices
from playahead.variants.config import AnticipatorConfig

NAMES = [
    module.name
    for module in walk_packages(playahead.__path__, "playahead.")
    if not module.name.startswith("playahead.cli")
]
CONFIGS = {
    member
    for name in NAMES
    for member in vars(import_module(name)).values()
    if is_dataclass(member) and isinstance(member, type) and member.__name__.endswith(("Config", "Options"))
}
WORDS = sorted(
    ((config, name) for config in CONFIGS for name, hint in get_type_hints(config).items() if choices(hint)),
    key=lambda pair: (pair[0].__name__, pair[1]),
)


def needed(config: type) -> dict[str, Any]:
    model = AnticipatorConfig(feature_dim=8)
    return {"AnticipatorConfig": {"feature_dim": 8}, "TrainConfig": {"model": model}}.get(config.__name__, {})


@pytest.mark.parametrize(("config", "name"), WORDS, ids=lambda value: getattr(value, "__name__", value))
def test_another_word_is_refused(config, name):
    with pytest.raises(InputError, match="is not one of"):
        config(**needed(config), **{name: "whatever"})


@pytest.mark.parametrize("config", sorted(CONFIGS, key=lambda config: config.__name__), ids=lambda c: c.__name__)
def test_nothing_is_configured_by_position(config):
    with pytest.raises(TypeError, match="positional argument"):
        config(*needed(config).values(), 1)


def test_there_is_something_to_test_and_the_class_is_named():
    assert {"LossConfig", "OptimConfig", "TrainConfig", "PredictConfig"} <= {c.__name__ for c in CONFIGS}
    assert len(WORDS) > 20
    with pytest.raises(InputError, match=r"^ExtractConfig\.luma: 'dark' is not one of limited, full"):
        playahead.ExtractConfig(luma="dark")  # type: ignore[arg-type]
