"""Golden cells of lessons that really run, held against what was recorded."""

import json
from dataclasses import replace

import nbformat
import pytest

from neuroprimer.teaching import BuildReport, Finding, execute_lessons
from neuroprimer.teaching.golden.records import record_file

pytestmark = pytest.mark.kernel

WAVE = """
import matplotlib.pyplot as plt
import numpy as np
{before}
x = np.linspace(0, 7, 100)
plt.plot(x, {factor} * np.sin(x))
plt.title("A wave")
plt.show()
"""

TABLE = """
import pandas as pd
pd.DataFrame({{"condition": ["faces", "houses"], "mean": [{mean}, 0.25]}})
"""

BRAIN = """
import nibabel as nib
import numpy as np
from nilearn import plotting
values = np.zeros((20, 20, 20), dtype="float32")
values[6:12, 6:12, 6:12] = {value}
image = nib.Nifti1Image(values, np.diag([4.0, 4.0, 4.0, 1.0]))
plotting.plot_stat_map(image, bg_img=None, cut_coords=(32, 32, 32))
plotting.show()
"""

ODD_FIGURE = """
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

class OddLine(Line2D):
    def get_xdata(self, orig=True):
        raise KeyError("x")

plt.gca().add_line(OddLine([0, 1], [0, 1]))
plt.show()
"""

FORMATTERS = "sorted(get_ipython().display_formatter.formatters)"


def golden(code: str, said: str = "", *, tags: str = "golden") -> str:
    """Return a cell with what it says of itself under golden."""
    return "\n".join(
        [
            *("---", f"tags: [{tags}]", "mystnb: {image: {alt: A picture.}}"),
            *([f"golden: {{{said}}}"] if said else []),
            *("---", code.strip()),
        ]
    )


def wave(factor: float = 1.0, *, before: str = "", said: str = "name: wave") -> str:
    return golden(WAVE.format(factor=factor, before=before), said)


def findings(report: BuildReport) -> list[tuple[str, int | None]]:
    return [(one.rule, one.cell) for one in report.reports[0].findings]


def the_finding(report: BuildReport) -> Finding:
    (finding,) = report.reports[0].findings
    return finding


def test_cell_without_a_record_is_found(validate, make_lesson):
    report = validate(make_lesson("1", golden("print(2.5)", "name: mean-signal")))

    finding = the_finding(report)
    assert (finding.rule, finding.cell) == ("NP323", 2)
    assert finding.message == "mean-signal: nothing is recorded of it."
    assert "neuroprimer validate LESSON --update-golden" in finding.definition.fix


def test_what_was_recorded_passes_and_stays_as_it_is(validate, approve, make_lesson):
    lesson = make_lesson(golden("print(2.5)"), wave())
    first = approve(lesson)
    written = record_file(lesson.path).read_bytes()

    again = approve(lesson)

    assert [str(one) for one in first.updates] == ["a-lesson: 1, wave new."]
    assert [str(one) for one in again.updates] == ["a-lesson: all as recorded."]
    assert record_file(lesson.path).read_bytes() == written
    assert validate(lesson).passed


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (golden("print('mean', 2.5)"), golden("print('mean', 2.6)"), "expected 2.5, found 2.6"),
        (golden("2.5"), golden("2.500001"), ""),
        (golden("2.5", "rtol: 0.1"), golden("2.6", "rtol: 0.1"), ""),
        (golden("2.5", "rtol: 0.1"), golden("2.6", "rtol: 0.01"), "allowed is 0.025"),
        (golden(TABLE.format(mean=0.5)), golden(TABLE.format(mean=0.50000001)), ""),
        (golden(TABLE.format(mean=0.5)), golden(TABLE.format(mean=0.501)), "`0 | faces | 0.501`"),
        (wave(1), wave(1 + 1e-9), ""),
        (wave(1), wave(1 + 1e-3), "figure 1: expected -1.09966649, found -1.10076615"),
        (
            golden("1 / 0", tags="golden, raises-exception"),
            golden("{}[1]", tags="golden, raises-exception"),
            "error 1: expected `ZeroDivisionError: division by zero`, found `KeyError: 1`",
        ),
        (golden("print(1)\n2.5"), golden("print(1)"), "text 2: it is missing"),
        (golden("print(1)"), golden("print(1)\n2.5"), "text 2: it is new"),
        (golden(BRAIN.format(value=3)), golden(BRAIN.format(value=3 + 1e-9)), ""),
        (
            golden(BRAIN.format(value=3)),
            golden(BRAIN.format(value=3.01)),
            "image 1 values: [20x20]",
        ),
        (
            golden("print(*[i / 7 for i in range(500)])"),
            golden("print(*[i / 7 + (i == 100) for i in range(500)])"),
            "text 1: expected",
        ),
    ],
    ids=[
        *("number", "close number", "own tolerance", "smaller tolerance", "close table", "table"),
        *("close figure", "figure", "error", "missing", "new", "close brain", "brain", "long"),
    ],
)
def test_change_is_found_if_it_is_larger_than_its_tolerance(
    validate, approve, make_lesson, before, after, words
):
    approve(make_lesson(before))

    report = validate(make_lesson(after))

    told = [(one.rule, one.cell) for one in report.reports[0].findings]
    assert told == ([("NP322", 1)] if words else [])
    assert words in "".join(one.message for one in report.reports[0].findings)


