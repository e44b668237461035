"""Commands for taking a course along: one archive, a lesson as PDF, notebooks for a repository."""

from __future__ import annotations

from pathlib import Path

import click

from neuroprimer import teaching, terminal
from neuroprimer.options import (
    FILE,
    output_folder,
    with_cache_folder,
    with_catalogue,
    with_course,
    with_output,
)
from neuroprimer.teaching import datasets, publish
from neuroprimer.teaching.folders import cache_folder as cache_folder_of_user


@click.command()
@click.argument("file", type=FILE)
@with_catalogue
@with_course
@with_output
@with_cache_folder
def archive(
    file: Path,
    catalogue: teaching.Catalogue,
    course_folder: Path,
    output: Path | None,
    cache_folder: Path | None,
) -> None:
    """Write the whole course to one zip file that needs no network."""
    course = teaching.load_course(course_folder, catalogue)
    site = teaching.require_current_site(
        course,
        catalogue,
        output=output_folder(course_folder, output),
        cache=cache_folder or cache_folder_of_user(),
    )
    wanted = [one for one in publish.datasets_in(course, catalogue) if one.files]
    with terminal.watch_downloads():
        data = dict(datasets.files_of_each(catalogue, wanted))
    publish.write_archive(file, course, catalogue, site, data)
    click.echo(f"The course is in {file}; README.txt in it tells how to open it.")
    for one in wanted:
        click.echo(f"Before you pass it on, mind the terms of {one.id}: {one.licence}.", err=True)


@click.command()
@click.argument("lesson_id", metavar="LESSON")
@click.argument("file", type=FILE, required=False)
@with_catalogue
@with_course
@with_output
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=180,
    show_default=True,
    metavar="SECONDS",
    help="How long the browser may take.",
)
def pdf(
    lesson_id: str,
    file: Path | None,
    catalogue: teaching.Catalogue,
    course_folder: Path,
    output: Path | None,
    timeout_s: float,
) -> None:
    """Print a lesson's page to FILE, or to LESSON.pdf, with an installed Chromium or Chrome."""
    lesson = catalogue.require_lesson(lesson_id)
    target = file or Path(f"{lesson.id}.pdf")
    site = output_folder(course_folder, output) / publish.SITE_FOLDER
    publish.print_lesson(site, lesson.id, target, timeout_s=timeout_s)
    click.echo(f"{lesson.title}: in {target}")


@click.command()
@with_catalogue
@with_course
def notebooks(catalogue: teaching.Catalogue, course_folder: Path) -> None:
    """Write the student notebooks that Binder and Colab open, for you to commit."""
    course = teaching.load_course(course_folder, catalogue)
    folder = publish.write_notebooks(course)
    click.echo(f"{len(course.lessons)} notebook(s) in {folder}")


TAKE_COMMANDS = (archive, pdf, notebooks)
