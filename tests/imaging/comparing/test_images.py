"""Images: every slip earns its own words, and none of them gives a voxel away."""

import re

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroprimer.imaging import compare_images, make_head

AFFINE = np.array([[-2.0, 0, 0, 9], [0, 2, 0, -8], [0, 0, 2, -7], [0, 0, 0, 1]])

seeds = st.integers(0, 10**6)


def make_voxels(seed: int) -> np.ndarray:
    """Return voxels without any symmetry, in a frame of zeros."""
    draw = np.random.default_rng(seed)
    voxels = np.zeros((9, 9, 9))
    voxels[2:-2, 2:-2, 2:-2] = draw.uniform(-40.3, 90.7, (5, 5, 5))
    return voxels


def with_nan(v):
    changed = v.copy()
    changed[4, 4, 4] = np.nan
    return changed


def with_one_off(v):
    changed = v.copy()
    changed[4, 4, 4] += 30
    return changed


SLIPS = {
    "mirrored left-right": lambda v: v[::-1],
    "mirrored front to back": lambda v: v[:, ::-1],
    "mirrored top to bottom": lambda v: v[..., ::-1],
    "it is transposed": lambda v: v.transpose(0, 2, 1),
    "rounded to whole": np.rint,
    "cut to whole": np.trunc,
    "lost their sign": np.abs,
    "too large, by one and the same number": lambda v: v + 3.3,
    "too small, by one and the same number": lambda v: v - 3.3,
    "too large, by one and the same factor": lambda v: v * 3.3,
    "too small, by one and the same factor": lambda v: v / 3.3,
    "All voxels have the opposite sign[.]": lambda v: -v,
    "opposite sign, and another size": lambda v: -2.2 * v,
    "stretched and shifted": lambda v: (v - v.mean()) / v.std(),
    "shifted by whole voxels along its first axis": lambda v: np.roll(v, 1, 0),
    "shifted by whole voxels along its first and third axis": lambda v: np.roll(v, (2, -1), (0, 2)),
    "no picture": lambda v: v * 0,
    "interpolated twice": with_one_off,
    "another one: plot": lambda v: np.sort(v.ravel()).reshape(v.shape),
    "none should be": with_nan,
    "another number of voxels": lambda v: v[1:],
    "too many axes": lambda v: np.stack([v, v], axis=-1),
}


@pytest.mark.parametrize(("words", "slip"), SLIPS.items(), ids=SLIPS)
@settings(max_examples=12)
@given(seed=seeds)
def test_slip_earns_its_own_words(words, slip, seed):
    voxels = make_voxels(seed)

    said = compare_images(slip(voxels), nib.Nifti1Image(voxels, AFFINE))

    assert [others for others in SLIPS if re.search(others, said)] == [words]
    assert not re.search(r"\d", re.sub(r"\([^)]*\)", "", said))


@given(seed=seeds)
def test_same_image_of_any_type_is_met_with_silence(seed):
    voxels = make_voxels(seed).round()
    image = nib.Nifti1Image(voxels, AFFINE)
    forms = [image, nib.Nifti1Image(voxels.astype(np.int16), AFFINE), voxels, voxels.tolist()]

    for expected in (image, voxels):
        assert [compare_images(form, expected) for form in forms] == [""] * 4


def test_tolerance_is_a_part_of_the_range():
    voxels = make_voxels(1)
    found = voxels + 1e-4 * np.ptp(voxels) * np.random.default_rng(1).uniform(-1, 1, voxels.shape)

    assert compare_images(found, voxels)
    assert compare_images(found, voxels, tolerance=1.1e-4) == ""


def test_voxels_moved_without_the_header_and_header_without_voxels_are_told_apart():
    voxels = make_voxels(1)
    moved = AFFINE.copy()
    moved[0, 3] += 4
    expected = nib.Nifti1Image(voxels, AFFINE)

    only_voxels = compare_images(nib.Nifti1Image(np.roll(voxels, 1, 0), AFFINE), expected)
    only_header = compare_images(nib.Nifti1Image(voxels, moved), expected)
    both = compare_images(nib.Nifti1Image(np.roll(voxels, 1, 0), moved), expected)

    assert only_voxels.startswith("The picture is right, but shifted")
    assert only_header.startswith("The voxels are right. It lies elsewhere")
    assert both.endswith("The voxels differ, too.")


def test_image_that_was_not_moved_or_moved_to_the_other_side_is_noticed():
    before = make_voxels(1)
    expected = np.roll(before, (1, -2), (0, 1))

    assert "Nothing has changed" in compare_images(before, expected, before=before)
    assert "to the other side" in compare_images(
        np.roll(before, (-1, 2), (0, 1)), expected, before=before
    )
    assert "to the other side" not in compare_images(
        np.roll(before, (1, 2), (0, 1)), expected, before=before
    )


def test_nan_where_nan_should_be_is_right():
    voxels = with_nan(make_voxels(1))

    assert compare_images(voxels, voxels) == ""
    assert "None of its voxels is NaN" in compare_images(np.nan_to_num(voxels), voxels)
    assert "but others" in compare_images(np.roll(voxels, 1, 0), voxels)
    assert "same factor" in compare_images(2 * voxels, voxels)


def test_runs_are_compared_too():
    run = np.random.default_rng(1).uniform(0, 9, (4, 5, 6, 3))

    assert compare_images(run, run) == ""
    assert compare_images(run[..., ::-1], run) == "It is mirrored along its fourth axis."


def test_head_mirrored_in_storage_is_the_same_array_elsewhere():
    head = make_head((10, 12, 10))

    assert compare_images(head, head) == ""


def test_image_with_colours_gets_a_sentence():
    colours = np.zeros((9, 9, 9), [("R", "u1"), ("G", "u1"), ("B", "u1")])

    assert "Expected an image" in compare_images(nib.Nifti1Image(colours, AFFINE), make_voxels(1))


def test_damaged_file_gets_a_sentence(tmp_path):
    nib.save(nib.Nifti1Image(make_voxels(1), AFFINE), tmp_path / "one.nii")
    image = nib.load(tmp_path / "one.nii")
    (tmp_path / "one.nii").write_bytes((tmp_path / "one.nii").read_bytes()[:900])

    assert "cannot be read" in compare_images(image, make_voxels(1))


def test_odd_answer_gets_a_sentence(odd_answer):
    assert re.fullmatch(r"(?s)[A-Z].+[.a-z]", compare_images(odd_answer, make_voxels(1)))
