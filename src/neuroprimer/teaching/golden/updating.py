"""Updating: what an author approves of becomes the record."""

from collections.abc import Iterable

from neuroprimer.teaching.golden.comparing import compare
from neuroprimer.teaching.golden.outputs import Given, read_outputs, summed_up
from neuroprimer.teaching.golden.records import (
    Output,
    Record,
    RecordError,
    RecordUpdate,
    load_record,
    record_file,
    save_record,
)
from neuroprimer.teaching.model import ValidationReport


def update_records(reports: Iterable[ValidationReport]) -> tuple[RecordUpdate, ...]:
    """Record what golden cells have given, as far as it is not what is recorded.

    Parameters
    ----------
    reports : iterable of ValidationReport
        Of runs that were held against everything but their records. Lessons that have not passed
        are left as they are.

    Returns
    -------
    updates : tuple of RecordUpdate
        Of each lesson that has golden cells, or records.

    Raises
    ------
    RecordError
        If a file cannot be written.
    """
    return tuple(update for report in reports if (update := _update(report)))


def _update(report: ValidationReport) -> RecordUpdate | None:
    lesson, given = report.lesson, read_outputs(report.result)
    try:
        before = load_record(lesson.path)
    except RecordError:
        before = {}
    if not given and not record_file(lesson.path).exists():
        return None
    if not report.passed:
        return RecordUpdate(lesson=lesson, is_left=True)
    after = {one.mark.name: _recorded(one, before) for one in given}
    if after != before or not given:
        save_record(lesson.path, after)
    return RecordUpdate(
        lesson=lesson,
        new=tuple(name for name in after if name not in before),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
        gone=tuple(name for name in before if name not in after),
    )


def _recorded(given: Given, before: Record) -> tuple[Output, ...]:
    """Return what is recorded of a cell: the same as before where that is close enough."""
    recorded = before.get(given.mark.name)
    if recorded is not None and not compare(recorded, given):
        return recorded
    return tuple(summed_up(output, given.mark) for output in given.outputs)
