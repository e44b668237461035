"""Stacking: rows in order, drawn as they are needed, from every kind of source."""

import io
import weakref
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from neuroprimer.imaging import (
    Grid,
    GridMismatchError,
    ImageFileError,
    Mask,
    MaskError,
    NoImagesError,
    NotANumberError,
)
from neuroprimer.imaging.engine.workers import default_workers
from neuroprimer.imaging.tables.stacking import (
    N_OPENED_AHEAD,
    agreed_time_s,
    find_nonzero_mask,
    find_repetition_time_s,
    is_one_image,
    list_images,
    name_image,
    stack_rows,
)

AFFINE = np.diag([-2.0, 2, 3, 1])
SHAPE = (3, 4, 5)
INSIDE = np.arange(60).reshape(SHAPE) % 3 != 1
MASK = Mask(grid=Grid(shape=SHAPE, affine=AFFINE), inside=INSIDE)


def volume_of(number, dtype=np.float32):
    return np.arange(60).reshape(SHAPE).astype(dtype) + dtype(100 * number)


def image_of(values, tr_s=None, affine=AFFINE):
    image = nib.Nifti1Image(np.asarray(values), affine)
    if tr_s is not None:
        image.header.set_zooms((*image.header.get_zooms()[:3], tr_s))
        image.header.set_xyzt_units("mm", "sec")
    return image


@pytest.fixture
def files(tmp_path):
    """Return five files of a volume each, one of them compressed."""
    paths = [tmp_path / f"{number}.nii{'.gz' * (number == 3)}" for number in range(5)]
    for number, path in enumerate(paths):
        image_of(volume_of(number)).to_filename(path)
    return paths


EXPECTED = np.stack([volume_of(number)[INSIDE] for number in range(5)])

GIVEN_AS = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "names": lambda files: [str(file) for file in files],
    "column of a table": lambda files: pd.Series([str(file) for file in files]),
    "array of names": lambda files: np.array([str(file) for file in files]),
    "array of paths": lambda files: np.array(files, dtype=object),
    "images": lambda files: [nib.load(file) for file in files],
    "open files": lambda files: [io.BytesIO(Path(file).read_bytes()) for file in files],
    "one run": lambda files: image_of(np.stack([nib.load(f).dataobj for f in files], axis=-1)),
    "run and volumes": lambda files: [
        image_of(np.stack([volume_of(0), volume_of(1)], axis=-1)),
        *files[2:],
    ],
}


@pytest.mark.parametrize("given_as", GIVEN_AS)
@pytest.mark.parametrize("mask", [MASK, None], ids=["with mask", "without"])
def test_rows_come_in_order_however_images_are_given(files, given_as, mask):
    rows = stack_rows(GIVEN_AS[given_as](files), mask)

    # without a mask, the only voxel left out would be the one that is zero in all images
    expected = EXPECTED if mask else np.stack([volume_of(n).ravel() for n in range(5)])
    assert_array_equal(rows.values, expected)
    assert rows.values.dtype == np.float32


@pytest.mark.parametrize("place", ["path", "name", "open file"])
def test_single_file_is_no_list_of_letters(files, place):
    with files[2].open("rb") as stream:
        source = {"path": files[2], "name": str(files[2]), "open file": stream}[place]

        assert_array_equal(stack_rows(source).values, [volume_of(2).ravel()])


@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    dtypes=st.lists(st.sampled_from([np.int16, np.float32, np.float64]), min_size=6, max_size=6),
    as_iterator=st.booleans(),
)
def test_runs_of_any_lengths_and_types_make_one_table(lengths, dtypes, as_iterator):
    runs = [
        np.stack([volume_of(10 * n + t, dtype) for t in range(length)], axis=-1)
        for n, (length, dtype) in enumerate(zip(lengths, dtypes, strict=False))
    ]
    images = [image_of(run) for run in runs]

    rows = stack_rows(iter(images) if as_iterator else images, MASK)

    assert_array_equal(rows.values, np.concatenate([run[INSIDE].T for run in runs]))
    is_wide = np.float64 in dtypes[: len(lengths)]
    assert rows.values.dtype == (np.float64 if is_wide else np.float32)


def test_table_of_a_list_takes_no_more_memory_than_its_rows(files):
    values = stack_rows(files, MASK).values

    assert values.base is None or values.base.shape == values.shape


def test_iterator_is_drawn_from_as_images_are_needed():
    alive, how_many_alive, seen = set(), [], []

    def images():
        for number in range(50):
            image = image_of(volume_of(number))
            alive.add(number)
            weakref.finalize(image, alive.discard, number)
            how_many_alive.append(len(alive))
            yield image

    def progress(n_read, n_all):
        seen.append((n_read, n_all, len(how_many_alive) - n_read))

    stack_rows(images(), MASK, progress=progress)

    assert [(n_read, n_all) for n_read, n_all, _ in seen] == [(n, None) for n in range(1, 51)]
    # in the air: one for each thread, those that wait for one, and those that are just being drawn
    # and kept
    in_the_air = default_workers() + N_OPENED_AHEAD
    assert max(n_ahead for _, _, n_ahead in seen) <= in_the_air
    assert max(how_many_alive) <= in_the_air + 3


