"""Grids: same place or not."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from neuroprimer.imaging import (
    Grid,
    GridMismatchError,
    bounding_box_mm,
    require_same_grid,
    same_grid,
    voxel_to_world,
)

OBLIQUE = np.array([[-2, 0, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])


def test_grid_of_a_run_leaves_time_out():
    run = nib.Nifti1Image(np.zeros((4, 5, 6, 7), dtype=np.uint8), OBLIQUE)

    assert Grid.of(run).shape == (4, 5, 6)


def test_grid_of_a_slice_has_three_axes():
    flat = nib.Nifti1Image(np.zeros((4, 5), dtype=np.uint8), OBLIQUE)

    assert Grid.of(flat).shape == (4, 5, 1)


def test_repr_names_everything_that_makes_the_grid():
    text = repr(Grid(shape=(4, 5, 6), affine=OBLIQUE))

    assert text == (
        "Grid 4 x 5 x 6, voxels 2 x 1.996 x 2.2 mm, axes LAS, first voxel at (90, -35, -7) mm"
    )


@given(shift_mm=st.floats(0, 1), tolerance_mm=st.floats(1e-6, 1))
def test_grids_are_the_same_up_to_the_tolerance(shift_mm, tolerance_mm):
    one = Grid(shape=(10, 10, 10), affine=OBLIQUE)
    moved = OBLIQUE.copy()
    moved[0, 3] += shift_mm
    apart_mm = moved[0, 3] - OBLIQUE[0, 3]  # what is left of the shift after rounding

    same = same_grid(one, Grid(shape=(10, 10, 10), affine=moved), tolerance_mm=tolerance_mm)

    if abs(apart_mm - tolerance_mm) > 1e-9:
        assert same == (apart_mm < tolerance_mm)


def test_small_turn_of_a_large_grid_is_noticed_at_its_corners():
    turned = np.eye(4)
    turned[0, 1] = 1e-5

    one = Grid(shape=(256, 256, 256), affine=np.eye(4))

    assert same_grid(one, Grid(shape=(10, 10, 10), affine=np.eye(4))) is False
    assert same_grid(one, Grid(shape=(256, 256, 256), affine=turned)) is False


def test_mismatch_names_both_grids():
    one = Grid(shape=(4, 5, 6), affine=np.eye(4))
    other = Grid(shape=(4, 5, 7), affine=np.eye(4))

    with pytest.raises(GridMismatchError, match=r"Apply the mask.*4 x 5 x 6.*4 x 5 x 7"):
        require_same_grid(one, other, what="Apply the mask")


def test_repr_never_fails():
    assert "axes RA?" in repr(Grid(shape=(1, 1, 1), affine=np.diag([1.0, 1, 0, 1])))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6, 7), (0, 5, 6), (2.7, 3, 4), "abc", 5])
def test_grid_needs_three_positive_whole_lengths(shape):
    with pytest.raises(GridMismatchError, match="three positive whole lengths"):
        Grid(shape=shape, affine=np.eye(4))


def test_affine_of_a_grid_cannot_be_changed_from_outside():
    affine = np.eye(4)
    grid = Grid(shape=(2, 2, 2), affine=affine)

    affine[0, 3] = 5

    assert grid.affine[0, 3] == 0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 3] = 5


def test_bounding_box_holds_every_voxel():
    grid = Grid(shape=(3, 4, 5), affine=OBLIQUE)
    every_voxel = voxel_to_world(OBLIQUE, np.stack(np.indices((3, 4, 5)), axis=-1)).reshape(-1, 3)

    low, high = bounding_box_mm(grid)

    assert_allclose(low, every_voxel.min(axis=0), rtol=0, atol=1e-12)
    assert_allclose(high, every_voxel.max(axis=0), rtol=0, atol=1e-12)
