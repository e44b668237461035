"""The page on the tutorial names headings and code that the lessons really have."""

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jupytext
import pytest

from neuroprimer_lessons.plugin import LESSON_FOLDERS

REPOSITORY = Path(__file__).parent.parent
LESSONS = REPOSITORY / "lessons/neuroprimer_lessons"
PAGE = (REPOSITORY / "book/tutorial.md").read_text()
IDS = {folder.replace("_", "-"): folder for folder in LESSON_FOLDERS}
PLACE = re.compile(r"`([\w-]+)`: \*([^*]+)\*")
FAULTS = [f"F{number}" for number in range(1, 11)]


@dataclass(frozen=True, kw_only=True)
class Row:
    number: str
    tutorial: str
    here: str
    uses: tuple[str, ...]
    corrected: str

    @property
    def places(self) -> list[tuple[str, str]]:
        return PLACE.findall(self.here)


def read_rows(page: str) -> list[Row]:
    """Return the numbered rows of all tables; a row with a cell too many or too few is an error."""
    rows = []
    for line in re.findall(r"^\| *[TCF]\d.*$", page, re.MULTILINE):
        number, tutorial, here, uses, corrected = (
            cell.strip() for cell in line.strip().strip("|").split("|")
        )
        rows.append(
            Row(
                number=number,
                tutorial=tutorial,
                here=here,
                uses=tuple(re.findall(r"`([^`]+)`", uses)),
                corrected=corrected,
            )
        )
    return rows


@cache
def code_under_headings(lesson_id: str) -> dict[str, str]:
    """Return the code under each heading of a lesson, up to the next heading of any level."""
    sections: dict[str, str] = {}
    heading = ""
    for cell in jupytext.read(LESSONS / IDS[lesson_id] / "lesson.md").cells:
        if cell.cell_type == "code":
            sections[heading] += f"{cell.source}\n"
            continue
        for found in re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE):
            heading = found
            sections[heading] = ""
    return sections


def names_used(code: str) -> set[str]:
    """Return the names and dotted names that code uses; an import alone is no use."""
    return {
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Name | ast.Attribute)
    }


ROWS = read_rows(PAGE)
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)


@pytest.mark.parametrize(("letter", "words"), [("T", "code cells"), ("C", "facts")])
def test_cells_and_claims_are_numbered_without_a_gap_and_counted_in_the_first_paragraph(
    letter, words
):
    numbers = [row.number for row in ROWS if row.number.startswith(letter)]
    counted = re.search(rf"\b(\d+) {words}", PAGE)

    assert numbers == [f"{letter}{number}" for number in range(1, len(numbers) + 1)]
    assert counted
    assert len(numbers) == int(counted[1])


@each_row
def test_row_says_what_the_tutorial_does_and_where_it_is_done_or_that_it_is_not(row):
    parts = row.here.split("; ")

    assert row.tutorial
    assert all(PLACE.fullmatch(part) or part.startswith("not here: ") for part in parts), parts


@each_row
def test_lessons_that_a_row_names_exist_and_have_the_heading(row):
    for lesson_id, heading in row.places:
        assert lesson_id in IDS
        assert heading in code_under_headings(lesson_id)


@each_row
def test_code_under_the_headings_uses_what_the_row_says(row):
    code = "\n".join(code_under_headings(lesson)[heading] for lesson, heading in row.places)

    assert set(row.uses) <= names_used(code)


def test_all_ten_faults_have_a_place_and_a_correction():
    faults = [row for row in ROWS if row.number.startswith("F")]

    assert [row.number for row in faults] == FAULTS
    assert all(row.places and row.corrected for row in faults)


def test_every_fault_is_pointed_to_by_the_cell_or_claim_that_has_it_and_no_other():
    pointed_to = {
        fault
        for row in ROWS
        if not row.number.startswith("F")
        for fault in re.findall(r"\bF\d+\b", row.corrected)
    }

    assert pointed_to == set(FAULTS)


def test_table_of_lessons_has_every_lesson_by_its_title():
    listed = dict(re.findall(r"^\| `([\w-]+)` \| (.+?) \|$", PAGE, re.MULTILINE))

    assert listed == {id_: next(iter(code_under_headings(id_))) for id_ in IDS}


def test_course_lists_the_page_for_reference():
    course = tomllib.loads((REPOSITORY / "book/course.toml").read_text())
    (reference,) = (part for part in course["part"] if part["title"] == "Reference")

    assert "tutorial" in reference["pages"]
