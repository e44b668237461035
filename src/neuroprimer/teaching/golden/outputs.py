"""Outputs: what of a golden cell's run is compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from neuroprimer.teaching.golden.marks import Mark, read_marks
from neuroprimer.teaching.golden.pictures import shrink
from neuroprimer.teaching.golden.reading import UNREAD
from neuroprimer.teaching.golden.records import Output
from neuroprimer.teaching.golden.texts import LONGEST_TEXT, sum_up
from neuroprimer.teaching.model import ExecutionResult
from neuroprimer.teaching.notebooks import ANSI, code_cells
from neuroprimer.teaching.pictures import NoPictureError

PNG = "image/png"

# Of several forms of one result the first is compared: a table rather than its drawing in letters.
TEXTS = ("text/html", "text/markdown", "text/latex", "text/plain")

# How matplotlib writes a figure as text; it says how large it is in pixels.
FIGURE_TEXT = "<Figure "

BLOCKS = ("br", "caption", "div", "h1", "h2", "h3", "li", "p", "pre", "table", "tr")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a golden cell has given in a run.

    Parameters
    ----------
    mark : Mark
        Which cell.
    outputs : tuple of Output
        Texts first, then the data behind figures, then pictures.
    pngs : tuple of str
        The pictures as they are shown, in base64.
    n_unread : int
        Figures of matplotlib of which no data could be read, and pictures that are none.
    """

    mark: Mark
    outputs: tuple[Output, ...] = ()
    pngs: tuple[str, ...] = ()
    n_unread: int = 0


def read_outputs(result: ExecutionResult) -> tuple[Given, ...]:
    """Return what the golden cells of a run have given; nothing where one did not run.

    Parameters
    ----------
    result : ExecutionResult
        Has the notebook, made reproducible, and the data behind figures.
    """
    if result.notebook is None:
        return ()
    cells = dict(code_cells(result.notebook))
    marks, _ = read_marks(result.notebook)
    return tuple(
        _given(mark, cells[mark.cell], result.figure_data.get(mark.cell, ())) for mark in marks
    )


def summed_up(output: Output, mark: Mark) -> Output:
    """Return an output as it is recorded."""
    if output.kind == "figure" or len(output.text) <= LONGEST_TEXT:
        return output
    return replace(output, text=sum_up(output.text, mark.tolerance), is_summed_up=True)


def _given(mark: Mark, cell: NotebookNode, figure_data: Sequence[str]) -> Given:
    shown = list(_shown(cell))
    pngs = tuple(output.data[PNG] for output in cell.outputs if PNG in output.get("data", {}))
    n_figures = sum(
        PNG in output.get("data", {}) and output.data.get("text/plain", "").startswith(FIGURE_TEXT)
        for output in cell.outputs
    )
    figures = [Output(kind="figure", text=text) for text in figure_data]
    pictures = [Output(kind="picture", picture=_small(png)) for png in pngs]
    return Given(
        mark=mark,
        outputs=(*shown, *figures, *pictures),
        pngs=pngs,
        n_unread=max(0, n_figures - len(figures))
        + sum(map(_is_unread, figure_data))
        + sum(not one.picture for one in pictures),
    )


def _small(png: str) -> str:
    try:
        return shrink(png)
    except NoPictureError:
        return ""  # a lesson can show anything under the name of a picture


def _is_unread(data: str) -> bool:
    return data.startswith(UNREAD)


def _shown(cell: NotebookNode) -> Iterator[Output]:
    """Yield what a cell shows, but for pictures; warnings are no result."""
    for output in cell.outputs:
        if output.output_type == "stream":
            if output.name == "stdout":
                yield Output(kind="text", text=_tidy(output.text))
        elif output.output_type == "error":
            yield Output(kind="error", text=_tidy(f"{output.ename}: {output.evalue}"))
        elif PNG not in output.data:
            kind = next((kind for kind in TEXTS if kind in output.data), "")
            if kind:
                content = output.data[kind]
                text = text_of_html(content) if kind == "text/html" else content
                yield Output(kind="text", text=_tidy(text))
            else:
                yield Output(kind=", ".join(sorted(output.data)))


def text_of_html(html: str) -> str:
    """Return what HTML says: the rows of a table as lines, without what it looks like.

    Examples
    --------
    >>> text_of_html("<table><tr><th>mean</th><td><b>2.5</b></td></tr></table>")
    'mean | 2.5'
    """
    from bs4 import BeautifulSoup  # not at hand before something shows HTML

    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(["script", "style", "template"]):
        tag.decompose()
    for row in reversed(soup.find_all("tr")):  # of a table in a table before its outer one
        cells = row.find_all(["td", "th"])
        row.string = " | ".join(cell.get_text(" ", strip=True) for cell in cells)
    for block in soup.find_all(BLOCKS):
        block.insert_before("\n")
        block.insert_after("\n")
    return "\n".join(filter(None, map(str.strip, soup.get_text().split("\n"))))


def _tidy(text: str) -> str:
    """Return text without colours, trailing space and empty lines."""
    lines = (line.rstrip() for line in ANSI.sub("", text).split("\n"))
    return "\n".join(line for line in lines if line)
