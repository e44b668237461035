"""Promises: whether what a header says, or a name, can be true of the bytes that are there."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.spatialimages import SpatialImage

from neuroprimer.imaging.files.inflate import GZIP_MAGIC
from neuroprimer.imaging.files.voxels import ImageFileError
from neuroprimer.imaging.space.affines import AffineError, require_invertible, voxel_sizes

# Endings of files that are compressed as .gz files are.
GZIP_ENDINGS = (".gz", ".mgz")

# The length of its own header, with which a NIfTI or Analyze file begins, in either byte order.
HEADER_LENGTHS = tuple(
    length.to_bytes(4, order) for length in (348, 540) for order in ("little", "big")
)

# What stands in a file whose content is kept elsewhere, and which command brings it here.
POINTERS = (
    (b"version https://git-lfs", "git lfs pull"),
    (b"/annex/objects/", "datalad get"),
)

WEB_PAGE = (b"<!doctype", b"<html", b"<?xml")

# A thousand kilometres, and less than an atom: beyond these, an affine is a damaged header.
FURTHEST_MM, SHORTEST_MM = 1e9, 1e-9

# Enough of a file to see what kind it is of.
FIRST_BYTES = 512


def require_sound_header(image: SpatialImage, name: str) -> None:
    """Raise when no array or no place in space can come of a header.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        As nibabel opened it.
    name : str
        The file, for messages.

    Raises
    ------
    ImageFileError
        If an axis has no length, or the affine is none, cannot be inverted, or has lengths that
        nothing on earth has.

    Examples
    --------
    >>> import nibabel as nib
    >>> require_sound_header(nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4)), "zeros.nii")
    """
    if len(image.shape) == 0 or min(image.shape) < 1:
        raise ImageFileError(
            f"Cannot open {name}: its header gives the shape {image.shape}.",
            hint="Every length must be at least 1; the header is damaged or the file is empty.",
        )
    try:
        affine = require_invertible(image.affine)
        if np.abs(affine).max() > FURTHEST_MM or voxel_sizes(affine).min() < SHORTEST_MM:
            raise AffineError(
                f"Its numbers go up to {np.abs(affine).max():g} mm, its voxels down to "
                f"{voxel_sizes(affine).min():g} mm."
            )
    except AffineError as error:
        raise ImageFileError(
            f"Cannot open {name}: its affine places no voxel in the world. {error.message}",
            hint="To mend the header, open the file with nibabel.load().",
        ) from error


def require_bytes(proxy: Any, found: int, name: str) -> int:
    """Raise when a file is too short for what its header says.

    Parameters
    ----------
    proxy : nibabel.arrayproxy.ArrayProxy
        Shape, type and place of the voxels, from the header.
    found : int
        How many bytes the file can hold at most.
    name : str
        The file, for messages.

    Returns
    -------
    expected : int
        How many bytes the file has up to the last voxel.

    Raises
    ------
    ImageFileError
        If these are more than were found, or the voxels would begin before the file.

    Examples
    --------
    >>> from nibabel.arrayproxy import ArrayProxy
    >>> require_bytes(ArrayProxy("short.nii", ((4, 5, 6), "i2", 352)), 1000, "short.nii")
    592
    """
    offset = int(proxy.offset)
    lengths = (int(length) for length in proxy.shape)  # MGH gives 32-bit integers
    expected: int = offset + math.prod(lengths) * np.dtype(proxy.dtype).itemsize
    if offset < 0 or found < expected:
        raise ImageFileError(
            f"Cannot open {name}: its header speaks of bytes {offset} to {expected}, but the file "
            f"can hold no more than {found}.",
            hint="It was cut off while it was copied, or its header is damaged; fetch it again.",
        )
    return expected


def find_hint(file: Path, error: Exception | None = None) -> str:
    """Say what to do about a file that is not opened, as far as its first bytes tell.

    Parameters
    ----------
    file : pathlib.Path
        The file.
    error : Exception, optional
        What opening it has raised.

    Returns
    -------
    hint : str
        One or two sentences.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "image.nii.gz"
    ...     _ = file.write_text("<html>404 Not Found")
    ...     find_hint(file)
    'It is a web page: the download went wrong. Open its address in a browser.'
    """
    if isinstance(error, ImportError) and error.name:
        return f"nibabel reads this format with {error.name}: pip install {error.name}"
    try:
        with file.open("rb") as stream:
            first = stream.read(FIRST_BYTES)
    except OSError:
        return "May you read it?"
    if first.lstrip().lower().startswith(WEB_PAGE):
        return "It is a web page: the download went wrong. Open its address in a browser."
    for mark, command in POINTERS:
        if mark in first:
            return f"It only says where the image is kept; `{command}` brings the image."
    is_named_gzip = file.suffix.lower() in GZIP_ENDINGS
    if first.startswith(GZIP_MAGIC) and not is_named_gzip:
        return "It is compressed, but its name does not say so; give it one that ends in .nii.gz."
    if first.startswith(HEADER_LENGTHS) and is_named_gzip:
        return "It is not compressed, though its name says so; take the .gz off its name."
    return "It may be cut off or of another kind; fetch it again or look at its first bytes."
