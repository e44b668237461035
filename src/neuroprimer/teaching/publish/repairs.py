"""Repairs: what the book tool's theme leaves undone, put right in the finished pages."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from neuroprimer.teaching.course import FRONT_PAGE
from neuroprimer.teaching.publish.frames import mend_frames
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.publish.pictures import with_sizes
from neuroprimer.teaching.publish.redirects import write_redirect
from neuroprimer.teaching.sealed import write_whole

# The theme has each icon twice: in a script of 1.5 MB, and in the font that its style names.
ICON_SCRIPT = re.compile(r"<script[^>]*/fontawesome\.js[^>]*></script>\n?")
ICON_FILES = "scripts/fontawesome.js*"

# A page with such a header leads to another.
IS_REFRESH = re.compile("refresh", re.IGNORECASE)

# The button that unfolds a part of the navigation has an icon and no words.
UNNAMED_TOGGLE = '<summary><span class="toctree-toggle"'
NAMED_TOGGLE = '<summary aria-label="Show or hide the pages below"><span class="toctree-toggle"'


def repair_site(
    html: Path, pages: Mapping[str, NotebookNode], *, names: Iterable[str] | None = None
) -> None:
    """Put right what the theme, and the viewers in lessons, leave undone.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages, which are changed.
    pages : mapping of str to nbformat.NotebookNode
        The notebook behind each lesson's page, by lesson id.
    names : iterable of str, optional
        Of the files to look at, as seen from `html`. Default: all.
    """
    lessons = {
        html / LESSONS_FOLDER / f"{lesson_id}.html": page for lesson_id, page in pages.items()
    }
    files = html.rglob("*.html") if names is None else map(html.joinpath, names)
    for file in sorted(files):
        if file.suffix == ".html" and file.is_file():
            _repair_page(file, lessons.get(file))
    static = html / "_static"
    for file in (*static.glob(ICON_FILES), *static.rglob("*.map")):
        file.unlink(missing_ok=True)
    if not _is_page_of_the_course(html / "index.html"):
        write_redirect(html, "index", FRONT_PAGE)


def _is_page_of_the_course(index: Path) -> bool:
    """Tell whether a course has written the page that the book tool would only redirect from."""
    if not index.is_file():
        return False
    page = BeautifulSoup(index.read_text(encoding="utf-8"), "html.parser")
    return page.find("meta", attrs={"http-equiv": IS_REFRESH}) is None


def _repair_page(file: Path, notebook: NotebookNode | None) -> None:
    """Put a page right; one of a lesson has a notebook behind it."""
    text = file.read_text(encoding="utf-8")
    mended = ICON_SCRIPT.sub("", text.replace(UNNAMED_TOGGLE, NAMED_TOGGLE))
    if notebook is not None:
        if "<iframe" in mended:
            page = BeautifulSoup(mended, "html.parser")
            mend_frames(page, notebook)
            mended = str(page)
        mended = with_sizes(mended, file.parent)
    if mended != text:
        write_whole(file, mended.encode())  # somebody may be reading a draft
