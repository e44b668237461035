"""Execution: lessons go in, what they did comes out, a failure as a value."""

from collections.abc import Iterable, Mapping

from neuroprimer.teaching.events import OnEvent, ignore_event
from neuroprimer.teaching.history import PastRun
from neuroprimer.teaching.kernels.workshop import kernel_environment, open_workshop
from neuroprimer.teaching.model import ExecutionResult, Lesson, Limits


def execute_lessons(
    lessons: Iterable[Lesson],
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    variables: Mapping[str, str] | None = None,
    preloads: Iterable[str] = (),
    forks: bool = True,
    linger_s: float = 0,
    proves: bool = True,
    history: Mapping[str, tuple[PastRun, ...]] | None = None,
    on_event: OnEvent = ignore_event,
) -> tuple[ExecutionResult, ...]:
    """Run lessons, each in a kernel of its own, several at a time.

    Parameters
    ----------
    lessons : iterable of Lesson
        What to run.
    jobs : int, optional
        How many kernels run side by side. Default: the number of processors.
    limits : Limits, optional
        Bounds for lessons that have none of their own.
    variables : mapping of str to str, optional
        Environment variables for the kernels.
    preloads : iterable of str, optional
        Statements that the fork server runs besides the imports of the lessons.
    forks : bool
        Whether kernels are forked from a process that has imported what the lessons import.
        Otherwise, and where that cannot be, each is started from nothing.
    linger_s : float
        How long that process stays afterwards, for the next run, in seconds.
    proves : bool
        Whether exercises are proven on the way, which the notebooks do not show.
    history : mapping of str to tuple of PastRun, optional
        How long lessons took before: the longest begin first.
    on_event : callable, optional
        Is told of each `LessonEvent`.

    Returns
    -------
    results : tuple of ExecutionResult
        In the order of `lessons`. A lesson that fails has its `failure` set; it stops no other.
    """
    lessons, variables = tuple(lessons), variables or {}
    if not lessons:
        return ()
    with open_workshop(kernel_environment(variables), forks=forks, linger_s=linger_s) as workshop:
        # Loading this takes half a second, in which the server starts.
        from neuroprimer.teaching.side_by_side import run_side_by_side

        return run_side_by_side(
            lessons,
            workshop,
            jobs=jobs,
            limits=limits or Limits(),
            variables=variables,
            preloads=preloads,
            proves=proves,
            history=history or {},
            on_event=on_event,
        )
