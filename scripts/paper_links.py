"""Point the links of docs/paper.md at the lines that implement its statements: ``python scripts/paper_links.py``.

A link's text says what it points at:

* a file and a line of it, as `paper/memory.py:41`, in a row of a table: the line that carries the row's letter in
  parentheses, as (1.2 g);
* a file alone, as `paper/memory.py`: the file;
* `Eq. (5)`: the line of that file that has "Eq. (5):";
* a name, as `Loop.backward`: its definition, wherever in src/playahead it is. Of several, the one in the file that the
  link names already.

Only paths and line numbers change, so a page is up to date when the script leaves it as it is.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "paper.md"
SOURCE = ROOT / "src" / "playahead"
LINK = re.compile(r"\[`([^`\]]+)`\]\(\.\./src/playahead/([\w/]+\.py)(?:#L\d+)?\)")
SECTION = re.compile(r"^## (1\.\d) ")
ROW = re.compile(r"^\| ([a-z]) \| ")
PARENTHESES = re.compile(r"\(([^()]*)\)")
LETTERS = re.compile(r"\b(1\.[1-4]) ([a-z](?:, [a-z])*)\b")
Place = tuple[str, int]


def markers() -> dict[tuple[str, str], int]:
    """Line of every statement's mark in paper/, by (statement, file): ("1.2 g", "paper/memory.py") -> 41.

    Raises:
        ValueError: a file marks a statement twice.
    """
    lines: dict[tuple[str, str], int] = {}
    for file in sorted((SOURCE / "paper").glob("[!_]*.py")):
        name = file.relative_to(SOURCE).as_posix()
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            for section, letters in (m for inside in PARENTHESES.findall(line) for m in LETTERS.findall(inside)):
                for letter in letters.split(", "):
                    if (f"{section} {letter}", name) in lines:
                        raise ValueError(f"{name}:{number}: ({section} {letter}) is marked above already")
                    lines[f"{section} {letter}", name] = number
    return lines


@cache
def definitions() -> dict[str, list[Place]]:
    """Where each function, class, method, constant and field is defined."""
    places: dict[str, list[Place]] = defaultdict(list)
    for file in sorted(SOURCE.rglob("*.py")):
        for name, line in _names(ast.parse(file.read_text()).body):
            places[name].append((file.relative_to(SOURCE).as_posix(), line))
    return places


def _names(body: list[ast.stmt], before: str = "") -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield before + node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, f"{before}{node.name}.")
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from ((before + target.id, node.lineno) for target in targets if isinstance(target, ast.Name))


def place_of(text: str, file: str, statement: str, marked: dict[tuple[str, str], int]) -> Place:
    """File and line that a link points at; line 0 is the file as a whole.

    Args:
        text: text of the link.
        file: file that the link names, under src/playahead.
        statement: row that the link stands in, as "1.2 g"; empty outside of rows.
        marked: see ``markers``.

    Raises:
        ValueError: there is no such place.
    """
    if re.fullmatch(r"[\w/]+\.py:\d+", text):
        if (statement, file) not in marked:
            raise ValueError(f"no line of {file} is marked ({statement})")
        return file, marked[statement, file]
    if text.endswith(".py"):
        (SOURCE / text).stat()
        return text, 0
    if text.startswith("Eq. "):
        for number, line in enumerate((SOURCE / file).read_text().splitlines(), start=1):
            if f"{text}:" in line:
                return file, number
        raise ValueError(f"no line of {file} has {text}:")
    places = definitions().get(text, [])
    here = [place for place in places if place[0] == file] or places
    if len(here) != 1:
        raise ValueError(f"{text} is defined {len(here)} times, in {', '.join(name for name, _ in here) or 'no file'}")
    return here[0]


def updated(page: str) -> str:
    """The page with every link at its line."""
    marked, section, lines = markers(), "", []
    for line in page.splitlines(keepends=True):
        if line.startswith("## "):
            section = match[1] if (match := SECTION.match(line)) else ""
        row = ROW.match(line)
        statement = f"{section} {row[1]}" if section and row else ""

        def link(match: re.Match[str], statement: str = statement) -> str:
            file, number = place_of(match[1], match[2], statement, marked)
            text = f"{file}:{number}" if ".py:" in match[1] else match[1]
            return f"[`{text}`](../src/playahead/{file}{f'#L{number}' if number else ''})"

        lines.append(LINK.sub(link, line))
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
