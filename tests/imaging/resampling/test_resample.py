"""Resampling against scipy, nilearn and nibabel, and against its own laws."""

import itertools
from dataclasses import replace
from functools import cache

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.affines import apply_affine, from_matvec
from nibabel.orientations import axcodes2ornt, ornt_transform
from nibabel.processing import resample_from_to
from nibabel.quaternions import angle_axis2mat
from nibabel.testing import data_path
from nilearn import datasets
from nilearn.image import resample_img
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from scipy.spatial import cKDTree

from neuroprimer.imaging import (
    AffineError,
    Grid,
    ImageFileError,
    load_image,
    repetition_time_s,
    same_grid,
    save_image,
)
from neuroprimer.imaging.engine.compiled import find_compiled
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.files.headers import world_code
from neuroprimer.imaging.phantoms import make_head, make_labels, make_run
from neuroprimer.imaging.resampling.kernels import cubic_loop, linear_loop, nearest_loop
from neuroprimer.imaging.resampling.labels import holds_labels
from neuroprimer.imaging.resampling.pulls import Pull
from neuroprimer.imaging.resampling.resample import (
    ResampleError,
    move_image,
    resample_to,
    to_ras,
    transform_image,
)
from neuroprimer.imaging.resampling.sampling import make_sampling, sample

ALL_CODES = [
    "".join(codes)
    for codes in itertools.permutations("LRPAIS", 3)
    if sorted("xxyyzz"["LRPAIS".index(code)] for code in codes) == ["x", "y", "z"]
]
LOOPS = {"nearest": nearest_loop, "linear": linear_loop, "cubic": cubic_loop}
SCIPY_ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}
FIVE_MM_RIGHT = from_matvec(np.eye(3), [5, 0, 0])
# Some turn, some stretch and some shear, about a point that is not the origin.
ODD_MOVE = from_matvec(
    angle_axis2mat(0.3, [1, 2, -1]) @ [[1.1, 0.1, 0], [0, 0.9, 0.05], [0, 0, 1]], [3, -7, 4]
)
SHEAR = from_matvec([[1, 0.2, 0], [0, 1, 0], [0, 0, 1]])


def voxels_of(image: nib.Nifti1Image) -> np.ndarray:
    return np.asarray(image.dataobj)


def blob(codes: str = "RAS", centre_mm: tuple[float, ...] = (4, -3, 6)) -> nib.Nifti1Image:
    """Return a smooth spot at a place in the world, stored in any order."""
    ras = nib.Nifti1Image(
        np.zeros((28, 26, 24), np.float32), from_matvec(2 * np.eye(3), [-28, -26, -22])
    )
    order = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    empty = ras.as_reoriented(order)
    xyz = apply_affine(empty.affine, np.moveaxis(np.indices(empty.shape), 0, -1))
    distance = ((xyz - centre_mm) ** 2).sum(axis=-1)
    return nib.Nifti1Image(np.exp(-distance / 30).astype(np.float32), empty.affine)


def centre_mm(image: nib.Nifti1Image) -> np.ndarray:
    """Return the centre of mass of an image in the world."""
    return apply_affine(image.affine, ndimage.center_of_mass(voxels_of(image).astype(float)))


def noise(shape: tuple[int, ...], dtype: str = "f4", seed: int = 0) -> nib.Nifti1Image:
    values = np.random.default_rng(seed).normal(100, 20, shape).astype(dtype)
    sizes_mm = np.array([2.0, 2.0, 2.5])
    middle = (np.array(shape[:3]) - 1) / 2
    return nib.Nifti1Image(values, from_matvec(np.diag(sizes_mm), -sizes_mm * middle))


def places_in(pull: Pull) -> np.ndarray:
    """Return where the target's voxels lie in the source, summed in scipy's order."""
    i, j, k = np.indices(pull.target_shape)
    return np.stack(
        [
            start + steps[0] * i + steps[1] * j + steps[2] * k
            for start, steps in zip(pull.origin, pull.steps, strict=True)
        ]
    )


def is_clear(pull: Pull, interpolation: str, n_axes: int = 3) -> np.ndarray:
    """Tell which voxels lie so far from edges (and midpoints) that rounding decides nothing."""
    clear = np.ones(pull.target_shape, bool)
    for place, length in list(zip(places_in(pull), pull.source_shape, strict=True))[:n_axes]:
        clear &= (np.abs(place) > 3e-4) & (np.abs(place - (length - 1)) > 3e-4)
        if interpolation == "nearest":
            clear &= np.abs(place % 1 - 0.5) > 3e-4
    return clear


def by_scipy(source: np.ndarray, pull: Pull, interpolation: str, fill_value: float) -> np.ndarray:
    return ndimage.affine_transform(
        source.astype(np.float64),
        pull.steps,
        pull.origin,
        pull.target_shape,
        order=SCIPY_ORDERS[interpolation],
        mode="constant",
        cval=fill_value,
    )


lengths = st.integers(1, 6)
shapes = st.tuples(lengths, lengths, lengths)
numbers = st.floats(-2, 2).map(lambda number: round(number, 6))
matrices = st.one_of(
    st.lists(numbers, min_size=9, max_size=9).map(lambda nine: np.reshape(nine, (3, 3))),
    st.permutations([0, 1, 2]).map(lambda axes: np.eye(3)[list(axes)] * [1, -1, 0.7]),
    st.just(np.eye(3)),
)


@st.composite
def pulls(draw: st.DrawFn) -> Pull:
    """Draw sheared, permuted, flattened pulls; some grids lie out of view."""
    return Pull(
        steps=draw(matrices),
        origin=np.array(draw(st.tuples(*[st.floats(-4, 9).map(lambda x: round(x, 6))] * 3))),
        source_shape=draw(shapes),
        target_shape=draw(shapes),
    )


