"""Files: what opens, from what kinds of names, and what is refused in words."""

import gzip
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.testing import data_path
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging import (
    GridMismatchError,
    ImageFileError,
    ImageShapeError,
    as_4d,
    load_image,
    load_voxels,
    memory_bytes,
    repetition_time_s,
)
from neuroprimer.imaging.files.times import stored_time, write_time

NIBABEL_DATA = Path(data_path)
EXAMPLE = NIBABEL_DATA / "example4d.nii.gz"
OBLIQUE = np.array([[-2, 0, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])


def make_run(n_volumes: int = 3, *, tr: float = 2.4, unit: str = "sec", seed: int = 0):
    rng = np.random.default_rng(seed)
    run = nib.Nifti1Image(rng.normal(size=(3, 4, 5, n_volumes)).astype(np.float32), OBLIQUE)
    write_time(run.header, tr, unit)
    return run


# --- names ----------------------------------------------------------------------------------------


def test_image_is_opened_by_every_kind_of_name(tmp_path, monkeypatch):
    folder = tmp_path / "with space %41 é"
    folder.mkdir()
    path = folder / "run.nii.gz"
    shutil.copy(EXAMPLE, path)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)
    names = [
        path,
        str(path),
        os.fsencode(path),
        "run.nii.gz",
        "~/run.nii.gz",
        Path("~/run.nii.gz"),
        path.as_uri(),
        path.as_uri().replace("file://", "FILE://localhost"),
    ]

    for name in names:
        assert load_image(name).shape == (128, 96, 24, 2), name


def test_image_is_returned_as_it_is():
    image = make_run()

    assert load_image(image) is image


@pytest.mark.parametrize(
    "address", ["http://example.org/run.nii.gz", "https://example.org/r.nii", "file://host/r.nii"]
)
def test_address_of_another_machine_is_not_fetched(address):
    with pytest.raises(ImageFileError, match="not a file on this machine") as caught:
        load_image(address)
    assert "Download it first" in caught.value.hint


@pytest.mark.parametrize(
    "source", [None, 3, {"a": 1}, np.zeros((2, 2, 2)), "~nobody-of-this-name/r.nii", "http://[/x"]
)
def test_what_is_no_name_is_refused(source):
    with pytest.raises(ImageFileError, match="as the path of an image") as caught:
        load_image(source)
    assert "file:// address" in caught.value.hint


@pytest.mark.parametrize("name", ["run\0.nii", "n" * 5000])
def test_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(ImageFileError, match="Cannot open") as caught:
        load_image(name)
    assert caught.value.hint


def test_missing_file_is_named_with_its_folder(tmp_path):
    with pytest.raises(ImageFileError, match=r"no such file.*exists; look"):
        load_image(tmp_path / "gone.nii")
    with pytest.raises(ImageFileError, match="does not exist either"):
        load_image(tmp_path / "no-folder" / "gone.nii")


def test_link_that_leads_nowhere_is_followed_in_words(tmp_path):
    link = tmp_path / "sub-01_bold.nii.gz"
    link.symlink_to(tmp_path / ".git" / "annex" / "objects" / "x.nii.gz")

    with pytest.raises(ImageFileError, match=r"link to .*objects.*datalad get"):
        load_image(link)


def test_links_in_a_circle_are_refused(tmp_path):
    circle = tmp_path / "circle.nii"
    circle.symlink_to(circle)

    with pytest.raises(ImageFileError) as caught:
        load_image(circle)
    assert caught.value.hint


def test_folder_is_no_image(tmp_path):
    with pytest.raises(ImageFileError, match="it is a folder"):
        load_image(tmp_path)


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")

    with pytest.raises(ImageFileError, match="pipe or a device"):
        load_image(tmp_path / "pipe.nii")


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/stdin"])
def test_device_is_no_image(device):
    with pytest.raises(ImageFileError):
        load_image(device)


def test_socket_is_no_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.nii")
        with pytest.raises(ImageFileError, match="pipe or a device"):
            load_image("s.nii")


