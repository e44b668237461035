"""Jupyter Book 1: all that neuroprimer knows of it stands here.

Version 1 because only it reads ``_config.yml`` and builds HTML without a network.
"""

import contextlib
import copy
import errno
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jupyter_book.config import get_final_config

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.course import CONFIG, FRONT_PAGE, SYLLABUS
from neuroprimer.teaching.model import Course, Part
from neuroprimer.teaching.notebooks import ANSI
from neuroprimer.teaching.publish.mathml import RENDERER

TABLE_OF_CONTENTS = "_toc.yml"
LESSONS_FOLDER = "lessons"

# Of the part with the pages that neuroprimer writes.
OUR_CAPTION = "About this site"

# Extensions of Jupyter Book that a site of ours goes without: this one names another host on every
# page, for a service that runs code there, and puts a script with an error into each.
DROPPED = ("sphinx_thebe",)

# A course may say anything else in its own _config.yml; these hold whatever it says.
FORCED: Mapping[str, Any] = {
    # the site shows exactly the run that was validated; unquoted, YAML would read a boolean
    "execute": {"execute_notebooks": "off"},
    "only_build_toc_files": True,
    # lessons lie in packages, not where the theme's buttons would look for them; see launch.py
    "launch_buttons": dict.fromkeys(
        ("binderhub_url", "colab_url", "jupyterhub_url", "deepnote_url", "jupyterlite_url"), ""
    ),
    # formulas are drawn without asking another host for a script
    "sphinx": {
        "extra_extensions": [
            "neuroprimer.teaching.publish.mathml",
            "neuroprimer.teaching.publish.look",
        ],
        "config": {
            "html_math_renderer": RENDERER,
            # what there is to download, pages offer themselves; see take_along.py
            "html_copy_source": False,
            "html_theme_options": {"use_download_button": False},
        },
    },
}
DEFAULTS: Mapping[str, Any] = {
    "launch_buttons": {"notebook_interface": "jupyterlab", "thebe": False},
    "sphinx": {
        "recursive_update": True,
        # pydata-sphinx-theme 0.17 shows an empty second bar otherwise
        "config": {"html_theme_options": {"navbar_persistent": []}},
    },
}
# In the staged folder, where Jupyter Book writes.
BUILT = "built"
ARGUMENTS = (
    *("build", "book", "--config", CONFIG, "--path-output", BUILT),
    *("-W", "-n", "--keep-going"),
)
# How the system calls a disk that is full.
FULL = os.strerror(errno.ENOSPC)

COMPLAINT = re.compile(r"^.*\b(?:WARNING|ERROR|CRITICAL)\b:.*$", re.MULTILINE)


class BookError(NeuroprimerError, RuntimeError):
    """A book that could not be built, or not without a complaint."""


def stage_book(
    course: Course,
    stage: Path,
    ours: Mapping[str, str],
    values: Mapping[str, Any] | None = None,
) -> Path:
    """Lay out the sources of the book, except the lessons.

    Parameters
    ----------
    course : Course
        Its hand-written pages are copied.
    stage : pathlib.Path
        An empty folder.
    ours : mapping of str to str
        Source of each page that neuroprimer adds, by name, in their order.
    values : mapping of str to any, optional
        What else our extensions of Sphinx are told.

    Returns
    -------
    lessons : pathlib.Path
        The folder in which the lessons' notebooks belong.

    Raises
    ------
    BookError
        If ``_config.yml`` cannot be read as a YAML mapping.
    """
    book = stage / "book"
    shutil.copytree(
        course.folder / "book",
        book,
        ignore=shutil.ignore_patterns(SYLLABUS, TABLE_OF_CONTENTS, LESSONS_FOLDER, "_build", ".*"),
    )
    for name, source in ours.items():
        (book / f"{name}.md").write_text(source, encoding="utf-8")
    config = _without_dropped(require_config(course))
    config = _merge(config, {"sphinx": {"config": values or {}}})
    (stage / CONFIG).write_text(_to_yaml(config), encoding="utf-8")
    contents = _table_of_contents(course, [name for name in ours if name != FRONT_PAGE])
    (book / TABLE_OF_CONTENTS).write_text(_to_yaml(contents), encoding="utf-8")
    lessons = book / LESSONS_FOLDER
    lessons.mkdir()
    return lessons


