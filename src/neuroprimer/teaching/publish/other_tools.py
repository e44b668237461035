"""Other tools: the same pages and runs as sources for mystmd and for plain Sphinx.

No page depends on the tool that publishes it; that is what these exports are for, and test.
"""

import pprint
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import yaml

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Course, ValidationReport
from neuroprimer.teaching.publish.jupyter_book import (
    LESSONS_FOLDER,
    TABLE_OF_CONTENTS,
    site_address,
)
from neuroprimer.teaching.publish.mathml import RENDERER
from neuroprimer.teaching.publish.mystmd_text import as_mystmd
from neuroprimer.teaching.publish.places import MYST, SPHINX, PublishError, make_stage
from neuroprimer.teaching.publish.progress_page import PROGRESS_PAGE
from neuroprimer.teaching.publish.runs_page import PLACE, RUNS_PAGE
from neuroprimer.teaching.publish.site import stage_course
from neuroprimer.teaching.publish.structured_data import SPDX_IDENTIFIER, page_data

MYST_CONFIG = "myst.yml"
SPHINX_CONFIG = "conf.py"

SPHINX_EXTENSIONS = (
    *("myst_nb", "sphinx_external_toc", "sphinx_design", "sphinx_copybutton"),
    *("sphinx_togglebutton", "neuroprimer.teaching.publish.mathml"),
    "neuroprimer.teaching.publish.look",
)
MARKDOWN_EXTENSIONS = (
    *("amsmath", "colon_fence", "deflist", "dollarmath", "linkify", "substitution", "tasklist"),
)


def export_course(
    course: Course,
    reports: Sequence[ValidationReport],
    catalogue: Catalogue,
    folder: Path,
    *,
    tool: str,
) -> None:
    """Write the pages and runs of a course as sources for another book tool.

    Parameters
    ----------
    course, reports, catalogue
        As for `publish_course`.
    folder : pathlib.Path
        Does not exist, or is empty.
    tool : str
        One of `TOOLS`.

    Raises
    ------
    PublishError
        If the folder holds anything, or cannot be written.
    PictureError, BookError
        As in a build.
    """
    require_export_folder(folder)
    with make_stage(folder.parent) as stage:
        staged = stage_course(course, reports, catalogue, stage)
        book = stage / "book"
        contents = yaml.safe_load((book / TABLE_OF_CONTENTS).read_text(encoding="utf-8"))
        left_out = _left_out(staged.ours, tool)
        for name in left_out:
            (book / f"{name}.md").unlink()
        contents["parts"] = list(_parts_without(left_out, contents["parts"]))
        WRITERS[tool](book, contents, course, page_data(course, staged.picture))
        shutil.copytree(book, folder, dirs_exist_ok=True)


def require_export_folder(folder: Path) -> None:
    """Raise if a course cannot be exported into a folder; to be asked before lessons run.

    Raises
    ------
    PublishError
        If the folder holds anything.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise PublishError(
            f"Cannot export into {folder}: something is in it.",
            hint="Name a folder that is empty, or does not exist.",
        )


def _left_out(ours: Mapping[str, str], tool: str) -> list[str]:
    """Return the pages that we write and that another tool would leave empty."""
    names = [RUNS_PAGE] if PLACE in ours.get(RUNS_PAGE, "") else []  # nobody would fill it in
    if tool == MYST and PROGRESS_PAGE in ours:  # nor run our script
        names.append(PROGRESS_PAGE)
    return names


def _parts_without(
    left_out: Sequence[str], parts: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield parts of a table of contents without some pages; no tool knows an empty part."""
    for part in parts:
        chapters = [one for one in part["chapters"] if one["file"] not in left_out]
        if chapters:
            yield {**part, "chapters": chapters}


def _for_mystmd(
    book: Path, contents: Mapping[str, Any], course: Course, _: Mapping[str, Any]
) -> None:
    """Write ``myst.yml``, and pages and notebooks as mystmd reads them."""
    (book / TABLE_OF_CONTENTS).unlink()
    for page in book.rglob("*.md"):
        page.write_text(as_mystmd(page.read_text(encoding="utf-8")), encoding="utf-8")
    for file in (book / LESSONS_FOLDER).glob("*.ipynb"):
        _change_notebook(file)
    parts = [
        {"title": part["caption"], "children": _entries(part["chapters"], book)}
        for part in contents["parts"]
    ]
    project: dict[str, Any] = {
        "title": course.title,
        "toc": [*_entries([{"file": contents["root"]}], book), *parts],
    }
    if course.citation:
        project["authors"] = [
            {"name": {"literal": one.name} if one.is_group else one.name}
            for one in course.citation.authors
        ]
    if SPDX_IDENTIFIER.fullmatch(course.licence):
        project["license"] = course.licence
    config = {"version": 1, "project": project, "site": {"title": course.title}}
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    (book / MYST_CONFIG).write_text(text, encoding="utf-8")


def _change_notebook(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata.pop("jupytext", None)
    for cell in notebook.cells:
        cell.id = f"{file.stem}-{cell.id}"[:64]  # mystmd takes ids for names in the whole book
        if cell.cell_type == "markdown":
            cell.source = as_mystmd(cell.source)
    nbformat.write(notebook, file)


def _entries(chapters: Sequence[Mapping[str, Any]], book: Path) -> list[dict[str, Any]]:
    """Return entries of a table of contents as mystmd wants them: files with their ending."""
    entries = []
    for chapter in chapters:
        is_notebook = (book / f"{chapter['file']}.ipynb").is_file()
        entry: dict[str, Any] = {"file": f"{chapter['file']}.{'ipynb' if is_notebook else 'md'}"}
        if "sections" in chapter:
            entry["children"] = _entries(chapter["sections"], book)
        entries.append(entry)
    return entries


def _for_sphinx(
    book: Path, contents: Mapping[str, Any], course: Course, values: Mapping[str, Any]
) -> None:
    """Write ``conf.py``; pages and notebooks are what Sphinx reads already."""
    text = yaml.safe_dump(dict(contents), sort_keys=False, allow_unicode=True)
    (book / TABLE_OF_CONTENTS).write_text(text, encoding="utf-8")
    settings = {
        "project": course.title,
        "html_title": course.title,
        "html_theme": "sphinx_book_theme",
        "html_baseurl": site_address(course),
        "html_math_renderer": RENDERER,
        "extensions": [*SPHINX_EXTENSIONS],
        "myst_enable_extensions": [*MARKDOWN_EXTENSIONS],
        "nb_execution_mode": "off",
        "external_toc_exclude_missing": True,
        **values,
    }
    lines = [f"{name} = {pprint.pformat(value)}" for name, value in settings.items()]
    (book / SPHINX_CONFIG).write_text("\n".join([*lines, ""]), encoding="utf-8")


WRITERS: Mapping[str, Callable[[Path, Mapping[str, Any], Course, Mapping[str, Any]], None]] = {
    MYST: _for_mystmd,
    SPHINX: _for_sphinx,
}