# --- what is in the file --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("empty.nii", b"", "cut off"),
        ("empty.nii.gz", b"", "cut off"),
        ("text.nii.gz", b"not an image", "another kind"),
        ("text.nii", b"not an image", "another kind"),
        ("cut.nii.gz", EXAMPLE.read_bytes()[:200], "cut off"),
        ("text-inside.nii.gz", gzip.compress(b"not an image" * 100, mtime=0), "another kind"),
        ("unknown.xyz", b"???", "another kind"),
        ("page.nii.gz", b"\n<!DOCTYPE html><title>Not found</title>", "web page"),
        ("lfs.nii.gz", b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("annex.nii.gz", b"/annex/objects/MD5E-s1--abc.nii.gz\n", "datalad get"),
        ("packed.nii", EXAMPLE.read_bytes(), "ends in .nii.gz"),
        ("plain.nii.gz", (NIBABEL_DATA / "functional.nii").read_bytes(), "take the .gz off"),
        ("plain2.nii.gz", nib.Nifti2Image(np.ones((2, 2)), OBLIQUE).to_bytes(), "take the .gz off"),
    ],
)
def test_file_that_is_no_image_is_refused_with_what_to_do(tmp_path, name, content, hint):
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(ImageFileError, match="as an image") as caught:
        load_image(file)
    assert hint in caught.value.hint


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who may not read everything; whoever is no such user already is root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_package_that_a_format_needs_is_named():
    if find_spec("h5py"):
        pytest.skip("h5py is installed, and MINC-2 files open")

    with pytest.raises(ImageFileError, match="h5py") as caught:
        load_image(NIBABEL_DATA / "small.mnc")
    assert caught.value.hint.endswith("pip install h5py")


def test_file_that_may_not_be_read_says_so():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.nii"
        nib.save(make_run(), path)
        path.chmod(0)
        Path(folder).chmod(0o755)

        with as_nobody(), pytest.raises(ImageFileError) as caught:
            load_image(path)
        assert caught.value.hint == "May you read it?"

        Path(folder).chmod(0)
        with as_nobody(), pytest.raises(ImageFileError, match="Permission denied") as caught:
            load_image(path)
        assert "may look into" in caught.value.hint
        Path(folder).chmod(0o700)


def test_flipped_bits_are_refused_in_words(tmp_path):
    packed = bytearray(EXAMPLE.read_bytes())
    for place in range(20, 60):
        packed[place] ^= 0xFF
    file = tmp_path / "flipped.nii.gz"
    file.write_bytes(packed)

    with pytest.raises(ImageFileError, match="as an image"):
        load_image(file)


@pytest.mark.parametrize("name", ["ascii.gii", "task.func.gii"])
def test_surface_is_no_image(name):
    file = Path(nib.__file__).parent / "gifti" / "tests" / "data" / name

    with pytest.raises(ImageFileError, match="no voxels in space"):
        load_image(file)


def test_half_of_a_pair_is_missed(tmp_path):
    nib.save(nib.Nifti1Pair(np.ones((2, 3, 4)), OBLIQUE), tmp_path / "pair.img")
    (tmp_path / "pair.img").unlink()

    with pytest.raises(ImageFileError, match=r"its voxels should be in .*pair\.img") as caught:
        load_image(tmp_path / "pair.hdr")
    assert "belong together" in caught.value.hint


def test_voxels_that_would_begin_before_their_file_are_refused(tmp_path):
    nib.save(nib.Nifti1Pair(np.ones((2, 3, 4)), OBLIQUE), tmp_path / "pair.img")
    set_fields(tmp_path / "pair.hdr", vox_offset=-64)

    with pytest.raises(ImageFileError, match="speaks of bytes -64 to"):
        load_image(tmp_path / "pair.img")


def test_half_of_a_pair_that_only_calls_itself_compressed_is_refused(tmp_path):
    nib.save(nib.Nifti1Pair(np.ones((2, 3, 4)), OBLIQUE), tmp_path / "pair.img.gz")
    (tmp_path / "pair.img.gz").write_bytes(np.ones((2, 3, 4)).tobytes())

    with pytest.raises(ImageFileError, match="is not compressed, though its name says so"):
        load_image(tmp_path / "pair.img.gz")


