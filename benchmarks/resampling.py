"""Images moved onto another grid: neuroprimer against scipy, nilearn, nibabel and SimpleITK.

Run ``python benchmarks/resampling.py``, or name some of the jobs: linear, cubic, nearest, run.
SimpleITK takes part where it can be imported. Memory includes the result, and what a side converts
the image to. At last comes how far each result lies from scipy's in float64.
"""

import importlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, from_matvec
from nibabel.processing import resample_from_to
from nibabel.quaternions import angle_axis2mat
from nilearn.image import resample_img
from numpy.typing import NDArray
from scipy import ndimage
from sides import Job, compare

from neuroprimer.imaging import Grid
from neuroprimer.imaging.engine.compiled import find_compiled
from neuroprimer.imaging.resampling.resample import move_image, transform_image

Way = Callable[[Path, str], NDArray[Any]]

ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}
NILEARNS = {"nearest": "nearest", "linear": "linear", "cubic": "continuous"}
ITKS = {"nearest": "sitkNearestNeighbor", "linear": "sitkLinear", "cubic": "sitkBSpline"}

# A head onto the grid of a template, turned by 10 degrees and stretched; a run on its own grid,
# turned by 1 degree. The small cases have enough voxels for numba to be used.
TURNS = {
    "head": angle_axis2mat(np.deg2rad(10), [1, 0, 0]) @ np.diag([1.16, 1.15, 1.34]),
    "run": angle_axis2mat(np.deg2rad(1), [1, 2, 3]),
}
SHAPES = {
    ("head", "full"): ((157, 189, 136), (182, 218, 182)),
    ("head", "small"): ((40, 40, 40), (104, 104, 104)),
    ("run", "full"): ((64, 64, 40, 128), (64, 64, 40)),
    ("run", "small"): ((64, 64, 40, 8), (64, 64, 40)),
}

# SimpleITK's images must live on while numpy looks at their voxels.
ITK_RESULTS: list[Any] = []

try:
    SITK: Any = importlib.import_module("SimpleITK")
except ImportError:
    SITK = None


def prepare(kind: str, folder: Path, is_small: bool) -> None:
    """Write a smooth image of noise: float32 as a head, int16 as a run."""
    shape, _ = SHAPES[kind, "small" if is_small else "full"]
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)
    voxels = 1000 * ndimage.gaussian_filter(noise, 2, axes=(0, 1, 2))
    affine = from_matvec(np.eye(3), [-(length - 1) / 2 for length in shape[:3]])
    stored = voxels.astype(np.float32 if kind == "head" else np.int16)
    nib.save(nib.Nifti1Image(stored, affine), folder / f"{kind}.nii")


@cache
def read(folder: Path) -> tuple[nib.Nifti1Image, NDArray[np.float64], Grid]:
    """Return the image in memory, where its picture is to go, and the grid of the result."""
    (file,) = folder.glob("*.nii")
    on_disk = nib.load(file)
    _, shape = SHAPES[file.stem, folder.name]
    affine = from_matvec(np.eye(3), [-(length - 1) / 2 for length in shape])
    image = nib.Nifti1Image(np.array(np.asarray(on_disk.dataobj), order="F"), on_disk.affine)
    return image, from_matvec(TURNS[file.stem]), Grid(shape=shape, affine=affine)


def find_pull(folder: Path) -> NDArray[np.float64]:
    """Return where the target's voxels lie in the source, which is what scipy and ITK take."""
    image, world, grid = read(folder)
    return np.asarray(np.linalg.inv(world @ image.affine) @ grid.affine)


@cache
def volumes(folder: Path, dtype: str) -> list[NDArray[Any]]:
    """Return volumes in the order in memory that scipy reads fastest."""
    voxels = np.asarray(read(folder)[0].dataobj)
    run = voxels.reshape(*voxels.shape[:3], -1)
    return [np.ascontiguousarray(run[..., t], dtype=dtype) for t in range(run.shape[3])]


def with_scipy(folder: Path, interpolation: str, dtype: str) -> NDArray[Any]:
    """Resample with scipy, volume by volume."""
    image, _, grid = read(folder)
    sources = volumes(folder, dtype)
    out = np.empty((*grid.shape, len(sources)), dtype, order="F")
    for t, source in enumerate(sources):
        ndimage.affine_transform(
            source, find_pull(folder), output=out[..., t], order=ORDERS[interpolation]
        )
    return out.reshape(*grid.shape, *image.shape[3:])


def with_nilearn(folder: Path, interpolation: str) -> NDArray[Any]:
    """Resample with nilearn, which moves by header."""
    image, world, grid = read(folder)
    result = resample_img(
        move_image(image, world),
        grid.affine,
        grid.shape,
        interpolation=NILEARNS[interpolation],
        clip=False,
        force_resample=True,
        copy_header=True,
    )
    return np.asarray(result.dataobj)


