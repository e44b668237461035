"""Numbers are told from the rest of a text, and compared as numbers."""

import pytest

from neuroprimer.teaching.golden.marks import Tolerance
from neuroprimer.teaching.golden.texts import difference_of, numerals, sum_up

USUAL = Tolerance()


def lines(n: int, factor: float = 1.0, changed: int = -1) -> str:
    return "\n".join(
        f"row {row}: {(row + 0.5) * factor * (1.1 if row == changed else 1):.9f}"
        for row in range(n)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(91, 109, 91)", [91, 109, 91]),
        ("1,886,539 voxels", [1886539]),
        ("[ 1.  -2. 3.5e-3]", [1, -2, 0.0035]),
        ("There are 5. Then 6.", [5, 6]),
        ("\u22120.5 and +.5", [-0.5, 0.5]),
        ("T1 x2.5 v3.14.2", []),
        ("5-3 on 2026-11-25", [5, 3, 2026, 11, 25]),
        ("2.5mm", [2.5]),
        ("1e999", []),
    ],
)
def test_numbers_are_found(text, expected):
    assert [one.value for one in numerals(text)] == expected


def test_point_at_the_end_of_a_sentence_makes_no_fraction():
    assert difference_of("There are 1886539.", "There are 1886540.", USUAL)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("mean 2.5", "mean 2.5000001"),
        ("[1.  2.5]", "[ 1. 2.5]\n"),
        ("a b", "a\n  b"),
        ("-0.0", "0.0"),
        ("nan inf", "nan inf"),
    ],
)
def test_close_texts_do_not_differ(expected, found):
    assert difference_of(expected, found, USUAL) == ""


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        ("mean 2.5", "mean 2.6", "expected 2.5, found 2.6"),
        ("mean 2.5", "median 2.5", "expected `mean 2.5`, found `median 2.5`"),
        ("a\nb", "a", "`b` is missing"),
        ("a", "a\nb", "`b` is new"),
        ("1 2", "12", "expected `1 2`, found `12`"),
        ("T1", "T2", "expected `T1`, found `T2`"),
        ("2.5", "nan", "expected `2.5`, found `nan`"),
        ("1.0 2.0 3.0", "1.0 2.1 3.1", "and 1 more"),
        ("1e-9", "-1e-9", "expected 1e-9, found -1e-9"),
        ("mean 2.5", "mean -2.5", "found -2.5"),
    ],
)
def test_difference_is_said(expected, found, words):
    assert words in difference_of(expected, found, USUAL)


def test_whole_numbers_are_equal_or_not():
    assert difference_of("1,886,539", "1,886,540", USUAL)


def test_chosen_tolerance_holds_for_whole_numbers_as_well():
    chosen = Tolerance(rtol=1e-3, is_chosen=True)

    assert not difference_of("1,886,539", "1,886,540", chosen)
    assert difference_of("1,886,539", "1,900,000", chosen)


def test_absolute_tolerance_is_for_what_should_be_zero():
    assert difference_of("1.2e-17", "-3e-17", USUAL)
    assert not difference_of("1.2e-17", "-3e-17", Tolerance(atol=1e-12, is_chosen=True))


def test_noise_in_place_of_a_zero_is_no_difference_within_an_array():
    expected, found = "values: 1.2e-17 5.0", "values: -3e-17 5.0"

    assert difference_of(expected, found, USUAL)
    assert not difference_of(expected, found, USUAL, by_line=True)


def test_places_along_an_axis_have_one_size():
    axis, noise = "axes 1 x: -134.0 98.0 linear", "axes 1 line 1 x: {} {}"

    expected = f"{axis}\n{noise.format(1e-9, 1e-9)}"
    found = f"{axis}\n{noise.format(-2e-9, -2e-9)}"
    assert not difference_of(expected, found, USUAL, by_line=True)
    assert difference_of(expected, found.replace("1 x: -2", "1 values: -2"), USUAL, by_line=True)


@pytest.mark.parametrize("changed", range(0, 300, 13))
def test_one_number_of_a_long_text_is_noticed(changed):
    before, after = sum_up(lines(300), USUAL), sum_up(lines(300, changed=changed), USUAL)

    assert difference_of(before, after, USUAL, by_line=True)


def test_long_text_may_differ_within_tolerance():
    before, after = sum_up(lines(300), USUAL), sum_up(lines(300, factor=1 + 1e-8), USUAL)

    assert before != after
    assert not difference_of(before, after, USUAL, by_line=True)


def test_point_without_digits_stands_for_a_number_in_a_long_text_as_well():
    before, after = (
        sum_up(f"[{first} {' '.join(['2.5'] * 300)}]", USUAL) for first in ("1.", "1.00000001")
    )

    assert difference_of(before, after, USUAL, by_line=True) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [("row 17:", "row  18:"), ("row 7:", "now 7:"), ("3.500000000\n", "5.500000000\n")],
    ids=["whole number", "word", "sampled or not"],
)
def test_change_in_a_long_text_is_noticed(old, new):
    before = lines(300)
    after = before.replace(old, new, 1)

    assert difference_of(sum_up(before, USUAL), sum_up(after, USUAL), USUAL, by_line=True)


def test_order_of_a_long_text_is_noticed():
    numbers = [f"{value / 7:.6f}" for value in range(400)]
    swapped = [*numbers[:100], numbers[102], numbers[101], numbers[100], *numbers[103:]]
    before, after = (sum_up(" ".join(one), USUAL) for one in (numbers, swapped))

    assert difference_of(before, after, Tolerance(rtol=1e-9, is_chosen=False), by_line=True)
