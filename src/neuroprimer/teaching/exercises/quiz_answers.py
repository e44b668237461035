"""Answers to quizzes, read as people write them; what cannot be read gets words."""

import math
import operator
import re
import reprlib
import string
from collections.abc import Sequence

from neuroprimer.teaching.exercises.model import Incorrect

LETTERS = string.ascii_lowercase

# The page's script reads numbers by the same pattern.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
MINUS_SIGN = "\N{MINUS SIGN}"

UNREADABLE_NUMBER = "Give one number, such as 2.5 or 2,5, without separators between thousands."

# Python refuses to write very long numbers, and no choice is one.
LONGEST_NUMBER = 10**12


def is_missing(answer: object) -> bool:
    """Tell whether there is no answer yet: None, an ellipsis, or nothing in a text or collection.

    Examples
    --------
    >>> is_missing(...), is_missing(" "), is_missing([]), is_missing(0)
    (True, True, True, False)
    """
    if isinstance(answer, str):
        return not answer.strip()
    if isinstance(answer, (list, tuple, set, frozenset)):
        return not answer
    return answer is None or answer is ...


def read_choices(answer: object, texts: Sequence[str], *, several: bool) -> frozenset[int]:
    """Return which choices an answer names.

    Parameters
    ----------
    answer : object
        A letter, the text of a choice, a number from 1, or a collection of these.
    texts : sequence of str
        Of the choices, in order.
    several : bool
        Whether more than one may be named; then a text such as "a, c" names two.

    Returns
    -------
    positions : frozenset of int
        Counted from 0; never empty.

    Raises
    ------
    Incorrect
        If it names no choice, or more than one where one is asked for.

    Examples
    --------
    >>> sorted(read_choices(["a", 3], ("left", "right", "front"), several=True))
    [0, 2]
    >>> read_choices("Right", ("left", "right"), several=False)
    frozenset({1})
    """
    named: Sequence[object] = [answer]
    if isinstance(answer, (list, tuple, set, frozenset)):
        named = list(answer)
    elif several and isinstance(answer, str) and not _meanings(answer, texts):
        named = answer.replace(",", " ").split()
    positions = frozenset(_position(one, texts) for one in named)
    if len(positions) > 1 and not several:
        raise Incorrect(f"One of the answers is right, and you named {len(positions)}.")
    return positions


def read_number(answer: object, unit: str) -> float:
    """Return the number that an answer gives.

    Parameters
    ----------
    answer : object
        A number, or a text of one, with a decimal point or comma and perhaps the unit.
    unit : str
        In which the answer is asked for; may be empty.

    Raises
    ------
    Incorrect
        If it is no single number.

    Examples
    --------
    >>> read_number("2,5 mm", "mm"), read_number(3, "mm")
    (2.5, 3.0)
    """
    number = math.nan
    if isinstance(answer, str):
        plain = answer.strip()
        if unit and plain.endswith(unit):
            plain = plain.removesuffix(unit).strip()
        plain = plain.replace(MINUS_SIGN, "-").replace(",", ".", 1)
        number = float(plain) if NUMBER.fullmatch(plain) else math.nan
    elif not isinstance(answer, bool):
        try:
            number = float(answer)  # type: ignore[arg-type]  # whether it can be one is the question
        except Exception:  # noqa: BLE001  # an answer is any object, and may raise anything
            number = math.nan
    if math.isnan(number):
        raise Incorrect(f"{_shown(answer)} cannot be read. {UNREADABLE_NUMBER}")
    return number


def squeeze(text: str) -> str:
    """Return a text as answers are compared with it: small letters, single spaces."""
    return " ".join(text.split()).casefold()


def bare_letter(text: str) -> str:
    """Return a text without what people put around a letter or number, as in "b)".

    Examples
    --------
    >>> bare_letter("(B)"), bare_letter("2.")
    ('b', '2')
    """
    return squeeze(text).strip("(). ")


def _shown(answer: object) -> str:
    """Return an answer as feedback quotes it, cut to a length that can be read."""
    try:
        return reprlib.repr(answer)
    except Exception:  # noqa: BLE001  # an answer is any object, and may raise anything
        return f"This {type(answer).__name__}"


def _position(one: object, texts: Sequence[str]) -> int:
    """Return the one choice that is meant, or raise `Incorrect`."""
    meanings = _meanings(one, texts)
    letters = f"Give a letter from a to {LETTERS[len(texts) - 1]}."
    if not meanings:
        raise Incorrect(f"{_shown(one)} is none of the answers. {letters}")
    if len(meanings) > 1:
        raise Incorrect(f"{_shown(one)} can mean more than one of the answers. {letters}")
    (position,) = meanings
    return position


def _meanings(one: object, texts: Sequence[str]) -> frozenset[int]:
    """Return every choice that may be meant: by its text, its letter, or its number."""
    name = _name(one)
    text, bare = squeeze(name), bare_letter(name)
    return frozenset(
        position
        for position, choice in enumerate(texts)
        if text == squeeze(choice) or bare in (LETTERS[position], str(position + 1))
    )


def _name(one: object) -> str:
    """Return what an object names a choice by; nothing if it cannot name one."""
    if isinstance(one, str):
        return one
    if isinstance(one, bool):  # True would be the first choice otherwise
        return ""
    try:
        number = operator.index(one)  # type: ignore[arg-type]  # whether it is one is the question
    except Exception:  # noqa: BLE001  # an answer is any object, and may raise anything
        return ""
    return str(number) if abs(number) < LONGEST_NUMBER else ""
