"""Size and shape of the source: ``python benchmarks/house.py [REVISION ...] [--json]``, a column for each revision.

Lines, files, comments, imports and modules with one importer are counted on the files of a revision (the working tree
if none is named), settings from the help of the commands, walks from docs/architecture.md.
"""

import argparse
import ast
import io
import json
import re
import subprocess
import tokenize
from collections import Counter
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PACKAGE = "src/playahead/"
BACK = ("live", "server", "viewer", "export", "lab", "experiments", "report", "baselines", "simulation", "endtoend")
BACK += ("spotting", "download", "bench", "demo.py")


def files_of(revision: str | None) -> dict[str, str]:
    """Text of every Python file of a revision under src/, tests/ and benchmarks/."""
    if revision is None:
        listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
        return {name: (ROOT / name).read_text() for name in listed.stdout.split() if (ROOT / name).exists()}
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = [member for member in tar.getmembers() if member.name.endswith(".py")]
        return {member.name: tar.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]


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


def house(revision: str | None) -> dict[str, object]:
    """All figures of a revision."""
    texts = files_of(revision)
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
        "areas": dict(sorted(areas.items(), key=lambda item: -item[1])),
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revisions", nargs="*")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    columns = {name: house(name) for name in options.revisions} | {"working tree": house(None)}
    if options.json:
        print(json.dumps(columns, indent=1))
        return
    print(f"| | {' | '.join(columns)} |\n|---{'|---' * len(columns)}|")
    for figure in next(iter(columns.values())):
        if figure != "areas":
            print(f"| {figure} | {' | '.join(f'{column[figure]:,}' for column in columns.values())} |")
    rooms = dict.fromkeys(room for column in columns.values() for room in column["areas"])  # type: ignore[union-attr]
    for room in rooms:
        counts = (column["areas"].get(room, 0) for column in columns.values())  # type: ignore[union-attr]
        print(f"| `{room}` | {' | '.join(f'{count:,}' if count else '' for count in counts)} |")


if __name__ == "__main__":
    main()
