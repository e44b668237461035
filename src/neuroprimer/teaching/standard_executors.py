"""The executors that neuroprimer brings itself, by the hook that everybody has."""

import importlib.util
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from neuroprimer.teaching.executors import LOCAL, Executor, ExecutorError, ExecutorFactory
from neuroprimer.teaching.hookspecs import hookimpl
from neuroprimer.teaching.model import ExecutionResult, Lesson


@hookimpl
def register_executors() -> Mapping[str, ExecutorFactory]:
    """Return the executor of this machine, and the one of a Dask cluster."""
    return {LOCAL: make_local, "dask": make_dask}


def make_local(scheduler: str | None, /) -> Executor:
    """Return what runs lessons on this machine.

    Raises
    ------
    ExecutorError
        If there is a scheduler, which would never be asked.
    """
    if scheduler:
        raise ExecutorError(
            "The executor 'local' has no scheduler.",
            hint="Add `--executor dask`, or leave `--scheduler` out.",
        )
    return _run_here


def make_dask(scheduler: str | None, /) -> Executor:
    """Return what runs lessons on a Dask cluster; it is asked when there is something to run.

    Raises
    ------
    ExecutorError
        If dask is not installed, or no scheduler is named.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ExecutorError(
            "The executor 'dask' needs dask.distributed, which is not installed.",
            hint="pip install 'neuroprimer[dask]'",
        )
    if not scheduler:
        raise ExecutorError(
            "The executor 'dask' needs the address of a scheduler.",
            hint="Start one with `dask scheduler` and add `--scheduler tcp://HOST:8786`.",
        )
    return partial(_run_on_cluster, scheduler)


# What executes lessons takes longer to load than all of a build that has nothing to do.


def _run_here(lessons: Iterable[Lesson], /, **options: Any) -> tuple[ExecutionResult, ...]:
    from neuroprimer.teaching.execute import execute_lessons

    return execute_lessons(lessons, **options)


def _run_on_cluster(
    scheduler: str, lessons: Iterable[Lesson], /, **options: Any
) -> tuple[ExecutionResult, ...]:
    from neuroprimer.teaching.cluster.executor import execute_on_cluster

    return execute_on_cluster(scheduler, lessons, **options)
