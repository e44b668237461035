"""Voxels of several files, or of formats that scale in their own way, against numpy."""

import bz2
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel.testing import data_path
from numpy.testing import assert_array_equal

from neuroprimer.imaging import ImageFileError, load_image, load_voxels
from neuroprimer.imaging.files.places import find_place, stamp_of
from neuroprimer.imaging.files.proxies import ForeignVoxels, StackedVoxels

NIBABEL_DATA = Path(data_path)
RNG = np.random.default_rng(0)
PARTS = (
    RNG.normal(size=(3, 4, 2, 1)),
    RNG.integers(0, 9, (3, 4, 2, 3)).astype(np.int16),
    RNG.normal(size=(3, 4, 2, 2)).astype(np.float32),
)
STACKED = StackedVoxels(parts=PARTS)
WHOLE = np.concatenate(PARTS, axis=3)

indices = hnp.basic_indices(WHOLE.shape, allow_ellipsis=True, allow_newaxis=True)


def test_stack_is_the_volumes_one_after_another():
    assert STACKED.shape == WHOLE.shape
    assert STACKED.dtype == np.float64
    assert_array_equal(np.asarray(STACKED), WHOLE)
    assert np.asarray(STACKED, np.float32).dtype == np.float32


@example(index=(slice(0), ...))
@example(index=(..., slice(None, None, -2)))
@given(index=indices)
def test_any_part_of_a_stack_is_what_numpy_cuts_out(index):
    assert_array_equal(STACKED[index], WHOLE[index])


@pytest.mark.parametrize("index", [[0, 2], (..., [5, 0, 5]), WHOLE > 0])
def test_lists_and_masks_choose_voxels_of_a_stack(index):
    assert_array_equal(STACKED[index], WHOLE[index])


@pytest.mark.parametrize("index", [(..., 6), (..., -7), 3])
def test_stack_ends_where_its_parts_do(index):
    with pytest.raises(IndexError, match="out of bounds"):
        STACKED[index]


def test_stack_cannot_be_had_without_a_copy():
    with pytest.raises(ValueError, match="only in a copy"):
        np.array(STACKED, copy=False)


def test_volume_is_read_from_its_own_file_alone(tmp_path):
    paths = [tmp_path / f"{number}.nii.gz" for number in range(3)]
    for number, path in enumerate(paths):
        nib.save(nib.Nifti1Image(np.full((2, 2, 2), number, np.int16), np.eye(4)), path)
    run = load_image(paths)
    paths[0].unlink()

    assert (run.dataobj[..., 2] == 2).all()
    with pytest.raises(ImageFileError, match="No such file"):
        run.dataobj[..., 0]


@pytest.mark.parametrize("name", ["phantom_varscale.PAR", "scaled+tlrc.HEAD", "tiny.mnc"])
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
@settings(max_examples=25)
@given(data=st.data())
def test_any_part_of_a_foreign_file_is_what_nibabel_reads(name, data):
    expected = np.asanyarray(nib.load(NIBABEL_DATA / name).dataobj)
    index = data.draw(hnp.basic_indices(expected.shape, allow_ellipsis=True))

    assert_array_equal(load_image(NIBABEL_DATA / name).dataobj[index], expected[index])


def test_foreign_voxels_keep_their_numbers_with_another_axis():
    proxy = nib.load(NIBABEL_DATA / "tiny.mnc").dataobj
    expected = np.asarray(proxy)

    run = ForeignVoxels.of(proxy, "tiny.mnc").reshape((10, 20, 20, 1))

    assert (run.shape, run.ndim, run.dtype) == ((10, 20, 20, 1), 4, np.dtype(np.float64))
    assert_array_equal(np.asarray(run)[..., 0], expected)
    assert_array_equal(run[..., 0], expected)
    assert_array_equal(run[[1, 3]], expected[[1, 3], ..., None])
    assert run[:0].shape == (0, 20, 20, 1)


def test_foreign_voxels_that_cannot_be_read_are_refused_in_words(tmp_path):
    path = tmp_path / "run.nii.bz2"
    nib.save(nib.Nifti1Image(RNG.normal(size=(20, 20, 20)), np.eye(4)), path)
    content = bytearray(bz2.decompress(path.read_bytes()))
    path.write_bytes(bz2.compress(content[:-1000]))

    image = load_image(path)  # the first voxel is there

    with pytest.raises(ImageFileError, match="Cannot read the voxels") as caught:
        load_voxels(image)
    assert caught.value.hint
    with pytest.raises(ImageFileError, match="Cannot read the voxels"):
        image.dataobj[..., -1]
    with pytest.raises(ImageFileError, match="Cannot read the voxels"):
        image.get_fdata()


def test_file_without_its_voxels_is_refused_when_it_is_opened(tmp_path):
    for ending in ("HEAD", "BRIK"):
        content = (NIBABEL_DATA / f"scaled+tlrc.{ending}").read_bytes()
        (tmp_path / f"scaled+tlrc.{ending}").write_bytes(content if ending == "HEAD" else b"")

    with pytest.raises(ImageFileError, match="Cannot read the voxels"):
        load_image(tmp_path / "scaled+tlrc.HEAD")


def test_place_of_a_list_is_none():
    assert find_place([0, 1], (3, 4)) is None
    assert find_place((None, 0), (3, 4)) is None


def test_stamp_changes_when_a_file_is_replaced_by_one_of_the_same_length(tmp_path):
    path, other = tmp_path / "one", tmp_path / "other"
    path.write_bytes(b"12")
    other.write_bytes(b"34")
    before = stamp_of(path)

    other.replace(path)

    assert stamp_of(path) != before
