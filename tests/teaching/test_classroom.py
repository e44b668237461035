"""The classroom: whatever a student's cell asks, it gets words and never a traceback."""

import subprocess
import sys
from textwrap import dedent

import pytest

from neuroprimer.teaching.catalogue import load_catalogue
from neuroprimer.teaching.classroom import OpenLesson
from neuroprimer.teaching.exercises.attempts import events_of
from neuroprimer.teaching.progress.store import ATTEMPT, Progress

EXERCISES = """
from neuroprimer.teaching import Exercise, Incorrect

def check_double(answer, data):
    if answer != 42:
        raise Incorrect("That is not twice 21.")

EXERCISES = [
    Exercise(
        id="double", prompt="?", check=check_double, hints=("Use *.", "Or +."), points=2,
    ),
    Exercise(id="half", prompt="Half of it?", check=lambda answer, data: 1 / 0),
]
"""
CELL = '### BEGIN SOLUTION\nx = 6 * 7\n### END SOLUTION\nlesson.check("double", x)'


@pytest.fixture
def open_with(make_lesson):
    def open_(exercises=EXERCISES, **metadata):
        lesson = make_lesson(CELL, exercises="exercises.py", **metadata)
        (lesson.path.parent / "exercises.py").write_text(dedent(exercises))
        sys.modules.pop("neuroprimer_exercises.a_lesson", None)  # of an earlier test
        return OpenLesson(lesson=lesson, catalogue=load_catalogue())

    return open_


@pytest.fixture
def lesson(open_with):
    return open_with()


class Unnameable:
    __hash__ = None

    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def test_right_answer_is_said_to_be_right_and_kept_with_its_points(lesson, progress_path, capsys):
    lesson.check("double", 42)

    assert capsys.readouterr().out == "✓ double: That is right.\n"
    (event,) = Progress(progress_path).events()
    assert (event.kind, event.is_correct, event.points) == (ATTEMPT, True, 2.0)


def test_wrong_answer_names_the_way_to_a_hint(lesson, capsys):
    lesson.check("double", 41)

    out = capsys.readouterr().out
    assert out == "✗ double: That is not twice 21. Stuck? lesson.hint('double')\n"


def test_broken_check_names_lesson_and_exercise_for_its_authors(lesson, capsys):
    lesson.check("half", 21)

    out = capsys.readouterr().out
    assert "our fault" in out
    assert "'half' of the lesson 'a-lesson'" in out


@pytest.mark.parametrize("verb", ["check", "hint", "solution"])
def test_near_name_of_an_unknown_exercise_is_suggested(lesson, capsys, verb):
    getattr(lesson, verb)("duoble")

    assert "Did you mean 'double'?" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["check", "hint", "solution", "answer"])
@pytest.mark.parametrize(
    "named", [None, 3, ["double"], Unnameable()], ids=lambda o: type(o).__name__
)
def test_what_is_no_name_is_said_to_be_none(lesson, capsys, verb, named):
    getattr(lesson, verb)(named)

    out = capsys.readouterr().out
    assert f"is a text, and this is of type {type(named).__name__}" in out
    assert "Name it first, then give your answer." in out


def test_exercise_that_does_not_exist_is_no_attempt(lesson):
    lesson.check("duoble", 42)

    assert events_of() == ()


def test_lesson_without_exercises_says_so(make_lesson, capsys):
    lesson = OpenLesson(lesson=make_lesson("1"), catalogue=load_catalogue())

    lesson.check("double", 42)
    lesson.progress()

    assert capsys.readouterr().out.count("no exercises") == 2


@pytest.mark.parametrize(
    ("exercises", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("import sys; sys.exit(1)", "SystemExit"),
        ("EXERCISES = 3", "has no list EXERCISES"),
        ("", "has no list EXERCISES"),
        ("EXERCISES = [1]", "has no list EXERCISES"),
        (EXERCISES.replace('("Use *.", "Or +.")', '("Use *.")'), "expected a tuple of texts"),
        (EXERCISES.replace('"half"', '"double"'), "the same id"),
    ],
)
def test_broken_file_of_exercises_is_words_in_the_notebook(open_with, capsys, exercises, words):
    lesson = open_with(exercises)

    lesson.check("double", 42)
    lesson.progress()

    assert capsys.readouterr().out.count(words) == 2


def test_keyboard_interrupt_stops_the_cell(open_with):
    lesson = open_with(EXERCISES.replace("1 / 0", "(_ for _ in ()).throw(KeyboardInterrupt)"))

    with pytest.raises(KeyboardInterrupt):
        lesson.check("half", 1)


def test_solution_obeys_the_policy_of_the_folder(lesson, capsys, tmp_path, monkeypatch):
    (tmp_path / ".neuroprimer-course.json").write_text('{"solution_after": 1}')
    monkeypatch.chdir(tmp_path)
    lesson.check("double", 1)
    capsys.readouterr()

    lesson.solution("double")

    assert "x = 6 * 7" in capsys.readouterr().out


def test_progress_that_cannot_be_kept_is_said_and_counts_in_this_session(
    lesson, progress_path, capsys
):
    progress_path.parent.write_text("a file where the folder should be")

    lesson.check("double", 41)
    lesson.progress()

    out = capsys.readouterr().out
    assert "✗ double" in out
    assert "not kept: The attempt at 'double'" in out
    assert "NEUROPRIMER_PROGRESS" in out
    assert ["double", "open", "1"] in [line.split()[:3] for line in out.splitlines()]


def test_lesson_loads_no_heavy_package():
    code = (
        "import sys, neuroprimer; neuroprimer.lesson('voxels-and-affines');"
        "print(sorted({'numpy', 'nbclient', 'nbformat', 'jupytext', 'IPython'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
