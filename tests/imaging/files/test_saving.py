"""Saving: what was there or what is new, never half of it, and the numbers that were meant."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from textwrap import dedent

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel.testing import data_path
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import (
    ImageFileError,
    QuantisationWarning,
    load_image,
    load_voxels,
    repetition_time_s,
    save_image,
)
from neuroprimer.imaging.files.saving import default_dtype
from neuroprimer.imaging.files.times import write_time
from neuroprimer.imaging.files.voxels import VoxelTypeError

NIBABEL_DATA = Path(data_path)
OBLIQUE = np.array([[-2, 0, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])
ENDINGS = [".nii", ".nii.gz", ".mgh", ".mgz"]

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)


def make_image(voxels: np.ndarray, affine: np.ndarray = OBLIQUE) -> nib.Nifti1Image:
    """Return an image that is given any array, also of types that no file holds."""
    image = nib.Nifti1Image(np.zeros(voxels.shape, np.uint8), affine)
    image._dataobj = voxels
    return image


def reals(shape: tuple[int, ...] = (3, 4, 5), dtype: type = np.float64) -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, shape).astype(dtype)


# --- numbers --------------------------------------------------------------------------------------

shapes = hnp.array_shapes(min_dims=3, max_dims=4, max_side=4)
KINDS = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">i2", ">f4", "c8", "c16", "?"]


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@given(data=st.data())
def test_what_is_saved_in_its_own_type_is_loaded_again(tmp_path_factory, ending, data):
    dtype = np.dtype(data.draw(st.sampled_from(KINDS)))
    voxels = data.draw(hnp.arrays(dtype, data.draw(shapes)))
    stored = np.uint8 if dtype.kind == "b" else dtype
    path = tmp_path_factory.mktemp("law") / f"image{ending}"

    loaded = load_image(save_image(make_image(voxels), path, dtype=stored))

    assert load_voxels(loaded).dtype == np.dtype(stored).newbyteorder("=")
    assert_array_equal(load_voxels(loaded), voxels)
    assert_allclose(loaded.affine, OBLIQUE, atol=1e-6)


@pytest.mark.parametrize("ending", ENDINGS)
@given(
    voxels=hnp.arrays(
        st.sampled_from([np.uint8, np.int8, np.int16, np.uint16, np.int32, np.float32, np.bool_]),
        shapes,
    )
)
def test_what_is_saved_without_a_word_about_types_is_loaded_again(tmp_path_factory, ending, voxels):
    path = tmp_path_factory.mktemp("law") / f"image{ending}"

    loaded = load_image(save_image(make_image(voxels), path))

    assert_array_equal(load_voxels(loaded).reshape(voxels.shape), voxels)


@pytest.mark.parametrize(
    ("voxels", "ending", "expected"),
    [
        (np.zeros(2, np.float64), ".nii", "float32"),
        (np.zeros(2, np.float16), ".nii", "float32"),
        (np.zeros(2, np.longdouble), ".nii", "float32"),
        (np.zeros(2, bool), ".nii", "uint8"),
        (np.array([-5, 7]), ".nii", "int32"),
        (np.array([0, 2**31]), ".nii", "int64"),
        (np.array([0, 2**31 - 1], np.uint64), ".nii", "int32"),
        (np.array([0, 2**63], np.uint64), ".nii", "uint64"),
        (np.array([], np.int64), ".nii", "int64"),
        (np.zeros(2, ">i2"), ".nii", "int16"),
        (np.zeros(2, np.uint32), ".nii", "uint32"),
        (np.zeros(2, np.uint32), ".mgz", "int32"),
        (np.zeros(2, np.int8), ".mgh", "int16"),
        (np.zeros(2, np.complex64), ".nii", "complex64"),
    ],
)
def test_default_type_is_one_that_programs_read(voxels, ending, expected):
    if voxels.size:
        assert default_dtype(voxels, ending) == expected


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_labels_that_became_real_numbers_survive(tmp_path, dtype):
    labels = np.arange(120, dtype=np.float64).reshape(4, 5, 6)

    path = save_image(make_image(labels), tmp_path / "labels.nii.gz", dtype=dtype)

    image = nib.load(path)
    assert image.get_data_dtype() == dtype
    assert (image.dataobj.slope, image.dataobj.inter) == (1, 0)
    assert_array_equal(np.asarray(image.dataobj), labels)


@pytest.mark.parametrize(
    ("low", "high", "dtype"), [(-1, 5, "uint8"), (0, 256, "uint8"), (0, 40_000, "int16")]
)
def test_whole_numbers_that_do_not_fit_are_refused(tmp_path, low, high, dtype):
    voxels = np.array([low, high]).reshape(1, 1, 2)

    with pytest.raises(ImageFileError, match=f"the values go from {low} to {high}") as caught:
        save_image(make_image(voxels), tmp_path / "a.nii", dtype=dtype)
    assert "wider type" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_kept_as_a_real_number_and_refused_as_an_integer(tmp_path, bad):
    voxels = reals()
    voxels[0, 0, 0] = bad

    with pytest.raises(ImageFileError, match="1 voxels are NaN or infinite"):
        save_image(make_image(voxels), tmp_path / "a.nii", dtype="int16")
    loaded = load_voxels(load_image(save_image(make_image(voxels), tmp_path / "a.nii")))

    assert_array_equal(loaded, voxels.astype(np.float32))


def test_numbers_too_large_for_float32_are_refused_with_what_to_do(tmp_path):
    voxels = reals()
    voxels[0, 0, 0] = -1e300

    with pytest.raises(ImageFileError, match=r"largest value is 1e\+300") as caught:
        save_image(make_image(voxels), tmp_path / "a.nii")
    assert caught.value.hint == "Pass dtype='float64'."
    loaded = load_image(save_image(make_image(voxels), tmp_path / "a.nii", dtype="float64"))
    assert_array_equal(load_voxels(loaded), voxels)


@pytest.mark.parametrize(
    ("voxels", "dtype"),
    [
        (reals(dtype=np.complex64), "float32"),
        (np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "uint8"),
        (reals(), [("R", "u1"), ("G", "u1"), ("B", "u1")]),
        (reals(), "flaot32"),
        (reals(), str),
    ],
)
def test_numbers_that_cannot_become_the_type_are_refused(tmp_path, voxels, dtype):
    with pytest.raises(VoxelTypeError) as caught:
        save_image(make_image(voxels), tmp_path / "a.nii", dtype=dtype)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("dtype", "ending"), [("float16", ".nii"), ("float64", ".mgz"), ("?", ".nii")]
)
def test_type_that_the_format_does_not_know_is_refused(tmp_path, dtype, ending):
    with pytest.raises(ImageFileError, match="Cannot save") as caught:
        save_image(make_image(reals()), tmp_path / f"a{ending}", dtype=dtype)
    assert "does the format know the type" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_colours_are_saved_as_they_are(tmp_path):
    colours = np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["B"] = 9

    path = save_image(nib.Nifti1Image(colours, OBLIQUE), tmp_path / "a.nii.gz")

    assert_array_equal(load_voxels(load_image(path)), colours)


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 2, 0), ()])
def test_image_without_voxels_is_not_saved(tmp_path, shape):
    with pytest.raises(ImageFileError, match="no voxels"):
        save_image(make_image(np.zeros(shape)), tmp_path / "a.nii")


@pytest.mark.parametrize("image", [None, "image.nii", np.zeros((2, 2, 2))])
def test_what_is_no_image_is_not_saved(tmp_path, image):
    with pytest.raises(VoxelTypeError, match="expected an image"):
        save_image(image, tmp_path / "a.nii")


# --- rounding -------------------------------------------------------------------------------------


def steps_of(voxels: np.ndarray, n_steps: int) -> float:
    return float(voxels.max() - voxels.min()) / n_steps


@pytest.mark.parametrize(
    ("dtype", "n_steps", "warns"), [("uint8", 255, True), ("int16", 65_535, False)]
)
def test_rounding_to_integers_warns_beyond_a_thousandth_of_the_spread(
    tmp_path, dtype, n_steps, warns
):
    voxels = reals((8, 8, 8))
    lost = steps_of(voxels, n_steps) / 2
    assert bool(lost > 1e-3 * voxels.std()) is warns

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        path = save_image(make_image(voxels), tmp_path / "a.nii", dtype=dtype)

    assert [warning.category for warning in told] == [QuantisationWarning] * warns
    assert_allclose(load_voxels(load_image(path)), voxels, atol=1.01 * lost)
    if warns:
        assert told[0].filename == __file__
        assert "writes float32" in str(told[0].message)


@pytest.mark.parametrize(("far", "warns"), [(40, False), (50, True)])
def test_warning_begins_at_a_thousandth_of_the_spread(tmp_path, far, warns):
    voxels = np.random.default_rng(0).uniform(-1, 1, (30, 30, 30))
    voxels[0, 0, :2] = -far, far  # half a step of 16 bits over this range is far / 65535
    allowed = 1e-3 * voxels.std()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        path = save_image(make_image(voxels), tmp_path / "a.nii", dtype="int16")

    lost = np.abs(nib.load(path).get_fdata() - voxels).max()
    assert (bool(told), bool(lost > allowed)) == (warns, warns)
    assert lost == pytest.approx(allowed, rel=0.2)


def test_small_changes_about_a_large_mean_are_not_lost_in_silence(tmp_path):
    voxels = 1e9 + reals()

    with pytest.warns(QuantisationWarning, match="dtype='float64' keeps more digits"):
        save_image(make_image(voxels), tmp_path / "a.nii")
    save_image(make_image(voxels), tmp_path / "a.nii", dtype="float64")


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1e-30, 0])
def test_constant_image_is_saved_without_a_warning(tmp_path, value):
    voxels = np.full((2, 2, 2), value)

    assert_allclose(
        load_voxels(load_image(save_image(make_image(voxels), tmp_path / "a.nii"))),
        voxels,
        rtol=1e-7,
    )


@pytest.mark.parametrize(
    ("voxels", "dtype"),
    [
        (np.array([[[1, 2**24 + 1.0]]]), None),
        (np.array([[[1, 2**24 + 1]]]), "float32"),
        (np.array([[[1, 2**53 + 1]]]), "float64"),
        (np.array([[[0.0, 1, 1000]]]), "uint8"),
    ],
)
def test_labels_that_would_not_survive_are_told(tmp_path, voxels, dtype):
    with pytest.warns(QuantisationWarning, match="whole numbers, as labels are"):
        save_image(make_image(voxels), tmp_path / "a.nii", dtype=dtype)


def test_whole_image_of_nan_is_saved_without_a_word(tmp_path):
    save_image(make_image(np.full((2, 2, 2), np.nan)), tmp_path / "a.nii")


# --- header ---------------------------------------------------------------------------------------


def make_run(image_class: type = nib.Nifti1Image) -> nib.Nifti1Image:
    run = image_class(reals((3, 4, 5, 6), np.float32), OBLIQUE)
    run.header.set_zooms((2, 2, 2.2, 2400))
    run.header.set_xyzt_units("mm", "msec")
    run.header["descrip"] = b"as it was found"
    run.header["cal_max"] = 7
    run.header.set_intent("t test", (5,), name="reward")
    run.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a note"))
    run.header.set_qform(OBLIQUE, 1)
    run.header.set_sform(OBLIQUE, 4)
    return run


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair])
def test_header_keeps_its_meaning(tmp_path, ending, image_class):
    run = make_run(image_class)

    saved = load_image(save_image(run, tmp_path / f"a{ending}"))

    assert isinstance(saved, nib.Nifti2Image) is (image_class is nib.Nifti2Image)
    for field in ("descrip", "cal_max", "intent_code", "intent_name", "qform_code", "sform_code"):
        assert saved.header[field] == run.header[field], field
    assert saved.header.get_xyzt_units() == ("mm", "msec")
    assert repetition_time_s(saved) == pytest.approx(2.4)
    assert_allclose(saved.header.get_qform(), run.header.get_qform(), atol=1e-4)
    assert [note.get_content() for note in saved.header.extensions] == [b"a note"]


def test_file_keeps_its_header_from_disk_to_disk(tmp_path):
    found = load_image(NIBABEL_DATA / "example4d.nii.gz")

    saved = load_image(save_image(found, tmp_path / "a.nii.gz"))

    assert_array_equal(saved.affine, found.affine)
    assert_array_equal(load_voxels(saved), load_voxels(found))
    for field in nib.Nifti1Header.template_dtype.names:
        if field not in ("vox_offset", "regular", "scl_slope", "scl_inter", "magic"):
            assert_array_equal(saved.header[field], found.header[field], field)


@pytest.mark.parametrize("code", [(0, 0), (1, 0), (0, 2)])
def test_codes_of_unknown_meaning_stay_as_they_are(tmp_path, code):
    image = nib.Nifti1Image(reals(), None)
    image.header.set_qform(OBLIQUE if code[0] else None, code[0])
    image.header.set_sform(OBLIQUE if code[1] else None, code[1])
    image = nib.Nifti1Image(reals(), image.header.get_best_affine(), image.header)

    saved = nib.load(save_image(image, tmp_path / "a.nii"))

    assert (int(saved.header["qform_code"]), int(saved.header["sform_code"])) == code
    assert_allclose(saved.affine, image.affine, atol=1e-5)


@pytest.mark.parametrize("way", [(".nii", ".mgz"), (".mgz", ".nii.gz"), (".nii", ".mgz", ".nii")])
def test_time_survives_the_way_to_freesurfer_and_back(tmp_path, way):
    image = make_run()
    if way[0] == ".mgz":
        image = nib.MGHImage(np.asarray(image.dataobj), OBLIQUE)
        write_time(image.header, 2.4, "sec")
    for number, ending in enumerate(way):
        image = load_image(save_image(image, tmp_path / f"{number}{ending}"))

    assert repetition_time_s(image) == pytest.approx(2.4)
    assert_allclose(image.affine, OBLIQUE, atol=1e-5)
    assert_array_equal(load_voxels(image), np.asarray(make_run().dataobj))


# Where a NIfTI header without a qform and a sform would place these voxels, too.
CENTRED = np.array([[-2.0, 0, 0, 2], [0, 2, 0, -3], [0, 0, 2, -4], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [OBLIQUE, np.diag([-2.0, 2, 2, 1]), CENTRED])
def test_affine_of_other_formats_is_to_be_believed_in_nifti(tmp_path, affine):
    for image_class in (nib.MGHImage, nib.AnalyzeImage):
        image = image_class(np.ones((3, 4, 5), np.int16), affine)

        saved = nib.load(save_image(image, tmp_path / "a.nii"))

        assert int(saved.header["sform_code"]) == 2
        assert_allclose(saved.affine, image.affine, atol=1e-5)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("image_class", [nib.Nifti2Image, nib.MGHImage])
def test_axis_too_long_for_nifti_1_is_saved_as_nifti_2(tmp_path, ending, image_class):
    image = image_class(np.arange(32_768, dtype=np.int32).reshape(-1, 1, 1), OBLIQUE)

    saved = load_image(save_image(image, tmp_path / f"a{ending}"))

    assert isinstance(saved, nib.Nifti2Image)
    assert_array_equal(load_voxels(saved)[:, 0, 0], np.arange(32_768))


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.nii", "A.NII.GZ", "é ü.nii.gz", "a.b.c.mgz", "x.MGH"])
def test_every_ending_is_written_in_any_case(tmp_path, name):
    path = save_image(make_image(reals()), str(tmp_path / name))

    assert path == tmp_path / name
    assert_array_equal(load_voxels(load_image(path)), reals(dtype=np.float32))
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_name_may_be_bytes_or_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert save_image(make_image(reals()), "~/a.nii") == tmp_path / "a.nii"
    assert save_image(make_image(reals()), os.fsencode(tmp_path / "b.nii")).is_file()


@pytest.mark.parametrize("name", ["a.img", "a.hdr", "a", "a.nii.bz2", "a.npy", "nii"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(ImageFileError, match=r"ends in \.nii\.gz, \.nii, \.mgz, \.mgh") as caught:
        save_image(make_image(reals()), tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize("name", [None, 5, "~nobody-of-this-name/a.nii"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ImageFileError, match="Cannot save an image to"):
        save_image(make_image(reals()), name)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(ImageFileError, match="No such file") as caught:
        save_image(make_image(reals()), tmp_path / "gone" / "a.nii")
    assert "Is the folder there" in caught.value.hint


def test_folder_in_the_place_of_the_file_is_left_alone(tmp_path):
    (tmp_path / "a.nii").mkdir()

    with pytest.raises(ImageFileError, match="Cannot save"):
        save_image(make_image(reals()), tmp_path / "a.nii")
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii"]


def test_folder_that_may_not_be_written_to_is_refused():
    program = """
        import os, sys
        import nibabel as nib, numpy as np
        from neuroprimer.imaging import ImageFileError, save_image
        image = nib.Nifti1Image(np.ones((2, 2, 2)), np.eye(4))
        save_image(image, sys.argv[1] + "/warm.nii")
        os.chmod(sys.argv[1], 0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            save_image(image, sys.argv[1] + "/a.nii")
        except ImageFileError as error:
            print(error.message)
    """
    folder = Path(tempfile.gettempdir()) / f"neuroprimer-read-only-{os.getpid()}"
    folder.mkdir()
    try:
        done = run_python(program, folder)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)

    assert "Permission denied" in done.stdout, done.stderr


def run_python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_link_is_followed_and_stays_a_link(tmp_path):
    real, link = tmp_path / "real.nii", tmp_path / "link.nii"
    save_image(make_image(np.zeros((2, 2, 2))), real)
    link.symlink_to(real)

    save_image(make_image(np.ones((2, 2, 2))), link)

    assert link.is_symlink()
    assert load_voxels(load_image(real)).all()


def test_links_in_a_circle_are_refused(tmp_path):
    circle = tmp_path / "circle.nii"
    circle.symlink_to(circle)

    with pytest.raises(ImageFileError, match="Cannot save"):
        save_image(make_image(reals()), circle)


def test_file_that_is_replaced_keeps_its_permissions(tmp_path):
    path = save_image(make_image(reals()), tmp_path / "a.nii")
    path.chmod(0o640)

    save_image(make_image(reals()), path)

    assert path.stat().st_mode & 0o777 == 0o640


# --- whole or not at all --------------------------------------------------------------------------


class Breaks:
    """Voxels that fail when some of them have been given."""

    is_proxy = True
    shape = (2, 2, 2)
    ndim = 3
    dtype = np.dtype(np.float32)

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise ConnectionResetError("the disk went away")

    def __getitem__(self, index: object) -> np.ndarray:
        return np.zeros(self.shape, self.dtype)[index]


def test_file_stays_when_the_voxels_cannot_be_read(tmp_path):
    path = save_image(make_image(reals()), tmp_path / "a.nii.gz")
    before = path.read_bytes()

    with pytest.raises(ImageFileError, match="the disk went away"):
        save_image(nib.Nifti1Image(Breaks(), OBLIQUE), path)

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii.gz"]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgh"])
def test_file_stays_when_the_disk_is_full_halfway(tmp_path, name):
    path = save_image(make_image(reals()), tmp_path / name)
    before = path.read_bytes()
    program = """
        import resource, signal, sys
        import nibabel as nib, numpy as np
        from neuroprimer.imaging import ImageFileError, save_image
        image = nib.Nifti1Image(np.random.default_rng(0).normal(size=(40, 40, 40)), np.eye(4))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            save_image(image, sys.argv[1])
        except ImageFileError as error:
            print(error)
    """
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY

    done = run_python(program, path)

    assert "File too large" in done.stdout, done.stderr
    assert "What was there before is unchanged" in done.stdout
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_file_stays_when_the_program_is_killed_halfway(tmp_path):
    path = save_image(make_image(reals()), tmp_path / "a.nii")
    before = path.read_bytes()
    program = """
        import resource, sys
        import nibabel as nib, numpy as np
        from neuroprimer.imaging import save_image
        image = nib.Nifti1Image(np.random.default_rng(0).normal(size=(40, 40, 40)), np.eye(4))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # its signal kills
        save_image(image, sys.argv[1])
    """

    done = run_python(program, path)

    assert done.returncode < 0 or "File too large" in done.stderr + done.stdout
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_image_may_be_saved_over_its_own_file(tmp_path, name):
    path = Path(shutil.copy(NIBABEL_DATA / "functional.nii", tmp_path / "a.nii"))
    path = save_image(load_image(path), tmp_path / name)
    image = load_image(path)
    voxels = load_voxels(image)
    expected = voxels.copy()

    save_image(image, path, dtype="float64")

    assert_array_equal(load_voxels(load_image(path)), expected)
    assert_array_equal(voxels, expected)
    with pytest.raises(ImageFileError, match="written to since it was opened"):
        load_voxels(image)
