"""Comparing: a run held against the records of its lesson."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from nbformat import NotebookNode

from neuroprimer.teaching.golden.marks import Mark, read_marks
from neuroprimer.teaching.golden.outputs import Given, read_outputs, summed_up
from neuroprimer.teaching.golden.pictures import picture_difference
from neuroprimer.teaching.golden.records import Output, RecordError, load_record
from neuroprimer.teaching.golden.texts import LONGEST_TEXT, difference_of
from neuroprimer.teaching.model import ExecutionResult, Finding

# So many differences of a cell are told in words; the page shows all.
MOST_TOLD = 2


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One output that is not as recorded.

    Parameters
    ----------
    name : str
        What it is, such as ``figure 1``.
    words : str
        How it differs.
    expected, found : Output or None
        As recorded, and as the run has given it; None where there is none.
    """

    name: str
    words: str
    expected: Output | None
    found: Output | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One golden cell against its record."""

    expected: tuple[Output, ...]
    given: Given
    differences: tuple[Difference, ...]

    @property
    def mark(self) -> Mark:
        """Which cell."""
        return self.given.mark


def compare_run(result: ExecutionResult) -> tuple[Comparison, ...]:
    """Hold each golden cell that has a record, and ran, against it.

    Raises
    ------
    RecordError
        If the records cannot be read.
    """
    record = load_record(result.lesson.path)
    return tuple(
        Comparison(expected=expected, given=given, differences=compare(expected, given))
        for given in read_outputs(result)
        if (expected := record.get(given.mark.name)) is not None
    )


def compare(expected: tuple[Output, ...], given: Given) -> tuple[Difference, ...]:
    """Return where the outputs of a cell are not as recorded.

    Parameters
    ----------
    expected : tuple of Output
        The record.
    given : Given
        What a run has given.
    """
    differences = []
    for kind in dict.fromkeys(output.kind for output in (*expected, *given.outputs)):
        ours = [output for output in expected if output.kind == kind]
        theirs = [output for output in given.outputs if output.kind == kind]
        for place, (one, other) in enumerate(zip_longest(ours, theirs)):
            words = _difference(one, other, given.mark)
            if words:
                name = f"{kind} {place + 1}"
                differences.append(Difference(name=name, words=words, expected=one, found=other))
    return tuple(differences)


def record_findings(result: ExecutionResult) -> tuple[Finding, ...]:
    """Return where a run is not as recorded.

    Parameters
    ----------
    result : ExecutionResult
        It has reached its end; of another there is no telling what it would have given.
    """
    lesson_id = result.lesson.id
    try:
        record = load_record(result.lesson.path)
    except RecordError as error:
        return (Finding(rule="NP324", subject=lesson_id, message=error.message),)
    given = read_outputs(result)
    known = [(one, record[one.mark.name]) for one in given if one.mark.name in record]
    missing = [one for one in given if one.mark.name not in record]
    gone = record.keys() - {one.mark.name for one in given}
    return (
        *(
            _finding("NP322", result, one, words)
            for one, expected in known
            if (words := _in_words(compare(expected, one)))
        ),
        *(_finding("NP323", result, one, "nothing is recorded of it.") for one in missing),
        *(
            Finding(rule="NP325", subject=lesson_id, message=f"no golden cell is called {name!r}.")
            for name in sorted(gone)
        ),
    )


def blind_findings(result: ExecutionResult) -> tuple[Finding, ...]:
    """Return which golden cells of a run give nothing that could be compared, in whole or part."""
    return tuple(
        _finding("NP326", result, one, words)
        for one in read_outputs(result)
        if (words := _blind_spot(one))
    )


def mark_findings(lesson_id: str, source: NotebookNode) -> tuple[Finding, ...]:
    """Return what is wrong with how the cells of a lesson's source are marked."""
    _, faults = read_marks(source)
    return tuple(
        Finding(rule="NP208", subject=lesson_id, cell=fault.cell, message=fault.message)
        for fault in faults
    )


def _finding(rule: str, result: ExecutionResult, given: Given, words: str) -> Finding:
    mark = given.mark
    return Finding(
        rule=rule, subject=result.lesson.id, cell=mark.cell, message=f"{mark.name}: {words}"
    )


def _blind_spot(given: Given) -> str:
    if not given.outputs:
        return "it gives no output."
    if given.n_unread:
        return f"{given.n_unread} of its pictures, or of the data behind them, cannot be read."
    return ""


def _in_words(differences: Sequence[Difference]) -> str:
    told = [f"{one.name}: {one.words}" for one in differences[:MOST_TOLD]]
    more = len(differences) - len(told)
    told += [f"and {more} more"] if more else []
    return "; ".join(told) + "." if told else ""


def _difference(expected: Output | None, found: Output | None, mark: Mark) -> str:
    """Say how an output is not as recorded, or nothing."""
    if expected is None:
        return "it is new"
    if found is None:
        return "it is missing"
    if found.picture:
        return picture_difference(expected.picture, found.picture, mark.tolerance.pixels)
    if not expected.is_summed_up:
        by_line = found.kind == "figure"
        return difference_of(expected.text, found.text, mark.tolerance, by_line=by_line)
    brief = summed_up(found, mark)
    if not brief.is_summed_up:
        return f"expected a text of more than {LONGEST_TEXT} characters, found {len(found.text)}"
    return difference_of(expected.text, brief.text, mark.tolerance, by_line=True)
