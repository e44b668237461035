"""Comparers: right answers pass in any form, slips earn their own words, nothing is given away."""

import itertools
import math
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.teaching.exercises.comparers import (
    require_array,
    require_choice,
    require_mapping,
    require_number,
    require_set,
    require_shape,
    require_type,
)
from neuroprimer.teaching.exercises.model import Incorrect
from neuroprimer.teaching.model import LessonError

# With digits behind the point, and no number whose double or square is another slip of it.
numbers = st.integers(0, 10**6).map(lambda seed: np.random.default_rng(seed).uniform(11.3, 43.7))
numbers_of_any_size = st.floats(allow_nan=False, allow_infinity=False)


def say(require, answer, *expected, **options) -> str:
    """Return the feedback, or nothing for a right answer."""
    try:
        require(answer, *expected, **options)
    except Incorrect as wrong:
        return wrong.message
    return ""


class Hostile:
    """An object that fails whenever it is asked."""

    @property
    def shape(self):
        raise RuntimeError("do not ask")

    def __float__(self):
        raise RuntimeError("do not ask")

    def __eq__(self, other):
        raise RuntimeError("do not ask")

    def __len__(self):
        raise RuntimeError("do not ask")

    def __hash__(self):
        raise RuntimeError("do not ask")

    def tolist(self):
        raise RuntimeError("do not ask")


class Pretender:
    """An object that promises a shape and does not keep it."""

    shape = (2,)

    def tolist(self):
        return [1, 2, 3]


def make_knot() -> list:
    knot = []
    knot.append(knot)
    return knot


ODD_ANSWERS = {
    "None": None,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    "empty text": "",
    "text": "north by northwest",
    "bytes": b"x",
    "empty list": [],
    "ragged": [[1, 2], [3]],
    "blanks": [None, ...],
    "complex": 1j,
    "array of complex": np.ones(2) * 1j,
    "NaN": math.nan,
    "infinite": -math.inf,
    "huge": 10**400,
    "dict": {"x": 1},
    "set": {"a"},
    "unhashable": [{}, {}],
    "generator": itertools.count(),
    "range": range(10**30),
    "function": math.sqrt,
    "class": dict,
    "hostile": Hostile(),
    "hostile elements": [Hostile(), Hostile()],
    "pretender": Pretender(),
    "knot": make_knot(),
    "boolean": True,
    "boolean of numpy": np.True_,
    "billion": np.broadcast_to(0.0, (10**9,)),
    "table of a billion": np.broadcast_to(0.0, (2, 10**9)),
    "objects": np.array([object(), object()]),
    "dates": np.zeros(2, "M8[s]"),
}

EVERY_COMPARER = {
    "number": lambda answer: require_number(answer, 2.5),
    "shape": lambda answer: require_shape(answer, (5, 7, 9)),
    "array": lambda answer: require_array(answer, [2.5, 3.5]),
    "table": lambda answer: require_array(answer, np.ones((2, 2)) * 2.5),
    "choice": lambda answer: require_choice(answer, "left", {"right": "No."}),
    "set": lambda answer: require_set(answer, {"x", "y"}),
    "mapping": lambda answer: require_mapping(answer, {"y": 2.5}),
    "value": lambda answer: require_mapping({"y": answer}, {"y": 2.5}),
    "flag": lambda answer: require_mapping({"y": answer}, {"y": False}),
    "words": lambda answer: require_mapping({"y": answer}, {"y": ["a", "b"]}),
    "type": lambda answer: require_type(answer, float, "a number with a point"),
}


@pytest.mark.parametrize("require", EVERY_COMPARER.values(), ids=EVERY_COMPARER)
@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_odd_answer_gets_a_sentence(require, answer):
    if require is EVERY_COMPARER["type"] and isinstance(answer, float):
        return

    assert re.fullmatch(r"[A-Z'\d].*[.a-z]", say(lambda given: require(given), answer))


