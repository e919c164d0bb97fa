"""Learning curves and settings, as runs leave them in their folders."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def learning_curves(runs: Path) -> dict[str, dict[str, list[float]]]:
    """Loss and validation score of every run in the folder, by name."""
    curves = {}
    for path in sorted([*runs.glob("*/log.csv"), *runs.glob("log.csv")]):
        try:
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            curves[path.parent.name] = _curve(rows)
        except (OSError, KeyError, ValueError, TypeError, csv.Error):
            continue  # another kind of run, or one that is being written
    return curves


def _curve(rows: Sequence[Mapping[str, str]]) -> dict[str, list[float]]:
    validated = [
        row for before, row in zip([{}, *rows], rows, strict=False) if row["map"] and row["map"] != before.get("map")
    ]
    return {
        "step": [int(row["step"]) for row in rows],
        "loss": [float(row["loss_total"]) for row in rows],
        "validated_step": [int(row["step"]) for row in validated],
        "map": [float(row["map"]) for row in validated],
    }


def run_description(folder: Path) -> dict[str, Any]:
    """``run.json``; empty where it cannot be read."""
    try:
        return json.loads((folder / "run.json").read_text())
    except (OSError, ValueError):
        return {}


def flat(settings: object, under: str = "") -> dict[str, object]:
    """Nested settings by dotted name."""
    if not isinstance(settings, dict):
        return {under: settings}
    return {
        k: v for name, value in settings.items() for k, v in flat(value, f"{under}.{name}" if under else name).items()
    }
