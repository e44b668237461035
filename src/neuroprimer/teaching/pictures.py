"""Pictures: read by Pillow, or refused with one kind of error, whatever is wrong with them."""

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image  # loaded only where a picture is read

# What a damaged picture makes Pillow raise.
DAMAGED = (OSError, ValueError, SyntaxError, struct.error, zlib.error)


class NoPictureError(ValueError):
    """What should be a picture, and cannot be seen."""


def read_picture(content: bytes) -> "Image":
    """Return a picture with all its pixels.

    Parameters
    ----------
    content : bytes
        Of a file, of any format that Pillow knows.

    Raises
    ------
    NoPictureError
        If it is no picture, is damaged, or is so large that Pillow takes it for an attack.

    Examples
    --------
    >>> read_picture(b"nothing to see")
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.pictures.NoPictureError: a picture is damaged, or none
    """
    from PIL import Image

    try:
        with Image.open(BytesIO(content)) as picture:
            picture.load()
            return picture
    except (*DAMAGED, Image.DecompressionBombError) as error:
        raise NoPictureError("a picture is damaged, or none") from error
