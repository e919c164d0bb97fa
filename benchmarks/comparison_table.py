"""Markdown from what ``playahead compare`` wrote: python comparison_table.py comparison-test.json [--tolerances].

One row for each variant and decoding (or past): the area of each seed, mean exact area and official figure with their
intervals, and the difference of area to the reference. ``--tolerances`` prints the official figure at each tolerance,
``--chart FILE.svg`` draws what each past is worth.
"""

import argparse
import json
from pathlib import Path

from playahead.lab.report import charts

_COLOURS = {"ink": "#1f2328", "faint": "#8b949e", "line": "#d0d7de", "accent": "#1f6feb", "other": "#d1495b"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comparison", type=Path)
    parser.add_argument("--tolerances", action="store_true")
    parser.add_argument("--chart", type=Path)
    options = parser.parse_args()
    found = json.loads(options.comparison.read_text())
    columns = ["", "area of each seed", "exact area [95 %]", "official of each seed", "official [95 %]"]
    columns += ["@1", "@2", "@3", "@4", "@5", "inf"] if options.tolerances else ["difference of area [95 %]"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    if options.chart:
        chart = charts.pasts(found["rows"], found["pasts"])
        for name, colour in _COLOURS.items():  # the report's page sets them; a picture has to carry them
            chart = chart.replace(f"var(--{name})", colour)
        head, body = chart.split(">", 1)
        options.chart.write_text(f'{head}><rect width="100%" height="100%" fill="white"/>{body}')
    for row in found["rows"]:
        several = len({other["variant"] for other in found["rows"]}) > 1
        name = f"{row['variant']}, {row['decoding']}" if several and found["pasts"] else row["variant"]
        name = row["decoding"] if not several else name
        areas = ", ".join(f"{area:.2f}" for area in row["areas"])
        seeds = ", ".join(f"{seed:.2f}" for seed in row["seeds"])
        cells = [name, areas, _interval(row["area"]), seeds, _interval(row["mean"])]
        if options.tolerances:
            cells += [f"{value:.1f}" for value in row["by_tolerance"]]
        else:
            mark = "**" if row["significant"][1] else ""
            cells.append(f"{mark}{_interval(row['area_difference'], '+')}{mark}" if row["area_difference"] else "")
        print(f"| {' | '.join(cells)} |")


def _interval(values, sign: str = "") -> str:
    mean, low, high = values
    return f"{mean:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


if __name__ == "__main__":
    main()
