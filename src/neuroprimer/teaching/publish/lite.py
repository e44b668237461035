"""JupyterLite: lessons that run in the browser, where all wheels that they need are to be had."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Course, ExecutionResult
from neuroprimer.teaching.publish.jupyter_book import BookError
from neuroprimer.teaching.publish.places import NOTEBOOKS_FOLDER
from neuroprimer.teaching.publish.take_along import DOWNLOADS_FOLDER
from neuroprimer.teaching.publish.wheels import wheels_needed

LITE_FOLDER = "lite"
LOCK = "pyodide-lock.json"
PARTS = ("jupyterlite_core", "jupyterlite_pyodide_kernel")
# The kernel in the browser is another one, and needs nothing of this one.
KERNEL_HERE = "ipykernel"
KERNEL_THERE = "@jupyterlite/pyodide-kernel-extension"
MOST_NAMED = 12


@dataclass(frozen=True, kw_only=True)
class Lite:
    """Whether a site can have JupyterLite, and with which wheels.

    Parameters
    ----------
    folder : pathlib.Path
        With Pyodide, its lock file and its wheels.
    wheels : tuple of pathlib.Path
        Pure wheels in it that the lock file does not know.
    problem : str
        Why there can be none; empty if there can.
    """

    folder: Path
    wheels: tuple[Path, ...] = ()
    problem: str = ""


def find_lite(
    course: Course, results: Iterable[ExecutionResult], catalogue: Catalogue
) -> Lite | None:
    """Return what a course that wants JupyterLite can have of it; None if it wants none.

    Parameters
    ----------
    course : Course
        Its syllabus says under ``[lite]`` in which folder Pyodide lies.
    results : iterable of ExecutionResult
        Runs of the lessons, which tell what they import.
    catalogue : Catalogue
        Knows which packages bring the lessons.
    """
    if not course.lite.enabled:
        return None
    folder = course.folder / course.lite.pyodide
    absent = [name for name in PARTS if importlib.util.find_spec(name) is None]
    if absent:
        words = "it is not installed. `pip install 'neuroprimer[lite]'` does so"
        return Lite(folder=folder, problem=words)
    if not course.lite.pyodide or not (folder / LOCK).is_file():
        words = f"`pyodide` in the syllabus names no folder with {LOCK} and wheels"
        return Lite(folder=folder, problem=words)
    there, extra = _wheels_in(folder)
    missing = sorted(wheels_wanted(results, catalogue) - there)
    if missing:
        named = ", ".join(missing[:MOST_NAMED]) + (" ..." if missing[MOST_NAMED:] else "")
        words = f"{course.lite.pyodide} lacks {len(missing)} wheel(s) that lessons need: {named}"
        return Lite(folder=folder, problem=words)
    return Lite(folder=folder, wheels=extra)


def build_lite(lite: Lite, html: Path, lesson_ids: Iterable[str]) -> None:
    """Put JupyterLite with the student notebooks into a built site.

    Raises
    ------
    BookError
        If JupyterLite cannot be built; its last words are the message.
    """
    html = html.absolute()  # it runs in a folder of its own
    work = html.parent / LITE_FOLDER
    notebooks = work / NOTEBOOKS_FOLDER
    notebooks.mkdir(parents=True)
    # where JupyterLite looks for it; its own pages would ask other hosts, and nobody wants them
    there = work / "static" / "pyodide"
    shutil.copytree(lite.folder, there, ignore=shutil.ignore_patterns("*.html"))
    for lesson_id in lesson_ids:
        shutil.copy(html / DOWNLOADS_FOLDER / f"{lesson_id}.ipynb", notebooks)
    done = subprocess.run(  # noqa: S603  our own arguments, no shell
        [
            *(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(work)),
            *("--contents", str(notebooks), "--output-dir", str(html / LITE_FOLDER)),
            "--no-sourcemaps",
            *(f"--piplite-wheels={wheel.absolute()}" for wheel in lite.wheels),
        ],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not _has_kernel(html / LITE_FOLDER):
        said = done.stderr + done.stdout if done.returncode else f"it has no {KERNEL_THERE}"
        raise BookError(
            "JupyterLite could not be built:\n" + "\n".join(said.splitlines()[-15:]),
            hint="Mend what it names, or set `enabled = false` under [lite] in course.toml.",
        )


def _has_kernel(built: Path) -> bool:
    """Tell whether a built JupyterLite could start Python at all."""
    config = json.loads((built / "jupyter-lite.json").read_text(encoding="utf-8"))
    extensions = config["jupyter-config-data"].get("federated_extensions", ())
    return any(one["name"] == KERNEL_THERE for one in extensions)


def lite_link(lesson_id: str) -> str:
    """Return the address of a lesson in JupyterLite, relative to its page."""
    return f"../{LITE_FOLDER}/lab/index.html?path={lesson_id}.ipynb"


def wheels_wanted(results: Iterable[ExecutionResult], catalogue: Catalogue) -> set[str]:
    """Return the packages that must be in the browser for lessons to run there."""
    packages = {one.name: one.distribution or one.name for one in catalogue.plugins}
    wanted = {"neuroprimer"}
    for result in results:
        plugin = catalogue.brought_by[result.lesson.id]
        wanted |= {*result.distributions, packages.get(plugin, plugin)}
    return {str(canonicalize_name(name)) for name in wanted} - {*wheels_needed([KERNEL_HERE])}


def _wheels_in(folder: Path) -> tuple[set[str], tuple[Path, ...]]:
    """Return the names of all wheels in a folder, and those that its lock file does not know."""
    locked = _locked(folder)
    there = {name for name, file in locked.items() if (folder / file).is_file()}
    extra = []
    for file in sorted(folder.glob("*-none-any.whl")):
        try:
            name = parse_wheel_filename(file.name)[0]
        except InvalidWheelFilename:
            continue
        if name not in there:
            extra.append(file)
    return there | {parse_wheel_filename(file.name)[0] for file in extra}, tuple(extra)


def _locked(folder: Path) -> Mapping[str, str]:
    try:
        packages = json.loads((folder / LOCK).read_text(encoding="utf-8"))["packages"]
        return {canonicalize_name(one["name"]): one["file_name"] for one in packages.values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
