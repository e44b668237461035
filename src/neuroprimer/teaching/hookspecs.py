"""The hooks: what a plugin may add to neuroprimer.

Each implementation is called by itself, so that one that raises is named and left out while
the others work.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pluggy

from neuroprimer.teaching.executors import ExecutorFactory
from neuroprimer.teaching.model import Dataset, Lesson, ValidationReport

PROJECT = "neuroprimer"

# Raised when a hook changes so that older plugins no longer work.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_lessons() -> Iterable[Lesson]:  # type: ignore[empty-body]  # plugins give the body
    """Return the lessons this plugin teaches; asked once, when the catalogue is built."""


@hookspec
def register_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]  # as above
    """Return the datasets that lessons may name; asked once, when the catalogue is built."""


@hookspec(firstresult=True)
def provide_dataset(dataset: Dataset, folder: Path, variant: str) -> Sequence[Path] | None:
    """Put the dataset's files into ``folder`` and return their paths, or None to let others try.

    Asked when a lesson wants its data. The folder may not exist yet. Files that a dependency
    ships may stay where they are.
    """


@hookspec
def register_preloads() -> Iterable[str]:  # type: ignore[empty-body]  # as above
    """Return what kernels shall have ready, as ``"module"`` or ``"module:function"``.

    Asked once, before lessons run. What lessons import themselves is found without it. A function
    is called once, without arguments, before any lesson starts; it may fill caches, and must not
    draw with pyplot, or start threads.
    """


@hookspec
def register_executors() -> Mapping[str, ExecutorFactory]:  # type: ignore[empty-body]  # as above
    """Return executors by name, for ``--executor NAME``; asked once, when the catalogue is built.

    A factory is called with the address of ``--scheduler``, or None, when its executor is chosen.
    """


@hookspec
def lesson_validated(report: ValidationReport) -> None:
    """Be told of each report, passed or not, in course order, before anything is published."""
