"""Commands for students: open a lesson, check answers, get a hint, see how far one is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neuroprimer import teaching, terminal
from neuroprimer.errors import NeuroprimerError
from neuroprimer.options import FILE, FOLDER, with_catalogue, with_course, with_json
from neuroprimer.teaching.progress.store import (
    OFF,
    PROGRESS_VARIABLE,
    RESET,
    Event,
    Progress,
    progress_file,
)

if TYPE_CHECKING:
    from neuroprimer.teaching.exercises.model import Exercise
    from neuroprimer.teaching.progress.overview import Row

# How much of what is new in a lesson is shown.
MOST_CHANGES = 40

NOTHING_KEPT = f"Nothing is kept: {PROGRESS_VARIABLE} is set to {OFF}."

with_folder = click.option(
    "--folder",
    type=FOLDER,
    default=".",
    show_default=True,
    help="Where your notebooks lie.",
)


def _require_named(_: click.Context, __: click.Parameter, lesson_id: str | None) -> str:
    if lesson_id is None:
        raise click.UsageError("Name a lesson; `neuroprimer list` shows all there are.")
    return lesson_id


# Not required by click, which would only say that an argument is missing.
LESSON = click.argument("lesson_id", metavar="LESSON", required=False, callback=_require_named)
EXERCISE = click.argument("exercise_id", metavar="EXERCISE", default="")
with_cell_timeout = click.option(
    "--cell-timeout",
    "cell_timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long a cell may run. Default: what the lesson says, or two minutes.",
)


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
    from neuroprimer.teaching import desk, student_runs

    course = teaching.find_course(course_folder, catalogue)
    lesson = catalogue.require_lesson(lesson_id)
    policy = course.policy if course else None
    opened = desk.open_lesson(lesson, folder, policy, with_solutions=with_solutions)
    path = opened.path
    if opened.is_new:
        click.echo(f"Made {path}")
    else:
        click.echo(f"Found {path}, and left it as it is.")
    if opened.is_damaged:
        click.echo(f"It is no notebook any more. A fresh one is {opened.newer}")
        path = opened.newer or path
    elif opened.newer:
        _print_changes(opened.newer, path, opened.changes)
    command = desk.jupyter_command(path)
    if command is None:
        click.echo(f"To work in it: `pip install jupyterlab`, then `jupyter lab {path}`.")
    elif lab:
        environment = student_runs.student_environment(catalogue.variables())
        subprocess.run(command, env=environment, check=False)  # noqa: S603  it was found on the path
    else:
        click.echo(f"Open it with `jupyter lab {path}`.")


@click.command()
@LESSON
@with_catalogue
@with_folder
@with_cell_timeout
@with_json
def check(
    lesson_id: str,
    catalogue: teaching.Catalogue,
    folder: Path,
    cell_timeout_s: float | None,
    as_json: bool,
) -> None:
    """Run your notebook and check its answers. Exit status 1 until all are right."""
    lesson = catalogue.require_lesson(lesson_id)
    if not _check(lesson, catalogue, folder, cell_timeout_s, as_json=as_json):
        raise click.exceptions.Exit(1)


@click.command()
@LESSON
@with_catalogue
@with_folder
@with_cell_timeout
def watch(
    lesson_id: str, catalogue: teaching.Catalogue, folder: Path, cell_timeout_s: float | None
) -> None:
    """Check your notebook each time it is saved; Ctrl-C ends it."""
    from watchfiles import watch as watch_files

    from neuroprimer.teaching import desk

    lesson = catalogue.require_lesson(lesson_id)
    path = desk.notebook_path(lesson, folder)
    try:
        seen = _saved_when(path)
        _check(lesson, catalogue, folder, cell_timeout_s)
        click.echo(f"Watching {path} until you press Ctrl-C.")
        # looked at now and then, too: it may have been saved before the watch began
        for _ in watch_files(folder, recursive=False, rust_timeout=1000, yield_on_timeout=True):
            now = _saved_when(path)
            if now and now != seen:
                seen = now
                _check_saved(lesson, catalogue, folder, cell_timeout_s)
    except KeyboardInterrupt:
        click.echo("No longer watching.")


@click.command()
@LESSON
@EXERCISE
@with_catalogue
def hint(lesson_id: str, exercise_id: str, catalogue: teaching.Catalogue) -> None:
    """Show the next hint of an exercise."""
    from neuroprimer.teaching.exercises.steps import hint_view

    lesson = catalogue.require_lesson(lesson_id)
    click.echo(hint_view(lesson, _require_exercise(lesson, exercise_id)).text)
    if progress_file() is None:
        click.echo(f"{NOTHING_KEPT} Therefore this is always the first hint.", err=True)


@click.command()
@LESSON
@EXERCISE
@with_catalogue
@with_folder
def solution(lesson_id: str, exercise_id: str, catalogue: teaching.Catalogue, folder: Path) -> None:
    """Show a solution, once it is solved or was tried often enough."""
    from neuroprimer.teaching.exercises.steps import solution_view
    from neuroprimer.teaching.policy import find_policy

    lesson = catalogue.require_lesson(lesson_id)
    exercise = _require_exercise(lesson, exercise_id)
    click.echo(solution_view(lesson, exercise, find_policy(folder.absolute())).text)
    if progress_file() is None:
        click.echo(f"{NOTHING_KEPT} Therefore no attempt counts here.", err=True)


@click.command()
@LESSON
@EXERCISE
@with_catalogue
@with_folder
def reset(lesson_id: str, exercise_id: str, catalogue: teaching.Catalogue, folder: Path) -> None:
    """Begin an exercise anew; a copy of your notebook is kept."""
    from neuroprimer.teaching import desk
    from neuroprimer.teaching.exercises.attempts import note_event

    lesson = catalogue.require_lesson(lesson_id)
    _require_exercise(lesson, exercise_id)
    copy = desk.reset_exercise(lesson, exercise_id, desk.notebook_path(lesson, folder))
    problem = note_event(Event(lesson_id=lesson.id, exercise_id=exercise_id, kind=RESET))
    click.echo(f"{exercise_id} is as it was at first. Your notebook before that: {copy}")
    if problem:
        click.echo(problem, err=True)


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
    from neuroprimer.teaching.progress.overview import next_lesson, overview

    found = teaching.find_course(course_folder, catalogue)
    lessons = (found or teaching.course_of_all(catalogue)).lessons
    file = progress_file()
    rows = overview(lessons, _points(lessons), Progress(file).events() if file else ())
    if file is None:
        click.echo(NOTHING_KEPT, err=True)
    following = next_lesson(rows)
    if as_json:
        click.echo(_as_json(rows, following))
        return
    terminal.print_table(
        ("lesson", "exercises", "attempts", "points", "state"),
        [
            (
                row.lesson.id,
                _solved_words(row),
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
        raise click.UsageError(NOTHING_KEPT)
    return Progress(file)


def _points(lessons: tuple[teaching.Lesson, ...]) -> Mapping[str, Mapping[str, float]]:
    from neuroprimer.teaching.exercises.files import load_exercises

    return {
        lesson.id: {one.id: one.points for one in load_exercises(lesson).values()}
        for lesson in lessons
        if lesson.exercises
    }


def _solved_words(row: Row) -> str:
    marked = f", {row.n_marked} marked" if row.n_marked else ""
    return f"{row.n_solved} of {row.n_exercises}{marked}"


def _as_json(rows: Iterable[Row], following: teaching.Lesson | None) -> str:
    content = {
        "lessons": [{**vars(row), "lesson": row.lesson.id} for row in rows],
        "next": following.id if following else None,
    }
    return json.dumps(content, indent=2)


def _require_exercise(lesson: teaching.Lesson, exercise_id: str) -> Exercise:
    from neuroprimer.teaching.exercises.files import load_exercises, require_exercise

    if not exercise_id:
        ids = ", ".join(load_exercises(lesson)) or "none"
        raise click.UsageError(f"Name an exercise. {lesson.id!r} has: {ids}.")
    return require_exercise(lesson, exercise_id)


def _print_changes(newer: Path, path: Path, changes: Sequence[str]) -> None:
    click.echo(f"The lesson has changed since; as it is now, it is in {newer}")
    click.echo(f"To go on with that, copy your answers over and name it {path.name}. It differs:")
    for line in changes[:MOST_CHANGES]:
        click.echo(f"  {line}")
    if len(changes) > MOST_CHANGES:
        click.echo(f"  and {len(changes) - MOST_CHANGES} more lines")


def _saved_when(path: Path) -> tuple[int, int] | None:
    """Return what tells one state of a file from the next, or None while there is no file."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size


