"""Commands for students: open a lesson, check answers, get a hint, see how far one is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neuroprimer import teaching, terminal
from neuroprimer.options import FILE, FOLDER, with_catalogue, with_course, with_json
from neuroprimer.teaching.progress.store import RESET, Event, Progress, progress_file

if TYPE_CHECKING:
    from neuroprimer.teaching.progress.overview import Row

# How much of what is new in a lesson is shown.
MOST_CHANGES = 40

with_folder = click.option(
    "--folder",
    type=FOLDER,
    default=".",
    show_default=True,
    help="Where your notebooks lie.",
)
LESSON = click.argument("lesson_id", metavar="LESSON")
EXERCISE = click.argument("exercise_id", metavar="EXERCISE")


@click.command("open")
@LESSON
@with_catalogue
@with_course
@with_folder
@click.option("--lab/--no-lab", default=True, show_default=True, help="Start JupyterLab.")
@click.option("--with-solutions", is_flag=True, help="The form for teachers instead.")
def open_lesson(
    lesson_id: str,
    catalogue: teaching.Catalogue,
    course_folder: Path,
    folder: Path,
    lab: bool,
    with_solutions: bool,
) -> None:
    """Put a lesson's notebook into your folder, and open it. Your work is never overwritten."""
    from neuroprimer.teaching import desk

    course = teaching.find_course(course_folder, catalogue)
    lesson = catalogue.require_lesson(lesson_id)
    policy = course.policy if course else None
    opened = desk.open_lesson(lesson, folder, policy, with_solutions=with_solutions)
    click.echo(f"{'Made' if opened.is_new else 'Found'} {opened.path}")
    if opened.newer:
        click.echo(f"The lesson has changed; the new version is {opened.newer}. What differs:")
        for line in opened.changes[:MOST_CHANGES]:
            click.echo(f"  {line}")
    command = desk.jupyter_command(opened.path)
    if command is None:
        click.echo("To work in it: `pip install jupyterlab`, then `jupyter lab` here.")
    elif lab:
        subprocess.run(command, check=False)  # noqa: S603  the program was found on the path
    else:
        click.echo(f"Open it with `jupyter lab {opened.path}`.")


@click.command()
@LESSON
@with_catalogue
@with_folder
@with_json
def check(lesson_id: str, catalogue: teaching.Catalogue, folder: Path, as_json: bool) -> None:
    """Run your notebook and check its answers. Exit status 1 until all are right."""
    if not _check(catalogue.require_lesson(lesson_id), folder, as_json):
        raise click.exceptions.Exit(1)


@click.command()
@LESSON
@with_catalogue
@with_folder
def watch(lesson_id: str, catalogue: teaching.Catalogue, folder: Path) -> None:
    """Check your notebook each time it is saved; Ctrl-C ends it."""
    from watchfiles import watch as watch_files

    from neuroprimer.teaching import desk

    lesson = catalogue.require_lesson(lesson_id)
    path = desk.notebook_path(lesson, folder)
    _check(lesson, folder, as_json=False)
    click.echo(f"Watching {path} until you press Ctrl-C.")
    for changes in watch_files(folder, recursive=False):
        if any(Path(name).name == path.name for _, name in changes):
            _check(lesson, folder, as_json=False)


@click.command()
@LESSON
@EXERCISE
@with_catalogue
def hint(lesson_id: str, exercise_id: str, catalogue: teaching.Catalogue) -> None:
    """Show the next hint of an exercise."""
    from neuroprimer.teaching.exercises.files import require_exercise
    from neuroprimer.teaching.exercises.steps import hint_view

    lesson = catalogue.require_lesson(lesson_id)
    click.echo(hint_view(lesson, require_exercise(lesson, exercise_id)).text)


@click.command()
@LESSON
@EXERCISE
@with_catalogue
@with_folder
def solution(lesson_id: str, exercise_id: str, catalogue: teaching.Catalogue, folder: Path) -> None:
    """Show a solution, once it is solved or was tried often enough."""
    from neuroprimer.teaching.exercises.files import require_exercise
    from neuroprimer.teaching.exercises.steps import solution_view
    from neuroprimer.teaching.policy import find_policy

    lesson = catalogue.require_lesson(lesson_id)
    exercise = require_exercise(lesson, exercise_id)
    click.echo(solution_view(lesson, exercise, find_policy(folder.absolute())).text)


