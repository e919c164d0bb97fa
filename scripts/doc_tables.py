"""Puts the files of docs/tables into the pages that show them: python scripts/doc_tables.py.

A page shows a file between two comments, ``begin NAME`` and ``end NAME``; a command made the file, and nobody types
what is in it. A figure of a recorded result stands between ``area NAME`` and an empty comment.
Made here: the table of spotters, from their adapters; the tables and the charts of recorded results and of the claims,
and the schema of a result.
"""

import json
import re
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path

from playahead.domain.actions import ACTIONS
from playahead.lab.report.charts import forest, pasts
from playahead.lab.results import PACKAGED, TABLES as LISTED, Result, markdown_table, read_result, recorded, table
from playahead.spotters.adapters import SPOTTERS

ROOT = Path(__file__).parents[1]
CLAIMED = ("marginal", "tuned threshold", "paper")
TABLES = ROOT / "docs" / "tables"
CARD = ROOT / "src" / "playahead" / "weights" / "MODEL_CARD.md"
PAGES = [ROOT / "README.md", CARD, *sorted((ROOT / "docs").rglob("*.md"))]
CHART, CLAIMS_CHART = ROOT / "docs" / "pasts.svg", ROOT / "docs" / "claims.svg"
SCHEMA = ROOT / "docs" / "result.schema.json"
_KINDS = {
    str: {"type": "string"},
    int: {"type": "integer"},
    list[int]: {"type": "array", "items": {"type": "integer"}},
    list[float]: {"type": "array", "items": {"type": "number"}},
    list[str]: {"type": "array", "items": {"type": "string"}},
    dict[str, float]: {"type": "object", "additionalProperties": {"type": "number"}},
    dict[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
}
_COLOURS = {"ink": "#1f2328", "faint": "#8b949e", "accent": "#1f6feb", "other": "#bc4c00", "line": "#d0d7de"}
_FIGURE = re.compile(r"<!-- area (?P<name>[\w-]+) -->[^<]*<!-- -->")
_SHOWN = re.compile(r"(<!-- begin (?P<name>[\w.-]+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """The page with each file as it is now, and the command that made it."""
    listed = _listed()

    def put(shown: re.Match) -> str:
        name = shown["name"]
        text = (TABLES / name).read_text().strip("\n")
        text = text if name.endswith(".md") else f"```console\n{text}\n```"
        made_by = f"\n\nMade by `{listed[name]['command']}`." if name in listed else ""
        return f"{shown[1]}{text}{made_by}\n{shown[3]}"

    return _FIGURE.sub(_figure, _SHOWN.sub(put, page))


@cache
def _listed() -> dict:
    """What made each table: those of ``tables.json``, and those of comparisons."""
    listed = json.loads((ROOT / "results" / LISTED).read_text())
    compared = {path.stem: _compared(path.stem) for path in (ROOT / "results").glob("claims-*.json")}
    return listed | {f"{name}{ending}.md": one for name, one in compared.items() for ending in ("", "-decodings")}


def _figure(shown: re.Match) -> str:
    """An area with its interval, as in the table of results."""
    area = read_result(ROOT / "results" / f"{shown['name']}.json").area
    return f"<!-- area {shown['name']} -->{_interval(area)}<!-- -->"


def spotters() -> str:
    """The table of spotters."""
    head = ("`--spotter`", "classes", "its publisher says", "sees after an action", "to install")
    rows = [
        (f"`{name}`", _classes(one.classes), one.published, _window(one.window_s), f"`{one.install}`")
        for name, one in SPOTTERS.items()
    ]
    return markdown_table(head, rows)


def _window(window_s: float | None) -> str:
    return "`--spotter-window`: its model's clip, clip_len / extract_fps" if window_s is None else f"{window_s:g} s"


def _classes(classes: tuple[str, ...]) -> str:
    others = [label for label in classes if label not in set(map(str, ACTIONS))]
    return ", ".join(classes if len(classes) < len(ACTIONS) else ["all ten", *others])


def _results() -> list[Result]:
    """Recorded results: the packaged model on full feeds, then through worse pasts, then other models."""
    return sorted(recorded(ROOT / "results"), key=lambda one: (one.model != PACKAGED, bool(one.past), -one.area[0]))


def recorded_table() -> str:
    """The table of recorded results."""
    return table(_results())


def claims(name: str) -> str:
    """The table of the paper's claims, from a comparison: a line for each variant, three decodings beside it."""
    row_of = {(row["variant"], row["decoding"]): row for row in _compared(name)["rows"]}
    head = ["variant", "area [resampled]", "each seed", "difference"]
    head += [f"{decoding}: {what}" for decoding in CLAIMED[1:] for what in ("each seed", "difference")]
    lines = []
    for variant in dict.fromkeys(variant for variant, _ in row_of):
        first, *others = row_of[variant, CLAIMED[0]], *(row_of.get((variant, decoding)) for decoding in CLAIMED[1:])
        compared = [cell for row in (first, *others) for cell in (_seeds_and_difference(row) if row else ("–", "–"))]
        lines.append((variant, _interval(first["area"]), *compared, _interval(first["mean"])))
    return markdown_table((*head, "official [resampled]"), lines)


def decodings(name: str) -> str:
    """The table of the paper's model under every decoding, with how much each predicts."""
    compared = _compared(name)
    head = ("decoding", "area [resampled]", "each seed", "difference", "official [resampled]", "predictions per clip")
    lines = [
        (
            row["decoding"],
            _interval(row["area"]),
            *_seeds_and_difference(row),
            _interval(row["mean"]),
            f"{row['predictions_per_clip']:.1f}",
        )
        for row in compared["rows"]
        if row["variant"] == compared["reference"][0]
    ]
    return markdown_table(head, lines)


@cache
def _compared(name: str) -> dict:
    return json.loads((ROOT / "results" / f"{name}.json").read_text())


def _seeds_and_difference(row: dict) -> tuple[str, str]:
    difference = _interval(row["area_difference"], "+") if row["area_difference"] else "–"
    if row["significant"][1]:
        difference = f"**{difference}**"
    return ", ".join(f"{area:.2f}" for area in row["areas"]), difference


def claims_chart() -> str:
    """Differences of the claims' variants to the paper's model, on event feeds beside simulated video."""
    panels = {}
    for name, data in (("claims-feed", "event feeds"), ("claims-video", "simulated video")):
        rows = [row for row in _compared(name)["rows"] if row["decoding"] == CLAIMED[0] and row["examples"]]
        panels[f"area on {data}"] = {
            row["variant"]: (row["area_difference"], row["significant"][1]) for row in rows if row["area_difference"]
        }
    names, *others = [list(panel) for panel in panels.values()]
    assert all(other == names for other in others), "claims-feed and claims-video compare different variants"
    shown = {label: list(panel.values()) for label, panel in panels.items()}
    return _coloured(forest(names, shown, "what one change to the paper's model costs or gains"))


def _interval(found: list[float], sign: str = "") -> str:
    value, low, high = found
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def chart() -> str:
    """The chart of the packaged model and of baselines without a network, in the colours of a page on GitHub."""
    rows = [
        {
            "variant": re.split(" (?:of|from|on) ", one.model)[0],  # the legend has room for a word or two
            "decoding": one.past or "full feed",
            "area": one.area,
            "examples": one.examples,
        }
        for one in _results()
        if one.model == PACKAGED or one.command.startswith("python benchmarks/baselines.py ")
    ]
    return _coloured(pasts(rows, list(dict.fromkeys(row["decoding"] for row in rows))))


def _coloured(drawn: str) -> str:
    for name, colour in _COLOURS.items():
        drawn = drawn.replace(f"var(--{name})", colour)
    return drawn


def schema() -> str:
    """JSON Schema of a recorded result."""
    required = [one.name for one in fields(Result) if one.default is MISSING and one.default_factory is MISSING]
    of_result = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A recorded result of playahead",
        "type": "object",
        "properties": {one.name: _KINDS[one.type] for one in fields(Result)},  # type: ignore[bad-index]
        "required": required,
        "additionalProperties": False,
    }
    return json.dumps(of_result, indent=1) + "\n"


def made() -> dict[Path, str]:
    """What this script makes, by file; the pages excepted, which show it."""
    of_claims = {
        TABLES / f"{path.stem}{ending}.md": table_of(path.stem)
        for path in (ROOT / "results").glob("claims-*.json")
        for ending, table_of in (("", claims), ("-decodings", decodings))
    }
    tables = {TABLES / "results.md": recorded_table(), TABLES / "spotters.md": spotters(), **of_claims}
    return {**tables, CHART: chart(), CLAIMS_CHART: claims_chart(), SCHEMA: schema()}


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text)
    for path, text in [(path, with_tables(path.read_text())) for path in PAGES]:  # all, before any is written
        path.write_text(text)