def _check_saved(
    lesson: teaching.Lesson,
    catalogue: teaching.Catalogue,
    folder: Path,
    cell_timeout_s: float | None,
) -> None:
    """Check a notebook; what is wrong with it now may be mended when it is saved again."""
    try:
        _check(lesson, catalogue, folder, cell_timeout_s)
    except NeuroprimerError as error:
        click.echo(f"Error: {error}", err=True)


def _check(
    lesson: teaching.Lesson,
    catalogue: teaching.Catalogue,
    folder: Path,
    cell_timeout_s: float | None,
    *,
    as_json: bool = False,
) -> bool:
    """Check a notebook, show what came of it, and tell whether all is right."""
    from neuroprimer.teaching import desk

    checked = desk.check_notebook(
        lesson,
        desk.notebook_path(lesson, folder),
        variables=catalogue.variables(),
        cell_timeout_s=cell_timeout_s,
    )
    if as_json:
        click.echo(json.dumps({"exercises": [asdict(one) for one in checked]}, indent=2))
    elif not checked:
        click.echo("This lesson has no exercises.")
    else:
        terminal.print_table(
            ("exercise", "state", "feedback"),
            # what is noted of an answer, for programs, is a word that says little to people
            [
                (one.exercise_id, "open" if one.state == "note" else one.state, one.message)
                for one in checked
            ],
        )
        solved = sum(one.state == "right" for one in checked)
        click.echo(f"{solved} of {len(checked)} exercises solved.")
    return all(one.state == "right" for one in checked)
