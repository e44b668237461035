"""Executors: what runs lessons, here or elsewhere, and how one is made."""

import contextlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.events import OnEvent
from neuroprimer.teaching.history import PastRun
from neuroprimer.teaching.model import ExecutionResult, Lesson, Limits

# The executor of this machine, which is taken where nothing else is said.
LOCAL = "local"


class ExecutorError(NeuroprimerError, RuntimeError):
    """An executor that cannot be made, or cannot go on."""


class UnknownExecutorError(ExecutorError, LookupError):
    """The name of an executor that no plugin brings."""


class Executor(Protocol):
    """Runs lessons, each in a kernel of its own."""

    def __call__(
        self,
        lessons: Iterable[Lesson],
        /,
        *,
        jobs: int | None,
        limits: Limits | None,
        variables: Mapping[str, str] | None,
        preloads: Iterable[str],
        forks: bool,
        history: Mapping[str, tuple[PastRun, ...]] | None,
        on_event: OnEvent,
    ) -> tuple[ExecutionResult, ...]:
        """Run lessons and return what came of them, in their order.

        Each argument is that of `execute_lessons`; `jobs` is None where the executor shall use all
        there is. `on_event` is called in the thread that called the executor. It is told of each
        result as soon as there is one: what has passed is kept even if the rest never ends.

        Raises
        ------
        ExecutorError
            If it cannot go on. A lesson that fails is a result, and stops no other.
        """


class ExecutorFactory(Protocol):
    """Makes an executor."""

    def __call__(self, scheduler: str | None, /) -> Executor:
        """Return an executor, given the address that ``--scheduler`` has named, if any.

        Raises
        ------
        ExecutorError
            If it can be told already that it will not work.
        """


@dataclass(frozen=True, kw_only=True)
class OfferedExecutor:
    """An executor that a plugin brings.

    Parameters
    ----------
    name : str
        What ``--executor`` calls it.
    plugin : str
        Name of the plugin.
    factory : callable
        Makes it.
    """

    name: str
    plugin: str
    factory: ExecutorFactory

    def make(self, scheduler: str | None = None) -> Executor:
        """Make the executor.

        Parameters
        ----------
        scheduler : str, optional
            Address of the scheduler of a cluster.

        Raises
        ------
        ExecutorError
            Naming the plugin, if it is the plugin's fault.
        """
        whose = f"The executor {self.name!r} of the plugin {self.plugin!r} cannot be made"
        try:
            with contextlib.redirect_stdout(sys.stderr):  # programs read JSON from the output
                executor = self.factory(scheduler)
        except NeuroprimerError:
            raise
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            raise ExecutorError(
                f"{whose}: {type(error).__name__}: {error}",
                hint="Tell the plugin's author, or choose another `--executor`.",
            ) from error
        if not callable(executor):
            raise ExecutorError(
                f"{whose}: its factory returned {executor!r}, expected something to call.",
                hint="Tell the plugin's author, or choose another `--executor`.",
            )
        return executor
