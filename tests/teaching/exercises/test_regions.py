"""Regions: what students find in the place of a solution."""

import ast
from textwrap import dedent

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from neuroprimer.teaching.exercises.regions import (
    RegionError,
    exercise_cells,
    has_solution,
    make_stub,
    plain_source,
    student_source,
)

MARKED = """\
import math
### BEGIN SOLUTION
radius = 2
area = math.pi * radius**2
### END SOLUTION
lesson.check("area", area)"""


def cell(source, **metadata):
    return new_code_cell(source, metadata=metadata)


def test_student_finds_a_stub_between_what_was_before_and_after():
    assert student_source(cell(MARKED), []).splitlines() == [
        "import math",
        "# YOUR CODE HERE",
        "area = ...",
        'lesson.check("area", area)',
    ]


def test_names_that_later_cells_use_are_in_the_stub():
    assert "radius = ..." in student_source(cell(MARKED), ["print(radius)"])


def test_tagged_cell_is_a_solution_up_to_its_check():
    tagged = cell('area = 12.6\nlesson.check("area", area)', tags=["solution"])

    assert student_source(tagged, []).splitlines() == [
        "# YOUR CODE HERE",
        "area = ...",
        'lesson.check("area", area)',
    ]


def test_stub_keeps_the_indentation():
    source = "for _ in range(2):\n    ### BEGIN SOLUTION\n    x = 3\n    ### END SOLUTION\nprint(x)"

    assert "    x = ..." in student_source(cell(source), [])
    ast.parse(student_source(cell(source), []))


@pytest.mark.parametrize(
    ("solution", "line"),
    [
        ("if True:\n    x = 1", "x = ..."),
        ("for x in range(3):\n    pass", "x = ..."),
        ("with open('f') as x:\n    pass", "x = ..."),
        ("y, (x, z) = 1, (2, 3)", "x = ..."),
        ("x: int = 3", "x = ..."),
        ("y = (x := 3)", "x = ..."),
        ("def x(a, b=2, *c, **d):\n    return a", "def x(a, b=2, *c, **d):"),
        ("class x:\n    pass", "class x:"),
    ],
)
def test_whatever_gives_a_name_its_value_leaves_it_in_the_stub(solution, line):
    stub = make_stub(solution, ["print(x)"])

    assert line in stub.splitlines()
    ast.parse(stub)


@pytest.mark.parametrize(
    "solution",
    [
        "mask[0] = 1",  # it exists already, and the stub must not take it away
        "mask.shape = 1",
        "y = [mask for mask in range(3)]",
        "def y(a):\n    mask = 1",
    ],
)
def test_what_a_solution_does_not_define_is_not_in_the_stub(solution):
    assert "mask = ..." not in make_stub(solution, ["print(mask)"])


def test_hidden_tests_are_not_for_students():
    source = f"{MARKED}\n### BEGIN HIDDEN TESTS\nassert area > 12\n### END HIDDEN TESTS\n"

    assert "12" not in student_source(cell(source), [])
    assert "HIDDEN" not in plain_source(cell(source))


@pytest.mark.parametrize("marker", ["### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"])
@pytest.mark.parametrize("start", [MARKED, "print(1)"])
def test_lone_marker_of_hidden_tests_hides_nothing_and_is_an_error(marker, start):
    with pytest.raises(RegionError, match="HIDDEN TESTS"):
        student_source(cell(f"{start}\n{marker}\nassert area > 12"), [])


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### END SOLUTION\nx = 1\n### BEGIN SOLUTION",
        "### BEGIN SOLUTION\n### END SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_markers_that_do_not_belong_together_are_an_error_with_numbers(source):
    with pytest.raises(RegionError, match="expected one of each"):
        has_solution(cell(source))


def test_exercise_cells_are_found_with_their_numbers_and_parts():
    notebook = new_notebook(cells=[cell("print(1)"), cell(MARKED), cell("print(area)")])

    (found,) = exercise_cells(notebook)

    assert (found.number, found.exercise_id) == (2, "area")
    assert found.solution == "radius = 2\narea = math.pi * radius**2"
    assert (
        found.with_code("area = 1").splitlines()
        == dedent(
            """\
        import math
        area = 1
        lesson.check("area", area)"""
        ).splitlines()
    )


def test_mention_of_a_check_in_a_comment_is_no_exercise():
    notebook = new_notebook(cells=[cell('# lesson.check("area", area)')])

    assert list(exercise_cells(notebook)) == []
