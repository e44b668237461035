"""Examination: lessons run, or their kept runs are taken out, and what there is is validated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from neuroprimer.teaching.budgets import budget_findings
from neuroprimer.teaching.cache.lookup import Lookup, RunCache
from neuroprimer.teaching.cache.reasons import DAMAGED, why_ran
from neuroprimer.teaching.events import LessonEvent, OnEvent, ignore_event
from neuroprimer.teaching.execute import execute_lessons
from neuroprimer.teaching.executors import Executor, ExecutorError
from neuroprimer.teaching.history import PastRun, remember
from neuroprimer.teaching.kernels.preloads import statements_of_plugins
from neuroprimer.teaching.model import ExecutionResult, Finding, Lesson, Limits, ValidationReport

# Nothing above loads a library for notebooks, which takes longer than starting a fork server: what
# needs one is loaded where it is needed, so that the server comes up meanwhile.


def examine_lessons(
    found: Sequence[Lookup],
    cache: RunCache,
    executor: Executor | None = None,
    *,
    limits: Limits | None,
    jobs: int | None,
    on_event: OnEvent,
    history: Mapping[str, tuple[PastRun, ...]] | None = None,
    cold: bool = False,
    budget: bool = False,
    against_records: bool = True,
) -> tuple[ValidationReport, ...]:
    """Run the lessons of which no kept run holds, and validate them all.

    Parameters
    ----------
    found : sequence of Lookup
        What the cache has of each lesson.
    cache : RunCache
        That has found it; runs that pass go into it as soon as they end.
    executor : callable, optional
        What runs them. Default: this machine does.
    limits, jobs, on_event
        As for `execute_lessons`.
    history : mapping of str to tuple of PastRun, optional
        As for `execute_lessons`.
    cold : bool
        Whether every lesson runs once more, in a kernel that was started from nothing, and must
        come out the same.
    budget : bool
        Whether a run that took longer than its budget has not passed.
    against_records : bool
        Whether golden cells must give what is recorded.

    Returns
    -------
    reports : tuple of ValidationReport
        In the order of `found`.

    Raises
    ------
    ExecutorError
        If the executor cannot go on, or has lost lessons. What has passed before is kept.
    """
    catalogue = cache.surroundings.catalogue
    budgets = (limits or Limits()) if budget else None
    examination = _Examination(cache, on_event, budgets, against_records=against_records)
    missing = [one for one in found if not (one.entry and examination.restore(one))]
    examination.why = {one.lesson.id: DAMAGED if one.entry else one.reason for one in missing}
    lessons = [one.lesson for one in missing]
    variables = catalogue.variables()
    run = partial(
        _run_all,
        executor or execute_lessons,
        lessons,
        jobs=jobs,
        limits=limits,
        variables=variables,
        preloads=statements_of_plugins(catalogue.manager) if missing else (),
        history=history,
    )
    results = run(forks=True, on_event=examination.hear)
    for result in results:
        if result.lesson.id not in examination.reports:
            examination.judge(result)
    if cold:
        from neuroprimer.teaching.comparing import cold_findings

        plain = run(forks=False, on_event=ignore_event)
        for one, other in zip(results, plain, strict=True):
            examination.add(one.lesson.id, cold_findings(one, other))
    remember(results, datetime.now().astimezone().isoformat(timespec="seconds"))
    return tuple(examination.reports[one.lesson.id] for one in found)


def _run_all(
    executor: Executor, lessons: Sequence[Lesson], **options: Any
) -> tuple[ExecutionResult, ...]:
    """Run lessons, and see that an executor, which anybody may have written, gives all back."""
    results = tuple(executor(lessons, **options))
    given, wanted = [one.lesson.id for one in results], [lesson.id for lesson in lessons]
    if given != wanted:
        raise ExecutorError(
            f"The executor gave results of {', '.join(given) or 'no lesson'}; they should have "
            f"been of {', '.join(wanted)}, in this order.",
            hint="Tell the author of the executor, or choose another.",
        )
    return results


class _Examination:
    """What is known while lessons run.

    Parameters
    ----------
    cache : RunCache
        Where runs are kept.
    on_event : callable
        Is told how it goes on.
    budgets : Limits or None
        What runs are held to; None holds them to no budget.
    against_records : bool
        Whether they are held against the records of golden cells.
    """

    def __init__(
        self, cache: RunCache, on_event: OnEvent, budgets: Limits | None, *, against_records: bool
    ) -> None:
        self.cache = cache
        self.on_event = on_event
        self.budgets = budgets
        self.against_records = against_records
        self.why: Mapping[str, str] = {}
        self.reports: dict[str, ValidationReport] = {}

    def restore(self, found: Lookup) -> bool:
        """Take a run out of the cache; False when it turns out to be damaged."""
        from neuroprimer.teaching.cache.keeping import restore_run

        result = restore_run(found, self.cache)
        if result is None:
            return False
        self.reports[found.lesson.id] = self.validate(result)
        self.on_event(LessonEvent(lesson=found.lesson, result=result))
        return True

    def hear(self, event: LessonEvent) -> None:
        """Judge a lesson as soon as it ends: a build that is killed loses no other run."""
        if event.result is not None:
            event = replace(event, result=self.judge(event.result))
        self.on_event(event)

    def add(self, lesson_id: str, findings: tuple[Finding, ...]) -> None:
        """Add what was found by comparing."""
        report = self.reports[lesson_id]
        self.reports[lesson_id] = replace(report, findings=(*report.findings, *findings))

    def validate(self, result: ExecutionResult) -> ValidationReport:
        """Hold a run against the rules, and against its budget where that counts."""
        from neuroprimer.teaching.validate import validate_run

        report = validate_run(result, against_records=self.against_records)
        if self.budgets is None:
            return report
        over = budget_findings(result, self.budgets)
        return replace(report, findings=(*report.findings, *over))

    def judge(self, result: ExecutionResult) -> ExecutionResult:
        """Validate a run, keep it if it has passed, and say why it was needed."""
        from neuroprimer.teaching.cache.keeping import keep_run, note_failure

        lesson_id = result.lesson.id
        files = (result.imported or {}).values()
        imported = self.cache.surroundings.sort_imported(result.lesson, files)
        result = replace(result, distributions=imported.distributions)
        report = self.validate(result)
        not_kept = ""
        if report.passed:
            not_kept = keep_run(result, self.cache)
        else:
            note_failure(result, self.cache)
        result = replace(result, reason=why_ran(self.why.get(lesson_id, ""), not_kept))
        self.reports[lesson_id] = replace(report, result=result)
        return result
