"""The overview: how far a student is with a course, and which lesson comes next."""

import pytest

from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.progress.overview import next_lesson, overview
from neuroprimer.teaching.progress.store import HINT, MARK, RESET


def make_lesson(lesson_id: str, *prerequisites: str) -> Lesson:
    return Lesson(
        id=lesson_id, title=lesson_id, path="lesson.md", prerequisites=tuple(prerequisites)
    )


IMAGES, AFFINES = make_lesson("images"), make_lesson("affines", "images")
POINTS = {"images": {"shape": 1.0}, "affines": {"inverse": 2.0, "order": 1.5}}


@pytest.fixture
def solve(make_event):
    """Return an event that solves an exercise."""
    return lambda lesson_id, exercise_id, points=1.0: make_event(
        lesson_id=lesson_id, exercise_id=exercise_id, is_correct=True, points=points
    )


def test_rows_stand_in_the_given_order_and_begin_with_nothing():
    rows = overview([AFFINES, IMAGES], POINTS, [])

    assert [row.lesson for row in rows] == [AFFINES, IMAGES]
    assert [row.n_exercises for row in rows] == [2, 1]
    assert [row.points_possible for row in rows] == [3.5, 1.0]
    assert {(row.n_solved, row.n_attempts, row.points, row.is_done) for row in rows} == {
        (0, 0, 0.0, False)
    }


def test_row_counts_what_belongs_to_its_lesson(make_event, solve):
    events = [
        make_event(),
        make_event(HINT),
        solve("affines", "inverse", 2.0),
        solve("images", "inverse"),
        make_event(exercise_id="order"),
    ]

    (row,) = overview([AFFINES], POINTS, events)

    assert (row.n_solved, row.n_attempts, row.points, row.is_done) == (1, 3, 2.0, False)


def test_lesson_is_done_when_all_its_exercises_are_solved(make_event, solve):
    events = [solve("affines", "inverse", 2.0), solve("affines", "order", 1.5), make_event(RESET)]

    (row,) = overview([AFFINES], POINTS, events)

    assert row.is_done
    assert row.points == row.points_possible


def test_lesson_is_done_when_what_is_not_solved_is_marked(make_event, solve):
    events = [solve("affines", "inverse", 2.0), make_event(MARK, exercise_id="order")]

    (row,) = overview([AFFINES], POINTS, [*events, make_event(MARK)])

    assert (row.n_solved, row.n_marked, row.is_done) == (1, 1, True)
    assert row.points == 2.0


def test_exercise_that_is_no_more_counts_nothing(solve):
    (row,) = overview([IMAGES], POINTS, [solve("images", "gone", 5.0)])

    assert (row.n_solved, row.n_attempts, row.points) == (0, 0, 0.0)


def test_exercise_earns_no_more_than_it_counts_now(solve):
    (row,) = overview([IMAGES], POINTS, [solve("images", "shape", 5.0)])

    assert row.points == row.points_possible == 1.0


def test_lesson_without_exercises_is_done_when_the_student_has_gone_on(make_event):
    welcome, farewell = make_lesson("welcome"), make_lesson("farewell")
    lessons = [welcome, IMAGES, farewell]

    def done(*events):
        return [row.lesson.id for row in overview(lessons, POINTS, events) if row.is_done]

    assert done() == []
    assert done(make_event(lesson_id="images", exercise_id="shape")) == ["welcome"]
    assert done(make_event(lesson_id="elsewhere")) == []
    assert done(make_event(lesson_id="farewell", exercise_id="gone")) == ["welcome", "farewell"]


def test_next_is_the_first_lesson_that_is_not_done(solve):
    begun = [solve("images", "shape")]

    assert next_lesson(overview([IMAGES, AFFINES], POINTS, [])) == IMAGES
    assert next_lesson(overview([IMAGES, AFFINES], POINTS, begun)) == AFFINES


def test_next_waits_for_its_prerequisites(solve):
    later = make_lesson("later", "affines", "images")
    exercises = {**POINTS, "later": {"one": 1.0}}
    lessons = [later, AFFINES, IMAGES]

    assert next_lesson(overview(lessons, exercises, [])) == IMAGES
    assert next_lesson(overview(lessons, exercises, [solve("images", "shape")])) == AFFINES


def test_prerequisite_that_is_not_in_the_course_keeps_nobody_waiting():
    lesson = make_lesson("alone", "from-another-course")

    assert next_lesson(overview([lesson], {"alone": {"one": 1.0}}, [])) == lesson


def test_nothing_is_next_when_all_is_done(solve):
    rows = overview([IMAGES], POINTS, [solve("images", "shape")])

    assert next_lesson(rows) is None
    assert next_lesson(()) is None


def test_lessons_that_wait_for_each_other_are_not_next():
    one, other = make_lesson("one", "other"), make_lesson("other", "one")

    assert next_lesson(overview([one, other], {}, [])) is None
