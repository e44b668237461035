"""Sources: every block in its place, damage and misfits noticed, nothing copied without need."""

import gzip
import math
import threading
import weakref

import cloudpickle
import dask
import dask.array as da
import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import (
    AffineError,
    BrainData,
    Grid,
    GridMismatchError,
    ImageFileError,
    ImageShapeError,
    NoImagesError,
    NotANumberError,
    load_image,
    mean_image,
    median_image,
    region_signals,
    std_image,
    summarise_images,
)
from neuroprimer.imaging.tables import readings
from neuroprimer.imaging.tables.blocks import MemorySource, SlabSource
from neuroprimer.imaging.tables.sources import make_source

AFFINE = np.array([[-2, 0, 0, 9], [0, 2.9, -0.5, -5], [0, 0.4, 3.9, -7], [0, 0, 0, 1.0]])
SHAPE = (4, 3, 5, 7)
STORED = np.random.default_rng(0).integers(-500, 500, SHAPE).astype(np.int16)


def write(path, voxels, *, image_class=nib.Nifti1Image, slope=None, endianness="<"):
    """Write voxels as they are, with a slope that makes other numbers of them."""
    if image_class is nib.MGHImage:
        nib.save(image_class(voxels, AFFINE), path)
        return path
    header = image_class.header_class(endianness=endianness)
    image = image_class(voxels, AFFINE, header, dtype=voxels.dtype)
    image.header.set_data_dtype(voxels.dtype)
    if slope is not None:
        # nibabel writes the numbers divided by the slope, which gives back those that were stored
        image = image_class(voxels * slope + 10, AFFINE, image.header)
        image.header.set_slope_inter(slope, 10)
    nib.save(image, path)
    return path


