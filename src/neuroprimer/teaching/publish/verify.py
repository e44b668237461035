"""Verification: the built site, read as a browser would, held against the runs it must show."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from neuroprimer.teaching.model import Finding
from neuroprimer.teaching.notebooks import ANSI, tags_of
from neuroprimer.teaching.pictures import NoPictureError
from neuroprimer.teaching.publish.fetched import fetched_by_style, fetched_elsewhere, styles_of
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.publish.pictures import LIGHT_SUFFIX, pixel_digest
from neuroprimer.teaching.validate import (
    HIDING_TAGS,
    find_machine_folder,
    machine_folders,
    shown_cells,
)

# What Jupyter Book shows of an output that comes in several kinds, best first.
KINDS = (
    *("text/html", "image/svg+xml", "image/png", "image/jpeg"),
    *("text/markdown", "text/latex", "text/plain"),
)
TRACEBACK = "Traceback (most recent call last)"
TEXT_SUFFIXES = frozenset({".html", ".ipynb", ".json", ".md", ".py", ".svg", ".txt", ".xml"})
SEARCH_INDEX = "searchindex.js"
# The attribute that holds the address, by tag.
LINKS = MappingProxyType(
    {"a": "href", "link": "href", **dict.fromkeys(("img", "script", "iframe", "source"), "src")}
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
        for tag in self.soup.find_all(list(LINKS)):
            if LINKS[tag.name] in tag.attrs:
                yield str(tag[LINKS[tag.name]])

    def cells(self) -> list[Tag]:
        """Return the elements that show code cells, in order."""
        return self.soup.select("div.cell.docutils")


def verify_site(
    site: Path,
    pages: Mapping[str, NotebookNode],
    *,
    private: Sequence[Path] = (),
) -> tuple[Finding, ...]:
    """Check that a site shows each run whole, leads nowhere wrong, and gives nothing away.

    Parameters
    ----------
    site : pathlib.Path
        The folder with the built HTML.
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
    findings: list[Finding] = []
    for lesson_id, notebook in pages.items():
        page = parsed.get(_address(lesson_id))
        if page is None:
            findings.append(
                Finding(
                    rule="NP401",
                    subject=lesson_id,
                    message=f"{_address(lesson_id)} does not exist.",
                )
            )
        else:
            findings += _lesson_findings(lesson_id, notebook, page)
    return (
        *findings,
        *_complaints_on_pages(parsed),
        *_machine_folders(site, private),
        *_broken_links(site, parsed),
        *_fetched(site, parsed),
        *_missing_in_search(site, {name: parsed.get(_address(name)) for name in pages}),
    )


def _address(lesson_id: str) -> str:
    return f"{LESSONS_FOLDER}/{lesson_id}.html"


def _lesson_findings(lesson_id: str, notebook: NotebookNode, page: Page) -> Iterator[Finding]:
    """Yield what a lesson's page does not show, and what it should not."""
    cells = shown_cells(notebook)
    shown = page.cells()
    if len(shown) != len(cells):
        yield Finding(
            rule="NP402",
            subject=lesson_id,
            message=f"its page shows {len(shown)} code cells, the run has {len(cells)}.",
        )
        return
    for (number, cell), element in zip(cells, shown, strict=True):
        missing = _missing_outputs(cell, element, page)
        if missing:
            yield Finding(rule="NP402", subject=lesson_id, cell=number, message=missing)
        if "raises-exception" not in tags_of(cell) and (
            any(TRACEBACK in area.get_text() for area in element.select("div.cell_output"))
            or element.select(".traceback")
        ):
            yield Finding(
                rule="NP403", subject=lesson_id, cell=number, message="its page shows a traceback."
            )


def _missing_outputs(cell: NotebookNode, element: Tag, page: Page) -> str:
    """Say which output of a cell its page does not show, if any."""
    if not cell.outputs or tags_of(cell) & HIDING_TAGS:
        return ""
    areas = element.select("div.cell_output")
    text = _letters("".join(area.get_text() for area in areas))
    pictures = {mark for area in areas for mark in _pictures(area, page)}
    for output in cell.outputs:
        if output.output_type == "stream":
            kind, expected = output.name, output.text
        elif output.output_type == "error":
            kind, expected = "error", "\n".join(output.traceback) or output.ename
        else:
            # a kind that we do not know may well be the one that is shown
            is_known = set(output.data) <= set(KINDS)
            kind = next((known for known in KINDS if known in output.data and is_known), "")
            expected = output.data.get(kind, "")
        if not _is_shown(kind, expected, text, pictures, areas):
            return f"its {kind} output is not on the page: {ANSI.sub('', expected).strip()[:80]!r}"
    return ""


