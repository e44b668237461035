"""Steps: hints one at a time, solutions when they are due, and how far a student is."""

from collections.abc import Mapping

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.exercises.attempts import note_event, reading_problem, where
from neuroprimer.teaching.exercises.model import Exercise
from neuroprimer.teaching.exercises.views import View, code_view, message_view, table_view
from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.progress.store import HINT, SOLUTION, Event


def hint_view(lesson: Lesson, exercise: Exercise) -> View:
    """Return the next hint, and take note of it; the last one stays.

    Parameters
    ----------
    lesson : Lesson
        The exercise's.
    exercise : Exercise
        Has the hints.
    """
    total = len(exercise.hints)
    if not total:
        return message_view("note", exercise.id, "There is no hint for this exercise.")
    number = min(where(lesson.id, exercise.id).n_hints, total - 1)
    problem = note_event(Event(lesson_id=lesson.id, exercise_id=exercise.id, kind=HINT))
    title = f"{exercise.id}, hint {number + 1} of {total}"
    return message_view("note", title, f"{exercise.hints[number]} {problem}".strip())


def solution_view(lesson: Lesson, exercise: Exercise, policy: Policy) -> View:
    """Return a solution if it is due, and otherwise what is still to be done.

    Parameters
    ----------
    lesson : Lesson
        Its notebook holds the solution.
    exercise : Exercise
        Whose solution is wanted.
    policy : Policy
        Says after how many honest attempts it is due. An attempt without an answer, or with the
        same as before, is none.
    """
    standing = where(lesson.id, exercise.id)
    left = policy.solution_after - standing.n_honest
    if left > 0 and not standing.is_solved:
        tries = "one more time" if left == 1 else f"{left} more times"
        words = f"Try it {tries} first, each time with another answer. {reading_problem()}"
        return message_view("note", exercise.id, words.strip())
    try:
        code = find_solution(lesson, exercise.id)
    except NeuroprimerError as error:
        return message_view("note", exercise.id, str(error))
    if not code.strip():
        return message_view("note", exercise.id, "The lesson holds no solution of this exercise.")
    note_event(Event(lesson_id=lesson.id, exercise_id=exercise.id, kind=SOLUTION))
    return code_view(f"A solution of {exercise.id}", code)


def find_solution(lesson: Lesson, exercise_id: str) -> str:
    """Return the code of a solution.

    Parameters
    ----------
    lesson : Lesson
        Its notebook is read.
    exercise_id : str
        Which exercise.

    Raises
    ------
    NotebookError, RegionError
        If the notebook cannot be read, or its markers do not belong together.
    """
    # Reading notebooks takes a fifth of a second, which no other step of a student's does.
    from neuroprimer.teaching.exercises.regions import exercise_cells
    from neuroprimer.teaching.notebooks import read_notebook

    cells = exercise_cells(read_notebook(lesson.path))
    found = [cell.solution for cell in cells if cell.exercise_id == exercise_id]
    return found[0] if found else ""


def progress_view(lesson: Lesson, exercises: Mapping[str, Exercise]) -> View:
    """Return how far a student is with the exercises of a lesson, as a table."""
    rows = []
    for exercise in exercises.values():
        standing = where(lesson.id, exercise.id)
        state = "solved" if standing.is_solved else "marked" if standing.is_marked else "open"
        hints = f"{min(standing.n_hints, len(exercise.hints))} of {len(exercise.hints)}"
        rows.append((exercise.id, state, str(standing.n_attempts), hints))
    if not rows:
        return message_view("note", lesson.id, "This lesson has no exercises.")
    return table_view(("exercise", "state", "attempts", "hints"), rows)
