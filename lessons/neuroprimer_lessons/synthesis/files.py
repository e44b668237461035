"""Writing: images, tables and sidecars whose bytes depend on their content alone."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

# NIfTI's limit is 79 bytes; every image says in its header what it is.
DESCRIPTION = "synthetic, made by neuroprimer"
PACKING_LEVEL = 5


def write_image(
    file: Path,
    values: NDArray[Any],
    affine: NDArray[np.float64],
    *,
    step: float = 1.0,
    dtype: type[np.generic] = np.int16,
    tr_s: float = 0.0,
    is_template_space: bool = False,
    intent: str = "none",
) -> None:
    """Write a ``.nii.gz``; values are rounded to steps, which become the header's slope.

    Parameters
    ----------
    file : pathlib.Path
        Ends in ``.nii.gz``.
    values : array
        In their own units; or, where they are of `dtype` already, in steps.
    affine : (4, 4) array
        Voxel to world, in mm, RAS+.
    step : float
        Difference between two neighbouring values that can be told apart.
    dtype : type
        Of the whole numbers on disk.
    tr_s : float
        Time between two volumes in seconds; 0 for a single image.
    is_template_space : bool
        Whether the world is that of the MNI template, or else of a scanner.
    intent : str
        What the values mean, in NIfTI's words.
    """
    stored = values if values.dtype == dtype else np.rint(values / step).astype(dtype)
    image = nib.Nifti1Image(stored, affine)
    space = "mni" if is_template_space else "scanner"
    image.set_sform(affine, code=space)
    image.set_qform(affine, code=space)
    image.header.set_xyzt_units("mm", "sec")
    if tr_s:
        image.header["pixdim"][stored.ndim] = tr_s  # of the last axis, be it the fifth
    image.header["descrip"] = DESCRIPTION.encode()
    image.header.set_intent(intent)
    image.header.set_slope_inter(step, 0)
    # mtime=0: the time of packing would make every file another one.
    file.write_bytes(gzip.compress(image.to_bytes(), PACKING_LEVEL, mtime=0))


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write a sidecar, which says at its head that the data are synthetic."""
    text = json.dumps({"Synthetic": True, "Description": DESCRIPTION, **content}, indent=2)
    file.write_bytes(text.encode() + b"\n")


def write_table(file: Path, rows: list[tuple[Any, ...]], *, separator: str) -> None:
    """Write rows, the first of them with the names of the columns."""
    text = "".join(separator.join(map(str, row)) + "\n" for row in rows)
    file.write_bytes(text.encode())  # not write_text(): Windows would end lines in its own way
