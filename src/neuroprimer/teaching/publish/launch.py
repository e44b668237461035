"""Launching a lesson elsewhere: links to Binder and Colab that lead to a notebook that is there.

Lessons lie in packages, with their solutions. What these services can open is a student notebook in
the course's repository; `write_notebooks` puts one of each lesson there, to be committed. A lesson
without one, or with an older one, has no link.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.course import PROJECT, STUDENT_NOTEBOOKS
from neuroprimer.teaching.exercises.forms import student_notebook
from neuroprimer.teaching.model import Course, ExecutionResult, Lesson
from neuroprimer.teaching.notebooks import read_notebook
from neuroprimer.teaching.publish.jupyter_book import own_config
from neuroprimer.teaching.publish.places import make_stage, put_in_place, require_ours

BRANCH = "main"
BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"

# Colab begins with an environment that has nothing of ours.
ON_COLAB = """\
# Only Colab needs this cell: it installs the course.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "git+{url}@{branch}"
"""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where the sources of a course are published.

    Parameters
    ----------
    url, branch : str
        As ``repository`` in ``_config.yml`` says.
    folder : str
        Of the course in it; empty when it is the root.
    binder, colab : str
        Addresses of the services; empty where the course wants none.
    """

    url: str
    branch: str = BRANCH
    folder: str = ""
    binder: str = BINDER
    colab: str = COLAB

    def binder_link(self, path: str) -> str:
        """Return the address at which Binder opens a file of the repository in JupyterLab."""
        parts = urlsplit(self.url)
        owner, _, name = parts.path.strip("/").removesuffix(".git").rpartition("/")
        kinds = {
            "github.com": f"gh/{owner}/{name}",
            "gitlab.com": f"gl/{quote(owner, '')}%2F{name}",
        }
        place = kinds.get(parts.netloc, f"git/{quote(self.url, '')}")
        return f"{self.binder}/v2/{place}/{quote(self.branch, '')}?urlpath=lab/tree/{quote(path)}"

    def colab_link(self, path: str) -> str:
        """Return the address at which Colab opens a notebook; empty where it cannot."""
        parts = urlsplit(self.url)
        if parts.netloc != "github.com":
            return ""
        name = parts.path.strip("/").removesuffix(".git")
        return f"{self.colab}/github/{name}/blob/{quote(self.branch)}/{quote(path)}"


def find_repository(course: Course) -> Repository | None:
    """Return where a course's ``_config.yml`` says that it is published; None if it does not."""
    config = own_config(course)
    said, services = _mapping(config, "repository"), _mapping(config, "launch_buttons")
    url = str(said.get("url") or "").rstrip("/")
    if not url:
        return None
    book = PurePosixPath(str(said.get("path_to_book") or "book"))
    folder = book.parent.as_posix() if book.name == "book" else ""
    return Repository(
        url=url,
        branch=str(said.get("branch") or BRANCH),
        folder="" if folder == "." else folder.strip("/"),
        binder=str(services.get("binderhub_url", BINDER) or "").rstrip("/"),
        colab=str(services.get("colab_url", COLAB) or "").rstrip("/"),
    )


def launch_links(
    lesson: Lesson, source: NotebookNode, course: Course, catalogue: Catalogue
) -> Mapping[str, str]:
    """Return the links to services that run a lesson, by the name of the service.

    Parameters
    ----------
    lesson : Lesson
        To be run.
    source : nbformat.NotebookNode
        As the author wrote it.
    course : Course
        Its ``_config.yml`` tells the address of its repository.
    catalogue : Catalogue
        Knows in which package the lesson comes.
    """
    repository = find_repository(course)
    if repository is None or not _is_there(lesson, source, course):
        return {}
    path = f"{repository.folder}/{STUDENT_NOTEBOOKS}/{lesson.id}.ipynb".lstrip("/")
    links = {}
    if repository.binder:
        links["Binder"] = repository.binder_link(path)
    if repository.colab and _comes_with(course, lesson, catalogue):
        links["Colab"] = repository.colab_link(path)
    return {name: link for name, link in links.items() if link}


def launch_note(course: Course, results: Iterable[ExecutionResult]) -> str:
    """Say which lessons go without links though the repository has an address; else nothing.

    Parameters
    ----------
    course : Course
        Its ``_config.yml`` tells the address.
    results : iterable of ExecutionResult
        Of the lessons that have a page.
    """
    if find_repository(course) is None:
        return ""
    missing = [
        result.lesson.id
        for result in results
        if result.source is not None and not _is_there(result.lesson, result.source, course)
    ]
    if not missing:
        return ""
    return (
        f"no link to Binder or Colab for {', '.join(missing)}: {STUDENT_NOTEBOOKS}/ does not hold "
        "their notebooks as they are now. `neuroprimer notebooks` writes them, for you to commit."
    )


def write_notebooks(course: Course) -> Path:
    """Put a student notebook of each lesson into a course's folder, for its repository.

    Parameters
    ----------
    course : Course
        Whose lessons.

    Returns
    -------
    folder : pathlib.Path
        Holds them, and none of lessons that there were.

    Raises
    ------
    PublishError
        If the folder cannot be written, or what is there was not made by neuroprimer.
    """
    target = course.folder / STUDENT_NOTEBOOKS
    require_ours(target)
    with make_stage(course.folder) as stage:
        new = stage / STUDENT_NOTEBOOKS
        new.mkdir()
        for lesson in course.lessons:
            text = notebook_text(lesson, read_notebook(lesson.path), course)
            (new / f"{lesson.id}.ipynb").write_text(text, encoding="utf-8")
        put_in_place(new, target)
    return target


def notebook_text(lesson: Lesson, source: NotebookNode, course: Course) -> str:
    """Return a lesson's notebook as it is to lie in the course's repository."""
    notebook = student_notebook(source, lesson.id)
    repository = find_repository(course)
    if repository and repository.colab and _project(course):
        code = ON_COLAB.format(url=repository.url, branch=repository.branch).rstrip()
        notebook.cells.insert(0, new_code_cell(code, id="on-colab"))
    return f"{nbformat.writes(notebook)}\n"


def _comes_with(course: Course, lesson: Lesson, catalogue: Catalogue) -> bool:
    """Tell whether a lesson is there once the course's repository has been installed."""
    name = catalogue.brought_by.get(lesson.id, "")
    project = _project(course)
    plugins = [one for one in catalogue.plugins if one.name == name]
    return bool(project) and any(one.distribution == project for one in plugins)


def _project(course: Course) -> str:
    """Return the name of the package that a course's folder is; empty if it is none."""
    try:
        text = (course.folder / PROJECT).read_text(encoding="utf-8")
        return str(_mapping(tomllib.loads(text), "project").get("name", ""))
    except (OSError, ValueError):
        return ""


def _mapping(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _is_there(lesson: Lesson, source: NotebookNode, course: Course) -> bool:
    """Tell whether a lesson's notebook, as the lesson is now, lies in the course's folder."""
    file = course.folder / STUDENT_NOTEBOOKS / f"{lesson.id}.ipynb"
    try:
        return file.read_text(encoding="utf-8") == notebook_text(lesson, source, course)
    except (OSError, UnicodeDecodeError):
        return False