@pytest.fixture(params=["plain", "compiled"])
def either_way(request, monkeypatch) -> None:
    """Run a test with numba and without, whatever the size of its images."""
    many = 1 if request.param == "compiled" else 1e9
    monkeypatch.setattr("neuroprimer.imaging.resampling.sampling.MANY_VOXELS", many)


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["plain", "interpreted", "compiled"])
@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
@settings(deadline=None)  # numba compiles at the first call
@given(pull=pulls(), dtype=st.sampled_from(["f4", "f8"]), seed=st.integers(0, 9))
def test_values_agree_with_scipy_in_float64(way, interpolation, pull, dtype, seed):
    source = np.random.default_rng(seed).normal(0, 1, pull.source_shape).astype(dtype)
    sampling = make_sampling(pull, interpolation=interpolation, fill_value=-9)
    if way != "plain" and sampling.copy is None:
        loop = LOOPS[interpolation]
        sampling = replace(sampling, loop=find_compiled(loop) if way == "compiled" else loop)
    out = np.empty(pull.target_shape, dtype)

    sample(source, sampling, out)

    clear = is_clear(pull, interpolation)
    expected = by_scipy(source, pull, interpolation, -9)
    # Copied where nothing lies further off than 1e-4 voxels: as much as that may be lost.
    tolerance = 3e-3 if sampling.copy else {"f4": 2e-5, "f8": 1e-9}[dtype]
    assert_allclose(out[clear], expected[clear], rtol=0, atol=tolerance)


@settings(deadline=None)
@given(pull=pulls(), interpolation=st.sampled_from(["linear", "cubic", "nearest"]))
def test_compiled_and_scipy_agree_on_what_is_outside(pull, interpolation):
    source = np.ones(pull.source_shape)
    plain = make_sampling(pull, interpolation=interpolation, fill_value=np.nan)
    if plain.copy:
        return
    outs = [np.empty(pull.target_shape) for _ in range(2)]

    sample(source, plain, outs[0])
    sample(source, replace(plain, loop=find_compiled(LOOPS[interpolation])), outs[1])

    assert_array_equal(np.isnan(outs[0]), np.isnan(outs[1]))


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("f4", 1e-4), ("f8", 1e-9)])
def test_large_images_keep_the_promised_precision(interpolation, dtype, tolerance):
    head = make_head((40, 46, 34), voxel_mm=4.5)
    values = voxels_of(head).astype(dtype)
    image = nib.Nifti1Image(np.asfortranarray(values), head.affine)
    target = Grid(shape=(60, 56, 52), affine=from_matvec(3 * np.eye(3), [-88, -80, -75]))
    pull = Pull.between(Grid(shape=image.shape, affine=ODD_MOVE @ image.affine), target)

    moved = transform_image(image, ODD_MOVE, grid=target, interpolation=interpolation)

    clear = is_clear(pull, interpolation)
    expected = by_scipy(values, pull, interpolation, 0)
    assert moved.get_data_dtype() == dtype
    assert_allclose(
        voxels_of(moved)[clear], expected[clear], rtol=0, atol=tolerance * np.ptp(values)
    )


@pytest.mark.parametrize(
    ("interpolation", "nilearns"),
    [("linear", "linear"), ("cubic", "continuous"), ("nearest", "nearest")],
)
def test_values_agree_with_nilearn_within_the_picture(interpolation, nilearns):
    head = make_head((30, 36, 30), voxel_mm=5, tilt_rad=0.2, axis_codes="LAS")
    target = make_head((24, 30, 25), voxel_mm=4.3)
    theirs = resample_img(
        head,
        target.affine,
        target.shape,
        interpolation=nilearns,
        clip=False,
        force_resample=True,
        copy_header=True,
    )

    ours = resample_to(head, target, interpolation=interpolation)

    inside = is_clear(Pull.between(Grid.of(head), Grid.of(target)), interpolation)
    assert_allclose(voxels_of(ours)[inside], voxels_of(theirs)[inside], rtol=0, atol=1e-3)


def test_values_agree_with_nibabel_for_a_run():
    run, target = make_run(3, dtype=np.float32), make_head((24, 30, 25), voxel_mm=6.1)

    theirs = resample_from_to(run, ((*target.shape, 3), target.affine), order=1)

    assert_allclose(voxels_of(resample_to(run, target)), voxels_of(theirs), rtol=0, atol=1e-3)


def test_order_in_memory_changes_nothing_but_rounding():
    values = noise((20, 21, 22)).get_fdata().astype("f4")
    affine = noise((2, 2, 2)).affine

    results = [
        voxels_of(transform_image(nib.Nifti1Image(stored, affine), ODD_MOVE))
        for stored in (np.ascontiguousarray(values), np.asfortranarray(values), values[::-1][::-1])
    ]

    assert_allclose(results[1], results[0], rtol=0, atol=1e-3)
    assert_allclose(results[2], results[0], rtol=0, atol=1e-3)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
