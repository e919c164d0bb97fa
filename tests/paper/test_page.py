"""docs/paper.md against the code that it names; the paper's size; its picture and its example."""

import ast
import re
import runpy
from pathlib import Path

import numpy as np
from scripts import draw_model, paper_links

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "paper.md").read_text()
PAPER = sorted((ROOT / "src" / "playahead" / "paper").glob("*.py"))
EXAMPLE = ROOT / "examples" / "paper_loop.py"
STATEMENT = re.compile(r"^\| ([a-z]) \| .+ \| [PLSDC, ]+ \| (\[`.+\)) \| `(.+?\.py)` `(test_\w+)` \|$")


def statements() -> list[tuple[str, str]]:
    """("1.2 g", its row) for every row of 1.1 to 1.4."""
    rows, section = [], ""
    for line in PAGE.splitlines():
        if line.startswith("## "):
            section = match[1] if (match := paper_links.SECTION.match(line)) else ""
        if section and (row := paper_links.ROW.match(line)):
            rows.append((f"{section} {row[1]}", line))
    return rows


def test_links_are_up_to_date():
    """Else: python scripts/paper_links.py."""
    assert paper_links.updated(PAGE) == PAGE


def test_every_statement_links_to_its_line_and_names_a_test():
    assert len(statements()) == 58
    for statement, row in statements():
        match = STATEMENT.match(row)
        assert match, statement
        assert re.search(rf"^def {match[4]}\(", (ROOT / "tests" / match[3]).read_text(), re.MULTILINE), statement


def test_every_marked_line_is_linked_from_its_statement():
    linked = {
        (statement, path)
        for statement, row in statements()
        for text, path in paper_links.LINK.findall(row)
        if ".py:" in text
    }
    assert linked == set(paper_links.markers())


def test_every_equation_is_linked():
    assert {f"Eq. ({n})" for n in range(1, 7)} <= {text for text, _ in paper_links.LINK.findall(PAGE)}


def test_a_link_to_nothing_is_refused():
    for text in ("no_such_name", "Eq. (9)", "paper/memory.py:3"):
        row = f"## 1.2 x\n\n| z | .. | P | [`{text}`](../src/playahead/paper/memory.py) |\n"
        try:
            paper_links.updated(row)
        except ValueError as reason:
            assert text.removesuffix(":3") in str(reason) or "1.2 z" in str(reason)
        else:
            raise AssertionError(text)


def test_the_paper_is_read_in_one_sitting():
    assert sum(len(file.read_text().splitlines()) for file in PAPER) <= 970


def test_the_papers_files_are_in_its_order():
    """The table in paper/__init__.py names every file once, each after those that it imports."""
    named = re.findall(r"^\| ``(\w+)`` \|", (PAPER[0].parent / "__init__.py").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(file.stem for file in PAPER if file.stem != "__init__")
    for file in PAPER:
        needs = re.findall(r"^from playahead\.paper\.(\w+) import", file.read_text(), re.MULTILINE)
        assert all(named.index(other) < named.index(file.stem) for other in needs), file.name


def test_the_picture_is_what_the_script_draws():
    """Else: python scripts/draw_model.py."""
    assert (ROOT / "docs" / "model.svg").read_text() == draw_model.drawn()


def test_the_example_needs_the_paper_alone():
    text = EXAMPLE.read_text()
    assert len(text.splitlines()) <= 80
    for node in ast.walk(ast.parse(text)):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert all(re.match(r"(playahead\.(paper|domain)|torch|numpy)\b", name) for name in names), names


def test_the_example_learns(capsys):
    """Its loss falls to less than half, and most of what it says happens, of most of what happens."""
    made = runpy.run_path(str(EXAMPLE))
    losses, right = made["loss_by_epoch"], made["right"]
    assert losses[-1] < 0.5 * losses[0]
    assert len(right) > 0.7 * max(len(made["said"]), len(made["happened"]))
    assert np.all(np.isfinite(losses))
    assert "of them right in class and time" in capsys.readouterr().out
