"""Frames: interactive viewers that a lesson shows, made to fit, named, and fit for the dark."""

from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from neuroprimer.teaching.validate import alt_text, shown_cells

# The theme's colours, in a frame; `neuroprimer.js` tells it of the theme, and gives it its height.
STYLE = """
html { color-scheme: light; background: #fff; color: #1b1f24; }
html[data-theme="dark"] { color-scheme: dark; background: #121212; color: #ced6dd; }
body { margin: 0; font-family: system-ui, sans-serif; }
p, input { margin: 8px; }
canvas { max-width: 100%; }
"""

# Says of a frame that this was done.
MENDED = "neuroprimer-frame"


def mend_frames(page: BeautifulSoup, notebook: NotebookNode) -> None:
    """Make the frames of a lesson's page as wide as the page, and name them.

    Parameters
    ----------
    page : bs4.BeautifulSoup
        Is changed: no frame has a fixed width, each has a title, and what lies in it has labels
        and asks no other host for an icon.
    notebook : nbformat.NotebookNode
        Of which the page was made; says in words what its viewers show.
    """
    for element, words in _cells_with_words(page, notebook):
        for frame in element.find_all("iframe"):
            _mend(frame, words)


def _cells_with_words(page: BeautifulSoup, notebook: NotebookNode) -> Iterator[tuple[Tag, str]]:
    """Yield each code cell of a page with the words for what it shows."""
    # should the two not fit, verification stops the site
    shown = zip(shown_cells(notebook), page.select("div.cell.docutils"), strict=False)
    for (_, cell), element in shown:
        yield element, alt_text(cell)


def _mend(frame: Tag, words: str) -> None:
    classes = frame.get_attribute_list("class", [])
    if MENDED in classes:
        return
    width, height = frame.get("width"), frame.get("height")
    for name in ("width", "height", "frameborder"):
        if frame.has_attr(name):
            del frame[name]
    if str(width).isdigit() and str(height).isdigit():
        frame["style"] = f"aspect-ratio: {width} / {height}"
    frame["title"] = words or frame.get("title") or "Interactive figure"
    frame["loading"] = "lazy"
    frame["class"] = [*classes, MENDED]
    if frame.has_attr("srcdoc"):
        frame["srcdoc"] = _mended_content(str(frame["srcdoc"]), str(frame["title"]))


def _mended_content(srcdoc: str, title: str) -> str:
    """Return a viewer's own page with labels, and in the colours of the page around it."""
    inside = BeautifulSoup(srcdoc, "html.parser")
    for icon in inside.select('link[rel~="icon"]'):
        icon.decompose()
    for canvas in inside.find_all("canvas"):
        canvas["role"] = "img"
        canvas["aria-label"] = title
    for control in inside.select("input:not([aria-label]), select:not([aria-label])"):
        named_before = control.find_previous_sibling()
        words = named_before.get_text(strip=True) if named_before else ""
        control["aria-label"] = words or "Setting"
    if inside.head:
        style = inside.new_tag("style")
        style.string = STYLE
        inside.head.append(style)
    return str(inside)
