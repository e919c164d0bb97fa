"""The public list (``__init__.pyi``) is complete, documented, and cheap to import."""

import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import playahead
from playahead.io import errors

STUB = Path(playahead.__file__).with_suffix(".pyi")
API_PAGE = Path(__file__).parents[1] / "docs" / "api.md"


def test_every_public_name_is_documented():
    assert len(playahead.__all__) > 50
    assert dir(playahead) == playahead.__all__ == sorted(playahead.__all__)
    for name in playahead.__all__:
        assert getattr(playahead, name).__doc__, name


def test_the_page_of_the_api_has_every_public_name():
    described = set(re.findall(r"^::: ([\w.]+)$", API_PAGE.read_text(), re.MULTILINE))
    homes = re.findall(r"^from \.([\w.]+) import (.+?)(?=^from|\Z)", STUB.read_text(), re.MULTILINE | re.DOTALL)
    names = [(f"playahead.{home}", name) for home, listed in homes for name in re.findall(r"(\w+) as", listed)]
    assert len(names) == len(playahead.__all__)
    assert not [f"{home}.{name}" for home, name in names if not {home, f"{home}.{name}"} & described]


def test_the_page_of_the_api_follows_the_order_of_use():
    described = re.findall(r"^::: [\w.]+\.(\w+)$", API_PAGE.read_text(), re.MULTILINE)
    order = [
        "read_feed",
        "predict",
        "PredictConfig",
        "PredictResult",
        "curves",
        "open_predictor",
        "Predictor",
        "evaluate",
    ]
    assert [name for name in described if name in order] == order
    assert len(described) == len(set(described))


def test_the_page_of_the_api_has_all_that_the_readme_calls():
    page, pages = API_PAGE.read_text(), [API_PAGE.parents[1] / "README.md", API_PAGE.parent / "tutorial.md"]
    described = [pydoc.locate(name) for name in re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE)]
    assert None not in described
    programs = "".join("".join(re.findall(r"```python\n(.+?)```", p.read_text(), re.DOTALL)) for p in pages)
    for name in re.findall(r"playahead\.(\w+)", programs):
        assert getattr(playahead, name) in described, name
    for name in {"anticipate_at", "prepare", "to_frame"} | set(
        re.findall(r"\b(?:predictor|result)\.(\w+)\(", programs)
    ):
        assert any(name in vars(found) for found in described if isinstance(found, type)), name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = playahead.nonsense


def test_scoring_decoding_and_submitting_need_no_torch():
    modules = ["evaluation.official", "evaluation.submission", "decoding.decoder", "domain.records"]
    program = f"import sys, {', '.join(f'playahead.{name}' for name in modules)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_package_is_typed():
    assert (Path(playahead.__file__).parent / "py.typed").exists()


def test_the_whole_error_tree_is_exported():
    raised = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert set(raised) <= set(playahead.__all__)
