"""How fast does a report of 100 runs open? (docs/history.md)

    playahead compare paper --data DATA --out runs/paper
    .venv/bin/python benchmarks/report_page.py --runs runs/paper --data DATA --out report.html

The comparison's rows and learning curves are repeated until there are ``--count`` runs; then the page is opened in
chromium three times, and once at each width for its picture (``report-1280.png``, ``report-390.png``).
"""

import argparse
import shutil
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from playwright.sync_api import sync_playwright

from playahead.datasets.dataset import FeedDataset
from playahead.lab.report.write import Page, ReportConfig, gather, render


def repeated(page: Page, count: int) -> Page:
    """The same page about ``count`` runs."""
    rows = [{**row, "variant": f"{row['variant']} {n}"} for n, row in enumerate(islice(cycle(page.rows), count))]
    curves = {f"{name} {n}": curve for n, (name, curve) in enumerate(islice(cycle(page.curves.items()), count))}
    return replace(page, rows=rows, curves=curves)


def main() -> None:
    """Write, open, time, take pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("runs", "data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    page = gather(options.runs, FeedDataset(options.data), ReportConfig())
    options.out.write_text(render(repeated(page, options.count)))
    print(f"{options.out.stat().st_size / 1e6:.2f} MB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in (1280, 1280, 1280, 390):
            tab = browser.new_page(viewport={"width": width, "height": 900})
            tab.goto(options.out.absolute().as_uri(), wait_until="load")
            tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            drawn_ms = tab.evaluate("performance.now()")
            print(f"{width} px: drawn {drawn_ms:.0f} ms after the request")
            tab.screenshot(path=options.out.with_name(f"{options.out.stem}-{width}.png"), full_page=True)
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
