"""Describing: every line of the description against what was put into the header."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nibabel.quaternions import angle_axis2mat
from nibabel.testing import data_path

from neuroprimer.imaging import Grid, ImageFileError, load_image, load_voxels
from neuroprimer.imaging.describing import _say_bytes, describe
from neuroprimer.imaging.files.times import write_time

NIBABEL_DATA = Path(data_path)
LAS = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1]])
TURN = np.eye(4)
TURN[:3, :3] = angle_axis2mat(np.radians(9.4), [1, 0, 0])
OBLIQUE = TURN @ LAS

axes = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1)


def make_run(shape=(4, 5, 6, 3), dtype=np.float32, affine=LAS) -> nib.Nifti1Image:
    run = nib.Nifti1Image(np.zeros(shape, dtype), affine)
    if len(shape) > 3:
        write_time(run.header, 2400, "msec")
    return run


def lines(description) -> dict[str, str]:
    return dict(description.rows())


def test_description_of_a_file_tells_everything(tmp_path):
    run = make_run(dtype=np.int16, affine=OBLIQUE)
    run.header.set_slope_inter(0.5, 10)
    run.set_qform(OBLIQUE, 1)
    run.set_sform(OBLIQUE, 1)
    nib.save(run, tmp_path / "run.nii.gz")

    found = describe(tmp_path / "run.nii.gz")

    assert found.kind == "Nifti1Image"
    assert found.shape == (4, 5, 6, 3)
    assert (found.slope, found.inter) == (0.5, 10)
    assert (found.dtype_on_disk, found.dtype_in_memory) == ("int16", "float32")
    assert found.grid.shape == (4, 5, 6)
    assert found.axis_codes == "LAS"
    assert found.obliquity_deg == pytest.approx(9.4, abs=1e-4)
    assert found.tr_s == pytest.approx(2.4)
    assert found.tr_stored == (2400, "msec")
    assert found.tr_problem is None
    assert found.form_codes == (1, 1)
    assert found.n_nan == 0
    assert repr(found).splitlines() == [
        "format                 Nifti1Image",
        "shape                  4 x 5 x 6 x 3",
        "voxels                 int16 on disk, float32 in memory, times 0.5 plus 10 on the way "
        "into memory",
        "grid                   " + repr(Grid.of(run)).removeprefix("Grid "),
        "axes                   LAS, oblique by up to 9.4 degrees",
        "repetition time        2.4 s, plausible; the header stores 2400 msec",
        "qform and sform        codes 1 and 1: they agree",
        "NaN or infinite        0",
        "memory, load_voxels()  1.44 kB",
        "memory, get_fdata()    2.88 kB",
        "memory, one volume     480 bytes",
    ]


def test_notebook_shows_the_same_as_a_table():
    found = describe(NIBABEL_DATA / "functional.nii")

    table = BeautifulSoup(found._repr_html_(), "html.parser").table

    assert table.caption.text == "Image"
    assert [tuple(cell.text for cell in row(["th", "td"])) for row in table("tr")] == [
        *found.rows()
    ]
    assert all(head["scope"] == "row" for head in table("th"))


def test_table_holds_text_and_no_markup():
    run = make_run()
    run.header["xyzt_units"] = 7

    html = describe(run)._repr_html_()

    assert "&#x27;unknown&#x27; is not a unit" in html


def test_image_in_memory_is_not_on_disk():
    found = describe(make_run())

    assert found.dtype_on_disk is None
    assert lines(found)["voxels"] == "float32 in memory"


def test_volume_has_no_line_about_time():
    found = describe(make_run((4, 5, 6)))

    assert "repetition time" not in lines(found)
    assert (found.tr_s, found.tr_stored) == (None, None)


def test_time_that_cannot_be_believed_is_explained():
    found = describe(NIBABEL_DATA / "example4d.nii.gz")

    assert found.tr_s is None
    assert found.tr_stored == (2000, "sec")
    assert lines(found)["repetition time"].startswith("none to believe: A repetition time of 2000")


# --- qform and sform ------------------------------------------------------------------------------


def with_forms(qform: np.ndarray, sform: np.ndarray, shape=(4, 5, 6)) -> nib.Nifti1Image:
    image = nib.Nifti1Image(np.zeros(shape, np.uint8), sform)
    image.header.set_qform(qform, 1)
    image.header.set_sform(sform, 2)
    return image


def farthest_corner_mm(one: np.ndarray, other: np.ndarray, shape) -> float:
    corners = np.array([[*index, 1] for index in np.ndindex(2, 2, 2)]) * [
        *(length - 1 for length in shape),
        1,
    ]
    return float(np.linalg.norm((corners @ (one - other).T)[:, :3], axis=1).max())


@given(angle=st.floats(0.01, 3.1), axis=axes, shift=st.tuples(*[st.floats(-20, 20)] * 3))
def test_angle_and_distance_between_forms_are_those_put_there(angle, axis, shift):
    turn = np.eye(4)
    turn[:3, :3] = angle_axis2mat(angle, axis)
    turn[:3, 3] = shift

    forms = describe(with_forms(LAS, turn @ LAS)).forms

    assert forms.angle_deg == pytest.approx(np.degrees(angle), abs=0.01)
    expected_mm = farthest_corner_mm(LAS, turn @ LAS, (4, 5, 6))
    assert forms.distance_mm == pytest.approx(expected_mm, abs=1e-3)
    assert not forms.is_mirrored
    assert not forms.agrees
    assert not forms.is_shear


def test_shift_alone_is_no_rotation():
    moved = LAS.copy()
    moved[:3, 3] += [3, 0, 4]

    found = describe(with_forms(LAS, moved))

    assert found.forms.distance_mm == pytest.approx(5, abs=1e-4)
    assert lines(found)["qform and sform"] == (
        "codes 1 and 2: apart by 0.00 degrees and up to 5.00 mm; nibabel takes the sform"
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirror_image_is_told_apart_from_a_rotation(axis):
    mirrored = LAS @ np.diag([*(-1 if number == axis else 1 for number in range(3)), 1])

    found = describe(with_forms(LAS, mirrored))

    assert found.forms.is_mirrored
    assert found.forms.angle_deg == pytest.approx(0, abs=1e-4)
    assert "one mirrors the other" in lines(found)["qform and sform"]


def test_shears_that_a_qform_cannot_hold_are_no_contradiction():
    sheared = LAS.copy()
    sheared[0, 1] = 0.4

    found = describe(with_forms(sheared, sheared))

    assert found.forms.is_shear
    assert found.forms.distance_mm > 0.1
    assert "they agree but for shears" in lines(found)["qform and sform"]


@pytest.mark.parametrize(
    ("codes", "says"),
    [((0, 0), "neither is set"), ((1, 0), "only one is set"), ((0, 4), "only one is set")],
)
def test_form_that_is_not_set_is_not_compared(codes, says):
    image = with_forms(LAS, LAS)
    image.header["qform_code"], image.header["sform_code"] = codes

    found = describe(image)

    assert found.forms is None
    assert lines(found)["qform and sform"] == "codes {} and {}: {}".format(*codes, says)


@pytest.mark.parametrize(
    "fields",
    [
        {"quatern_b": 5},
        {"quatern_c": np.nan},
        {"pixdim": 0},
        {"pixdim": np.inf},
        {"qoffset_x": 3e38},
    ],
)
def test_damaged_qform_is_told_and_no_error(tmp_path, fields):
    path = tmp_path / "image.nii"
    nib.save(with_forms(LAS, OBLIQUE), path)
    content = bytearray(path.read_bytes())
    header = np.frombuffer(content, nib.Nifti1Header.template_dtype, 1)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(content)

    text = lines(describe(path))["qform and sform"]

    assert text == "codes 1 and 2: one is damaged" or "apart by" in text


@pytest.mark.parametrize("name", ["test.mgz", "tiny.mnc", "scaled+tlrc.HEAD"])
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
def test_other_formats_have_no_forms(name):
    found = describe(NIBABEL_DATA / name)

    assert found.form_codes is None
    assert "qform and sform" not in lines(found)


# --- NaN and memory -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(4,), (4, 5), (4, 5, 6), (4, 5, 6, 3), (4, 5, 6, 1, 3), (4, 5, 6, 2, 3)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_every_nan_and_infinity_is_counted(tmp_path, shape, dtype, ending):
    voxels = np.ones(shape, dtype)
    voxels.reshape(-1)[[0, 2, 3]] = np.nan, np.inf, -np.inf
    nib.save(nib.Nifti1Image(voxels, LAS), tmp_path / f"image{ending}")

    assert describe(tmp_path / f"image{ending}").n_nan == 3
    assert describe(nib.Nifti1Image(voxels, LAS)).n_nan == 3


def test_nan_that_nibabel_brings_is_counted():
    assert describe(NIBABEL_DATA / "resampled_anat_moved.nii").n_nan == 153


def test_whole_numbers_and_colours_are_not_read_for_it(tmp_path):
    for dtype in (np.int16, [("R", "u1"), ("G", "u1"), ("B", "u1")]):
        path = tmp_path / "image.nii.gz"
        nib.save(nib.Nifti1Image(np.zeros((9, 9, 9), dtype), LAS), path)
        content = bytearray(path.read_bytes())
        content[-8:-4] = b"0000"  # a checksum that would not pass
        path.write_bytes(content)

        assert describe(path).n_nan == 0


def test_infinite_scaling_makes_whole_numbers_infinite(tmp_path):
    path = tmp_path / "image.nii"
    nib.save(nib.Nifti2Image(np.full((2, 2, 2), 9, np.int16), LAS), path)
    content = bytearray(path.read_bytes())
    header = np.frombuffer(content, nib.Nifti2Header.template_dtype, 1)
    header["scl_slope"], header["scl_inter"] = 1e308, 0
    path.write_bytes(content)

    assert np.isinf(load_voxels(load_image(path))).all()
    assert describe(path).n_nan == 8


def test_nan_is_not_counted_unless_it_is_asked_for(tmp_path):
    path = tmp_path / "image.nii.gz"
    nib.save(make_run(), path)
    path.write_bytes(path.read_bytes()[:-5] + b"00000")

    found = describe(path, count_nan=False)

    assert found.n_nan is None
    assert lines(found)["NaN or infinite"] == "not counted"
    with pytest.raises(ImageFileError, match="Cannot read the voxels"):
        describe(path)


def test_memory_of_each_way_is_what_numpy_takes():
    image = load_image(NIBABEL_DATA / "functional.nii")

    memory = describe(image).memory

    assert memory["load_voxels()"] == load_voxels(image).nbytes
    assert memory["get_fdata()"] == image.get_fdata().nbytes
    assert memory["one volume"] == load_voxels(image)[..., 0].nbytes


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_501, "1 MB"),
        (1_234_567, "1.23 MB"),
        (16 * 10**9, "16 GB"),
        (2 * 10**15, "2e+03 TB"),
    ],
)
def test_bytes_are_said_with_three_digits(size, text):
    assert _say_bytes(size) == text


def test_what_cannot_be_opened_is_not_described(tmp_path):
    (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"no image"))

    with pytest.raises(ImageFileError):
        describe(tmp_path / "text.nii.gz")
