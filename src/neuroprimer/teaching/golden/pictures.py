"""Pictures: small grey copies, compared by how much their grey levels differ."""

import base64
import io
from typing import TYPE_CHECKING

from neuroprimer.teaching.pictures import NoPictureError, read_picture

if TYPE_CHECKING:
    from PIL.Image import Image  # of matplotlib's; loaded where a lesson has a golden figure

# Of a small copy, in pixels. Large enough to see a curve, small enough for a repository.
WIDTH = 96

# A cut around a figure may be a pixel wider from one set of fonts to the next.
SAME_SIZE = 2

# How strongly a difference is shown.
AMPLIFIED = 4


def shrink(png: str) -> str:
    """Return a small grey copy of a picture; both are PNG in base64.

    Raises
    ------
    NoPictureError
        If it is no picture.
    """
    from PIL import Image

    colours = _open(png, "RGBA")
    paper = Image.new("RGBA", colours.size, "white")
    grey = Image.alpha_composite(paper, colours).convert("L")
    if grey.width > WIDTH:
        height = max(1, round(grey.height * WIDTH / grey.width))
        grey = grey.resize((WIDTH, height), Image.Resampling.BOX)
    return _as_text(grey)


def require_picture(png: str) -> None:
    """Raise unless there is a picture in it.

    Raises
    ------
    NoPictureError
        If it is damaged.
    """
    _open(png)


def picture_difference(expected: str, found: str, tolerance: float) -> str:
    """Say how a small picture differs from what was expected, or nothing when it does not.

    Parameters
    ----------
    expected, found : str
        From `shrink`.
    tolerance : float
        How far grey levels may differ on average.
    """
    ours, theirs = _open(expected), _open(found)
    if not _have_same_size(ours, theirs):
        return f"expected {_size(ours)} pixels in small, found {_size(theirs)}"
    off = _mean_difference(ours, theirs)
    if off <= tolerance:
        return ""
    return f"grey levels differ by {off:.1f} on average, allowed is {tolerance:g}"


def amplified_difference(expected: str, found: str) -> str:
    """Return a picture that is dark where two small ones differ, PNG in base64."""
    from PIL import ImageChops, ImageOps

    ours = _open(expected)
    difference = ImageChops.difference(ours, _open(found).resize(ours.size))
    return _as_text(ImageOps.invert(difference.point(lambda level: min(255, AMPLIFIED * level))))


def _mean_difference(ours: "Image", theirs: "Image") -> float:
    from PIL import ImageChops, ImageStat

    difference = ImageChops.difference(ours, theirs.resize(ours.size))
    return float(ImageStat.Stat(difference).mean[0])


def _have_same_size(ours: "Image", theirs: "Image") -> bool:
    return all(
        abs(one - other) <= SAME_SIZE for one, other in zip(ours.size, theirs.size, strict=True)
    )


def _size(picture: "Image") -> str:
    return f"{picture.width} x {picture.height}"


def _open(png: str, mode: str = "L") -> "Image":
    try:
        content = base64.b64decode(png)
    except ValueError as error:
        raise NoPictureError("a picture is damaged: it is not in base64") from error
    return read_picture(content).convert(mode)


def _as_text(picture: "Image") -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
