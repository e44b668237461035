"""The classroom: what a lesson's own code asks of neuroprimer while it runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import Catalogue, did_you_mean, load_catalogue_here
from neuroprimer.teaching.datasets import dataset_files, require_dataset
from neuroprimer.teaching.exercises.attempts import attempt_of, note_event, reading_problem
from neuroprimer.teaching.exercises.checking import LISTENERS, OPENED, check_answer
from neuroprimer.teaching.exercises.files import load_exercises, require_exercise, require_quiz
from neuroprimer.teaching.exercises.model import CheckOutcome, Exercise
from neuroprimer.teaching.exercises.quiz_html import quiz_html, quiz_text
from neuroprimer.teaching.exercises.quizzes import check_quiz
from neuroprimer.teaching.exercises.steps import hint_view, progress_view, solution_view
from neuroprimer.teaching.exercises.views import View, message_view, show
from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer.teaching.kernel_signs import runs_in_a_build
from neuroprimer.teaching.model import SAMPLE, Lesson
from neuroprimer.teaching.policy import find_policy


@dataclass(frozen=True, kw_only=True)
class OpenLesson:
    """A lesson as its own code sees it.

    Parameters
    ----------
    lesson : Lesson
        What the catalogue knows of it.
    catalogue : Catalogue
        Where its data come from.
    """

    lesson: Lesson
    catalogue: Catalogue
    _known: dict[tuple[str, str], tuple[Path, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def data(self, dataset_id: str, file: str | None = None, *, variant: str = SAMPLE) -> Path:
        """Return the path of a file of one of the lesson's datasets.

        Parameters
        ----------
        dataset_id : str
            One that the lesson names in its metadata.
        file : str, optional
            Name of the file, where the dataset has several.
        variant : str
            ``"full"`` gives the real thing, which is fetched if need be. Exercises are checked
            with the sample all the same.

        Returns
        -------
        path : pathlib.Path
            An existing file.

        Raises
        ------
        DatasetError
            If the lesson does not name the dataset, nobody provides it, it has several files
            or none of that name, or a build wants more than the sample.
        """
        if dataset_id not in self.lesson.datasets:
            raise DatasetError(
                f"The lesson {self.lesson.id!r} does not say that it reads {dataset_id!r}.",
                hint="Add it under 'datasets:' in the lesson's metadata. "
                + did_you_mean(dataset_id, self.catalogue.datasets),
            )
        if variant != SAMPLE and runs_in_a_build():
            raise DatasetError(
                f"The lesson {self.lesson.id!r} asks for {dataset_id!r} ({variant}) in a build.",
                hint="Let it use the sample, which needs no network and of which its page tells. "
                "Students may ask for more in their own notebooks.",
            )
        files = self._files_of(dataset_id, variant, file)
        chosen = [path for path in files if file in (None, path.name)]
        if len(chosen) != 1:
            raise DatasetError(
                f"{dataset_id!r} has {len(files)} file(s), and {len(chosen)} fit "
                + (f"the name {file!r}." if file else "a call without a name."),
                hint="Name one of: " + ", ".join(path.name for path in files),
            )
        return chosen[0]

    def _files_of(self, dataset_id: str, variant: str, file: str | None) -> tuple[Path, ...]:
        """Return a dataset's files; plugins are asked once, and again for a file that has gone.

        A check asks for its data each time, and a plugin may look at every one of many files.
        """
        known = self._known.get((dataset_id, variant), ())
        if known and all(path.exists() for path in known if file in (None, path.name)):
            return known
        dataset = require_dataset(self.catalogue, dataset_id)
        files = dataset_files(self.catalogue, dataset, variant=variant)
        self._known[dataset_id, variant] = files
        return files

    def check(self, exercise_id: str, answer: Any = ...) -> None:
        """Check an answer and say what is off, or that it is right.

        Parameters
        ----------
        exercise_id : str
            Which exercise; the lesson names it.
        answer : object
            Whatever you have found. Nothing that it is or holds can raise an error here.
        """
        exercise = self._find_exercise(exercise_id)
        if exercise is None:
            return
        outcome = check_answer(exercise, answer, self.data)
        for listener in LISTENERS:
            listener(exercise, answer, self.data, outcome)
        self._finish(self._view_of(exercise, outcome), answer, outcome, points=exercise.points)

    def hint(self, exercise_id: str) -> None:
        """Show the next hint of an exercise, each time one more.

        Parameters
        ----------
        exercise_id : str
            Which exercise.
        """
        exercise = self._find_exercise(exercise_id)
        if exercise is None:
            return
        show(hint_view(self.lesson, exercise))

    def solution(self, exercise_id: str) -> None:
        """Show a solution, once the exercise is solved or has been tried often enough.

        Parameters
        ----------
        exercise_id : str
            Which exercise.
        """
        exercise = self._find_exercise(exercise_id)
        if exercise is None:
            return
        show(solution_view(self.lesson, exercise, find_policy(Path.cwd())))

    def progress(self) -> None:
        """Show how far you are with the exercises of this lesson."""
        try:
            exercises = load_exercises(self.lesson)
        except NeuroprimerError as error:
            show(message_view("note", self.lesson.id, str(error)))
            return
        show(progress_view(self.lesson, exercises))
        problem = reading_problem()
        if problem:
            show(message_view("note", "not read", problem))

    def quiz(self, quiz_id: str) -> None:
        """Show a quiz; in a browser it answers by itself, elsewhere it tells how to answer.

        Parameters
        ----------
        quiz_id : str
            Which quiz; the lesson names it.

        Raises
        ------
        UnknownQuizError
            If the lesson has no such quiz; names the nearest.
        """
        quiz = require_quiz(self.lesson, quiz_id)
        html = quiz_html(quiz, self.data, lesson_id=self.lesson.id)
        show(View(html=html, text=quiz_text(quiz)))

    def answer(self, quiz_id: str, answer: Any = ...) -> None:
        """Check an answer to a quiz and say what is off, or that it is right.

        Parameters
        ----------
        quiz_id : str
            Which quiz.
        answer : object
            A letter, the text of a choice, its number from 1, a list of these where several are
            right; or the number that is asked for.
        """
        try:
            quiz = require_quiz(self.lesson, quiz_id)
        except NeuroprimerError as error:
            show(message_view("note", self._title(quiz_id), str(error)))
            return
        outcome = check_quiz(quiz, answer, self.data)
        view = message_view(_kind_of(outcome), quiz.id, outcome.message)
        self._finish(view, answer, outcome)

    def _finish(
        self, view: View, answer: Any, outcome: CheckOutcome, *, points: float = 0.0
    ) -> None:
        """Keep an attempt, show what came of it, and why it could not be kept."""
        problem = note_event(attempt_of(self.lesson.id, answer, outcome, points=points))
        show(view)
        if problem:
            show(message_view("note", "not kept", problem))

    def _find_exercise(self, exercise_id: str) -> Exercise | None:
        """Return an exercise; show why there is none instead of raising."""
        try:
            return require_exercise(self.lesson, exercise_id)
        except NeuroprimerError as error:
            show(message_view("note", self._title(exercise_id), str(error)))
            return None

    def _title(self, named: Any) -> str:
        """Return what was named, if it can be a name: instead of one there may be anything."""
        return named if isinstance(named, str) else self.lesson.id

    def _view_of(self, exercise: Exercise, outcome: CheckOutcome) -> View:
        kind, message = _kind_of(outcome), outcome.message
        if outcome.is_our_fault:
            message += f" It is the exercise {exercise.id!r} of the lesson {self.lesson.id!r}."
        elif kind == "wrong" and exercise.hints:
            message += f" Stuck? lesson.hint({exercise.id!r})"
        facts = {"exercise": exercise.id, "kind": kind, "message": outcome.message}
        return message_view(kind, exercise.id, message, facts)

    def __repr__(self) -> str:
        return f"Lesson {self.lesson.id!r}: {self.lesson.title}"


def _kind_of(outcome: CheckOutcome) -> str:
    """Return how an outcome is shown."""
    if outcome.is_missing or outcome.is_our_fault:
        return "note"
    return "right" if outcome.is_correct else "wrong"


def lesson(lesson_id: str) -> OpenLesson:
    """Open a lesson, to use its data and to try its exercises.

    Parameters
    ----------
    lesson_id : str
        As `neuroprimer list` shows it.

    Returns
    -------
    lesson : OpenLesson
        With `data` for its files, and `check`, `hint`, `solution` and `progress` for its exercises.

    Raises
    ------
    UnknownLessonError
        If no plugin brings the lesson; names the nearest ids.

    Examples
    --------
    >>> import neuroprimer
    >>> neuroprimer.lesson("what-is-an-image").data("mni152-t1").suffixes[-2:]
    ['.nii', '.gz']
    """
    catalogue = load_catalogue_here()
    opened = OpenLesson(lesson=catalogue.require_lesson(lesson_id), catalogue=catalogue)
    OPENED[lesson_id] = opened.data
    return opened
