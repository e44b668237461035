"""Runs are compared cell by cell, and what differs is named."""

from dataclasses import replace

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from neuroprimer.teaching import ExecutionResult, Finding
from neuroprimer.teaching.comparing import cold_findings


def picture(content: str):
    return new_output("display_data", {"image/png": content})


def run(make_lesson, *outputs) -> ExecutionResult:
    cells = [new_code_cell("1"), new_code_cell("2", outputs=list(outputs))]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03d}"
    return ExecutionResult(lesson=make_lesson("1"), notebook=new_notebook(cells=cells))


def test_same_runs_have_no_difference(make_lesson):
    assert cold_findings(run(make_lesson, picture("a")), run(make_lesson, picture("a"))) == ()


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ([picture("b")], "output 1 (image/png) differs"),
        ([], "it has 1 output(s) forked and 0 plain"),
        ([new_output("stream", text="a")], "output 1 (image/png) differs"),
    ],
    ids=["another picture", "none", "another kind"],
)
def test_difference_is_named_with_its_cell(make_lesson, plain, words):
    (finding,) = cold_findings(run(make_lesson, picture("a")), run(make_lesson, *plain))

    assert (finding.rule, finding.cell) == ("NP313", 2)
    assert words in finding.message


def test_run_that_fails_only_in_a_kernel_of_its_own_is_named(make_lesson):
    forked = run(make_lesson, picture("a"))
    failure = Finding(rule="NP301", subject="a-lesson", message="AttributeError: plotting", cell=2)

    (finding,) = cold_findings(forked, replace(forked, failure=failure))

    assert "in a kernel of its own it fails: AttributeError: plotting" in finding.message
