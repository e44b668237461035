"""The desk: a student's folder, with the notebooks they work in. Nothing in it is ever lost."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.exercises.files import load_exercises
from neuroprimer.teaching.exercises.forms import (
    METADATA_KEY,
    differences,
    exercise_of,
    instructor_notebook,
    student_notebook,
)
from neuroprimer.teaching.exercises.views import FACTS_KEY
from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.notebooks import code_cells, read_notebook
from neuroprimer.teaching.policy import Policy, write_policy
from neuroprimer.teaching.sealed import write_whole

# How long a cell of a student's notebook may run when it is checked.
CELL_TIMEOUT_S = 120

NOT_THERE = "not in your notebook"
NOT_REACHED = "not reached"


class DeskError(NeuroprimerError, RuntimeError):
    """A student's notebook that cannot be used as it is."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A notebook that was made, or found, for a student.

    Parameters
    ----------
    path : pathlib.Path
        The notebook to work in.
    is_new : bool
        Whether it was made just now.
    newer : pathlib.Path or None
        A newer version of the lesson, put beside the student's work.
    changes : tuple of str
        How the newer version differs from the lesson as it was, line by line.
    """

    path: Path
    is_new: bool
    newer: Path | None = None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckedExercise:
    """What became of one exercise when a student's notebook was run.

    Parameters
    ----------
    exercise_id : str
        Which one.
    state : str
        ``right``, ``wrong``, ``note`` (no answer yet, or our fault), or why there is none of
        these.
    message : str
        The feedback.
    """

    exercise_id: str
    state: str
    message: str


def notebook_path(lesson: Lesson, folder: Path) -> Path:
    """Return where a student's notebook of a lesson lies."""
    return folder / f"{lesson.id}.ipynb"


def open_lesson(
    lesson: Lesson, folder: Path, policy: Policy | None = None, *, with_solutions: bool = False
) -> Opened:
    """Put a lesson's notebook into a student's folder, unless there is one.

    Parameters
    ----------
    lesson : Lesson
        What the student wants to follow.
    folder : pathlib.Path
        Is made if need be.
    policy : Policy, optional
        Of the course, for the notebooks in the folder.
    with_solutions : bool
        Whether it is to be the form for teachers, which lies beside the other.

    Returns
    -------
    opened : Opened
        A notebook that was there is as it was. If the lesson has become another since, the new
        version lies beside it.

    Raises
    ------
    DeskError
        If the folder cannot be written.
    """
    path, make = notebook_path(lesson, folder), student_notebook
    if with_solutions:
        path, make = path.with_stem(f"{lesson.id}-solutions"), instructor_notebook
    fresh = make(read_notebook(lesson.path), lesson.id)
    try:
        if policy is not None:
            write_policy(policy, folder)
        if not path.exists():
            _write(fresh, path)
            return Opened(path=path, is_new=True)
        version = fresh.metadata[METADATA_KEY]["version"]
        theirs = _version_in(path)
        if theirs == version:
            return Opened(path=path, is_new=False)
        newer = path.with_stem(f"{path.stem}-{version[:8]}")
        if not newer.exists():
            _write(fresh, newer)
    except OSError as error:
        raise DeskError(
            f"Cannot write into {folder}: {error.strerror or error}.",
            hint="Go to a folder of your own, or name one with --folder.",
        ) from error
    changes = tuple(differences(_read_anyhow(path), fresh))
    return Opened(path=path, is_new=False, newer=newer, changes=changes)


def check_notebook(lesson: Lesson, path: Path) -> tuple[CheckedExercise, ...]:
    """Run a student's notebook and return what became of each exercise; the file stays as it is.

    Parameters
    ----------
    lesson : Lesson
        Whose exercises are looked for.
    path : pathlib.Path
        The student's notebook. Its cells may be changed, moved, doubled or gone.

    Returns
    -------
    exercises : tuple of CheckedExercise
        One for each exercise of the lesson, in its order.

    Raises
    ------
    DeskError
        If there is no such notebook, or it is damaged.
    """
    notebook = read_student_notebook(path)
    _run(notebook, path.parent)
    found: dict[str, CheckedExercise] = {}
    for _, cell in code_cells(notebook):
        exercise_id = exercise_of(cell)
        for facts in _facts(cell):
            found[facts["exercise"]] = CheckedExercise(
                exercise_id=facts["exercise"], state=facts["kind"], message=facts["message"]
            )
        if exercise_id and exercise_id not in found:
            found[exercise_id] = CheckedExercise(
                exercise_id=exercise_id, state=NOT_REACHED, message=_error_in(cell)
            )
    missing = "Its cell is gone; `neuroprimer reset` brings it back."
    return tuple(
        found.get(id_) or CheckedExercise(exercise_id=id_, state=NOT_THERE, message=missing)
        for id_ in load_exercises(lesson)
    )


