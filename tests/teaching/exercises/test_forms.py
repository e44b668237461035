"""Forms: what students get of a lesson, and what they do not."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from neuroprimer.teaching.exercises.forms import (
    differences,
    exercise_of,
    instructor_notebook,
    student_notebook,
    version_of,
)

SOLVED = '### BEGIN SOLUTION\nsecret = 42\n### END SOLUTION\nlesson.check("double", secret)'


def make_source(code=SOLVED, prose="Twice 21?"):
    return new_notebook(
        metadata={"jupytext": {"x": 1}},
        cells=[
            new_markdown_cell(prose, id="cell-000"),
            new_code_cell(
                code,
                id="cell-001",
                execution_count=3,
                outputs=[new_output("stream", name="stdout", text="42\n")],
            ),
        ],
    )


def test_students_notebook_holds_nothing_of_the_solution():
    text = nbformat.writes(student_notebook(make_source(), "a-lesson"))

    assert "42" not in text
    assert "SOLUTION" not in text
    assert "secret = ..." in text


def test_students_notebook_says_which_lesson_it_is():
    notebook = student_notebook(make_source(), "a-lesson")

    nbformat.validate(notebook)
    assert notebook.metadata["neuroprimer"]["lesson"] == "a-lesson"
    assert "jupytext" not in notebook.metadata


def test_source_is_not_changed_by_making_forms():
    source = make_source()
    before = nbformat.writes(source)

    student_notebook(source, "a-lesson")
    instructor_notebook(source, "a-lesson")

    assert nbformat.writes(source) == before


def test_version_is_that_of_what_students_see():
    def version(**options):
        return student_notebook(make_source(**options), "l").metadata["neuroprimer"]["version"]

    assert version() == version()
    assert version(prose="Twice 22?") != version()
    assert version(code=SOLVED.replace("42", "43")) == version()  # a solution that was mended


def test_instructors_notebook_keeps_solutions_and_no_outputs():
    notebook = instructor_notebook(make_source(), "a-lesson")

    nbformat.validate(notebook)
    assert "secret = 42" in notebook.cells[2].source
    assert notebook.cells[2].outputs == []
    assert notebook.metadata["neuroprimer"]["version"] == version_of(make_source())


def test_differences_name_what_is_new():
    old, new = make_source(), make_source(prose="Twice 22?")

    assert [line for line in differences(old, new) if line[0] in "+-"][2:] == [
        "-Twice 21?",
        "+Twice 22?",
    ]
    assert differences(old, old) == []


def test_exercise_of_a_cell_is_what_it_checks():
    assert exercise_of(new_code_cell("x = 1\nlesson.check('double', x)")) == "double"
    assert exercise_of(new_code_cell("x = 1")) == ""
    assert exercise_of(new_markdown_cell("lesson.check('double', x)")) == ""