@pytest.mark.parametrize("n_volumes", [1, 2, 5])
def test_number_of_workers_changes_no_bit(monkeypatch, interpolation, n_volumes):
    monkeypatch.setattr("neuroprimer.imaging.resampling.pulls.SLAB_VOXELS", 900)
    monkeypatch.setattr("neuroprimer.imaging.resampling.sampling.SLAB_VOXELS", 900)
    image = noise((15, 16, 17, n_volumes))

    one, three = (
        transform_image(image, ODD_MOVE, interpolation=interpolation, n_workers=n_workers)
        for n_workers in (1, 3)
    )

    assert voxels_of(one).any()
    assert_array_equal(voxels_of(three), voxels_of(one))


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
def test_size_of_slabs_changes_nothing_but_rounding(monkeypatch, interpolation):
    image = noise((15, 16, 17))
    in_one = voxels_of(transform_image(image, ODD_MOVE, interpolation=interpolation))
    monkeypatch.setattr("neuroprimer.imaging.resampling.pulls.SLAB_VOXELS", 900)
    monkeypatch.setattr("neuroprimer.imaging.resampling.sampling.SLAB_VOXELS", 900)

    in_many = voxels_of(transform_image(image, ODD_MOVE, interpolation=interpolation))

    assert_allclose(in_many, in_one, rtol=0, atol=1e-3)


def test_every_volume_of_a_run_is_treated_alike():
    run = noise((9, 10, 11, 4))

    moved = voxels_of(transform_image(run, ODD_MOVE))

    for index in range(4):
        one = nib.Nifti1Image(voxels_of(run)[..., index], run.affine)
        # memory order differs, hence rounding
        assert_allclose(
            moved[..., index], voxels_of(transform_image(one, ODD_MOVE)), rtol=0, atol=1e-3
        )


# --- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
@pytest.mark.parametrize("step", [1 / 3, 0.1, 0.7 / 3])
def test_last_voxel_is_not_lost_to_rounding(interpolation, step):
    """Thirty steps of 0.1 go a little further than 3 in floating point; scipy fills there."""
    n_steps = round(3 / step) if step != 0.7 / 3 else 12
    source = Grid(shape=(4, 2, 2), affine=np.diag([n_steps * step / 3, 1, 1, 1]))
    target = Grid(shape=(n_steps + 2, 2, 2), affine=np.diag([step, 1, 1, 1]))
    image = nib.Nifti1Image(np.arange(1.0, 17).reshape(4, 2, 2), source.affine)

    resampled = voxels_of(resample_to(image, target, interpolation=interpolation, fill_value=-1))

    assert_allclose(resampled[n_steps], voxels_of(image)[3], rtol=1e-12)
    assert_array_equal(resampled[n_steps + 1], -1)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
@pytest.mark.parametrize(("beyond", "is_filled"), [(5e-5, False), (2e-4, True)])
@pytest.mark.parametrize("end", [-1, 1])
def test_edge_of_the_picture_is_the_outermost_centres(interpolation, beyond, is_filled, end):
    steep = 1000.0 * np.array([3, 1, 4, 1, 5])
    image = nib.Nifti1Image(np.broadcast_to(steep[:, None, None], (5, 5, 5)).copy(), np.eye(4))
    start, edge = (-beyond, 3000.0) if end < 0 else (4 + beyond, 5000.0)
    # a half step along i keeps this from being a copy
    target = Grid(shape=(1, 3, 3), affine=from_matvec(np.eye(3), [start, 0.5, 1]))

    resampled = voxels_of(resample_to(image, target, interpolation=interpolation, fill_value=-1))

    # a spline is flat at the edge, and scipy mirrors there
    tolerance = 1e-4 if interpolation == "cubic" else 1e-9
    assert_allclose(resampled, -1 if is_filled else edge, rtol=0, atol=tolerance)


@pytest.mark.usefixtures("either_way")
def test_point_midway_takes_the_voxel_with_the_higher_index():
    image = nib.Nifti1Image(np.arange(5, dtype=np.int16).reshape(5, 1, 1), np.eye(4))

    moved = transform_image(image, from_matvec(np.eye(3), [-0.5, 0, 0]), interpolation="nearest")

    assert voxels_of(moved).ravel().tolist() == [1, 2, 3, 4, 0]


def test_grid_out_of_view_is_filled():
    far = Grid(shape=(3, 4, 5), affine=from_matvec(np.eye(3), [1e4, 0, 0]))

    assert_array_equal(voxels_of(resample_to(noise((5, 6, 7)), far, fill_value=3)), 3)


def test_axis_that_never_enters_is_filled():
    image = noise((5, 6, 7))
    beside = image.affine.copy()
    beside[:3, 3] -= 1.5 * image.affine[:3, 0]

    filled = resample_to(image, Grid(shape=(1, 9, 9), affine=beside), fill_value=3)

    assert_array_equal(voxels_of(filled), 3)


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
def test_single_slice_turns_in_its_own_plane(interpolation):
    head = make_head((40, 48, 40))
    plane = nib.Nifti1Image(voxels_of(head)[:, :, 20:21], head.affine)
    turn = from_matvec(angle_axis2mat(0.2, [0, 0, 1]))

    moved = transform_image(plane, turn, interpolation=interpolation)

    pull = Pull.between(Grid(shape=plane.shape, affine=turn @ plane.affine), Grid.of(plane))
    expected = by_scipy(voxels_of(plane), pull, interpolation, 0)
    assert voxels_of(moved).any()
    clear = is_clear(pull, interpolation, n_axes=2)
    assert_allclose(voxels_of(moved)[clear], expected[clear], rtol=0, atol=1e-2)


