"""The front door: commands for students, authors and the course's CI job."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from neuroprimer import teaching, terminal
from neuroprimer.data_cli import data
from neuroprimer.errors import NeuroprimerError
from neuroprimer.options import (
    FOLDER,
    output_folder,
    with_budget,
    with_cache_folder,
    with_catalogue,
    with_course,
    with_events,
    with_jobs,
    with_json,
    with_junit,
    with_output,
    with_summary,
)
from neuroprimer.student_cli import STUDENT_COMMANDS
from neuroprimer.take_cli import TAKE_COMMANDS
from neuroprimer.teaching import cache as caching
from neuroprimer.teaching import publish
from neuroprimer.teaching.executors import LOCAL, Executor
from neuroprimer.teaching.folders import cache_folder as cache_folder_of_user

SECONDS_OF_DAY = 86_400

ALL_WELL, LESSON_FAILED, NOT_POSSIBLE, INTERRUPTED = 0, 1, 2, 130


def with_executor(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options about where lessons run, and give the command what runs them."""

    @click.option(
        "--executor",
        "executor_name",
        default=LOCAL,
        show_default=True,
        metavar="NAME",
        help="What runs the lessons: local, dask, or what a plugin brings.",
    )
    @click.option(
        "--scheduler", metavar="ADDRESS", help="Of the Dask cluster, like tcp://HOST:8786."
    )
    @click.option(
        "--linger",
        "linger_s",
        type=click.FloatRange(min=0),
        default=0,
        envvar="NEUROPRIMER_LINGER_S",
        metavar="SECONDS",
        help="Let the process from which kernels are forked stay for the next build.",
    )
    @wraps(command)
    def with_chosen(
        *arguments: Any,
        catalogue: teaching.Catalogue,
        executor_name: str,
        scheduler: str | None,
        linger_s: float,
        **options: Any,
    ) -> None:
        executor: Callable[..., Any] = catalogue.require_executor(executor_name).make(scheduler)
        if linger_s and executor_name == LOCAL:  # others have processes of their own
            executor = partial(executor, linger_s=linger_s)
        command(*arguments, catalogue=catalogue, executor=executor, **options)

    return with_chosen


def with_cache(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options about the cache, and give the command its folder, or None for no cache."""

    @with_cache_folder
    @click.option("--no-cache", is_flag=True, help="Execute every lesson, and keep no run.")
    @click.option("--explain", is_flag=True, help="Say of each lesson why it ran, or did not.")
    @click.option(
        "--cold",
        is_flag=True,
        help="Run every lesson once more in a kernel of its own, not forked, and compare.",
    )
    @wraps(command)
    def with_folder(
        *arguments: Any, cache_folder: Path | None, no_cache: bool, cold: bool, **options: Any
    ) -> None:
        folder = None if no_cache or cold else cache_folder or cache_folder_of_user()
        command(*arguments, cache=folder, cold=cold, **options)

    return with_folder


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="neuroprimer")
def cli() -> None:
    """Neuroimaging taught by lessons that run."""


@cli.command("list")
@with_catalogue
@with_course
@with_json
def list_lessons(
    catalogue: teaching.Catalogue,
    course_folder: Path,
    as_json: bool,
) -> None:
    """List the lessons, in the order of the course."""
    course = _course(course_folder, catalogue)
    findings = (*catalogue.findings, *course.findings)
    if as_json:
        _print_json(
            lessons=[
                teaching.lesson_as_dict(lesson, brought_by=catalogue.brought_by[lesson.id])
                for lesson in course.lessons
            ],
            findings=[teaching.finding_as_dict(finding) for finding in findings],
        )
        return
    terminal.print_table(
        ("lesson", "title", "minutes", "plugin"),
        [
            (
                lesson.id,
                lesson.title,
                str(lesson.teaching_min + lesson.exercise_min or ""),
                catalogue.brought_by[lesson.id],
            )
            for lesson in course.lessons
        ],
    )
    terminal.print_findings(findings)


@cli.command()
@click.argument("lesson_id", metavar="LESSON")
@with_catalogue
@with_json
def show(
    lesson_id: str,
    catalogue: teaching.Catalogue,
    as_json: bool,
) -> None:
    """Show what a lesson says of itself."""
    lesson = catalogue.require_lesson(lesson_id)
    facts = teaching.lesson_as_dict(lesson, brought_by=catalogue.brought_by[lesson_id])
    if as_json:
        _print_json(**facts)
        return
    for name, value in facts.items():
        if isinstance(value, list):
            value = "".join(f"\n  - {item}" for item in value)
        if value:
            click.echo(f"{name.replace('_', ' ')}: {value}")


@cli.command()
@with_catalogue
@with_course
@with_output
@with_executor
@with_jobs
@with_cache
@with_budget
@with_events
@with_junit
@with_summary
@with_json
@click.option(
    "--strict/--no-strict",
    default=True,
    show_default=True,
    help="Publish all or nothing, or leave out what is broken and name it.",
)
def build(
    catalogue: teaching.Catalogue,
    course_folder: Path,
    output: Path | None,
    executor: Executor,
    jobs: int | None,
    cache: Path | None,
    cold: bool,
    explain: bool,
    budget: bool,
    events: Path | None,
    junit: Path | None,
    summary: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """Execute, validate and publish the course."""
    _require_report_files(junit, summary)
    course = teaching.load_course(course_folder, catalogue)
    with terminal.watch(course.lessons, events) as watcher:
        report = teaching.build_course(
            course,
            catalogue,
            output=output_folder(course_folder, output),
            strict=strict,
            jobs=jobs,
            cache=cache,
            cold=cold,
            budget=budget,
            executor=executor,
            on_event=watcher.on_event,
            on_step=watcher.on_step,
        )
    command = _serve_command(course_folder, output)
    _write_reports(report, junit, summary, publishes=True)
    _finish(report, as_json, explain, serve_command=command)


@cli.command()
@click.argument("lesson_ids", nargs=-1, metavar="[LESSON]...")
@click.option(
    "--update-golden",
    is_flag=True,
    help="Record what the golden cells of lessons that pass give, instead of comparing.",
)
@click.option(
    "--golden-pages",
    "pages",
    type=FOLDER,
    help="Where golden cells differ from their records, write a page that shows it here.",
)
@with_catalogue
@with_course
@with_executor
@with_jobs
@with_cache
@with_budget
@with_events
@with_junit
@with_summary
@with_json
def validate(
    lesson_ids: tuple[str, ...],
    update_golden: bool,
    pages: Path | None,
    catalogue: teaching.Catalogue,
    course_folder: Path,
    executor: Executor,
    jobs: int | None,
    cache: Path | None,
    cold: bool,
    explain: bool,
    budget: bool,
    events: Path | None,
    junit: Path | None,
    summary: Path | None,
    as_json: bool,
) -> None:
    """Execute lessons and check them; publish nothing."""
    _require_report_files(junit, summary)
    course = _course(course_folder, catalogue)
    if lesson_ids:
        lessons = tuple(catalogue.require_lesson(lesson_id) for lesson_id in lesson_ids)
        besides = [finding for finding in course.findings if finding.subject in lesson_ids]
    else:
        teaching.require_lessons(course, catalogue)
        lessons, besides = course.lessons, list(course.findings)
    with terminal.watch(lessons, events) as watcher:
        report = teaching.validate_lessons(
            lessons,
            catalogue,
            limits=course.limits,
            jobs=jobs,
            cache=cache,
            cold=cold,
            budget=budget,
            update_golden=update_golden,
            pages=pages,
            executor=executor,
            on_event=watcher.on_event,
        )
    report = replace(report, findings=(*catalogue.findings, *besides, *report.findings))
    _write_reports(report, junit, summary, publishes=False)
    _finish(report, as_json, explain)


@cli.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--tool",
    type=click.Choice(publish.TOOLS),
    required=True,
    help="myst is mystmd, on which Jupyter Book 2 stands; sphinx is plain Sphinx with MyST-NB.",
)
@with_catalogue
@with_course
@with_executor
@with_jobs
@with_cache
def export(
    folder: Path,
    tool: str,
    catalogue: teaching.Catalogue,
    course_folder: Path,
    executor: Executor,
    jobs: int | None,
    cache: Path | None,
    cold: bool,
    explain: bool,
) -> None:
    """Write pages and executed lessons as sources for another book tool."""
    publish.require_export_folder(folder)
    course = teaching.load_course(course_folder, catalogue)
    teaching.require_lessons(course, catalogue)
    with terminal.watch(course.lessons, None) as watcher:
        report = teaching.validate_lessons(
            course.lessons,
            catalogue,
            limits=course.limits,
            jobs=jobs,
            cache=cache,
            cold=cold,
            executor=executor,
            on_event=watcher.on_event,
        )
    findings = (*catalogue.findings, *course.findings, *report.findings)
    report = replace(report, findings=findings)
    if report.passed:
        publish.export_course(course, report.reports, catalogue, folder, tool=tool)
        click.echo(f"The sources for {tool} are in {folder}")
    _finish(report, as_json=False, explain=explain)


@cli.command()
@with_catalogue
@with_course
@with_output
@with_jobs
@with_cache_folder
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--watch", is_flag=True, help="Show a draft that follows what you write.")
def serve(
    catalogue: teaching.Catalogue,
    course_folder: Path,
    output: Path | None,
    jobs: int | None,
    cache_folder: Path | None,
    port: int,
    watch: bool,
) -> None:
    """Show the site to a browser; Ctrl-C ends it. With --watch, a draft is built as you write."""
    if watch:
        from neuroprimer.teaching import preview

        order = preview.Order(
            course=str(course_folder.absolute()),
            cache=str((cache_folder or cache_folder_of_user()).absolute()),
            jobs=jobs,
        )
        output = output_folder(course_folder, output)
        preview.preview_course(order, catalogue.variables(), output, port=port, say=click.echo)
        return
    publish.serve_site(
        output_folder(course_folder, output) / publish.SITE_FOLDER,
        port=port,
        on_ready=lambda address: click.echo(f"The course is at {address} until you press Ctrl-C."),
    )


@cli.command()
@with_course
@with_output
def clean(course_folder: Path, output: Path | None) -> None:
    """Remove what builds have made."""
    removed = publish.clean_output(output_folder(course_folder, output))
    click.echo("\n".join(f"Removed {path}" for path in removed) or "There was nothing to remove.")


@cli.group()
def cache() -> None:
    """See which runs are kept, so that lessons need not run again, and clear up."""


@cache.command("list")
@with_cache_folder
@with_json
def list_cache(cache_folder: Path | None, as_json: bool) -> None:
    """List the runs that are kept."""
    entries = [one for one in _store(cache_folder).entries() if isinstance(one, caching.Entry)]
    if as_json:
        _print_json(
            runs=[
                {"lesson": e.lesson_id, "when": e.when, "bytes": e.size, "key": e.key}
                for e in entries
            ]
        )
        return
    terminal.print_table(
        ("lesson", "run of", "kB", "key"),
        [
            (e.lesson_id, caching.date_of(e.when), f"{e.size / 1000:.1f}", e.key[:12])
            for e in entries
        ],
    )


@cache.command("prune")
@with_cache_folder
@click.option(
    "--days",
    type=click.FloatRange(min=0),
    default=30,
    show_default=True,
    help="Remove what no build has used for so long.",
)
@click.option("--all", "everything", is_flag=True, help="Remove all.")
def prune_cache(cache_folder: Path | None, days: float, everything: bool) -> None:
    """Remove runs that are no longer used."""
    removed = _store(cache_folder).prune(unused_s=0 if everything else days * SECONDS_OF_DAY)
    click.echo(f"{len(removed)} run(s) removed.")


@cache.command("verify")
@with_cache_folder
def verify_cache(cache_folder: Path | None) -> None:
    """Read every run and remove what is damaged; exit status 1 if anything was."""
    damaged = _store(cache_folder).remove_damaged()
    for file in damaged:
        click.echo(f"Damaged, and removed: {file}")
    if damaged:
        raise click.exceptions.Exit(LESSON_FAILED)
    click.echo("All runs are as they were written.")


@cli.group()
def plugins() -> None:
    """See which plugins there are, and what is wrong with them."""


@plugins.command("list")
@with_catalogue
@with_json
def list_plugins(catalogue: teaching.Catalogue, as_json: bool) -> None:
    """List every plugin that was found, whether it works or not."""
    if as_json:
        _print_json(
            plugins=[
                {"name": p.name, "state": p.state, "origin": p.origin, "hooks": list(p.hooks)}
                for p in catalogue.plugins
            ],
            findings=[teaching.finding_as_dict(finding) for finding in catalogue.findings],
        )
        return
    terminal.print_table(
        ("plugin", "state", "from", "hooks"),
        [(p.name, p.state, p.origin, ", ".join(p.hooks)) for p in catalogue.plugins],
    )
    terminal.print_findings(catalogue.findings)


@plugins.command()
@with_catalogue
@with_json
def doctor(catalogue: teaching.Catalogue, as_json: bool) -> None:
    """Examine every plugin; exit status 1 if anything is wrong with one."""
    findings = (*catalogue.findings, *teaching.course_of_all(catalogue).findings)
    if as_json:
        _print_json(findings=[teaching.finding_as_dict(finding) for finding in findings])
    else:
        terminal.print_findings(findings)
        click.echo(
            f"{len(catalogue.plugins)} plugin(s), {len(catalogue.lessons)} lesson(s), "
            f"{len(findings)} finding(s). Hooks there are: "
            f"{', '.join(teaching.hook_names(catalogue.manager))}. Executors there are: "
            f"{', '.join(sorted(catalogue.executors)) or 'none'}."
        )
    if findings:
        raise click.exceptions.Exit(LESSON_FAILED)


for command in (*STUDENT_COMMANDS, *TAKE_COMMANDS, data):
    cli.add_command(command)


def _interrupt(*_: object) -> None:
    """Do what Ctrl-C does, also in a program that was started in the background and ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def main() -> None:
    """Run the command line; the one place where an error becomes words and an exit status."""
    for name in ("SIGTERM", "SIGHUP"):  # end as for Ctrl-C, leaving no kernel behind
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        status = cli(prog_name="neuroprimer", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = NOT_POSSIBLE
    except NeuroprimerError as error:
        click.echo(f"Error: {error.message}", err=True)
        if error.hint:
            click.echo(f"Hint: {error.hint}", err=True)
        status = NOT_POSSIBLE
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; what was there before is untouched.", err=True)
        status = INTERRUPTED
    sys.exit(status if isinstance(status, int) else ALL_WELL)


def _course(folder: Path, catalogue: teaching.Catalogue) -> teaching.Course:
    """Return the course of a folder, or of all lessons where there is no syllabus."""
    return teaching.find_course(folder, catalogue) or teaching.course_of_all(catalogue)


def _store(folder: Path | None) -> caching.Store:
    return caching.Store(folder or cache_folder_of_user())


def _serve_command(course_folder: Path, output: Path | None) -> str:
    """Return the command that serves what was just built."""
    words = ["neuroprimer", "serve"]
    if output:
        words += ["--output", str(output)]
    elif course_folder != Path():
        words += ["--course", str(course_folder)]
    return shlex.join(words)


def _print_json(**content: Any) -> None:
    click.echo(json.dumps(content, indent=2))


def _require_report_files(*files: Path | None) -> None:
    """Raise before anything runs if a report could not be written afterwards."""
    for file in files:
        if file:
            teaching.require_report_file(file)


def _write_reports(
    report: teaching.BuildReport, junit: Path | None, summary: Path | None, *, publishes: bool
) -> None:
    """Write the reports that were asked for, and the one that GitHub shows of a job."""
    if junit:
        teaching.write_junit(junit, report.reports, report.findings)
    text = teaching.summary_of(
        _passed(report),
        report.figures,
        report.findings,
        report.notes,
        words=" ".join(_what_became_of_the_site(report, publishes=publishes)),
    )
    if summary:
        teaching.write_report(summary, text)
    problem = teaching.add_job_summary(text)
    if problem:
        click.echo(f"Note: {problem}", err=True)


def _finish(
    report: teaching.BuildReport,
    as_json: bool,
    explain: bool,
    *,
    serve_command: str = "",
) -> None:
    """Show the outcome and choose the exit status; only a build has a command to serve it."""
    if as_json:
        _print_json(**report.as_dict())
    else:
        terminal.print_figures(report.figures)
        terminal.print_proofs(report.figures, with_words=explain)
        terminal.print_findings(
            [finding for one in report.reports for finding in one.findings] + [*report.findings]
        )
        if explain:
            rows = [(one.lesson.id, one.result.reason) for one in report.reports]
            terminal.print_table(("lesson", "why"), rows)
        for update in report.updates:
            click.echo(f"Golden cells of {update}")
        for note in report.notes:
            click.echo(f"Note: {note}", err=True)
        for sentence in _outcome(report, serve_command):
            click.echo(sentence)
    if not report.passed:
        raise click.exceptions.Exit(LESSON_FAILED)


def _passed(report: teaching.BuildReport) -> str:
    passed = sum(one.passed for one in report.reports)
    return f"{passed} of {len(report.reports)} lessons passed in {report.duration_s:.1f} s"


def _outcome(report: teaching.BuildReport, serve_command: str) -> list[str]:
    news = _what_became_of_the_site(report, publishes=bool(serve_command))
    if not report.site:
        return [f"{_passed(report)}.", *news]
    return [
        f"{_passed(report)}.",
        *news,
        f"The course is in {report.site}",
        f"Look at it with `{serve_command}`, or open {report.site / 'index.html'}.",
    ]


def _what_became_of_the_site(report: teaching.BuildReport, *, publishes: bool) -> list[str]:
    sentences = []
    if report.is_unchanged:
        sentences.append("Nothing has changed; the site is up to date.")
    if report.left_out:
        sentences.append(f"The site goes without: {', '.join(report.left_out)}.")
    if publishes and not report.site:
        sentences.append("Nothing was published; an earlier site is as it was.")
    return sentences
