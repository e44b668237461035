"""The desk: a student's folder, with the notebooks they work in. Nothing in it is ever lost."""

import itertools
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
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
from neuroprimer.teaching.notebooks import NotebookError, code_cells, read_notebook
from neuroprimer.teaching.policy import Policy, write_policy
from neuroprimer.teaching.sealed import write_whole
from neuroprimer.teaching.student_runs import run_student_notebook

# How long a cell of a student's notebook may run when it is checked.
CELL_TIMEOUT_S = 120.0

NOT_THERE = "not in your notebook"
NOT_REACHED = "not reached"
NO_CHECK = "Its cell did not run to lesson.check()."


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
    is_damaged : bool
        Whether what was found is no notebook.
    newer : pathlib.Path or None
        The lesson as it is now, put beside the student's work if that is of another version, or
        damaged.
    changes : tuple of str
        How the newer version differs from what the student has, line by line.
    """

    path: Path
    is_new: bool
    is_damaged: bool = False
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
        if _write_new(fresh, path):
            return Opened(path=path, is_new=True)
        version = fresh.metadata[METADATA_KEY]["version"]
        theirs = _find_notebook(path)
        if theirs is not None and _label(theirs, "version") == version:
            return Opened(path=path, is_new=False)
        newer = path.with_stem(f"{path.stem}-{version[:8]}")
        _write_new(fresh, newer)
    except OSError as error:
        raise DeskError(
            f"Cannot write into {folder}: {error.strerror or error}.",
            hint="Go to a folder of your own, or name one with --folder.",
        ) from error
    if theirs is None:
        return Opened(path=path, is_new=False, is_damaged=True, newer=newer)
    changes = tuple(differences(theirs, fresh))
    return Opened(path=path, is_new=False, newer=newer, changes=changes)


def check_notebook(
    lesson: Lesson,
    path: Path,
    *,
    variables: Mapping[str, str] | None = None,
    cell_timeout_s: float | None = None,
) -> tuple[CheckedExercise, ...]:
    """Run a student's notebook and return what became of each exercise; the file stays as it is.

    Parameters
    ----------
    lesson : Lesson
        Whose exercises are looked for.
    path : pathlib.Path
        The student's notebook. Its cells may be changed, moved, doubled or gone.
    variables : mapping of str to str, optional
        Environment variables that let the notebook see the same plugins.
    cell_timeout_s : float, optional
        How long a cell may run, in seconds. Default: what the lesson says, or `CELL_TIMEOUT_S`.

    Returns
    -------
    exercises : tuple of CheckedExercise
        One for each exercise of the lesson, in its order. Where several cells check one, a right
        answer counts, else the last.

    Raises
    ------
    DeskError
        If there is no such notebook, or it is damaged or one of another lesson.
    StudentRunError
        If no kernel starts.
    """
    exercises = load_exercises(lesson)
    if not exercises:
        return ()
    notebook = read_student_notebook(path, lesson)
    timeout_s = cell_timeout_s or lesson.cell_timeout_s or CELL_TIMEOUT_S
    stopped = run_student_notebook(
        notebook, path.parent, variables=variables or {}, cell_timeout_s=timeout_s
    )
    found: dict[str, CheckedExercise] = {}
    for _, cell in code_cells(notebook):
        for facts in _facts(cell):
            _keep(found, facts["exercise"], facts["kind"], facts["message"])
        exercise_id = exercise_of(cell)
        if exercise_id and exercise_id not in found:
            _keep(found, exercise_id, NOT_REACHED, _error_in(cell) or stopped or NO_CHECK)
    return tuple(
        found.get(id_)
        or CheckedExercise(
            exercise_id=id_,
            state=NOT_THERE,
            message=f"Its cell is gone; `neuroprimer reset {lesson.id} {id_}` brings it back.",
        )
        for id_ in exercises
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
        If there is no such notebook, it is damaged or one of another lesson, or a copy or the
        notebook cannot be written. It is then as it was.
    """
    notebook = read_student_notebook(path, lesson)
    _put_back(notebook, _require_cell(lesson, exercise_id), exercise_id)
    try:
        copy = _keep_copy(path)
        # a notebook may be a link to a file that lies elsewhere
        write_whole(path.resolve(), nbformat.writes(notebook).encode())
    except OSError as error:
        raise DeskError(
            f"{path} was left as it was; nothing could be written: {error.strerror or error}.",
            hint="See whether the folder can be written, and the disk has room.",
        ) from error
    return copy