@pytest.mark.parametrize("require", EVERY_COMPARER.values(), ids=EVERY_COMPARER)
@pytest.mark.parametrize("blank", [None, ..., NotImplemented])
def test_blank_is_no_answer_yet(require, blank):
    if require is EVERY_COMPARER["words"]:
        return  # only the type of a word could tell

    assert "There is no answer yet" in say(lambda given: require(given), blank)


NUMBER_SLIPS = {
    "sign is not": lambda n: -n,
    "percent": lambda n: n * 100,
    "hundred times too small": lambda n: n / 100,
    "thousand times too large": lambda n: n * 1000,
    "thousand times too small": lambda n: n / 1000,
    "decimal point": lambda n: n * 10,
    "upside down": lambda n: 1 / n,
    "in degrees": math.degrees,
    "in radians": math.radians,
    "twice": lambda n: 2 * n,
    "half": lambda n: n / 2,
    "squared": lambda n: n**2,
    "square root": math.sqrt,
    "rounded too early": lambda n: round(n, 2),
    "It is zero": lambda n: 0 * n,
    "close, but a little too large": lambda n: n * 1.0021,
    "Neither": lambda n: n * -1.31,
    "It is too large": lambda n: n * 1.31,
    "It is too small": lambda n: n / 1.31,
    "NaN": lambda n: n * math.nan,
    "infinite": lambda n: n * math.inf,
    "complex": lambda n: n * 1j,
    "quotes": str,
    "True or False": bool,
    "these are several": lambda n: [n, n],
}


@pytest.mark.parametrize(("words", "slip"), NUMBER_SLIPS.items(), ids=NUMBER_SLIPS)
@given(number=numbers)
def test_slip_in_a_number_earns_its_own_words(words, slip, number):
    said = say(require_number, slip(number), number)

    assert [others for others in NUMBER_SLIPS if others in said] == [words]


@given(number=numbers_of_any_size, found=numbers_of_any_size)
def test_right_number_is_never_given_away(number, found):
    said = say(require_number, found, number)

    assert not re.search(r"\d", said)


@given(number=numbers_of_any_size)
def test_right_number_passes_in_any_form(number):
    forms = [number, np.float64(number), np.array(number), np.array([[number]]), [number]]

    for form in [*forms, Fraction(number), Decimal(number)]:
        require_number(form, number)


@given(number=numbers)
def test_known_slip_goes_before_all_other(number):
    known = {"Those are voxels.": -number, "Those are steps.": 2 * number}

    assert say(require_number, -number, number, known=known) == "Those are voxels."
    assert say(require_number, 2 * number, number, known=known) == "Those are steps."
    assert say(require_number, number, number, known={"Never said.": number}) == ""


@pytest.mark.parametrize(
    ("found", "expected", "options", "is_right"),
    [
        (1 + 1e-10, 1, {}, True),
        (1 + 1e-8, 1, {}, False),
        (1.04, 1, {"tolerance": 0.05}, True),
        (100.4, 100, {"absolute": 0.5}, True),
        (100.6, 100, {"absolute": 0.5, "tolerance": 1}, False),
        (1e-10, 0, {}, True),
        (1e-8, 0, {}, False),
    ],
)
def test_tolerance_is_relative_unless_it_is_absolute(found, expected, options, is_right):
    assert (say(require_number, found, expected, **options) == "") == is_right


def test_count_may_be_off_by_one():
    assert "off by one" in say(require_number, 41, 42)
    assert "off by one" in say(require_number, 43, 42)
    assert "cut to a whole" in say(require_number, 2, 2.7)


def test_unit_is_named():
    assert "a number in mm" in say(require_number, "three", 3, unit="mm")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (np.zeros((4, 5)), ""),
        ([[0] * 5] * 4, ""),
        (np.zeros((5, 4)), "another order"),
        (np.zeros((4, 6)), "second axis is too long by one"),
        (np.zeros((4, 9)), "second axis is too long:"),
        (np.zeros((2, 5)), "first axis is too short"),
        (np.zeros(20), "number of elements is right"),
        (np.zeros((4, 5, 2)), "too many axes"),
        (np.zeros(4), "too few axes"),
        (3, "too few axes"),
    ],
)
def test_shape_is_compared_axis_by_axis(found, words):
    said = say(require_shape, found, (4, 5))

    assert words in said
    assert bool(said) == bool(words)
    assert "(4, 5)" not in said


