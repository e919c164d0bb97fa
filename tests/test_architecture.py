"""The table of packages in docs/architecture.md, held to the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "playahead"
WITHOUT_TORCH = {"domain", "sources", "evaluation", "submission", "decoding", "baselines", "report", "simulation"}
WITHOUT_TORCH |= {"video", "download"}
WITHOUT_TORCH_FILES = ("features/feed.py", "features/store.py")
FILES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = {"demo", "cli"}
COMMAND_LINES = 80
ALL_COMMAND_LINES = 1000


@cache
def may_import() -> dict[str, set[str]]:
    """The documented table: package -> packages that it may import."""
    table = (ROOT / "docs" / "architecture.md").read_text().split("## Packages")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)/?` \|.*\| (.+?) \|$", table, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", allowed)) | {"errors", "choices"} for name, allowed in rows}


def package_of(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "playahead":
            found |= {f"playahead.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def ours(file: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(file) if name.startswith("playahead.")} - {package_of(file)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_package_imports_only_what_it_may(file):
    package = package_of(file)
    if package not in EVERYTHING | {"__init__"}:
        assert ours(file) <= may_import()[package]
    if package in WITHOUT_TORCH or file.relative_to(PACKAGE).as_posix() in WITHOUT_TORCH_FILES:
        assert not {name.split(".")[0] for name in imports_of(file)} & {"torch", "lightning_fabric"}


def test_the_documented_packages_are_those_there_are():
    assert set(may_import()) == {package_of(file) for file in FILES} - {"__init__"}


def test_no_two_packages_import_each_other_even_through_others():
    needs: dict[str, set[str]] = {}
    for file in FILES:
        if package_of(file) != "__init__":
            needs.setdefault(package_of(file), set()).update(ours(file))
    ordered: list[str] = []
    while len(ordered) < len(needs):
        free = [name for name in needs if name not in ordered and needs[name] <= set(ordered)]
        assert free, f"a circle among {sorted(set(needs) - set(ordered))}"
        ordered += free


def test_no_two_modules_import_each_other():
    needs = {}
    for file in FILES:
        name = "playahead." + ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        needs[name.removesuffix(".__init__")] = {found for found in imports_of(file) if found.startswith("playahead.")}
    needs.pop("playahead")
    for name in needs:
        needs[name] &= needs.keys()
    ordered: set[str] = set()
    while len(ordered) < len(needs):
        free = {name for name in needs if name not in ordered and needs[name] - {name} <= ordered}
        assert free, f"a circle among {sorted(set(needs) - ordered)}"
        ordered |= free


COMMANDS = sorted((PACKAGE / "cli" / "commands").glob("*.py"))


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: file.stem)
def test_a_command_is_short_and_imports_no_other(file):
    assert not [name for name in imports_of(file) if name.startswith("playahead.cli.commands")]
    assert len(file.read_text().splitlines()) <= COMMAND_LINES


def test_the_commands_are_short_together():
    assert sum(len(file.read_text().splitlines()) for file in COMMANDS) <= ALL_COMMAND_LINES


def walks() -> list[tuple[str, list[str]]]:
    """The documented walks: command -> files in the order in which they are read."""
    table = (ROOT / "docs" / "architecture.md").read_text().split("## Walks")[1].split("## Packages")[0]
    return [
        (c, re.findall(r"`([\w/]+)`", files))
        for c, files in re.findall(r"^\| `(.+?)` \| (.+) \|$", table, re.MULTILINE)
    ]


@pytest.mark.parametrize(("command", "files"), walks(), ids=[command for command, _ in walks()])
def test_a_walk_is_short_and_each_file_is_called_by_one_before_it(command, files):
    assert len(files) == len(set(files)) <= (8 if command.startswith("predict") else 11)
    for index, name in enumerate(files[1:], start=1):
        module = f"playahead.{name.replace('/', '.')}"
        imported = set().union(*(imports_of(PACKAGE / f"{earlier}.py") for earlier in files[:index]))
        if not name.startswith("cli/commands/"):  # the registry finds commands by name
            assert module in imported, f"nothing before {name} imports it"


def test_one_place_renames_files():
    renames = [
        file.relative_to(PACKAGE).as_posix()
        for file in FILES
        if re.search(r"\b(?:part|aside|temporary)\w*\.(?:replace|rename)\(|os\.(?:replace|rename)\(", file.read_text())
    ]
    assert renames == ["files.py"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_functions_have_at_most_eight_arguments(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert len(node.args.args) + len(node.args.kwonlyargs) <= 8, node.name
