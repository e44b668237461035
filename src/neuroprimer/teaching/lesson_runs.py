"""A lesson's run: what was read for it, and what is known of it while it goes on."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nbformat import NotebookNode

from neuroprimer.teaching.bounds import Usage
from neuroprimer.teaching.events import OnEvent, ignore_event
from neuroprimer.teaching.exercises.regions import ExerciseCell, RegionError, exercise_cells
from neuroprimer.teaching.kernels.imports import import_statements
from neuroprimer.teaching.model import Finding, Lesson, Limits
from neuroprimer.teaching.notebooks import NotebookError, code_cells, read_notebook, without_outputs
from neuroprimer.teaching.proofs import ProofOutcome

DEFAULT_KERNEL = "python3"

# What the proof of an exercise uses, in a child of the lesson's kernel.
PROVING = "import neuroprimer.teaching.exercises.proving"


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
    proves : bool
        Whether the lesson's exercises are proven on the way.
    """

    lesson: Lesson
    limits: Limits
    on_event: OnEvent = ignore_event
    proves: bool = True
    source: NotebookNode | None = None
    notebook: NotebookNode | None = None
    failure: Finding | None = None
    needs: tuple[str, ...] = ()
    cell: int = 0
    durations_s: dict[int, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    characters: int = 0
    exercise_cells: Mapping[int, ExerciseCell] = field(default_factory=dict)
    proofs: list[ProofOutcome] = field(default_factory=list)
    proof_s: float = 0.0
    imported: Mapping[str, str] | None = None
    interpreter: str = ""
    figure_data: dict[int, tuple[str, ...]] = field(default_factory=dict)

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
    def of_lesson(
        cls, lesson: Lesson, limits: Limits, on_event: OnEvent, *, proves: bool = True
    ) -> "LessonRun":
        """Read a lesson's notebook, and from it what its kernel had better have at hand."""
        own = ("cell_timeout_s", "lesson_timeout_s", "memory_mb")
        limits = replace(
            limits, **{key: getattr(lesson, key) or getattr(limits, key) for key in own}
        )
        run = cls(lesson=lesson, limits=limits, on_event=on_event, proves=proves)
        try:
            run.source = read_notebook(lesson.path)
            run.exercise_cells = {cell.number: cell for cell in exercise_cells(run.source)}
        except NotebookError as error:
            run.failure = run.finding("NP201", str(error))
            return run
        except RegionError as error:
            run.failure = run.finding("NP205", str(error))
            return run
        run.notebook = without_outputs(run.source)
        code = [cell.source for _, cell in code_cells(run.source)]
        needs = [statement for source in code for statement in import_statements(source)]
        if proves and lesson.exercises and run.exercise_cells:
            needs.append(PROVING)  # or each proof would load it again
        run.needs = tuple(dict.fromkeys(needs))
        return run

    def afresh(self) -> "LessonRun":
        """Return a run of the same notebook in which nothing has happened yet."""
        return LessonRun(
            lesson=self.lesson,
            limits=self.limits,
            on_event=self.on_event,
            proves=self.proves,
            source=self.source,
            notebook=None if self.source is None else without_outputs(self.source),
            needs=self.needs,
            exercise_cells=self.exercise_cells,
        )

    def finding(self, rule: str, message: str) -> Finding:
        """Return a finding about the cell that runs, or the lesson when none does."""
        return Finding(rule=rule, subject=self.lesson.id, message=message, cell=self.cell or None)
