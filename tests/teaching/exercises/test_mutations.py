"""Right answers made wrong: each mutant differs, and the answer itself stays as it is."""

import math

import nibabel as nib
import numpy as np
import pytest

from neuroprimer.imaging import BrainData
from neuroprimer.teaching.exercises.mutations import MUTATIONS, is_same, mutants_of

OBLIQUE = np.array(
    [[-1.9, 0.1, 0.2, 90.0], [0.1, 1.8, -0.4, -120.0], [0.2, 0.3, 2.1, -60.0], [0, 0, 0, 1]]
)
IMAGE = nib.Nifti1Image(np.arange(24.0, dtype=np.float32).reshape(2, 3, 4), OBLIQUE)

ANSWERS = [
    *(2.5, 7, True, "left", "s", [1.5, 2, 3], (3, 1, 2), {"a", "b"}, {"x": 1.5, "y": 2}),
    *(np.float32(2.5), np.int16(7), np.array([1.5, 2, 3]), np.arange(6).reshape(2, 3)),
    *(np.array([True, False, False]), OBLIQUE, IMAGE),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_mutants_differ_from_the_answer_and_leave_it_alone(answer):
    before = repr(answer), repr(np.asanyarray(getattr(answer, "dataobj", 0)))

    mutants = dict(mutants_of(answer))

    assert len(mutants) >= 3
    assert not any(is_same(mutant, answer) for mutant in mutants.values())
    assert (repr(answer), repr(np.asanyarray(getattr(answer, "dataobj", 0)))) == before


@pytest.mark.parametrize(
    ("name", "answer", "mutant"),
    [
        ("sign", 2.5, -2.5),
        ("thousandfold", [1, 2], [1000, 2000]),
        ("thousandth", {"tr": 2000}, {"tr": 2.0}),
        ("one more", np.array([1, 2]), np.array([2, 3])),
        ("one less", 3, 2),
        ("rounded", 2.4, 2.0),
        ("not a number", 2.5, math.nan),
        ("transposed", np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3).T),
        ("reversed", (1, 2, 3), (3, 2, 1)),
        ("axes permuted", (1, 2, 3), (2, 3, 1)),
        ("axes permuted", np.array([[1, 2, 3]]), np.array([[2, 3, 1]])),
        ("axes permuted", OBLIQUE, OBLIQUE[[1, 2, 0, 3]]),
        ("mirrored", OBLIQUE, np.diag([-1, 1, 1, 1]) @ OBLIQUE),
        ("one left out", {"a", "b"}, {"b"}),
        ("one left out", [1, 2], [1]),
        ("the opposite", np.array([True, False]), np.array([False, True])),
        ("the opposite", True, False),
        ("missing", 1, None),
        ("other type", "left", 42),
        ("other text", "left", "tfelx"),
    ],
)
def test_mutation_does_what_it_is_called(name, answer, mutant):
    assert is_same(MUTATIONS[name](answer), mutant)


def test_affine_that_is_not_moved_keeps_its_turns():
    still = MUTATIONS["not moved"](OBLIQUE)

    np.testing.assert_array_equal(still[:3, :3], OBLIQUE[:3, :3])
    np.testing.assert_array_equal(still[:, 3], [0, 0, 0, 1])


def test_image_is_mirrored_doubled_and_moved():
    mirrored, doubled, moved = (
        MUTATIONS[f"image {how}"](IMAGE) for how in ("mirrored", "doubled", "moved")
    )

    np.testing.assert_array_equal(mirrored.dataobj, np.asarray(IMAGE.dataobj)[::-1])
    np.testing.assert_array_equal(doubled.dataobj, np.asarray(IMAGE.dataobj) * 2)
    np.testing.assert_array_equal(moved.affine[:3, 3], OBLIQUE[:3, 3] + 5)
    np.testing.assert_array_equal(moved.dataobj, IMAGE.dataobj)


def test_table_of_images_is_changed_as_its_numbers_are():
    table = BrainData([IMAGE, nib.Nifti1Image(np.asarray(IMAGE.dataobj) ** 2, OBLIQUE)])

    mutants = dict(mutants_of(table))

    assert {"sign", "thousandfold", "one more", "not a number", "reversed"} <= set(mutants)
    np.testing.assert_array_equal(mutants["sign"].data, -table.data)
    np.testing.assert_array_equal(mutants["reversed"].data, table.data[::-1])
    assert len(mutants["one left out"]) == 1
    assert is_same(table, table.copy())


@pytest.mark.parametrize("place", [(0, 0), (0, 3), (8, 5), (19, 19)])
@pytest.mark.parametrize("value", [0.5, np.nan])
def test_one_other_number_anywhere_makes_another_answer(place, value):
    answer = np.arange(400.0).reshape(20, 20)
    other = answer.copy()
    other[place] += value

    assert not is_same(answer, other)
    assert is_same(other, other.copy())


def test_tables_of_one_mask_are_told_apart_by_their_rows():
    table = BrainData([IMAGE, IMAGE])

    assert is_same(table, table.copy())
    assert not is_same(table, table * np.array([1.0, 1.001]))
    assert not is_same(table, table[:1])


def test_symmetric_answers_have_no_mutant_that_changes_nothing():
    assert {"transposed", "reversed"}.isdisjoint(dict(mutants_of(np.full((3, 3), 5))))
    assert "sign" not in dict(mutants_of(0))
    assert "rounded" not in dict(mutants_of(3.0))


@pytest.mark.parametrize("answer", [None, object(), print, ..., b"x", [], {}, np.array(["a", "b"])])
def test_answers_of_any_kind_have_mutants_or_none(answer):
    assert "other type" in dict(mutants_of(answer))