# --- exactness ----------------------------------------------------------------------------------


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
def test_identity_changes_no_bit(interpolation):
    image = make_head((21, 22, 23), voxel_mm=3.1, tilt_rad=0.2, axis_codes="LAS")

    same = transform_image(image, np.eye(4), interpolation=interpolation)

    assert_array_equal(voxels_of(same), voxels_of(image))
    assert_array_equal(same.affine, image.affine)


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
@settings(max_examples=30)
@given(shift=st.tuples(*[st.integers(-8, 8)] * 3))
def test_shift_by_whole_voxels_is_exact(interpolation, shift):
    image = noise((5, 6, 7))
    world = from_matvec(np.eye(3), image.affine[:3, :3] @ shift)

    moved = voxels_of(transform_image(image, world, interpolation=interpolation, fill_value=-1))

    expected = np.full(image.shape, -1, np.float32)
    for ijk in itertools.product(*map(range, image.shape)):
        goal = tuple(np.add(ijk, shift))
        if all(0 <= index < length for index, length in zip(goal, image.shape, strict=True)):
            expected[goal] = voxels_of(image)[ijk]
    assert_array_equal(moved, expected)


@pytest.mark.parametrize("codes", ALL_CODES)
def test_other_storage_order_is_a_copy(codes):
    image = make_head((12, 13, 14), voxel_mm=12)
    stored = make_head((12, 13, 14), voxel_mm=12, axis_codes=codes)

    assert len(ALL_CODES) == 48
    assert_array_equal(voxels_of(resample_to(image, stored)), voxels_of(stored))


@pytest.mark.parametrize(
    "almost_none",
    [from_matvec(np.eye(3), [2e-3, 0, 0]), np.diag([1.00002, 1, 1, 1])],
    ids=["shift", "stretch"],
)
def test_small_move_is_no_copy(almost_none):
    image = nib.Nifti1Image(voxels_of(make_head((40, 48, 40))), np.diag([4.0, 4, 4, 1]))
    pull = Pull.between(Grid(shape=image.shape, affine=almost_none @ image.affine), Grid.of(image))

    moved = voxels_of(transform_image(image, almost_none))

    clear = is_clear(pull, "linear")
    expected = by_scipy(voxels_of(image), pull, "linear", 0)
    assert np.abs(expected - voxels_of(image))[clear].max() > 0.01
    assert_allclose(moved[clear], expected[clear], rtol=0, atol=1e-3)


def test_every_third_voxel_is_a_copy():
    image = noise((10, 11, 12))
    thinned = image.slicer[1::3, ::3, 2::3]

    assert_array_equal(voxels_of(resample_to(image, thinned)), voxels_of(thinned))


def test_affine_kept_in_float32_leaves_the_same_grid(tmp_path):
    exact = from_matvec(3.3 * angle_axis2mat(0.31, [1, 2, 3]), [-70.1, -100.3, 60.7])
    image = nib.Nifti1Image(voxels_of(noise((60, 70, 50))), exact)
    loaded = load_image(save_image(image, tmp_path / "noise.nii.gz"))

    assert not np.array_equal(loaded.affine, exact)
    assert_array_equal(voxels_of(resample_to(loaded, image)), voxels_of(image))


def test_file_gives_what_memory_gives(tmp_path):
    image = make_run(3)
    loaded = load_image(save_image(image, tmp_path / "run.nii.gz"))

    assert_array_equal(
        voxels_of(transform_image(loaded, ODD_MOVE)), voxels_of(transform_image(image, ODD_MOVE))
    )


# --- directions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ALL_CODES)
def test_push_moves_the_picture_where_the_affine_says(codes):
    image = blob(codes)

    moved = transform_image(image, FIVE_MM_RIGHT)

    assert_allclose(centre_mm(moved) - centre_mm(image), [5, 0, 0], rtol=0, atol=0.01)


def test_push_is_the_opposite_of_the_pull_of_scipy():
    spot = np.zeros((21, 5, 5), np.float32)
    spot[10, 2, 2] = 1
    image = nib.Nifti1Image(spot, np.eye(4))

    pushed = voxels_of(transform_image(image, FIVE_MM_RIGHT))
    pulled = ndimage.affine_transform(spot, np.eye(3), offset=[5, 0, 0], order=1)

    assert np.argwhere(pushed).tolist() == [[15, 2, 2]]
    assert np.argwhere(pulled).tolist() == [[5, 2, 2]]


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PIL", "SAR"])
@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
def test_moved_header_on_the_old_grid_is_the_moved_picture(codes, interpolation):
    image = make_head((15, 16, 17), voxel_mm=10, axis_codes=codes)

    by_header = resample_to(move_image(image, ODD_MOVE), image, interpolation=interpolation)

    moved = transform_image(image, ODD_MOVE, interpolation=interpolation)
    assert_array_equal(voxels_of(moved), voxels_of(by_header))
    assert_array_equal(moved.affine, image.affine)


@settings(max_examples=25, deadline=None)
@given(
    angles_rad=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
    shifts_mm=st.tuples(*[st.tuples(*[st.floats(-3, 3)] * 3)] * 2),
)
def test_one_move_after_the_other_is_their_product(angles_rad, shifts_mm):
    image = blob(centre_mm=(2, 1, -2))
    one = from_matvec(angle_axis2mat(angles_rad[0], [1, 0, 1]), shifts_mm[0])
    other = from_matvec(angle_axis2mat(angles_rad[1], [0, 1, 1]), shifts_mm[1])

    in_two_steps = transform_image(
        transform_image(image, one, interpolation="cubic"), other, interpolation="cubic"
    )

    at_once = transform_image(image, other @ one, interpolation="cubic")
    # the spot is 1 high and 9 mm wide, on voxels of 2 mm
    assert_allclose(voxels_of(in_two_steps), voxels_of(at_once), rtol=0, atol=5e-3)


