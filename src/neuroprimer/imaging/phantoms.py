"""Phantoms: small synthetic images whose truth is known, for tests, documents and sample data.

All is described in world mm, so the picture stays the same however it is stored: a head with a nose
in front and one bright spot that lies right, in front and above of the middle. A picture that is
mirrored, turned or upside down shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import ArrayLike, DTypeLike, NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.space.affines import voxel_to_world
from neuroprimer.imaging.space.grids import Grid

Shape = tuple[int, int, int]

# Intensities, and what happens in a run as parts of them.
BRAIN_BASELINE, TEXTURE = 700.0, 6.0
RESPONSE, DRIFT_PER_MINUTE, NOISE = 0.04, -0.01, 0.01
BLOCK_VOLUMES = 5
# Over how many mm the parts of the head pass into each other, and how long the texture's waves are.
EDGE_MM, WAVE_MM = 3.0, 12.0
# Voxels are rounded to these steps: exact in the type, and coarse enough to hide the last digits,
# in which exponential functions differ from one processor to another.
STEPS = {np.dtype(np.int16): 1.0, np.dtype(np.float32): 1 / 1024}


class PhantomError(NeuroprimerError, ValueError):
    """A phantom that cannot be made as asked.

    Examples
    --------
    >>> make_head(axis_codes="RAX")
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.phantoms.PhantomError: 'RAX' is no storage order such as
    'LAS': one letter each of L R, P A and I S. The docstrings of make_head()
    and make_run() say what is possible.
    """


@dataclass(frozen=True)
class Ellipsoid:
    """A part of the head: where its centre lies and how far it reaches, in mm, RAS+."""

    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]


NOSE = Ellipsoid((0, 80, -24), (10, 12, 14))
HEAD = Ellipsoid((0, -4, 0), (70, 84, 72))
SKULL = Ellipsoid((0, -4, 0), (64, 78, 66))
BRAIN = Ellipsoid((0, -4, 4), (58, 72, 58))
# make_labels() gives them the numbers 1, 2, 3, 4 in this order.
REGIONS = MappingProxyType(
    {
        "ventricle_left": Ellipsoid((-12, -8, 8), (8, 26, 14)),
        "ventricle_right": Ellipsoid((12, -8, 8), (8, 26, 14)),
        "spot_left": Ellipsoid((-34, 22, 26), (12, 12, 12)),
        "spot_right": Ellipsoid((34, 22, 26), (12, 12, 12)),
    }
)


def make_head(
    shape: Shape = (40, 48, 40),
    *,
    voxel_mm: float | Sequence[float] = 4.0,
    axis_codes: str = "RAS",
    tilt_rad: float = 0.0,
    seed: int = 0,
) -> nib.Nifti1Image:
    """Make a head: scalp, skull, brain, two ventricles, and a bright spot on the right.

    Parameters
    ----------
    shape : tuple of three int
        Voxels from left to right, back to front and bottom to top, whatever `axis_codes`. The
        middle of this box lies at world 0; the head keeps its 140 x 180 x 144 mm.
    voxel_mm : float or three floats
        Size of a voxel along the same three directions, in mm.
    axis_codes : str
        The storage order, one of 48, such as ``"LAS"``.
    tilt_rad : float
        Angle in radians by which the box of voxels (not the head) is turned about the x axis.
    seed : int
        Chooses the texture of the brain.

    Returns
    -------
    image : nibabel.Nifti1Image
        float32: about 300 in the scalp, 60 in the skull, 700 in the brain, 150 in the ventricles,
        1000 in the spot, 0 in the air.

    Raises
    ------
    PhantomError
        If `axis_codes` names no storage order or a voxel has no size.
    GridMismatchError
        If `shape` is not three positive whole numbers.

    Examples
    --------
    >>> one, other = make_head(), make_head(axis_codes="PIR")
    >>> other.shape
    (48, 40, 40)
    >>> bool((nib.as_closest_canonical(other).get_fdata() == one.get_fdata()).all())
    True
    """
    grid = _box(shape, voxel_mm, tilt_rad)
    return _store(_head(grid, seed), grid, axis_codes)


def make_run(
    n_volumes: int = 20,
    tr_s: float = 2.0,
    *,
    shape: Shape = (20, 24, 20),
    voxel_mm: float | Sequence[float] = 8.0,
    axis_codes: str = "RAS",
    tilt_rad: float = 0.0,
    dtype: DTypeLike = np.int16,
    seed: int = 0,
) -> nib.Nifti1Image:
    """Make a functional run: the head with drift, noise, and a response to blocks of a task.

    Parameters
    ----------
    n_volumes : int
        Number of volumes. A longer run with the same seed begins with the shorter one.
    tr_s : float
        Time from one volume to the next in seconds; it stands in the header.
    shape, voxel_mm, axis_codes, tilt_rad, seed
        As in :func:`make_head`; `seed` chooses the noise, too.
    dtype : numpy dtype
        int16 (whole numbers, no scaling) or float32.

    Returns
    -------
    image : nibabel.Nifti1Image
        4-D. The signal sinks by 1 % per minute everywhere and rises by 4 % in the region
        ``"spot_right"`` while :func:`block_design` is True. White noise inside the head has a
        standard deviation of 7, which is 1 % of the brain's signal.

    Raises
    ------
    PhantomError, GridMismatchError
        As in :func:`make_head`, and if there is no volume or no time between two.

    Examples
    --------
    >>> run = make_run(40, tr_s=1.5)
    >>> spot = make_labels(run.shape[:3], voxel_mm=8).get_fdata() == 4
    >>> signal, task = run.get_fdata()[spot].mean(axis=0), block_design(40)
    >>> round(float(signal[task].mean() / signal[~task].mean()), 2)
    1.04
    """
    task = block_design(n_volumes)
    _require(0 < tr_s < np.inf, f"A repetition time in seconds is positive, not {tr_s}.")
    _require(np.dtype(dtype) in STEPS, f"Runs are int16 or float32, not {np.dtype(dtype)}.")
    grid = _box(shape, voxel_mm, tilt_rad)
    rng = np.random.default_rng(seed)
    head = _head(grid, seed)
    response = RESPONSE * head * _inside(grid, REGIONS["spot_right"])
    noise = NOISE * BRAIN_BASELINE * _inside(grid, HEAD)
    drift = 1 + DRIFT_PER_MINUTE * tr_s / 60 * np.arange(n_volumes)
    volumes = [
        (head + response * on) * level + noise * rng.standard_normal(grid.shape)
        for on, level in zip(task, drift, strict=True)
    ]
    image = _store(np.stack(volumes, axis=-1), grid, axis_codes, dtype=dtype)
    image.header.set_zooms((*image.header.get_zooms()[:3], tr_s))
    return image


def make_labels(
    shape: Shape = (40, 48, 40),
    *,
    voxel_mm: float | Sequence[float] = 4.0,
    axis_codes: str = "RAS",
    tilt_rad: float = 0.0,
) -> nib.Nifti1Image:
    """Make a label image of the regions in the head.

    Parameters
    ----------
    shape, voxel_mm, axis_codes, tilt_rad
        As in :func:`make_head`.

    Returns
    -------
    image : nibabel.Nifti1Image
        int16 with the intent "label": 1 to 4 in the order of ``REGIONS``, 0 outside of them.

    Raises
    ------
    PhantomError, GridMismatchError
        As in :func:`make_head`.

    Examples
    --------
    >>> dict(enumerate(REGIONS, start=1))
    {1: 'ventricle_left', 2: 'ventricle_right', 3: 'spot_left', 4: 'spot_right'}
    >>> np.unique(make_labels().dataobj).tolist()
    [0, 1, 2, 3, 4]
    """
    grid = _box(shape, voxel_mm, tilt_rad)
    labels = np.zeros(grid.shape)
    for number, region in enumerate(REGIONS.values(), start=1):
        labels[_inside(grid, region)] = number
    return _store(labels, grid, axis_codes, dtype=np.int16, intent="label")


def make_maps(
    n_images: int = 3,
    *,
    effect: ArrayLike = 3.0,
    shape: Shape = (20, 24, 20),
    voxel_mm: float | Sequence[float] = 8.0,
    axis_codes: str = "RAS",
    tilt_rad: float = 0.0,
    seed: int = 0,
) -> list[nib.Nifti1Image]:
    """Make statistical maps of the brain, with an effect in the region ``"spot_right"``.

    Parameters
    ----------
    n_images : int
        Number of maps. More maps with the same seed begin with the same ones.
    effect : float or (n_images,) array-like
        Height of the effect in standard deviations of the noise, for all maps or for each.
    shape, voxel_mm, axis_codes, tilt_rad, seed
        As in :func:`make_head`; `seed` chooses the noise.

    Returns
    -------
    images : list of nibabel.Nifti1Image
        3-D, float32, intent "z score". The noise is smooth, with mean 0 and standard deviation 1;
        outside of the brain all is 0.

    Raises
    ------
    PhantomError, GridMismatchError
        As in :func:`make_head`, and if there is no map or `effect` has another length.

    Examples
    --------
    >>> [(without, with_effect)] = zip(make_maps(1, effect=0), make_maps(1, effect=2))
    >>> spot = make_labels((20, 24, 20), voxel_mm=8).get_fdata() == 4
    >>> np.unique(with_effect.get_fdata()[spot] - without.get_fdata()[spot])
    array([2.])
    """
    _require(n_images >= 1, f"{n_images} maps were asked for, at least one is needed.")
    heights = np.asarray(effect, dtype=np.float64)
    _require(
        heights.shape in ((), (n_images,)),
        f"{n_images} maps take one effect or {n_images}, not an array of shape {heights.shape}.",
    )
    grid = _box(shape, voxel_mm, tilt_rad)
    rng = np.random.default_rng(seed)
    brain, spot = _inside(grid, BRAIN), _inside(grid, REGIONS["spot_right"])
    maps = [
        np.where(brain, _smooth_noise(rng, grid.shape) + height * spot, 0)
        for height in np.broadcast_to(heights, n_images)
    ]
    return [_store(voxels, grid, axis_codes, intent="z score") for voxels in maps]


def block_design(n_volumes: int) -> NDArray[np.bool_]:
    """Tell for each volume of :func:`make_run` whether the task is on: blocks of five, rest first.

    Parameters
    ----------
    n_volumes : int
        Number of volumes.

    Returns
    -------
    task : (n_volumes,) bool array
        True where the task is on.

    Raises
    ------
    PhantomError
        If there is no volume.

    Examples
    --------
    >>> block_design(12).astype(int)
    array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0])
    """
    _require(n_volumes >= 1, f"{n_volumes} volumes were asked for, at least one is needed.")
    return np.asarray(np.arange(n_volumes) // BLOCK_VOLUMES % 2 == 1)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise PhantomError(
            message, hint="The docstrings of make_head() and make_run() say what is possible."
        )


def _box(shape: Shape, voxel_mm: float | Sequence[float], tilt_rad: float) -> Grid:
    """Return a grid in RAS order whose middle is world 0, turned about the x axis."""
    sizes_mm = np.asarray(voxel_mm, dtype=np.float64)
    _require(
        sizes_mm.shape in ((), (3,)) and bool(((sizes_mm > 0) & (sizes_mm < np.inf)).all()),
        f"A voxel has one positive size in mm, or three, but voxel_mm is {voxel_mm}.",
    )
    cos, sin = np.cos(tilt_rad), np.sin(tilt_rad)
    edges_mm = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) * sizes_mm
    at_zero = Grid(shape=shape, affine=nib.affines.from_matvec(edges_mm))
    middle = (np.array(at_zero.shape) - 1) / 2
    affine = nib.affines.from_matvec(edges_mm, -edges_mm @ middle)
    return Grid(shape=at_zero.shape, affine=affine)


def _store(
    voxels: NDArray[np.float64],
    grid: Grid,
    axis_codes: str,
    *,
    dtype: DTypeLike = np.float32,
    intent: str = "none",
) -> nib.Nifti1Image:
    """Put voxels in RAS order into an image with another order and the same world picture."""
    known = all(code in "LRPAIS" for code in axis_codes)
    wanted = axcodes2ornt(axis_codes if known else "")
    _require(
        sorted(wanted[:, 0]) == [0, 1, 2],
        f"{axis_codes!r} is no storage order such as 'LAS': one letter each of L R, P A and I S.",
    )
    order = ornt_transform(axcodes2ornt("RAS"), wanted)
    step = STEPS[np.dtype(dtype)]
    stored = apply_orientation(np.round(voxels / step) * step, order).astype(dtype)
    image = nib.Nifti1Image(stored, grid.affine @ inv_ornt_aff(order, grid.shape))
    image.set_sform(image.affine, code="scanner")
    image.set_qform(image.affine, code="scanner")
    image.header["descrip"] = b"synthetic"
    image.header.set_intent(intent)
    image.header.set_xyzt_units("mm", "sec")
    return image


def _points_mm(grid: Grid) -> NDArray[np.float64]:
    """Return the world coordinates of all voxels, shape (i, j, k, 3)."""
    return voxel_to_world(grid.affine, np.moveaxis(np.indices(grid.shape), 0, -1))


def _radius(grid: Grid, part: Ellipsoid) -> NDArray[np.float64]:
    """Return how far each voxel lies from the centre of an ellipsoid: 1 on its surface."""
    return np.asarray(np.linalg.norm((_points_mm(grid) - part.centre_mm) / part.radii_mm, axis=-1))


def _inside(grid: Grid, part: Ellipsoid) -> NDArray[np.bool_]:
    return np.asarray(_radius(grid, part) <= 1)


def _head(grid: Grid, seed: int) -> NDArray[np.float64]:
    """Paint the head from the outside in; each part has a soft edge."""
    picture = np.zeros(grid.shape)
    for part, intensity in (
        (NOSE, 300.0),
        (HEAD, 300.0),
        (SKULL, 60.0),
        (BRAIN, BRAIN_BASELINE + _texture(grid, seed)),
        (REGIONS["ventricle_left"], 150.0),
        (REGIONS["ventricle_right"], 150.0),
        (REGIONS["spot_right"], 1000.0),
    ):
        outside_mm = (_radius(grid, part) - 1) * min(part.radii_mm)
        share = (1 - np.tanh(outside_mm / EDGE_MM)) / 2
        picture += share * (intensity - picture)
    return picture


def _texture(grid: Grid, seed: int) -> NDArray[np.float64]:
    """Return plane waves in random directions: random, and yet the same on every grid."""
    rng = np.random.default_rng(seed)
    waves, phases = rng.normal(scale=1 / WAVE_MM, size=(3, 8)), rng.uniform(0, 2 * np.pi, 8)
    return np.asarray(TEXTURE * np.cos(_points_mm(grid) @ waves + phases).sum(axis=-1))


def _smooth_noise(rng: np.random.Generator, shape: Shape) -> NDArray[np.float64]:
    """Return noise of standard deviation 1 in which neighbouring voxels are alike."""
    noise = rng.standard_normal(shape)
    for axis in range(3):
        neighbours = np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
        # weights 1/4, 1/2, 1/4; the sum of their squares is 3/8
        noise = (noise / 2 + neighbours / 4) / np.sqrt(3 / 8)
    return noise
