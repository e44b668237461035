"""JUnit: the outcome for programs that read the XML of test runs."""

import re
from collections.abc import Iterable
from pathlib import Path

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from neuroprimer.teaching.model import ExecutionResult, Finding, ValidationReport
from neuroprimer.teaching.reports.files import write_report

# Characters that XML cannot hold; a program's output may have any.
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
            _test_case(report.lesson.id, "lessons", report.findings, _spent_s(report.result))
        )
    suite.add_testcase(_test_case("course", "course", findings, 0.0))
    xml = JUnitXml()
    xml.add_testsuite(suite)
    write_report(file, xml.tostring().decode())


def _spent_s(result: ExecutionResult) -> float:
    """Return the seconds of this build: programs add them up, and an earlier run cost it none."""
    return 0.0 if result.cached else result.duration_s


def _test_case(name: str, group: str, findings: Iterable[Finding], duration_s: float) -> TestCase:
    case = TestCase(name, classname=group, time=duration_s)
    case.result = [
        Failure(NOT_IN_XML.sub("", str(finding)), type_=finding.rule) for finding in findings
    ]
    return case
