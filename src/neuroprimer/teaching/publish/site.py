"""The site: built aside, verified, and only then put in the place of the last good one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Course, Finding, ValidationReport
from neuroprimer.teaching.publish.addresses import keep_addresses
from neuroprimer.teaching.publish.front_page import Picture, PictureError, find_picture
from neuroprimer.teaching.publish.generated import generated_pages
from neuroprimer.teaching.publish.jupyter_book import BookError, build_book, stage_book
from neuroprimer.teaching.publish.launch import launch_note
from neuroprimer.teaching.publish.leaks import find_leaks
from neuroprimer.teaching.publish.lite import build_lite, find_lite
from neuroprimer.teaching.publish.pages import lesson_page
from neuroprimer.teaching.publish.pictures import lighten_pictures
from neuroprimer.teaching.publish.places import (
    NOTEBOOKS_FOLDER,
    RUN_FOLDER,
    SITE_FOLDER,
    make_stage,
    put_in_place,
    require_output,
)
from neuroprimer.teaching.publish.repairs import repair_site
from neuroprimer.teaching.publish.runs_page import fill_runs_page
from neuroprimer.teaching.publish.structured_data import page_data
from neuroprimer.teaching.publish.take_along import write_downloads
from neuroprimer.teaching.publish.verify import verify_site
from neuroprimer.teaching.reports.figures import Figures


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
    with make_stage(output) as stage:
        notebooks = stage / RUN_FOLDER / NOTEBOOKS_FOLDER
        notebooks.mkdir(parents=True)
        for report in reports:
            if report.result.notebook is not None:
                nbformat.write(report.result.notebook, notebooks / f"{report.lesson.id}.ipynb")
        put_in_place(stage / RUN_FOLDER, output / RUN_FOLDER)
    return output / RUN_FOLDER


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What was laid out for a book tool.

    Parameters
    ----------
    pages : mapping of str to nbformat.NotebookNode
        The notebook behind each lesson's page, by lesson id.
    ours : mapping of str to str
        Source of each page that neuroprimer adds, by name.
    picture : Picture or None
        Of the front page.
    """

    pages: Mapping[str, NotebookNode]
    ours: Mapping[str, str]
    picture: Picture | None


def stage_course(
    course: Course,
    reports: Sequence[ValidationReport],
    catalogue: Catalogue,
    stage: Path,
    *,
    has_lite: bool = False,
) -> Staged:
    """Lay out all pages of a course, from runs that passed.

    Parameters
    ----------
    course, reports, catalogue
        As for `publish_course`.
    stage : pathlib.Path
        An empty folder.
    has_lite : bool
        Whether the site will have JupyterLite, to which pages then link.

    Raises
    ------
    PictureError
        If a lesson lacks the figure that the front page is to show.
    BookError
        If ``_config.yml`` cannot be read.
    """
    pages = {
        report.lesson.id: lesson_page(report, course, catalogue, has_lite=has_lite)
        for report in reports
    }
    picture = find_picture(course, pages)
    ours = generated_pages(course, catalogue, picture, pages)
    lessons = stage_book(course, stage, ours, page_data(course, picture))
    if picture:
        (lessons.parent / picture.name).write_bytes(picture.content)
    for lesson_id, page in pages.items():
        nbformat.write(page, lessons / f"{lesson_id}.ipynb")
    return Staged(pages=pages, ours=ours, picture=picture)


def publish_course(
    course: Course,
    reports: Sequence[ValidationReport],
    catalogue: Catalogue,
    output: Path,
    *,
    figures: Sequence[Figures] = (),
    strict: bool = True,
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
    figures : sequence of Figures, optional
        What the runs took, those of lessons that are left out among them; the site has a page
        about it. Default: what the reports say.
    strict : bool
        Whether every page of the last site must be there, or have a redirect.

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
    lite = find_lite(course, [report.result for report in reports], catalogue)
    has_lite = lite is not None and not lite.problem
    with make_stage(output) as stage:
        try:
            staged = stage_course(course, reports, catalogue, stage, has_lite=has_lite)
            html = build_book(stage)
            figures = figures or [Figures(report=one) for one in reports]
            finish_pages(html, staged, figures)
            write_downloads(html, reports, course.policy)
            lighten_pictures(html, output / SITE_FOLDER)
            # before JupyterLite comes: its pages are its own, and go with it
            of_addresses = keep_addresses(html, output / SITE_FOLDER, course, strict=strict)
            if lite is not None and has_lite:
                build_lite(lite, html, staged.pages)
        except (PictureError, BookError) as error:
            return (as_finding(error),)
        findings = (
            *of_addresses,
            *inspect_site(html, staged, course, reports, private=(course.folder, stage)),
        )
        if not findings:
            put_in_place(html, output / SITE_FOLDER)
    return findings


def as_finding(error: PictureError | BookError) -> Finding:
    """Return what keeps a site from being built as a finding."""
    if isinstance(error, PictureError):
        return Finding(rule="NP108", subject="course.toml", message=error.message)
    return Finding(rule="NP407", subject="site", message=error.message)


def finish_pages(
    html: Path,
    staged: Staged,
    figures: Sequence[Figures],
    *,
    changed: Iterable[str] | None = None,
) -> None:
    """Put into the pages of a built site what the book tool cannot.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the built pages, which are changed.
    staged : Staged
        Of what it was built.
    figures : sequence of Figures
        What the runs took.
    changed : iterable of str, optional
        Names of what the book tool has written; in a draft, the others are finished already.
        Default: everything.
    """
    repair_site(html, staged.pages, names=changed)
    fill_runs_page(html, figures, staged.pages.keys())


def inspect_site(
    html: Path,
    staged: Staged,
    course: Course,
    reports: Sequence[ValidationReport],
    *,
    private: Sequence[Path],
) -> tuple[Finding, ...]:
    """Return what keeps a finished site from being published.

    Parameters
    ----------
    html, staged
        As for `finish_pages`.
    course, reports
        As for `publish_course`.
    private : sequence of pathlib.Path
        Folders that no page may name.
    """
    return (
        *verify_site(html, staged.pages, private=private),
        *find_leaks(html, [report.result for report in reports], course.policy),
    )


def publishing_notes(
    course: Course, reports: Sequence[ValidationReport], catalogue: Catalogue
) -> tuple[str, ...]:
    """Say what a course asks of its site and cannot have.

    Parameters
    ----------
    course, reports, catalogue
        As for `publish_course`.
    """
    results = [report.result for report in reports]
    lite = find_lite(course, results, catalogue)
    no_lite = f"no JupyterLite on the site: {lite.problem}." if lite and lite.problem else ""
    return tuple(filter(None, (launch_note(course, results), no_lite)))
