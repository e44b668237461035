"""Forms: the notebook that students get, and the one with everything, made of one source."""

import hashlib
from difflib import unified_diff

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from neuroprimer.teaching.exercises.regions import CHECK_CALL, student_source
from neuroprimer.teaching.notebooks import code_cells, without_outputs

# In a student's notebook, which form of which lesson it was made from.
METADATA_KEY = "neuroprimer"


def student_notebook(source: NotebookNode, lesson_id: str) -> NotebookNode:
    """Return the notebook for students: stubs for solutions, no hidden tests, no outputs.

    Parameters
    ----------
    source : nbformat.NotebookNode
        As the author wrote it.
    lesson_id : str
        Stands in the metadata, with a digest that tells this version from others.

    Returns
    -------
    notebook : nbformat.NotebookNode
        A new one.

    Raises
    ------
    RegionError
        If markers do not belong together.
    """
    notebook = without_outputs(source)
    cells = list(code_cells(notebook))
    sources = [cell.source for _, cell in cells]
    for number, cell in cells:
        cell.source = student_source(cell, sources[number:])
    return _labelled(notebook, lesson_id, version_of(notebook))


def instructor_notebook(source: NotebookNode, lesson_id: str) -> NotebookNode:
    """Return the notebook for teachers: solutions between their markers, and no outputs.

    Parameters
    ----------
    source : nbformat.NotebookNode
        As the author wrote it.
    lesson_id : str
        Stands in the metadata.
    """
    notebook = without_outputs(source)
    note = "*For teachers: with solutions.*"
    notebook.cells.insert(0, new_markdown_cell(note, id="for-teachers"))
    return _labelled(notebook, lesson_id, version_of(source))


def _labelled(notebook: NotebookNode, lesson_id: str, version: str) -> NotebookNode:
    """Note in a notebook what it was made from."""
    notebook.metadata.pop("jupytext", None)
    notebook.metadata[METADATA_KEY] = {"lesson": lesson_id, "version": version}
    return notebook


def version_of(notebook: NotebookNode) -> str:
    """Return what tells the text of a notebook from that of others."""
    return hashlib.sha256(_text_of(notebook).encode()).hexdigest()[:16]


def exercise_of(cell: NotebookNode) -> str:
    """Return the exercise that a cell checks, or nothing."""
    call = CHECK_CALL.search(cell.source) if cell.cell_type == "code" else None
    return call["id"] if call else ""


def differences(old: NotebookNode, new: NotebookNode) -> list[str]:
    """Return the lines that one notebook has and the other has not, with what surrounds them."""
    lines = unified_diff(
        _text_of(old).splitlines(), _text_of(new).splitlines(), "yours", "new", lineterm="", n=1
    )
    return list(lines)


def _text_of(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells)
