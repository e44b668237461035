"""What the lesson on building affines says in its prose is what comes out."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

import neuroprimer
import neuroprimer_lessons
from neuroprimer.imaging import (
    decompose,
    euler_rotation,
    image_centre_mm,
    load_image,
    rotation,
    rotation_axis_angle,
    scaling,
    translation,
)

LESSON = Path(neuroprimer_lessons.__file__).parent / "building_affines" / "lesson.md"
PROSE = " ".join(LESSON.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def run():
    return load_image(neuroprimer.lesson("building-affines").data("example4d"))


def test_steps_of_the_run_are_those_in_the_prose(run):
    parts = decompose(run.affine)
    axis, angle_rad = rotation_axis_angle(parts.rotation)

    assert_allclose(parts.zooms, (-2, 2, 2.2), atol=1e-6)
    assert_allclose(axis, (1, 0, 0), atol=1e-6)
    assert np.degrees(angle_rad) == pytest.approx(9.3, abs=1e-4)
    assert f"goes up by {np.degrees(angle_rad):.1f} degrees" in PROSE
    assert np.abs(parts.shears).max() == pytest.approx(1e-9, abs=5e-10)
    length_mm, height_mm = (np.abs(parts.zooms) * run.shape[:3])[1:]
    assert f"96 voxels of 2 mm are {length_mm:.0f} mm" in PROSE
    assert f"2.2 mm are {height_mm:.0f} mm" in PROSE


def test_picture_of_the_last_step_is_that_of_the_whole_affine(run):
    parts = decompose(run.affine)
    product = translation(parts.translation_mm) @ parts.rotation @ scaling(parts.zooms)

    assert_allclose(product, run.affine, atol=1e-6)


def test_magnet_centre_lies_inside_the_run_and_index_zero_does_not(run):
    inside = np.linalg.inv(run.affine)[:3, 3]

    assert (inside > 0).all()
    assert (inside < np.array(run.shape[:3]) - 1).all()


def test_nine_degrees_instead_of_nine_point_three_cost_half_a_voxel(run):
    last = np.subtract(run.shape[:3], 1)
    slip = rotation("x", np.radians(9 - 9.3))
    from_corner = apply_affine(run.affine, last) - run.affine[:3, 3]

    assert np.linalg.norm(from_corner - slip[:3, :3] @ from_corner) == pytest.approx(1.0, abs=0.05)


def test_turn_about_the_origin_carries_the_run_away(run):
    centre_mm = image_centre_mm(run)
    moved_mm = apply_affine(rotation("x", np.radians(20)), centre_mm)

    assert np.linalg.norm(moved_mm - centre_mm) == pytest.approx(22, abs=0.5)
    assert moved_mm[2] > centre_mm[2]  # up
    assert moved_mm[1] < centre_mm[1]  # and back


@pytest.mark.parametrize(
    ("axis", "start", "end"), [("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y")]
)
def test_positive_turns_go_where_the_prose_says(axis, start, end):
    place = np.zeros(3)
    place["xyz".index(start)] = 1

    assert apply_affine(rotation(axis, 0.3), place)["xyz".index(end)] > 0


def test_other_programs_make_the_two_products_that_the_prose_names():
    x, y, z = np.radians([20, 30, 40])

    assert_allclose(
        euler_rotation((x, y, z), "Rx @ Ry @ Rz")[:3, :3], nib.eulerangles.euler2mat(z, y, x)
    )
    assert_allclose(
        euler_rotation((z, y, x), "Rz @ Ry @ Rx")[:3, :3],
        Rotation.from_euler("xyz", (x, y, z)).as_matrix(),
    )
