"""Many points: numpy's kernels, numba's loops, and which of them is used."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from nibabel import affines as nibabel_affines
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import voxel_to_world, world_to_voxel
from neuroprimer.imaging.engine.compiled import find_compiled
from neuroprimer.imaging.space import point_kernels
from neuroprimer.imaging.space.affines import turn_zooms_shears
from neuroprimer.imaging.space.point_kernels import (
    BLOCK,
    carry,
    to_voxel,
    to_voxel_loop,
    to_world,
    to_world_loop,
)

# Enough for several slabs, where a slab is two blocks.
MANY = 5 * BLOCK + 7

OBLIQUE = np.array([[-2, 0.1, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])
SHEARED = OBLIQUE @ [[1, 1.3, -0.2, 0], [0, 1, 0.4, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.fixture(params=["with numba", "without numba"])
def numba_or_not(request, monkeypatch):
    """Run a test twice: with numba's loops, and as if numba were not installed."""
    monkeypatch.setattr(point_kernels, "MANY", MANY)
    monkeypatch.setattr(point_kernels, "SLAB", 2 * BLOCK)
    if request.param == "without numba":
        monkeypatch.setitem(sys.modules, "numba", None)
    else:
        pytest.importorskip("numba")
    find_compiled.cache_clear()
    yield
    find_compiled.cache_clear()


def draw_points(n_points: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(7).uniform(-120, 120, (n_points, 3)).astype(dtype)


@pytest.mark.parametrize("n_points", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
@pytest.mark.parametrize("affine", [OBLIQUE, SHEARED], ids=["oblique", "sheared"])
def test_numpy_and_loop_carry_points_to_the_same_places(affine, n_points):
    points, there, back = draw_points(n_points), np.empty((n_points, 3)), np.empty((n_points, 3))
    offset = affine[:3, 3]
    sample = slice(None, None, max(1, n_points // 100))  # without numba, a loop takes its time

    to_world(points, affine[:3, :3], offset, there)
    to_voxel(there, *turn_zooms_shears(affine), offset, back)
    there_in_loop, back_in_loop = np.empty_like(there[sample]), np.empty_like(there[sample])
    to_world_loop(points[sample], affine[:3, :3], offset, there_in_loop)
    to_voxel_loop(there[sample], *turn_zooms_shears(affine), offset, back_in_loop)

    assert_allclose(there, nibabel_affines.apply_affine(affine, points), rtol=0, atol=1e-12)
    assert_allclose(there_in_loop, there[sample], rtol=1e-12, atol=1e-12)
    assert_allclose(back, points, rtol=0, atol=1e-11)
    assert_allclose(back_in_loop, back[sample], rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("numba_or_not")
@pytest.mark.parametrize("n_points", [MANY - 1, MANY])
def test_many_points_go_where_nibabel_takes_them(n_points):
    points = draw_points(n_points)

    xyz = voxel_to_world(SHEARED, points)

    assert_allclose(xyz, nibabel_affines.apply_affine(SHEARED, points), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("numba_or_not")
def test_many_points_come_back():
    points = draw_points(MANY + 1)

    ijk = world_to_voxel(SHEARED, nibabel_affines.apply_affine(SHEARED, points))

    assert_allclose(ijk, points, rtol=1e-9, atol=1e-11)


@pytest.mark.usefixtures("numba_or_not")
@pytest.mark.parametrize("dtype", ["int16", "float32", ">f8", "longdouble"])
def test_points_of_any_type_are_carried_in_float64(dtype):
    points = np.abs(draw_points(MANY)).astype(dtype)

    xyz = voxel_to_world(OBLIQUE, points)

    assert xyz.dtype == np.float64
    oracle = nibabel_affines.apply_affine(OBLIQUE, points.astype(float))
    assert_allclose(xyz, oracle, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("numba_or_not")
def test_points_need_not_lie_side_by_side_in_memory():
    points = draw_points(MANY)
    columns = np.asfortranarray(points)
    every_other = np.repeat(points, 2, axis=0)[::2]
    columns.flags.writeable = False

    expected = voxel_to_world(OBLIQUE, points)

    assert_allclose(voxel_to_world(OBLIQUE, columns), expected, rtol=1e-12, atol=1e-12)
    assert_array_equal(voxel_to_world(OBLIQUE, every_other), expected)


@pytest.mark.usefixtures("numba_or_not")
def test_many_points_keep_their_shape_and_are_not_changed():
    points = draw_points(MANY + 1).reshape(2, -1, 4, 3)
    before = points.copy()

    assert voxel_to_world(OBLIQUE, points).shape == points.shape
    assert world_to_voxel(OBLIQUE, points).shape == points.shape
    assert_array_equal(points, before)


@pytest.mark.parametrize("blocked", [{}, {"numba": None}], ids=["with numba", "without numba"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
@pytest.mark.parametrize("carry_points", [voxel_to_world, world_to_voxel])
def test_only_the_result_takes_memory(carry_points, dtype, blocked, monkeypatch):
    for name, module in blocked.items():
        monkeypatch.setitem(sys.modules, name, module)
    find_compiled.cache_clear()
    points = draw_points(point_kernels.MANY, dtype)
    carry_points(OBLIQUE, points)  # what numba needs for itself does not count

    tracemalloc.start()
    result = carry_points(OBLIQUE, points)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    find_compiled.cache_clear()

    # four slabs at most are in the air, with a few blocks each
    assert peak_bytes - result.nbytes < 4 * 6 * BLOCK * 24


def test_multiples_of_a_voxel_are_whole_numbers():
    sizes_mm = np.array([49.0, 103, 1.75])  # 49 * (1 / 49) is less than 1
    multiples = np.arange(100)[:, np.newaxis] * sizes_mm

    ijk = world_to_voxel(np.diag([*sizes_mm, 1]), multiples)

    assert_array_equal(ijk, np.repeat(np.arange(100.0), 3).reshape(-1, 3))


def test_corner_of_an_oblique_image_is_exactly_voxel_zero():
    assert_array_equal(world_to_voxel(OBLIQUE, OBLIQUE[:3, 3]), [0, 0, 0])


def test_few_points_do_not_wait_for_numba():
    code = (
        "import sys; from neuroprimer.imaging import voxel_to_world as to_world; "
        "to_world([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [[1, 2, 3]] * 1000); "
        "assert 'numba' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("n_points", "n_loops"), [(MANY - 1, 0), (MANY, 1)])
def test_loops_are_compiled_for_many_points_only(n_points, n_loops, monkeypatch):
    monkeypatch.setattr(point_kernels, "MANY", MANY)
    find_compiled.cache_clear()

    voxel_to_world(OBLIQUE, draw_points(n_points))

    assert find_compiled.cache_info().currsize == n_loops


def test_kernel_without_a_loop_carries_many_points_by_itself(monkeypatch):
    monkeypatch.setattr(point_kernels, "MANY", 1)
    numbers = np.eye(3), np.ones(3)

    assert_array_equal(carry(np.ones((2, 3)), numbers, plain=to_world), 2)


def test_compiled_loop_is_used_where_there_is_one():
    pytest.importorskip("numba")
    out = np.empty((2, 3))

    find_compiled(to_world_loop)(np.ones((2, 3)), np.eye(3), np.ones(3), out)

    assert_array_equal(out, 2)
