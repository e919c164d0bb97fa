"""The analyst's notebook, from the first cell to the last."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "analyst.ipynb"


def test_every_cell_runs():
    pytest.importorskip("pandas")
    mpl = pytest.importorskip("matplotlib")
    mpl.use("Agg")
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for cell in cells:
        assert not cell["outputs"], "outputs are not kept"
        exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
    table = names["table"]
    assert table["shots"].sum() > 5
    assert table["shots expected"].sum() > 5
    assert len(names["figure"].axes) == 3
