"""The archive: a whole course in one file, for whoever has no network."""

import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from neuroprimer.teaching.bundles import write_bundle
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Course, Dataset
from neuroprimer.teaching.publish.places import MARKER, PublishError
from neuroprimer.teaching.publish.plain_titles import plain_title
from neuroprimer.teaching.publish.take_along import DOWNLOADS_FOLDER
from neuroprimer.teaching.publish.wheels import is_from_a_folder, wheels_needed
from neuroprimer.teaching.zips import write_zip

README, REQUIREMENTS, DATA = "README.txt", "requirements.txt", "data.zip"
PROGRAM = "neuroprimer"


def write_archive(
    file: Path,
    course: Course,
    catalogue: Catalogue,
    site: Path,
    data: Mapping[Dataset, Sequence[Path]],
) -> None:
    """Write a course to one archive, which is whole or, if anything goes wrong, not there.

    Parameters
    ----------
    file : pathlib.Path
        The archive, which is replaced if it exists. Of the same site, data and environment it has
        the same bytes.
    course : Course
        What is archived.
    catalogue : Catalogue
        Knows the plugins, whose packages are listed.
    site : pathlib.Path
        The published site, which must be that of the course as it is.
    data : mapping of Dataset to paths
        The files of the samples that the lessons read.

    Raises
    ------
    PublishError
        If it cannot be written.
    DatasetError
        If the data cannot.
    """
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder, DATA)
        wheels, sources = packages_of(catalogue)
        entries: dict[str, Path | bytes] = {
            README: _readme(course, sources, data).encode(),
            REQUIREMENTS: _requirements(wheels).encode(),
        }
        for lesson in course.lessons:
            name = f"{lesson.id}.ipynb"
            entries[f"notebooks/{name}"] = site / DOWNLOADS_FOLDER / name
        if data:
            write_bundle(bundle, data)
            entries[DATA] = bundle
        for path in sorted(site.rglob("*")):
            if path.is_file() and path.name != MARKER:
                entries[f"site/{path.relative_to(site).as_posix()}"] = path
        try:
            write_zip(file, entries, compress=True)
        except OSError as error:
            raise PublishError(
                f"The archive {file} cannot be written: {error.strerror or error}.",
                hint="Name a file in a folder that exists and can be written.",
            ) from error


def packages_of(catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Return what neuroprimer and the plugins need, as pip names it, and what they are themselves.

    Parameters
    ----------
    catalogue : Catalogue
        Knows the plugins.

    Returns
    -------
    wheels, sources : list of str
        Packages that an index has, and those that were installed from folders of their own.
    """
    plugins = [one.distribution for one in catalogue.plugins if one.state == "loaded"]
    versions = wheels_needed([PROGRAM, *filter(None, plugins)])
    sources = [name for name in versions if is_from_a_folder(name)]
    named = {name: f"{name}=={version}" for name, version in versions.items()}
    wheels = [one for name, one in named.items() if name not in sources]
    return wheels, [named[name] for name in sources]


def _requirements(wheels: Sequence[str]) -> str:
    lines = [
        f"# As it was on {platform.system()} with Python {platform.python_version()}.",
        *wheels,
    ]
    return "\n".join(lines) + "\n"


def _readme(course: Course, sources: Sequence[str], data: Mapping[Dataset, Sequence[Path]]) -> str:
    read = f"""
        READ
        Unpack this file, and open site/index.html in a browser. No network is needed; search and
        quizzes work. Each lesson offers its notebook and its script for download.

        RUN
        The notebooks need Python {platform.python_version()} and the packages that {REQUIREMENTS}
        lists. On a machine that has a network and is of the same kind:

          pip download -r {REQUIREMENTS} -d wheels
    """
    here = f"""
        Then, here:

          pip install --no-index --find-links wheels -r {REQUIREMENTS} {" ".join(sources)}
    """
    made = """
        What makes the lessons run is built from its own sources, a folder each, with
        `pip wheel --no-deps -w wheels FOLDER`:
    """
    parts = [course.title, dedent(read).strip()]
    if sources:
        parts += [dedent(made).strip(), "\n".join(f"  {one}" for one in sources)]
    parts.append(dedent(here).strip())
    if data:
        fetch = f"DATA\nThe notebooks find it after `neuroprimer data fetch --from {DATA}`."
        parts += [fetch, "\n".join(f"  {_terms(one)}" for one in data)]
    lessons = [f"  notebooks/{one.id}.ipynb   {plain_title(one.title)}" for one in course.lessons]
    parts.append("\n".join(["NOTEBOOKS", *lessons]))
    return "\n\n".join(parts) + "\n"


def _terms(dataset: Dataset) -> str:
    kind = ", synthetic" if dataset.is_synthetic else ""
    return f"{dataset.id}: {dataset.title}{kind}. Licence: {dataset.licence}."