@pytest.mark.parametrize("codes", ["LAS", "PIL", "SPR"])
def test_moved_picture_does_not_depend_on_the_storage_order(codes):
    image = make_head((20, 24, 20), voxel_mm=8)
    stored = make_head((20, 24, 20), voxel_mm=8, axis_codes=codes)

    moved = to_ras(transform_image(stored, ODD_MOVE))

    assert_allclose(
        voxels_of(moved), voxels_of(transform_image(image, ODD_MOVE)), rtol=0, atol=0.01
    )


# --- field of view ------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ["RAS", "LPI", "IPR"])
def test_grown_field_holds_the_whole_moved_picture_and_the_old_field(codes):
    image = make_head((10, 12, 11), voxel_mm=15, axis_codes=codes, tilt_rad=0.3)

    grown = Grid.of(transform_image(image, ODD_MOVE, field_of_view="grow"))

    for grid in (Grid.of(image), Grid.of(move_image(image, ODD_MOVE))):
        corners = list(itertools.product(*((0, length - 1) for length in grid.shape)))
        places = apply_affine(np.linalg.inv(grown.affine) @ grid.affine, corners)
        assert places.min() > -1e-3
        assert (places.max(axis=0) < np.array(grown.shape) - 1 + 1e-3).all()


def test_grown_field_lies_on_the_lattice_of_the_old_one():
    image = make_head((10, 12, 11), voxel_mm=15, axis_codes="PIL", tilt_rad=0.3)
    kept = transform_image(image, ODD_MOVE)

    grown = transform_image(image, ODD_MOVE, field_of_view="grow")

    start = apply_affine(np.linalg.inv(grown.affine), image.affine[:3, 3])
    assert_allclose(start, start.round(), rtol=0, atol=1e-6)
    assert_array_equal(grown.affine[:3, :3], image.affine[:3, :3])
    old_field = tuple(
        slice(at, at + length)
        for at, length in zip(start.round().astype(int), image.shape, strict=True)
    )
    assert_allclose(voxels_of(grown)[old_field], voxels_of(kept), rtol=0, atol=1e-3)


def test_field_that_holds_everything_does_not_grow():
    image = make_head((10, 12, 11), voxel_mm=15)

    shrunk = transform_image(image, np.diag([0.5, 0.5, 0.5, 1]), field_of_view="grow")

    assert same_grid(Grid.of(shrunk), Grid.of(image))


def test_field_grows_by_no_voxel_for_a_shift_of_rounding_size():
    image = make_head((10, 12, 11), voxel_mm=15)
    shifted = from_matvec(np.eye(3), [30 + 1e-9, 0, 0])

    assert transform_image(image, shifted, field_of_view="grow").shape == (12, 12, 11)


# --- to_ras -------------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ALL_CODES)
def test_to_ras_agrees_with_nibabel(codes):
    image = make_run(2, 1.35, shape=(4, 5, 6), axis_codes=codes, tilt_rad=0.2)

    ours, theirs = to_ras(image), nib.as_closest_canonical(image)

    assert_array_equal(voxels_of(ours), voxels_of(theirs))
    assert ours.get_data_dtype() == np.int16
    assert_allclose(ours.affine, theirs.affine, rtol=0, atol=1e-6)
    assert repetition_time_s(ours) == pytest.approx(1.35)
    assert ours.header.get_dim_info() == theirs.header.get_dim_info()


def test_to_ras_reads_nothing_of_an_image_in_order(tmp_path):
    path = save_image(make_head(), tmp_path / "head.nii")
    loaded = load_image(path)

    assert to_ras(loaded).dataobj is loaded.dataobj


def test_to_ras_takes_the_named_axes_along():
    image = make_run(2, axis_codes="SLA")
    image.header.set_dim_info(freq=1, phase=2, slice=0)
    image.header["slice_code"] = 1

    header = to_ras(image).header

    assert header.get_dim_info() == (0, 1, 2)
    assert header["slice_code"] == 1


def test_to_ras_forgets_the_order_of_slices_that_are_turned_round():
    image = make_run(2, axis_codes="RAI")
    image.header.set_dim_info(slice=2)
    image.header["slice_code"] = 1

    assert to_ras(image).header["slice_code"] == 0


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage])
def test_repetition_time_is_kept(image_class):
    run = image_class(np.zeros((4, 5, 6, 3), np.float32), np.diag([2, 2, 2, 1]))
    run.header.set_zooms((2, 2, 2, 2400 if image_class is nib.MGHImage else 2.4))
    if image_class is not nib.MGHImage:
        run.header.set_xyzt_units("mm", "sec")

    results = (
        move_image(run, ODD_MOVE),
        transform_image(run, ODD_MOVE),
        resample_to(run, make_head()),
        to_ras(run),
    )

    for image in results:
        assert isinstance(image, nib.Nifti1Image)
        assert repetition_time_s(image) == pytest.approx(2.4)


def test_spatial_zooms_are_those_of_the_new_grid():
    resampled = resample_to(make_run(2, 1.5), make_head((5, 6, 7), voxel_mm=(2, 3, 4)))

    assert resampled.header.get_zooms() == pytest.approx((2, 3, 4, 1.5))


def test_intent_and_description_are_kept():
    moved = transform_image(make_labels((10, 12, 10), voxel_mm=16), ODD_MOVE)

    assert moved.header.get_intent()[0] == "label"
    assert moved.header["descrip"] == b"synthetic"


def test_slice_timing_of_the_scanner_is_not_kept():
    run = make_run(2)
    run.header.set_dim_info(slice=2)
    run.header["slice_code"], run.header["slice_end"] = 3, 19

    header = transform_image(run, ODD_MOVE).header

    assert header.get_dim_info() == (None, None, None)
    assert (header["slice_code"], header["slice_end"]) == (0, 0)


