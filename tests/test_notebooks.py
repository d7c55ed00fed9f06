"""Every notebook runs from top to bottom at small sizes, and is committed with the outputs of a clean run."""

import re
from pathlib import Path

import nbclient
import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
names = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def texts(output):
    """What an output shows as text: printed lines, and every text among its representations."""
    held = [output.get("text", "")] + [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(held)


def test_there_are_notebooks_and_they_are_numbered():
    assert NOTEBOOKS
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{i:02d}" for i in range(1, len(NOTEBOOKS) + 1)]


@pytest.mark.slow
@names
def test_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("CHEMVAE_FAST", "1")
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    assert not [output for output in outputs(notebook) if output.output_type == "error"]


@names
def test_is_committed_with_the_outputs_of_one_clean_run(path):
    notebook = nbformat.read(path, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "execute all cells, in order, in a fresh kernel, and save"
    assert not [output for output in outputs(notebook) if output.output_type in ("error",) or output.get("name") == "stderr"]
    shown = "\n".join(texts(output) for output in outputs(notebook))
    assert not re.search(r"(?<![\w.:/])/(home|tmp|root|Users|usr|opt)/", shown), "an output names a path of somebody's machine"
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))
