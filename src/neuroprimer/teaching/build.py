"""The build: a course's lessons executed, validated and, if all is well, published."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neuroprimer.teaching import publish
from neuroprimer.teaching.budgets import budget_findings
from neuroprimer.teaching.cache.lookup import Lookup, RunCache
from neuroprimer.teaching.catalogue import Catalogue, require_sound_plugins
from neuroprimer.teaching.course import require_lessons, require_sound_course
from neuroprimer.teaching.events import LessonEvent, OnEvent, ignore_event
from neuroprimer.teaching.executors import Executor
from neuroprimer.teaching.golden.records import RecordUpdate, record_file
from neuroprimer.teaching.history import load_history
from neuroprimer.teaching.model import Course, Finding, Lesson, Limits, Part, ValidationReport
from neuroprimer.teaching.plugins import ask_each
from neuroprimer.teaching.reports import finding_as_dict, report_as_dict, write_json, write_junit
from neuroprimer.teaching.reports.figures import Figures, figures_of
from neuroprimer.teaching.sealed import canonical, digest_of

REPORT_FILE = "report.json"
JUNIT_FILE = "junit.xml"
PAGES_FOLDER = "golden"


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What came of a build.

    Parameters
    ----------
    reports : tuple of ValidationReport
        One for each lesson, in course order.
    figures : tuple of Figures
        What each lesson's run took, in the same order.
    findings : tuple of Finding
        What is wrong with plugins, the syllabus or the site.
    site : pathlib.Path or None
        Where the site was published; None when the last one was left as it was.
    left_out : tuple of str
        Ids of lessons that failed and that the published site goes without.
    duration_s : float
        Of the whole build.
    is_unchanged : bool
        Whether the site was up to date, so that there was nothing to do.
    notes : tuple of str
        What deserves a look and is no failure: a cache that cannot be written, a lesson that has
        become slow.
    updates : tuple of RecordUpdate
        What has been recorded of golden cells, where that was asked for.
    """

    reports: tuple[ValidationReport, ...]
    figures: tuple[Figures, ...] = ()
    findings: tuple[Finding, ...] = ()
    site: Path | None = None
    left_out: tuple[str, ...] = ()
    duration_s: float = 0.0
    is_unchanged: bool = False
    notes: tuple[str, ...] = ()
    updates: tuple[RecordUpdate, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every lesson passed and nothing else was found."""
        return not self.findings and all(report.passed for report in self.reports)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "passed": self.passed,
            "site": str(self.site) if self.site else None,
            "is_unchanged": self.is_unchanged,
            "left_out": list(self.left_out),
            "duration_s": round(self.duration_s, 3),
            "notes": list(self.notes),
            "golden": [update.as_dict() for update in self.updates],
            "findings": [finding_as_dict(finding) for finding in self.findings],
            "lessons": [report_as_dict(figures) for figures in self.figures],
        }


def validate_lessons(
    lessons: Iterable[Lesson],
    catalogue: Catalogue,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    cache: Path | None = None,
    cold: bool = False,
    budget: bool = False,
    update_golden: bool = False,
    pages: Path | None = None,
    executor: Executor | None = None,
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
        As for `execute_lessons`. An event with a result is all that there is of a lesson that
        need not run.
    cache : pathlib.Path, optional
        A folder for runs that passed. A lesson that has a run there, and depends on nothing that
        has changed since, is not executed. Default: execute all.
    cold : bool
        Whether lessons run once more in kernels that were started from nothing, to see that they
        come out the same.
    budget : bool
        Whether a lesson that takes longer than its budget has not passed. Otherwise that is noted.
    update_golden : bool
        Whether what the golden cells of lessons that pass give becomes their record. Otherwise
        it is held against it.
    pages : pathlib.Path, optional
        A folder for pages that show how golden cells differ from their records.
    executor : callable, optional
        What runs lessons, as a plugin brings it. Default: this machine does.

    Returns
    -------
    report : BuildReport
        Without a site.

    Raises
    ------
    RecordError, PageError
        If a record or a page cannot be written.
    """
    began = time.perf_counter()
    runs = RunCache(catalogue, cache)
    found = runs.find_all(tuple(lessons))
    checked = _examine(
        found,
        runs,
        executor,
        limits=limits,
        jobs=jobs,
        cold=cold,
        budget=budget,
        update_golden=update_golden,
        pages=pages,
        on_event=on_event,
    )
    if pages is not None:
        _write_pages(checked, pages)
    return replace(checked, duration_s=time.perf_counter() - began)


def build_course(
    course: Course,
    catalogue: Catalogue,
    *,
    output: Path,
    strict: bool = True,
    jobs: int | None = None,
    cache: Path | None = None,
    cold: bool = False,
    budget: bool = False,
    executor: Executor | None = None,
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
    jobs, cache, cold, budget, executor, on_event
        As for `validate_lessons`. If nothing has changed since the site was published, and
        nobody has touched it, it is left as it is; the results have no notebooks then.
    on_step : callable, optional
        Is told in words what begins.

    Returns
    -------
    report : BuildReport
        The site is set if one was published, or is up to date.

    Raises
    ------
    BrokenPluginError
        In strict mode, if any plugin is broken. This and the next two come before anything runs.
    CourseError
        If the course has no lesson or, in strict mode, any other fault.
    ExecutorError
        If the executor cannot go on. What has passed before is in the cache.
    BookError, PublishError
        If ``_config.yml`` cannot be read, or the output folder cannot be written.
    """
    began = time.perf_counter()
    if strict:
        require_sound_plugins(catalogue)
        require_sound_course(course)
    require_lessons(course, catalogue)
    runs = RunCache(catalogue, cache)
    sources = _sources(course, runs)
    pages = output / publish.RUN_FOLDER / PAGES_FOLDER
    found = runs.find_all(course.lessons)
    inputs = publish.site_inputs(sources, runs.outputs)
    is_current = all(one.entry for one in found) and publish.is_up_to_date(output, inputs)
    is_told = is_current and not catalogue.manager.hook.lesson_validated.get_hookimpls()
    if is_told and not (budget and _overruns(found, runs, course.limits)):
        checked = _tell(found, runs, course.limits, on_event)
    else:
        publish.require_config(course)
        publish.require_output(output)
        checked = _examine(
            found,
            runs,
            executor,
            limits=course.limits,
            jobs=jobs,
            cold=cold,
            budget=budget,
            pages=pages,
            on_event=on_event,
        )
        is_current = is_current and checked.passed and _all_cached(checked)
    findings = (*catalogue.findings, *course.findings, *checked.findings)
    report = replace(checked, findings=findings, is_unchanged=is_current)
    if is_current:
        report = replace(report, site=output / publish.SITE_FOLDER)
    else:
        publish.keep_run(output, checked.reports)
        _write_pages(checked, pages)
        if not strict or checked.passed:
            on_step("Building and verifying the site")
            report = _publish(report, course, runs, output, sources, strict=strict)
    report = replace(report, duration_s=time.perf_counter() - began)
    write_json(output / publish.RUN_FOLDER / REPORT_FILE, report.as_dict())
    write_junit(output / publish.RUN_FOLDER / JUNIT_FILE, report.reports, report.findings)
    return report


def require_current_site(
    course: Course, catalogue: Catalogue, *, output: Path, cache: Path
) -> Path:
    """Return where the published site of a course lies, if it shows the course as it is now.

    Parameters
    ----------
    course : Course
        As it is now.
    catalogue : Catalogue
        Its plugins, datasets and lessons.
    output : pathlib.Path
        The output folder of its builds.
    cache : pathlib.Path
        The folder for runs that those builds used.

    Raises
    ------
    PublishError
        If there is no site, or it was made of something else, or without that cache, or changed.
    """
    site = output / publish.SITE_FOLDER
    if not (site / "index.html").is_file():
        raise publish.PublishError(
            f"There is no site in {site}.", hint="Build one first: `neuroprimer build`."
        )
    require_lessons(course, catalogue)
    runs = RunCache(catalogue, cache)
    found = runs.find_all(course.lessons)
    inputs = publish.site_inputs(_sources(course, runs), runs.outputs)
    if not all(one.entry for one in found) or not publish.is_up_to_date(output, inputs):
        raise publish.PublishError(
            f"The site in {site} does not show the course as it is now.",
            hint="`neuroprimer build --explain`, with the same options and with a cache, brings it "
            "up to date, or says which run could not be kept.",
        )
    return site


def _examine(
    found: Sequence[Lookup],
    runs: RunCache,
    executor: Executor | None,
    *,
    limits: Limits | None,
    jobs: int | None,
    cold: bool,
    budget: bool,
    update_golden: bool = False,
    pages: Path | None,
    on_event: OnEvent,
) -> BuildReport:
    """Run and validate lessons, and tell the plugins that want to hear of it."""
    # What executes lessons takes longer to load than all of a build that has nothing to do.
    from neuroprimer.teaching.examine import examine_lessons
    from neuroprimer.teaching.golden.page import with_pages_named
    from neuroprimer.teaching.golden.updating import update_records

    history = load_history()  # before these runs become a part of it
    reports = examine_lessons(
        found,
        runs,
        executor,
        limits=limits,
        jobs=jobs,
        history=history,
        cold=cold,
        budget=budget,
        against_records=not update_golden,
        on_event=on_event,
    )
    if pages is not None:
        reports = with_pages_named(reports, pages)
    runs.save()
    manager = runs.surroundings.catalogue.manager
    findings = [
        finding
        for report in reports
        for finding in ask_each(manager, "lesson_validated", report=report).findings
    ]
    reasons = dict.fromkeys(report.result.why_plain for report in reports)
    plain = [f"kernels were started from nothing: {reason}." for reason in reasons if reason]
    figures = figures_of(reports, limits, history)
    return BuildReport(
        reports=reports,
        figures=figures,
        findings=tuple(dict.fromkeys(findings)),
        notes=(*plain, *runs.notes, *_notes(figures)),
        updates=update_records(reports) if update_golden else (),
    )


def _write_pages(checked: BuildReport, folder: Path) -> None:
    # A build that has nothing to do writes none, and need not load what they are made of.
    from neuroprimer.teaching.golden.page import write_pages

    write_pages(checked.reports, folder)


def _sources(course: Course, runs: RunCache) -> str:
    """Return one digest of what a site is made of but the runs, and of what they must give."""
    records = [runs.digests.settled(record_file(lesson.path)) for lesson in course.lessons]
    return digest_of(canonical([publish.site_sources(course, runs.surroundings), records]))


def _overruns(found: Sequence[Lookup], runs: RunCache, limits: Limits) -> bool:
    return any(budget_findings(runs.told(one), limits) for one in found)


def _notes(figures: Sequence[Figures]) -> list[str]:
    return [note for one in figures for note in one.notes]


def _tell(
    found: Sequence[Lookup], runs: RunCache, limits: Limits, on_event: OnEvent
) -> BuildReport:
    """Report on lessons none of which needs to run: each has passed, and nothing has changed."""
    runs.save()
    results = [runs.told(one) for one in found]
    for result in results:
        on_event(LessonEvent(lesson=result.lesson, result=result))
    reports = tuple(ValidationReport(result=result, findings=()) for result in results)
    figures = figures_of(reports, limits, {})
    return BuildReport(reports=reports, figures=figures, notes=(*runs.notes, *_notes(figures)))


def _all_cached(checked: BuildReport) -> bool:
    return all(report.result.cached for report in checked.reports)


def _publish(
    report: BuildReport,
    course: Course,
    runs: RunCache,
    output: Path,
    sources: str,
    *,
    strict: bool,
) -> BuildReport:
    """Publish the lessons that passed, and note what the site was made of."""
    passed = tuple(one for one in report.reports if one.passed)
    if not passed:
        return report
    shown = without_lessons(course, {one.lesson.id for one in passed})
    site_findings = publish.publish_course(
        shown,
        passed,
        runs.surroundings.catalogue,
        output,
        figures=report.figures,
        strict=strict,
    )
    report = replace(report, findings=(*report.findings, *site_findings))
    if site_findings:
        return report
    told = publish.publishing_notes(shown, passed, runs.surroundings.catalogue)
    report = replace(report, notes=(*report.notes, *told))
    left_out = tuple(one.lesson.id for one in report.reports if not one.passed)
    # a run that is kept may yet break a rule today, and its lesson is not on this site
    owed = sorted(publish.owed_pages(output / publish.SITE_FOLDER))
    are_kept = not (left_out or owed) and all(
        lesson.id in runs.outputs for lesson in course.lessons
    )
    # an author may have gone on writing meanwhile
    if are_kept and _sources(course, runs) == sources:
        publish.record_site(output, publish.site_inputs(sources, runs.outputs))
    else:
        publish.forget_site(output)
    notes = (
        f"{page}.html of an earlier site is gone; a strict build will ask (NP409)." for page in owed
    )
    return replace(
        report,
        site=output / publish.SITE_FOLDER,
        left_out=left_out,
        notes=(*report.notes, *notes),
    )


def without_lessons(course: Course, kept: set[str]) -> Course:
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
