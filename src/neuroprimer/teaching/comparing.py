"""Comparing: whether two runs of a lesson came out the same, cell by cell."""

from itertools import zip_longest

from nbformat import NotebookNode

from neuroprimer.teaching.model import ExecutionResult, Finding
from neuroprimer.teaching.notebooks import code_cells


def cold_findings(forked: ExecutionResult, plain: ExecutionResult) -> tuple[Finding, ...]:
    """Return where a run in a forked kernel and one in a plain kernel differ.

    Parameters
    ----------
    forked, plain : ExecutionResult
        Two runs of the same lesson, made reproducible.

    Returns
    -------
    findings : tuple of Finding
        One for each code cell whose outputs differ. Pictures are compared byte by byte.
    """
    if plain.failure is not None and forked.failure is None:
        return (
            Finding(
                rule="NP313",
                subject=plain.lesson.id,
                cell=plain.failure.cell,
                message=f"in a kernel of its own it fails: {plain.failure.message}",
            ),
        )
    if forked.notebook is None or plain.notebook is None:
        return ()
    return tuple(
        Finding(rule="NP313", subject=plain.lesson.id, cell=number, message=difference)
        for (number, one), (_, other) in zip(
            code_cells(forked.notebook), code_cells(plain.notebook), strict=True
        )
        if (difference := _difference(one, other))
    )


def _difference(one: NotebookNode, other: NotebookNode) -> str:
    """Say how the outputs of a cell differ, or nothing."""
    for place, (left, right) in enumerate(zip_longest(one.outputs, other.outputs), start=1):
        if left is None or right is None:
            return f"it has {len(one.outputs)} output(s) forked and {len(other.outputs)} plain."
        if left != right:
            kind = ", ".join(left.get("data", {left.output_type: ""}))
            return f"output {place} ({kind}) differs."
    return ""
