"""The classroom: what a lesson's own code asks of neuroprimer while it runs."""

from dataclasses import dataclass
from pathlib import Path

from neuroprimer.teaching.catalogue import Catalogue, did_you_mean, load_catalogue_here
from neuroprimer.teaching.datasets import DatasetError, dataset_files, require_dataset
from neuroprimer.teaching.exercises.quiz_views import AnswerView, QuizView, view_answer, view_quiz
from neuroprimer.teaching.model import Lesson


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

    def data(self, dataset_id: str, file: str | None = None) -> Path:
        """Return the path of a file of one of the lesson's datasets.

        Parameters
        ----------
        dataset_id : str
            One that the lesson names in its metadata.
        file : str, optional
            Name of the file, where the dataset has several.

        Returns
        -------
        path : pathlib.Path
            An existing file.

        Raises
        ------
        DatasetError
            If the lesson does not name the dataset, nobody provides it, or it has several
            files or none of that name.
        """
        if dataset_id not in self.lesson.datasets:
            raise DatasetError(
                f"The lesson {self.lesson.id!r} does not say that it reads {dataset_id!r}.",
                hint="Add it under 'datasets:' in the lesson's metadata. "
                + did_you_mean(dataset_id, self.catalogue.datasets),
            )
        files = dataset_files(self.catalogue, require_dataset(self.catalogue, dataset_id))
        chosen = [path for path in files if file in (None, path.name)]
        if len(chosen) != 1:
            raise DatasetError(
                f"{dataset_id!r} has {len(files)} file(s), and {len(chosen)} fit "
                + (f"the name {file!r}." if file else "a call without a name."),
                hint="Name one of: " + ", ".join(path.name for path in files),
            )
        return chosen[0]

    def quiz(self, quiz_id: str) -> QuizView:
        """Return a quiz, to be shown as the last expression of a cell.

        Parameters
        ----------
        quiz_id : str
            One of the lesson's file of exercises.

        Returns
        -------
        view : QuizView
            Answers by itself in a browser; tells how to answer elsewhere.

        Raises
        ------
        UnknownQuizError
            If the lesson has no such quiz; names the nearest.
        """
        return view_quiz(self.lesson, quiz_id, self.data)

    def answer(self, quiz_id: str, answer: object) -> AnswerView:
        """Check an answer to a quiz, and return what is said of it.

        Parameters
        ----------
        quiz_id : str
            One of the lesson's file of exercises.
        answer : object
            A letter, the text of a choice, its number from 1, a list of these where several are
            right; or the number that is asked for.

        Returns
        -------
        view : AnswerView
            Its ``outcome`` tells whether the answer is right.

        Raises
        ------
        UnknownQuizError
            If the lesson has no such quiz; names the nearest.
        """
        return view_answer(self.lesson, quiz_id, answer, self.data)

    def __repr__(self) -> str:
        return f"Lesson {self.lesson.id!r}: {self.lesson.title}"


def lesson(lesson_id: str) -> OpenLesson:
    """Open a lesson, to use its data.

    Parameters
    ----------
    lesson_id : str
        As `neuroprimer list` shows it.

    Returns
    -------
    lesson : OpenLesson
        With `data` for its files.

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
    return OpenLesson(lesson=catalogue.require_lesson(lesson_id), catalogue=catalogue)
