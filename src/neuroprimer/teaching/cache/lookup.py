"""Looking up: which lessons need not run, because a run that was kept is still true."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from neuroprimer.teaching.cache import reasons
from neuroprimer.teaching.cache.digests import Digests
from neuroprimer.teaching.cache.fingerprints import Cells, Dependencies, Surroundings
from neuroprimer.teaching.cache.store import Damaged, Entry, Store
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import ExecutionResult, Lesson

DIGESTS_FILE = "digests.json"


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What was found for a lesson.

    Parameters
    ----------
    lesson : Lesson
        Whose run is wanted.
    entry : Entry or None
        A run that still holds; None when the lesson must run.
    reason : str
        Why it must, as in "affines.py changed"; or why it need not.
    """

    lesson: Lesson
    entry: Entry | None = None
    reason: str = ""


class RunCache:
    """The runs that were kept, held against what there is today.

    Parameters
    ----------
    catalogue : Catalogue
        The plugins and datasets.
    folder : pathlib.Path or None
        Of the cache; with None nothing is found, and nothing kept.
    """

    def __init__(self, catalogue: Catalogue, folder: Path | None) -> None:
        self.store = Store(folder) if folder else None
        self.digests = Digests(self.store.folder / DIGESTS_FILE if self.store else None)
        self.surroundings = Surroundings(catalogue, self.digests)
        self.outputs: dict[str, str] = {}  # digests, of the lessons whose run is in the cache
        self.notes: dict[str, None] = {}  # in order, each once
        self.began_ns = time.time_ns()

    def find_all(self, lessons: Sequence[Lesson]) -> tuple[Lookup, ...]:
        """Find a run for each lesson that is still true, or say why there is none."""
        if self.store is None:
            return tuple(Lookup(lesson=one, reason=reasons.CACHE_IS_OFF) for one in lessons)
        for lesson in lessons:
            for dataset_id in lesson.datasets:  # a plugin may make it now, but not later on
                self.surroundings.dataset(dataset_id)
        # What changes from now on may do so before or after it is looked at.
        self.began_ns = time.time_ns()
        return tuple(self._find(lesson) for lesson in lessons)

    def _find(self, lesson: Lesson) -> Lookup:
        assert self.store is not None  # noqa: S101  for mypy: find_all() has seen to it
        cells = self._cells(lesson)
        if cells is None:
            return Lookup(lesson=lesson, reason=reasons.UNREADABLE)
        changes: list[tuple[str, ...]] = []
        for entry in self.store.entries_of(lesson.id):
            if isinstance(entry, Damaged):
                changes.append((reasons.DAMAGED,))
            elif entry.dependencies is None:
                changes.append((reasons.OTHER_FORMAT,))
            else:
                today = self._today(lesson, cells, entry.dependencies)
                if today == entry.dependencies:
                    return self._found(lesson, entry)
                changes.append(reasons.differences(entry.dependencies, today))
        return Lookup(lesson=lesson, reason=self._why_none(lesson, changes))

    def told(self, found: Lookup) -> ExecutionResult:
        """Return what there is to say of a run that was found, without its notebook."""
        told = ExecutionResult(lesson=found.lesson, cached=True, reason=found.reason)
        if found.entry is None:
            return told
        durations_s = found.entry.cell_durations_s
        proofs = found.entry.proofs
        took = asdict(found.entry.took)
        then = found.entry.dependencies
        if then is not None:
            names = tuple(then.distributions)
            told = replace(told, distributions=names, interpreter=then.interpreter)
        return replace(told, cell_durations_s=durations_s, proofs=proofs, **took)

    def note(self, error: OSError) -> None:
        """Note that something could not be written; a build goes on without its cache."""
        self.notes[f"Runs cannot be kept in the cache: {error.strerror or error}."] = None

    def save(self) -> None:
        """Write down what was learnt of files."""
        try:
            self.digests.save()
        except OSError as error:
            self.note(error)

    def _found(self, lesson: Lesson, entry: Entry) -> Lookup:
        assert self.store is not None  # noqa: S101  for mypy: find_all() has seen to it
        if not self.store.has_outputs(entry, self.digests):
            return Lookup(lesson=lesson, reason=reasons.DAMAGED)
        self.store.mark_used(entry)
        self.outputs[lesson.id] = entry.outputs
        return Lookup(lesson=lesson, entry=entry, reason=reasons.why_cached(entry.when))

    def _why_none(self, lesson: Lesson, changes: list[tuple[str, ...]]) -> str:
        assert self.store is not None  # noqa: S101  as above
        if self.store.has_not_passed(lesson.id):
            return reasons.NOT_PASSED
        if not changes:
            return reasons.NEVER_RAN
        if changes[0] == (reasons.DAMAGED,):
            return reasons.DAMAGED
        known = [one for one in changes if one not in ((reasons.DAMAGED,), (reasons.OTHER_FORMAT,))]
        nearest = min(known or changes, key=len)
        return reasons.in_words(nearest)

    def _cells(self, lesson: Lesson) -> Cells | None:
        """Return the code of a lesson; its notebook is parsed only if its file has changed."""
        key = f"cells {lesson.path.suffix} {self.digests.now(lesson.path)} {self._reader}"
        known = self.digests.recall(key)
        if known is not None:
            return Cells(kernel=known[0], digests=tuple(known[1]))
        # Loading these takes longer than all of a build that has nothing to do.
        from neuroprimer.teaching.cache.cells import read_cells
        from neuroprimer.teaching.notebooks import NotebookError

        try:
            cells = read_cells(lesson.path)
        except NotebookError:
            return None
        self.digests.remember(key, [cells.kernel, list(cells.digests)])
        return cells

    @cached_property
    def _reader(self) -> str:
        """What reads notebooks, and might read one differently tomorrow."""
        version = self.surroundings.distributions.version
        return f"jupytext {version('jupytext')} nbformat {version('nbformat')}"

    def _today(self, lesson: Lesson, cells: Cells, then: Dependencies) -> Dependencies:
        today = self.surroundings.today(lesson, cells, then.modules, then.distributions)
        return replace(today, plugins=self.surroundings.plugins(then.plugins))