@pytest.mark.parametrize("move", [move_image, transform_image])
def test_moved_picture_is_no_longer_in_scanner_space(move):
    moved = move(make_head(), FIVE_MM_RIGHT)

    assert (moved.header["sform_code"], moved.header["qform_code"]) == (2, 2)


@pytest.mark.parametrize(("sform", "qform", "expected"), [(4, 1, 4), (0, 1, 1), (0, 0, 2)])
def test_resampling_keeps_what_the_coordinates_mean(sform, qform, expected):
    image = make_head(axis_codes="LAS")
    image.header["sform_code"], image.header["qform_code"] = sform, qform

    assert world_code(image) == expected
    for same_world in (resample_to(image, make_head((5, 5, 5))), to_ras(image)):
        assert same_world.header["sform_code"] == expected


@pytest.mark.parametrize(("world", "code"), [(FIVE_MM_RIGHT, 2), (SHEAR, 0)])
def test_both_forms_agree_or_the_qform_is_unknown(world, code):
    moved = move_image(make_head(), world)

    header = nib.Nifti1Image.from_bytes(moved.to_bytes()).header

    assert header["qform_code"] == code
    assert_allclose(header.get_sform(), moved.affine, rtol=0, atol=1e-4)
    if code:
        assert_allclose(header.get_qform(), moved.affine, rtol=0, atol=1e-4)


def test_move_image_reads_no_voxel(tmp_path):
    path = save_image(make_head(), tmp_path / "head.nii.gz")
    loaded = load_image(path)

    moved = move_image(loaded, FIVE_MM_RIGHT)

    assert moved.dataobj is loaded.dataobj
    assert_allclose(moved.affine, FIVE_MM_RIGHT @ loaded.affine)
    path.unlink()
    with pytest.raises(ImageFileError):
        voxels_of(moved)


def test_move_image_leaves_the_image_alone():
    image = make_head()
    affine, header = image.affine.copy(), image.header.copy()

    move_image(image, ODD_MOVE)

    assert_array_equal(image.affine, affine)
    assert image.header == header


@pytest.mark.parametrize(
    "image_class", [nib.AnalyzeImage, nib.Spm2AnalyzeImage, nib.MGHImage, nib.Nifti2Image]
)
def test_other_formats_become_nifti_without_a_word(image_class, caplog):
    image = image_class(np.ones((4, 5, 6), np.float32), np.diag([2, 2, 2, 1]))

    moved = transform_image(image, ODD_MOVE)

    assert type(moved) is nib.Nifti1Image
    assert caplog.records == []
    read = nib.Nifti1Image.from_bytes(moved.to_bytes())
    assert_array_equal(read.get_fdata(), voxels_of(moved))


# --- types of voxels ----------------------------------------------------------------------------


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    ("stored", "smooth", "nearest"),
    [
        ("u1", "f4", "u1"),
        ("i2", "f4", "i2"),
        (">i2", "f4", "i2"),
        ("u2", "f4", "u2"),
        ("i4", "f8", "i4"),
        ("i8", "f8", "i8"),
        ("f4", "f4", "f4"),
        (">f4", "f4", "f4"),
        ("f8", "f8", "f8"),
    ],
)
def test_type_of_the_result(stored, smooth, nearest):
    values = np.arange(210).reshape(5, 6, 7).astype(stored)
    image = nib.Nifti1Image(values, np.eye(4), dtype=stored)

    for interpolation, expected in (("linear", smooth), ("cubic", smooth), ("nearest", nearest)):
        moved = transform_image(image, ODD_MOVE, interpolation=interpolation)
        assert (voxels_of(moved).dtype, moved.get_data_dtype()) == (expected, expected)


@pytest.mark.parametrize(
    ("dtype", "expected"), [(np.float16, np.float32), (np.longdouble, np.float64)]
)
@pytest.mark.parametrize("interpolation", ["linear", "nearest"])
def test_types_that_nifti_does_not_know_become_the_next(dtype, expected, interpolation):
    image = nib.spatialimages.SpatialImage(np.ones((3, 4, 5), dtype), np.eye(4))

    moved = transform_image(image, ODD_MOVE, interpolation=interpolation)

    assert voxels_of(moved).dtype == expected


def test_scaled_voxels_are_resampled_in_single_precision():
    image = load_image(f"{data_path}/functional.nii")
    expected = nib.Nifti1Image(image.get_fdata(), image.affine)

    moved = transform_image(image, FIVE_MM_RIGHT)

    assert voxels_of(moved).dtype == "f4"
    assert_allclose(
        voxels_of(moved), voxels_of(transform_image(expected, FIVE_MM_RIGHT)), rtol=1e-5
    )


@pytest.mark.usefixtures("either_way")
def test_large_label_numbers_are_exact():
    names = np.array([2**62 + 1, 2**62 + 3, 5, 0], np.int64).reshape(4, 1, 1)
    image = nib.Nifti1Image(names, np.eye(4), dtype=np.int64)
    right = from_matvec(np.eye(3), [0.3, 0, 0])

    moved = transform_image(image, right, interpolation="nearest", fill_value=7)

    assert voxels_of(moved).ravel().tolist() == [7, 2**62 + 3, 5, 0]


# --- labels -------------------------------------------------------------------------------------


@cache
def brain() -> np.ndarray:
    return voxels_of(make_head((50, 60, 50), voxel_mm=3)) > 100


