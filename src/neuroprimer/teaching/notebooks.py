"""Notebooks: lessons read from text, and runs made the same every time."""

import contextlib
import copy
import hashlib
import re
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupytext.myst import MystMetadataParsingError
from nbformat import NotebookNode
from yaml import YAMLError

from neuroprimer.errors import NeuroprimerError

MYST = "md:myst"
MARKUP = frozenset({"text/html", "application/javascript"})

# What terminals take for colours.
ANSI = re.compile(r"\x1b\[[0-9;]*m")

# What they take for anything else: moving about, clearing, links. It means nothing on a page.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")

# Random in every run: the uuid4 that viewers give their HTML elements, and addresses in reprs.
# Only what stands in the place of an id is one: a digest in a table is a result.
RANDOM = r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|T_[0-9a-f]{5}"  # T_: pandas
RANDOM_ID = re.compile(rf"\bid=(?:[\"']|&quot;|&#x27;)?[\w-]*?({RANDOM})(?![0-9a-f])")
ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]{9,16}\b")

# What the readers raise for text that is no notebook; they check little before they use it.
UNREADABLE = (
    MystMetadataParsingError,
    YAMLError,
    nbformat.ValidationError,
    AttributeError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
)

# Where a kernel pretends that the code of its cells lies.
KERNEL_FOLDER = re.compile(r"[^\s\"']*/ipykernel_\d+/")


# Text and notebook of files that will be read again, if nobody changes them.
_remembered: dict[Path, tuple[str, NotebookNode]] = {}


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
        notebook = _read(path)
    except UNREADABLE as error:
        raise NotebookError(
            f"{path.name} is not a notebook: {type(error).__name__}: {_first_line(error)}",
            hint="Write it as MyST Markdown with {code-cell} blocks, or save it from Jupyter.",
        ) from error
    return notebook


def remember_notebooks(paths: Iterable[Path]) -> None:
    """Read notebooks now, so that this process and its children need not parse them again.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        A file that cannot be read is left to who needs it; one that changes is read anew.
    """
    for path in paths:
        with contextlib.suppress(*UNREADABLE):
            text = path.read_text(encoding="utf-8-sig")
            if path not in _remembered or _remembered[path][0] != text:
                _remembered[path] = text, _parse(path, text)


def _read(path: Path) -> NotebookNode:
    text = path.read_text(encoding="utf-8-sig")
    if path in _remembered and _remembered[path][0] == text:
        return copy.deepcopy(_remembered[path][1])
    return _parse(path, text)


def _parse(path: Path, text: str) -> NotebookNode:
    notebook: NotebookNode
    if path.suffix == ".md":
        notebook = jupytext.reads(text, fmt=MYST)
    else:
        notebook = nbformat.reads(text, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook as if it had never run."""
    bare: NotebookNode = nbformat.from_dict(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Yield number, from 1, and cell of all code cells that hold code."""
    filled = (cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip())
    return enumerate(filled, start=1)


def tags_of(cell: NotebookNode) -> frozenset[str]:
    """Return the tags of a cell, with hyphens: Jupyter Book takes ``remove_cell``, too."""
    tags = cell.metadata.get("tags", ())
    return frozenset(str(tag).replace("_", "-") for tag in tags)


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


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return outputs with all text of one stream in one piece, as a terminal would leave it.

    A kernel sends text in pieces, and which pieces is chance. The standard output goes first where
    the two streams meet, since their order is chance as well.
    """
    merged: list[NotebookNode] = []
    texts: dict[str, list[str]] = {}
    for output in outputs:
        if output.output_type != "stream":
            merged.append(output)
        elif output.name in texts:
            texts[output.name].append(output.text)
        else:
            texts[output.name] = [output.text]
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            output.text = _as_left_on_screen("".join(texts[output.name]))
    for place in range(len(merged) - 1):
        names = [merged[place + step].get("name") for step in (0, 1)]
        if names == ["stderr", "stdout"]:
            merged[place], merged[place + 1] = merged[place + 1], merged[place]
    return merged


def _as_left_on_screen(text: str) -> str:
    """Return text after carriage returns and backspaces have done their work."""
    text = CONTROL.sub("", text).replace("\r\n", "\n")
    if "\r" not in text and "\b" not in text:
        return text
    lines = []
    for line in text.split("\n"):
        left: list[str] = []
        for character in line.rstrip("\r").rpartition("\r")[2]:
            if character != "\b":
                left.append(character)
            elif left:
                left.pop()
        lines.append("".join(left))
    return "\n".join(lines)


def make_reproducible(notebook: NotebookNode) -> NotebookNode:
    """Return a run with everything replaced that differs from run to run without meaning.

    That is random ids of HTML elements, memory addresses in reprs, and the folder of installed
    packages in tracebacks and warnings. Equal ids stay equal to each other within the notebook.

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
    new_ids = _new_ids(copy)

    def rewrite(kind: str, text: str) -> str:
        if kind in MARKUP:
            for random_id, new_id in new_ids.items():
                text = text.replace(random_id, new_id)
        if kind in ("error", "stderr"):
            text = _without_package_folders(text)
        return ADDRESS.sub("0x000000000000", text)

    for _, cell in code_cells(copy):
        for output in cell.outputs:
            _rewrite_output(output, rewrite)
    return copy


def _new_ids(notebook: NotebookNode) -> dict[str, str]:
    """Return what each random id of a notebook becomes: of the same form, by order alone."""
    new_ids: dict[str, str] = {}
    for _, cell in code_cells(notebook):
        for kind, text in output_texts(cell):
            for random_id in RANDOM_ID.findall(text) if kind in MARKUP else ():
                fresh = iter(hashlib.sha256(f"id {len(new_ids)}".encode()).hexdigest())
                new_id = re.sub(r"[0-9a-f]", lambda _: next(fresh), random_id)  # noqa: B023  used at once
                new_ids.setdefault(random_id, new_id)
    return new_ids


def _rewrite_output(output: Any, rewrite: Callable[[str, str], str]) -> None:
    if output.output_type == "stream":
        output.text = rewrite(output.name, output.text)
    elif output.output_type == "error":
        output.traceback = [rewrite("error", line) for line in output.traceback]
        output.evalue = rewrite("error", output.evalue)
    else:
        for mime, content in output.data.items():
            if isinstance(content, str) and not _is_binary(mime):
                output.data[mime] = rewrite(mime, content)


def _without_package_folders(text: str) -> str:
    for name in ("purelib", "stdlib"):
        folder = sysconfig.get_path(name)
        in_home = folder.replace(str(Path.home()), "~", 1)  # as IPython writes it
        text = text.replace(f"{folder}/", "").replace(f"{in_home}/", "")
    return KERNEL_FOLDER.sub("", text)


def _is_binary(mime: str) -> bool:
    return mime.startswith("image/") and mime != "image/svg+xml"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