def reset_exercise(lesson: Lesson, exercise_id: str, path: Path) -> Path:
    """Put an exercise back to how it was at first, and keep a copy of the notebook.

    Parameters
    ----------
    lesson : Lesson
        Has the exercise.
    exercise_id : str
        Which one.
    path : pathlib.Path
        The student's notebook; other cells stay as they are. A cell that is gone comes back at
        the end.

    Returns
    -------
    copy : pathlib.Path
        The notebook as it was.

    Raises
    ------
    DeskError
        If there is no such notebook, or it is damaged.
    """
    notebook = read_student_notebook(path)
    fresh = student_notebook(read_notebook(lesson.path), lesson.id)
    wanted = next(cell for cell in fresh.cells if exercise_of(cell) == exercise_id)
    places = [n for n, cell in enumerate(notebook.cells) if exercise_of(cell) == exercise_id]
    if places:
        notebook.cells[places[0]] = wanted
        for place in reversed(places[1:]):
            del notebook.cells[place]
    else:
        notebook.cells.append(wanted)
    copy = path.with_name(f"{path.stem}.{datetime.now().astimezone():%Y-%m-%d-%H%M%S}.ipynb")
    shutil.copy2(path, copy)
    _write(notebook, path)
    return copy


def read_student_notebook(path: Path) -> NotebookNode:
    """Read a notebook that a student has worked in.

    Raises
    ------
    DeskError
        If there is none, or it is damaged.
    """
    if not path.exists():
        raise DeskError(
            f"There is no notebook {path}.",
            hint="`neuroprimer open LESSON` makes one; --folder names the folder it lies in.",
        )
    try:
        return read_notebook(path)
    except NeuroprimerError as error:
        raise DeskError(
            f"{path} is damaged: {error.message} It was left as it is.",
            hint="Jupyter keeps an earlier state in .ipynb_checkpoints. Or give the file another "
            "name, run `neuroprimer open` and copy your answers over.",
        ) from error


def jupyter_command(path: Path) -> list[str] | None:
    """Return the command that opens a notebook in JupyterLab, or None where it is not installed."""
    program = shutil.which("jupyter-lab")
    return [program, str(path)] if program else None


def _run(notebook: NotebookNode, folder: Path) -> None:
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        env={**os.environ},
    )
    try:
        # what the kernel itself has to say is not for students
        asyncio.run(client.async_execute(stderr=subprocess.DEVNULL))
    except (CellTimeoutError, DeadKernelError):  # what came before has its outputs
        return


def _facts(cell: NotebookNode) -> Iterator[Mapping[str, Any]]:
    for output in cell.get("outputs", ()):
        facts = output.get("metadata", {}).get(FACTS_KEY, {})
        if facts.get("exercise"):
            yield facts


def _error_in(cell: NotebookNode) -> str:
    errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
    if errors:
        return f"{errors[0].ename}: {errors[0].evalue}"
    return "Its cell did not run to lesson.check()."


def _version_in(path: Path) -> str:
    metadata = _read_anyhow(path).metadata.get(METADATA_KEY, {})
    return str(metadata.get("version", "")) if isinstance(metadata, Mapping) else ""


def _read_anyhow(path: Path) -> NotebookNode:
    """Return a student's notebook, or an empty one for a file that cannot be read."""
    try:
        return read_notebook(path)
    except NeuroprimerError:
        empty: NotebookNode = nbformat.v4.new_notebook()
        return empty


def _write(notebook: NotebookNode, path: Path) -> None:
    write_whole(path, nbformat.writes(notebook).encode())
