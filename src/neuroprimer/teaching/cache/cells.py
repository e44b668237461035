"""Cells: what of a notebook decides its run, and what of a run can be put into another notebook."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from neuroprimer.teaching.cache.fingerprints import Cells
from neuroprimer.teaching.golden.marks import GOLDEN
from neuroprimer.teaching.lesson_runs import DEFAULT_KERNEL
from neuroprimer.teaching.notebooks import code_cells, read_notebook, without_outputs
from neuroprimer.teaching.sealed import canonical, digest_of

# Tags that nbclient heeds, and one for which more is kept of a run than its outputs; all others say
# how the page looks, or what may be on it.
EXECUTION_TAGS = frozenset({"raises-exception", "skip-execution", GOLDEN})


def read_cells(path: Path) -> Cells:
    """Return the code of a lesson's file.

    Raises
    ------
    NotebookError
        If the file is no notebook.
    """
    return cells_of(read_notebook(path))


def cells_of(notebook: NotebookNode) -> Cells:
    """Return the code of a notebook; prose and the look of the page are no part of it."""
    return Cells(
        kernel=notebook.metadata.get("kernelspec", {}).get("name", DEFAULT_KERNEL),
        digests=tuple(_digest(cell) for _, cell in code_cells(notebook)),
    )


def outputs_of(source: NotebookNode, notebook: NotebookNode) -> dict[str, Any]:
    """Return what a run has added to a notebook: outputs, counts, and what the kernel said.

    Parameters
    ----------
    source : nbformat.NotebookNode
        As the author wrote it.
    notebook : nbformat.NotebookNode
        As it was executed.
    """
    return {
        "cells": [
            {"execution_count": cell.execution_count, "outputs": cell.outputs}
            for _, cell in code_cells(notebook)
        ],
        "metadata": {
            key: value
            for key, value in notebook.metadata.items()
            if source.metadata.get(key) != value
        },
    }


def with_outputs(source: NotebookNode, outputs: Mapping[str, Any]) -> NotebookNode:
    """Return a notebook as executing it would have left it, with what an earlier run has added.

    Parameters
    ----------
    source : nbformat.NotebookNode
        As the author wrote it today; its code is that of the run.
    outputs : mapping
        What `outputs_of` has told of the run.
    """
    notebook = without_outputs(source)
    for (_, cell), kept in zip(code_cells(notebook), outputs["cells"], strict=True):
        cell.execution_count = kept["execution_count"]
        cell.outputs = [nbformat.from_dict(output) for output in kept["outputs"]]
    notebook.metadata.update(nbformat.from_dict(outputs["metadata"]))
    return notebook


def _digest(cell: NotebookNode) -> str:
    tags = EXECUTION_TAGS.intersection(map(str, cell.metadata.get("tags", ())))
    return digest_of(canonical([cell.source, sorted(tags)]))
