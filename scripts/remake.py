"""Makes again what is stale: python scripts/remake.py [NAME ...], from the root, with the benchmark in ``wyscout``.

A result is made again by its own command, a table (results/tables.json) by writing down what its command prints; then
the pages (scripts/doc_tables.py). With names, those are made whether stale or not; a table that is not listed yet is
NAME=COMMAND. A comparison trains for hours: its command is printed, for you to run.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from playahead.io.files import write_whole
from playahead.lab.results import TABLES, check, code_of_training

ROOT = Path(__file__).parents[1]
LISTED = ROOT / "results" / TABLES


def main(wanted: list[str]) -> None:
    """Run the commands."""
    for new in (one for one in wanted if "=" in one):
        _write_table(*new.split("=", 1))
    found = {one.path.name: one for one in check(ROOT / "results")}
    if unknown := [name for name in wanted if "=" not in name and name not in found]:
        sys.exit(f"no result or table is called {', '.join(unknown)}")
    for name, one in found.items():
        if name not in wanted and (wanted or not one.stale):
            continue
        print(f"{name}: {one.command}", file=sys.stderr, flush=True)
        if one.path.parent.name == "tables":
            _write_table(name, one.command)
        elif one.result:
            subprocess.run(_words(one.command), cwd=ROOT, check=True)
        else:
            print(f"  trains for hours: run it, and copy its comparison to {one.path}", file=sys.stderr)
    subprocess.run([sys.executable, "scripts/doc_tables.py"], cwd=ROOT, check=True)


def _write_table(name: str, command: str) -> None:
    """Write down what a command prints, and by which code."""
    printed = subprocess.run(_words(command), cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (ROOT / "docs" / "tables" / name).write_text(printed)
    listed = json.loads(LISTED.read_text()) if LISTED.exists() else {}
    listed[name] = {"command": command, "code": code_of_training()}
    write_whole(LISTED, json.dumps(dict(sorted(listed.items())), indent=1) + "\n")


def _words(command: str) -> list[str]:
    """The command's words, with the programs of this environment."""
    program, *words = shlex.split(command)
    return [str(Path(sys.executable).with_name(program)), *words]


if __name__ == "__main__":
    main(sys.argv[1:])
