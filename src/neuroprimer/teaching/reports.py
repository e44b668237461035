"""Reports: the outcome of a build for programs that read JSON or JUnit XML."""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.model import Finding, Lesson, ValidationReport

# Characters that XML cannot hold; a program's output may have any.
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class ReportError(NeuroprimerError, OSError):
    """A report that cannot be written."""


def finding_as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON-ready values, with its fix and documentation page."""
    return {
        "rule": finding.rule,
        "title": finding.definition.title,
        "subject": finding.subject,
        "cell": finding.cell,
        "message": finding.message,
        "fix": finding.definition.fix,
        "page": finding.definition.page,
    }


def lesson_as_dict(lesson: Lesson, *, brought_by: str) -> dict[str, Any]:
    """Return what a lesson says of itself as JSON-ready values."""
    return {
        "id": lesson.id,
        "title": lesson.title,
        "description": lesson.description,
        "plugin": brought_by,
        "objectives": list(lesson.objectives),
        "questions": list(lesson.questions),
        "key_points": list(lesson.key_points),
        "prerequisites": list(lesson.prerequisites),
        "datasets": list(lesson.datasets),
        "teaching_min": lesson.teaching_min,
        "exercise_min": lesson.exercise_min,
        "authors": list(lesson.authors),
    }


def report_as_dict(report: ValidationReport) -> dict[str, Any]:
    """Return one lesson's outcome as JSON-ready values, times in seconds."""
    result = report.result
    return {
        "lesson": report.lesson.id,
        "passed": report.passed,
        "cached": result.cached,
        "reason": result.reason,
        "start_s": round(result.start_s, 3),
        "duration_s": round(result.duration_s, 3),
        "cell_durations_s": {
            str(number): round(seconds, 3) for number, seconds in result.cell_durations_s.items()
        },
        "findings": [finding_as_dict(finding) for finding in report.findings],
    }


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write a report as JSON, whole or not at all."""
    _write_whole(file, json.dumps(content, indent=2) + "\n")


def write_junit(
    file: Path, reports: Iterable[ValidationReport], findings: Iterable[Finding] = ()
) -> None:
    """Write reports as JUnit XML, whole or not at all.

    Parameters
    ----------
    file : pathlib.Path
        Where to.
    reports : iterable of ValidationReport
        Each becomes a test case of the class ``lessons``.
    findings : iterable of Finding
        What belongs to no lesson's run; together they are the test case ``course``.
    """
    suite = TestSuite("neuroprimer")
    for report in reports:
        suite.add_testcase(
            _test_case(report.lesson.id, "lessons", report.findings, report.result.duration_s)
        )
    suite.add_testcase(_test_case("course", "course", findings, 0.0))
    xml = JUnitXml()
    xml.add_testsuite(suite)
    _write_whole(file, xml.tostring().decode())


def _test_case(name: str, group: str, findings: Iterable[Finding], duration_s: float) -> TestCase:
    case = TestCase(name, classname=group, time=duration_s)
    case.result = [
        Failure(NOT_IN_XML.sub("", str(finding)), type_=finding.rule) for finding in findings
    ]
    return case


def require_report_file(file: Path) -> None:
    """Raise now if a report could not be written later.

    Raises
    ------
    ReportError
        If the folder cannot be made or written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=file.parent).close()
    except OSError as error:
        raise report_error(file, error) from error


def _write_whole(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise report_error(file, error) from error


def report_error(file: Path, error: OSError) -> ReportError:
    """Return what to raise when a file of ours cannot be written."""
    return ReportError(
        f"Cannot write the report {file}: {error.strerror}.",
        hint="Name a file in a folder that you may write into.",
    )
