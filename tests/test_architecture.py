"""The table of rooms in docs/architecture.md, held to the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "playahead"
BASE = {"errors"}
MAY_IMPORT = {
    "errors": set(),
    "allocator": set(),
    "tensorfile": BASE,
    "domain": BASE,
    "sources": BASE | {"domain"},
    "features": BASE | {"domain"},
    "evaluation": BASE | {"domain"},
    "submission": BASE | {"domain", "evaluation", "sources"},
    "decoding": BASE | {"domain", "evaluation"},
    "baselines": BASE | {"domain", "decoding"},
    "report": BASE | {"domain", "evaluation", "decoding"},
    "comparison": BASE | {"domain", "evaluation", "decoding", "learning", "recipes"},
    "model": BASE | {"domain"},
    "windows": BASE | {"domain", "evaluation", "features"},
    "video": BASE | {"domain"},
    "backbone": BASE | {"domain", "tensorfile"},
    "learning": BASE | {"tensorfile", "domain", "evaluation", "features", "decoding", "model", "windows"},
    "broadcast": BASE | {"domain", "video"},
    "extraction": BASE | {"domain", "features", "video", "backbone"},
    "spotting": BASE | {"domain", "evaluation", "sources", "video", "backbone", "extraction", "learning"},
    "endtoend": BASE
    | {"tensorfile", "domain", "sources", "decoding", "model", "video", "backbone", "windows", "learning", "spotting"},
    "recipes": BASE | {"domain", "backbone", "learning", "model", "features", "spotting", "endtoend"},
    "api": BASE | {"domain", "evaluation", "features", "decoding", "model", "windows", "learning"},
}
WITHOUT_TORCH = (
    *("domain", "sources", "features", "evaluation", "submission"),
    *("decoding", "baselines", "report", "broadcast", "video"),
)
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(file):
    room = room_of(file)
    ours = {name.split(".")[1] for name in imports_of(file) if name.startswith("playahead.")} - {room}
    if room in MAY_IMPORT:
        assert ours <= MAY_IMPORT[room]
    if room in WITHOUT_TORCH:
        assert not {name.split(".")[0] for name in imports_of(file)} & {"torch", "lightning_fabric"}


def test_the_documented_rooms_are_those_of_the_package():
    table = (ROOT / "docs" / "architecture.md").read_text().split("## Rooms")[1].split("\n\n")[0]
    documented = set(re.findall(r"^\| `(\w+)/?`", table, re.MULTILINE))
    assert documented == {room_of(file) for file in FILES} - {"__init__", "allocator", "tensorfile"}
