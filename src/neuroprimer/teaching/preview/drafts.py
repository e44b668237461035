"""Drafts: a site that is built again and again, of which only what has changed is made anew."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from neuroprimer.teaching.build import validate_lessons, without_lessons
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.events import OnEvent
from neuroprimer.teaching.executors import LOCAL
from neuroprimer.teaching.model import Course, Finding
from neuroprimer.teaching.preview.mirrors import mirror_pages, mirror_sources
from neuroprimer.teaching.publish.front_page import PictureError
from neuroprimer.teaching.publish.jupyter_book import BUILT, BookError, build_book, run_here
from neuroprimer.teaching.publish.site import as_finding, finish_pages, inspect_site, stage_course
from neuroprimer.teaching.publish.take_along import write_downloads

# In a draft's folder: what the book tool reads, and the pages that are shown.
SOURCES, PAGES = "sources", "pages"

# How long the process from which kernels are forked waits for the next change, in seconds.
LINGER_S = 600


@dataclass(frozen=True, kw_only=True)
class Update:
    """What came of updating a draft.

    Parameters
    ----------
    changed : tuple of str
        Names of the pages and other files that are new, changed or gone.
    findings : tuple of Finding
        What is wrong with lessons, plugins and syllabus, and what the book tool complains about.
        When it does, or no lesson can be read, the pages are those of before.
    """

    changed: tuple[str, ...]
    findings: tuple[Finding, ...]


def update_draft(
    draft: Path,
    course: Course,
    catalogue: Catalogue,
    *,
    cache: Path | None,
    jobs: int | None,
    on_event: OnEvent,
    on_pages: Callable[[Update], None],
) -> tuple[Finding, ...]:
    """Run the lessons that have changed, and bring the pages of a draft up to date.

    The book tool runs in this process, which is good for nothing else afterwards.

    Parameters
    ----------
    draft : pathlib.Path
        Its folder. Its pages are whole at any time. A lesson that failed is shown as far as it
        ran.
    course, catalogue
        As they are today.
    cache, jobs, on_event
        As for `validate_lessons`.
    on_pages : callable
        Is told as soon as the pages can be looked at, before they are inspected.

    Returns
    -------
    findings : tuple of Finding
        What inspection has found in the pages, if all lessons have passed.
    """
    local: Callable[..., Any] = catalogue.require_executor(LOCAL).make(None)
    report = validate_lessons(
        course.lessons,
        catalogue,
        limits=course.limits,
        cache=cache,
        jobs=jobs,
        executor=partial(local, linger_s=LINGER_S),
        on_event=on_event,
    )
    findings = (
        *(*catalogue.findings, *course.findings, *report.findings),
        *(finding for each in report.reports for finding in each.findings),
    )
    read = tuple(each for each in report.reports if each.result.notebook is not None)
    if not read:  # a site of no lesson cannot be laid out
        on_pages(Update(changed=(), findings=findings))
        return ()
    shown = without_lessons(course, {each.lesson.id for each in read})
    sources, pages = draft / SOURCES, draft / PAGES
    try:
        with tempfile.TemporaryDirectory(dir=draft) as fresh:
            staged = stage_course(shown, read, catalogue, Path(fresh))
            mirror_sources(Path(fresh), sources, besides=BUILT)
        changed = mirror_pages(build_book(sources, run_here), pages)
    except (PictureError, BookError) as error:
        on_pages(Update(changed=(), findings=(*findings, as_finding(error))))
        return ()
    finish_pages(pages, staged, report.figures, changed=changed)
    on_pages(Update(changed=changed, findings=findings))
    write_downloads(pages, read, shown.policy)
    if not all(each.passed for each in report.reports):
        return ()  # what is wrong with these pages is known
    return inspect_site(pages, staged, shown, read, private=(course.folder, draft))
