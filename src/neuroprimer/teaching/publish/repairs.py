"""Repairs: what the book tool's theme leaves undone, put right in the finished pages."""

import re
from collections.abc import Mapping
from pathlib import Path

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from neuroprimer.teaching.course import FRONT_PAGE
from neuroprimer.teaching.publish.frames import mend_frames
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.publish.pictures import with_sizes
from neuroprimer.teaching.publish.redirects import write_redirect

# The theme has each icon twice: in a script of 1.5 MB, and in the font that its style names.
ICON_SCRIPT = re.compile(r"<script[^>]*/fontawesome\.js[^>]*></script>\n?")
ICON_FILES = "scripts/fontawesome.js*"

# A page with such a header leads to another.
IS_REFRESH = re.compile("refresh", re.IGNORECASE)

# The button that unfolds a part of the navigation has an icon and no words.
UNNAMED_TOGGLE = '<summary><span class="toctree-toggle"'
NAMED_TOGGLE = '<summary aria-label="Show or hide the pages below"><span class="toctree-toggle"'


def repair_site(html: Path, pages: Mapping[str, NotebookNode]) -> None:
    """Put right what the theme, and the viewers in lessons, leave undone.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages, which are changed.
    pages : mapping of str to nbformat.NotebookNode
        The notebook behind each lesson's page, by lesson id.
    """
    for file in sorted(html.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        mended = ICON_SCRIPT.sub("", text.replace(UNNAMED_TOGGLE, NAMED_TOGGLE))
        if mended != text:
            file.write_text(mended, encoding="utf-8")
    for lesson_id, notebook in pages.items():
        _repair_lesson(html / LESSONS_FOLDER / f"{lesson_id}.html", notebook)
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


def _repair_lesson(file: Path, notebook: NotebookNode) -> None:
    if not file.is_file():  # verification will say so
        return
    text = file.read_text(encoding="utf-8")
    if "<iframe" in text:
        page = BeautifulSoup(text, "html.parser")
        mend_frames(page, notebook)
        text = str(page)
    file.write_text(with_sizes(text, file.parent), encoding="utf-8")
