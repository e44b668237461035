"""Steps: hints one at a time, and solutions when they are due."""

import pytest

from neuroprimer.teaching.exercises.attempts import attempt_of, note_event, where
from neuroprimer.teaching.exercises.checking import check_answer
from neuroprimer.teaching.exercises.model import Incorrect
from neuroprimer.teaching.exercises.steps import hint_view, progress_view, solution_view
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.progress.store import MARK, RESET, SOLUTION, Event, Progress

CELL = '### BEGIN SOLUTION\nx = 6 * 7\n### END SOLUTION\nlesson.check("double", x)'


def is_42(answer, _data):
    if answer != 42:
        raise Incorrect("That is not twice 21.")


@pytest.fixture
def exercise(make_exercise):
    return make_exercise(check=is_42, hints=("Use *.", "Or use +."))


@pytest.fixture
def lesson(make_lesson):
    return make_lesson(CELL)


@pytest.fixture
def answer(lesson, exercise):
    def give(*answers):
        for one in answers:
            note_event(attempt_of(lesson.id, one, check_answer(exercise, one, None)))

    return give


def is_shown(view):
    return "x = 6 * 7" in view.text


def test_hints_come_one_at_a_time_and_the_last_one_stays(lesson, exercise):
    texts = [hint_view(lesson, exercise).text for _ in range(3)]

    assert ["Use *." in text for text in texts] == [True, False, False]
    assert ["Or use +." in text for text in texts] == [False, True, True]
    assert "hint 1 of 2" in texts[0]


def test_exercise_without_hints_says_so(lesson, make_exercise):
    assert "no hint" in hint_view(lesson, make_exercise()).text


def test_solution_comes_after_so_many_honest_attempts(lesson, exercise, answer):
    policy, shown = Policy(solution_after=3), []
    for wrong in (1, 2, 3):
        shown.append(is_shown(solution_view(lesson, exercise, policy)))
        answer(wrong)

    assert shown == [False, False, False]
    assert is_shown(solution_view(lesson, exercise, policy))
    assert where(lesson.id, "double").has_seen_solution


def test_what_is_still_to_be_done_is_said(lesson, exercise, answer):
    assert "3 more times" in solution_view(lesson, exercise, Policy()).text
    answer(1, 2)
    assert "one more time" in solution_view(lesson, exercise, Policy()).text


@pytest.mark.parametrize("answers", [(1, 1, 1, 1), (..., ..., ...), (1, ..., 1, ..., 1)])
def test_same_answer_and_no_answer_are_no_honest_attempts(lesson, exercise, answer, answers):
    answer(*answers)

    assert not is_shown(solution_view(lesson, exercise, Policy(solution_after=2)))


def test_solved_exercise_shows_its_solution_at_once(lesson, exercise, answer):
    answer(42)

    assert is_shown(solution_view(lesson, exercise, Policy(solution_after=100)))


def test_solution_after_none_is_shown_before_any_attempt(lesson, exercise):
    assert is_shown(solution_view(lesson, exercise, Policy(solution_after=0)))


def test_reset_counts_attempts_and_hints_anew(lesson, exercise, answer):
    answer(1, 2, 3)
    hint_view(lesson, exercise)
    note_event(Event(lesson_id=lesson.id, exercise_id="double", kind=RESET))

    assert not is_shown(solution_view(lesson, exercise, Policy()))
    assert "hint 1 of 2" in hint_view(lesson, exercise).text


def test_lesson_without_a_solution_says_so_and_notes_nothing(make_lesson, exercise):
    lesson = make_lesson('lesson.check("double", 3)')

    view = solution_view(lesson, exercise, Policy(solution_after=0))

    assert "no solution" in view.text
    assert not where(lesson.id, "double").has_seen_solution


def test_solution_that_was_shown_is_noted(lesson, exercise, progress_path):
    solution_view(lesson, exercise, Policy(solution_after=0))

    assert [event.kind for event in Progress(progress_path).events()] == [SOLUTION]


def test_progress_has_a_row_for_each_exercise(lesson, exercise, answer, make_exercise):
    answer(1, 42)
    hint_view(lesson, exercise)
    note_event(Event(lesson_id=lesson.id, exercise_id="said", kind=MARK))
    exercises = {"double": exercise, **{id_: make_exercise(id=id_) for id_ in ("other", "said")}}

    rows = progress_view(lesson, exercises).text

    assert [line.split() for line in rows.splitlines()[1:]] == [
        ["double", "solved", "2", "1", "of", "2"],
        ["other", "open", "0", "0", "of", "0"],
        ["said", "marked", "0", "0", "of", "0"],
    ]


def test_hint_that_cannot_be_kept_says_so_and_the_next_one_still_comes(
    lesson, exercise, progress_path
):
    progress_path.parent.mkdir()
    progress_path.write_bytes(b"no database" * 100)

    texts = [hint_view(lesson, exercise).text for _ in range(2)]

    assert "damaged" in texts[0]
    assert "Or use +." in texts[1]


def test_attempts_that_cannot_be_read_are_why_there_is_no_solution(lesson, exercise, progress_path):
    progress_path.parent.mkdir()
    progress_path.write_bytes(b"no database" * 100)

    assert "damaged" in solution_view(lesson, exercise, Policy()).text


def test_nothing_is_written_where_progress_is_off(lesson, exercise, monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", "off")

    texts = [hint_view(lesson, exercise).text for _ in range(2)]

    assert "Or use +." in texts[1]
    assert not list(tmp_path.rglob("*.sqlite"))
