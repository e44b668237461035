"""Orders: what a build sends to a worker for one lesson, and what comes back."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from neuroprimer.teaching.cache.digests import Digests
from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cache.fingerprints import standard_folders
from neuroprimer.teaching.cache.places import PACKAGE
from neuroprimer.teaching.model import ExecutionResult, Lesson, Limits
from neuroprimer.teaching.sealed import canonical, digest_of


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What of a machine decides how a lesson comes out.

    Parameters
    ----------
    python : str
        Version of the interpreter.
    code : str
        Digest of neuroprimer's own code, which an author may be changing.
    versions : mapping of str to str
        Of all that is installed.
    plugins : tuple of str
        The distributions that bring plugins.
    """

    python: str
    code: str
    versions: Mapping[str, str]
    plugins: tuple[str, ...]

    @classmethod
    def here(cls, distributions: Distributions) -> "Machine":
        """Return what there is on this machine."""
        digests = Digests()
        code = [
            [file.relative_to(PACKAGE).as_posix(), digests.now(file)]
            for file in sorted(PACKAGE.rglob("*.py"))
        ]
        return cls(
            python=sys.version,
            code=digest_of(canonical(code)),
            versions=dict(distributions.all_versions),
            plugins=tuple(sorted(distributions.of_plugins)),
        )


@dataclass(frozen=True, kw_only=True)
class Order:
    """One lesson to run.

    Parameters
    ----------
    lesson : Lesson
        What runs; its file need not be there where it runs.
    text : bytes
        What the file holds.
    limits : Limits
        Bounds for a lesson that has none of its own.
    variables : mapping of str to str
        Environment variables for the kernel, those that the lesson declares among them.
    unset : tuple of str
        Declared environment variables that the build does not have.
    preloads : tuple of str
        What kernels are to have ready besides what lessons import.
    forks : bool
        Whether the kernel may be forked.
    topic : str
        Under which the build hears how it goes on.
    place : int
        Which of the build's lessons it is.
    build : Machine
        Where the order comes from.
    """

    lesson: Lesson
    text: bytes
    limits: Limits
    variables: Mapping[str, str]
    unset: tuple[str, ...]
    preloads: tuple[str, ...]
    forks: bool
    topic: str
    place: int
    build: Machine


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a worker gives back.

    Parameters
    ----------
    result : ExecutionResult
        As from any run.
    worker : str
        Address of the worker.
    files : mapping of str to str
        Digest of each file of code that the run has imported and no version speaks for.
    """

    result: ExecutionResult
    worker: str
    files: Mapping[str, str]


def differences_before(order: Order, here: Machine) -> list[str]:
    """Return how a worker differs from the build in what every run depends on."""
    found = []
    if here.python != order.build.python:
        own, theirs = (version.partition(" ")[0] for version in (here.python, order.build.python))
        found.append(f"Python {own} where the build has {theirs}")
    if here.code != order.build.code:
        found.append("other code of neuroprimer than the build")
    found += differences_of(dict.fromkeys([*order.build.plugins, *here.plugins]), order, here)
    found += [
        f"the environment variable {name}, which the build has not"
        for name in order.unset
        if name in os.environ
    ]
    return found


def differences_of(names: Iterable[str], order: Order, here: Machine) -> list[str]:
    """Return which of some distributions are others on a worker than for the build."""
    return [
        f"{name} {here.versions.get(name, 'missing')} where the build has "
        f"{order.build.versions.get(name, 'none')}"
        for name in names
        if here.versions.get(name) != order.build.versions.get(name)
    ]


def sort_imported(
    imported: Mapping[str, str], distributions: Distributions
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the distributions that a run has imported, and the digests of its other files."""
    names: set[str] = set()
    files: dict[str, str] = {}
    digests = Digests()
    for file in dict.fromkeys(imported.values()):
        owner = distributions.owner(file)
        if owner is not None and owner not in distributions.of_plugins:
            names.add(owner)
        elif owner is not None or not file.startswith(standard_folders()):
            digest = digests.now(Path(file))
            files |= {file: digest} if digest else {}  # a lesson may import what it has written
    return tuple(sorted(names)), files
