"""Size and shape of the source, a column for each checkout: ``python benchmarks/house.py [CHECKOUT ...] [--json]``.

This checkout comes last. Options are counted in the help that a checkout's own ``.venv`` prints. ``--into PAGE`` writes
the table between the page's two comments that say ``house``.
"""

import argparse
import ast
import io
import json
import os
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = "src/playahead/"
BACK = ("live", "server", "viewer", "export", "lab", "experiments", "report", "baselines", "simulation", "endtoend")
BACK += ("spotting", "download", "bench", "demo.py")


def files_of(tree: Path) -> dict[str, str]:
    """Text of every Python file of a checkout that git tracks."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=tree, capture_output=True, text=True, check=True)
    return {name: (tree / name).read_text() for name in listed.stdout.split() if (tree / name).exists()}


_COUNT = """
import argparse, io, contextlib, re
from playahead.cli.main import run
from playahead.cli.registry import COMMANDS, Command
options = lines = 0
for name, entry in COMMANDS.items():
    for words in [[name]] if isinstance(entry, Command) else [[name, part] for part in entry.commands]:
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            run([*words, "--help"])
        options += len(re.findall(r"^  --(?!config |print)[a-z]", text.getvalue(), re.MULTILINE))
        lines = text.getvalue().count("\\n") if words == ["train", "feed"] else lines
print(options, lines)
"""


def settings_of(tree: Path) -> dict[str, int]:
    """Options in the help of all commands, and lines of the help of ``train feed``, at 80 columns."""
    ended = subprocess.run(
        [tree / ".venv/bin/python", "-c", _COUNT],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    options, lines = map(int, ended.stdout.split()[-2:])
    return {"settings on the command line": options, "lines of `train feed --help`": lines}


def comment_lines(text: str) -> int:
    """Lines that are a comment, or end in one."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT and not token.string.startswith("# noqa") for token in tokens)


def import_lines(tree: ast.Module) -> int:
    """Lines of import statements, wherever they stand."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes)


def imports_of(tree: ast.Module) -> set[str]:
    """Dotted names that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def house(tree: Path) -> dict[str, Any]:
    """All figures of a checkout."""
    texts = files_of(tree)
    source = {name[len(PACKAGE) :]: text for name, text in texts.items() if name.startswith(PACKAGE)}
    trees = {name: ast.parse(text) for name, text in source.items()}
    lines = {name: len(text.splitlines()) for name, text in source.items()}
    areas: Counter[str] = Counter()
    for name, count in lines.items():
        areas[PurePosixPath(name).parts[0]] += count
    modules = {name: "playahead." + name.removesuffix(".py").replace("/", ".") for name in source}
    users = Counter(used for tree in trees.values() for used in imports_of(tree) & set(modules.values()))
    functions = [
        n for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    docstrings = [
        text
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
        and (text := ast.get_docstring(node))
    ]
    total = sum(lines.values())
    tests = {name: text for name, text in texts.items() if name.startswith("tests/")}
    behind = sum(count for name, count in lines.items() if PurePosixPath(name).parts[0] in BACK)
    return {
        "lines": total,
        "files": len([name for name in source if not name.endswith("__init__.py")]),
        "lines a file": round(total / max(len([n for n in source if not n.endswith("__init__.py")]), 1)),
        "lines outside live/ and lab/ (and what they were made of)": total - behind,
        "lines of paper/": areas.get("paper", 0),
        "files under 45 lines": sum(c < 45 for n, c in lines.items() if not n.endswith("__init__.py")),
        "comments, % of lines": round(100 * sum(map(comment_lines, source.values())) / total, 1),
        "imports, % of lines": round(100 * sum(map(import_lines, trees.values())) / total, 1),
        "modules with one importer": sum(
            users[m] == 1 for n, m in modules.items() if not n.startswith("cli/") and not n.endswith("__init__.py")
        ),
        "functions": len(functions),
        "top-level rooms": len(areas) - sum(name.startswith("__init__") for name in areas),
        "docstrings that begin with What, Of, That, As, How": sum(
            bool(re.match(r"(What|Of|That|As|How)\b", text)) for text in docstrings
        ),
        "test lines": sum(len(text.splitlines()) for text in tests.values()),
        "imports between test modules": sum(
            bool(re.match(r"\s*from tests\.[\w.]*test_\w+ import", line))
            for t in tests.values()
            for line in t.splitlines()
        ),
        **settings_of(tree),
        "areas": dict(sorted(areas.items(), key=lambda item: -item[1])),
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    columns = {commit_of(tree): house(tree) for tree in (*options.checkouts, ROOT)}
    if options.json:
        print(json.dumps(columns, indent=1))
        return
    table = "\n".join(rows_of(columns))
    if options.into is None:
        print(table)
        return
    page = options.into.read_text()
    begin, end = "<!-- house: begin -->\n", "<!-- house: end -->"
    before, after = page.split(begin)[0], page.split(end)[1]
    options.into.write_text(f"{before}{begin}{table}\n{end}{after}")


def commit_of(tree: Path) -> str:
    """Short name of a checkout's commit."""
    ended = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=tree, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def rows_of(columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield f"| | {' | '.join(columns)} |"
    yield f"|---{'|---' * len(columns)}|"
    for figure in next(iter(columns.values())):
        if figure != "areas":
            yield f"| {figure} | {' | '.join(f'{column[figure]:,}' for column in columns.values())} |"
    for room in dict.fromkeys(room for column in columns.values() for room in column["areas"]):
        counts = (column["areas"].get(room, 0) for column in columns.values())
        yield f"| lines of `{room}` | {' | '.join(f'{count:,}' if count else '' for count in counts)} |"


if __name__ == "__main__":
    main()