tables = st.integers(0, 10**6).map(
    lambda seed: np.random.default_rng(seed).uniform(11.3, 43.7, (3, 3))
)

ARRAY_SLIPS = {
    "transposed": lambda t: t.T,
    "all axes are reversed": lambda t: t[::-1, ::-1],
    "rows are right": lambda t: t[::-1],
    "within each row": lambda t: t[:, ::-1],
    "All signs": lambda t: -t,
    "another order": lambda t: np.sort(t, axis=None).reshape(3, 3),
    "rounded": lambda t: t.round(2),
    "too large by exactly one": lambda t: t + 1,
    "too small by one and the same number": lambda t: t - 0.77,
    "too large, by one and the same factor": lambda t: t * 1000,
    "too small, by one and the same factor": lambda t: t * 0.77,
    "One number is off, first in the second row, third column": lambda t: (
        t + np.outer([0, 1, 0], [0, 0, 1])
    ),
    "Some numbers are off, first in the first row, second column": lambda t: (
        t + np.outer([1, 2, 0], [0, 1, 1])
    ),
    "None of the numbers": lambda t: t**2,
    "first axis is too short": lambda t: t[1:],
    "too few axes": lambda t: t[0],
    "NaN": lambda t: np.where(t == t.max(), np.nan, t),
    "complex": lambda t: t * 1j,
}


@pytest.mark.parametrize(("words", "slip"), ARRAY_SLIPS.items(), ids=ARRAY_SLIPS)
@given(table=tables)
def test_slip_in_an_array_earns_its_own_words(words, slip, table):
    said = say(require_array, slip(table), table)

    assert [others for others in ARRAY_SLIPS if others in said] == [words]
    assert not re.search(r"\d", re.sub(r"\([^)]*\)", "", said))


@given(table=tables)
def test_right_array_passes_in_any_form(table):
    for form in (table, table.tolist(), [*table], tuple(map(tuple, table)), table.astype(object)):
        require_array(form, table)
        require_array(table, form)
    require_array(table[0][0], table[0, 0])
    require_array([], np.zeros(0))


def test_list_is_reversed_or_off_further_on():
    assert "reverse order" in say(require_array, [3, 2, 1.5], [1.5, 2, 3])
    assert "first the third" in say(require_array, [1, 2, 4], [1, 2, 3])
    assert "after the tenth" in say(require_array, [0] * 20, [0] * 15 + [1] * 5)


@pytest.mark.parametrize("expected", [None, ["a"], [[1], [2, 3]], "text"])
def test_wrong_expected_array_is_an_error_of_its_author(expected):
    with pytest.raises(LessonError):
        require_array([1], expected)


CHOICES = {"right-handed": "Look at the sign.", "neither": ""}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("left-handed", ""),
        (" Left Handed ", ""),
        ("LEFT_HANDED", ""),
        (np.str_("left-handed"), ""),
        ("Right handed", "Look at the sign."),
        ("neither", "It is another of the choices."),
        ("left-handd", "This is nearly one of the choices: look at the spelling."),
        ("left-handed or right-handed", "This names several of the choices: decide for one."),
        ("banana", "This is none of the choices: read once more what can be chosen from."),
        ("  ", "There is no answer yet: the text is empty."),
        (3, "Expected a word in quotes, but this is a number."),
    ],
)
def test_choice_is_read_forgivingly(answer, words):
    assert say(require_choice, answer, "left-handed", CHOICES) == words


