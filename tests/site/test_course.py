"""The repository's own course, built as the README says."""

import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from junitparser import JUnitXml

from neuroprimer.teaching import load_catalogue
from neuroprimer.teaching.exercises.regions import STUB, exercise_cells, plain_source
from neuroprimer.teaching.notebooks import code_cells

pytestmark = pytest.mark.site

LESSONS = tuple(load_catalogue().lessons)


def test_every_lesson_has_its_page_with_figures(whole_course):
    for lesson in LESSONS:
        page = BeautifulSoup(
            (whole_course / "site" / "lessons" / f"{lesson}.html").read_text(), "html.parser"
        )
        figures = page.select("div.cell_output img")
        assert figures
        assert all(len(str(figure["alt"])) > 40 for figure in figures)


def test_reports_tell_of_every_lesson(whole_course):
    report = json.loads((whole_course / "run" / "report.json").read_text())
    (suite,) = JUnitXml.fromfile(str(whole_course / "run" / "junit.xml"))

    assert report["passed"] is True
    assert {one["lesson"] for one in report["lessons"]} == set(LESSONS)
    assert {case.name for case in suite} == {*LESSONS, "course"}
    assert suite.failures == 0


def test_downloads_are_the_runs_with_stubs_before_solutions(whole_course):
    for lesson in LESSONS:
        ran = read(whole_course / "run" / "notebooks" / f"{lesson}.ipynb")
        shown = read(whole_course / "site" / "downloads" / f"{lesson}-executed.ipynb")

        cells = [cell for _, cell in code_cells(shown)]
        stubs = [cell for cell in cells if STUB in cell.source]
        assert [(cell.id, cell.source, cell.outputs) for cell in cells if cell not in stubs] == [
            (cell.id, plain_source(cell), cell.outputs) for _, cell in code_cells(ran)
        ]
        assert len(stubs) == len(list(exercise_cells(ran)))


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def test_scripts_of_all_lessons_compile(whole_course):
    for lesson in LESSONS:
        file = whole_course / "site" / "downloads" / f"{lesson}.py"
        compile(file.read_text(), file.name, "exec")


def test_no_page_names_this_machine(whole_course):
    repository = str(Path(__file__).parent.parent.parent)

    for page in (whole_course / "site").rglob("*.html"):
        assert repository not in page.read_text()
        assert str(whole_course) not in page.read_text()
