"""Runs docs/notebook.ipynb and stores its outputs: python -m tests.notebook.

The outputs of cells with the tag "same-everywhere" do not depend on the machine.
"""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
LANGUAGE = {"name": "python"}  # without the version of the interpreter
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def stored() -> NotebookNode:
    """The notebook in the repository."""
    return nbformat.read(NOTEBOOK, as_version=4)


def execute(notebook: NotebookNode) -> NotebookNode:
    """Runs all cells in this Python's kernel, and returns the notebook with their outputs."""
    client = NotebookClient(notebook, timeout=250, kernel_name="python3", record_timing=False)
    client.execute(env=os.environ | {"PYTHONPATH": str(NOTEBOOK.parent.parent)})  # this charrnn
    notebook.metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    return notebook


if __name__ == "__main__":
    nbformat.write(execute(stored()), NOTEBOOK)
