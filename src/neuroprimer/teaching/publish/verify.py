"""Verification: the built site, read as a browser would, held against the runs it must show."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from neuroprimer.teaching.model import Course, Finding
from neuroprimer.teaching.notebooks import code_cells, output_texts, tags_of
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.validate import HIDING_TAGS, find_machine_folder, machine_folders

TRACEBACK = "Traceback (most recent call last)"
TEXT_SUFFIXES = frozenset({".html", ".ipynb", ".json", ".md", ".svg", ".txt", ".xml"})
SEARCH_INDEX = "searchindex.js"
LINKS = (
    *(("a", "href"), ("link", "href"), ("img", "src"), ("script", "src")),
    *(("iframe", "src"), ("source", "src")),
)


class Page:
    """One HTML file of a site, parsed once.

    Parameters
    ----------
    file : pathlib.Path
        The file.
    site : pathlib.Path
        The site's root.
    """

    def __init__(self, file: Path, site: Path) -> None:
        self.file = file
        self.name = file.relative_to(site).as_posix()
        self.soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Everything that a link with # can point to."""
        named = self.soup.find_all(attrs={"id": True}) + self.soup.find_all(
            "a", attrs={"name": True}
        )
        return frozenset(str(tag.get("id") or tag.get("name")) for tag in named)

    def links(self) -> Iterator[str]:
        """Yield the address of every link, image, script and frame."""
        for name, attribute in LINKS:
            for tag in self.soup.find_all(name, attrs={attribute: True}):
                yield str(tag[attribute])

    def cells(self) -> list[Tag]:
        """Return the elements that show code cells, in order."""
        return self.soup.select("div.cell.docutils")


def verify_site(
    site: Path,
    course: Course,
    pages: Mapping[str, NotebookNode],
    *,
    private: Sequence[Path] = (),
) -> tuple[Finding, ...]:
    """Check that a site shows each run whole, leads nowhere wrong, and gives nothing away.

    Parameters
    ----------
    site : pathlib.Path
        The folder with the built HTML.
    course : Course
        For the titles of the lessons.
    pages : mapping of str to nbformat.NotebookNode
        The notebook behind each lesson's page, by lesson id.
    private : sequence of pathlib.Path
        Folders whose paths no page may hold, besides home and the Python environment.

    Returns
    -------
    findings : tuple of Finding
        Empty when the site may be published.
    """
    parsed = {
        page.name: page for page in (Page(file, site) for file in sorted(site.rglob("*.html")))
    }
    titles = {lesson.id: lesson.title for lesson in course.lessons}
    findings: list[Finding] = []
    for lesson_id, notebook in pages.items():
        page = parsed.get(f"{LESSONS_FOLDER}/{lesson_id}.html")
        if page is None:
            findings.append(
                Finding(
                    rule="NP401",
                    subject=lesson_id,
                    message=f"{LESSONS_FOLDER}/{lesson_id}.html does not exist.",
                )
            )
        else:
            findings += _lesson_findings(lesson_id, notebook, page)
    return (
        *findings,
        *_complaints_on_pages(parsed),
        *_machine_folders(site, private),
        *_broken_links(site, parsed),
        *_missing_in_search(site, {lesson_id: titles[lesson_id] for lesson_id in pages}),
    )


def _lesson_findings(lesson_id: str, notebook: NotebookNode, page: Page) -> Iterator[Finding]:
    """Yield what a lesson's page does not show, and what it should not."""
    cells = [
        (number, cell)
        for number, cell in code_cells(notebook)
        if "remove-cell" not in tags_of(cell)
    ]
    shown = page.cells()
    if len(shown) != len(cells):
        yield Finding(
            rule="NP402",
            subject=lesson_id,
            message=f"its page shows {len(shown)} code cells, the run has {len(cells)}.",
        )
        return
    for (number, cell), element in zip(cells, shown, strict=True):
        missing = _missing_output(cell, element, page)
        if missing:
            yield Finding(rule="NP402", subject=lesson_id, cell=number, message=missing)
        if "raises-exception" not in tags_of(cell) and (
            TRACEBACK in element.get_text() or element.select(".traceback")
        ):
            yield Finding(
                rule="NP403", subject=lesson_id, cell=number, message="its page shows a traceback."
            )