def test_voxels_that_look_like_a_compressed_file_are_voxels(tmp_path):
    voxels = np.full((2, 3, 4), int.from_bytes(b"\x1f\x8b", "little", signed=True), "<i2")
    nib.save(nib.Nifti1Pair(voxels, OBLIQUE), tmp_path / "pair.img")

    assert_array_equal(load_voxels(load_image(tmp_path / "pair.img")), voxels)


def set_fields(path: Path, **fields: object) -> Path:
    """Change fields of a header where they stand in a file."""
    is_gzip = path.name.endswith("gz")
    content = bytearray(gzip.decompress(path.read_bytes()) if is_gzip else path.read_bytes())
    header = np.frombuffer(content, nib.Nifti1Header.template_dtype, 1)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(gzip.compress(content) if is_gzip else bytes(content))
    return path


@pytest.mark.parametrize("name", ["run.nii", "run.nii.gz"])
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"dim": [4, 30000, 30000, 30000, 30000, 1, 1, 1]}, "speaks of bytes 352 to"),
        ({"dim": [3, -3, 4, 5, 1, 1, 1, 1]}, "gives the shape"),
        ({"dim": [3, 0, 4, 5, 1, 1, 1, 1]}, "gives the shape"),
        ({"dim": [0] * 8}, "as an image|gives the shape"),
        ({"datatype": 12345}, "as an image"),
        ({"vox_offset": 1e9}, "speaks of bytes"),
        ({"vox_offset": np.nan}, "as an image"),
        ({"vox_offset": -1000}, "as an image|speaks of bytes"),
        ({"magic": b"n+7"}, "as an image"),
        ({"srow_x": np.nan}, "NaN or infinite"),
        ({"srow_x": 0}, "cannot be inverted"),
        ({"srow_x": 1e30}, "affine places no voxel"),
        ({"srow_x": 0, "srow_y": [0, 1e-20, 0, 0]}, "cannot be inverted"),
    ],
)
def test_header_that_promises_what_cannot_be_is_refused(tmp_path, name, fields, says):
    nib.save(make_run(), tmp_path / name)
    if fields.get("vox_offset") == 1e9 and name.endswith("gz"):
        says = "speaks of bytes|as an image"

    with pytest.raises(ImageFileError, match=says) as caught:
        load_image(set_fields(tmp_path / name, **fields))
    assert caught.value.hint


@pytest.mark.parametrize("size_mm", [1e12, 1e-12])
def test_affine_of_lengths_that_nothing_has_is_refused(tmp_path, size_mm):
    affine = np.diag([size_mm, size_mm, size_mm, 1])
    nib.save(nib.Nifti2Image(np.ones((2, 2, 2)), affine), tmp_path / "odd.nii")

    with pytest.raises(ImageFileError, match="Its numbers go up to"):
        load_image(tmp_path / "odd.nii")


@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair])
def test_file_one_byte_too_short_is_refused_when_it_is_opened(tmp_path, image_class):
    path = tmp_path / ("run.img" if image_class is nib.Nifti1Pair else "run.nii")
    nib.save(image_class(np.ones((2, 3, 4)), OBLIQUE), path)
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(ImageFileError, match="no more than") as caught:
        load_image(path)
    assert "cut off" in caught.value.hint


def test_uncompressed_file_beyond_four_gigabytes_is_read_in_its_parts(tmp_path):
    header = nib.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape((1024, 1024, 1024, 5))
    header.set_sform(OBLIQUE, 1)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    path = tmp_path / "large.nii"
    with path.open("wb") as file:  # the hole in it takes no place on the disk
        file.write(header.binaryblock + bytes(4))
        file.seek(352 + 5 * (1 << 30) - 3)
        file.write(b"\1\2\3")

    image = load_image(path)

    assert memory_bytes(image, np.uint8) == 5 << 30
    assert image.dataobj[-3:, -1, -1, 4].tolist() == [1, 2, 3]
    assert image.dataobj[0, 0, 0].tolist() == [0] * 5