def run_apart(stage: Path) -> tuple[int, str]:
    """Run Jupyter Book in a process of its own; return its exit status and what it has said."""
    start = "from jupyter_book.cli.main import main; main()"
    done = subprocess.run(  # noqa: S603  # our own arguments, no shell
        [sys.executable, "-c", start, *ARGUMENTS],
        cwd=stage,
        # Warnings of Sphinx's own dependencies are not the course's; the locale is not the page's.
        env={**os.environ, "PYTHONWARNINGS": "ignore", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def run_here(stage: Path) -> tuple[int, str]:
    """Run Jupyter Book in this process, which is good for nothing else afterwards.

    It changes the folder and the warnings of the process, and adds to lists that its next run would
    find: whoever wants a second run has each in a child that was forked.
    """
    from jupyter_book.cli.main import main

    said = io.StringIO()
    os.chdir(stage)
    os.environ["NO_COLOR"] = "1"
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main(list(ARGUMENTS), standalone_mode=False)
        except SystemExit as end:
            return int(end.code != 0), said.getvalue()
        except Exception:  # noqa: BLE001  extensions may raise anything; it is told below
            return 1, said.getvalue() + traceback.format_exc()
    return 0, said.getvalue()


def import_ahead() -> None:
    """Import what Jupyter Book imports, for processes that run it more than once."""
    from jupyter_book.config import get_default_sphinx_config
    from sphinx.application import builtin_extensions

    for name in (
        *("jupyter_book.cli.main", "jupyter_book.sphinx", "sphinx_book_theme", "sphinx.search.en"),
        "myst_nb.sphinx_ext",
        *(*builtin_extensions, *get_default_sphinx_config()["extensions"]),
    ):
        with contextlib.suppress(ImportError):  # then whoever needs it will say so
            importlib.import_module(name)


def build_book(stage: Path, run: Callable[[Path], tuple[int, str]] = run_apart) -> Path:
    """Run Jupyter Book on a staged book, with every warning as an error.

    Parameters
    ----------
    stage : pathlib.Path
        As `stage_book` has laid it out, with the lessons in it.
    run : callable
        Runs Jupyter Book there: `run_apart` or `run_here`.

    Returns
    -------
    html : pathlib.Path
        The folder with the finished pages.

    Raises
    ------
    BookError
        If Jupyter Book fails or complains; its complaints are the message.
    OSError
        If the disk is full.
    """
    status, said = run(stage)
    html = stage / BUILT / "_build" / "html"
    if status or not (html / f"{FRONT_PAGE}.html").is_file():
        said = ANSI.sub("", said).replace(f"{stage.resolve()}/", "")
        if FULL in said:  # it names each of the hundred files that it could not write
            raise OSError(errno.ENOSPC, FULL)
        # authors know their lessons, not the notebooks that were staged, nor their line numbers
        said = re.sub(rf"book/{LESSONS_FOLDER}/([\w-]+)\.ipynb(:\d+)?", r"lesson \1", said)
        complaints = dict.fromkeys(COMPLAINT.findall(said)) or said.strip().splitlines()[-15:]
        raise BookError(
            "Jupyter Book could not build the site without a complaint:\n"
            + "\n".join(f"  {line}" for line in complaints),
            hint="Mend the pages that it names; what was published before is untouched.",
        )
    for template in (html / "_static").glob("*webpack-macros.html"):
        template.unlink()  # of the theme, copied by mistake: no page, and full of dead links
    return html


def require_config(course: Course) -> dict[str, Any]:
    """Return the configuration of a course's book: its own, with ours below and above it.

    Raises
    ------
    BookError
        If ``_config.yml`` cannot be read as a YAML mapping.
    """
    return _merge(_merge({**DEFAULTS, "title": course.title}, own_config(course)), FORCED)


def own_config(course: Course) -> dict[str, Any]:
    """Return what a course's ``_config.yml`` says; nothing where there is none.

    Raises
    ------
    BookError
        If it cannot be read as a YAML mapping.
    """
    file = course.folder / CONFIG
    own: object = {}
    if file.is_file():
        try:
            own = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise BookError(
                f"{CONFIG} cannot be read as YAML: {' '.join(str(error).split())}.",
                hint="Correct the line that it names, and save it as UTF-8.",
            ) from error
    if not isinstance(own, dict):
        raise BookError(
            f"{CONFIG} should hold 'name: value' pairs, but it is a {type(own).__name__}.",
            hint="Compare it with the one of neuroprimer itself.",
        )
    return own


def site_address(course: Course) -> str:
    """Return where a course says that its site will be; empty if it does not.

    Raises
    ------
    BookError
        If ``_config.yml`` cannot be read as a YAML mapping.
    """
    html = require_config(course).get("html")
    return str(html.get("baseurl") or "") if isinstance(html, Mapping) else ""


def _without_dropped(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that names all extensions itself, but for those to go without."""
    final, _ = get_final_config(
        user_yaml=copy.deepcopy(dict(config)), cli_config={"latex_individualpages": False}
    )
    kept = [name for name in final["extensions"] if name not in DROPPED]
    return _merge(config, {"sphinx": {"config": {"extensions": kept}}})


def _table_of_contents(course: Course, ours: Sequence[str]) -> dict[str, Any]:
    parts = [{"caption": part.title, "chapters": _chapters(part)} for part in course.parts]
    if ours:
        parts.append({"caption": OUR_CAPTION, "chapters": [{"file": name} for name in ours]})
    return {"format": "jb-book", "root": FRONT_PAGE, "parts": parts}


def _chapters(part: Part) -> list[dict[str, Any]]:
    """Return a part's entries; pages of a folder stand below that folder's index page."""
    chapters: list[dict[str, Any]] = []
    index: dict[str, Any] = {"file": ""}
    for name in (*(f"{LESSONS_FOLDER}/{lesson.id}" for lesson in part.lessons), *part.pages):
        below = index["file"].removesuffix("index")
        if below and name.startswith(below):
            index.setdefault("sections", []).append({"file": name})
            continue
        chapters.append({"file": name})
        index = chapters[-1] if name.endswith("/index") else {"file": ""}
    return chapters


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one: values of the second win, lists are joined."""
    merged = dict(below)
    for key, value in above.items():
        there = merged.get(key)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            merged[key] = _merge(there, value)
        elif isinstance(value, list) and isinstance(there, list):
            merged[key] = [*there, *(item for item in value if item not in there)]
        else:
            merged[key] = value
    return merged


def _to_yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
