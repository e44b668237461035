"""The site: built aside, verified, and only then put in the place of the last good one."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import nbformat

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Course, Finding, ValidationReport
from neuroprimer.teaching.publish.jupyter_book import BookError, build_book, stage_book
from neuroprimer.teaching.publish.pages import lesson_page
from neuroprimer.teaching.publish.replace import replace_folder, restore_folder
from neuroprimer.teaching.publish.verify import verify_site

SITE_FOLDER = "site"
RUN_FOLDER = "run"
STAGE_PREFIX = ".stage-"

# Lies in every folder we made. One without it is somebody else's, and never replaced or removed.
MARKER = ".made-by-neuroprimer"


class PublishError(NeuroprimerError, OSError):
    """A place to which no site can be published."""


def require_output(output: Path) -> None:
    """Make the output folder if need be, and raise if a build cannot be put into it.

    Raises
    ------
    PublishError
        If it cannot be written, or what we would replace in it is not ours.
    """
    with _writing_into(output):
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=STAGE_PREFIX):
            pass
        for folder in (output / SITE_FOLDER, output / RUN_FOLDER):
            restore_folder(folder)
            _require_ours(folder)


def keep_run(output: Path, reports: Iterable[ValidationReport]) -> Path:
    """Put what was executed into ``output/run``, failed runs too, for whoever must find out why.

    Parameters
    ----------
    output : pathlib.Path
        The output folder.
    reports : iterable of ValidationReport
        Their notebooks are written; those of an earlier run are gone afterwards.

    Returns
    -------
    folder : pathlib.Path
        Has room for the reports of the build.

    Raises
    ------
    PublishError
        If the output folder cannot be written.
    """
    with _stage(output) as stage:
        notebooks = stage / RUN_FOLDER / "notebooks"
        notebooks.mkdir(parents=True)
        for report in reports:
            if report.result.notebook is not None:
                nbformat.write(report.result.notebook, notebooks / f"{report.lesson.id}.ipynb")
        _put_in_place(stage / RUN_FOLDER, output / RUN_FOLDER)
    return output / RUN_FOLDER


def publish_course(
    course: Course, reports: Sequence[ValidationReport], catalogue: Catalogue, output: Path
) -> tuple[Finding, ...]:
    """Build the site from runs that passed, verify it, and put it into place.

    Parameters
    ----------
    course : Course
        Only lessons that have a passed report get a page.
    reports : sequence of ValidationReport
        All of them have passed.
    catalogue : Catalogue
        Knows datasets and plugins.
    output : pathlib.Path
        The site becomes ``output/site``.

    Returns
    -------
    findings : tuple of Finding
        When there is any, the site that was there before is untouched.

    Raises
    ------
    PublishError
        If the output folder cannot be written.
    ValueError
        If a report has not passed.
    """
    if not reports or not all(report.passed for report in reports):
        raise ValueError("only lessons that have passed can be published, and at least one")
    require_output(output)
    with _stage(output) as stage:
        pages = {report.lesson.id: lesson_page(report, course, catalogue) for report in reports}
        try:
            lessons = stage_book(course, stage)
            for lesson_id, page in pages.items():
                nbformat.write(page, lessons / f"{lesson_id}.ipynb")
            html = build_book(stage)
        except BookError as error:
            return (Finding(rule="NP407", subject="site", message=error.message),)
        findings = verify_site(html, pages, private=(course.folder, stage))
        if not findings:
            _put_in_place(html, output / SITE_FOLDER)
    return findings


def clean_output(output: Path) -> tuple[Path, ...]:
    """Remove what builds have made in an output folder, and nothing else.

    Parameters
    ----------
    output : pathlib.Path
        An output folder of earlier builds.

    Returns
    -------
    removed : tuple of pathlib.Path
        What is gone.

    Raises
    ------
    PublishError
        If a folder in the place of ours was not made by neuroprimer; nothing is removed then.
    """
    ours = [output / SITE_FOLDER, output / RUN_FOLDER]
    for folder in ours:
        _require_ours(folder)
    left_over = sorted(output.glob(f"{STAGE_PREFIX}*"))
    removed = [folder for folder in (*ours, *left_over) if folder.is_dir()]
    with _writing_into(output):
        for folder in removed:
            shutil.rmtree(folder)
    return tuple(removed)


@contextlib.contextmanager
def _stage(output: Path) -> Iterator[Path]:
    """Give a folder beside the final ones, which is gone at the end whatever happens."""
    with (
        _writing_into(output),
        tempfile.TemporaryDirectory(dir=output, prefix=STAGE_PREFIX) as folder,
    ):
        yield Path(folder)


@contextlib.contextmanager
def _writing_into(output: Path) -> Iterator[None]:
    try:
        yield
    except PublishError:
        raise
    except OSError as error:
        raise PublishError(
            f"Cannot write into the output folder {output}: {error.strerror or error}.",
            hint="Choose another with --output, or make room in it and make it writable.",
        ) from error


def _put_in_place(new: Path, target: Path) -> None:
    (new / MARKER).touch()
    replace_folder(new, target)


def _require_ours(folder: Path) -> None:
    if folder.exists() and not (folder / MARKER).is_file():
        raise PublishError(
            f"{folder} was not made by neuroprimer: it has no {MARKER} in it.",
            hint="Choose another folder with --output; this one is left as it is.",
        )
