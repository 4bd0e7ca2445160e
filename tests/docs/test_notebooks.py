"""The notebooks of the documentation run from top to bottom, each in an empty folder."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import mlflow
import nbformat
import pytest
from nbclient import NotebookClient

from tests.figures import figures_left_out
from tests.logs import REES46_HEADER, SHARED, rees46_line, write_log

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


def rees46_log(folder: Path) -> Path:
    """The real log where it is there, else one in its format: sessions that walk a circle of twelve items."""
    real = SHARED / "rees46_2019oct_head" / "events.csv.gz"
    if real.is_file():
        return real
    lines = [
        rees46_line(
            f"s{session}",
            str(1000 + (session * 5 + step) % 12),
            at=f"2019-10-01 {session // 60:02}:{session % 60:02}:{step * 10:02} UTC",
            behaviour="purchase" if step == 4 and session % 3 == 0 else "view",
        )
        for session in range(600)
        for step in range(5)
    ]
    return write_log(folder / "rees46.csv.gz", REES46_HEADER, *lines)


def test_there_are_notebooks_and_they_hold_no_output():
    """Outputs hold paths of the machine that ran them, and change with every run."""
    assert len(NOTEBOOKS) == 3
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and cell["outputs"]] == []


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty folder but for the log, where the notebook runs; no store of the user's is known there."""
    monkeypatch.setenv("REES46_LOG", str(rees46_log(tmp_path)))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    mlflow.set_tracking_uri(None)


@pytest.mark.slow
def test_a_notebook_runs_in_a_kernel_of_its_own(elsewhere, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(elsewhere / "ipython"))
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(elsewhere)}}).execute()
    last = notebook.cells[-1]
    assert last.cell_type == "code"
    assert last.outputs, "the last cell shows something"


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, elsewhere):
    """Its cells, as the plain Python that they are, and without figures: another kernel would import for ten seconds
    what is here, and draws."""
    cells = [cell["source"] for cell in nbformat.read(path, as_version=4)["cells"] if cell["cell_type"] == "code"]
    *statements, last = ast.parse("\n".join(cells)).body
    assert isinstance(last, ast.Expr), "the last cell shows something"
    names = {"__name__": "__main__"}
    with figures_left_out():
        exec(compile(ast.Module(statements, []), path.name, "exec"), names)
        assert eval(compile(ast.Expression(last.value), path.name, "eval"), names) is not None
