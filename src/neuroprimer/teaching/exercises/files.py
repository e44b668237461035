"""Exercise files: the Python module beside a lesson that holds its exercises."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import did_you_mean
from neuroprimer.teaching.exercises.model import Exercise
from neuroprimer.teaching.exercises.quizzes import AnyQuiz, NumericQuiz, Quiz
from neuroprimer.teaching.model import Lesson

# Under this name the module of a lesson's exercises is imported; lessons may lie anywhere.
PACKAGE = "neuroprimer_exercises"
EXERCISES = "EXERCISES"
QUIZZES = "QUIZZES"


class UnknownExerciseError(NeuroprimerError, LookupError):
    """An id that no exercise of a lesson has."""


class UnknownQuizError(NeuroprimerError, LookupError):
    """An id that no quiz of a lesson has."""


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
    return _load(lesson)[0]


def load_quizzes(lesson: Lesson) -> Mapping[str, AnyQuiz]:
    """Return the quizzes of a lesson: the list ``QUIZZES`` in the file of its exercises.

    Parameters
    ----------
    lesson : Lesson
        Its metadata name the file, which is imported.

    Returns
    -------
    quizzes : mapping of str to Quiz or NumericQuiz
        By id, in the order of the file; empty for a lesson that has none.

    Raises
    ------
    ExerciseFileError
        If the file cannot be imported, has a wrong list, or uses an id twice, be it for an
        exercise and a quiz.
    """
    return _load(lesson)[1]


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
    except (Exception, SystemExit) as error:  # an author's file may raise anything
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
    if not isinstance(exercise_id, str):
        raise UnknownExerciseError(
            _no_name("an exercise", exercise_id),
            hint=f"Name it first, then give your answer. {did_you_mean('', exercises)}",
        )
    if not exercises:
        raise UnknownExerciseError(
            f"The lesson {lesson.id!r} has no exercises.",
            hint="`neuroprimer progress` shows which lessons have some.",
        )
    if exercise_id not in exercises:
        raise UnknownExerciseError(
            f"The lesson {lesson.id!r} has no exercise {exercise_id!r}.",
            hint=did_you_mean(exercise_id, exercises),
        )
    return exercises[exercise_id]


def require_quiz(lesson: Lesson, quiz_id: str) -> AnyQuiz:
    """Return one quiz of a lesson.

    Raises
    ------
    UnknownQuizError
        If there is none of that id; names the nearest.
    ExerciseFileError
        As `load_quizzes`.
    """
    quizzes = load_quizzes(lesson)
    if not isinstance(quiz_id, str):
        raise UnknownQuizError(
            _no_name("a quiz", quiz_id),
            hint=f"Name it first, then give your answer. {did_you_mean('', quizzes)}",
        )
    if quiz_id not in quizzes:
        raise UnknownQuizError(
            f"The lesson {lesson.id!r} has no quiz {quiz_id!r}.",
            hint=did_you_mean(quiz_id, quizzes),
        )
    return quizzes[quiz_id]


def _no_name(kind: str, found: Any) -> str:
    return f"The name of {kind} is a text, and this is of type {type(found).__name__}."


def _load(lesson: Lesson) -> tuple[Mapping[str, Exercise], Mapping[str, AnyQuiz]]:
    """Return exercises and quizzes together, since no id may be used by both."""
    if not lesson.exercises:
        return {}, {}
    module = load_exercise_module(lesson)
    quizzes = _require_list(lesson, module, QUIZZES, (Quiz, NumericQuiz))
    exercises = _require_list(lesson, module, EXERCISES, (Exercise,))
    ids = [one.id for one in (*exercises, *quizzes)]
    if len(set(ids)) < len(ids):
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise ExerciseFileError(
            f"Two exercises or quizzes of {lesson.id!r} have the same id {twice!r}.",
            hint="Give each an id of its own; students' progress is kept by it.",
        )
    return {one.id: one for one in exercises}, {one.id: one for one in quizzes}


def _require_list(
    lesson: Lesson, module: ModuleType, name: str, kinds: tuple[type, ...]
) -> tuple[Any, ...]:
    """Return what an exercise file lists by a name; without the name nothing, if it may lack."""
    # quizzes are optional, and so are exercises where there are quizzes
    may_lack = name == QUIZZES or hasattr(module, QUIZZES)
    found = getattr(module, name, () if may_lack else None)
    listed = tuple(found) if isinstance(found, Iterable) else (None,)
    if not all(isinstance(one, kinds) for one in listed):
        word = name.lower()
        raise ExerciseFileError(
            f"{lesson.exercises} of {lesson.id!r} has no list {name} of {word}.",
            hint=f"Add `{name} = [{kinds[0].__name__}(...), ...]` to the file.",
        )
    return listed
