"""Masking against nilearn, numpy and its own way back."""

import nibabel as nib
import nilearn.masking
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel.testing import data_path
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import (
    Grid,
    GridMismatchError,
    Mask,
    MaskError,
    NotANumberError,
    apply_mask,
    load_image,
    repetition_time_s,
    unmask,
)
from neuroprimer.imaging.tables.masking import float_dtype

AFFINE = np.diag([-2.0, 2, 3, 1])
SHAPE = (3, 4, 5)

insides = hnp.arrays(bool, SHAPE).filter(np.any)
numbers = st.floats(-1e6, 1e6, width=32)


def image_of(values, affine=AFFINE):
    return nib.Nifti1Image(np.asarray(values), affine)


def mask_of(inside):
    return image_of(np.asarray(inside, np.uint8))


@given(
    inside=insides,
    run=hnp.arrays(np.float32, (*SHAPE, 3), elements=numbers),
    order=st.sampled_from("CF"),
)
def test_rows_are_what_numpy_and_nilearn_take(inside, run, order):
    image = image_of(np.asarray(run, order=order))

    values = apply_mask(image, mask_of(inside))

    assert_array_equal(values, run[inside].T)
    assert_array_equal(values, nilearn.masking.apply_mask(image, mask_of(inside)))


def test_agrees_with_a_masker_of_nilearn_on_a_real_run():
    file = f"{data_path}/functional.nii"
    run = load_image(file)
    mask = nib.Nifti1Image((run.get_fdata()[..., 0] > 3000).astype(np.uint8), run.affine)

    theirs = NiftiMasker(mask, standardize=None).fit_transform(nib.load(file))

    assert_allclose(apply_mask(file, mask), theirs, rtol=1e-6)


@given(inside=insides, n_images=st.integers(1, 4), data=st.data())
def test_unmask_and_apply_mask_undo_each_other(inside, n_images, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int16]))
    values = np.arange(n_images * inside.sum()).reshape(n_images, -1).astype(dtype)

    image = unmask(values, mask_of(inside))

    assert_array_equal(apply_mask(image, mask_of(inside)), values)
    assert image.get_data_dtype() == dtype
    assert not np.asarray(image.dataobj)[~inside].any()


def test_unmask_agrees_with_nilearn():
    inside = np.arange(60).reshape(SHAPE) % 3 == 0
    values = np.random.default_rng(0).standard_normal((4, 20))

    ours, theirs = (undo(values, mask_of(inside)) for undo in (unmask, nilearn.masking.unmask))

    assert_array_equal(ours.get_fdata(), theirs.get_fdata())
    assert_array_equal(ours.affine, theirs.affine)


def test_single_volume_gives_two_axes_and_a_single_row_three():
    volume = image_of(np.arange(60.0).reshape(SHAPE))

    values = apply_mask(volume, mask_of(np.ones(SHAPE)))

    assert values.shape == (1, 60)
    assert unmask(values[0], mask_of(np.ones(SHAPE))).shape == SHAPE
    assert unmask(values, mask_of(np.ones(SHAPE))).shape == (*SHAPE, 1)


def test_five_axes_with_one_of_length_one_are_a_run():
    run = image_of(np.ones((*SHAPE, 1, 4), np.float32))

    assert apply_mask(run, mask_of(np.ones(SHAPE))).shape == (4, 60)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [("u1", "f4"), ("i2", "f4"), (">i2", "f4"), ("i4", "f8"), ("f4", "f4"), ("f8", "f8")],
)
def test_type_is_the_narrowest_that_rounds_nothing(stored, expected):
    image = image_of(np.arange(60).reshape(SHAPE).astype(stored))

    values = apply_mask(image, mask_of(np.ones(SHAPE)))

    assert values.dtype == float_dtype(stored) == expected
    assert_array_equal(values[0], np.arange(60))


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_type_can_be_chosen(dtype):
    values = apply_mask(
        image_of(np.arange(60.0).reshape(SHAPE)), mask_of(np.ones(SHAPE)), dtype=dtype
    )

    assert values.dtype == dtype
    assert_array_equal(values[0], np.arange(60))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
class TestNotANumber:
    """One voxel of one volume inside the mask, and one outside of it, is no number."""

    @pytest.fixture
    def image(self, bad):
        run = np.arange(120.0).reshape(*SHAPE, 2)
        run[0, 0, 1, 1] = run[2, 3, 4, 0] = bad
        return image_of(run)

    @pytest.fixture
    def mask(self):
        inside = np.zeros(SHAPE)
        inside[0, 0] = 1
        return mask_of(inside)

    def test_it_is_refused_with_the_count_within_the_mask(self, image, mask):
        words = "1 of 10 numbers within the mask .* in 1 voxels and 1 of 2 images"
        with pytest.raises(NotANumberError, match=words):
            apply_mask(image, mask)

    def test_its_voxel_is_left_out_of_all_volumes(self, image, mask):
        values = apply_mask(image, mask, nan="omit")

        assert_array_equal(values, [[0, 4, 6, 8], [1, 5, 7, 9]])

    def test_it_becomes_zero(self, image, mask):
        assert_array_equal(apply_mask(image, mask, nan="zero")[1], [1, 0, 5, 7, 9])

    def test_it_is_noticed_before_it_becomes_a_whole_number(self, image, mask):
        with pytest.raises(NotANumberError, match="1 of 10"):
            apply_mask(image, mask, dtype=np.int16)

    def test_it_does_not_matter_outside_the_mask(self, bad):
        volume = np.full(SHAPE, bad)
        volume[0, 0] = 1

        assert_array_equal(
            apply_mask(image_of(volume), mask_of(np.isfinite(volume))), np.ones((1, 5))
        )


