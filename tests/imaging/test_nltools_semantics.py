"""The page for those who come from nltools is true, and what keeps its name keeps its meaning.

Answers of nltools 0.5.1 are frozen in ``oracles``, whose README says how closely to compare. What
concerns one function alone (thresholds, tests, regions, models) is compared in its own tests.
"""

import re
from operator import add, mul, sub, truediv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer import imaging
from neuroprimer.imaging import (
    BrainData,
    detrend,
    extract_roi,
    find_spikes,
    r_to_z,
    scale,
    smooth,
    split_regions,
    standardize,
    temporal_resample,
    threshold,
    z_to_r,
)

ORACLE = np.load(Path(__file__).parent / "oracles" / "nltools_0_5_1.npz", allow_pickle=False)
PAGE = (Path(__file__).parents[2] / "book/nltools.md").read_text()

# What our column of the tables takes from Python.
BUILTIN = {"len", "repr"}


def oracle_image(name: str) -> nib.Nifti1Image:
    return nib.Nifti1Image(ORACLE[f"input/{name}"], ORACLE["input/affine"])


def as_float64(brain: BrainData) -> BrainData:
    return BrainData(brain.data.astype(np.float64), brain.mask)


@pytest.fixture
def brain() -> BrainData:
    return BrainData(oracle_image("image"), oracle_image("mask"))


@pytest.fixture
def correlations() -> BrainData:
    return BrainData(ORACLE["input/correlations"], oracle_image("mask"))


def assert_same_in_float32(found, case):
    assert_array_equal(
        np.asarray(found, np.float32).ravel(), ORACLE[case].astype(np.float32).ravel()
    )


def assert_near_largest(found, case):
    expected = ORACLE[case].ravel()
    assert_allclose(np.ravel(found), expected, rtol=0, atol=1e-6 * np.abs(expected).max())


# The page


def method_rows(page: str) -> list[list[str]]:
    """Return the cells of the tables about methods of nltools 0.5.1."""
    section = page.partition("## Method by method")[2].partition("\n## ")[0]
    return table_rows(section)


def table_rows(text: str) -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    return [cells for cells in rows if cells[1] != "neuroprimer"]


def middle_cells(page: str) -> list[str]:
    """Return what stands for us in the tables; in the first one it is the third column."""
    first, _, others = page.partition("## Method by method")
    cells = [row[2] for row in table_rows(first)[1:]] + [row[1] for row in table_rows(others)]
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def unknown_names(code: str) -> set[str]:
    """Return the names that a piece of code takes from us and that do not exist."""
    members = set(re.findall(r"\bdata\.(\w+)", code)) - set(dir(BrainData))
    piped = re.findall(r"\.pipe\((\w+)", code)
    called = set(re.findall(r"(?<![\w.])(\w+)\(", code)) - BUILTIN
    of_result = set(re.findall(r"\)\.(\w+)\(", code)) - set(dir(BrainData))
    return members | (({*piped} | called) - set(imaging.__all__)) | of_result


@pytest.mark.parametrize("method", ORACLE["methods"].tolist())
def test_each_method_of_nltools_stands_on_the_page(method):
    named = {name for row in method_rows(PAGE) for name in re.findall(r"`(\w+)`", row[0])}

    assert method in named


@pytest.mark.parametrize("code", sorted(set(middle_cells(PAGE))))
def test_page_names_only_what_exists(code):
    assert unknown_names(code) == set()


@pytest.mark.parametrize(
    ("code", "unknown"),
    [
        ("data.pipe(decompose_all)", {"decompose_all"}),
        ("data.shapes", {"shapes"}),
        ("(data * weights).total()", {"total"}),
        ("aligned([a, b])", {"aligned"}),
    ],
)
def test_names_that_do_not_exist_would_be_found(code, unknown):
    assert unknown_names(code) == unknown


def test_page_has_three_cells_in_each_row():
    assert {len(row) for row in method_rows(PAGE)} == {3}


# Making, indexing, writing


def test_table_of_numbers_is_that_of_nltools(brain):
    assert_same_in_float32(brain.data, "data/matrix")


def test_shape_and_len_of_many_images_are_those_of_nltools(brain):
    assert brain.shape == tuple(ORACLE["shape/many"])
    assert len(brain) == ORACLE["len/many"]