def make_atlas(n_regions: int, step: int) -> nib.Nifti1Image:
    """Return regions of a brain with numbers up to 4202, without any intent."""
    inside = brain()[::step, ::step, ::step]
    rng = np.random.default_rng(0)
    points = np.argwhere(inside)
    seeds = rng.choice(points, n_regions, replace=False)
    atlas = np.zeros(inside.shape, np.int16)
    names = rng.choice(4202, n_regions, replace=False) + 1
    atlas[inside] = names[cKDTree(seeds).query(points)[1]]
    return nib.Nifti1Image(atlas, np.diag([3.0 * step, 3.0 * step, 3.0 * step, 1]))


@pytest.mark.parametrize(("n_regions", "step"), [(10, 1), (400, 1), (116, 2), (48, 3)])
def test_atlas_is_never_interpolated(n_regions, step):
    atlas = make_atlas(n_regions, step)

    moved = transform_image(atlas, ODD_MOVE)

    assert holds_labels(atlas)
    assert voxels_of(moved).dtype == np.int16
    assert set(np.unique(voxels_of(moved))) <= set(np.unique(voxels_of(atlas))) | {0}


@pytest.mark.parametrize("dtype", ["u1", "i2"])
def test_mask_stays_a_mask(dtype):
    mask = nib.Nifti1Image((voxels_of(make_head()) > 500).astype(dtype), make_head().affine)

    assert np.unique(voxels_of(transform_image(mask, ODD_MOVE))).tolist() == [0, 1]


@pytest.mark.parametrize("intent", ["label", "neuroname"])
def test_intent_makes_labels_of_any_numbers(intent):
    image = make_head((10, 12, 10), voxel_mm=16)
    image.header.set_intent(intent)

    moved = transform_image(image, ODD_MOVE)

    assert set(np.unique(voxels_of(moved))) <= set(np.unique(voxels_of(image)))


def test_truth_values_are_labels():
    image = nib.spatialimages.SpatialImage(np.arange(60).reshape(3, 4, 5) % 3 == 0, np.eye(4))

    moved = transform_image(image, from_matvec(np.eye(3), [0.3, 0, 0]))

    assert holds_labels(image)
    assert voxels_of(moved).dtype == np.uint8


def test_template_in_bytes_is_no_label_image():
    template = load_image(
        f"{datasets.__path__[0]}/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    )
    tissue = load_image(
        f"{datasets.__path__[0]}/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz"
    )

    assert voxels_of(template).dtype == np.uint8
    assert not holds_labels(template)
    assert not holds_labels(tissue)


@pytest.mark.parametrize("name", ["anatomical.nii", "example4d.nii.gz", "functional.nii"])
def test_scans_in_whole_numbers_are_no_label_images(name):
    assert not holds_labels(load_image(f"{data_path}/{name}"))


def test_run_whose_first_volume_is_empty_is_no_mask():
    values = voxels_of(make_run(3)).copy()
    values[..., 0] = 0

    assert not holds_labels(nib.Nifti1Image(values, np.eye(4)))


def test_run_that_only_begins_as_a_mask_is_none():
    values = np.arange(240, dtype=np.int16).reshape(4, 5, 6, 2)
    values[..., 0] = values[..., 0] // 2 % 2

    assert not holds_labels(nib.Nifti1Image(values, np.eye(4)))


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 4, 5), np.int16),  # nothing at all
        np.arange(5, dtype=np.int16).reshape(1, 1, 5),  # no neighbours within a plane
        np.int16(7) * (np.arange(60).reshape(3, 4, 5) % 7 == 0),  # specks in an empty field
        np.arange(60.0).reshape(3, 4, 5) // 30,  # not whole by its type
    ],
    ids=["empty", "line", "specks", "floats"],
)
def test_without_a_sign_of_labels_there_are_none(values):
    assert not holds_labels(nib.Nifti1Image(values, np.eye(4)))


def test_counts_in_broad_steps_are_taken_for_labels_unless_linear_is_named():
    """The known price of guessing, as the documentation says."""
    counts = nib.Nifti1Image(
        np.repeat(np.arange(8, dtype=np.int16), 64).reshape(8, 8, 8), np.eye(4)
    )
    half = from_matvec(np.eye(3), [0.5, 0, 0])

    assert holds_labels(counts)
    assert voxels_of(transform_image(counts, half, interpolation="linear"))[1, 4, 4] == 0.5


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_declared_labels_are_not_interpolated_even_when_asked(interpolation):
    with pytest.raises(ResampleError, match=f"labels with '{interpolation}'.*set_intent"):
        transform_image(make_labels(), ODD_MOVE, interpolation=interpolation)


# --- numbers that are none ----------------------------------------------------------------------


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number_is_refused_with_its_count_and_place(interpolation, bad):
    run = noise((5, 6, 7, 3))
    run.dataobj[1, 2, 3, 2] = run.dataobj[2, 2, 2, 2] = bad

    with pytest.raises(NotANumberError, match=r"2 of the 210 voxels of volume 2.*nan='zero'"):
        transform_image(run, ODD_MOVE, interpolation=interpolation)


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "nearest"])
def test_zero_is_taken_for_not_a_number(interpolation):
    image, zeroed = noise((5, 6, 7)), noise((5, 6, 7))
    image.dataobj[1:4, 2:5, 2:5] = np.nan
    zeroed.dataobj[1:4, 2:5, 2:5] = 0

    moved = transform_image(image, ODD_MOVE, interpolation=interpolation, nan="zero")

    expected = transform_image(zeroed, ODD_MOVE, interpolation=interpolation)
    assert_array_equal(voxels_of(moved), voxels_of(expected))
    assert np.isnan(voxels_of(image)[1, 2, 3])
    assert (voxels_of(expected) != voxels_of(transform_image(noise((5, 6, 7)), ODD_MOVE))).any()