def test_header_is_the_one_that_stands_in_the_file(tmp_path):
    nib.save(nib.Spm99AnalyzeImage(np.ones((3, 4, 5, 2), np.int16), OBLIQUE), tmp_path / "spm.img")
    content = bytearray((tmp_path / "spm.hdr").read_bytes())
    np.frombuffer(content, nib.Nifti1Header.template_dtype, 1)["pixdim"][0, 4] = -2.4
    (tmp_path / "spm.hdr").write_bytes(content)

    image = load_image(tmp_path / "spm.img")

    assert image.header["pixdim"][4] == np.float32(-2.4)
    assert_allclose(image.affine, OBLIQUE, atol=1e-5)
    assert as_4d(image) is image


# --- several files --------------------------------------------------------------------------------


def test_several_files_become_one_run(tmp_path):
    runs = [make_run(n_volumes, seed=n_volumes) for n_volumes in (3, 1, 2)]
    paths = [tmp_path / f"{number}.nii.gz" for number in range(3)]
    for run, path in zip(runs, paths, strict=True):
        nib.save(run, path)

    image = load_image([paths[0], str(paths[1]), runs[2]])

    assert image.shape == (3, 4, 5, 6)
    assert not image.in_memory
    assert_array_equal(image.get_fdata(), np.concatenate([run.get_fdata() for run in runs], axis=3))
    assert_array_equal(image.affine, load_image(paths[0]).affine)
    assert repetition_time_s(image) == pytest.approx(2.4)


def test_volumes_and_runs_mix_without_a_repetition_time():
    volume = nib.Nifti1Image(np.ones((3, 4, 5), np.int16), OBLIQUE)

    image = load_image((make_run(), volume))

    assert image.shape == (3, 4, 5, 4)
    assert stored_time(image.header) is None
    assert load_voxels(image).dtype == np.float32


@pytest.mark.parametrize(("tr", "unit"), [(2.0, "sec"), (2.4, "msec")])
def test_runs_of_another_rhythm_have_no_common_time(tr, unit):
    image = load_image([make_run(), make_run(tr=tr, unit=unit)])

    assert stored_time(image.header) is None


def test_runs_of_freesurfer_keep_their_time(tmp_path):
    run = nib.MGHImage(np.ones((3, 4, 5, 2), np.float32), OBLIQUE)
    run.header.set_zooms((2, 2, 2.2, 2400))
    nib.save(run, tmp_path / "run.mgz")

    image = load_image([tmp_path / "run.mgz", tmp_path / "run.mgz"])

    assert isinstance(image, nib.Nifti1Image)
    assert repetition_time_s(image) == pytest.approx(2.4)


def test_more_volumes_than_nifti_1_counts_become_nifti_2():
    many = nib.Nifti1Image(np.zeros((1, 1, 1, 20_000), np.uint8), OBLIQUE)

    image = load_image([many, many])

    assert image.shape == (1, 1, 1, 40_000)
    assert isinstance(image, nib.Nifti2Image)


def test_truth_values_stack_as_integers_in_a_file():
    mask = nib.Nifti1Image(np.ones((3, 4, 5), np.uint8), OBLIQUE)
    truth = nib.Nifti1Image(np.ones((3, 4, 5), np.float32), OBLIQUE)
    truth._dataobj = np.ones((3, 4, 5), bool)

    assert load_image([truth, truth]).get_data_dtype() == np.uint8
    assert load_image([mask, truth]).get_data_dtype() == np.uint8


def test_images_on_other_grids_are_no_run():
    moved = nib.Nifti1Image(np.ones((3, 4, 5)), np.eye(4))

    with pytest.raises(GridMismatchError, match="Cannot make one run"):
        load_image([make_run(), moved])