@pytest.mark.parametrize(
    ("case", "index"),
    [
        ("int_3", 3),
        ("int_-1", -1),
        ("slice_2_14_5", slice(2, 14, 5)),
        ("list_7_0_7", [7, 0, 7]),
        ("bool_every_7th_from_2", np.arange(20) % 7 == 2),
    ],
)
def test_index_chooses_what_nltools_chooses(brain, case, index):
    assert_same_in_float32(brain[index].data, f"index/{case}")


@pytest.mark.parametrize(("index", "tr_s"), [(slice(0, 9, 3), 6), ([0, 1, 5], None)])
def test_repetition_time_follows_equal_steps_only(brain, index, tr_s):
    brain.tr_s = 2

    assert brain[index].tr_s == tr_s


def test_append_puts_images_at_the_end(brain):
    assert_same_in_float32(brain[:3].append(brain[5]).data, "append/images_0_to_2_and_5")


def test_one_image_takes_many(brain):
    assert_array_equal(brain[0].append(brain[1:4]).data, brain[:4].data)


@pytest.mark.parametrize(("case", "index"), [("images_0_to_2", slice(3)), ("image_3", 3)])
def test_way_back_to_an_image_is_that_of_nltools(brain, case, index):
    image = brain[index].to_nifti()

    assert image.shape == ORACLE[f"to_nifti/{case}"].shape
    assert_same_in_float32(image.get_fdata(), f"to_nifti/{case}")
    assert_array_equal(image.affine, ORACLE["input/affine"])


def test_smaller_mask_chooses_the_voxels_that_nltools_chooses(brain):
    inside = (ORACLE["input/labels"] == 1).astype(np.uint8)
    smaller = nib.Nifti1Image(inside, ORACLE["input/affine"])

    assert_same_in_float32(BrainData(brain[:3], mask=smaller).data, "apply_mask/label_1")


def test_region_of_a_label_is_its_mask_applied(brain):
    region = split_regions(brain[:3], oracle_image("labels"))[1]

    assert_same_in_float32(region.data, "apply_mask/label_1")


# Arithmetic and summaries


@pytest.mark.parametrize("operation", [add, sub, mul, truediv])
@pytest.mark.parametrize("other", ["2.5", "images"])
def test_operators_are_those_of_nltools(brain, operation, other):
    found = operation(brain[:3], brain[3:6] if other == "images" else 2.5)

    assert_same_in_float32(found.data, f"{operation.__name__}/{other}")


@pytest.mark.parametrize("operation", [add, sub, mul])
def test_operators_with_a_number_on_the_left_are_those_of_nltools(brain, operation):
    assert_same_in_float32(operation(2.5, brain[:3]).data, f"r{operation.__name__}/2.5")


@pytest.mark.parametrize("make", [np.asarray, list])
def test_sum_of_weighted_images_is_what_nltools_makes_of_a_list(brain, make):
    found = (as_float64(brain) * make(ORACLE["input/weights"])).sum()

    assert_allclose(found.data[0], ORACLE["mul/list"], rtol=1e-12)


@pytest.mark.parametrize("statistic", ["mean", "std"])
@pytest.mark.parametrize(("number", "axis"), [(0, "images"), (1, "voxels")])
def test_summaries_are_those_of_nltools(brain, statistic, number, axis):
    assert_near_largest(getattr(brain, statistic)(axis), f"{statistic}/axis_{number}")


@pytest.mark.parametrize(("number", "axis"), [(0, "images"), (1, "voxels")])
def test_median_is_that_of_nltools(brain, number, axis):
    assert_same_in_float32(brain.median(axis), f"median/axis_{number}")


def test_sum_is_that_of_nltools(brain):
    assert_near_largest(brain.sum(), "sum/axis_0")


@pytest.mark.parametrize("statistic", ["mean", "std", "median", "sum"])
def test_nltools_summarises_one_image_over_voxels(brain, statistic):
    assert_near_largest(getattr(brain[3], statistic)("voxels"), f"{statistic}/image_3")


# Time and space


