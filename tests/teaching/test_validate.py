"""Validation: each rule of a source or a run, broken once."""

import tempfile
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from neuroprimer.teaching import Lesson, validate_run
from neuroprimer.teaching.kernels.workshop import FOLDER_PREFIX
from neuroprimer.teaching.model import ExecutionResult
from neuroprimer.teaching.validate import find_machine_folder, machine_folders

PICTURE = new_output("display_data", {"image/png": "iVBORw0KGgo="})
VIEWER = new_output("display_data", {"text/html": '<iframe srcdoc="x"></iframe>'})
ALT = {"mystnb": {"image": {"alt": "A brain."}}}


def report_on(*cells, source=None):
    """Return the report on a run of the given cells."""
    clean = [new_code_cell(cell.source, metadata=cell.metadata) for cell in cells]
    result = ExecutionResult(
        lesson=Lesson(id="a", title="A", path=Path("a.ipynb")),
        source=source or new_notebook(cells=clean),
        notebook=new_notebook(cells=list(cells)),
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


def test_clean_run_passes():
    report = report_on(ran(stream("stdout", "fine\n")), ran(PICTURE, **ALT), ran(VIEWER, **ALT))

    assert report.passed


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (ran(tags=["raises-exception"]), "NP306"),
        (ran(stream("stderr", "Warning: old\n")), "NP307"),
        (ran(PICTURE), "NP308"),
        (ran(VIEWER), "NP308"),
        (ran(PICTURE, mystnb={"image": {"alt": " "}}), "NP308"),
        (ran(PICTURE, mystnb={"image": {"alt": None}}), "NP308"),
        (ran(PICTURE, mystnb={"image": "alt"}), "NP308"),
        (ran(PICTURE, mystnb=None), "NP308"),
        (ran(stream("stdout", f"saved to {Path.home()}/brain.nii\n")), "NP309"),
        (ran(new_output("display_data", {"text/html": f"<a>{Path.home()}/x</a>"})), "NP309"),
    ],
)
def test_breach_is_found_with_its_cell(cell, rule):
    report = report_on(ran(), cell)

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
def test_what_is_meant_to_be_is_no_breach(cell):
    assert report_on(cell).passed


def test_outputs_in_the_source_are_found():
    source = new_notebook(cells=[new_code_cell("1", outputs=[stream("stdout", "stale")])])

    report = report_on(ran(), source=source)

    assert rules(report) == ["NP202"]
    assert report.findings[0].cell == 1


def test_lesson_without_code_is_found():
    assert rules(report_on(new_code_cell("  "))) == ["NP203"]


def test_colours_of_a_terminal_are_taken_out_of_the_words():
    report = report_on(ran(stream("stderr", "\x1b[31mWarning\x1b[0m: old")))

    assert report.findings[0].message == "standard error says: Warning: old"


def test_home_is_recognised_as_ipython_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    folders = machine_folders(tmp_path / "course")

    assert find_machine_folder("File ~/course/lesson.py:3", folders) == "~/course/"
    assert find_machine_folder("cd ~/elsewhere", folders) is None


def test_folder_behind_a_link_is_recognised(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    folders = machine_folders(tmp_path / "link")

    assert find_machine_folder(f"in {tmp_path}/real/x", folders)
    assert find_machine_folder(f"in {tmp_path}/link/x", folders)


def test_folder_in_an_address_of_a_file_is_recognised():
    assert find_machine_folder("file:///home/ada/brain.nii", ["/home/ada/"]) == "/home/ada/"


def test_private_folder_of_a_kernel_is_recognised():
    folder = tempfile.mkdtemp(prefix=FOLDER_PREFIX)
    Path(folder).rmdir()

    assert rules(report_on(ran(stream("stdout", f"{folder}/work\n")))) == ["NP309"]


def test_folders_that_every_machine_has_are_not_telling(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/"))

    assert "//" not in machine_folders()
    assert find_machine_folder("installed in /usr/lib/python3", machine_folders()) is None