@click.command()
@LESSON
@EXERCISE
@with_catalogue
@with_folder
def reset(lesson_id: str, exercise_id: str, catalogue: teaching.Catalogue, folder: Path) -> None:
    """Begin an exercise anew; a copy of your notebook is kept."""
    from neuroprimer.teaching import desk
    from neuroprimer.teaching.exercises.attempts import note_event
    from neuroprimer.teaching.exercises.files import require_exercise

    lesson = catalogue.require_lesson(lesson_id)
    require_exercise(lesson, exercise_id)
    copy = desk.reset_exercise(lesson, exercise_id, desk.notebook_path(lesson, folder))
    note_event(Event(lesson_id=lesson.id, exercise_id=exercise_id, kind=RESET))
    click.echo(f"{exercise_id} is as it was at first. Your notebook before that: {copy}")


@click.group(invoke_without_command=True)
@click.pass_context
@with_catalogue
@with_course
@with_json
def progress(
    context: click.Context,
    catalogue: teaching.Catalogue,
    course_folder: Path,
    as_json: bool,
) -> None:
    """See how far you are, and take your progress to another machine."""
    if context.invoked_subcommand is not None:
        return
    from neuroprimer.teaching.exercises.attempts import events_of
    from neuroprimer.teaching.progress.overview import next_lesson, overview

    found = teaching.find_course(course_folder, catalogue)
    lessons = (found or teaching.course_of_all(catalogue)).lessons
    rows = overview(lessons, _points(lessons), events_of())
    following = next_lesson(rows)
    if as_json:
        click.echo(_as_json(rows, following))
        return
    terminal.print_table(
        ("lesson", "exercises", "attempts", "points", "state"),
        [
            (
                row.lesson.id,
                f"{row.n_solved} of {row.n_exercises}",
                str(row.n_attempts),
                f"{row.points:g} of {row.points_possible:g}",
                "done" if row.is_done else "",
            )
            for row in rows
        ],
    )
    if following:
        click.echo(f"Next: `neuroprimer open {following.id}` ({following.title})")


@progress.command("export")
@click.argument("file", type=FILE)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def export(file: Path, overwrite: bool) -> None:
    """Write your progress to a .json file, or to a .csv file for a gradebook."""
    from neuroprimer.teaching.progress.exchange import export_progress

    export_progress(_own_progress(), file, overwrite=overwrite)
    click.echo(f"Your progress is in {file}")


@progress.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
def import_(files: tuple[Path, ...]) -> None:
    """Add what you have done on another machine, from .json files."""
    from neuroprimer.teaching.progress.exchange import import_progress

    for file in files:
        click.echo(f"{file}: {import_progress(_own_progress(), file)} new")


@progress.command("merge")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--into", type=FILE, required=True, help="The file to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def merge(files: tuple[Path, ...], into: Path, overwrite: bool) -> None:
    """Put several .json files into one; your own progress stays as it is."""
    from neuroprimer.teaching.progress.exchange import merge_progress

    click.echo(f"{merge_progress(files, into, overwrite=overwrite)} event(s) in {into}")


STUDENT_COMMANDS: tuple[click.Command, ...] = (
    *(open_lesson, check, watch, hint, solution, reset, progress),
)


def _own_progress() -> Progress:
    file = progress_file()
    if file is None:
        raise click.UsageError("Nothing is kept here: NEUROPRIMER_PROGRESS is set to off.")
    return Progress(file)


def _points(lessons: tuple[teaching.Lesson, ...]) -> Mapping[str, Mapping[str, float]]:
    from neuroprimer.teaching.exercises.files import load_exercises

    return {
        lesson.id: {one.id: one.points for one in load_exercises(lesson).values()}
        for lesson in lessons
        if lesson.exercises
    }


def _as_json(rows: Iterable[Row], following: teaching.Lesson | None) -> str:
    import json

    content = {
        "lessons": [{**vars(row), "lesson": row.lesson.id} for row in rows],
        "next": following.id if following else None,
    }
    return json.dumps(content, indent=2)


def _check(lesson: teaching.Lesson, folder: Path, as_json: bool) -> bool:
    """Check a notebook, show what came of it, and tell whether all is right."""
    import json

    from neuroprimer.teaching import desk

    checked = desk.check_notebook(lesson, desk.notebook_path(lesson, folder))
    if as_json:
        click.echo(json.dumps({"exercises": [asdict(one) for one in checked]}, indent=2))
    else:
        terminal.print_table(
            ("exercise", "state", "feedback"),
            [(one.exercise_id, one.state, one.message) for one in checked],
        )
        solved = sum(one.state == "right" for one in checked)
        click.echo(f"{solved} of {len(checked)} exercises solved.")
    return all(one.state == "right" for one in checked)
