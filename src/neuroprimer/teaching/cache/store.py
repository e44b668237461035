"""The store: runs on disk, by lesson and by what they depended on.

A lesson has a folder. In it a run is two sealed files: what it depended on, named after just
that, and its outputs, named after their digest. Each is written aside and renamed, the outputs
first; so whoever is killed, and however many builds write at once, a run is there whole or not
at all, and one that was damaged is noticed.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from neuroprimer.teaching.cache.digests import Digests
from neuroprimer.teaching.cache.fingerprints import Dependencies
from neuroprimer.teaching.proofs import ProofOutcome
from neuroprimer.teaching.sealed import (
    canonical,
    digest_of,
    seal,
    sweep,
    unseal,
    write_whole,
)

RUNS_FOLDER = "runs"
RUN_FILE, OUTPUTS_FILE = "run-{}.json", "outputs-{}.json"
ALL_RUNS, ALL_OUTPUTS = RUN_FILE.format("*"), OUTPUTS_FILE.format("*")

# Tells that the last run of a lesson was none to keep.
NOT_PASSED = "not-passed"

# So many runs of a lesson are kept: those of other branches, and of other courses.
MOST_RUNS = 10

# An entry that is used again and again is marked as used so often at most.
DAY_S = 86_400

# Between a run's outputs and what it depended on, another process must not tidy up.
WRITING_S = 60


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a run took; all 0 for one that was kept before this was noted.

    Parameters
    ----------
    start_s, duration_s, cpu_s : float
        Until the kernel answered, of everything, and on processors, in seconds.
    peak_bytes : int
        Most memory that it held.
    """

    start_s: float = 0.0
    duration_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A run that was kept.

    Parameters
    ----------
    lesson_id : str
        Of the lesson that ran.
    when : float
        Its end, in seconds since 1970.
    dependencies : Dependencies or None
        None when another version of neuroprimer has kept it.
    outputs : str
        Digest of its outputs.
    cell_durations_s : mapping of int to float
        Time of each code cell, by its number from 1.
    took : Took
        What the run took as a whole.
    proofs : tuple of ProofOutcome
        What the proofs of its exercises have shown.
    file : pathlib.Path
        Where it stands.
    """

    lesson_id: str
    when: float
    dependencies: Dependencies | None
    outputs: str
    cell_durations_s: Mapping[int, float] = field(default_factory=dict)
    took: Took = Took()
    proofs: tuple[ProofOutcome, ...] = ()
    file: Path = Path()

    @property
    def key(self) -> str:
        """What the entry is called."""
        return self.file.stem.partition("-")[2]

    @property
    def outputs_file(self) -> Path:
        """Where its outputs stand."""
        return self.file.with_name(OUTPUTS_FILE.format(self.outputs))

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        size = 0
        for file in (self.file, self.outputs_file):
            with contextlib.suppress(OSError):
                size += file.stat().st_size
        return size


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A file of the store that is not as it was written."""

    file: Path


