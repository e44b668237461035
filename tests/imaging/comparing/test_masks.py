"""Masks: every slip earns its own words, and the number of voxels is not given away."""

import re

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroprimer.imaging import Grid, Mask, MaskError, compare_masks

AFFINE = np.array([[-2.0, 0, 0, 9], [0, 2, 0, -8], [0, 0, 2, -7], [0, 0, 0, 1]])


def make_inside(seed: int, shape=(8, 8, 8)) -> np.ndarray:
    """Return a mask without any symmetry, away from the edge."""
    inside = np.zeros(shape, dtype=bool)
    inside[1:-2, 2:-1, 2:-2] = (
        np.random.default_rng(seed).random(inside[1:-2, 2:-1, 2:-2].shape) < 0.5
    )
    inside[1, 2, 2] = inside[2, 3, 2] = True
    return inside


insides = st.integers(0, 10**6).map(make_inside)


def grown(inside, share):
    outside = np.flatnonzero(~inside)
    larger = inside.copy()
    larger.flat[outside[: round(share * inside.sum())]] = True
    return larger


def shrunk(inside, n_left):
    smaller = np.zeros_like(inside)
    smaller.flat[np.flatnonzero(inside)[:n_left]] = True
    return smaller


SLIPS = {
    "inverted": lambda m: ~m,
    "mirrored left-right": lambda m: m[::-1],
    "mirrored front to back": lambda m: m[:, ::-1],
    "mirrored top to bottom": lambda m: m[..., ::-1],
    "transposed": lambda m: m.T,
    "one voxel along its first axis": lambda m: np.roll(m, 1, 0),
    "one voxel along its third axis": lambda m: np.roll(m, -1, 2),
    "It is empty": lambda m: m & False,
    "Every voxel": lambda m: m | True,
    "about a quarter too many": lambda m: grown(m, 0.2),
    "about half as many too many": lambda m: grown(m, 0.5),
    "too small": lambda m: shrunk(m, 20),
    "NaN": lambda m: np.where(m, 1, np.nan),
    "one other number": lambda m: m * 255,
    "label": lambda m: m * 1 + np.arange(8) * m,
    "threshold, by": lambda m: m * np.linspace(0.1, 0.9, 8),
    "Dice of 0[.][0-9]{2}, and is larger": lambda m: grown(shrunk(m, m.sum() // 2), 2),
    "lies elsewhere or has another form": lambda m: np.roll(m, 2, 1),
    "another number of voxels along its second axis": lambda m: m[:, 1:],
    "few axes": lambda m: m[0],
    "many axes": lambda m: np.stack([m, m], axis=-1),
}


@pytest.mark.parametrize(("words", "slip"), SLIPS.items(), ids=SLIPS)
@settings(max_examples=12)
@given(inside=insides)
def test_slip_earns_its_own_words(words, slip, inside):
    expected = Mask(grid=Grid(shape=(8, 8, 8), affine=AFFINE), inside=inside)

    said = compare_masks(slip(inside), expected)

    assert [others for others in SLIPS if re.search(others, said)] == [words]
    assert str(inside.sum()) not in re.sub(r"\([^)]*\)|0[.]\d\d", "", said)


@given(inside=insides)
def test_same_mask_in_any_form_is_met_with_silence(inside):
    mask = Mask(grid=Grid(shape=(8, 8, 8), affine=AFFINE), inside=inside)
    image = mask.to_image()
    as_run = nib.Nifti1Image(np.asarray(image.dataobj)[..., np.newaxis], AFFINE)
    forms = [mask, image, as_run, inside, inside.astype(float), inside.astype(int).tolist()]

    for expected in (mask, image, inside):
        assert [compare_masks(form, expected) for form in forms] == [""] * len(forms)


@given(inside=insides)
def test_overlap_asked_for_may_be_less_than_whole(inside):
    larger = grown(inside, 0.1)

    assert compare_masks(larger, inside)
    assert compare_masks(larger, inside, dice_at_least=0.9) == ""


def test_dice_is_never_rounded_up_to_what_was_asked_for():
    large = np.zeros((30, 30, 30), bool)
    large[5:25, 5:25, 5:25] = True
    other = large.copy()
    other[5, 5, 5], other[1, 1, 1] = False, True

    assert "Dice of 0.99," in compare_masks(other, large)


def test_axes_of_an_array_are_named_by_their_number():
    inside = make_inside(1)

    assert compare_masks(inside[::-1], inside) == "It is mirrored along its first axis."


def test_other_place_is_named_before_other_voxels():
    inside = make_inside(1)
    expected = Mask(grid=Grid(shape=inside.shape, affine=AFFINE), inside=inside)
    elsewhere = Mask(
        grid=Grid(shape=inside.shape, affine=np.diag([-1, 1, 1, 1]) @ AFFINE), inside=inside
    )

    said = compare_masks(elsewhere, expected)

    assert said.startswith("It lies elsewhere in the world")
    assert "mirrored left-right" in said


def test_two_empty_masks_are_the_same():
    empty = np.zeros((3, 3, 3))

    assert compare_masks(empty, empty) == ""


def test_odd_answer_gets_a_sentence(odd_answer):
    assert re.fullmatch(r"(?s)[A-Z].+[.a-z]", compare_masks(odd_answer, make_inside(1)))


def test_wrong_expectation_is_an_error_of_its_author():
    with pytest.raises(MaskError):
        compare_masks(np.ones((2, 2, 2)), np.full((2, 2, 2), 0.5))
