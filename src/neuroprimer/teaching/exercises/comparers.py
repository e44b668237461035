"""Comparers: what checks of exercises ask of an answer, with feedback for the slips that are known.

Each raises `Incorrect` with one suggestion, the most telling, or returns. None of them names what
is expected. Answers may be numbers and arrays of any library.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from functools import partial
from numbers import Number
from typing import Any, TypeAlias

from neuroprimer.teaching.exercises.answers import (
    Shape,
    find_attribute,
    find_shape,
    read_flat,
    read_number,
    refuse,
    require_answer,
    say_kind,
)
from neuroprimer.teaching.exercises.model import Incorrect
from neuroprimer.teaching.exercises.slips import ORDINALS, say_list, say_number
from neuroprimer.teaching.model import LessonError

# Takes an answer and what is expected; raises `Incorrect` or returns.
Comparer: TypeAlias = Callable[[Any, Any], None]

TOLERANCE = 1e-9

# How many names of things that do not belong are listed, and how long each may be.
MOST_NAMED = 3
LONGEST_NAME = 40

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def require_number(
    answer: Any,
    expected: float,
    *,
    tolerance: float = TOLERANCE,
    absolute: float | None = None,
    unit: str = "",
    known: Mapping[str, float] | None = None,
) -> None:
    """Raise unless an answer is the right number.

    Parameters
    ----------
    answer : object
        Anything; an array or a list of one number will do.
    expected : float
        The right number.
    tolerance : float
        How far the answer may be off, as a part of `expected`; of 0, by how much.
    absolute : float, optional
        How far it may be off in any case, instead of `tolerance`.
    unit : str
        What the number counts, such as "mm", for the feedback.
    known : mapping of str to float, optional
        Feedback, and the number that earns it. It goes before all other feedback.

    Raises
    ------
    Incorrect
        If it is no number, or another one.

    Examples
    --------
    >>> require_number(0.25, 1 / 4)
    >>> require_number(4, 0.25)
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: It is upside down: take one divided by it.
    >>> require_number(12, 24.0, unit="mm", known={"That is in voxels, not mm.": 12.0})
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: That is in voxels, not mm.
    """
    right = float(expected)
    found = read_number(answer, f"a number in {unit}" if unit else "a number")

    def is_same(one: float, other: float) -> bool:
        limit = tolerance * abs(other or 1) if absolute is None else absolute
        return abs(one - other) <= limit

    if is_same(found, right):
        return
    for feedback, slip in (known or {}).items():
        if is_same(found, float(slip)):
            raise Incorrect(feedback)
    raise Incorrect(say_number(found, right, is_same))


def require_shape(answer: Any, expected: Shape) -> None:
    """Raise unless an answer has the right shape; its numbers are not looked at.

    Parameters
    ----------
    answer : object
        Anything; lists of lists have a shape, too.
    expected : tuple of int
        The right shape.

    Raises
    ------
    Incorrect
        If it has none, or another one.

    Examples
    --------
    >>> require_shape([[1, 2, 3], [4, 5, 6]], (2, 3))
    >>> require_shape([[1, 2], [3, 4], [5, 6]], (2, 3))
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: The axes are in another order:
    the shape is (3, 2).
    """
    require_answer(answer, "an array")
    found = find_shape(answer)
    if found is None:
        refuse(answer, "an array")
    if found != tuple(expected):
        raise Incorrect(f"{_say_shape(found, tuple(expected))}: the shape is {found}.")


def _say_shape(found: Shape, expected: Shape) -> str:
    if len(found) != len(expected):
        if math.prod(found) == math.prod(expected):
            return "The number of elements is right, but not the number of axes"
        return f"There are too {'many' if len(found) > len(expected) else 'few'} axes"
    if sorted(found) == sorted(expected):
        return "The axes are in another order"
    off = next(axis for axis in range(len(found)) if found[axis] != expected[axis])
    more = "long" if found[off] > expected[off] else "short"
    nth = ORDINALS[off] if off < len(ORDINALS) else "last"
    apart = " by one" if abs(found[off] - expected[off]) == 1 else ""
    return f"The {nth} axis is too {more}{apart}"


def require_array(answer: Any, expected: Any, *, tolerance: float = TOLERANCE) -> None:
    """Raise unless an answer has the right shape and the right numbers.

    Parameters
    ----------
    answer : object
        Anything; its numbers are looked at only if its shape is right.
    expected : array or list
        The right one, of any library.
    tolerance : float
        How far a number may be off, as a part of the largest in `expected`.

    Raises
    ------
    Incorrect
        If the shape or a number differs.
    LessonError
        If `expected` is no array of numbers.

    Examples
    --------
    >>> require_array((1, 2, 3), [1, 2, 3])
    >>> require_array([[1, 3], [2, 4]], [[1, 2], [3, 4]])
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: It is transposed: rows stand
    where columns should.
    """
    shape, right = _read_expected(expected)
    require_shape(answer, shape)
    if not shape:
        require_number(answer, right[0], tolerance=tolerance)
        return
    found = read_flat(answer, shape, "an array of numbers")
    limit = tolerance * (max(map(abs, right), default=0) or 1)
    if any(abs(one - other) > limit for one, other in zip(found, right, strict=True)):
        raise Incorrect(say_list(found, right, shape, limit))


def _read_expected(expected: Any) -> tuple[Shape, list[float]]:
    shape = find_shape(expected)
    try:
        if shape is None:
            refuse(expected, "an array of numbers")
        return shape, read_flat(expected, shape, "an array of numbers")
    except Incorrect as fault:
        raise LessonError(
            f"The right answer is no array of numbers. {fault.message}",
            hint="Use require_set() or require_mapping() for other things.",
        ) from fault


def require_choice(answer: Any, expected: str, choices: Mapping[str, str]) -> None:
    """Raise unless an answer is the right word among several.

    Parameters
    ----------
    answer : object
        Anything; capitals, spaces and hyphens do not matter.
    expected : str
        The right word.
    choices : mapping of str to str
        The wrong words, and the feedback that each earns.

    Raises
    ------
    Incorrect
        If it is another word, none of them, or several.

    Examples
    --------
    >>> require_choice("Left handed", "left-handed", {"right-handed": "Look at the sign."})
    >>> require_choice("right handed", "left-handed", {"right-handed": "Look at the sign."})
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: Look at the sign.
    """
    require_answer(answer, "a word")
    if not isinstance(answer, str):
        refuse(answer, "a word in quotes")
    found, right = _plain(answer), _plain(expected)
    if found == right:
        return
    if not found:
        raise Incorrect("There is no answer yet: the text is empty.")
    feedback = {_plain(choice): words for choice, words in choices.items()}
    if found in feedback:
        raise Incorrect(feedback[found] or "It is another of the choices.")
    every = [right, *feedback]
    if _count_named(found, every) > 1:
        raise Incorrect("This names several of the choices: decide for one.")
    if get_close_matches(found, every, n=1):
        raise Incorrect("This is nearly one of the choices: look at the spelling.")
    raise Incorrect("This is none of the choices: read once more what can be chosen from.")


def _count_named(found: str, choices: list[str]) -> int:
    """Count the choices that a text names, where single letters stand in any word."""
    named = [choice for choice in choices if len(choice) > 2 and choice in found]
    longest = [one for one in named if not any(one in other and one != other for other in named)]
    return len(longest)


def _plain(text: str) -> str:
    """Return a word without what does not matter in it; signs alone are kept."""
    return re.sub(r"[\W_]+", "", text.casefold()) or text.strip()


def require_set(answer: Any, expected: Collection[Any]) -> None:
    """Raise unless an answer holds the right things, in any order.

    Parameters
    ----------
    answer : object
        Anything; a set, a list, a tuple or an array will do.
    expected : collection
        The right things.

    Raises
    ------
    Incorrect
        If something is missing, which is counted but not named, or does not belong, which is
        named.
    LessonError
        If `expected` is no set of things.

    Examples
    --------
    >>> require_set(["y", "x"], {"x", "y"})
    >>> require_set({"x", "t"}, {"x", "y"})
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: 't' does not belong here.
    """
    wanted = "several things, such as a set or a list"
    require_answer(answer, wanted)
    right = _as_set(expected)
    if right is None:
        raise LessonError(
            f"The right answer is no set of things, but {say_kind(expected)}.",
            hint="Pass a set of words or numbers.",
        )
    shape = find_shape(answer)
    if shape is not None and len(shape) > 1 and not isinstance(answer, list | tuple):
        raise Incorrect(f"Expected {wanted}, but this is a table of shape {shape}.")
    n_found = shape[0] if shape else _count(answer, wanted)
    if n_found > 10 * (len(right) + 10):
        raise Incorrect("These are far too many.")
    found = _as_set(answer)
    if found is None:
        raise Incorrect(f"Expected {wanted}, but it holds lists or other things that change.")
    if extra := found - right:
        raise Incorrect(_say_extra(extra))
    if missing := len(right - found):
        raise Incorrect(
            f"All of these are right, but {_say_count(missing)} {'is' if missing == 1 else 'are'} "
            "missing."
            if found
            else "It is empty."
        )
    if n_found > len(found):
        raise Incorrect("All of these are right, but something is there more than once.")


def _count(answer: Any, wanted: str) -> int:
    if isinstance(answer, str | bytes | Mapping) or not isinstance(answer, Collection):
        refuse(answer, wanted)
    try:
        return len(answer)
    except Exception:  # noqa: BLE001  # the answer may be any object
        refuse(answer, wanted)


def _as_set(things: Any) -> AbstractSet[Any] | None:
    """Return things as a set, or None where they cannot be in one."""
    convert = find_attribute(things, "tolist")
    try:
        return frozenset(things if convert is None else convert())
    except Exception:  # noqa: BLE001  # the answer may be any object
        return None


def _say_extra(extra: AbstractSet[Any]) -> str:
    """Say what does not belong; it stands in the answer, so nothing is given away."""
    simple = [thing for thing in extra if isinstance(thing, str | int | float)]
    names = sorted(_shorten(repr(thing)) for thing in simple)[:MOST_NAMED]
    verb = "does" if len(extra) == 1 else "do"
    if not names:
        return f"{_say_count(len(extra)).capitalize()} of these {verb} not belong here."
    more = " and more" if len(extra) > len(names) else ""
    return f"{', '.join(names)}{more} {verb} not belong here."


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _say_count(number: int) -> str:
    return COUNTS[number] if number < len(COUNTS) else "many"


def require_mapping(
    answer: Any,
    expected: Mapping[Any, Any],
    *,
    comparers: Mapping[Any, Comparer] | None = None,
) -> None:
    """Raise unless an answer has the right keys, and the right value under each.

    Parameters
    ----------
    answer : object
        Anything; a dict will do.
    expected : mapping
        The right one.
    comparers : mapping of key to callable, optional
        Compare the value under a key with the expected one, such as `require_choice` with its
        choices filled in. Default: by the kind of the expected value.

    Raises
    ------
    Incorrect
        If a key is missing or does not belong, which is named, or a value differs.

    Examples
    --------
    >>> require_mapping({"i": "L", "j": "A"}, {"i": "L", "j": "A"})
    >>> require_mapping({"i": 2.0, "j": -3.0}, {"i": 2.0, "j": 3.0})
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: Under 'j': The size is right,
    but the sign is not.
    """
    require_answer(answer, "a dict")
    if not isinstance(answer, Mapping):
        refuse(answer, "a dict")
    keys = set(answer)
    if missing := [key for key in expected if key not in keys]:
        names = ", ".join(_shorten(repr(key)) for key in missing[:MOST_NAMED])
        raise Incorrect(f"There is nothing under {names}.")
    if extra := keys - set(expected):
        raise Incorrect(_say_extra(extra))
    for key, right in expected.items():
        compare = (comparers or {}).get(key) or _comparer_of(right)
        try:
            compare(answer[key], right)
        except Incorrect as wrong:
            raise Incorrect(f"Under {_shorten(repr(key))}: {wrong.message}") from wrong


def _comparer_of(expected: Any) -> Comparer:
    """Return what compares values of the kind of the expected one."""
    if isinstance(expected, bool):
        return _require_flag
    if isinstance(expected, str):
        return partial(require_choice, choices={})
    if isinstance(expected, Mapping):
        return require_mapping
    if isinstance(expected, AbstractSet):
        return require_set
    if isinstance(expected, Number):
        return require_number
    try:
        _read_expected(expected)
    except LessonError:  # a list of words, or an object that only its own type can compare
        return _require_equal
    return require_array


def _require_flag(answer: Any, expected: bool) -> None:
    require_answer(answer, "True or False")
    # numpy has a True of its own
    if str(answer) not in ("True", "False") or isinstance(answer, str):
        refuse(answer, "True or False")
    if bool(answer) is not expected:
        raise Incorrect("It is the opposite.")


def _require_equal(answer: Any, expected: Any) -> None:
    try:
        is_equal = answer is expected or bool(answer == expected)
    except Exception:  # noqa: BLE001  # the answer may be any object
        is_equal = False
    if not is_equal:
        raise Incorrect("It is another value than it should be.")


def require_type(answer: Any, types: type | tuple[type, ...], words: str) -> None:
    """Raise unless an answer is of one of some types.

    Parameters
    ----------
    answer : object
        Anything. True and False are no whole numbers here, though Python takes them for such.
    types : type or tuple of type
        As for `isinstance`.
    words : str
        What is expected, in words: "an image".

    Raises
    ------
    Incorrect
        If it is of another type.

    Examples
    --------
    >>> require_type("x", str, "a word")
    >>> require_type(["x"], str, "a word")
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.exercises.model.Incorrect: Expected a word, but this is a list.
    """
    allowed = types if isinstance(types, tuple) else (types,)
    if type(None) not in allowed or answer is not None:
        require_answer(answer, words)
    is_stray_bool = isinstance(answer, bool) and bool not in allowed and object not in allowed
    if is_stray_bool or not isinstance(answer, allowed):
        refuse(answer, words)
