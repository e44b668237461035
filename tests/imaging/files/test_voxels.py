"""Voxels in files against nibabel and numpy: every file that nibabel brings, and every index."""

import gzip
import pickle
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nibabel.testing import data_path
from nilearn.datasets import load_sample_motor_activation_image
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging import ImageFileError, as_4d, load_image, load_voxels
from neuroprimer.imaging.files.voxels import (
    VoxelTypeError,
    fits_single,
    loaded_dtype,
    require_dtype,
    telling_what_failed,
)

NIBABEL_DATA = Path(data_path)
OBLIQUE = np.array([[-2, 0, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])

# nibabel leaves Philips and MGH files to be closed by whoever collects them, and warns of odd ones.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning",
    "ignore:multiple TRs found",
)


def nilearn_files() -> list[Path]:
    motor_map = Path(load_sample_motor_activation_image())
    return [motor_map, *sorted(motor_map.parent.glob("mni_*.nii.gz"))]


def nitime_files() -> list[Path]:
    spec = find_spec("nitime")  # not imported: it warns on newer Python
    assert spec is not None
    (folder,) = spec.submodule_search_locations or ()
    return sorted((Path(folder) / "data").glob("fmri*.nii.gz"))


FILES = [
    *(path for path in sorted(NIBABEL_DATA.iterdir()) if path.is_file()),
    *nilearn_files(),
    *nitime_files(),
]

# One of each kind, so that nothing is compared with a failure of nibabel's own.
MUST_BE_READ = {
    "example4d.nii.gz",
    "functional.nii",
    "example_nifti2.nii.gz",
    "test.mgz",
    "tiny.mnc",
    "scaled+tlrc.HEAD",
    "phantom_varscale.PAR",
    "image_10426.nii.gz",
    "fmri1.nii.gz",
    "fmri2.nii.gz",
    "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
}


