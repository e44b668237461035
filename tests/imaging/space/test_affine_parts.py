"""Taking affines apart and putting them together: laws, and what the parts mean."""

import itertools
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel import affines as nibabel_affines
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import AffineError
from neuroprimer.imaging.space.affine_parts import AffineParts, compose, decompose
from neuroprimer.imaging.space.rotations import require_rotation, rotation
from neuroprimer.imaging.space.transforms import reflection, scaling, shearing, translation

coordinates = st.floats(-300, 300)
triples = st.tuples(coordinates, coordinates, coordinates)
turns = st.builds(
    rotation,
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1),
    st.floats(-np.pi, np.pi),
)
sizes_mm = st.floats(0.2, 10)
zooms = st.tuples(sizes_mm, sizes_mm, sizes_mm)
extreme_sizes_mm = st.floats(-6, 6).map(lambda power: 10.0**power)
extreme_zooms = st.tuples(extreme_sizes_mm, extreme_sizes_mm, extreme_sizes_mm)
shears = st.tuples(*[st.floats(-5, 5)] * 3)
signs = st.sampled_from(list(itertools.product((-1.0, 1.0), repeat=3)))
orders = st.sampled_from(list(itertools.permutations(range(3))))


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Draw sheared, mirrored, permuted affines, and flakes and needles of voxels."""
    shear = np.eye(3)
    shear[np.triu_indices(3, k=1)] = draw(shears)
    sheared = draw(turns)[:3, :3] @ (np.array(draw(zooms))[:, np.newaxis] * shear)
    stretched = sheared * np.multiply(draw(extreme_zooms), draw(signs))
    return nibabel_affines.from_matvec(stretched[:, draw(orders)], draw(triples))


@st.composite
def any_affines(draw: st.DrawFn) -> np.ndarray:
    """Draw nine numbers that have a way back."""
    matrix = draw(
        hnp.arrays(float, (3, 3), elements=st.floats(-9, 9)).filter(
            lambda matrix: np.linalg.cond(matrix) < 1e6  # some are all zeros
        )
    )
    return nibabel_affines.from_matvec(matrix, draw(triples))


def assert_same_affine(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare steps along each voxel axis by their own length."""
    assert_array_equal(found[3], expected[3])
    lengths = np.linalg.norm(expected[:3], axis=0) + np.finfo(float).tiny
    assert_allclose(found[:3] / lengths, expected[:3] / lengths, rtol=0, atol=1e-14)


@given(affine=st.one_of(affines(), any_affines()))
def test_compose_undoes_decompose(affine):
    assert_same_affine(compose(decompose(affine)), affine)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("flips", list(itertools.product((-1, 1), repeat=3)), ids=str)
def test_all_48_storage_orders_come_back_exactly(axes, flips):
    affine = np.eye(4)
    affine[:3, :3] = np.diag(np.multiply(flips, (1.5, 2.2, 3.3)))[:, axes]
    affine[:3, 3] = (90, -126, -72)

    parts = decompose(affine)

    assert_array_equal(compose(parts), affine)
    assert_array_equal(np.abs(parts.zooms), np.array((1.5, 2.2, 3.3))[list(axes)])
    assert_array_equal(parts.shears, 0)


@given(turn=turns, zooms=zooms, shears=shears, translation_mm=triples, mirrored=st.booleans())
def test_decompose_finds_the_parts_that_compose_was_given(
    turn, zooms, shears, translation_mm, mirrored
):
    zooms = np.multiply(zooms, (-1 if mirrored else 1, 1, 1))
    affine = compose(rotation=turn, zooms=zooms, shears=shears, translation_mm=translation_mm)

    parts = decompose(affine)

    # a shear by five leaves the axes a tenth of a degree from one plane
    assert_allclose(parts.zooms, zooms, rtol=1e-10)
    assert_allclose(parts.rotation, turn, rtol=0, atol=1e-11)
    assert_allclose(parts.shears, shears, rtol=0, atol=1e-10)
    assert_array_equal(parts.translation_mm, translation_mm)


