"""Blocks: what stands below an exercise on a lesson's page, and all that a page lets one do.

A block is plain HTML that shows hints without a script. The script of our pages makes buttons of
it, and keeps what the reader has done.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from neuroprimer.teaching.exercises.forms import exercise_of

BLOCK = re.compile(r'<div class="neuroprimer-exercise" data-exercise="[^":]+:([^":]+)"')
QUIZ = re.compile(r'<form class="neuroprimer-quiz" data-quiz="[^":]+:([^":]+)"')


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """What a lesson's page lets one do.

    Parameters
    ----------
    exercises, quizzes : tuple of str
        Their ids, in the order of the page.
    """

    exercises: tuple[str, ...] = ()
    quizzes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.exercises) + len(self.quizzes)


def place_blocks(
    page: NotebookNode, lesson_id: str, hints: Mapping[str, Sequence[str]]
) -> NotebookNode:
    """Return a page with a block below the first cell of each exercise, which is its stub.

    Parameters
    ----------
    page : nbformat.NotebookNode
        With solutions where they belong.
    lesson_id : str
        The lesson's.
    hints : mapping of str to sequence of str
        By exercise; one that has none may lack.

    Returns
    -------
    page : nbformat.NotebookNode
        A copy.
    """
    placed: NotebookNode = nbformat.from_dict(page)
    placed.cells = list(_with_blocks(placed.cells, lesson_id, hints))
    return placed


def exercise_block(lesson_id: str, exercise_id: str, hints: Sequence[str]) -> str:
    """Return the block of an exercise: hints inside each other, so that each opens the next.

    Examples
    --------
    >>> print(exercise_block("space", "axes", ["Count.", "x, y < z"]))
    <div class="neuroprimer-exercise" data-exercise="space:axes">
    <details><summary>Hint 1 of 2</summary>
    <p>Count.</p>
    <details><summary>Hint 2 of 2</summary>
    <p>x, y &lt; z</p>
    </details>
    </details>
    </div>
    """
    lines = [f'<div class="neuroprimer-exercise" data-exercise="{lesson_id}:{exercise_id}">']
    for number, hint in enumerate(hints, start=1):
        # an empty line would end the HTML, and begin Markdown
        text = "<br>".join(escape(hint.strip(), quote=False).splitlines())
        lines += [f"<details><summary>Hint {number} of {len(hints)}</summary>", f"<p>{text}</p>"]
    return "\n".join([*lines, *["</details>"] * len(hints), "</div>"])


def tasks_of(page: NotebookNode) -> Tasks:
    """Return the exercises and quizzes of a lesson's page.

    Parameters
    ----------
    page : nbformat.NotebookNode
        With blocks.
    """
    html = "\n".join(_html_of(page))
    return Tasks(
        exercises=tuple(dict.fromkeys(BLOCK.findall(html))),
        quizzes=tuple(dict.fromkeys(QUIZ.findall(html))),
    )


def _with_blocks(
    cells: Sequence[NotebookNode], lesson_id: str, hints: Mapping[str, Sequence[str]]
) -> Iterator[NotebookNode]:
    met = {""}
    for cell in cells:
        yield cell
        exercise_id = exercise_of(cell)
        if exercise_id not in met:
            met.add(exercise_id)
            block = exercise_block(lesson_id, exercise_id, hints.get(exercise_id, ()))
            yield new_markdown_cell(block, id=f"{cell.id}-block")


def _html_of(page: NotebookNode) -> Iterator[str]:
    for cell in page.cells:
        if cell.cell_type == "markdown":
            yield cell.source
        for output in cell.get("outputs", ()):
            yield output.get("data", {}).get("text/html", "")
