"""Notebooks: lessons read from text, and runs made the same every time."""

import hashlib
import re
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from neuroprimer.errors import NeuroprimerError

MYST = "md:myst"

# Random in every run: the uuid4 that viewers give their HTML elements, and addresses in reprs.
RANDOM_ID = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


class NotebookError(NeuroprimerError, ValueError):
    """A file that cannot be read as a notebook."""


def read_notebook(path: Path) -> NotebookNode:
    """Read a lesson's notebook from its text or JSON file.

    Parameters
    ----------
    path : pathlib.Path
        MyST Markdown (.md) or Jupyter (.ipynb).

    Returns
    -------
    notebook : nbformat.NotebookNode
        In format 4.5, with cell ids that depend on nothing but the cells' places.

    Raises
    ------
    NotebookError
        If the file is no notebook.
    """
    try:
        text = path.read_text(encoding="utf-8")
        notebook: NotebookNode
        if path.suffix == ".md":
            notebook = jupytext.reads(text, fmt=MYST)
        else:
            notebook = nbformat.reads(text, as_version=4)
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number:03d}"
        notebook.nbformat, notebook.nbformat_minor = 4, 5
        nbformat.validate(notebook)
    except (
        OSError,
        ValueError,
        AttributeError,
        KeyError,
        TypeError,
        nbformat.ValidationError,
    ) as error:
        raise NotebookError(
            f"{path.name} is not a notebook: {type(error).__name__}: {_first_line(error)}",
            hint="Write it as MyST Markdown with {code-cell} blocks, or save it from Jupyter.",
        ) from error
    return notebook


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Yield number, from 1, and cell of all code cells that hold code."""
    filled = (cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip())
    return enumerate(filled, start=1)


def tags_of(cell: NotebookNode) -> frozenset[str]:
    """Return the tags of a cell."""
    return frozenset(cell.metadata.get("tags", ()))


def output_texts(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield kind and text of all text that a cell's outputs hold.

    The kind is a MIME type, or ``"stdout"``, ``"stderr"`` or ``"error"``.
    """
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type == "error":
            yield "error", "\n".join(output.traceback)
        else:
            for mime, content in output.data.items():
                if isinstance(content, str) and not _is_binary(mime):
                    yield mime, content


def make_reproducible(notebook: NotebookNode) -> NotebookNode:
    """Return a run with everything replaced that differs from run to run without meaning.

    That is random ids in HTML and scripts, memory addresses, and the folder of installed
    packages in tracebacks. Equal ids stay equal to each other within the notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook; it is not changed.

    Returns
    -------
    notebook : nbformat.NotebookNode
        A copy.
    """
    copy: NotebookNode = nbformat.from_dict(notebook)
    new_ids: dict[str, str] = {}

    def new_id(match: re.Match[str]) -> str:
        digest = hashlib.sha256(f"id {len(new_ids)}".encode()).hexdigest()
        template = match[0]
        fresh = iter(digest)
        same_form = "".join(c if c == "-" else next(fresh) for c in template)
        return new_ids.setdefault(template, same_form)

    def rewrite(kind: str, text: str) -> str:
        if kind in ("text/html", "application/javascript"):
            text = RANDOM_ID.sub(new_id, text)
        if kind == "error":
            text = _without_package_folders(text)
        return ADDRESS.sub("0x000000000000", text)

    for _, cell in code_cells(copy):
        for output in cell.outputs:
            _rewrite_output(output, rewrite)
    return copy


def _rewrite_output(output: Any, rewrite: Callable[[str, str], str]) -> None:
    if output.output_type == "stream":
        output.text = rewrite(output.name, output.text)
    elif output.output_type == "error":
        output.traceback = [rewrite("error", line) for line in output.traceback]
    else:
        for mime, content in output.data.items():
            if isinstance(content, str) and not _is_binary(mime):
                output.data[mime] = rewrite(mime, content)


def _without_package_folders(text: str) -> str:
    for name in ("purelib", "stdlib"):
        folder = sysconfig.get_path(name)
        in_home = folder.replace(str(Path.home()), "~", 1)  # as IPython writes it
        text = text.replace(f"{folder}/", "").replace(f"{in_home}/", "")
    return text


def _is_binary(mime: str) -> bool:
    return mime.startswith("image/") and mime != "image/svg+xml"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
