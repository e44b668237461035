"""Answers: what somebody hands over, read without asking what library it comes from."""

import inspect
import math
from collections.abc import Iterable
from numbers import Number
from typing import Any, NoReturn, TypeAlias

from neuroprimer.teaching.exercises.model import Incorrect

Shape: TypeAlias = tuple[int, ...]

# What stands in a lesson where an answer belongs.
BLANKS = (None, Ellipsis, NotImplemented)

# Lists deeper than this are no table, and may contain themselves.
MOST_AXES = 8


def require_answer(answer: Any, wanted: str) -> None:
    """Raise if there is no answer yet.

    Raises
    ------
    Incorrect
        If the answer is None, Ellipsis or NotImplemented.
    """
    if any(answer is blank for blank in BLANKS):
        raise Incorrect(f"There is no answer yet: {wanted} is expected.")


def refuse(answer: Any, wanted: str) -> NoReturn:
    """Raise because an answer is of another kind than what was asked for.

    Raises
    ------
    Incorrect
        Always; says what is expected and what the answer is.
    """
    raise Incorrect(f"Expected {wanted}, but this is {say_kind(answer)}.")


def say_kind(answer: Any) -> str:
    """Name what an answer is, with an article.

    Examples
    --------
    >>> say_kind({})
    'a dict'
    >>> say_kind("x")
    'a text'
    """
    if inspect.isclass(answer):
        return f"the class {answer.__name__} itself, and no object of it: add parentheses"
    if inspect.isroutine(answer):
        return "a function that was not called: add parentheses"
    if isinstance(answer, str | bytes):
        return "a text"
    if isinstance(answer, bool):
        return "True or False"
    if isinstance(answer, Number):
        return "a number"
    name = type(answer).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def find_attribute(answer: Any, name: str) -> Any:
    """Return an attribute of anything, or None if there is none or asking for it fails."""
    if inspect.isclass(answer):
        return None
    try:
        return getattr(answer, name, None)
    except Exception:  # noqa: BLE001  # the answer may be any object, and its properties any code
        return None


def find_shape(answer: Any) -> Shape | None:
    """Return the shape of an answer without reading its numbers, or None if it has none.

    Examples
    --------
    >>> find_shape([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    >>> find_shape({}) is None
    True
    """
    lengths: list[int] = []
    while isinstance(answer, list | tuple) and len(lengths) < MOST_AXES:
        lengths.append(len(answer))
        if not answer:
            return tuple(lengths)
        answer = answer[0]
    shape = find_attribute(answer, "shape")
    if isinstance(shape, tuple) and all(isinstance(length, int) for length in shape):
        return (*lengths, *shape)
    return tuple(lengths) if lengths or isinstance(answer, Number) else None


def read_number(answer: Any, wanted: str) -> float:
    """Return the one number that an answer holds, or say why it holds none.

    Parameters
    ----------
    answer : object
        A number of any library, or an array or list of one.
    wanted : str
        What was asked for, such as "a number in mm".

    Returns
    -------
    number : float
        Finite.

    Raises
    ------
    Incorrect
        If there is no answer, or it is no finite real number.

    Examples
    --------
    >>> read_number([3], "a number")
    3.0
    """
    require_answer(answer, wanted)
    shape = find_shape(answer)
    if shape is not None and math.prod(shape) != 1:
        raise Incorrect(f"Expected {wanted}, but these are several: the shape is {shape}.")
    flat = read_flat(answer, shape or (), wanted)
    return flat[0]


def read_flat(answer: Any, shape: Shape, wanted: str) -> list[float]:
    """Return the numbers of an answer that has a shape, the last axis running fastest.

    Raises
    ------
    Incorrect
        If its rows differ in length, or it holds anything but finite real numbers.

    Examples
    --------
    >>> read_flat([[1, 2], [3, 4]], (2, 2), "four numbers")
    [1.0, 2.0, 3.0, 4.0]
    """
    return [_as_number(element, wanted) for element in _flatten(answer, shape, wanted)]


def _flatten(answer: Any, shape: Shape, wanted: str) -> Iterable[Any]:
    answer = _as_plain(answer, wanted)
    if not shape:
        return [answer]
    if not isinstance(answer, list | tuple) or len(answer) != shape[0]:
        raise Incorrect(f"Expected {wanted}, but these are rows of different lengths.")
    return [one for part in answer for one in _flatten(part, shape[1:], wanted)]


def _as_plain(answer: Any, wanted: str) -> Any:
    """Return what an array of any library holds, as lists and numbers of Python."""
    convert = find_attribute(answer, "tolist")
    if convert is None:
        return answer
    try:
        return convert()
    except Exception as error:  # the answer may be any object
        raise Incorrect(
            f"Expected {wanted}, but this {type(answer).__name__} cannot be read."
        ) from error


def _as_number(value: Any, wanted: str) -> float:
    require_answer(value, wanted)
    if isinstance(value, str | bytes):
        if _holds_number(value):
            raise Incorrect("This is a text that holds a number: leave out the quotes.")
        refuse(value, wanted)
    if isinstance(value, bool):
        refuse(value, wanted)
    if isinstance(value, complex):
        raise Incorrect(f"Expected {wanted}, but this is a complex number.")
    try:
        number = float(value)
    except OverflowError as error:
        raise Incorrect("This number is larger than any that can be meant.") from error
    except Exception as error:  # the answer may be any object
        raise Incorrect(f"Expected {wanted}, but this is {say_kind(value)}.") from error
    if math.isnan(number):
        raise Incorrect("This is NaN, which is no number: look for a zero divided by zero.")
    if math.isinf(number):
        raise Incorrect("This is infinite: look for a division by zero.")
    return number


def _holds_number(text: str | bytes) -> bool:
    words = text.split()
    try:
        float(words[0])
    except (ValueError, IndexError):
        return False
    return True