@given(affine=st.one_of(affines(), any_affines()))
def test_parts_are_a_true_rotation_and_at_most_one_mirror(affine):
    parts = decompose(affine)

    turn = require_rotation(parts.rotation)[:3, :3]
    assert_allclose(turn.T @ turn, np.eye(3), rtol=0, atol=1e-14)
    assert_allclose(np.linalg.det(turn), 1, rtol=1e-14)
    assert (parts.zooms[1:] > 0).all()
    assert (parts.zooms[0] < 0) == (np.linalg.det(affine[:3, :3]) < 0)


@given(turn=turns, zooms=zooms, shears=shears, translation_mm=triples)
def test_compose_is_the_product_of_its_parts(turn, zooms, shears, translation_mm):
    xy, xz, yz = shears
    product = translation(translation_mm) @ turn @ scaling(zooms) @ shearing(xy=xy, xz=xz, yz=yz)

    affine = compose(rotation=turn, zooms=zooms, shears=shears, translation_mm=translation_mm)

    assert_same_affine(affine, product)


def test_mirrored_image_is_mirrored_along_i_and_not_turned():
    parts = decompose(np.diag([-2.0, 2, 2, 1]))

    assert_array_equal(parts.zooms, [-2, 2, 2])
    assert_array_equal(parts.rotation, np.eye(4))


def test_mirror_along_j_is_a_mirror_along_i_and_half_a_turn():
    parts = decompose(np.diag([2.0, -2, 2, 1]))

    assert_array_equal(parts.zooms, [-2, 2, 2])
    assert_allclose(parts.rotation, rotation("z", np.pi), atol=1e-15)


def test_compose_of_nothing_changes_nothing():
    assert_array_equal(compose(), np.eye(4))


def test_part_can_be_exchanged():
    affine = compose(rotation=rotation("x", 0.3), zooms=(2, 2, 3), translation_mm=(1, 2, 3))

    finer = compose(decompose(affine), zooms=(1, 1, 1))

    assert_allclose(finer[:3, :3], rotation("x", 0.3)[:3, :3], rtol=0, atol=1e-15)
    assert_array_equal(finer[:3, 3], (1, 2, 3))


def test_arguments_are_not_changed():
    zooms = np.array([2.0, 2, 3])
    affine = compose(zooms=zooms)

    decompose(affine)
    zooms[0] = 5

    assert_array_equal(affine, np.diag([2.0, 2, 3, 1]))


def test_parts_cannot_be_changed():
    parts = AffineParts()

    with pytest.raises(ValueError, match="read-only"):
        parts.zooms[0] = 2
    with pytest.raises(FrozenInstanceError):
        parts.zooms = np.ones(3)


def test_repr_names_every_part():
    affine = compose(
        rotation=rotation((0, 0, 3), np.pi / 6),
        zooms=(-2, 2, 3.25),
        shears=(0, 0, 0.125),
        translation_mm=(90, -126, -72),
    )

    assert repr(decompose(affine)) == (
        "AffineParts: translation (90, -126, -72) mm, rotation 30 degrees about (0, 0, 1), "
        "zooms (-2, 2, 3.25) mm per voxel, shears (0, 0, 0.125)"
    )


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"zooms": (2, 0, 2)}, "no volume"),
        ({"zooms": 2}, "zooms is three finite numbers"),
        ({"zooms": (1, 2, np.nan)}, "zooms is three finite numbers"),
        ({"shears": (1, 2)}, "shears is three finite numbers"),
        ({"translation_mm": "far"}, "translation_mm is made of real numbers"),
        ({"rotation": np.eye(3)}, r"shape \(4, 4\)"),
        ({"rotation": reflection("x")}, "determinant is -1"),
        ({"rotation": scaling(2)}, r"lengths are \[2.0, 2.0, 2.0\]"),
        ({"rotation": translation((1, 2, 3))}, r"translation is \[1.0, 2.0, 3.0\]"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else "",
)
def test_bad_parts_are_refused_in_words(parts, words):
    with pytest.raises(AffineError, match=words):
        compose(**parts)


@pytest.mark.parametrize("flat", [np.diag([2.0, 2, 0, 1]), np.diag([0.0, 0, 0, 1])])
def test_flat_affine_has_no_parts(flat):
    with pytest.raises(AffineError, match="cannot be inverted"):
        decompose(flat)
