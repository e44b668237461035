"""Validation: each rule of a source or a run, broken once."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from neuroprimer.teaching import Lesson, validate_run
from neuroprimer.teaching.model import ExecutionResult
from neuroprimer.teaching.validate import find_machine_folder, machine_folders

PICTURE = new_output("display_data", {"image/png": "iVBORw0KGgo="})
ALT = {"mystnb": {"image": {"alt": "A brain."}}}


def report_on(tmp_path: Path, *cells, source=None):
    """Return the report on a run of the given cells."""
    file = tmp_path / "lesson.ipynb"
    clean = [new_code_cell(cell.source, metadata=cell.metadata) for cell in cells]
    nbformat.write(source or new_notebook(cells=clean), file)
    result = ExecutionResult(
        lesson=Lesson(id="a", title="A", path=file), notebook=new_notebook(cells=list(cells))
    )
    return validate_run(result)


def ran(*outputs, tags=(), **metadata):
    return new_code_cell(
        "pass", execution_count=1, outputs=list(outputs), metadata={"tags": list(tags), **metadata}
    )


def stream(name: str, text: str):
    return new_output("stream", name=name, text=text)


def error():
    return new_output("error", ename="E", evalue="", traceback=[])


def rules(report) -> list[str]:
    return [finding.rule for finding in report.findings]


def test_clean_run_passes(tmp_path):
    report = report_on(tmp_path, ran(stream("stdout", "fine\n")), ran(PICTURE, **ALT))

    assert report.passed


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (ran(tags=["raises-exception"]), "NP306"),
        (ran(stream("stderr", "Warning: old\n")), "NP307"),
        (ran(PICTURE), "NP308"),
        (ran(PICTURE, mystnb={"image": {"alt": " "}}), "NP308"),
        (ran(stream("stdout", f"saved to {Path.home()}/brain.nii\n")), "NP309"),
        (ran(new_output("display_data", {"text/html": f"<a>{Path.home()}/x</a>"})), "NP309"),
    ],
)
def test_breach_is_found_with_its_cell(tmp_path, cell, rule):
    report = report_on(tmp_path, ran(), cell)

    assert rules(report) == [rule]
    assert report.findings[0].cell == 2
    assert not report.passed


@pytest.mark.parametrize(
    "cell",
    [
        ran(error(), tags=["raises-exception"]),
        ran(stream("stderr", "Warning: old\n"), tags=["stderr-expected"]),
        ran(PICTURE, tags=["remove-output"]),
        ran(stream("stderr", "\n")),
        new_code_cell("never ran", outputs=[]),
    ],
)
def test_what_is_meant_to_be_is_no_breach(tmp_path, cell):
    assert report_on(tmp_path, cell).passed


def test_outputs_in_the_source_are_found(tmp_path):
    source = new_notebook(cells=[new_code_cell("1", outputs=[stream("stdout", "stale")])])

    report = report_on(tmp_path, ran(), source=source)

    assert rules(report) == ["NP202"]
    assert report.findings[0].cell == 1


def test_lesson_without_code_is_found(tmp_path):
    assert rules(report_on(tmp_path, new_code_cell("  "))) == ["NP203"]


def test_folders_that_every_machine_has_are_not_telling(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/"))

    assert "//" not in machine_folders()
    assert find_machine_folder("installed in /usr/lib/python3", machine_folders()) is None
