"""Keeping: runs that passed go into the store, and come out of it with today's prose."""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from neuroprimer.teaching.cache import reasons
from neuroprimer.teaching.cache.cells import cells_of, outputs_of, with_outputs
from neuroprimer.teaching.cache.fingerprints import Dependencies
from neuroprimer.teaching.cache.lookup import Lookup, RunCache
from neuroprimer.teaching.cache.store import Took
from neuroprimer.teaching.exercises.regions import exercise_cells
from neuroprimer.teaching.kernels.workshop import FOLDER_PREFIX
from neuroprimer.teaching.model import ExecutionResult
from neuroprimer.teaching.notebooks import NotebookError, read_notebook

# A lesson that has imported it has seen which plugins there are.
PLUGINS_MODULE = "neuroprimer.teaching.plugins"


class NotToKeepError(Exception):
    """A run of which it cannot be told what it depended on; says why."""


def restore_run(found: Lookup, cache: RunCache) -> ExecutionResult | None:
    """Return a run that was found, with today's prose; None when it turns out to be damaged.

    Parameters
    ----------
    found : Lookup
        With an entry.
    cache : RunCache
        That has found it.
    """
    if cache.store is None or found.entry is None or found.entry.dependencies is None:
        return None
    cache.outputs.pop(found.lesson.id, None)
    outputs = cache.store.load_outputs(found.entry)
    try:
        source = read_notebook(found.lesson.path)
    except NotebookError:  # it was changed this very moment
        return None
    if outputs is None or cells_of(source).digests != found.entry.dependencies.cells:
        return None
    cache.outputs[found.lesson.id] = found.entry.outputs
    return replace(
        cache.told(found),
        source=source,
        notebook=with_outputs(source, outputs),
        figure_data={int(cell): tuple(data) for cell, data in outputs["figure_data"].items()},
    )


def keep_run(result: ExecutionResult, cache: RunCache) -> str:
    """Keep a run that has passed.

    Parameters
    ----------
    result : ExecutionResult
        The run, complete.
    cache : RunCache
        Where it goes.

    Returns
    -------
    why_not : str
        Why it was not kept; empty when it was, when there is no cache, or when it cannot be
        written, of which the cache has taken note.
    """
    if cache.store is None or result.source is None or result.notebook is None:
        return ""
    try:
        entry = cache.store.keep(
            result.lesson.id,
            _dependencies(result, cache),
            {
                **outputs_of(result.source, result.notebook),
                "figure_data": {str(cell): data for cell, data in result.figure_data.items()},
            },
            result.cell_durations_s,
            Took(
                start_s=round(result.start_s, 3),
                duration_s=round(result.duration_s, 3),
                cpu_s=round(result.cpu_s, 3),
                peak_bytes=result.peak_bytes,
            ),
            result.proofs,
        )
    except NotToKeepError as reason:
        return str(reason)
    except OSError as error:
        cache.note(error)
    else:
        cache.outputs[result.lesson.id] = entry.outputs
    return ""


def note_failure(result: ExecutionResult, cache: RunCache) -> None:
    """Note that the last run of a lesson did not pass."""
    if cache.store is not None:
        try:
            cache.store.mark_not_passed(result.lesson.id)
        except OSError as error:
            cache.note(error)


def _dependencies(result: ExecutionResult, cache: RunCache) -> Dependencies:
    """Return what a run has depended on."""
    lesson, surroundings = result.lesson, cache.surroundings
    if result.imported is None or result.source is None:
        raise NotToKeepError(reasons.TOLD_NOTHING)
    if not result.proofs and any(exercise_cells(result.source)):
        raise NotToKeepError("its exercises were not proven")
    if result.interpreter != sys.version:
        version = result.interpreter.split()[0] if result.interpreter else "an unknown version"
        raise NotToKeepError(f"its kernel runs another Python than the build, {version}")
    imported = surroundings.sort_imported(lesson, result.imported.values())
    # What a lesson has written itself, and then imported, its cells speak for.
    missing = [file for file in imported.missing if not _is_private(file)]
    if missing:
        raise NotToKeepError(f"{missing[0].name} is gone")
    dependencies = surroundings.today(
        lesson, cells_of(result.source), imported.files, imported.distributions
    )
    lost = [id_ for id_, digest in dependencies.datasets.items() if not digest]
    if lost:
        raise NotToKeepError(f"nobody provides its dataset {lost[0]}")
    places = surroundings.places(lesson)
    files = [
        *map(places.file, dependencies.modules),
        *(file for id_ in lesson.datasets for file in surroundings.dataset_files(id_)),
    ]
    for file in files:
        if cache.began_ns <= file.stat().st_mtime_ns <= time.time_ns():
            raise NotToKeepError(f"{file.name} changed while it ran")
    has_looked = PLUGINS_MODULE in result.imported
    names = [plugin.name for plugin in cache.surroundings.catalogue.plugins] if has_looked else []
    return replace(dependencies, plugins=surroundings.plugins(names))


def _is_private(file: Path) -> bool:
    temporary = Path(tempfile.gettempdir())
    return any(
        str(file).startswith(str(form / FOLDER_PREFIX)) for form in (temporary, temporary.resolve())
    )
