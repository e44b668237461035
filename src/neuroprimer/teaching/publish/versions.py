"""Versions: with what a lesson's run, the one that its page shows, was executed."""

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.kernels.imports import import_statements
from neuroprimer.teaching.model import ExecutionResult
from neuroprimer.teaching.notebooks import code_cells

# What images are read and worked on with is worth a word even if the lesson's own cells do not
# import it.
CENTRAL = ("numpy", "nibabel", "nilearn")


def versions_of(result: ExecutionResult) -> Mapping[str, str]:
    """Return what a lesson was run with, by name.

    Parameters
    ----------
    result : ExecutionResult
        A run, new or kept. All that it depended on is installed today as it was then.

    Returns
    -------
    versions : mapping of str to str
        Of Python, of neuroprimer, and of each distribution that the run had imported and that is
        either imported by the lesson's own cells or central.
    """
    python = result.interpreter.partition(" ")[0]
    versions = {"Python": python} if python else {}
    versions["neuroprimer"] = importlib.metadata.version("neuroprimer")
    own = set(_own(result.source)) if result.source else set()
    for name in (*CENTRAL, *sorted(own - set(CENTRAL))):
        if name in result.distributions:
            with suppress(importlib.metadata.PackageNotFoundError):
                versions[name] = importlib.metadata.version(name)
    return versions


def _own(source: NotebookNode) -> Iterator[str]:
    """Yield the distributions that the cells of a lesson import by themselves."""
    tops = {
        statement.split()[1].partition(".")[0]
        for _, cell in code_cells(source)
        for statement in import_statements(cell.source)
    }
    for top in tops:
        with suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(top)
            owner = _installed().owner(str(Path(spec.origin))) if spec and spec.origin else None
            if owner:
                yield owner


@cache
def _installed() -> Distributions:
    return Distributions()
