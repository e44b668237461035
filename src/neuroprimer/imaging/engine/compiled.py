"""Compiled: loops that numba makes fast, where it is installed.

Nothing needs numba: each loop does what a function in numpy or scipy does, too.
"""

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import TypeAlias, cast

Loop: TypeAlias = Callable[..., None]


@cache
def find_compiled(loop: Loop, *, any_order: bool = False) -> Loop | None:
    """Return a loop compiled by numba, or None where that cannot be done.

    Parameters
    ----------
    loop : callable
        A function of arrays and numbers that returns nothing.
    any_order : bool
        Whether sums may be taken in another order than the loop's, which is faster.

    Returns
    -------
    compiled : callable or None
        Lets other threads run while it counts. It is compiled at its first call and kept on disk.
        None without numba (``pip install neuroprimer[fast]``), or where nothing can be kept.

    Examples
    --------
    >>> def fill(values):
    ...     values[0] = 1
    >>> find_compiled(fill) is None  # only the loops of modules can be kept
    True
    """
    try:
        # Not at the top of the file: numba takes a third of a second to load, and most programs
        # never need it.
        from numba import njit

        # Threads come from map_in_order: those of numba may be OpenMP's. Whatever freedom the
        # compiler gets, NaN and infinity stay what they are.
        freedom = {"contract", "reassoc"} if any_order else {"contract"}
        kept = _renamed(loop, "any_order") if any_order else loop
        compiled: Loop = njit(nogil=True, cache=True, fastmath=freedom)(kept)
    except (ImportError, RuntimeError):
        return None
    return compiled


def _renamed(loop: Loop, addition: str) -> Loop:
    """Return the same loop under another name: numba finds what it has kept by name alone."""
    function = cast("FunctionType", loop)
    copy = FunctionType(function.__code__, function.__globals__, function.__name__)
    copy.__module__ = function.__module__
    copy.__qualname__ = f"{function.__qualname__}_{addition}"
    return copy