class Store:
    """Runs that were kept in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Of the cache; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / RUNS_FOLDER

    def entries_of(self, lesson_id: str) -> Iterator[Entry | Damaged]:
        """Yield the runs of a lesson, the one that was used last first."""
        for file in _latest_first(self.folder / lesson_id):
            try:
                yield _entry(file)
            except OSError:  # another process has just removed it
                continue
            except ValueError:
                yield Damaged(file=file)

    def entries(self) -> Iterator[Entry | Damaged]:
        """Yield all runs, lesson by lesson."""
        for folder in self._lesson_folders():
            yield from self.entries_of(folder.name)

    def load_outputs(self, entry: Entry) -> dict[str, Any] | None:
        """Return the outputs of a run, or None when they are damaged or gone."""
        try:
            data = entry.outputs_file.read_bytes()
        except OSError:
            return None
        content = unseal(data)
        is_whole = content is not None and digest_of(canonical(content)) == entry.outputs
        return content if is_whole else None

    def has_outputs(self, entry: Entry, digests: Digests) -> bool:
        """Tell whether the outputs of a run are whole; read only if they may have changed."""
        key = f"whole {digests.settled(entry.outputs_file)}"
        if digests.recall(key) != entry.outputs:
            if self.load_outputs(entry) is None:
                return False
            digests.remember(key, entry.outputs)
        return True

    def keep(
        self,
        lesson_id: str,
        dependencies: Dependencies,
        outputs: Mapping[str, Any],
        cell_durations_s: Mapping[int, float],
        took: Took = Took(),
        proofs: tuple[ProofOutcome, ...] = (),
    ) -> Entry:
        """Keep a run; the oldest of the same lesson go when there are many.

        Raises
        ------
        OSError
            If it cannot be written; nothing of it is there then.
        """
        folder = self.folder / lesson_id
        entry = Entry(
            lesson_id=lesson_id,
            when=time.time(),
            dependencies=dependencies,
            outputs=digest_of(canonical(outputs)),
            cell_durations_s=dict(cell_durations_s),
            took=took,
            proofs=proofs,
            file=folder / RUN_FILE.format(dependencies.key),
        )
        if self.load_outputs(entry) is None:
            write_whole(entry.outputs_file, seal(outputs))
        write_whole(entry.file, seal(_as_dict(entry)))
        (folder / NOT_PASSED).unlink(missing_ok=True)
        sweep(folder)
        for file in _latest_first(folder)[MOST_RUNS:]:
            file.unlink(missing_ok=True)
        _remove_unused_outputs(folder)
        return entry

    def mark_not_passed(self, lesson_id: str) -> None:
        """Note that the last run of a lesson was none to keep.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        write_whole(self.folder / lesson_id / NOT_PASSED, b"")

    def has_not_passed(self, lesson_id: str) -> bool:
        """Tell whether the last run of a lesson was none to keep."""
        return (self.folder / lesson_id / NOT_PASSED).exists()

    def mark_used(self, entry: Entry) -> None:
        """Note that an entry was of use, so that it is not taken for an old one."""
        with contextlib.suppress(OSError):
            if time.time() - entry.file.stat().st_mtime > DAY_S:
                os.utime(entry.file)
        with contextlib.suppress(OSError):
            entry.file.with_name(NOT_PASSED).unlink()

    def prune(self, *, unused_s: float) -> tuple[Path, ...]:
        """Remove runs that nobody has used for some time, and what belongs to no run.

        Parameters
        ----------
        unused_s : float
            How long, in seconds; 0 removes all.

        Returns
        -------
        removed : tuple of pathlib.Path
            The runs that are gone.
        """
        removed = []
        for folder in self._lesson_folders():
            for file in _latest_first(folder):
                if time.time() - file.stat().st_mtime >= unused_s:
                    file.unlink(missing_ok=True)
                    removed.append(file)
            sweep(folder)
            _remove_unused_outputs(folder, min(unused_s, WRITING_S))
            if not _latest_first(folder):
                (folder / NOT_PASSED).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something is still in it
                folder.rmdir()
        return tuple(removed)

    def remove_damaged(self) -> tuple[Path, ...]:
        """Read all that is kept, remove what is damaged, and return it."""
        damaged: list[Path] = []
        for one in self.entries():
            if isinstance(one, Damaged):
                damaged.append(one.file)
            elif self.load_outputs(one) is None:
                damaged += [one.file, one.outputs_file]
            elif one.dependencies is not None and one.dependencies.key != one.key:
                damaged.append(one.file)
        for folder in self._lesson_folders():
            damaged += [
                file for file in folder.glob(ALL_OUTPUTS) if unseal(file.read_bytes()) is None
            ]
        found = tuple(dict.fromkeys(file for file in damaged if file.exists()))
        for file in found:
            file.unlink(missing_ok=True)
        return found

    def _lesson_folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(folder for folder in self.folder.iterdir() if folder.is_dir())


def _latest_first(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            runs = [
                (entry.stat().st_mtime_ns, entry.name)
                for entry in found
                if entry.name.startswith("run-")
            ]
    except OSError:
        return []
    return [folder / name for _, name in sorted(runs, reverse=True)]


def _entry(file: Path) -> Entry:
    """Return the entry that a file holds; a ValueError says that it holds none."""
    content = unseal(file.read_bytes())
    if content is None:
        raise ValueError(f"{file} is damaged")
    dependencies = None
    with contextlib.suppress(ValueError):  # another version of neuroprimer has written it
        dependencies = Dependencies.from_dict(content["dependencies"])
    return Entry(
        lesson_id=content["lesson"],
        when=content["when"],
        dependencies=dependencies,
        outputs=content["outputs"],
        cell_durations_s={int(n): s for n, s in content["cell_durations_s"].items()},
        took=_took(content.get("took", {})),
        proofs=tuple(map(ProofOutcome.from_dict, content.get("proofs", ()))),
        file=file,
    )


def _took(content: Mapping[str, Any]) -> Took:
    """Return what a run took, as far as the version that kept it has noted what ours knows."""
    known = {one.name for one in fields(Took)}
    return Took(**{name: value for name, value in content.items() if name in known})


def _as_dict(entry: Entry) -> dict[str, Any]:
    return {
        "lesson": entry.lesson_id,
        "when": entry.when,
        "dependencies": asdict(entry.dependencies) if entry.dependencies else None,
        "outputs": entry.outputs,
        "cell_durations_s": {
            str(number): round(seconds, 3) for number, seconds in entry.cell_durations_s.items()
        },
        "took": asdict(entry.took),
        "proofs": [asdict(proof) for proof in entry.proofs],
    }


def _remove_unused_outputs(folder: Path, writing_s: float = WRITING_S) -> None:
    """Remove outputs that no run names, but for those whose run is just being written."""
    names = set()
    for file in _latest_first(folder):
        with contextlib.suppress(OSError, ValueError):
            names.add(_entry(file).outputs_file.name)
    for file in folder.glob(ALL_OUTPUTS):
        with contextlib.suppress(OSError):
            if file.name not in names and time.time() - file.stat().st_mtime >= writing_s:
                file.unlink()