def _is_shown(kind: str, expected: str, text: str, pictures: set[str], areas: list[Tag]) -> bool:
    """Tell whether an output is there: text by its letters, pictures by bytes or pixels."""
    if kind in ("image/png", "image/jpeg"):
        picture = base64.b64decode(expected)
        return any(mark in pictures for mark in _marks(picture, is_light=True))
    if kind == "image/svg+xml":
        return _letters(expected) in pictures
    if kind == "text/html":
        wanted = BeautifulSoup(expected, "html.parser")
        return _letters(wanted.get_text()) in text and all(
            len(wanted.find_all(name)) <= sum(len(area.find_all(name)) for area in areas)
            for name in ("img", "iframe", "table", "svg")
        )
    if kind in ("text/markdown", "text/latex", ""):  # typeset, so that no letter need be left
        return any(area.find_all(True) for area in areas)
    return _letters(ANSI.sub("", expected)) in text


def _pictures(area: Tag, page: Page) -> Iterator[str]:
    """Yield what tells each picture from others: a digest, or its letters if it is text."""
    for img in area.find_all("img", src=True):
        parts = _split(str(img["src"]))
        if parts and not parts.scheme:
            file = page.file.parent / unquote(parts.path)
            if file.is_file() and file.suffix == ".svg":
                yield _letters(file.read_text(encoding="utf-8"))
            elif file.is_file():
                yield from _marks(file.read_bytes(), is_light=file.suffix == LIGHT_SUFFIX)


def _marks(picture: bytes, *, is_light: bool) -> Iterator[str]:
    """Yield the digest of a picture's bytes and, if they may be packed anew, of its pixels."""
    yield _digest(picture)
    if is_light:
        with suppress(NoPictureError):
            yield pixel_digest(picture)


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


def _fetched(site: Path, parsed: Mapping[str, Page]) -> Iterator[Finding]:
    fetched = {
        **{name: fetched_elsewhere(page.soup) for name, page in parsed.items()},
        **{name: fetched_by_style(text) for name, text in styles_of(site)},
    }
    for name, addresses in fetched.items():
        for address in dict.fromkeys(addresses):
            yield Finding(rule="NP411", subject=name, message=f"it would fetch {address}")


def _link_problem(address: str, page: Page, site: Path, parsed: Mapping[str, Page]) -> str:
    parts = _split(address)
    if parts is None:
        return "it is no address."
    if parts.scheme or parts.netloc or address in ("", "#"):
        return ""
    if parts.path.startswith("/"):
        return "an address from the server's root fails where the site lies in a folder."
    target = (page.file.parent / unquote(parts.path) if parts.path else page.file).resolve()
    target = target / "index.html" if target.is_dir() else target
    if not target.is_relative_to(site.resolve()):
        return "it leads out of the site."
    if not target.is_file():
        return "there is no such file."
    if parts.fragment and target.suffix == ".html":
        there = parsed.get(target.relative_to(site.resolve()).as_posix())
        if there is not None and unquote(parts.fragment) not in there.anchors:
            return f"the page has no anchor {parts.fragment!r}."
    return ""


def _missing_in_search(site: Path, pages: Mapping[str, Page | None]) -> Iterator[Finding]:
    """Yield a finding for each page that the index does not know by its heading."""
    try:
        text = (site / SEARCH_INDEX).read_text(encoding="utf-8")
        index = json.loads(text[text.index("{") : text.rindex("}") + 1])
        known = dict(zip(index["docnames"], index["titles"], strict=True))
    except (OSError, ValueError, KeyError) as error:
        yield Finding(
            rule="NP406", subject=SEARCH_INDEX, message=f"cannot be read: {type(error).__name__}."
        )
        return
    for lesson_id, page in pages.items():
        title = BeautifulSoup(
            known.get(f"{LESSONS_FOLDER}/{lesson_id}", ""), "html.parser"
        ).get_text()
        heading = page.soup.h1.get_text() if page and page.soup.h1 else ""
        if not title or _letters(title) != _letters(heading):
            yield Finding(
                rule="NP406",
                subject=lesson_id,
                message=f"the index calls it {title!r}, its page {heading!r}.",
            )


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _letters(text: str) -> str:
    """Return letters and digits only: white space and quotes differ between source and page."""
    return re.sub(r"[\W_]+", "", text)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
