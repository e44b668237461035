"""Rows: a lesson's figures as the texts that terminal, summary and page show alike."""

from dataclasses import dataclass

from neuroprimer.teaching.proofs import ProofOutcome
from neuroprimer.teaching.reports.figures import Figures

MEGABYTE = 1_000_000
MINUTE_S = 60

# Stands where there is nothing to say.
NOTHING = "-"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One lesson in a table.

    Parameters
    ----------
    lesson, state, reason : str
        Its id, what became of it, and why it ran or did not.
    wall_s, cpu_s, start_s : str
        Seconds from start to end, on processors, and until the kernel answered.
    change : str
        Against what the lesson usually takes, such as ``+120 %``.
    peak_mb : str
        Most memory, in megabytes.
    slowest : str
        Which cells took longest, and how long.
    minutes : str
        Measured minutes of those that the lesson declares.
    budget_s : str
        How many seconds it should take at most.
    """

    lesson: str
    state: str
    reason: str
    wall_s: str
    change: str
    cpu_s: str
    peak_mb: str
    start_s: str
    slowest: str
    minutes: str
    budget_s: str


def row_of(figures: Figures, *, cells: int = 1) -> Row:
    """Return the texts of a lesson's figures.

    Parameters
    ----------
    figures : Figures
        What was measured.
    cells : int
        How many of the slowest cells to name.

    Examples
    --------
    >>> from pathlib import Path
    >>> from neuroprimer.teaching.model import ExecutionResult, Lesson, ValidationReport
    >>> lesson = Lesson(id="a", title="A", path=Path("a.md"), teaching_min=5)
    >>> result = ExecutionResult(lesson=lesson, duration_s=90, cell_durations_s={1: 2, 2: 80})
    >>> row = row_of(Figures(report=ValidationReport(result=result, findings=())))
    >>> row.minutes, row.slowest, row.budget_s, row.change
    ('1.50 of 5', 'cell 2, 80.0 s', '300', '-')
    """
    result = figures.result
    slowest = [f"cell {cell}, {took_s:.1f} s" for cell, took_s in figures.slowest_cells[:cells]]
    measured = figures.is_known
    return Row(
        lesson=figures.lesson.id,
        state=figures.state,
        reason=result.reason or NOTHING,
        wall_s=f"{result.duration_s:.1f}" if measured else NOTHING,
        change=NOTHING if figures.change is None else f"{100 * figures.change:+.0f} %",
        cpu_s=f"{result.cpu_s:.1f}" if measured else NOTHING,
        peak_mb=f"{result.peak_bytes / MEGABYTE:.0f}" if measured else NOTHING,
        start_s=f"{result.start_s:.1f}" if measured else NOTHING,
        slowest="; ".join(slowest) or NOTHING,
        minutes=_minutes(figures) if measured else NOTHING,
        budget_s=_budget(figures),
    )


@dataclass(frozen=True, kw_only=True)
class ProofRow:
    """One exercise in a table.

    Parameters
    ----------
    lesson, exercise : str
        Their ids.
    stub, solution : str
        What the check said of them.
    wrong : str
        How many of the wrong answers were told what they should be.
    mutants : str
        How many of the changed answers were refused, and how many may pass for a reason.
    """

    lesson: str
    exercise: str
    stub: str
    solution: str
    wrong: str
    mutants: str


def proof_row_of(lesson_id: str, proof: ProofOutcome) -> ProofRow:
    """Return the texts of an exercise's proof.

    Examples
    --------
    >>> from neuroprimer.teaching.proofs import Verdict
    >>> right = Verdict(state="right")
    >>> proof_row_of("a", ProofOutcome(exercise_id="b", cell=3, reference=right)).solution
    'right'
    """
    told = sum(
        one.verdict.state != "right" and one.words in one.verdict.message for one in proof.wrong
    )
    refused = sum(one.verdict.state != "right" for one in proof.mutants)
    explained = f", {len(proof.explained)} harmless" if proof.explained else ""
    return ProofRow(
        lesson=lesson_id,
        exercise=proof.exercise_id,
        stub=proof.stub.state,
        solution=proof.reference.state,
        wrong=f"{told} of {len(proof.wrong)} told",
        mutants=f"{refused} of {len(proof.mutants)} refused{explained}",
    )


def _minutes(figures: Figures) -> str:
    measured = f"{figures.result.duration_s / MINUTE_S:.2f}"
    return f"{measured} of {figures.declared_min}" if figures.declared_min else measured


def _budget(figures: Figures) -> str:
    if figures.budget_s is None:
        return NOTHING
    return f"{figures.budget_s:g}" + (", exceeded" if figures.is_over_budget else "")