DARK = "plt.style.use('dark_background')"


@pytest.mark.parametrize(("pixels", "words"), [(255, ""), (8, "grey levels differ by")])
def test_same_data_in_another_style_are_a_matter_of_pixels(
    validate, approve, make_lesson, pixels, words
):
    said = f"name: wave, pixels: {pixels}"
    approve(make_lesson(wave(said=said)))

    report = validate(make_lesson(wave(before=DARK, said=said)))

    messages = [finding.message for finding in report.reports[0].findings]
    assert len(messages) == bool(words)
    assert all(one.startswith(f"wave: picture 1: {words}") for one in messages)


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "plain"])
def test_run_is_the_same_with_and_without_the_tag(make_lesson, forks):
    cells = [
        wave(),
        FORMATTERS,
        golden(BRAIN.format(value=3)),
        golden("import random\nrandom.random()"),
    ]
    golden_lesson = make_lesson(*cells)
    kept = golden_lesson.path.rename(golden_lesson.path.with_name("kept.md"))
    bare_lesson = make_lesson(*(cell.replace("golden", "gilded") for cell in cells))
    lessons = [replace(golden_lesson, path=kept), bare_lesson]

    tagged, plain = execute_lessons(lessons, jobs=1, forks=forks)

    assert tagged.failure is None
    assert [len(data) for data in tagged.figure_data.values()] == [1, 1, 0]
    assert plain.figure_data == {}
    without_tags = nbformat.writes(tagged.notebook).replace("golden", "gilded")
    assert without_tags == nbformat.writes(plain.notebook)


def test_nothing_is_left_for_later_cells(make_lesson):
    lesson = make_lesson(FORMATTERS, golden("1"), FORMATTERS, "[n for n in dir() if 'read' in n]")

    (result,) = execute_lessons([lesson])

    first, _, third, names = (cell.outputs[0] for cell in result.notebook.cells[1:])
    assert first.data == third.data
    assert names.data["text/plain"] == "[]"


def test_record_of_no_cell_is_found_until_the_next_update(validate, approve, make_lesson):
    approve(make_lesson(golden("1", "name: gone"), golden("2", "name: stays")))
    lesson = make_lesson(golden("2", "name: stays"))

    finding = the_finding(validate(lesson))
    (update,) = approve(lesson).updates

    assert (finding.rule, finding.message) == ("NP325", "no golden cell is called 'gone'.")
    assert (update.new, update.changed, update.gone) == ((), (), ("gone",))
    assert validate(lesson).passed


