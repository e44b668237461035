"""Solutions: where a lesson's page shows them, as its course wants it."""

from collections.abc import Callable, Iterator, Mapping

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from neuroprimer.teaching.exercises.forms import exercise_of
from neuroprimer.teaching.exercises.regions import has_solution, plain_source, student_source
from neuroprimer.teaching.notebooks import code_cells
from neuroprimer.teaching.policy import ABSENT, AFTER, COLLAPSED, INLINE, Policy

PROMPT_SHOW = "Show a solution"
PROMPT_HIDE = "Hide the solution"


def place_solutions(notebook: NotebookNode, policy: Policy) -> NotebookNode:
    """Return an executed notebook with stubs for solutions, and the solutions where they belong.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As it was executed. Cells without a solution stay as they are.
    policy : Policy
        Where solutions go. A cell that is shown is shown with the outputs of its run; nothing is
        left of one that is absent.

    Returns
    -------
    page : nbformat.NotebookNode
        A copy.

    Raises
    ------
    RegionError
        If markers do not belong together.
    """
    page: NotebookNode = nbformat.from_dict(notebook)
    stubs = dict(_stubs(page))
    place = WAYS[policy.solutions]
    last: list[NotebookNode] = []
    cells: list[NotebookNode] = []
    for cell in page.cells:
        if cell.id not in stubs:
            cells.append(cell)
            continue
        cell.source = plain_source(cell)
        here, at_the_end = place(cell, stubs)
        cells += here
        last += at_the_end
    if last:
        cells.append(new_markdown_cell("## Solutions", id="solutions"))
    page.cells = [*cells, *last]
    return page


def _stubs(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield id and stub of each cell that has a solution."""
    cells = list(code_cells(notebook))
    for number, cell in cells:
        if has_solution(cell):
            yield cell.id, student_source(cell, [other.source for _, other in cells[number:]])


Placed = tuple[list[NotebookNode], list[NotebookNode]]


def _inline(cell: NotebookNode, _: Mapping[str, str]) -> Placed:
    return [cell], []


def _collapsed(cell: NotebookNode, stubs: Mapping[str, str]) -> Placed:
    tags = dict.fromkeys([*cell.metadata.get("tags", ()), "hide-cell"])
    cell.metadata["tags"] = list(tags)
    look = dict(cell.metadata.get("mystnb", {}))
    cell.metadata["mystnb"] = {
        **look,
        "code_prompt_show": PROMPT_SHOW,
        "code_prompt_hide": PROMPT_HIDE,
    }
    return [_stub_cell(cell, stubs), cell], []


def _after(cell: NotebookNode, stubs: Mapping[str, str]) -> Placed:
    title = new_markdown_cell(f"### {exercise_of(cell) or 'Solution'}", id=f"{cell.id}-title")
    return [_stub_cell(cell, stubs)], [title, cell]


def _absent(cell: NotebookNode, stubs: Mapping[str, str]) -> Placed:
    return [_stub_cell(cell, stubs)], []


WAYS: Mapping[str, Callable[[NotebookNode, Mapping[str, str]], Placed]] = {
    INLINE: _inline,
    COLLAPSED: _collapsed,
    AFTER: _after,
    ABSENT: _absent,
}


def _stub_cell(cell: NotebookNode, stubs: Mapping[str, str]) -> NotebookNode:
    stub: NotebookNode = new_code_cell(stubs[cell.id], id=f"{cell.id}-stub")
    return stub