FILES = {
    "plain": {},
    "big-endian": {"endianness": ">"},
    "scaled": {"slope": 0.3},
    "scaled big-endian": {"slope": 0.3, "endianness": ">"},
    "nifti2": {"image_class": nib.Nifti2Image},
}


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("options", FILES.values(), ids=FILES)
def test_file_of_every_kind_is_read_as_nibabel_reads_it(tmp_path, ending, options):
    path = write(tmp_path / f"run{ending}", STORED, **options)
    expected = nib.load(path).get_fdata()

    for images in (path, [path], load_image(path), load_image([path]), nib.load(path)):
        found = summarise_images(images, ["mean_image", "min_image", "mean_signal"])
        assert_allclose(found.mean_image.get_fdata(), expected.mean(axis=3), rtol=1e-12, atol=1e-12)
        # not even the rounding of a scaled number to float32 is allowed
        assert_array_equal(found.min_image.get_fdata(), expected.min(axis=3))
        assert_allclose(found.mean_signal, expected.mean(axis=(0, 1, 2)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_file_of_every_type_is_read(tmp_path, ending, dtype):
    voxels = (STORED % 100).astype(dtype)
    path = write(tmp_path / f"run{ending}", voxels)

    for images in (path, [path], load_image([path, path])):
        image = mean_image(images)
        assert_allclose(image.get_fdata(), voxels.mean(axis=3, dtype=np.float64), rtol=1e-13)


def test_mgh_is_read(tmp_path):
    path = write(tmp_path / "run.mgz", STORED, image_class=nib.MGHImage)

    assert_allclose(mean_image(path).get_fdata(), STORED.mean(axis=3), rtol=1e-13)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every second": lambda run: np.repeat(run, 2, axis=3)[..., ::2],
    "time first": lambda run: np.moveaxis(np.ascontiguousarray(np.moveaxis(run, 3, 0)), 0, 3),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@given(first=st.integers(0, 59), length=st.integers(1, 60), n_rows=st.integers(1, 9))
def test_blocks_of_memory_are_parts_of_one_table(layout, first, length, n_rows):
    source = make_source(LAYOUTS[layout](STORED), AFFINE)
    volumes = [source.columns_of(STORED[..., index]) for index in range(7)]

    columns = slice(first, min(first + length, 60))
    blocks = [block.copy() for block in source.column_blocks(columns, n_rows)]

    assert_array_equal(np.concatenate(blocks), np.stack(volumes)[:, columns])
    assert_array_equal(np.concatenate(list(source.row_blocks(1))), volumes)


@pytest.mark.parametrize("order", ["C", "F"])
def test_array_without_gaps_is_not_copied(order):
    voxels = np.asarray(STORED, order=order)

    (block,) = make_source(voxels, AFFINE).column_blocks(slice(0, 60), 7)

    assert np.shares_memory(block, voxels)


@given(first=st.integers(0, 59), length=st.integers(1, 60), n_rows=st.integers(1, 9))
def test_blocks_of_a_file_are_those_of_memory(tmp_path_factory, first, length, n_rows):
    path = tmp_path_factory.getbasetemp() / "blocks.nii"
    if not path.exists():
        write(path, STORED, slope=0.5)
    source = make_source(path)
    in_memory = make_source(np.asfortranarray(nib.load(path).get_fdata()), AFFINE)

    columns = slice(first, min(first + length, 60))
    pairs = zip(
        source.column_blocks(columns, n_rows), in_memory.column_blocks(columns, n_rows), strict=True
    )

    for block, expected in pairs:
        assert_array_equal(block, expected)


def given_as(tmp_path):
    plain = write(tmp_path / "run.nii", STORED)
    mask = nib.Nifti1Image((np.arange(60).reshape(SHAPE[:3]) % 2).astype(np.uint8), AFFINE)
    return {
        "plain file": make_source(plain),
        "compressed file": make_source(write(tmp_path / "run.nii.gz", STORED)),
        "list": make_source([plain, plain]),
        "array in C order": make_source(np.ascontiguousarray(STORED), AFFINE),
        "array in Fortran order": make_source(np.asfortranarray(STORED), AFFINE),
        "dask": make_source(da.from_array(STORED, chunks=3), AFFINE),
        "BrainData": make_source(BrainData(plain, mask)),
    }


def test_every_source_puts_numbers_back_to_where_they_came_from(tmp_path):
    volume = np.arange(60.0).reshape(SHAPE[:3])

    for name, source in given_as(tmp_path).items():
        image = source.to_image(source.columns_of(volume))

        expected = volume if name != "BrainData" else np.where(volume % 2, volume, 0)
        assert_array_equal(image.get_fdata(), expected)
        assert_allclose(image.affine, AFFINE, atol=1e-6)


def test_what_can_be_read_in_slabs_is(tmp_path):
    in_slabs = {
        name for name, source in given_as(tmp_path).items() if isinstance(source, SlabSource)
    }

    assert in_slabs == {
        "plain file",
        "array in C order",
        "array in Fortran order",
        "BrainData",
    }


# ---------------------------------------------------------------- how many, and when


def volumes(number):
    return [nib.Nifti1Image(STORED[..., index], AFFINE) for index in range(number)]


@pytest.mark.parametrize(
    ("images", "n_images"),
    [
        (volumes(3), 3),
        (iter(volumes(3)), None),
        ([nib.Nifti1Image(STORED, AFFINE)] * 2, None),
        ([nib.Nifti1Image(STORED[..., :1], AFFINE)] * 2, 2),
    ],
    ids=["volumes", "iterator", "runs", "runs of one"],
)
def test_number_of_images_is_known_where_it_can_be(images, n_images):
    assert make_source(images).n_images == n_images


@pytest.mark.parametrize("n_workers", [1, 2])
def test_images_of_an_iterator_are_let_go_as_soon_as_they_have_been_looked_at(n_workers):
    alive, how_many_alive = set(), []

    def draw():
        for number in range(40):
            image = nib.Nifti1Image(STORED[..., number % 7] + number, AFFINE)
            alive.add(number)
            weakref.finalize(image, alive.discard, number)
            how_many_alive.append(len(alive))
            yield image

    mean_image(draw(), n_workers=n_workers)

    assert len(how_many_alive) == 40
    assert max(how_many_alive) <= n_workers + 4


WAYS = {
    "nii": lambda folder: write(folder / "run.nii", STORED),
    "nii.gz": lambda folder: write(folder / "run.nii.gz", STORED),
    "paths": lambda folder: [
        write(folder / f"{index}.nii.gz", STORED[..., index]) for index in range(7)
    ],
    "runs": lambda folder: [write(folder / "run.nii.gz", STORED)] * 2,
    "array": lambda _: STORED,
    "dask": lambda _: da.from_array(STORED, chunks=(4, 3, 5, 2)),
}


@pytest.mark.parametrize("way", WAYS)
def test_number_of_workers_changes_no_bit(tmp_path, monkeypatch, way):
    monkeypatch.setattr(readings, "SLAB_VOXELS", 7)
    monkeypatch.setattr(readings, "SLAB_ROWS", 2)
    monkeypatch.setattr(readings, "JOINED_BYTES", 500)
    images = WAYS[way](tmp_path)
    options = {"affine": AFFINE} if way in ("array", "dask") else {}

    one, many = (summarise_images(images, n_workers=n, **options) for n in (1, 3))

    assert_array_equal(one.mean_image.dataobj, many.mean_image.dataobj)
    assert_array_equal(one.std_image.dataobj, many.std_image.dataobj)
    assert_array_equal(one.mean_signal, many.mean_signal)


@pytest.mark.parametrize("function", [mean_image, median_image, region_signals])
@pytest.mark.parametrize("way", WAYS)
def test_progress_rises_to_the_number_of_images(tmp_path, monkeypatch, way, function):
    monkeypatch.setattr(readings, "SLAB_VOXELS", 7)
    monkeypatch.setattr(readings, "JOINED_BYTES", 500)
    images, seen = WAYS[way](tmp_path), []
    options = {"affine": AFFINE} if way in ("array", "dask") else {}
    labels = [nib.Nifti1Image(np.ones(SHAPE[:3], np.uint8), AFFINE)]

    function(
        images,
        *(labels if function is region_signals else ()),
        progress=lambda *told: seen.append(told),
        **options,
    )

    n_images = 14 if way == "runs" else 7
    assert [n_done for n_done, _ in seen] == sorted(n_done for n_done, _ in seen)
    assert seen[-1] == (n_images, None if way == "runs" else n_images)
    assert {n_all for _, n_all in seen} == {seen[-1][1]}


def test_total_that_was_taken_too_low_is_not_told():
    seen = []
    images = [*volumes(1), nib.Nifti1Image(STORED, AFFINE)]

    mean_image(images, progress=lambda *told: seen.append(told))

    assert seen == [(8, None)]


# ---------------------------------------------------------------- dask

chunk_lengths = st.tuples(*(st.integers(1, length) for length in SHAPE))


@given(chunks=chunk_lengths)
def test_numbers_do_not_depend_on_chunks(chunks):
    array = da.from_array(STORED, chunks=chunks)

    with dask.config.set(scheduler="threads"):
        found = summarise_images(array, affine=AFFINE)

    assert_allclose(found.mean_image.get_fdata(), STORED.mean(axis=3), rtol=1e-12, atol=1e-12)
    assert_allclose(found.std_image.get_fdata(), STORED.std(axis=3), rtol=1e-12)
    assert_allclose(found.mean_signal, STORED.mean(axis=(0, 1, 2)), rtol=1e-12, atol=1e-12)


def test_chunks_without_a_number_are_no_trouble():
    voxels = 1e6 + 1e-3 * np.random.default_rng(0).standard_normal(SHAPE)
    voxels[0, ..., :3] = np.nan
    array = da.from_array(voxels, chunks=(4, 3, 5, 3))

    found = std_image(array, affine=AFFINE, nan="omit").get_fdata()

    exact = np.nanstd(voxels.astype(np.longdouble), axis=3).astype(np.float64)
    assert_allclose(found, exact, rtol=1e-12)


class CannotTravel:
    """Told of progress; holds a lock, as a progress bar does, so that it stays on this machine."""

    def __init__(self):
        self.lock, self.seen = threading.Lock(), []

    def __call__(self, *told):
        self.seen.append(told)


def test_work_that_dask_sends_to_other_machines_carries_nothing_else():
    array = da.ones((*SHAPE[:3], 700), chunks=(4, 3, 5, 10))
    sizes_bytes = []

    def compute(graph, keys, **_):
        tasks = dict(graph.__dask_graph__())
        travelled = {key: cloudpickle.dumps(task) for key, task in tasks.items()}
        sizes_bytes.extend(map(len, travelled.values()))
        return dask.get({key: cloudpickle.loads(task) for key, task in travelled.items()}, keys)

    progress = CannotTravel()
    with dask.config.set(scheduler=compute, **{"optimization.fuse.active": False}):
        found = mean_image(array, affine=AFFINE, progress=progress)

    assert_array_equal(found.get_fdata(), 1)
    assert progress.seen == [(700, 700)]
    assert max(sizes_bytes) < 20_000


def test_lengths_that_dask_does_not_know_are_refused_with_the_way_out():
    array = da.from_array(STORED, chunks=3)
    some = array[..., array[0, 0, 0] > 0]

    with pytest.raises(ImageShapeError, match="compute_chunk_sizes"):
        mean_image(some, affine=AFFINE)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("images", [lambda path: path, lambda path: [path]], ids=["run", "list"])
def test_damage_in_the_middle_or_at_the_end_is_noticed(tmp_path, images):
    content = bytearray(write(tmp_path / "run.nii.gz", STORED).read_bytes())
    damaged = {
        "cut.nii.gz": content[: len(content) // 2],
        "checksum.nii.gz": content[:-6] + bytes([content[-6] ^ 255]) + content[-5:],
        "middle.nii.gz": content[:400] + bytes([content[400] ^ 255]) + content[401:],
    }

    for name, rest in damaged.items():
        (tmp_path / name).write_bytes(rest)
        with pytest.raises(ImageFileError, match=name):
            mean_image(images(tmp_path / name))


def test_compressed_file_with_too_few_voxels_says_how_many_bytes_are_missing(tmp_path):
    path = write(tmp_path / "run.nii", STORED)
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(path.read_bytes()[:-100]))

    with pytest.raises(ImageFileError, match=r"short.nii.gz.*100 bytes too early"):
        mean_image(tmp_path / "short.nii.gz")


def test_file_that_was_written_to_since_it_was_opened_is_noticed(tmp_path):
    path = write(tmp_path / "run.nii", STORED)
    image = load_image(path)
    write(path, STORED[..., :6])

    with pytest.raises(ImageFileError, match="written to since"):
        mean_image(image)


def test_file_on_another_grid_is_named(tmp_path):
    paths = [write(tmp_path / "one.nii", STORED), write(tmp_path / "odd.nii", STORED[:3])]

    words = r"odd.nii with the others.*Grid 3 x 3 x 5.*against Grid 4 x 3 x 5.*resample_to"
    with pytest.raises(GridMismatchError, match=words):
        mean_image(paths)


@pytest.mark.parametrize(
    ("images", "affine", "error", "words"),
    [
        (STORED, None, ImageShapeError, "does not say where"),
        (STORED[0], AFFINE, ImageShapeError, r"axes \(x, y, z, image\).*\(3, 5, 7\)"),
        (STORED[..., :0], AFFINE, ImageShapeError, "none of them empty"),
        (STORED, AFFINE[:3], AffineError, r"\(3, 4\)"),
        (volumes(1)[0], AFFINE, ImageShapeError, "a Nifti1Image says that itself"),
        (["run.nii"], AFFINE, ImageShapeError, "a list says that itself"),
        (BrainData(volumes(2)), AFFINE, ImageShapeError, "a BrainData says that itself"),
        (STORED.astype(complex), AFFINE, NotANumberError, "complex128 are no real"),
        (da.from_array(STORED.astype("c8")), AFFINE, NotANumberError, "complex64 are no real"),
        (nib.Nifti1Image(STORED.astype("c8"), AFFINE), None, NotANumberError, "no real"),
        ([nib.Nifti1Image(STORED.astype("c8"), AFFINE)], None, NotANumberError, "no real"),
        (nib.Nifti1Image(STORED[..., :0], AFFINE), None, NoImagesError, "nothing in an image"),
        ([nib.Nifti1Image(STORED[..., :0], AFFINE)], None, NoImagesError, "nothing in an image"),
        (None, None, ImageFileError, "NoneType"),
        (np.array(["no-such.nii"]), None, ImageFileError, "no-such.nii"),
    ],
)
def test_what_is_no_source_of_images_is_refused(images, affine, error, words):
    with pytest.raises(error, match=words):
        mean_image(images, affine=affine)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_complex_voxels_of_a_file_are_refused(tmp_path, ending):
    path = write(tmp_path / f"complex{ending}", STORED.astype(np.complex64))

    with pytest.raises(NotANumberError, match="complex64"):
        mean_image(path)


def test_masked_numbers_are_none():
    masked = np.ma.masked_less(STORED, 0)

    with pytest.raises(NotANumberError, match="voxels are NaN"):
        mean_image(masked, affine=AFFINE)
    found = mean_image(masked, affine=AFFINE, nan="omit").get_fdata()

    assert_allclose(found, masked.mean(axis=3).filled(np.nan), rtol=1e-12)


def test_table_knows_its_grid():
    grid = Grid(shape=SHAPE[:3], affine=AFFINE)

    source = MemorySource.of(STORED, grid)

    assert (source.grid, source.n_voxels, source.n_images) == (grid, math.prod(SHAPE[:3]), 7)
