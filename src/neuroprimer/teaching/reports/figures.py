"""Figures: what a lesson's run took, against what was declared and what it usually takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from neuroprimer.teaching.budgets import find_budget_s
from neuroprimer.teaching.history import PastRun, is_slow_down, usual_s
from neuroprimer.teaching.model import ExecutionResult, Lesson, Limits, ValidationReport

# So many of a lesson's cells are named as its slowest.
MOST_CELLS = 3


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One lesson's outcome, with what all reports say of its run.

    Parameters
    ----------
    report : ValidationReport
        The outcome. If an earlier run stands in, the figures are those of that run.
    limits : Limits
        Of the course; they may have a budget for all lessons.
    past : tuple of PastRun
        Earlier runs of the lesson, this one not among them.
    """

    report: ValidationReport
    limits: Limits = field(default_factory=Limits)
    past: tuple[PastRun, ...] = ()

    @property
    def lesson(self) -> Lesson:
        """The lesson that ran."""
        return self.report.lesson

    @property
    def result(self) -> ExecutionResult:
        """Its run."""
        return self.report.result

    @property
    def state(self) -> str:
        """In a word: ``failed``, ``cached`` or ``passed``."""
        if not self.report.passed:
            return "failed"
        return "cached" if self.result.cached else "passed"

    @property
    def is_known(self) -> bool:
        """Whether anything was measured; a run of which an older neuroprimer kept none has not."""
        return self.result.duration_s > 0

    @property
    def declared_min(self) -> int:
        """Minutes that the lesson declares for reading and exercises; 0 if it declares none."""
        return self.lesson.teaching_min + self.lesson.exercise_min

    @property
    def budget_s(self) -> float | None:
        """How long the run may take, in seconds; None if nobody says."""
        return find_budget_s(self.lesson, self.limits)

    @property
    def is_over_budget(self) -> bool:
        """Whether the run took longer than its budget."""
        return self.budget_s is not None and self.result.duration_s > self.budget_s

    @property
    def slowest_cells(self) -> tuple[tuple[int, float], ...]:
        """Number and seconds of the cells that took longest, the slowest first."""
        cells = sorted(self.result.cell_durations_s.items(), key=lambda cell: (-cell[1], cell[0]))
        return tuple(cells[:MOST_CELLS])

    @property
    def usual_s(self) -> float | None:
        """What the lesson usually takes, if it ran to its end now and often enough before."""
        if self.result.cached or self.result.failure:
            return None
        return usual_s(self.past)

    @property
    def change(self) -> float | None:
        """How the run differs from the usual, as a part of it: 0.5 is half as long again."""
        return self.result.duration_s / self.usual_s - 1 if self.usual_s else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What deserves a look and is no failure, in sentences."""
        notes = []
        took = f"{self.lesson.id} took {self.result.duration_s:.1f} s"
        if self.usual_s is not None and is_slow_down(self.result.duration_s, self.usual_s):
            notes.append(
                f"{took}; its last {len(self.past)} runs took {self.usual_s:.1f} s (median)."
            )
        if self.is_over_budget and self.report.passed:
            notes.append(f"{took}, more than its budget of {self.budget_s:g} s.")
        return tuple(notes)


def figures_of(
    reports: tuple[ValidationReport, ...],
    limits: Limits | None,
    history: Mapping[str, tuple[PastRun, ...]],
) -> tuple[Figures, ...]:
    """Return the figures of several lessons.

    Parameters
    ----------
    reports : tuple of ValidationReport
        Their outcomes.
    limits : Limits or None
        Of the course.
    history : mapping of str to tuple of PastRun
        Earlier runs by lesson id.
    """
    return tuple(
        Figures(
            report=report, limits=limits or Limits(), past=tuple(history.get(report.lesson.id, ()))
        )
        for report in reports
    )