def read_student_notebook(path: Path, lesson: Lesson) -> NotebookNode:
    """Read a notebook that a student has worked in.

    Raises
    ------
    DeskError
        If there is none, it is damaged, or it is one of another lesson.
    """
    if not path.exists():
        raise DeskError(
            f"There is no notebook {path}.",
            hint=f"`neuroprimer open {lesson.id}` makes one; --folder names the folder it lies in.",
        )
    try:
        notebook = read_notebook(path)
    except NotebookError as error:
        raise DeskError(
            f"{path} is damaged: {error.message} It was left as it is.",
            hint="Jupyter keeps an earlier state in .ipynb_checkpoints. Or give the file another "
            "name, run `neuroprimer open` and copy your answers over.",
        ) from error
    theirs = _label(notebook, "lesson")
    if theirs not in ("", lesson.id):
        raise DeskError(
            f"{path} is a notebook of the lesson {theirs!r}, not of {lesson.id!r}.",
            hint=f"Give it the name {theirs}.ipynb and run `neuroprimer open {lesson.id}`.",
        )
    return notebook


def jupyter_command(path: Path) -> list[str] | None:
    """Return the command that opens a notebook in JupyterLab, or None where it is not installed."""
    # that of the environment that neuroprimer is in, even where it was not activated
    beside = shutil.which("jupyter-lab", path=str(Path(sys.executable).parent))
    program = beside or shutil.which("jupyter-lab")
    return [program, str(path)] if program else None


def _keep(found: dict[str, CheckedExercise], exercise_id: str, state: str, message: str) -> None:
    """Take note of what was said of an exercise, unless it has been solved."""
    known = found.get(exercise_id)
    if known is None or known.state != "right":
        found[exercise_id] = CheckedExercise(exercise_id=exercise_id, state=state, message=message)


def _require_cell(lesson: Lesson, exercise_id: str) -> NotebookNode:
    """Return the cell of an exercise as students find it."""
    fresh = student_notebook(read_notebook(lesson.path), lesson.id)
    cells: list[NotebookNode] = [cell for cell in fresh.cells if exercise_of(cell) == exercise_id]
    if cells:
        return cells[0]
    raise DeskError(
        f"No cell of the lesson {lesson.id!r} checks {exercise_id!r}, so that none can be reset.",
        hint="Tell the authors of the lesson.",
    )


def _put_back(notebook: NotebookNode, wanted: NotebookNode, exercise_id: str) -> None:
    places = [n for n, cell in enumerate(notebook.cells) if exercise_of(cell) == exercise_id]
    for place in reversed(places[1:]):
        del notebook.cells[place]
    if places:
        wanted["id"] = notebook.cells[places[0]]["id"]
        notebook.cells[places[0]] = wanted
    else:
        wanted["id"] = f"cell-{len(notebook.cells):03d}"  # the others were numbered when read
        notebook.cells.append(wanted)


def _keep_copy(path: Path) -> Path:
    """Copy a notebook to a name that nothing had before."""
    now = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
    for number in itertools.count(1):
        copy = path.with_name(f"{path.stem}.{now}{f'-{number}' if number > 1 else ''}.ipynb")
        if _write_bytes(path.read_bytes(), copy):
            break
    shutil.copystat(path, copy)
    return copy


def _facts(cell: NotebookNode) -> Iterator[Mapping[str, Any]]:
    for output in cell.get("outputs", ()):
        facts = output.get("metadata", {}).get(FACTS_KEY, {})
        if facts.get("exercise"):
            yield facts


def _error_in(cell: NotebookNode) -> str:
    errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
    return f"{errors[0].ename}: {errors[0].evalue}" if errors else ""


def _label(notebook: NotebookNode, name: str) -> str:
    """Return what we have written into a notebook: of which lesson it is, and which version."""
    metadata = notebook.metadata.get(METADATA_KEY, {})
    return str(metadata.get(name, "")) if isinstance(metadata, Mapping) else ""


def _find_notebook(path: Path) -> NotebookNode | None:
    try:
        return read_notebook(path)
    except NotebookError:
        return None


def _write_new(notebook: NotebookNode, path: Path) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    return _write_bytes(nbformat.writes(notebook).encode(), path)


def _write_bytes(data: bytes, path: Path) -> bool:
    """Write a file where there is none, and tell whether there was none, whoever makes one now."""
    try:
        stream = path.open("xb")
    except FileExistsError:
        return False
    try:
        with stream:
            stream.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True
