"""A compressed image into an array: neuroprimer against nibabel.

Run ``python benchmarks/loading.py``. "inflate only" is the least that any reader must do.
"""

from pathlib import Path
from typing import Any

import deflate
import nibabel as nib
import numpy as np
from sides import Job, compare

from neuroprimer.imaging import load_image, load_voxels

# A structural image in float32, and a functional run in int16; both synthetic.
SHAPES = {"t1": (157, 189, 136), "bold": (64, 64, 40, 128)}


def make_voxels(case: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return smooth voxels with some noise, which compress about as well as real ones."""
    rng = np.random.default_rng(0)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape[:3]), indexing="ij", sparse=True)
    inside = sum(axis**2 for axis in axes) < 0.8
    volume = 800 * inside * (1 + 0.3 * np.cos(9 * axes[0]) * np.cos(7 * axes[1]))
    if case == "t1":
        return (volume + inside * rng.normal(0, 20, shape)).round(1).astype(np.float32)
    run = volume[..., np.newaxis] + rng.normal(0, 8, shape) * (0.2 + inside[..., np.newaxis])
    return np.abs(run).astype(np.int16)


def make_job(case: str) -> Job:
    """Return the job of reading one of the images."""
    name = f"{case}.nii.gz"

    def prepare(folder: Path, is_small: bool) -> None:
        shape = SHAPES[case]
        shape = (*(n // 4 for n in shape[:3]), *shape[3:]) if is_small else shape
        nib.save(nib.Nifti1Image(make_voxels(case, shape), np.eye(4)), folder / name)

    def inflate_only(folder: Path) -> bytearray:
        compressed = (folder / name).read_bytes()
        return deflate.gzip_decompress(compressed, int.from_bytes(compressed[-4:], "little"))

    return Job(
        title=f"{name}, {' x '.join(map(str, SHAPES[case]))}, to an array",
        prepare=prepare,
        sides={
            "nibabel get_fdata": lambda folder: nib.load(folder / name).get_fdata(),
            "nibabel native": lambda folder: np.asarray(nib.load(folder / name).dataobj),
            "neuroprimer": lambda folder: load_voxels(load_image(folder / name)),
            "inflate only": inflate_only,
        },
    )


if __name__ == "__main__":
    compare({case: make_job(case) for case in SHAPES})
