"""The build: a course's lessons executed, validated and, if all is well, published."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neuroprimer.teaching.catalogue import Catalogue, require_sound_plugins
from neuroprimer.teaching.course import require_lessons, require_sound_course
from neuroprimer.teaching.execute import OnEvent, execute_lessons, ignore_event
from neuroprimer.teaching.kernels.imports import statements_of_plugins
from neuroprimer.teaching.model import Course, Finding, Lesson, Limits, Part, ValidationReport
from neuroprimer.teaching.plugins import ask_each
from neuroprimer.teaching.publish.jupyter_book import require_config
from neuroprimer.teaching.publish.site import (
    SITE_FOLDER,
    keep_run,
    publish_course,
    require_output,
)
from neuroprimer.teaching.reports import finding_as_dict, report_as_dict, write_json, write_junit
from neuroprimer.teaching.validate import validate_run

REPORT_FILE = "report.json"
JUNIT_FILE = "junit.xml"


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What came of a build.

    Parameters
    ----------
    reports : tuple of ValidationReport
        One for each lesson, in course order.
    findings : tuple of Finding
        What is wrong with plugins, the syllabus or the site.
    site : pathlib.Path or None
        Where the site was published; None when the last one was left as it was.
    left_out : tuple of str
        Ids of lessons that failed and that the published site goes without.
    duration_s : float
        Of the whole build.
    """

    reports: tuple[ValidationReport, ...]
    findings: tuple[Finding, ...] = ()
    site: Path | None = None
    left_out: tuple[str, ...] = ()
    duration_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every lesson passed and nothing else was found."""
        return not self.findings and all(report.passed for report in self.reports)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "passed": self.passed,
            "site": str(self.site) if self.site else None,
            "left_out": list(self.left_out),
            "duration_s": round(self.duration_s, 3),
            "findings": [finding_as_dict(finding) for finding in self.findings],
            "lessons": [report_as_dict(report) for report in self.reports],
        }


def validate_lessons(
    lessons: Iterable[Lesson],
    catalogue: Catalogue,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    on_event: OnEvent = ignore_event,
) -> BuildReport:
    """Execute lessons and hold what came out against the rules.

    Parameters
    ----------
    lessons : iterable of Lesson
        What to run.
    catalogue : Catalogue
        Its plugins are told of each report; the lessons' own code sees the same plugins.
    limits, jobs, on_event
        As for `execute_lessons`.

    Returns
    -------
    report : BuildReport
        Without a site.
    """
    began = time.perf_counter()
    results = execute_lessons(
        lessons,
        jobs=jobs,
        limits=limits,
        variables=catalogue.variables(),
        preloads=statements_of_plugins(catalogue.manager),
        on_event=on_event,
    )
    reports = tuple(validate_run(result) for result in results)
    findings = [
        finding
        for report in reports
        for finding in ask_each(catalogue.manager, "lesson_validated", report=report).findings
    ]
    return BuildReport(
        reports=reports,
        findings=tuple(dict.fromkeys(findings)),
        duration_s=time.perf_counter() - began,
    )


def build_course(
    course: Course,
    catalogue: Catalogue,
    *,
    output: Path,
    strict: bool = True,
    jobs: int | None = None,
    on_event: OnEvent = ignore_event,
    on_step: Callable[[str], None] = lambda _: None,
) -> BuildReport:
    """Execute, validate and publish a course.

    Parameters
    ----------
    course : Course
        What to build.
    catalogue : Catalogue
        Its plugins, datasets and lessons.
    output : pathlib.Path
        The site goes to ``output/site``; the executed notebooks, ``report.json`` and
        ``junit.xml`` go to ``output/run``.
    strict : bool
        Publish all or nothing. Otherwise broken plugins, faults of the syllabus and lessons
        that fail are left out and named, and the rest is published.
    jobs, on_event
        As for `validate_lessons`.
    on_step : callable, optional
        Is told in words what begins.

    Returns
    -------
    report : BuildReport
        The site is set if one was published.

    Raises
    ------
    BrokenPluginError
        In strict mode, if any plugin is broken. This and the next two come before anything runs.
    CourseError
        If the course has no lesson or, in strict mode, any other fault.
    BookError, PublishError
        If ``_config.yml`` cannot be read, or the output folder cannot be written.
    """
    began = time.perf_counter()
    if strict:
        require_sound_plugins(catalogue)
        require_sound_course(course)
    require_lessons(course, catalogue)
    require_config(course)
    require_output(output)
    checked = validate_lessons(
        course.lessons,
        catalogue,
        limits=course.limits,
        jobs=jobs,
        on_event=on_event,
    )
    run_folder = keep_run(output, checked.reports)
    passed = tuple(report for report in checked.reports if report.passed)
    findings = (*catalogue.findings, *course.findings, *checked.findings)
    site = None
    if passed and (not strict or checked.passed):
        on_step("Building and verifying the site")
        shown = _without_lessons(course, {report.lesson.id for report in passed})
        site_findings = publish_course(shown, passed, catalogue, output)
        findings = (*findings, *site_findings)
        site = None if site_findings else output / SITE_FOLDER
    report = BuildReport(
        reports=checked.reports,
        findings=findings,
        site=site,
        left_out=tuple(r.lesson.id for r in checked.reports if not r.passed) if site else (),
        duration_s=time.perf_counter() - began,
    )
    write_json(run_folder / REPORT_FILE, report.as_dict())
    write_junit(run_folder / JUNIT_FILE, report.reports, report.findings)
    return report


def _without_lessons(course: Course, kept: set[str]) -> Course:
    """Return a course with some of its lessons only."""
    parts = (
        Part(
            title=part.title,
            lessons=tuple(lesson for lesson in part.lessons if lesson.id in kept),
            pages=part.pages,
        )
        for part in course.parts
    )
    return replace(course, parts=tuple(part for part in parts if part.lessons or part.pages))