def _missing_output(cell: NotebookNode, element: Tag, page: Page) -> str:
    """Say which output of a cell its page does not show, if any."""
    if not cell.outputs or tags_of(cell) & HIDING_TAGS:
        return ""
    shown = element.select("div.cell_output")
    if not shown or not any(area.find_all(True) for area in shown):
        return f"none of its {len(cell.outputs)} output(s) is on the page."
    text = _letters("".join(area.get_text() for area in shown))
    for kind, output in output_texts(cell):
        if kind in ("stdout", "stderr") and _letters(output) not in text:
            return f"its {kind} is not on the page: {output.strip()[:80]!r}"
    pictures = {
        _digest(file.read_bytes())
        for area in shown
        for img in area.find_all("img", src=True)
        if (file := page.file.parent / unquote(str(img["src"]))).is_file()
    }
    for output in cell.outputs:
        encoded = output.get("data", {}).get("image/png")
        if encoded and _digest(base64.b64decode(encoded)) not in pictures:
            return "the picture on the page is not the one that the run made."
    return ""


def _complaints_on_pages(parsed: Mapping[str, Page]) -> Iterator[Finding]:
    for page in parsed.values():
        for message in page.soup.select("div.system-message, .problematic"):
            yield Finding(
                rule="NP403",
                subject=page.name,
                message=f"the book tool wrote an error into it: {message.get_text()[:100].strip()}",
            )


def _machine_folders(site: Path, private: Sequence[Path]) -> Iterator[Finding]:
    folders = machine_folders(*private)
    for file in sorted(site.rglob("*")):
        if file.suffix in TEXT_SUFFIXES or file.name == SEARCH_INDEX:
            found = find_machine_folder(file.read_text(encoding="utf-8", errors="replace"), folders)
            if found:
                name = file.relative_to(site).as_posix()
                yield Finding(rule="NP404", subject=name, message=f"it names {found}")


def _broken_links(site: Path, parsed: Mapping[str, Page]) -> Iterator[Finding]:
    for page in parsed.values():
        for address in dict.fromkeys(page.links()):
            problem = _link_problem(address, page, site, parsed)
            if problem:
                yield Finding(rule="NP405", subject=page.name, message=f"{address}: {problem}")


def _link_problem(address: str, page: Page, site: Path, parsed: Mapping[str, Page]) -> str:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or address in ("", "#"):
        return ""
    if parts.path.startswith("/"):
        return "an address from the server's root fails where the site lies in a folder."
    target = (page.file.parent / unquote(parts.path)).resolve() if parts.path else page.file
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "there is no such file."
    if parts.fragment and target.suffix == ".html" and target.is_relative_to(site.resolve()):
        there = parsed.get(target.relative_to(site.resolve()).as_posix())
        if there is not None and unquote(parts.fragment) not in there.anchors:
            return f"the page has no anchor {parts.fragment!r}."
    return ""


def _missing_in_search(site: Path, titles: Mapping[str, str]) -> Iterator[Finding]:
    try:
        text = (site / SEARCH_INDEX).read_text(encoding="utf-8")
        index = json.loads(text[text.index("{") : text.rindex("}") + 1])
        known = dict(zip(index["docnames"], index["titles"], strict=True))
    except (OSError, ValueError, KeyError) as error:
        yield Finding(
            rule="NP406", subject=SEARCH_INDEX, message=f"cannot be read: {type(error).__name__}."
        )
        return
    for lesson_id, title in titles.items():
        found = known.get(f"{LESSONS_FOLDER}/{lesson_id}")
        if found is None or _letters(found) != _letters(title):
            yield Finding(
                rule="NP406",
                subject=lesson_id,
                message=f"the index has {found!r} in its place, expected {title!r}.",
            )


def _letters(text: str) -> str:
    """Return letters and digits only: markup and white space differ between source and page."""
    return re.sub(r"[\W_]+", "", re.sub(r"\x1b\[[0-9;]*m|<[^>]*>", "", text))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
