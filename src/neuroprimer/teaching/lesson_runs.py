"""A lesson's run: what was read for it, and what is known of it while it goes on."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import nbformat
from nbformat import NotebookNode

from neuroprimer.teaching.bounds import Usage
from neuroprimer.teaching.events import OnEvent, ignore_event
from neuroprimer.teaching.kernels.imports import import_statements
from neuroprimer.teaching.model import Finding, Lesson, Limits
from neuroprimer.teaching.notebooks import NotebookError, code_cells, read_notebook

DEFAULT_KERNEL = "python3"


@dataclass
class LessonRun:
    """What is known of a run while it goes on.

    Parameters
    ----------
    lesson : Lesson
        What runs.
    limits : Limits
        Those of the course, with the lesson's own in their place.
    on_event : callable
        Is told of each cell.
    """

    lesson: Lesson
    limits: Limits
    on_event: OnEvent = ignore_event
    source: NotebookNode | None = None
    notebook: NotebookNode | None = None
    failure: Finding | None = None
    needs: tuple[str, ...] = ()
    cell: int = 0
    durations_s: dict[int, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    characters: int = 0
    imported: Mapping[str, str] | None = None
    interpreter: str = ""

    @property
    def kernel_name(self) -> str:
        """Name of the kernel spec that the notebook asks for."""
        metadata = self.notebook.metadata if self.notebook else {}
        return str(metadata.get("kernelspec", {}).get("name", DEFAULT_KERNEL))

    @property
    def seed(self) -> int:
        """The seed of its random numbers in a build: the lesson's own, always the same."""
        return zlib.crc32(self.lesson.id.encode())

    @classmethod
    def of_lesson(cls, lesson: Lesson, limits: Limits, on_event: OnEvent) -> "LessonRun":
        """Read a lesson's notebook, and from it what its kernel had better have at hand."""
        own = ("cell_timeout_s", "lesson_timeout_s", "memory_mb")
        limits = replace(
            limits, **{key: getattr(lesson, key) or getattr(limits, key) for key in own}
        )
        run = cls(lesson=lesson, limits=limits, on_event=on_event)
        try:
            run.source = read_notebook(lesson.path)
        except NotebookError as error:
            run.failure = run.finding("NP201", str(error))
            return run
        run.notebook = _without_outputs(run.source)
        code = [cell.source for _, cell in code_cells(run.source)]
        run.needs = tuple(dict.fromkeys(s for source in code for s in import_statements(source)))
        return run

    def afresh(self) -> "LessonRun":
        """Return a run of the same notebook in which nothing has happened yet."""
        again = LessonRun(lesson=self.lesson, limits=self.limits, on_event=self.on_event)
        again.source, again.needs = self.source, self.needs
        again.notebook = None if self.source is None else _without_outputs(self.source)
        return again

    def finding(self, rule: str, message: str) -> Finding:
        """Return a finding about the cell that runs, or the lesson when none does."""
        return Finding(rule=rule, subject=self.lesson.id, message=message, cell=self.cell or None)


def _without_outputs(source: NotebookNode) -> NotebookNode:
    notebook: NotebookNode = nbformat.from_dict(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook
