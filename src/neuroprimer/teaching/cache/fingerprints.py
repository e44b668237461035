"""Fingerprints: what a run depended on, and what has become of it today."""

import contextlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path

from neuroprimer.teaching.cache.digests import GONE, Digests, files_in
from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cache.places import LESSON, PACKAGE, Places
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.datasets import dataset_files
from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.sealed import canonical, digest_of

# Raised when what is written here, or what it means, changes.
FORMAT = 1

# What makes an executed notebook out of a kernel's messages, besides the kernel itself.
ENGINE = (
    *("cell_runs.py", "errands.py", "lesson_runs.py", "notebooks.py", "proofs.py"),
    *("exercises", "kernels", "golden/reading.py"),
)
ENGINE_DISTRIBUTIONS = ("jupyter-client", "nbclient", "nbformat")


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The code of a lesson, as far as it decides what a run does.

    Parameters
    ----------
    kernel : str
        Name of the kernel that the notebook asks for.
    digests : tuple of str
        One for each code cell: of its source, and of the tags that change its execution.
    """

    kernel: str
    digests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Everything that a run is known to have depended on. Limits are no part of it.

    Parameters
    ----------
    cells : tuple of str
        Digests of the code cells.
    kernel, kernel_file : str
        Name of the kernel, and digest of the file that describes it.
    interpreter : str
        Version of the Python that ran it.
    network : bool
        Whether it could reach other machines.
    modules : mapping of str to str
        Digest of each file of code that no version speaks for, by its name.
    distributions : mapping of str to str
        Version of everything else that it imported.
    datasets, variables : mapping of str to str
        Digest of each dataset, and of each environment variable, that the lesson declares.
    plugins : mapping of str to str
        State of the plugins that it could see, where it has looked.
    format : int
        Of neuroprimer's cache.
    """

    cells: tuple[str, ...]
    kernel: str
    kernel_file: str
    interpreter: str
    network: bool
    modules: Mapping[str, str] = field(default_factory=dict)
    distributions: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def key(self) -> str:
        """One digest of it all."""
        return digest_of(canonical(asdict(self)))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Dependencies":
        """Return what `dataclasses.asdict` has made JSON of.

        Raises
        ------
        ValueError
            If it was made by another format.
        """
        if content.get("format") != FORMAT or set(content) != {one.name for one in fields(cls)}:
            raise ValueError(f"cache format {content.get('format')!r}, expected {FORMAT}")
        return cls(**{**content, "cells": tuple(content["cells"])})


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a run has imported, sorted by who speaks for it.

    Parameters
    ----------
    files : tuple of str
        Names of files whose content counts.
    distributions : tuple of str
        Names of distributions whose version counts.
    missing : tuple of pathlib.Path
        Files that are not there any more.
    """

    files: tuple[str, ...]
    distributions: tuple[str, ...]
    missing: tuple[Path, ...] = ()


class Surroundings:
    """What there is today, for runs to depend on; each thing is looked at once.

    Parameters
    ----------
    catalogue : Catalogue
        The plugins and datasets.
    digests : Digests
        Reads files.
    """

    def __init__(self, catalogue: Catalogue, digests: Digests) -> None:
        self.catalogue = catalogue
        self.digests = digests
        self.variables = {**os.environ, **catalogue.variables()}
        self._datasets: dict[str, tuple[str, tuple[Path, ...]]] = {}
        self._kernel_files: dict[str, str] = {}
        self._files: dict[tuple[str, Path | None], str] = {}

    @cached_property
    def distributions(self) -> Distributions:
        """What is installed."""
        return Distributions()

    def places(self, lesson: Lesson) -> Places:
        """Return the names that files have for a lesson."""
        return Places(lesson.path.parent.absolute(), self.catalogue.plugins_dir)

    def today(
        self, lesson: Lesson, cells: Cells, files: Iterable[str], distributions: Iterable[str]
    ) -> Dependencies:
        """Return what a lesson depends on, given what it is known to import.

        Parameters
        ----------
        lesson : Lesson
            Says which datasets and variables it uses.
        cells : Cells
            Its code.
        files, distributions : iterable of str
            Names of files and distributions that it imports.
        """
        places = self.places(lesson)
        files = dict.fromkeys([*files, *self.engine_files])
        distributions = dict.fromkeys([*distributions, *ENGINE_DISTRIBUTIONS])
        return Dependencies(
            cells=cells.digests,
            kernel=cells.kernel,
            kernel_file=self.kernel_file(cells.kernel),
            interpreter=sys.version,
            network=lesson.network,
            modules={name: self._digest(name, places) for name in files},
            distributions={name: self.distributions.version(name) for name in distributions},
            datasets={id_: self.dataset(id_) for id_ in lesson.datasets},
            variables={name: _hidden(self.variables.get(name)) for name in lesson.environment},
        )

    def _digest(self, name: str, places: Places) -> str:
        key = name, places.folders[LESSON] if name.startswith(LESSON) else None
        if key not in self._files:  # lessons have most of their modules in common
            self._files[key] = self.digests.now(places.file(name))
        return self._files[key]

    @cached_property
    def engine_files(self) -> tuple[str, ...]:
        """Names of the files of neuroprimer that take part in every run."""
        paths = [PACKAGE / "teaching" / name for name in ENGINE]
        files = [
            file for path in paths for file in (path.glob("*.py") if path.is_dir() else [path])
        ]
        return tuple(
            sorted(f"{{neuroprimer}}/{file.relative_to(PACKAGE).as_posix()}" for file in files)
        )

    def plugins(self, names: Iterable[str]) -> dict[str, str]:
        """Return the state of plugins; those that are not there any more have none."""
        states = {plugin.name: plugin.state for plugin in self.catalogue.plugins}
        return {name: states.get(name, GONE) for name in names}

    def dataset(self, dataset_id: str) -> str:
        """Return the digest of a dataset's files, or nothing when nobody provides it."""
        return self._look_at_dataset(dataset_id)[0]

    def dataset_files(self, dataset_id: str) -> tuple[Path, ...]:
        """Return the files of a dataset, those of its folders, too."""
        return self._look_at_dataset(dataset_id)[1]

    def _look_at_dataset(self, dataset_id: str) -> tuple[str, tuple[Path, ...]]:
        if dataset_id not in self._datasets:
            dataset = self.catalogue.datasets.get(dataset_id)
            found: tuple[Path, ...] = ()
            if dataset is not None:
                with contextlib.suppress(DatasetError):
                    found = dataset_files(self.catalogue, dataset)
            digest = self.digests.of_all(found) if found else GONE
            self._datasets[dataset_id] = digest, tuple(files_in(found))
        return self._datasets[dataset_id]

    def kernel_file(self, kernel: str) -> str:
        """Return the digest of the file that describes a kernel, or nothing without one."""
        if kernel not in self._kernel_files:
            files = (Path(folder) / kernel / "kernel.json" for folder in jupyter_path("kernels"))
            found = next((file for file in files if file.is_file()), None)
            self._kernel_files[kernel] = self.digests.now(found) if found else GONE
        return self._kernel_files[kernel]

    def sort_imported(self, lesson: Lesson, files: Iterable[str]) -> Imported:
        """Sort the files of imported modules by who speaks for them.

        The standard library goes with the interpreter. A distribution goes with its version,
        unless it brings plugins: their authors change them all the time.
        """
        places = self.places(lesson)
        ours: set[str] = set()
        theirs: set[str] = set()
        missing: set[Path] = set()
        for file in dict.fromkeys(files):
            owner = self.distributions.owner(file)
            if owner is not None and owner not in self.distributions.of_plugins:
                theirs.add(owner)
            elif owner is None and file.startswith(standard_folders()):
                continue
            elif Path(file).is_file():
                ours.add(places.name(Path(file)))
            else:
                missing.add(Path(file))
        return Imported(
            files=tuple(sorted(ours)),
            distributions=tuple(sorted(theirs)),
            missing=tuple(sorted(missing)),
        )


def _hidden(value: str | None) -> str:
    """Return what stands for a variable's value, which may be a secret."""
    return GONE if value is None else digest_of(value.encode(errors="surrogateescape"))


@cache
def standard_folders() -> tuple[str, ...]:
    """Return the folders of the standard library, as texts that paths in them begin with."""
    folders = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    forms = {form for folder in folders for form in (folder, folder.resolve())}
    return tuple(f"{form}{os.sep}" for form in forms)
