"""The manifest: what a site was made of, and whether it is still as it was published."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuroprimer.teaching.cache.digests import Digests
from neuroprimer.teaching.cache.fingerprints import Surroundings
from neuroprimer.teaching.cache.places import PACKAGE
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.course import BOOK_FOLDER, CONFIG, PROJECT, STUDENT_NOTEBOOKS
from neuroprimer.teaching.model import Course, Lesson
from neuroprimer.teaching.publish.places import (
    MANIFEST,
    MARKER,
    NOTEBOOKS_FOLDER,
    RUN_FOLDER,
    SITE_FOLDER,
    writing_into,
)
from neuroprimer.teaching.sealed import canonical, digest_of, seal, unseal, write_whole


def site_sources(course: Course, surroundings: Surroundings) -> str:
    """Return one digest of everything that a site is made of, except the runs.

    Parameters
    ----------
    course : Course
        Its syllabus, pages, configuration, and the text of its lessons.
    surroundings : Surroundings
        What is installed, and the catalogue.
    """
    digests, catalogue = surroundings.digests, surroundings.catalogue
    content = {
        "title": course.title,
        "parts": [
            [part.title, [lesson.id for lesson in part.lessons], part.pages]
            for part in course.parts
        ],
        "book": _digests_in(course.folder / BOOK_FOLDER, digests),
        "config": digests.settled(course.folder / CONFIG),
        "lessons": [
            [*_digests_of(lesson, digests), *_facts(lesson, catalogue)] for lesson in course.lessons
        ],
        "front": asdict(course.front),
        "about": [
            course.licence,
            asdict(course.citation) if course.citation else None,
            dict(course.redirects),
        ],
        # what links to other services and to JupyterLite depend on
        "notebooks": _digests_in(course.folder / STUDENT_NOTEBOOKS, digests),
        "project": digests.settled(course.folder / PROJECT),
        "lite": [asdict(course.lite), _lite_files(course, digests)],
        "plugins": [[plugin.name, plugin.origin, plugin.state] for plugin in catalogue.plugins],
        "executors": sorted([one.name, one.plugin] for one in catalogue.executors.values()),
        "tools": [sys.version, surroundings.distributions.all_versions],
        "neuroprimer": _digests_in(PACKAGE / "teaching", digests),
        # what no page may name
        "folders": [
            *(str(Path.home()), sys.prefix, tempfile.gettempdir()),
            str(course.folder.absolute()),
        ],
    }
    return digest_of(canonical(content))


def site_inputs(sources: str, outputs: Mapping[str, str]) -> str:
    """Return one digest of everything that a site is made of.

    Parameters
    ----------
    sources : str
        From `site_sources`.
    outputs : mapping of str to str
        Digest of the outputs of each lesson, by id.
    """
    return digest_of(canonical([sources, dict(outputs)]))


def is_up_to_date(output: Path, inputs: str) -> bool:
    """Tell whether a site was made of the same, and nobody has touched it or its notebooks.

    Parameters
    ----------
    output : pathlib.Path
        An output folder.
    inputs : str
        What the site would be made of, as `site_inputs` says it.
    """
    try:
        recorded = unseal((output / MANIFEST).read_bytes())
        if recorded is None or recorded["inputs"] != inputs:
            return False
        is_ours = all((output / name / MARKER).is_file() for name in (SITE_FOLDER, RUN_FOLDER))
        return is_ours and recorded["files"] == _files(output)
    except OSError:
        return False


def record_site(output: Path, inputs: str) -> None:
    """Note what the site in an output folder was made of, and what it is like.

    Raises
    ------
    PublishError
        If the output folder cannot be written.
    """
    with writing_into(output):
        content = {"inputs": inputs, "files": _files(output)}
        write_whole(output / MANIFEST, seal(content))


def forget_site(output: Path) -> None:
    """Note that nothing is known of the site in an output folder.

    Raises
    ------
    PublishError
        If the output folder cannot be written.
    """
    with writing_into(output):
        (output / MANIFEST).unlink(missing_ok=True)


def _lite_files(course: Course, digests: Digests) -> dict[str, str]:
    """Return the digest of each file of Pyodide; nothing where none is wanted."""
    if not (course.lite.enabled and course.lite.pyodide):
        return {}
    return _digests_in(course.folder / course.lite.pyodide, digests)


def _digests_of(lesson: Lesson, digests: Digests) -> list[str]:
    """Return the digests of a lesson's text and of its exercises, whose hints no output shows."""
    names = filter(None, (lesson.path.name, lesson.exercises))
    return [digests.settled(lesson.path.parent / name) for name in names]


def _facts(lesson: Lesson, catalogue: Catalogue) -> list[Any]:
    """Return what a lesson's page says besides its text."""
    brought_by = catalogue.brought_by.get(lesson.id, "")
    datasets = [catalogue.datasets[id_] for id_ in lesson.datasets if id_ in catalogue.datasets]
    return [
        {**asdict(lesson), "path": lesson.path.name},
        [asdict(dataset) for dataset in datasets],
        [plugin.origin for plugin in catalogue.plugins if plugin.name == brought_by] or brought_by,
    ]


def _digests_in(folder: Path, digests: Digests) -> dict[str, str]:
    """Return the digest of every file in a folder, but for what Python has compiled."""
    return {
        name: digests.settled(folder / name) for name in _walk(folder) if not name.endswith(".pyc")
    }


def _files(output: Path) -> dict[str, list[int]]:
    """Return size and time of every file of the site and of the runs that it shows."""
    found = {}
    for part in (Path(SITE_FOLDER), Path(RUN_FOLDER, NOTEBOOKS_FOLDER)):
        for name in _walk(output / part):
            status = (output / part / name).stat()
            found[f"{part.as_posix()}/{name}"] = [status.st_size, status.st_mtime_ns]
    return found


def _walk(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below, sorted."""
    names = []
    for place, _, files in os.walk(folder):
        below = Path(place).relative_to(folder).as_posix()
        names += [name if below == "." else f"{below}/{name}" for name in files]
    return sorted(names)