@pytest.mark.usefixtures("either_way")
def test_nearest_copies_what_is_not_a_number():
    image = noise((5, 6, 7))
    image.dataobj[2, 3, 3] = np.nan

    moved = voxels_of(transform_image(image, np.diag([1.01, 1, 1, 1]), interpolation="nearest"))

    assert np.count_nonzero(np.isnan(moved)) == 1


def test_finite_numbers_whose_sum_overflows_are_no_reason_to_refuse():
    image = nib.Nifti1Image(np.full((5, 6, 7), 3e38, np.float32), np.eye(4))

    assert np.isfinite(voxels_of(transform_image(image, FIVE_MM_RIGHT))).all()


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [move_image, transform_image])
@pytest.mark.parametrize(
    ("world", "words"),
    [
        (np.diag([1, 1, 0, 1]), "flattens"),
        (np.eye(3), r"\(3, 3\)"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.diag([1e308, 1, 1, 1]), "finite"),
    ],
    ids=["flat", "3x3", "nan", "overflow"],
)
def test_what_moves_nothing_anywhere_is_refused(verb, world, words):
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.float32), np.diag([1e3, 1e3, 1e3, 1]))

    with pytest.raises(AffineError, match=words):
        verb(image, world)


@pytest.mark.parametrize("shape", [(5,), (5, 6), (5, 6, 7, 1, 4), (5, 6, 7, 0)])
@pytest.mark.parametrize(
    "verb",
    [lambda i: transform_image(i, ODD_MOVE), lambda i: resample_to(i, make_head()), to_ras],
    ids=["transform_image", "resample_to", "to_ras"],
)
def test_other_numbers_of_axes_are_refused(shape, verb):
    image = nib.Nifti1Image(np.zeros(shape, np.float32), np.eye(4))

    with pytest.raises(ResampleError, match=r"expected \(x, y, z\)") as caught:
        verb(image)

    assert ("as_4d" in caught.value.hint) == (len(shape) == 5)


@pytest.mark.parametrize("dtype", [np.complex64, np.dtype([(c, "u1") for c in "RGB"])])
def test_voxels_that_are_no_real_numbers_are_refused(dtype):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), dtype), np.eye(4))

    with pytest.raises(ResampleError, match="expected real numbers"):
        transform_image(image, ODD_MOVE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"interpolation": "sinc"}, "'auto', 'linear', 'cubic', 'nearest'"),
        ({"nan": "omit"}, "'raise', 'zero'"),
        ({"field_of_view": "crop"}, "'keep', 'grow'"),
        ({"n_workers": 0}, "at least 1"),
        ({"n_workers": 1.5}, "at least 1"),
        ({"grid": Grid.of(make_head()), "field_of_view": "grow"}, "own grid"),
        ({"grid": "head.nii"}, "str does not say"),
        ({"fill_value": "black"}, "'black'"),
        ({"fill_value": [0, 1]}, r"\[0, 1\]"),
        ({"fill_value": 1e39}, "float32"),
        ({"fill_value": np.nan, "interpolation": "nearest"}, "int16"),
        ({"fill_value": 0.5, "interpolation": "nearest"}, "int16"),
        ({"fill_value": -40000, "interpolation": "nearest"}, "int16"),
    ],
    ids=str,
)
def test_unknown_options_are_refused_in_words(options, words):
    with pytest.raises(ResampleError, match=words):
        transform_image(make_run(1), ODD_MOVE, **options)


@pytest.mark.parametrize("fill_value", [np.nan, -np.inf, -1.5])
def test_real_numbers_can_be_filled_with_any(fill_value):
    far = from_matvec(np.eye(3), [1e4, 0, 0])

    assert_array_equal(
        voxels_of(transform_image(noise((3, 4, 5)), far, fill_value=fill_value)), fill_value
    )


@pytest.mark.parametrize("verb", [lambda i: move_image(i, np.eye(4)), to_ras])
def test_what_is_no_image_is_refused(verb):
    with pytest.raises(ResampleError, match=r"a str.*load_image"):
        verb("head.nii")


@pytest.mark.parametrize(
    "world",
    [from_matvec(np.eye(3), [1e15, 0, 0]), np.diag([4e307, 1, 1, 1])],
    ids=["far", "overflow"],
)
def test_absurdly_long_field_is_refused_before_it_is_made(world):
    with pytest.raises(ResampleError, match="32767 along an axis"):
        transform_image(noise((5, 6, 7)), world, field_of_view="grow")


def test_terabytes_are_refused_before_they_are_asked_for():
    grid = Grid(shape=(20000, 20000, 20000), affine=np.eye(4))

    with pytest.raises(ResampleError, match=r"20000 x 20000 x 20000 .*GB"):
        resample_to(noise((5, 6, 7)), grid)


def test_axis_longer_than_nifti_can_say_is_refused():
    with pytest.raises(ResampleError, match=r"40000 x 1 x 1 .*32767"):
        resample_to(noise((5, 6, 7)), Grid(shape=(40000, 1, 1), affine=np.eye(4)))


# --- numba --------------------------------------------------------------------------------------


def test_numba_is_not_loaded_for_small_images():
    target = Grid(shape=(9, 9, 9), affine=np.diag([1.1, 1.1, 1.1, 1]))
    pull = Pull.between(Grid.of(noise((5, 6, 7))), target)

    assert make_sampling(pull, interpolation="linear").loop is None
    many = make_sampling(pull, interpolation="linear", n_volumes=10**6)
    assert many.loop is find_compiled(linear_loop)
