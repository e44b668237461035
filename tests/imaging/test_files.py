"""Files: what opens, what is refused, and times that can be believed."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.testing import data_path
from numpy.testing import assert_array_equal

from neuroprimer.imaging import (
    ImageFileError,
    RepetitionTimeError,
    load_image,
    memory_bytes,
    repetition_time_s,
)

NIBABEL_DATA = Path(data_path)


@pytest.mark.parametrize(
    "name",
    ["example4d.nii.gz", "functional.nii", "anatomical.nii", "example_nifti2.nii.gz", "test.mgz"],
)
def test_image_is_what_nibabel_reads_and_stays_on_disk(name):
    image = load_image(NIBABEL_DATA / name)

    assert not image.in_memory
    assert_array_equal(np.asanyarray(image.dataobj), nib.load(NIBABEL_DATA / name).dataobj)


def run_with_tr(stored: float, unit: str) -> nib.Nifti1Image:
    run = nib.Nifti1Image(np.zeros((2, 2, 2, 3), dtype=np.float32), np.eye(4))
    run.header.set_zooms((1, 1, 1, stored))
    run.header.set_xyzt_units("mm", unit)
    return run


@pytest.mark.parametrize(("stored", "unit"), [(2.5, "sec"), (2500, "msec"), (2.5e6, "usec")])
def test_repetition_time_is_given_in_seconds_whatever_the_unit(stored, unit):
    assert repetition_time_s(run_with_tr(stored, unit)) == pytest.approx(2.5, rel=1e-6)


def test_header_that_lies_about_its_unit_is_not_believed():
    run = load_image(NIBABEL_DATA / "example4d.nii.gz")

    with pytest.raises(RepetitionTimeError, match=r"2000 s cannot be right.*'sec'"):
        repetition_time_s(run)
    assert repetition_time_s(run, unit="msec") == 2.0


@pytest.mark.parametrize("stored", [0, float("nan"), 31])
def test_impossible_repetition_time_is_refused(stored):
    with pytest.raises(RepetitionTimeError, match="cannot be right"):
        repetition_time_s(run_with_tr(stored, "sec"))


def test_unit_of_time_must_be_known():
    with pytest.raises(RepetitionTimeError, match="'unknown' is not a unit of time"):
        repetition_time_s(run_with_tr(2, "unknown"))


def test_image_without_time_has_no_repetition_time():
    with pytest.raises(RepetitionTimeError, match="no time axis"):
        repetition_time_s(load_image(NIBABEL_DATA / "anatomical.nii"))


def test_memory_is_what_numpy_takes():
    image = load_image(NIBABEL_DATA / "functional.nii")

    assert memory_bytes(image) == image.get_fdata().nbytes
    assert memory_bytes(image, np.float32) == image.get_fdata(dtype=np.float32).nbytes


def test_missing_file_is_named_with_its_folder(tmp_path):
    with pytest.raises(ImageFileError, match=r"no such file.*exists; look"):
        load_image(tmp_path / "gone.nii")
    with pytest.raises(ImageFileError, match="does not exist either"):
        load_image(tmp_path / "no-folder" / "gone.nii")


def test_folder_is_no_image(tmp_path):
    with pytest.raises(ImageFileError, match="it is a folder"):
        load_image(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.nii", b""),
        ("text.nii.gz", b"not an image"),
        ("cut.nii.gz", (NIBABEL_DATA / "example4d.nii.gz").read_bytes()[:200]),
        ("text-inside.nii.gz", gzip.compress(b"not an image" * 100)),
        ("unknown.xyz", b"???"),
    ],
)
def test_damaged_file_is_refused_in_words(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(ImageFileError, match="as an image") as caught:
        load_image(file)
    assert caught.value.hint


def test_flipped_bits_are_refused_in_words(tmp_path):
    packed = bytearray((NIBABEL_DATA / "example4d.nii.gz").read_bytes())
    for place in range(20, 60):
        packed[place] ^= 0xFF
    file = tmp_path / "flipped.nii.gz"
    file.write_bytes(packed)

    with pytest.raises(ImageFileError, match="as an image"):
        load_image(file)


def test_surface_is_no_image():
    file = Path(nib.__file__).parent / "gifti" / "tests" / "data" / "ascii.gii"

    with pytest.raises(ImageFileError, match="no voxels in space"):
        load_image(file)
