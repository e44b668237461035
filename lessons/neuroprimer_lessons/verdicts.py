"""Verdicts: what the checks of the built-in lessons say of an answer that is not right."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuroprimer.teaching import Incorrect


def require_no_fault(fault: str, answer: Any, known: Mapping[str, ArrayLike] | None = None) -> None:
    """Raise unless nothing was found wrong with an answer.

    Parameters
    ----------
    fault : str
        What was found, as the ``compare_`` functions return it; empty if all is well.
    answer : object
        Anything at all.
    known : mapping of str to array-like, optional
        Feedback, and the answer that earns it instead of the words in `fault`.

    Raises
    ------
    Incorrect
        If there is a fault.

    Examples
    --------
    >>> require_no_fault("", 3)
    >>> require_no_fault("None of them is right.", (2, 2, 3), {"That is one voxel.": (2, 2, 3)})
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: That is one voxel.
    """
    if not fault:
        return
    for feedback, slip in (known or {}).items():
        if _is_same(answer, slip):
            raise Incorrect(feedback)
    raise Incorrect(fault)


def _is_same(answer: Any, slip: ArrayLike) -> bool:
    wrong = np.asarray(slip, dtype=float)
    try:
        if np.shape(answer) != wrong.shape:  # it may be too large to be made numbers of
            return False
        return np.allclose(np.asarray(answer, dtype=float), wrong, rtol=1e-6)
    except Exception:  # noqa: BLE001  the answer may be any object
        return False