def test_choices_of_signs_and_letters_are_told_apart():
    assert say(require_choice, "+", "+", {"-": "No."}) == ""
    assert say(require_choice, "-", "+", {"-": "No."}) == "No."
    assert say(require_choice, "r", "L", {"R": "No."}) == "No."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"x", "y", "z"}, ""),
        (["z", "y", "x"], ""),
        (np.array(["x", "y", "z"]), ""),
        (dict.fromkeys("xyz").keys(), ""),
        (["x", "y"], "All of these are right, but one is missing."),
        ({"x"}, "All of these are right, but two are missing."),
        ([], "It is empty."),
        (["x", "y", "z", "t"], "'t' does not belong here."),
        (["x", "s", "t"], "'s', 't' do not belong here."),
        (list("abcdef"), "'a', 'b', 'c' and more do not belong here."),
        ([("x", "y"), "z"], "One of these does not belong here."),
        (["x", "y", "z", "z"], "All of these are right, but something is there more than once."),
        (range(10**6), "These are far too many."),
        ("xyz", "Expected several things, such as a set or a list, but this is a text."),
    ],
)
def test_set_names_what_does_not_belong_and_counts_what_is_missing(answer, words):
    assert say(require_set, answer, {"x", "y", "z"}) == words


def test_name_that_does_not_belong_is_shortened():
    assert len(say(require_set, ["a" * 10**5], {"x"})) < 100


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"number": 2.5, "word": "left", "list": [1, 2], "flag": True, "set": {1}}, ""),
        ({"number": 2.5, "word": "Left", "list": (1, 2), "flag": np.True_, "set": [1]}, ""),
        ({"number": -2.5}, "Under 'number': The size is right, but the sign is not."),
        ({"word": "right"}, "Under 'word': This is none of the choices"),
        ({"list": [2, 1]}, "Under 'list': The numbers are right, but in the reverse order."),
        ({"flag": False}, "Under 'flag': It is the opposite."),
        ({"flag": "True"}, "Under 'flag': Expected True or False, but this is a text."),
        ({"set": {1, 2}}, "Under 'set': 2 does not belong here."),
        ({"more": 1}, "'more' does not belong here."),
    ],
)
def test_mapping_is_compared_key_by_key(answer, words):
    expected = {"number": 2.5, "word": "left", "list": [1, 2], "flag": True, "set": {1}}

    said = say(require_mapping, {**expected, **answer}, expected)

    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_missing_keys_are_named_before_values_are_looked_at():
    assert say(require_mapping, {"x": 7}, {"x": 1, "y": 2}) == "There is nothing under 'y'."


def test_mapping_takes_a_comparer_for_a_key():
    def compare(answer, expected):
        if answer < expected:
            raise Incorrect("More!")

    assert say(require_mapping, {"x": 3}, {"x": 2}, comparers={"x": compare}) == ""
    assert say(require_mapping, {"x": 1}, {"x": 2}, comparers={"x": compare}) == "Under 'x': More!"


@pytest.mark.parametrize(
    ("answer", "types", "words"),
    [
        ("x", str, ""),
        (3, (int, float), ""),
        (None, (int, type(None)), ""),
        (True, bool, ""),
        (True, int, "Expected a thing, but this is True or False."),
        (str, str, "Expected a thing, but this is the class str itself"),
        (len, str, "Expected a thing, but this is a function that was not called"),
        ([1], str, "Expected a thing, but this is a list."),
        (None, str, "There is no answer yet: a thing is expected."),
    ],
)
def test_type_is_named_in_words(answer, types, words):
    said = say(require_type, answer, types, "a thing")

    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_comparers_load_no_library_of_numbers():
    program = "import sys, neuroprimer.teaching.exercises.comparers; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "numpy" not in done.stdout.split()


def test_measure_is_not_said_to_be_off_by_one():
    assert say(require_number, 3.7, 2.7) == "It is too large."


def test_small_number_is_not_called_zero():
    with pytest.raises(Incorrect) as caught:
        require_number(0.00014, 0.14)

    assert caught.value.message == "It is a thousand times too small: look at the unit."
