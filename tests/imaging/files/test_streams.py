"""Images from open files: the same as from their paths, wherever the file stands."""

import gzip
import io
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.testing import data_path
from numpy.testing import assert_array_equal

from neuroprimer.imaging import ImageFileError, load_image, load_voxels, repetition_time_s
from neuroprimer.imaging.describing import describe

NIBABEL_DATA = Path(data_path)
NAMES = ["example4d.nii.gz", "functional.nii", "example_nifti2.nii.gz", "test.mgz"]

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.parametrize("name", NAMES)
def test_open_file_gives_the_image_of_its_path(name):
    path = NIBABEL_DATA / name

    with path.open("rb") as file:
        image = load_image(file)
        assert not file.closed

    assert_array_equal(image.get_fdata(), load_image(path).get_fdata())
    assert_array_equal(load_voxels(image), load_voxels(load_image(path)))
    assert load_voxels(image).dtype == load_voxels(load_image(path)).dtype
    assert image.header == load_image(path).header
    assert_array_equal(image.affine, load_image(path).affine)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pack", [gzip.compress, gzip.decompress, bytes])
def test_bytes_are_read_compressed_or_not(name, pack):
    content = (NIBABEL_DATA / name).read_bytes()
    if (content[:2] == b"\x1f\x8b") is (pack is gzip.compress):
        pack = bytes
    if pack is gzip.decompress and content[:2] != b"\x1f\x8b":
        pack = bytes

    image = load_image(io.BytesIO(pack(content)))

    assert_array_equal(image.get_fdata(), load_image(NIBABEL_DATA / name).get_fdata())


def test_bytes_of_several_members_are_one_image():
    content = (NIBABEL_DATA / "functional.nii").read_bytes()
    packed = b"".join(gzip.compress(content[at : at + 5000]) for at in range(0, len(content), 5000))

    image = load_image(io.BytesIO(packed + b"garbage"))

    assert repetition_time_s(image) == 2.0
    assert_array_equal(image.get_fdata(), load_image(NIBABEL_DATA / "functional.nii").get_fdata())


def test_image_is_read_from_where_the_file_stands():
    file = io.BytesIO(b"before it" + (NIBABEL_DATA / "functional.nii").read_bytes())
    file.seek(9)

    assert load_image(file).shape == (17, 21, 3, 20)


def test_file_that_was_read_already_is_refused_with_what_to_do():
    with (NIBABEL_DATA / "functional.nii").open("rb") as file:
        load_image(file)
        with pytest.raises(ImageFileError, match=r"holds from here on \(0 bytes\)") as caught:
            load_image(file)
    assert ".seek(0)" in caught.value.hint
    assert "functional.nii" in caught.value.message


def test_image_of_an_open_file_is_described():
    with (NIBABEL_DATA / "functional.nii").open("rb") as file:
        found = describe(file)

    assert (found.dtype_on_disk, found.dtype_in_memory, found.tr_s) == ("int16", "float32", 2.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: io.StringIO("text"), "gives a str, where bytes are expected"),
        (lambda: io.BytesIO(b""), "neither a NIfTI nor an MGH"),
        (lambda: io.BytesIO(b"text"), "neither a NIfTI nor an MGH"),
        (lambda: io.BytesIO(gzip.compress(b"text")), "neither a NIfTI nor an MGH"),
        (lambda: io.BytesIO(b"\x1f\x8b"), "Cannot read an image"),
        (lambda: io.BytesIO(b"\0\0\0\1" + bytes(8)), "Cannot read an image"),
        (lambda: io.BytesIO(b"\0\0\0\1" + b"\0\0\1\0" * 4 + bytes(900)), "Cannot"),
    ],
)
def test_open_file_without_an_image_is_refused_in_words(make, says):
    with make() as file, pytest.raises(ImageFileError, match=says) as caught:
        load_image(file)
    assert caught.value.hint


def test_file_that_is_open_for_writing_is_refused_in_words(tmp_path):
    with (tmp_path / "new.nii").open("wb") as file, pytest.raises(ImageFileError, match="read"):
        load_image(file)


def test_closed_file_is_refused_in_words():
    file = io.BytesIO()
    file.close()

    with pytest.raises(ImageFileError, match="closed file"):
        load_image(file)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bytes_that_are_cut_off_are_refused(pack):
    content = (NIBABEL_DATA / "functional.nii").read_bytes()

    with pytest.raises(ImageFileError) as caught:
        load_image(io.BytesIO(pack(content[:-1])))
    assert caught.value.hint


def test_damage_behind_the_voxels_is_noticed():
    packed = bytearray((NIBABEL_DATA / "example4d.nii.gz").read_bytes())
    packed[-5] ^= 1

    with pytest.raises(ImageFileError, match="Cannot read an image"):
        load_image(io.BytesIO(packed))


def test_damage_far_behind_the_voxels_is_noticed():
    behind = bytearray(gzip.compress(np.random.default_rng(0).bytes(200_000)))
    behind[-5] ^= 1
    packed = gzip.compress((NIBABEL_DATA / "functional.nii").read_bytes()) + behind

    with pytest.raises(ImageFileError, match="Cannot read an image"):
        load_image(io.BytesIO(packed))


def test_affine_that_places_no_voxel_is_refused():
    content = bytearray((NIBABEL_DATA / "functional.nii").read_bytes())
    np.frombuffer(content, nib.Nifti1Header.template_dtype, 1)["srow_x"] = np.nan

    with pytest.raises(ImageFileError, match="places no voxel in the world"):
        load_image(io.BytesIO(content))


def test_header_that_asks_for_terabytes_gets_none():
    content = bytearray((NIBABEL_DATA / "functional.nii").read_bytes())
    np.frombuffer(content, nib.Nifti1Header.template_dtype, 1)["dim"] = [4, *[30_000] * 4, 1, 1, 1]

    for packed in (bytes(content), gzip.compress(content)):
        with pytest.raises(ImageFileError, match="can hold no more than"):
            load_image(io.BytesIO(packed))


def test_no_more_is_inflated_than_the_image_needs():
    content = (NIBABEL_DATA / "functional.nii").read_bytes()
    bomb = gzip.compress(content) + gzip.compress(bytes(64 << 20), 1)

    tracemalloc.start()
    try:
        image = load_image(io.BytesIO(bomb))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert image.shape == (17, 21, 3, 20)
    assert peak < 8 << 20