@pytest.mark.parametrize(("case", "index"), [("fwhm_6", slice(3)), ("image_3_fwhm_6", 3)])
def test_smoothing_in_zeros_is_that_of_nltools(brain, case, index):
    found = smooth(brain[index], fwhm_mm=6, edges="zero").data

    expected = ORACLE[f"smooth/{case}"].reshape(found.shape)
    assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_smoothing_differs_from_nltools_by_default(brain):
    found = smooth(brain[:3], fwhm_mm=6).data

    assert np.abs(found - ORACLE["smooth/fwhm_6"]).max() > 1


@pytest.mark.parametrize("method", ["center", "zscore"])
@pytest.mark.parametrize(("number", "axis"), [(0, "images"), (1, "voxels")])
def test_standardized_images_are_those_of_nltools(brain, method, number, axis):
    found = standardize(brain, axis=axis, method=method).data

    assert_allclose(found, ORACLE[f"standardize/{method}_axis_{number}"], rtol=0, atol=1e-5)


def test_default_is_to_divide_by_the_standard_deviation(brain):
    assert_allclose(standardize(brain).data, ORACLE["standardize/zscore_axis_0"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("to", [100, 10000])
def test_scaled_images_are_those_of_nltools(brain, to):
    assert_near_largest(scale(brain, to=to).data, f"scale/{to}")


def test_default_scale_is_that_of_nltools(brain):
    assert_near_largest(scale(brain).data, "scale/100")


@pytest.mark.parametrize("method", ["linear", "constant"])
def test_trend_is_that_of_nltools(brain, method):
    found = detrend(brain, method=method).data

    assert_allclose(found, ORACLE[f"detrend/{method}"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("function", [r_to_z, z_to_r])
def test_transforms_of_correlations_are_those_of_nltools(correlations, function):
    found = function(correlations).data

    assert_allclose(found, ORACLE[f"{function.__name__}/correlations"], rtol=0, atol=5e-7)


def test_images_that_stand_out_are_those_of_nltools(brain):
    spikes = find_spikes(brain, global_cutoff_sd=1.5)

    found = np.flatnonzero(spikes["global_spike"])
    assert_array_equal(found, ORACLE["find_spikes/global_cutoff_1.5"])


def test_jump_marks_the_image_after_the_one_that_nltools_marks(brain):
    spikes = find_spikes(brain, diff_cutoff_sd=1.5)

    found = np.flatnonzero(spikes["diff_spike"])
    assert_array_equal(found, ORACLE["find_spikes/diff_cutoff_1.5"] + 1)


@pytest.mark.parametrize(("case", "tr_s", "n_beyond"), [("tr_2_to_5", 5, 0), ("tr_2_to_1", 1, 1)])
def test_new_times_are_those_of_nltools_up_to_the_last_image(brain, case, tr_s, n_beyond):
    run = as_float64(brain[:10])
    run.tr_s = 2

    found = temporal_resample(run, tr_s=tr_s).data

    expected = ORACLE[f"temporal_resample/{case}"]
    assert len(found) == len(expected) - n_beyond
    assert_allclose(found, expected[: len(found)], rtol=0, atol=1e-12)


# Defects of nltools 0.5.1 that are not repeated


def test_list_of_images_is_not_laid_end_to_end():
    volumes = ORACLE["input/image"]
    images = [nib.Nifti1Image(volumes[..., n], ORACLE["input/affine"]) for n in range(3)]

    found = BrainData(images, oracle_image("mask"))

    assert_array_equal(found.data, ORACLE["data/matrix"][:3])


def test_one_image_has_length_one(brain):
    assert len(brain[3]) == 1 != ORACLE["defect/len_of_one_image"]


def test_one_image_can_be_iterated_over(brain):
    assert [image.shape for image in brain[3]] == [(1, 224)]


def test_zero_takes_negative_numbers_away(brain):
    kept = threshold(brain[:3], upper=0).data

    assert kept.min() == 0 > ORACLE["defect/threshold_upper_0"].min()


def test_representation_needs_no_file_of_the_mask(brain):
    assert oracle_image("mask").get_filename() is None
    assert repr(brain).startswith("BrainData: 20 images x 224 voxels")


def test_gaps_between_labels_leave_no_region_without_signal(brain):
    labels = oracle_image("gapped_labels")

    assert extract_roi(brain, labels).notna().all(axis=None)
    assert list(split_regions(brain, labels)) == [2, 5, 9]