def test_rows_are_kept_when_the_table_moves_while_they_are_filled():
    """Wider types and longer runs make the table move, again and again."""
    rng = np.random.default_rng(0)
    images = [
        image_of(rng.normal(size=(*SHAPE, 1 + n % 7)).astype([np.float32, np.float64][n > 20]))
        for n in range(40)
    ]

    values = stack_rows(iter(images), MASK).values

    expected = [np.asarray(image.dataobj)[MASK.inside].T for image in images]
    assert values.dtype == np.float64
    assert_array_equal(values, np.concatenate(expected))


@pytest.mark.parametrize("given_as", ["list", "tuple", "column of a table"])
def test_progress_rises_by_one_and_ends_at_the_number_of_files(files, given_as):
    seen = []

    stack_rows(GIVEN_AS[given_as](files), MASK, progress=lambda *done: seen.append(done))

    assert seen == [(number, 5) for number in range(1, 6)]


def test_default_mask_is_where_any_image_is_not_zero():
    one, other = np.zeros(SHAPE, np.int16), np.zeros((*SHAPE, 2), np.float32)
    one[0, 0, 1] = -3
    other[2, 1, 0, 1] = np.nan

    mask = find_nonzero_mask([image_of(one), image_of(other)])

    assert np.argwhere(mask.inside).tolist() == [[0, 0, 1], [2, 1, 0]]


def test_images_of_zeros_leave_no_mask():
    with pytest.raises(MaskError, match=r"all images are zero everywhere.*pass a mask"):
        stack_rows([image_of(np.zeros(SHAPE))])


def test_zeros_within_a_mask_are_numbers_as_others():
    assert not stack_rows([image_of(np.zeros(SHAPE))], MASK).values.any()


@pytest.mark.parametrize("images", [[], (), iter(()), np.array([], dtype=object)])
@pytest.mark.parametrize("mask", [MASK, None], ids=["with mask", "without"])
def test_empty_list_is_refused(images, mask):
    with pytest.raises(NoImagesError, match=r"list is empty.*pattern"):
        stack_rows(images, mask)


@pytest.mark.parametrize("mask", [MASK, None], ids=["with mask", "without"])
def test_file_on_another_grid_is_named_with_both_grids_and_the_way_out(files, mask):
    image_of(np.ones((3, 4, 6))).to_filename(files[3])

    words = r"stack .*3.nii.gz with the others.*3 x 4 x 6.*3 x 4 x 5.*resample_to"
    with pytest.raises(GridMismatchError, match=words):
        stack_rows(files, mask)


def test_image_in_memory_has_no_name():
    assert name_image(image_of(np.ones(SHAPE))) == "an image"


@pytest.mark.parametrize("what", [None, 5, np.ones(3)])
def test_what_is_no_image_is_refused_in_words(what):
    with pytest.raises(ImageFileError, match="image"):
        stack_rows(what, MASK)


@pytest.mark.parametrize("mask", [MASK, None], ids=["with mask", "without"])
def test_complex_images_are_refused(mask):
    with pytest.raises(NotANumberError, match="no real numbers"):
        stack_rows(image_of(np.ones(SHAPE, np.complex64)), mask)


RUN = np.stack([volume_of(0), volume_of(1)], axis=-1)


@pytest.mark.parametrize(
    ("images", "tr_s"),
    [
        (image_of(RUN, 2.2), 2.2),
        ([image_of(RUN, 2.2), image_of(RUN, 2.2)], 2.2),
        ([image_of(RUN, 2.2), image_of(RUN, 2.0)], None),
        ([image_of(RUN, 2.2), image_of(volume_of(0))], None),
        ([image_of(volume_of(0)), image_of(volume_of(0))], None),
        (image_of(RUN, 2000), None),
        (image_of(RUN), None),
    ],
    ids=["run", "same", "different", "run and volume", "volumes", "nonsense", "unknown"],
)
def test_repetition_time_is_what_all_runs_agree_on(images, tr_s):
    assert stack_rows(images, MASK).tr_s == (tr_s and pytest.approx(tr_s, rel=1e-6))


def test_time_in_milliseconds_is_the_same_time():
    in_ms = image_of(RUN)
    in_ms.header.set_zooms((2, 2, 3, 2200))
    in_ms.header.set_xyzt_units("mm", "msec")

    assert find_repetition_time_s(in_ms) == pytest.approx(2.2, rel=1e-6)
    assert stack_rows([in_ms, image_of(RUN, 2.2)], MASK).tr_s == pytest.approx(2.2, rel=1e-6)


@pytest.mark.parametrize(
    ("times", "agreed"),
    [([], None), ([None], None), ([2, None], None), ([2, 2.00000005], 2), ([2, 2.01], None)],
)
def test_times_agree_up_to_the_rounding_of_headers(times, agreed):
    assert agreed_time_s(times) == agreed


def test_one_image_is_told_from_many():
    assert all(map(is_one_image, ["a.nii", Path("a.nii"), io.BytesIO(), image_of(RUN), None, 3]))
    assert not any(map(is_one_image, [[], ("a.nii",), iter("ab"), pd.Series(["a.nii"])]))
    assert list_images(np.array(["a.nii"])) == ["a.nii"]
