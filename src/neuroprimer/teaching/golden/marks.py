"""Marks: which cells an author calls golden, and how closely their outputs are compared."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from neuroprimer.teaching.model import ID_PATTERN
from neuroprimer.teaching.notebooks import code_cells, tags_of

GOLDEN = "golden"
KEYS = ("name", "rtol", "atol", "pixels")

# What holds where a cell says nothing. Libraries compute the same within this from one machine to
# the next, and smooth the edges of letters and lines a little differently.
RTOL = 1e-6
PIXELS = 8.0


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far outputs may be from what was recorded.

    Parameters
    ----------
    rtol, atol : float
        A number may differ by `rtol` times its size and by `atol` more.
    pixels : float
        How far grey levels, from 0 to 255, may differ on average.
    is_chosen : bool
        Whether the author has named `rtol` or `atol`. Otherwise whole numbers must be equal: they
        count something.
    """

    rtol: float = RTOL
    atol: float = 0.0
    pixels: float = PIXELS
    is_chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One golden cell.

    Parameters
    ----------
    cell : int
        Number of the code cell, from 1.
    name : str
        Under which its outputs are recorded.
    tolerance : Tolerance
        Its own, or the usual one.
    """

    cell: int
    name: str
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True, kw_only=True)
class MarkFault:
    """What is wrong with what a cell says under ``golden``."""

    cell: int
    message: str


def is_golden(cell: NotebookNode) -> bool:
    """Tell whether a cell has the tag ``golden``."""
    return GOLDEN in tags_of(cell)


def read_marks(notebook: NotebookNode) -> tuple[tuple[Mark, ...], tuple[MarkFault, ...]]:
    """Return the golden cells of a notebook, and what is wrong with how they are marked.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A lesson's source, or its run.
    """
    marks: dict[str, Mark] = {}
    faults: list[MarkFault] = []
    ordinal = 0
    for number, cell in code_cells(notebook):
        said = cell.metadata.get(GOLDEN)
        if not is_golden(cell):
            if said is not None:
                message = f"it has metadata `{GOLDEN}` and not the tag, so nothing is compared."
                faults.append(MarkFault(cell=number, message=message))
            continue
        ordinal += 1
        said = {} if said is None else said
        problems = list(_problems(said))
        name = str(said.get("name", ordinal)) if isinstance(said, Mapping) else str(ordinal)
        if name in marks:
            problems.append(f"code cell {marks[name].cell} is called {name!r}, too.")
        faults += [MarkFault(cell=number, message=problem) for problem in problems]
        if not problems:
            marks[name] = Mark(cell=number, name=name, tolerance=_tolerance(said))
    return tuple(marks.values()), tuple(faults)


def _problems(said: object) -> Iterator[str]:
    """Say what cannot be made a mark of; authors write anything."""
    if not isinstance(said, Mapping):
        yield f"`{GOLDEN}` should hold 'name: value' pairs, but it is {said!r}."
        return
    for key in said:
        if key not in KEYS:
            yield f"`{GOLDEN}` knows nothing of {key!r}; it may hold {', '.join(KEYS)}."
    name = said.get("name")
    if "name" in said and not (isinstance(name, str) and ID_PATTERN.fullmatch(name)):
        yield f"the name should be small letters, digits and hyphens, but it is {name!r}."
    for key in ("rtol", "atol", "pixels"):
        if key in said and _amount(said[key]) is None:
            yield f"{key} should be a number from 0, but it is {said[key]!r}."


def _amount(value: object) -> float | None:
    """Return a tolerance, also where YAML takes ``1e-6`` for a text; None if it cannot be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = float(value)
    except ValueError:
        return None
    return amount if 0 <= amount < math.inf else None


def _tolerance(said: Mapping[str, object]) -> Tolerance:
    amounts = {key: _amount(said[key]) for key in ("rtol", "atol", "pixels") if key in said}
    named = {key: amount for key, amount in amounts.items() if amount is not None}
    return Tolerance(**named, is_chosen=not named.keys().isdisjoint({"rtol", "atol"}))
