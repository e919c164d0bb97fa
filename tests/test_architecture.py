"""The table of packages and the walks in docs/architecture.md, held to the code."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "playahead"
FILES = sorted(PACKAGE.rglob("*.py"))
PAGE = (ROOT / "docs" / "architecture.md").read_text()
COMMANDS = sorted((PACKAGE / "cli" / "commands").glob("*.py"))
WITHOUT_TORCH = (
    *("domain/", "sources/", "evaluation/", "decoding/", "video/", "features/feed.py", "features/store.py"),
    *("features/now.py", "features/hindsight.py", "features/forms.py", "inference/moment_predictor.py"),
    *("paper/inference.py", "lab/report/", "lab/baselines.py", "lab/simulation/", "lab/download"),
)


def name_of(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def package_of(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


@cache
def imports_of(file: Path) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return frozenset(found)


def ours(file: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(file) if name.startswith("playahead.")} - {package_of(file)}


def table(start: str, end: str) -> list[list[str]]:
    rows = re.findall(r"^\| `.+\|$", PAGE.split(start)[1].split(end)[0], re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def may_import() -> dict[str, set[str]]:
    """The documented table: package -> packages that it may import."""
    allowed: dict[str, set[str]] = {}
    for package, _, others in table("## Packages", "\n\n"):
        named = {name.split(".")[0] for name in re.findall(r"`([\w.]+)`", others)}
        if others.startswith(("all above", "everything")):
            named = {package_of(file) for file in FILES} - named if others.startswith("everything but") else named
            named = set(allowed) - {"training"} if others.startswith("all above") else named
        name = package.strip("`/")
        allowed[name] = {package_of(file) for file in FILES} if others == "everything" else named
    return allowed


def test_packages_import_what_the_table_says():
    allowed = may_import()
    assert set(allowed) == {package_of(file) for file in FILES} - {"__init__"}
    wrong = [(name_of(file), ours(file) - allowed[package_of(file)]) for file in FILES if package_of(file) in allowed]
    assert not [(name, extra) for name, extra in wrong if extra]


def test_the_paper_stands_alone():
    """Torch, NumPy, SciPy, the actions and the grid; nothing else of ours."""
    for file in (PACKAGE / "paper").glob("*.py"):
        ours_here = {name for name in imports_of(file) if name.startswith("playahead.")}
        assert all(re.match(r"playahead\.(paper|domain\.actions|domain\.grid)\b", name) for name in ours_here), file


def test_what_starts_quickly_does_not_import_torch():
    for file in FILES:
        if name_of(file).startswith(WITHOUT_TORCH):
            assert not {name.split(".")[0] for name in imports_of(file)} & {"torch", "lightning_fabric"}, file


def test_no_two_modules_and_no_two_packages_import_each_other():
    modules = {}
    for file in FILES:
        name = "playahead." + ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        modules[name.removesuffix(".__init__")] = {
            found for found in imports_of(file) if found.startswith("playahead.")
        }
    modules.pop("playahead")
    packages: dict[str, set[str]] = {}
    for file in FILES:
        if package_of(file) != "__init__":
            packages.setdefault(package_of(file), set()).update(ours(file))
    for needs in (modules, packages):
        ordered: set[str] = set()
        while len(ordered) < len(needs):
            free = {name for name in needs if name not in ordered and (needs[name] & needs.keys()) - {name} <= ordered}
            assert free, f"a circle among {sorted(set(needs) - ordered)}"
            ordered |= free


def test_commands_are_short_and_import_no_other():
    for file in COMMANDS:
        assert not [name for name in imports_of(file) if name.startswith("playahead.cli.commands")], file
        assert len(file.read_text().splitlines()) <= 130, file


def test_each_file_of_a_walk_is_called_by_one_before_it():
    for command, cell in table("## Walks", "## Packages"):
        files = re.findall(r"`([\w/]+)`", cell)
        assert len(files) == len(set(files)) <= (8 if "predict" in command else 11), command
        for index, name in enumerate(files[1:], start=1):
            imported = set().union(*(imports_of(PACKAGE / f"{earlier}.py") for earlier in files[:index]))
            if not name.startswith("cli/commands/"):  # the registry finds commands by name
                assert f"playahead.{name.replace('/', '.')}" in imported, f"{command}: nothing before {name} imports it"


def test_one_place_renames_files():
    pattern = r"\b(?:part|aside|temporary)\w*\.(?:replace|rename)\(|os\.(?:replace|rename)\("
    assert [name_of(file) for file in FILES if re.search(pattern, file.read_text())] == ["io/files.py"]


def test_functions_have_at_most_eight_arguments():
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert len(node.args.args) + len(node.args.kwonlyargs) <= 8, (name_of(file), node.name)


def test_packages_keep_to_their_lines():
    """docs/architecture.md: growth is a decision."""
    sentence = PAGE.split("at most this many lines")[1].split("\n\n")[0]
    budgets = {name: int(most) for name, most in re.findall(r"`(\w+)` (\d{3,4})\b", sentence)}
    assert set(budgets) == {package_of(file) for file in FILES} - {"__init__"}
    lines = dict.fromkeys(budgets, 0)
    for file in FILES:
        if package_of(file) != "__init__":
            lines[package_of(file)] += len(file.read_text().splitlines())
    over = [f"{name} has {count} lines, not {budgets[name]}" for name, count in lines.items() if count > budgets[name]]
    assert not over, f"{over}: raise the figure in docs/architecture.md (Packages), and say why in the commit"