def with_nibabel(folder: Path, interpolation: str) -> NDArray[Any]:
    """Resample with nibabel, which moves by header."""
    image, world, grid = read(folder)
    place = (*grid.shape, *image.shape[3:]), grid.affine
    result = resample_from_to(move_image(image, world), place, order=ORDERS[interpolation])
    return np.asarray(result.dataobj)


def with_simpleitk(folder: Path, interpolation: str) -> NDArray[Any]:
    """Resample with SimpleITK on all cores, among voxel indices."""
    pull = find_pull(folder)
    way = SITK.AffineTransform(3)
    way.SetMatrix(pull[:3, :3].ravel().tolist())
    way.SetTranslation(pull[:3, 3].tolist())
    resampler = SITK.ResampleImageFilter()
    resampler.SetSize(read(folder)[2].shape)
    resampler.SetTransform(way)
    resampler.SetInterpolator(getattr(SITK, ITKS[interpolation]))
    ITK_RESULTS[:] = [resampler.Execute(image) for image in itk_images(folder)]
    views = [SITK.GetArrayViewFromImage(result).T for result in ITK_RESULTS]
    return views[0] if len(views) == 1 else np.stack(views, axis=-1)


@cache
def itk_images(folder: Path) -> list[Any]:
    """Return the volumes as SimpleITK holds them."""
    return [SITK.GetImageFromArray(volume.T) for volume in volumes(folder, "f4")]


def with_neuroprimer(folder: Path, interpolation: str) -> NDArray[Any]:
    """Resample with neuroprimer."""
    image, world, grid = read(folder)
    moved = transform_image(image, world, grid=grid, interpolation=interpolation)
    return np.asarray(moved.dataobj)


WAYS: dict[str, Way] = {
    "scipy float64": partial(with_scipy, dtype="f8"),
    "scipy float32": partial(with_scipy, dtype="f4"),
    "nilearn": with_nilearn,
    "nibabel": with_nibabel,
    **({"SimpleITK": with_simpleitk} if SITK else {}),
    "neuroprimer": with_neuroprimer,
    "neuroprimer[fast]": with_neuroprimer,
}


def make_job(kind: str, interpolation: str) -> Job:
    """Return the job of moving one kind of image."""
    shape, onto = SHAPES[kind, "full"]
    return Job(
        title=f"{kind}, {' x '.join(map(str, shape))} onto {' x '.join(map(str, onto))}, "
        f"{interpolation}",
        prepare=partial(prepare, kind),
        sides={name: partial(way, interpolation=interpolation) for name, way in WAYS.items()},
        without_numba=("neuroprimer",),
    )


def print_differences(interpolation: str) -> None:
    """Print how far each result lies from scipy's in float64, in parts of the image's range."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "full"
        folder.mkdir()
        prepare("head", folder, is_small=False)
        counted = lies_inside(folder, interpolation)
        truth = with_scipy(folder, interpolation, "f8")[counted]
        print(f"{interpolation}: largest difference from scipy float64, in parts of the range")
        for way, resample in list(WAYS.items())[1:]:
            with without_numba() if way == "neuroprimer" else nullcontext():
                found = resample(folder, interpolation=interpolation)[counted]
            print(f"{way:20}{np.abs(found - truth).max() / np.ptp(truth):10.1e}")


@contextmanager
def without_numba() -> Iterator[None]:
    """Let numba count as not installed."""
    numba = importlib.import_module("numba")
    sys.modules["numba"] = None  # type: ignore[assignment] # as if it were not installed
    find_compiled.cache_clear()
    yield
    sys.modules["numba"] = numba
    find_compiled.cache_clear()


def lies_inside(folder: Path, interpolation: str) -> NDArray[np.bool_]:
    """Tell which voxels lie inside the source; of nearest, those that are not midway, either."""
    image, _, grid = read(folder)
    places = apply_affine(find_pull(folder), np.moveaxis(np.indices(grid.shape), 0, -1))
    inside = (places > 1e-3) & (places < np.array(image.shape) - 1.001)
    if interpolation == "nearest":
        inside &= np.abs(places % 1 - 0.5) > 1e-3
    return np.asarray(inside.all(axis=-1))


if __name__ == "__main__":
    if not SITK and "--side" not in sys.argv:
        print("SimpleITK: not installed")
    compare(
        {kind: make_job("head", kind) for kind in ("linear", "cubic", "nearest")}
        | {"run": make_job("run", "linear")}
    )
    if "--side" not in sys.argv:
        for interpolation in ORDERS:
            print_differences(interpolation)
