"""Streams: images that come from an open file instead of a path."""

import io
from typing import IO, cast

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import SerializableImage
from nibabel.spatialimages import SpatialImage

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.files.inflate import (
    BLOCK_BYTES,
    GZIP_MAGIC,
    LARGEST_EXPANSION,
    open_inflated,
)
from neuroprimer.imaging.files.promises import require_bytes, require_sound_header
from neuroprimer.imaging.files.voxels import UNREADABLE, ImageFileError

# Formats that stand in one stream of bytes, so that a file object is enough to read them.
STREAMED: tuple[type[SerializableImage], ...] = (nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage)

MGH_VERSION = b"\0\0\0\1"

# The longest header of these formats ends before this.
HEADER_BYTES = 1024

# An MGH file says more behind its voxels; this is ample for it.
FOOTER_BYTES = 1 << 16


def load_stream(stream: IO[bytes]) -> SpatialImage:
    """Read an image from an open file, from where it stands to its end.

    Parameters
    ----------
    stream : binary file object
        With a NIfTI or MGH image, compressed as .gz or not. It is left open.

    Returns
    -------
    image : nibabel.spatialimages.SpatialImage
        Its bytes are in memory.

    Raises
    ------
    ImageFileError
        If it is none of these, or damaged.

    Examples
    --------
    >>> content = nib.Nifti1Image(np.ones((2, 3, 4)), np.eye(4)).to_bytes()
    >>> load_stream(io.BytesIO(content)).shape
    (2, 3, 4)
    """
    name = str(getattr(stream, "name", "the open file"))
    try:
        content = stream.read()
        if not isinstance(content, bytes):
            raise TypeError(f"it gives a {type(content).__name__}, where bytes are expected")
        if content[:2] == GZIP_MAGIC:
            content = _inflate(content, name)
        with np.errstate(all="ignore"):  # whether an affine is one is seen below
            image = cast("SpatialImage", _require_class(content, name).from_bytes(content))
        require_sound_header(image, name)
        require_bytes(image.dataobj, len(content), name)
    except NeuroprimerError:
        raise
    except UNREADABLE as error:
        raise ImageFileError(
            f"Cannot read an image from {name}: {error or type(error).__name__}.",
            hint="The bytes may be cut off or of another kind; open the file in mode 'rb'.",
        ) from error
    return image


def _inflate(compressed: bytes, name: str) -> bytes:
    """Return as much of what was compressed as an image needs, and check all of it."""
    with open_inflated(io.BytesIO(compressed)) as stream:
        image_class = _require_class(stream.read(HEADER_BYTES), name)
        stream.seek(0)
        with np.errstate(all="ignore"):
            image = cast("SpatialImage", image_class.from_stream(cast("io.IOBase", stream)))
        expected = require_bytes(image.dataobj, len(compressed) * LARGEST_EXPANSION, name)
        stream.seek(0)
        content = stream.read(expected + FOOTER_BYTES)
        while stream.read(BLOCK_BYTES):
            pass
    return content


def _require_class(content: bytes, name: str) -> type[SerializableImage]:
    """Return the class of image that bytes begin like."""
    for image_class in STREAMED:
        if _may_hold(image_class, content):
            return image_class
    raise ImageFileError(
        f"What {name} holds from here on ({len(content)} bytes) is neither a NIfTI nor an MGH "
        "image.",
        hint="If it has been read from before, call its .seek(0). Formats of two files, as "
        "Analyze, are opened by the path of one of them.",
    )


def _may_hold(image_class: type[SerializableImage], content: bytes) -> bool:
    """Tell by its first bytes whether a stream holds an image of a class."""
    if issubclass(image_class, nib.Nifti1Image):
        return bool(image_class.header_class.may_contain_header(content))
    return content[:4] == MGH_VERSION
