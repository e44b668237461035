"""Solutions on the site: where the course wants them, and nowhere else."""

import json
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from neuroprimer.teaching import ExecutionResult, Lesson, build_course, load_catalogue, load_course
from neuroprimer.teaching.policy import PLACES, Policy
from neuroprimer.teaching.proofs import ProofOutcome, Try, Verdict
from neuroprimer.teaching.publish.leaks import find_leaks
from neuroprimer.teaching.publish.solutions import place_solutions

SOLUTION = "origin = inverse_of(affine) @ corner"
WRONG = "origin = affine @ corner[::-1] * 2"
TEST = "assert origin[0] == secret_number"
CELL = f"""### BEGIN SOLUTION
{SOLUTION}
### END SOLUTION
lesson.check("world-origin", origin)
### BEGIN HIDDEN TESTS
{TEST}
### END HIDDEN TESTS"""


def make_run():
    """Return a notebook with one exercise, as it was executed."""
    said = new_output("stream", name="stdout", text="right\n")
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title", id="a"),
            new_code_cell("affine = 1", id="b", execution_count=1),
            new_code_cell(CELL, id="c", execution_count=2, outputs=[said]),
            new_markdown_cell("The end.", id="d"),
        ]
    )
    notebook.nbformat_minor = 5
    return notebook


def make_result(tmp_path):
    tries = (Try(name=WRONG, words="No", verdict=Verdict(state="wrong", message="No")),)
    proof = ProofOutcome(exercise_id="world-origin", cell=2, wrong=tries)
    lesson = Lesson(id="a-lesson", title="Title", path=tmp_path / "a.md")
    return ExecutionResult(lesson=lesson, source=make_run(), proofs=(proof,))


@pytest.mark.parametrize(
    ("solutions", "ids"),
    [
        ("inline", ["a", "b", "c", "d"]),
        ("collapsed", ["a", "b", "c-stub", "c", "d"]),
        ("after", ["a", "b", "c-stub", "d", "solutions", "c-title", "c"]),
        ("absent", ["a", "b", "c-stub", "d"]),
    ],
)
def test_solution_is_where_the_course_wants_it(solutions, ids):
    run = make_run()

    page = place_solutions(run, Policy(solutions=solutions))

    cells = {cell.id: cell for cell in page.cells}
    assert list(cells) == ids
    if "c-stub" in ids:
        assert cells["c-stub"].source == (
            '# YOUR CODE HERE\norigin = ...\nlesson.check("world-origin", origin)'
        )
        assert cells["c-stub"].outputs == []
    if "c" in ids:
        assert cells["c"].source == f'{SOLUTION}\nlesson.check("world-origin", origin)'
        assert cells["c"].outputs == run.cells[2].outputs
        assert ("hide-cell" in cells["c"].metadata.get("tags", ())) == (solutions == "collapsed")
    assert run == make_run()


@pytest.mark.parametrize("solutions", PLACES)
@pytest.mark.parametrize(
    ("code", "what"),
    [
        (SOLUTION, "the solution of world-origin"),
        (WRONG, "a wrong answer of world-origin"),
        (TEST, "a hidden test"),
    ],
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lesson.html", "<pre><span>{html}</span></pre>"),
        ("lesson.html", "<img alt='x {code}'>"),
        ("lesson.ipynb", "{json}"),
        ("_static/data.json", "{json}"),
        ("searchindex.js", "Search.setIndex({json})"),
        ("_sources/lesson.md", "x\n{spaced}\ny"),
        ("script.py", "if True:\n    {code}"),
    ],
)
def test_leak_is_found_in_every_kind_of_file(tmp_path, solutions, code, what, name, text):
    forms = {
        "{html}": "</span><span>".join(code).replace("&", "&amp;"),
        "{json}": json.dumps({"cells": [{"source": code + "\n"}]}),
        "{spaced}": "  ".join(code.split()),
        "{code}": code,
    }
    for form, value in forms.items():
        text = text.replace(form, value)
    site = tmp_path / "site"
    (site / name).parent.mkdir(parents=True)
    (site / name).write_text(text)

    found = find_leaks(site, [make_result(tmp_path)], Policy(solutions=solutions))

    is_secret = code != SOLUTION or solutions == "absent"
    assert [(one.rule, one.message) for one in found] == (
        [("NP408", f"{name} holds {what}.")] if is_secret else []
    )


def test_what_the_lesson_itself_shows_is_no_secret(tmp_path):
    result = make_result(tmp_path)
    result.source.cells[0].source = f"# Title\n\nOften one sees `{WRONG}`, or `{SOLUTION}`."
    (tmp_path / "page.html").write_text(f"<p>{WRONG}</p><p>{SOLUTION}</p>")

    assert find_leaks(tmp_path, [result], Policy(solutions="absent")) == ()


def test_what_another_lesson_teaches_is_no_secret(tmp_path):
    asks, teaches = make_result(tmp_path), make_result(tmp_path)
    teaches = replace(teaches, proofs=(), source=new_notebook(cells=[new_code_cell(WRONG)]))
    (tmp_path / "page.html").write_text(f"<p>{WRONG}</p>")

    assert find_leaks(tmp_path, [asks], Policy())
    assert find_leaks(tmp_path, [asks, teaches], Policy()) == ()


LESSON = """
    import neuroprimer; lesson = neuroprimer.lesson("a-lesson")
"""

EXERCISES = """
from neuroprimer.teaching import Exercise, Incorrect, WrongAnswer

def check(answer, data):
    if answer != 1234567:
        raise Incorrect("Count again, from the left." if answer == 7654321 else "Count again.")

EXERCISES = [
    Exercise(id="count", prompt="How many?", check=check, wrong_answers=(
        WrongAnswer(code="counted_stones = 7654321", message="from the left"),
        WrongAnswer(code="counted_stones = 1111111", message="Count again."),
    )),
]
"""
ANSWER = """
    ### BEGIN SOLUTION
    counted_stones = 1234567
    ### END SOLUTION
    lesson.check("count", counted_stones)
"""


@pytest.mark.site
@pytest.mark.parametrize("leaks", [False, True], ids=["sound", "leaking"])
def test_site_for_students_holds_no_solution(
    course_folder, write_lesson, tmp_path, our_plugins, leaks
):
    write_lesson(LESSON, ANSWER, exercises="exercises.py").with_name("exercises.py").write_text(
        EXERCISES
    )
    (course_folder / "_config.yml").write_text("title: A course\n")
    (course_folder / "book/course.toml").write_text(
        'title = "A course"\n[exercises]\nsolutions = "absent"\n'
        '[[part]]\ntitle = "One"\nlessons = ["a-lesson"]\n'
    )
    if leaks:
        (course_folder / "book/intro.md").write_text("# Hello\n\n`counted_stones = 1234567`\n")
    catalogue = load_catalogue(plugins_dir=tmp_path / "plugins", blocked=our_plugins)

    report = build_course(load_course(course_folder, catalogue), catalogue, output=tmp_path / "out")

    site = tmp_path / "out/site"
    assert [finding.rule for finding in report.findings] == (["NP408"] if leaks else [])
    assert site.exists() != leaks
    if not leaks:
        page = BeautifulSoup((site / "lessons/a-lesson.html").read_text(), "html.parser")
        assert "counted_stones = ..." in page.get_text()
        assert "1234567" not in page.get_text()
        assert "That is right." not in page.get_text()
        runs = BeautifulSoup((site / "runs.html").read_text(), "html.parser").get_text()
        assert "2 of 2 told" in runs
        assert "7654321" not in runs
