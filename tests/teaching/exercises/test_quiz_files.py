"""Quizzes in a lesson's file of exercises, and in its classroom."""

from textwrap import dedent

import pytest

from neuroprimer.teaching import Catalogue, OpenLesson, load_lesson
from neuroprimer.teaching.exercises.files import (
    ExerciseFileError,
    UnknownQuizError,
    load_exercises,
    load_quizzes,
    require_quiz,
)
from neuroprimer.teaching.plugins import make_manager

QUIZ = """
from neuroprimer.teaching import Choice, Exercise, NumericQuiz, Quiz

def make_quiz(id_):
    choices = (Choice("yes", is_correct=True), Choice("no", feedback="Think again."))
    return Quiz(id=id_, question="Is it?", choices=choices)

def make_exercise(id_):
    return Exercise(id=id_, prompt="Do it.", check=lambda answer, data: None)

"""


@pytest.fixture
def make_lesson(write_lesson):
    """Write a lesson with a file of exercises; each has a file of its own name."""

    def make(code, lesson_id):
        file = write_lesson("1", lesson_id=lesson_id, exercises=f"{lesson_id}.py")
        (file.parent / f"{lesson_id}.py").write_text(QUIZ + dedent(code))
        return load_lesson(file)

    return make


def test_quizzes_are_found_by_their_ids_in_order(make_lesson):
    lesson = make_lesson(
        """
        EXERCISES = [make_exercise("do")]
        QUIZZES = [
            make_quiz("second"),
            NumericQuiz(id="first", question="?", answer=lambda data: 1, tolerance=0),
        ]
        """,
        "in-order",
    )

    assert list(load_quizzes(lesson)) == ["second", "first"]
    assert list(load_exercises(lesson)) == ["do"]
    assert require_quiz(lesson, "second").question == "Is it?"


def test_lesson_without_quizzes_has_none(make_lesson, write_lesson):
    assert load_quizzes(make_lesson('EXERCISES = [make_exercise("do")]', "no-quizzes")) == {}
    assert load_quizzes(load_lesson(write_lesson("1"))) == {}


def test_lesson_may_have_quizzes_alone(make_lesson):
    lesson = make_lesson('QUIZZES = [make_quiz("q")]', "only-quizzes")

    assert list(load_quizzes(lesson)) == ["q"]
    assert load_exercises(lesson) == {}


def test_unknown_quiz_names_the_nearest(make_lesson):
    lesson = make_lesson('QUIZZES = [make_quiz("affine")]', "nearest")

    with pytest.raises(UnknownQuizError, match="Did you mean 'affine'"):
        require_quiz(lesson, "afine")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('QUIZZES = [make_quiz("q"), make_quiz("q")]', "same id 'q'"),
        ('EXERCISES = [make_exercise("q")]\nQUIZZES = [make_quiz("q")]', "same id 'q'"),
        ("QUIZZES = 3", "no list QUIZZES"),
        ('QUIZZES = [make_exercise("q")]', "no list QUIZZES"),
        ("EXERCISES = [3]", "no list EXERCISES"),
        ("", "no list EXERCISES"),
        ('QUIZZES = [make_quiz("Not an id")]', "cannot be loaded"),
    ],
)
@pytest.mark.parametrize("load", [load_exercises, load_quizzes])
def test_file_that_cannot_be_used_is_refused(make_lesson, code, words, load):
    with pytest.raises(ExerciseFileError, match=words):
        load(make_lesson(code, "refused"))


def test_classroom_shows_a_quiz_and_what_is_said_of_an_answer(make_lesson, capsys, monkeypatch):
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", "off")
    lesson = make_lesson('QUIZZES = [make_quiz("q")]', "classroom")
    room = OpenLesson(lesson=lesson, catalogue=Catalogue.from_plugins(make_manager()))
    room.quiz("q")
    room.answer("q", "b")
    room.answer("q", "a")
    room.answer("p", "a")

    said = capsys.readouterr().out
    assert "b) no" in said
    assert "✗ q: Think again." in said
    assert "✓ q: " in said
    assert "• p: " in said
