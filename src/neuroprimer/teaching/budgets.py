"""Budgets: how long a lesson's run should take at most, and whether it did."""

from neuroprimer.teaching.model import ExecutionResult, Finding, Lesson, Limits

MINUTE_S = 60


def find_budget_s(lesson: Lesson, limits: Limits) -> float | None:
    """Return how long a lesson's run should take at most, in seconds, or None if nobody says.

    The lesson's own ``budget_s`` goes before the course's. Where neither says anything, no run
    should take longer than the lesson declares that a person does.

    Parameters
    ----------
    lesson : Lesson
        The lesson.
    limits : Limits
        Of the course.

    Examples
    --------
    >>> from pathlib import Path
    >>> lesson = Lesson(id="a", title="A", path=Path("a.md"), teaching_min=10, exercise_min=5)
    >>> find_budget_s(lesson, Limits())
    900.0
    >>> find_budget_s(lesson, Limits(budget_s=30.0))
    30.0
    """
    declared_s = float(lesson.teaching_min + lesson.exercise_min) * MINUTE_S
    return lesson.budget_s or limits.budget_s or declared_s or None


def budget_findings(result: ExecutionResult, limits: Limits) -> tuple[Finding, ...]:
    """Return a finding if a run took longer than its budget.

    Parameters
    ----------
    result : ExecutionResult
        A run, or an earlier one that stands in for it. One that did not come to its end has
        other faults.
    limits : Limits
        Of the course.
    """
    budget_s = find_budget_s(result.lesson, limits)
    if budget_s is None or result.failure or result.duration_s <= budget_s:
        return ()
    took = f"it took {result.duration_s:.1f} s, and its budget is {budget_s:g} s."
    if result.cached:
        took += " That run comes from the cache; `--no-cache` measures anew."
    return (Finding(rule="NP314", subject=result.lesson.id, message=took),)
