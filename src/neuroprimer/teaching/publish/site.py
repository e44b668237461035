"""The site: built aside, verified, and only then put in the place of the last good one."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Course, Finding, ValidationReport
from neuroprimer.teaching.publish.jupyter_book import BookError, build_book, stage_book
from neuroprimer.teaching.publish.pages import lesson_page
from neuroprimer.teaching.publish.replace import replace_folder
from neuroprimer.teaching.publish.verify import verify_site

SITE_FOLDER = "site"
STAGE_PREFIX = ".stage-"

# Lies in every site we made. A folder without it is somebody else's and never replaced or removed.
MARKER = ".neuroprimer-site"


class PublishError(NeuroprimerError, OSError):
    """A place to which no site can be published."""


def require_output(output: Path) -> None:
    """Make the output folder if need be, and raise if a site cannot be put into it.

    Raises
    ------
    PublishError
        If it cannot be written, or holds a site that is not ours.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=STAGE_PREFIX):
            pass
    except OSError as error:
        raise PublishError(
            f"Cannot write into the output folder {output}: {error.strerror}.",
            hint="Choose another with --output, or make this one writable.",
        ) from error
    _require_ours(output / SITE_FOLDER)


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
    with tempfile.TemporaryDirectory(dir=output, prefix=STAGE_PREFIX) as folder:
        stage = Path(folder)
        pages = {report.lesson.id: lesson_page(report, course, catalogue) for report in reports}
        try:
            lessons = stage_book(course, stage)
            for lesson_id, page in pages.items():
                nbformat.write(page, lessons / f"{lesson_id}.ipynb")
            html = build_book(stage)
        except BookError as error:
            return (Finding(rule="NP407", subject="site", message=error.message),)
        findings = verify_site(html, course, pages, private=(course.folder, stage))
        if not findings:
            (html / MARKER).touch()
            replace_folder(html, output / SITE_FOLDER)
    return findings


def remove_site(output: Path) -> tuple[Path, ...]:
    """Remove what builds left in an output folder, and nothing else.

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
        If ``output/site`` was not made by neuroprimer.
    """
    site = output / SITE_FOLDER
    _require_ours(site)
    removed = [folder for folder in (site, *output.glob(f"{STAGE_PREFIX}*")) if folder.is_dir()]
    for folder in removed:
        shutil.rmtree(folder)
    return tuple(removed)


def _require_ours(site: Path) -> None:
    if site.exists() and not (site / MARKER).is_file():
        raise PublishError(
            f"{site} was not made by neuroprimer: it has no {MARKER} in it.",
            hint="Choose another folder with --output; this one is left as it is.",
        )
