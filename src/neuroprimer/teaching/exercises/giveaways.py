"""Giveaways: hints and feedback that tell the answer instead of leading to it."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from neuroprimer.teaching.exercises.model import Exercise

# Code and texts that are shorter say nothing: `a.T` may well stand in a hint.
SHORTEST_CODE = 6
SHORTEST_TEXT = 4

# Whole numbers below stand in every other sentence.
SMALLEST_TELLING = 10

DIGITS = (1, 2, 3, 4, 6)

# Nobody writes more numbers than these into a hint.
LARGEST_TABLE = 100


def find_giveaways(exercise: Exercise, solution: str, answer: Any) -> list[str]:
    """Return what is wrong with the words of an exercise that tell its answer.

    Parameters
    ----------
    exercise : Exercise
        Its hints, and the feedback that its wrong answers earn, are read.
    solution : str
        The code that students are to find.
    answer : object
        What it gives.

    Returns
    -------
    faults : list of str
        One for each text that holds the answer or the code; empty if none does.

    Examples
    --------
    >>> exercise = Exercise(id="tr", prompt="The TR?", check=print, hints=("It is 2.25 s.",))
    >>> find_giveaways(exercise, "tr_s = header['pixdim'][4]", 2.25)
    ["hint 1 holds the answer, '2.25'."]
    """
    texts = {f"hint {number}": text for number, text in enumerate(exercise.hints, start=1)}
    texts |= {f"the feedback {one.message!r}": one.message for one in exercise.wrong_answers}
    values, codes = list(dict.fromkeys(_values(answer))), list(_codes(solution))
    faults = []
    for name, text in texts.items():
        value = next((value for value in values if _holds(text, value)), None)
        code = next((code for code in codes if _squeezed(code) in _squeezed(text)), None)
        if value is not None:
            faults.append(f"{name} holds the answer, {value!r}.")
        elif code is not None:
            faults.append(f"{name} holds the solution's code, {code!r}.")
    return faults


def _values(answer: Any) -> Iterator[str]:
    """Yield how the answer may stand in a text."""
    if isinstance(answer, bool):
        return
    if isinstance(answer, str):
        yield from [answer] if len(answer) >= SHORTEST_TEXT else []
        return
    if isinstance(answer, list | tuple):
        yield from _rows(answer)
        return
    to_list = getattr(answer, "tolist", None)
    if to_list is not None and getattr(answer, "size", 0) <= LARGEST_TABLE:
        found = to_list()
        yield from _rows(found) if isinstance(found, list) else _numbers(found)
        return
    yield from _numbers(answer)


def _rows(values: Any) -> Iterator[str]:
    """Yield a row of numbers as one would write it, for each row of a table."""
    if values and isinstance(values[0], list | tuple):
        for row in values:
            yield from _rows(row)
        return
    if len(values) > 1 and all(isinstance(one, int | float) for one in values) and any(values):
        yield ", ".join(f"{one:g}" for one in values)
        yield " ".join(f"{one:g}" for one in values)


def _numbers(answer: Any) -> Iterator[str]:
    if not isinstance(answer, int | float) or answer != answer:  # NaN tells nothing
        return
    is_whole = float(answer).is_integer()
    if is_whole and abs(answer) < SMALLEST_TELLING:
        return
    yield f"{answer:g}"
    if is_whole:
        yield f"{answer:.0f}"
        yield f"{answer:,.0f}"
    else:
        yield str(answer)
        yield from (f"{answer:.{digits}f}" for digits in DIGITS)


def _codes(solution: str) -> Iterator[str]:
    """Yield the values that the statements of a solution compute."""
    try:
        statements = ast.parse(solution).body
    except (SyntaxError, ValueError):
        return
    for statement in statements:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call | ast.BinOp | ast.Subscript | ast.Attribute):
            code = ast.unparse(value)
            if len(_squeezed(code)) >= SHORTEST_CODE:
                yield code


def _holds(text: str, value: str) -> bool:
    """Tell whether a text holds a value that is no part of a longer number or word."""
    return re.search(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", text) is not None


def _squeezed(code: str) -> str:
    return re.sub(r"\s+", "", code)
