"""Exercise files: the Python module beside a lesson that holds its exercises."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import did_you_mean
from neuroprimer.teaching.exercises.model import Exercise
from neuroprimer.teaching.model import Lesson

# Under this name the module of a lesson's exercises is imported; lessons may lie anywhere.
PACKAGE = "neuroprimer_exercises"
EXERCISES = "EXERCISES"


class UnknownExerciseError(NeuroprimerError, LookupError):
    """An id that no exercise of a lesson has."""


class ExerciseFileError(NeuroprimerError, ValueError):
    """A file of exercises that cannot be used."""


def load_exercises(lesson: Lesson) -> Mapping[str, Exercise]:
    """Return the exercises of a lesson.

    Parameters
    ----------
    lesson : Lesson
        Its metadata name the file, which is imported.

    Returns
    -------
    exercises : mapping of str to Exercise
        By id, in the order of the file; empty for a lesson that has none.

    Raises
    ------
    ExerciseFileError
        If the file cannot be imported, has no list ``EXERCISES``, or uses an id twice.
    """
    if not lesson.exercises:
        return {}
    module = load_exercise_module(lesson)
    return _by_id(lesson, getattr(module, EXERCISES, None))


def load_exercise_module(lesson: Lesson) -> ModuleType:
    """Import the file of a lesson's exercises, once.

    Raises
    ------
    ExerciseFileError
        If it cannot be imported.
    """
    name = f"{PACKAGE}.{lesson.id.replace('-', '_')}"
    file = lesson.path.parent / lesson.exercises
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(file):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ExerciseFileError(
            f"{lesson.exercises!r} cannot hold the exercises of {lesson.id!r}.",
            hint="Name a Python file beside the lesson, such as exercises.py.",
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # an author's file may raise anything
        del sys.modules[name]
        raise ExerciseFileError(
            f"The exercises of {lesson.id!r} cannot be loaded from {file.name}: "
            f"{type(error).__name__}: {error}",
            hint=f"Run `python {file.name}` in its folder and mend what it names.",
        ) from error
    return module


def require_exercise(lesson: Lesson, exercise_id: str) -> Exercise:
    """Return one exercise of a lesson.

    Raises
    ------
    UnknownExerciseError
        If there is none of that id; names the nearest.
    ExerciseFileError
        As `load_exercises`.
    """
    exercises = load_exercises(lesson)
    if not isinstance(exercise_id, str) or exercise_id not in exercises:
        raise UnknownExerciseError(
            f"The lesson {lesson.id!r} has no exercise {exercise_id!r}.",
            hint=did_you_mean(str(exercise_id), exercises),
        )
    return exercises[exercise_id]


def _by_id(lesson: Lesson, found: Any) -> Mapping[str, Exercise]:
    if not isinstance(found, Iterable) or not all(isinstance(one, Exercise) for one in found):
        raise ExerciseFileError(
            f"{lesson.exercises} of {lesson.id!r} has no list {EXERCISES} of exercises.",
            hint=f"Add `{EXERCISES} = [Exercise(...), ...]` to the file.",
        )
    exercises = {one.id: one for one in found}
    if len(exercises) < len(list(found)):
        raise ExerciseFileError(
            f"Two exercises of {lesson.id!r} have the same id.",
            hint="Give each an id of its own; students' progress is kept by it.",
        )
    return exercises
