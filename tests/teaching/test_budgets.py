"""Budgets: who sets them, and what oversteps them."""

from pathlib import Path

import pytest

from neuroprimer.teaching import ExecutionResult, Finding, Lesson, Limits, load_course
from neuroprimer.teaching.budgets import budget_findings, find_budget_s
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.plugins import make_manager


def a_lesson(**options) -> Lesson:
    return Lesson(id="a", title="A", path=Path("a.md"), **options)


def ran(duration_s: float, **options) -> ExecutionResult:
    return ExecutionResult(lesson=a_lesson(budget_s=10), duration_s=duration_s, **options)


@pytest.mark.parametrize(
    ("options", "course_s", "expected"),
    [
        ({}, None, None),
        ({"teaching_min": 1, "exercise_min": 2}, None, 180),
        ({"teaching_min": 1}, 30, 30),
        ({"teaching_min": 1, "budget_s": 7}, 30, 7),
    ],
    ids=["nobody", "what it declares", "the course", "the lesson"],
)
def test_budget_is_set_by_the_nearest(options, course_s, expected):
    assert find_budget_s(a_lesson(**options), Limits(budget_s=course_s)) == expected


def test_course_and_lesson_can_say_their_budget(make_lesson, course_folder):
    syllabus = course_folder / "book" / "course.toml"
    syllabus.write_text('title = "C"\n[limits]\nbudget_s = 2.5\n')

    course = load_course(course_folder, Catalogue.from_plugins(make_manager()))

    assert course.limits.budget_s == 2.5
    assert make_lesson("1", budget_s=3).budget_s == 3


def test_run_over_its_budget_is_a_finding_with_both_figures():
    (finding,) = budget_findings(ran(12.34), Limits())

    assert (finding.rule, finding.subject) == ("NP314", "a")
    assert finding.message == "it took 12.3 s, and its budget is 10 s."


def test_run_from_the_cache_counts_and_the_finding_says_how_to_measure_anew():
    (finding,) = budget_findings(ran(12.34, cached=True), Limits())

    assert "`--no-cache` measures anew" in finding.message


@pytest.mark.parametrize(
    "result",
    [ran(10), ran(99, failure=Finding(rule="NP303", subject="a", message="too long"))],
    ids=["within", "failed"],
)
def test_run_within_its_budget_or_stopped_before_is_none(result):
    assert budget_findings(result, Limits()) == ()
