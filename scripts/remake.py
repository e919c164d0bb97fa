"""Makes again what is stale: python scripts/remake.py [NAME ...], from the root, with the benchmark in ``wyscout``.

A result is made again by its own command, a table (results/tables.json) by writing down what its command prints; then
the pages (scripts/doc_tables.py). With names, those are made whether stale or not; a table that is not listed yet is
NAME=COMMAND. What trains for hours, or was made by others, is named for you to run.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playahead.io.errors import PlayaheadError
from playahead.io.files import file_digest, packaged_weights, write_whole
from playahead.lab.results import TABLES, Checked, check

ROOT = Path(__file__).parents[1]
_NOTES_CODE = """
import json, os, runpy, sys
noted, sys.argv = sys.argv[1], sys.argv[2:]
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as done:
    if done.code:
        raise
from playahead.lab.results import code_in_use
open(noted, "w").write(json.dumps(code_in_use()))
"""


def main(wanted: list[str], root: Path = ROOT) -> int:
    """Run the commands; returns how many failed."""
    failed = [name for new in wanted if "=" in new for name in _write_table(root, *new.split("=", 1))]
    found = {one.path.name: one for one in check(root / "results")}
    if unknown := [name for name in wanted if "=" not in name and name not in found]:
        sys.exit(f"no result or table is called {', '.join(unknown)}")
    for name, one in found.items():
        if name in wanted or (one.stale and not wanted):
            failed += _again(root, name, one)
    for name in failed:
        print(f"{name}: not made", file=sys.stderr)
    subprocess.run([sys.executable, "scripts/doc_tables.py"], cwd=root, check=True)
    return len(failed)


def _again(root: Path, name: str, one: Checked) -> list[str]:
    """Make one thing again; its name if that failed."""
    print(f"{name}: {one.command}", file=sys.stderr, flush=True)
    if one.path.parent.name == "tables":
        return _write_table(root, name, one.command)
    # Commands of rows may be anybody's: no others are run.
    is_known = re.fullmatch(r"(playahead results record|python benchmarks/\w+\.py) [^\n]*", one.command)
    words = _words(one.command) if is_known else []
    if one.result is None or not words or "--weights" in words or not (root / words[0]).exists():
        print(f"  not made here: run it yourself; its file is {one.path}", file=sys.stderr)
        return [name]
    return [name] if subprocess.run([sys.executable, *words], cwd=root, check=False).returncode else []


def _write_table(root: Path, name: str, command: str) -> list[str]:
    """Write down what a command prints, and what it was made by; its name if that failed."""
    words = _words(command)
    with TemporaryDirectory() as folder:
        noted = Path(folder) / "code.json"
        program = [sys.executable, "-c", _NOTES_CODE, str(noted), *words]
        done = subprocess.run(program, cwd=root, check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            return [name]
        code = json.loads(noted.read_text())
    table = root / "docs" / "tables" / name
    table.write_text(done.stdout)
    made_from = [
        path.resolve() for path in (table, packaged_weights(), *(root / w for w in words if w.endswith(".py")))
    ]
    inside = [path for path in made_from if path.is_relative_to(root.resolve())]
    files = {path.relative_to(root.resolve()).as_posix(): file_digest(path) for path in inside}
    listed = root / "results" / TABLES
    entries = json.loads(listed.read_text()) if listed.exists() else {}
    entries[name] = {"command": command, "code": code, "files": files}
    write_whole(listed, json.dumps(dict(sorted(entries.items())), indent=1) + "\n")
    return []


def _words(command: str) -> list[str]:
    """The script that a command runs and its arguments."""
    program, *words = shlex.split(command)
    return words if program == "python" else [str(Path(sys.executable).with_name(Path(program).name)), *words]


if __name__ == "__main__":
    try:
        sys.exit(2 if main(sys.argv[1:]) else 0)
    except PlayaheadError as reason:
        sys.exit(f"playahead: {reason}")
