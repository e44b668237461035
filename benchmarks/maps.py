"""Many maps into one table, images x voxels: neuroprimer against nilearn and numpy.

Run ``python benchmarks/maps.py``. "inflate only" is the least that any reader must do, on as many
threads as there are cores.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import deflate
import nibabel as nib
import numpy as np
from nilearn.maskers import MultiNiftiMasker, NiftiMasker
from nilearn.masking import apply_mask
from sides import Job, compare

from neuroprimer.imaging.braindata import BrainData
from neuroprimer.imaging.engine.workers import default_workers

SHAPE = (91, 109, 91)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def make_prepare(n_maps: int) -> Any:
    """Return a function that writes so many synthetic maps and a mask of an ellipsoid."""

    def prepare(folder: Path, is_small: bool) -> None:
        shape = (20, 24, 20) if is_small else SHAPE
        axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
        inside = sum(axis**2 for axis in axes) < 0.64
        nib.save(nib.Nifti1Image(inside.astype(np.uint8), AFFINE), folder / "mask.nii.gz")
        rng = np.random.default_rng(0)
        for index in range(4 if is_small else n_maps):
            values = (inside * rng.normal(0, 1, shape)).round(2).astype(np.float32)
            nib.save(nib.Nifti1Image(values, AFFINE), folder / f"map_{index:04}.nii.gz")

    return prepare


def find_maps(folder: Path) -> list[str]:
    """Return the paths of the maps in order."""
    return sorted(str(path) for path in folder.glob("map_*.nii.gz"))


def use_masker(folder: Path) -> Any:
    """Do it as nilearn's guide does."""
    return NiftiMasker(folder / "mask.nii.gz", standardize=None).fit().transform(find_maps(folder))


def use_multi_masker(folder: Path) -> Any:
    """Do it with nilearn's masker for many images."""
    masker = MultiNiftiMasker(folder / "mask.nii.gz", standardize=None).fit()
    return np.vstack(masker.transform(find_maps(folder)))


def use_rows(folder: Path) -> Any:
    """Do it with nibabel and numpy, row by row, in the type of the files."""
    inside = np.asarray(nib.load(folder / "mask.nii.gz").dataobj) == 1
    maps = find_maps(folder)
    table = np.empty((len(maps), np.count_nonzero(inside)), np.float32)
    for row, path in zip(table, maps, strict=True):
        row[:] = np.asarray(nib.load(path).dataobj)[inside]
    return table


def inflate_only(folder: Path) -> None:
    """Only inflate."""

    def inflate(path: str) -> int:
        compressed = Path(path).read_bytes()
        return len(deflate.gzip_decompress(compressed, int.from_bytes(compressed[-4:], "little")))

    with ThreadPoolExecutor(default_workers()) as pool:
        sum(pool.map(inflate, find_maps(folder)))


def make_job(n_maps: int) -> Job:
    """Return the job of reading so many maps."""
    sides = {
        "nilearn NiftiMasker": use_masker,
        "nilearn MultiNiftiMasker": use_multi_masker,
        "nilearn apply_mask": lambda folder: apply_mask(find_maps(folder), folder / "mask.nii.gz"),
        "numpy, row by row": use_rows,
        "neuroprimer": lambda folder: BrainData(find_maps(folder), folder / "mask.nii.gz"),
        "inflate only": inflate_only,
    }
    if n_maps > 100:
        sides = {name: sides[name] for name in ("neuroprimer", "inflate only")}
    title = f"{n_maps} maps of {' x '.join(map(str, SHAPE))} in float32, .nii.gz, to a table"
    return Job(title=title, prepare=make_prepare(n_maps), sides=sides)


if __name__ == "__main__":
    compare({"84": make_job(84), "840": make_job(840)})
