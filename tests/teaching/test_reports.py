"""Reports: what programs, CI jobs and people are told of a build."""

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from neuroprimer.teaching import ExecutionResult, Finding, Lesson, Limits, ValidationReport
from neuroprimer.teaching.history import PastRun
from neuroprimer.teaching.publish.runs_page import SOURCE, fill_runs_page, runs_markup
from neuroprimer.teaching.reports import (
    Figures,
    add_job_summary,
    report_as_dict,
    summary_of,
    write_junit,
)
from neuroprimer.teaching.reports.summary import MOST_FINDINGS

RUN = ExecutionResult(
    lesson=Lesson(id="a-lesson", title="A <lesson>", path=Path("a.md"), teaching_min=20),
    start_s=0.25,
    duration_s=12.0,
    cpu_s=8.5,
    peak_bytes=345_600_000,
    cell_durations_s={1: 0.5, 2: 7.0, 3: 0.1, 4: 2.0},
    reason="ran: __init__.py changed",
)
FAILURE = Finding(
    rule="NP301", subject="a-lesson", cell=2, message="E: a|b <i>*c*\x1b[31m\nat /secret/x.py"
)


def figures(*past_s: float, findings=(), limits=None, **options) -> Figures:
    """Return the figures of a lesson that took 12 s, after runs that took what is given."""
    past = [PastRun(when="", duration_s=s, cpu_s=s, peak_bytes=1) for s in past_s]
    report = ValidationReport(result=replace(RUN, **options), findings=findings)
    return Figures(report=report, limits=limits or Limits(), past=tuple(past))


def cells_of(markdown: str) -> list[list[str]]:
    """Return what the cells of a table say once it is rendered."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    rows: list[list[str]] = []
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        if token.type in ("th_open", "td_open"):
            words = tokens[place + 1].children
            assert {word.type for word in words} <= {"text", "strong_open", "strong_close"}
            rows[-1].append("".join(word.content for word in words))
    return rows


def test_report_for_programs_has_every_figure_with_its_unit():
    content = report_as_dict(figures(4, 5, 6, limits=Limits(budget_s=30)))

    assert content["start_s"] == 0.25
    assert content["duration_s"] == 12.0
    assert content["cpu_s"] == 8.5
    assert content["peak_bytes"] == 345_600_000
    assert content["declared_min"] == 20
    assert content["budget_s"] == 30
    assert content["usual_s"] == 5
    assert content["cells_run"] == 4
    assert content["slowest_cells"] == [
        {"cell": 2, "duration_s": 7.0},
        {"cell": 4, "duration_s": 2.0},
        {"cell": 1, "duration_s": 0.5},
    ]


def test_table_of_the_summary_shows_the_run():
    heading, row = cells_of(summary_of("All well", [figures(4, 5, 6)]))

    shown = dict(zip(heading, row, strict=True))
    assert shown == {
        "lesson": "a-lesson",
        "state": "passed",
        "why": "ran: __init__.py changed",
        "wall (s)": "12.0",
        "against the usual": "+140 %",
        "CPU (s)": "8.5",
        "peak memory (MB)": "346",
        "kernel start (s)": "0.2",
        "slowest cell": "cell 2, 7.0 s",
        "minutes of those declared": "0.20 of 20",
        "budget (s)": "1200",
    }


def test_findings_stand_beneath_with_their_fixes_and_nothing_in_them_is_markup():
    text = summary_of("Failed", [figures(findings=(FAILURE,))], notes=["a_b_c"])

    assert r"- **NP301** a-lesson, code cell 2: E: a\|b \<i\>\*c\* at /secret/x.py" in text
    assert "<br>Mend the cell, or tag it `raises-exception`" in text
    assert "**failed**" in text
    assert r"- Note: a\_b\_c" in text


def test_summary_of_a_thousand_faults_is_one_that_github_shows():
    endless = replace(FAILURE, message="x" * 20_000)

    text = summary_of("Failed", (), [endless] * 1000)

    assert len(text.encode()) < 2**20
    assert f"And {1000 - MOST_FINDINGS} more findings." in text


def test_summary_of_the_job_is_added_to_what_other_steps_have_written(tmp_path, monkeypatch):
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))

    assert add_job_summary("after\n") == ""

    assert file.read_text() == "before\nafter\n\n"


def test_summary_of_the_job_that_cannot_be_written_is_said_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "summary.md"))

    assert "No such file" in add_job_summary("text")


def test_without_a_job_there_is_no_summary_of_it():
    assert add_job_summary("text") == ""


def test_slow_down_is_noted():
    (note,) = figures(4, 5, 6).notes

    assert note == "a-lesson took 12.0 s; its last 3 runs took 5.0 s (median)."


@pytest.mark.parametrize(
    "quiet",
    [
        figures(4, 5),
        figures(7, 7, 7),
        figures(0.1, 0.1, 0.1, duration_s=1.5),
        figures(4, 5, 6, cached=True),
        figures(4, 5, 6, failure=FAILURE),
    ],
    ids=["too few runs", "less than twice", "too short", "did not run", "did not end"],
)
def test_what_is_no_slow_down_is_not_noted(quiet):
    assert quiet.notes == ()


def test_overrun_is_noted_unless_it_is_a_finding():
    limits = Limits(budget_s=10)
    over = Finding(rule="NP314", subject="a-lesson", message="it took too long.")

    assert figures(limits=limits).notes == ("a-lesson took 12.0 s, more than its budget of 10 s.",)
    assert figures(limits=limits, findings=(over,)).notes == ()
    assert figures(limits=Limits(budget_s=12)).notes == ()


def test_run_of_which_nothing_was_measured_shows_no_zeros():
    markdown = summary_of("Cached", [figures(cached=True, duration_s=0, cell_durations_s={})])

    _, row = cells_of(markdown)
    assert row[1] == "cached"
    assert row[3:10] == ["-"] * 7


def test_page_links_lessons_that_are_there_and_names_no_message():
    missing = figures(4, 5, 6, findings=(FAILURE,))

    linked = runs_markup([figures(4, 5, 6)], ["a-lesson"])
    left_out = runs_markup([missing], [])

    assert '<a href="lessons/a-lesson.html">A &lt;lesson&gt;</a>' in linked
    assert "<li>a-lesson took 12.0 s; its last 3 runs took 5.0 s (median).</li>" in linked
    assert "href" not in left_out
    assert "failed: NP301" in left_out
    assert "/secret" not in left_out


def test_page_of_figures_that_is_filled_in_again_shows_the_last_run(tmp_path):
    page = tmp_path / "runs.html"
    page.write_text(SOURCE)

    fill_runs_page(tmp_path, [figures(duration_s=12.5)], [])
    fill_runs_page(tmp_path, [figures(duration_s=13.5)], [])

    text = page.read_text()
    assert "13.5" in text
    assert "12.5" not in text
    assert "*Wall* is the time" in text


def test_junit_counts_the_seconds_of_this_build_only(tmp_path):
    reports = [figures().report, figures(cached=True).report]

    write_junit(tmp_path / "junit.xml", reports)

    assert '<testsuite name="neuroprimer" tests="3"' in (tmp_path / "junit.xml").read_text()
    assert 'time="12.0"' in (tmp_path / "junit.xml").read_text()
    assert 'time="24.0"' not in (tmp_path / "junit.xml").read_text()
