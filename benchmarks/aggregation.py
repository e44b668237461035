"""Statistics over a long run in one file: neuroprimer against numpy and nilearn.

Run ``python benchmarks/aggregation.py``. "read only" is the least that anybody must do.
"""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nilearn.image import math_img, mean_img
from sides import Job, compare

from neuroprimer.imaging.tables.aggregation import mean_image, summarise_images

SHAPE = (91, 109, 91, 500)
FILE = "run.nii"


def prepare(folder: Path, is_small: bool) -> None:
    """Write a synthetic run, volume by volume."""
    shape = (20, 24, 20, 50) if is_small else SHAPE
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.float32)
    header.set_sform(np.diag([2, 2, 2, 1]), code=1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    rng = np.random.default_rng(0)
    volume = rng.normal(1000, 100, shape[:3]).astype(np.float32)
    with (folder / FILE).open("wb") as file:
        header.write_to(file)
        file.write(bytes(4))
        for _ in range(shape[3]):
            file.write((volume + rng.normal(0, 5)).astype(np.float32).tobytes(order="F"))


def read_only(folder: Path) -> None:
    """Only read."""
    buffer = bytearray(4 << 20)
    with (folder / FILE).open("rb", 0) as file:
        while file.readinto(buffer):
            pass


def use_fdata(folder: Path) -> Any:
    """Do it as most people write it."""
    voxels = nib.load(folder / FILE).get_fdata()
    return voxels.mean(axis=3), voxels.std(axis=3), voxels.mean(axis=(0, 1, 2))


def use_math_img(folder: Path) -> Any:
    """Do it with nilearn, without the signal of each volume."""
    file = folder / FILE
    return math_img("np.mean(a, axis=-1)", a=file), math_img("np.std(a, axis=-1)", a=file)


RUN = f"a run of {' x '.join(map(str, SHAPE))} in float32, .nii, 1.8 GB"
JOBS = {
    "mean": Job(
        title=f"The mean of {RUN}",
        prepare=prepare,
        sides={
            "nilearn mean_img": lambda folder: mean_img(folder / FILE, copy_header=True),
            "neuroprimer with numba": lambda folder: mean_image(folder / FILE),
            "neuroprimer": lambda folder: mean_image(folder / FILE),
            "read only": read_only,
        },
        without_numba=["neuroprimer"],
    ),
    "all": Job(
        title=f"Mean, standard deviation and mean signal of {RUN}",
        prepare=prepare,
        sides={
            "numpy on get_fdata": use_fdata,
            "nilearn math_img": use_math_img,
            "neuroprimer with numba": lambda folder: summarise_images(folder / FILE),
            "neuroprimer": lambda folder: summarise_images(folder / FILE),
            "read only": read_only,
        },
        without_numba=["neuroprimer"],
    ),
}

if __name__ == "__main__":
    compare(JOBS)