def load_with_nibabel(path: Path) -> nib.spatialimages.SpatialImage | None:
    """Return what nibabel makes of a file, or None where it fails or finds no voxels in space."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = nib.load(path)
            np.asanyarray(image.dataobj)
        except Exception:  # noqa: BLE001 - whatever it is, nibabel does not read the file
            return None
    return image if isinstance(image, nib.spatialimages.SpatialImage) else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_read_as_nibabel_reads_it_or_refused_in_words(path):
    expected = load_with_nibabel(path)
    if expected is None:
        assert path.name not in MUST_BE_READ
        with pytest.raises(NeuroprimerError) as caught:
            load_image(path)
        assert caught.value.hint
        return
    stored = np.asanyarray(expected.dataobj)

    image = load_image(path)
    voxels = load_voxels(image)

    assert_array_equal(image.affine, expected.affine)
    assert image.header == expected.header
    assert voxels.dtype.isnative
    if voxels.dtype == stored.dtype.newbyteorder("="):
        assert_array_equal(voxels, stored)
    else:
        assert_allclose(voxels, stored, rtol=1e-7, atol=0)
    assert_array_equal(image.get_fdata(), stored.astype(np.float64))
    assert_array_equal(image.dataobj[..., 0], stored[..., 0])
    assert_array_equal(load_voxels(expected), voxels)


COUNTS = np.random.default_rng(0).integers(-3000, 3000, (5, 4, 3, 2), dtype=np.int16)


@pytest.fixture(scope="module")
def same_run(tmp_path_factory) -> dict[str, tuple[Path, np.ndarray]]:
    """Return files that hold a run in many formats, and what nibabel reads from each."""
    folder = tmp_path_factory.mktemp("run")
    whole = nib.Nifti1Image(COUNTS, OBLIQUE)
    scaled = nib.Nifti1Image(COUNTS * 0.37 + 5, OBLIQUE)
    scaled.set_data_dtype(np.int16)
    reals = COUNTS.astype(np.float32) / 7
    images = {
        "plain.nii": whole,
        "packed.nii.gz": whole,
        "scaled.nii": scaled,
        "scaled.nii.gz": scaled,
        "second.nii": nib.Nifti2Image(reals, OBLIQUE),
        "second.nii.gz": nib.Nifti2Image(reals, OBLIQUE),
        "pair.img": nib.Nifti1Pair(COUNTS, OBLIQUE),
        "pair2.img.gz": nib.Nifti1Pair(reals.astype(np.float64), OBLIQUE),
        "analyze.img": nib.AnalyzeImage(COUNTS, np.diag([-2, 2, 2, 1])),
        "spm.img": nib.Spm99AnalyzeImage(COUNTS, OBLIQUE),
        "free.mgh": nib.MGHImage(reals, OBLIQUE),
        "free.mgz": nib.MGHImage(COUNTS, OBLIQUE),
        "big_endian.nii": nib.Nifti1Image(
            COUNTS.astype(">i2"), OBLIQUE, nib.Nifti1Header(endianness=">")
        ),
        "squeezed.nii.bz2": whole,
    }
    for name, image in images.items():
        nib.save(image, folder / name)
    content = (folder / "plain.nii").read_bytes()
    for name, parts in (("members", (content[:400], content[400:])), ("blocks", content[:0])):
        parts = parts or [content[at : at + 64] for at in range(0, len(content), 64)]
        (folder / f"{name}.nii.gz").write_bytes(b"".join(map(gzip.compress, parts)))
    names = [*images, "members.nii.gz", "blocks.nii.gz"]
    return {name: (folder / name, np.asanyarray(nib.load(folder / name).dataobj)) for name in names}


NAMES = [
    "plain.nii",
    "packed.nii.gz",
    "scaled.nii",
    "scaled.nii.gz",
    "second.nii",
    "second.nii.gz",
    "pair.img",
    "pair2.img.gz",
    "analyze.img",
    "spm.img",
    "free.mgh",
    "free.mgz",
    "big_endian.nii",
    "squeezed.nii.bz2",
    "members.nii.gz",
    "blocks.nii.gz",
]

indices = hnp.basic_indices(COUNTS.shape, allow_ellipsis=True, allow_newaxis=True)


@pytest.mark.parametrize("name", NAMES)
def test_run_is_the_same_in_every_format(same_run, name):
    path, expected = same_run[name]

    image = load_image(path)

    assert not image.in_memory
    assert image.shape == COUNTS.shape
    assert_array_equal(np.asarray(image.dataobj), expected)
    assert_array_equal(as_4d(image).get_fdata(), nib.load(path).get_fdata())


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@example(index=(slice(0), ...))
@example(index=(0, slice(3, 1)))
@example(index=(slice(None), slice(None), slice(0)))
@example(index=(slice(0, 0), slice(0, 0)))
@given(index=indices)
def test_any_part_is_what_numpy_cuts_out(same_run, name, index):
    path, expected = same_run[name]

    assert_array_equal(load_image(path).dataobj[index], expected[index])


@pytest.mark.parametrize("name", ["plain.nii", "packed.nii.gz", "squeezed.nii.bz2"])
@pytest.mark.parametrize(
    "index", [[0, 2], (..., [1, 0]), COUNTS > 0, ([0, 1], [1, 2]), (slice(None), None, 1)]
)
def test_lists_and_masks_choose_voxels_as_in_numpy(same_run, name, index):
    path, expected = same_run[name]

    assert_array_equal(load_image(path).dataobj[index], expected[index])


@pytest.mark.parametrize("name", ["plain.nii", "packed.nii.gz", "squeezed.nii.bz2", "free.mgz"])
def test_voxel_outside_is_an_index_error_and_no_damage(same_run, name):
    voxels = load_image(same_run[name][0]).dataobj

    with pytest.raises(IndexError, match="out of bounds"):
        voxels[..., 2]
    with pytest.raises(IndexError, match="out of bounds"):
        voxels[-6]
    assert sum(1 for _ in voxels) == 5


@pytest.mark.parametrize("name", ["plain.nii", "packed.nii.gz", "scaled.nii", "members.nii.gz"])
def test_voxels_keep_their_number_under_another_shape(same_run, name):
    path, expected = same_run[name]

    reshaped = load_image(path).dataobj.reshape((20, 3, 2))

    assert reshaped.ndim == 3
    assert_array_equal(np.asarray(reshaped), expected.reshape((20, 3, 2), order="F"))
    assert_array_equal(reshaped[7], expected.reshape((20, 3, 2), order="F")[7])


@pytest.mark.parametrize("name", ["scaled.nii", "packed.nii.gz"])
def test_voxels_travel_to_another_process(same_run, name):
    path, expected = same_run[name]

    assert_array_equal(pickle.loads(pickle.dumps(load_image(path).dataobj)), expected)  # noqa: S301 - our own


@pytest.mark.parametrize("name", ["packed.nii.gz", "members.nii.gz", "scaled.nii.gz", "second.nii"])
def test_many_threads_read_at_once(same_run, name):
    path, expected = same_run[name]
    image = load_image(path)

    def read(number: int) -> bool:
        if number % 3 == 0:
            return np.array_equal(load_voxels(load_image(path), np.float64), expected)
        if number % 3 == 1:
            return np.array_equal(image.dataobj[..., 1], expected[..., 1])
        return np.array_equal(np.asarray(image.dataobj), expected)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(96)))


# --- scaling --------------------------------------------------------------------------------------


def scaled_file(
    folder: Path, stored: np.ndarray, slope: float, inter: float, name: str = "scaled.nii"
) -> Path:
    """Write numbers with a scaling that is just this."""
    image = nib.Nifti2Image(stored, np.eye(4))  # its factors are float64
    image.header.set_slope_inter(slope, inter)
    nib.save(image, folder / name)
    content = bytearray((folder / name).read_bytes())
    header = np.frombuffer(content, nib.Nifti2Header.template_dtype, 1)
    header["scl_slope"], header["scl_inter"] = slope, inter
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    ("stored", "slope", "inter", "expected"),
    [
        (np.int16, 0.5, 3, np.float32),
        (np.uint8, 1, -7, np.float32),
        (np.uint16, 2.0, 0, np.float32),
        (np.int32, 0.5, 0, np.float64),
        (np.float32, 0.5, 0, np.float64),
        (np.int16, 1e-6, 1000, np.float64),  # steps too fine for so large a number
        (np.int16, 1e35, 0, np.float64),  # too large
        (np.int16, 1e-40, 0, np.float64),  # too small
        (np.complex64, 2, 0, np.complex128),
        (np.int16, 1, 0, np.int16),
    ],
)
def test_type_is_the_narrowest_that_keeps_steps_apart(tmp_path, stored, slope, inter, expected):
    path = scaled_file(tmp_path, np.ones((2, 2, 2), stored), slope, inter)

    voxels = load_voxels(load_image(path))

    assert voxels.dtype == expected
    assert_allclose(voxels, np.full((2, 2, 2), slope + inter), rtol=1e-7)
    assert load_voxels(nib.load(path)).dtype == expected


@given(
    slope=st.floats(1e-30, 1e30), steps=st.floats(-1e5, 1e5), dtype=st.sampled_from(["u1", "i2"])
)
def test_scaled_numbers_are_rounded_once(tmp_path_factory, slope, steps, dtype):
    stored = np.arange(-32768, 32768).astype(dtype).reshape(64, 32, 32)
    inter = slope * steps
    assume((slope, inter) != (1, 0))
    path = scaled_file(tmp_path_factory.mktemp("scaled"), stored, slope, inter)

    voxels = load_voxels(load_image(path))

    assert voxels.dtype == np.float32
    assert_array_equal(voxels, (stored * slope + inter).astype(np.float32))
    assert len(np.unique(voxels)) == len(np.unique(stored))


def test_float32_is_scaled_alike_in_any_order_of_axes(same_run):
    path, expected = same_run["scaled.nii"]
    voxels = load_image(path).dataobj
    turned = voxels.unscaled(()).transpose(2, 0, 3, 1)[::-1, :, ::2]

    scaled = voxels.scale(turned, np.float32)

    assert scaled.dtype == np.float32
    assert_allclose(scaled, expected.transpose(2, 0, 3, 1)[::-1, :, ::2], rtol=1e-7)


def test_numbers_too_large_are_infinite_without_a_warning(tmp_path):
    path = scaled_file(tmp_path, np.array([[[-2, 0, 3]]], np.int16), 1e308, 0)

    assert_array_equal(load_voxels(load_image(path)), [[[-np.inf, 0, np.inf]]])
    assert_array_equal(load_image(path).get_fdata(), [[[-np.inf, 0, np.inf]]])
    assert_array_equal(load_image(path).dataobj[0, 0, 1:], [0, np.inf])
    assert_array_equal(load_voxels(nib.load(path)), [[[-np.inf, 0, np.inf]]])


@pytest.mark.parametrize(
    ("dtype", "fits"), [("i1", True), ("u2", True), ("f4", True), ("i4", False)]
)
def test_float32_holds_integers_of_sixteen_bits(dtype, fits):
    assert fits_single(dtype) is fits


# --- what is not read -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain.nii", "packed.nii.gz"])
def test_file_written_to_since_it_was_opened_is_not_read_with_the_old_header(
    same_run, tmp_path, name
):
    path = Path(shutil.copy(same_run[name][0], tmp_path))
    image = load_image(path)
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 9, 9)), np.eye(4)), path)

    for read in (load_voxels, lambda image: image.dataobj[..., 0]):
        with pytest.raises(ImageFileError, match="written to since it was opened") as caught:
            read(image)
        assert "load_image()" in caught.value.hint


def test_file_that_is_gone_is_looked_for(same_run, tmp_path):
    path = Path(shutil.copy(same_run["plain.nii"][0], tmp_path))
    image = load_image(path)
    path.unlink()

    with pytest.raises(ImageFileError, match="No such file") as caught:
        load_voxels(image)
    assert "where it was" in caught.value.hint


@pytest.mark.parametrize("name", ["packed.nii.gz", "members.nii.gz", "free.mgz"])
def test_damaged_voxels_are_noticed_when_all_are_read(same_run, tmp_path, name):
    path = Path(shutil.copy(same_run[name][0], tmp_path))
    content = bytearray(path.read_bytes())
    content[-30] ^= 4
    path.write_bytes(content)

    with pytest.raises(ImageFileError) as caught:
        load_voxels(load_image(path))
    assert "damaged" in caught.value.hint or "fetch it again" in caught.value.hint


def test_memory_that_is_not_there_is_no_damage():
    with pytest.raises(ImageFileError) as caught, telling_what_failed("large.nii"):
        raise MemoryError
    assert "read a part" in caught.value.hint
    assert "damaged" not in caught.value.hint


def test_our_own_errors_pass_as_they_are():
    with pytest.raises(VoxelTypeError), telling_what_failed("file.nii"):
        raise VoxelTypeError("as it was", hint="do")


def test_array_in_memory_is_not_copied():
    array = np.ones((2, 2, 2), np.float32)

    assert np.shares_memory(load_voxels(nib.Nifti1Image(array, np.eye(4))), array)


@pytest.mark.parametrize("offset", [352, 353, 359])
@pytest.mark.parametrize("name", ["odd.nii", "odd.nii.gz"])
def test_voxels_that_begin_at_an_odd_byte_are_aligned_in_memory(tmp_path, name, offset):
    image = nib.Nifti1Image(COUNTS.astype(np.float64), np.eye(4))
    image.header["vox_offset"] = offset
    content = image.header.binaryblock + bytes(offset - 348) + COUNTS.astype("f8").tobytes("F")
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)

    voxels = load_voxels(load_image(tmp_path / name))

    assert voxels.flags.aligned
    assert_array_equal(voxels, COUNTS)


@pytest.mark.parametrize("voxels", ["run.nii", None, np.zeros((2, 2, 2))])
def test_what_is_no_image_has_no_voxels(voxels):
    with pytest.raises(VoxelTypeError, match="expected an image") as caught:
        load_voxels(voxels)
    assert "load_image" in caught.value.hint


@pytest.mark.parametrize("dtype", ["flaot32", "U5", object, "M8[s]", 3.5])
def test_type_that_is_none_is_named(dtype):
    with pytest.raises(VoxelTypeError, match="Voxels cannot be of the type") as caught:
        load_voxels(nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4)), dtype)
    assert "float32" in caught.value.hint
    with pytest.raises(TypeError):
        require_dtype(dtype)


def test_colours_and_complex_numbers_do_not_become_real(tmp_path):
    colours = np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["R"] = 7
    nib.save(nib.Nifti1Image(colours, np.eye(4)), tmp_path / "colours.nii.gz")
    waves = nib.Nifti1Image(np.full((2, 2, 2), 1j, np.complex64), np.eye(4))

    image = load_image(tmp_path / "colours.nii.gz")

    assert_array_equal(load_voxels(image), colours)
    with pytest.raises(VoxelTypeError, match="colours are no numbers"):
        load_voxels(image, np.float32)
    with pytest.raises(VoxelTypeError, match="complex"):
        load_voxels(waves, np.float32)
    assert load_voxels(waves, np.complex128).dtype == np.complex128


def test_scaling_in_the_header_of_colours_means_nothing(tmp_path):
    colours = np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["G"] = 9
    path = tmp_path / "colours.nii"
    nib.save(nib.Nifti1Image(colours, np.eye(4)), path)
    content = bytearray(path.read_bytes())
    np.frombuffer(content, nib.Nifti1Header.template_dtype, 1)["scl_slope"] = 3
    path.write_bytes(content)

    image = load_image(path)

    assert_array_equal(load_voxels(image), colours)
    assert_array_equal(image.dataobj[..., 0], colours[..., 0])


def test_copy_is_made_when_it_is_asked_for(same_run):
    voxels = load_image(same_run["plain.nii"][0]).dataobj

    assert np.array(voxels, copy=True).flags.owndata
    with pytest.raises(ValueError, match="copy"):
        np.array(voxels, np.float64, copy=False)


@pytest.mark.parametrize("name", ["plain.nii", "packed.nii.gz"])
def test_part_of_a_file_does_not_change_with_the_file(same_run, tmp_path, name):
    path = Path(shutil.copy(same_run[name][0], tmp_path))
    part = load_image(path).dataobj[..., 0]

    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))

    assert_array_equal(part, COUNTS[..., 0])


def test_type_of_what_philips_and_afni_scale_is_what_comes_out():
    for name in ("scaled+tlrc.HEAD", "phantom_varscale.PAR", "tiny.mnc"):
        assert loaded_dtype(nib.load(NIBABEL_DATA / name).dataobj) == np.float64
    assert loaded_dtype(nib.load(NIBABEL_DATA / "example4d+orig.HEAD").dataobj) == np.int16