def test_update_leaves_what_is_close_enough_as_it_is(approve, make_lesson):
    lesson = make_lesson(golden("print(2.5)", "name: close"), golden("1", "name: far"))
    approve(lesson)

    report = approve(
        make_lesson(golden("print(2.5000001)", "name: close"), golden("2", "name: far"))
    )

    assert [one.changed for one in report.updates] == [("far",)]
    assert [output["text"] for output in recorded(report)["close"]] == [["2.5"]]


def test_last_golden_cell_takes_the_file_with_it(approve, make_lesson):
    approve(make_lesson(golden("1")))
    lesson = make_lesson("1")

    approve(lesson)

    assert not record_file(lesson.path).exists()


@pytest.mark.parametrize(
    "cell", ["1 / 0", "import sys; print('a warning', file=sys.stderr)"], ids=["error", "warning"]
)
def test_lesson_that_does_not_pass_is_not_recorded(approve, make_lesson, cell):
    lesson = make_lesson(golden("print(1)"))
    approve(lesson)
    before = record_file(lesson.path).read_bytes()

    report = approve(make_lesson(golden("print(2)"), cell))

    assert not report.passed
    assert [str(one) for one in report.updates] == [
        "a-lesson: not recorded, since the lesson has not passed."
    ]
    assert record_file(lesson.path).read_bytes() == before


def test_failing_lesson_is_not_compared(validate, approve, make_lesson):
    approve(make_lesson(golden("print(1)"), golden("print(2)")))

    report = validate(make_lesson(golden("1 / 0"), golden("print(2)")))

    assert findings(report) == [("NP301", 1)]


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ([golden("x = 1")], "NP326"),
        ([golden("1", tags="golden, skip-execution")], "NP326"),
        (
            [
                golden(
                    "get_ipython().display_formatter.formatters.popitem()\n"
                    + WAVE.format(factor=1, before="")
                )
            ],
            "NP326",
        ),
        ([golden(ODD_FIGURE)], "NP326"),
        ([golden("1", "tolerance: 3")], "NP208"),
    ],
    ids=["no output", "not run", "reader gone", "odd figure", "mark"],
)
def test_cell_that_guards_nothing_is_found_and_not_recorded(approve, make_lesson, cells, rule):
    report = approve(make_lesson(*cells))

    assert findings(report) == [(rule, 1)]
    assert not any(one.new for one in report.updates)


@pytest.mark.parametrize(
    "text", ["{", '{"format": 2}', "[]", '{"format": 1, "cells": {"1": [{}]}}']
)
def test_damaged_record_is_found_and_can_be_written_anew(validate, approve, make_lesson, text):
    lesson = make_lesson(golden("1"))
    record_file(lesson.path).write_text(text)

    finding = the_finding(validate(lesson))
    approve(lesson)

    assert finding.rule == "NP324"
    assert finding.message.startswith("a-lesson.golden.json cannot be read: ")
    assert validate(lesson).passed


def test_cached_run_is_compared_when_the_record_changes(validate, approve, make_lesson):
    lesson = make_lesson(golden("print(2.5)"), wave())
    approve(lesson)
    file = record_file(lesson.path)
    record = json.loads(file.read_text())
    record["cells"]["1"][0]["text"] = ["2.75"]
    record["cells"]["wave"][0]["text"][0] = "axes 1 title: 'A wafe'"
    file.write_text(json.dumps(record))

    report = validate(lesson)

    assert report.reports[0].result.cached
    assert findings(report) == [("NP322", 1), ("NP322", 2)]


def test_tag_that_is_new_is_reason_enough_to_run(validate, approve, make_lesson):
    validate(make_lesson(wave().replace("golden", "other")))

    report = approve(make_lesson(wave()))

    assert report.passed
    assert [output["kind"] for output in recorded(report)["wave"]] == ["figure", "picture"]


def recorded(report: BuildReport) -> dict:
    return json.loads(record_file(report.reports[0].lesson.path).read_text())["cells"]


def test_record_is_small(approve, make_lesson):
    report = approve(
        make_lesson(golden("print(*range(100000))"), wave(), golden(BRAIN.format(value=3)))
    )

    assert record_file(report.reports[0].lesson.path).stat().st_size < 16_000