def test_unknown_word_for_nan_is_refused_with_the_known_ones():
    with pytest.raises(NotANumberError, match=r"'drop'.*'raise', 'omit', 'zero'"):
        apply_mask(image_of(np.ones(SHAPE)), mask_of(np.ones(SHAPE)), nan="drop")


def test_another_grid_names_both_and_the_way_out():
    words = "apply the mask.*3 x 4 x 5.*2 x 4 x 5.*resample_to.mask, image"
    with pytest.raises(GridMismatchError, match=words):
        apply_mask(image_of(np.ones(SHAPE)), mask_of(np.ones((2, 4, 5))))


def test_grid_of_the_same_shape_at_another_place_is_another_grid():
    with pytest.raises(GridMismatchError, match="first voxel at"):
        apply_mask(image_of(np.ones(SHAPE), np.diag([-2.0, 2, 3.1, 1])), mask_of(np.ones(SHAPE)))


def test_probabilities_need_a_threshold():
    probabilities = image_of(np.linspace(0, 1, 60).reshape(SHAPE))
    image = image_of(np.arange(60.0).reshape(SHAPE))

    with pytest.raises(MaskError, match="threshold="):
        apply_mask(image, probabilities)
    values = apply_mask(image, probabilities, threshold=0.5)

    assert_array_equal(values, [np.arange(30, 60)])
    assert_array_equal(
        unmask(values[0], probabilities, threshold=0.5).get_fdata().ravel(),
        np.where(np.arange(60) >= 30, np.arange(60), 0),
    )


@pytest.mark.parametrize("dtype", [np.complex128, [("R", "u1"), ("G", "u1"), ("B", "u1")]])
def test_complex_numbers_and_colours_are_refused(dtype):
    with pytest.raises(NotANumberError, match="no real numbers"):
        apply_mask(image_of(np.zeros(SHAPE, dtype)), mask_of(np.ones(SHAPE)))


@pytest.mark.parametrize("shape", [(61,), (2, 59), (2, 2, 60), ()])
def test_wrong_number_of_voxels_is_refused(shape):
    with pytest.raises(MaskError, match="has 60 voxels, but the numbers have shape"):
        unmask(np.zeros(shape), mask_of(np.ones(SHAPE)))


@pytest.mark.parametrize(
    ("dtype", "fill", "expected"),
    [
        (np.float32, 0, np.float32),
        (np.float64, np.nan, np.float64),
        (np.int16, -3, np.int16),
        (np.int16, np.nan, np.float32),
        (np.int16, 0.5, np.float32),
        (np.uint8, -1, np.float32),
        (np.int32, np.inf, np.float64),
        (bool, 0, np.uint8),
        (bool, 1, np.uint8),
        (np.float16, 0, np.float32),
    ],
)
def test_type_holds_the_numbers_and_what_lies_around_them(dtype, fill, expected):
    inside = np.arange(60).reshape(SHAPE) < 30

    image = unmask(np.ones(30, dtype), mask_of(inside), fill=fill)

    assert image.get_data_dtype() == expected
    assert_array_equal(np.asarray(image.dataobj)[~inside], np.full(30, fill, expected))
    assert_array_equal(np.asarray(image.dataobj)[inside], 1)


@pytest.mark.parametrize("values", [[None] * 60, ["a"] * 60, np.ones(60) * 1j])
def test_what_is_no_number_cannot_be_put_into_an_image(values):
    with pytest.raises(NotANumberError, match="no real numbers"):
        unmask(values, mask_of(np.ones(SHAPE)))


def test_repetition_time_goes_into_the_header_of_a_run():
    image = unmask(np.ones((3, 60)), mask_of(np.ones(SHAPE)), tr_s=2.4)

    assert repetition_time_s(image) == pytest.approx(2.4, rel=1e-6)


def test_volume_has_no_repetition_time():
    assert len(unmask(np.ones(60), mask_of(np.ones(SHAPE)), tr_s=2.4).header.get_zooms()) == 3


def test_mask_of_one_voxel_and_image_of_one_volume():
    inside = np.zeros(SHAPE, bool)
    inside[1, 2, 3] = True
    mask = Mask(grid=Grid(shape=SHAPE, affine=AFFINE), inside=inside)

    values = apply_mask(image_of(np.arange(60.0).reshape(*SHAPE, 1)), mask)

    assert values.tolist() == [[33.0]]
    assert unmask(values, mask).get_fdata()[1, 2, 3].tolist() == [33.0]