@pytest.mark.parametrize("empty", [[], ()])
def test_empty_list_is_no_image(empty):
    with pytest.raises(ImageFileError, match="empty list") as caught:
        load_image(empty)
    assert "pattern" in caught.value.hint


def test_list_says_which_of_its_files_is_missing(tmp_path):
    with pytest.raises(ImageFileError, match=r"gone\.nii"):
        load_image([make_run(), tmp_path / "gone.nii"])


# --- four axes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3, 4, 5), (3, 4, 5, 1)),
        ((3, 4, 5, 6), (3, 4, 5, 6)),
        ((3, 4, 5, 1, 6), (3, 4, 5, 6)),
        ((3, 4, 5, 1, 1, 6), (3, 4, 5, 6)),
        ((3, 4, 5, 6, 1), (3, 4, 5, 6)),
        ((3, 4, 5, 1, 1), (3, 4, 5, 1)),
        ((1, 1, 1, 1, 6), (1, 1, 1, 6)),
    ],
)
@pytest.mark.parametrize("name", ["odd.nii", "odd.nii.gz", None])
def test_axes_of_length_one_are_dropped(tmp_path, shape, expected, name):
    voxels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    image = nib.Nifti1Image(voxels, OBLIQUE)
    if name:
        nib.save(image, tmp_path / name)
        image = load_image(tmp_path / name)

    run = as_4d(image)

    assert run.shape == expected
    assert run.in_memory is image.in_memory
    assert_array_equal(run.affine, image.affine)
    assert_array_equal(run.get_fdata(), voxels.reshape(expected))


@pytest.mark.parametrize("steps", [(2.4, 0), (2.4, 1), (0, 2.4), (1, 2.4), (2.4, 2.4)])
def test_time_step_is_kept_wherever_a_program_put_it(steps):
    image = nib.Nifti1Image(np.zeros((3, 4, 5, 1, 6), np.int16), OBLIQUE)
    image.header.set_zooms((2, 2, 2.2, *steps))
    image.header.set_xyzt_units("mm", "sec")

    assert repetition_time_s(as_4d(image)) == pytest.approx(2.4)


def test_time_step_of_one_second_is_kept():
    image = nib.Nifti1Image(np.zeros((3, 4, 5, 1, 6), np.int16), OBLIQUE)
    image.header.set_zooms((2, 2, 2.2, 1, 1))
    image.header.set_xyzt_units("mm", "sec")

    assert repetition_time_s(as_4d(image)) == 1


@pytest.mark.parametrize("shape", [(3, 4), (5,), (3, 4, 5, 2, 6), (3, 4, 5, 1, 2, 6)])
def test_what_is_no_run_is_refused(shape):
    with pytest.raises(ImageShapeError, match="is no run") as caught:
        as_4d(nib.Nifti1Image(np.zeros(shape, np.int16), OBLIQUE))
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["test.mgz", "tiny.mnc", "scaled+tlrc.HEAD", "phantom_varscale.PAR", "functional.nii"]
)
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
def test_images_of_all_formats_become_runs(name):
    image = load_image(NIBABEL_DATA / name)

    run = as_4d(image)

    assert len(run.shape) == 4
    assert_array_equal(run.get_fdata().reshape(image.shape), image.get_fdata())
    assert_allclose(run.affine, image.affine)


def test_volume_of_freesurfer_becomes_a_run_of_one(tmp_path):
    nib.save(nib.MGHImage(np.ones((3, 4, 5), np.float32), OBLIQUE), tmp_path / "t1.mgz")

    assert as_4d(load_image(tmp_path / "t1.mgz")).shape == (3, 4, 5, 1)


def test_memory_is_what_numpy_takes():
    image = load_image(NIBABEL_DATA / "functional.nii")

    assert memory_bytes(image) == image.get_fdata().nbytes
    assert memory_bytes(image, np.float32) == image.get_fdata(dtype=np.float32).nbytes


def test_errors_of_files_are_caught_as_what_they_are(tmp_path):
    for kind in (NeuroprimerError, OSError):
        with pytest.raises(kind):
            load_image(tmp_path / "gone.nii")
