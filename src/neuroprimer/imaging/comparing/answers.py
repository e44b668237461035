"""Answers: numbers read from whatever somebody hands over, or words for what it is instead."""

import inspect
import warnings
from collections.abc import Callable
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError

Shape: TypeAlias = tuple[int, ...]

# numpy allows 64 axes; lists deeper than this are no table, and may contain themselves.
MOST_AXES = 8

# What stands in a lesson where an answer belongs.
BLANKS = (None, Ellipsis, NotImplemented)


class UnlikeError(NeuroprimerError, TypeError):
    """An answer of another kind than what was asked for; its message is the feedback.

    Examples
    --------
    >>> print(UnlikeError("There is no answer yet."))
    There is no answer yet.
    """


def read_numbers(
    answer: Any, *, wanted: str, find_fault: Callable[[Shape], str]
) -> NDArray[np.float64]:
    """Return an answer as an array of finite numbers, or say why it is none.

    Parameters
    ----------
    answer : object
        Anything. Its numbers are looked at only if its shape is right, so that no answer is too
        large.
    wanted : str
        What was asked for, such as "a 4 x 4 table of numbers".
    find_fault : callable
        Takes a shape and returns what is wrong with it in words, or "".

    Returns
    -------
    numbers : array
        In float64.

    Raises
    ------
    UnlikeError
        If there is no answer, or one of another kind or shape, or not of finite real numbers.

    Examples
    --------
    >>> read_numbers([1, 2], wanted="two numbers", find_fault=lambda shape: "")
    array([1., 2.])
    """
    require_answer(answer, wanted)
    shape = find_shape(answer)
    if shape is None:
        raise UnlikeError(f"Expected {wanted}, but this is {say_kind(answer)}.")
    if fault := find_fault(shape):
        raise UnlikeError(fault)
    array = as_real_array(answer, wanted)
    if fault := find_fault(array.shape):  # rows of a list may differ from its first
        raise UnlikeError(fault)
    require_finite(array)
    return array


def require_answer(answer: Any, wanted: str) -> None:
    """Raise if there is no answer yet.

    Raises
    ------
    UnlikeError
        If the answer is None, Ellipsis or NotImplemented.
    """
    if any(answer is blank for blank in BLANKS):
        raise UnlikeError(f"There is no answer yet: expected {wanted}.")


def find_shape(answer: Any) -> Shape | None:
    """Return the shape of an answer without making an array of it, or None if it has none.

    Examples
    --------
    >>> find_shape([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    >>> find_shape("a text") is None
    True
    """
    lengths: list[int] = []
    while isinstance(answer, list | tuple) and len(lengths) < MOST_AXES:
        lengths.append(len(answer))
        if not answer:
            return tuple(lengths)
        answer = answer[0]
    if isinstance(answer, Number) or (lengths and isinstance(answer, str)):
        return tuple(lengths)
    shape = find_attribute(answer, "shape")
    if isinstance(shape, tuple) and all(isinstance(length, int) for length in shape):
        return (*lengths, *shape)
    return tuple(lengths) if lengths else None


def find_attribute(answer: Any, name: str) -> Any:
    """Return an attribute of anything, or None if there is none or asking for it fails."""
    if inspect.isclass(answer):
        return None
    try:
        return getattr(answer, name, None)
    except Exception:  # noqa: BLE001  # the answer may be any object, and its properties any code
        return None


def as_real_array(answer: Any, wanted: str) -> NDArray[np.float64]:
    """Return an answer of the right shape in float64; masked numbers become NaN.

    Raises
    ------
    UnlikeError
        If it holds anything but real numbers.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            array = np.asarray(answer)
            _require_real(array, wanted)
            numbers = array.astype(np.float64)
            return (
                np.where(np.ma.getmaskarray(answer), np.nan, numbers)
                if _is_masked(answer)
                else numbers
            )
    except UnlikeError:
        raise
    except Exception as error:  # the answer may be any object
        reason = (
            "has rows of different lengths, or holds no numbers"
            if isinstance(answer, list | tuple)
            else ("cannot be read as numbers")
        )
        raise UnlikeError(f"Expected {wanted}, but this {say_type(answer)} {reason}.") from error


def _is_masked(answer: Any) -> bool:
    return isinstance(answer, np.ma.MaskedArray)


def _require_real(array: NDArray[Any], wanted: str) -> None:
    """Raise unless an array holds real numbers."""
    kinds = {"c": "complex numbers", "S": "texts", "U": "texts", "b": "True and False"}
    kind = array.dtype.kind
    if kind in kinds:
        found = kinds[kind]
    elif kind == "O":
        found = next(filter(None, map(_find_unreal, array.flat)), "")
    else:
        found = "" if kind in "iuf" else f"values of the type {array.dtype.name}"
    if found:
        hint = "Numbers stand without quotes." if found == "texts" else ""
        raise UnlikeError(f"Expected {wanted}, but this holds {found}.", hint=hint)


def _find_unreal(element: Any) -> str:
    """Say what an element is, or nothing if it is a real number."""
    if any(element is blank for blank in BLANKS):
        return f"{element} in the place of a number"
    if isinstance(element, str | bytes):
        return "texts"
    if isinstance(element, complex | np.complexfloating):
        return "complex numbers"
    try:
        float(element)
    except OverflowError:
        return "numbers beyond all bounds"
    except Exception:  # noqa: BLE001  # the element may be any object
        return f"{say_kind(element)} in the place of a number"
    return ""


def require_finite(array: NDArray[np.float64]) -> None:
    """Raise if an array holds NaN or infinity.

    Raises
    ------
    UnlikeError
        If it does; says how much of it.
    """
    is_finite = np.isfinite(array)
    if not is_finite.all():
        much = "Some" if is_finite.any() else "All"
        raise UnlikeError(
            f"{much} of its numbers are NaN or infinite.",
            hint="Look for a division by zero, or for numbers that were NaN before.",
        )


def say_kind(answer: Any) -> str:
    """Name what an answer is, with an article.

    Examples
    --------
    >>> say_kind({"x": 1})
    'a dict'
    >>> say_kind(len)
    'a function that was not called: add parentheses'
    """
    if isinstance(answer, str | bytes):
        return "a text"
    if isinstance(answer, Number):
        return "a single number"
    if inspect.isclass(answer):
        return f"the class {answer.__name__} itself"
    if inspect.isroutine(answer):
        return "a function that was not called: add parentheses"
    name = say_type(answer)
    article = "an" if name[0].lower() in "aeiou" else "a"
    return f"{article} {name}"


def say_type(answer: Any) -> str:
    """Name the type of an answer."""
    return type(answer).__name__


def say_shape(shape: Shape) -> str:
    """Name a shape as numpy shows it."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
