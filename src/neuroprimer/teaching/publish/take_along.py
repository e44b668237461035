"""Taking a lesson along: the files of each lesson that its page offers for download."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from neuroprimer.teaching.exercises.forms import METADATA_KEY, student_notebook
from neuroprimer.teaching.model import ValidationReport
from neuroprimer.teaching.notebooks import code_cells, tags_of
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.publish.solutions import PROMPT_SHOW, place_solutions

DOWNLOADS_FOLDER = "downloads"
SCRIPT = "py:percent"

# What there is of each lesson: the ending of its name, and what its page calls it.
FORMS = (
    (".ipynb", "student notebook"),
    ("-executed.ipynb", "executed notebook"),
    (".py", "Python script"),
)


def write_downloads(html: Path, reports: Iterable[ValidationReport], policy: Policy) -> None:
    """Write the files that pages offer for download into a built site.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages.
    reports : iterable of ValidationReport
        Of the lessons that have a page; they have passed.
    policy : Policy
        Where the course wants solutions in the executed notebook.
    """
    folder = html / DOWNLOADS_FOLDER
    folder.mkdir(exist_ok=True)  # a draft is finished again and again
    for report in reports:
        source, run, lesson_id = report.result.source, report.result.notebook, report.lesson.id
        assert source is not None  # noqa: S101  for mypy: it has passed
        assert run is not None  # noqa: S101  for mypy: it has passed
        student = student_notebook(source, lesson_id)
        nbformat.write(student, folder / f"{lesson_id}.ipynb")
        executed = executed_notebook(run, lesson_id, policy)
        nbformat.write(executed, folder / f"{lesson_id}-executed.ipynb")
        (folder / f"{lesson_id}.py").write_text(script_of(student), encoding="utf-8")


def executed_notebook(run: NotebookNode, lesson_id: str, policy: Policy) -> NotebookNode:
    """Return a run as readers may have it: with its outputs, and solutions as the course wants.

    Parameters
    ----------
    run : nbformat.NotebookNode
        As it was executed.
    lesson_id : str
        Stands in the metadata.
    policy : Policy
        What is folded on the page is folded in JupyterLab, too.
    """
    notebook = place_solutions(run, policy)
    for _, cell in code_cells(notebook):
        if cell.metadata.get("mystnb", {}).get("code_prompt_show") == PROMPT_SHOW:
            cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    notebook.metadata.pop("jupytext", None)
    notebook.metadata[METADATA_KEY] = {"lesson": lesson_id}
    return notebook


def script_of(student: NotebookNode) -> str:
    """Return a student's notebook as a Python script, with its cells marked by ``# %%``.

    Cells that are to raise an error are comments in it: they would end the script.
    """
    notebook: NotebookNode = nbformat.from_dict(student)
    for _, cell in code_cells(notebook):
        if "raises-exception" in tags_of(cell):
            cell.metadata["active"] = "ipynb"
    text: str = jupytext.writes(notebook, fmt=SCRIPT)
    return f"{text.rstrip()}\n"


def take_along_words(lesson_id: str) -> str:
    """Return the links to a lesson's files, as its page has them."""
    # Not links of Markdown: Jupyter Book would look for the files among its sources.
    return ", ".join(
        f'<a class="neuroprimer-take" href="../{DOWNLOADS_FOLDER}/{escape(lesson_id)}{ending}" '
        f"download>{words}</a>"
        for ending, words in FORMS
    )
