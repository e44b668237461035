"""Pictures of lessons: as light as can be, their sizes told, and fetched when they are near."""

import hashlib
import os
import re
import shutil
import struct
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from neuroprimer.teaching.pictures import NoPictureError, read_picture

PICTURE = re.compile(
    r'<img(?![^>]*\b(?:width|loading)=)(?P<rest>[^>]*\bsrc="(?P<src>[^":]+\.png)"[^>]*)>'
)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# The book tool names a cell's picture after its content.
PICTURES_FOLDER = "_images"
CELL_PICTURE = re.compile(PICTURES_FOLDER + r"/([0-9a-f]{64})\.png")
LIGHT_SUFFIX = ".webp"
# What is smaller than this makes no page slow.
LIGHT_BYTES = 30_000
# WebP holds eight bits a channel, and so many pixels from edge to edge.
LIGHT_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
LIGHT_EDGE = 16_383
# What a PNG file may say of its colours, and would be lost.
LOST = ("icc_profile", "gamma", "chromaticity")


def with_sizes(markup: str, folder: Path) -> str:
    """Return a page whose pictures say how large they are.

    A browser then leaves room for them before it has them, and asks for those far below only when
    somebody reads on.

    Parameters
    ----------
    markup : str
        Of a page.
    folder : pathlib.Path
        In which the page lies.
    """

    def sized(match: re.Match[str]) -> str:
        size = png_size(folder / match["src"])
        if size is None:
            return match[0]
        return f'<img loading="lazy" width="{size[0]}" height="{size[1]}"{match["rest"]}>'

    return PICTURE.sub(sized, markup)


def png_size(file: Path) -> tuple[int, int] | None:
    """Return width and height of a PNG file; None for anything else."""
    try:
        with file.open("rb") as stream:
            head = stream.read(24)
    except OSError:
        return None
    if len(head) < 24 or not head.startswith(PNG_SIGNATURE):
        return None
    width, height = struct.unpack(">II", head[16:])
    return width, height


def lighten_pictures(html: Path, last_site: Path) -> None:
    """Store the large pictures of cells as WebP without any loss: half of the bytes.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages, which are changed.
    last_site : pathlib.Path
        What it has of the same pictures is taken over, for packing takes long. Need not exist.
    """
    heavy = [
        file
        for file in (html / PICTURES_FOLDER).glob("*.png")
        if CELL_PICTURE.fullmatch(f"{PICTURES_FOLDER}/{file.name}")
        and file.stat().st_size > LIGHT_BYTES
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow packs without Python's lock
        are_light = pool.map(lambda file: _lighten(file, last_site / PICTURES_FOLDER), heavy)
        names = {file.stem for file, is_light in zip(heavy, are_light, strict=True) if is_light}
    _name_light_pictures(html.rglob("*.html"), names)


def _lighten(file: Path, kept: Path) -> bool:
    """Put a WebP file into the place of a PNG file, if nothing is lost; tell whether it is there.

    Parameters
    ----------
    file : pathlib.Path
        What a cell has shown: of a lesson's own making, and perhaps no picture at all.
    kept : pathlib.Path
        The folder with the last site's pictures.
    """
    try:
        picture = read_picture(file.read_bytes())
    except NoPictureError:
        return False
    if not _fits_into_webp(picture):
        return False
    light, pixels = file.with_suffix(LIGHT_SUFFIX), picture.convert("RGBA")
    if _shows(kept / light.name, pixels):
        shutil.copyfile(kept / light.name, light)
    else:
        # an alpha channel in which nothing is transparent takes room all the same
        is_opaque = pixels.getchannel("A").getextrema() == (255, 255)
        packed = pixels.convert("RGB") if is_opaque else pixels
        packed.save(light, "WEBP", lossless=True, exact=True, method=4)
    file.unlink()
    return True


def _fits_into_webp(picture: Image.Image) -> bool:
    return (
        picture.mode in LIGHT_MODES
        and max(picture.size) <= LIGHT_EDGE
        and getattr(picture, "n_frames", 1) == 1
        and not any(key in picture.info for key in LOST)
    )


def _shows(file: Path, pixels: Image.Image) -> bool:
    try:
        return pixel_digest(file.read_bytes()) == _digest(pixels)
    except (OSError, NoPictureError):
        return False


def _name_light_pictures(pages: Iterable[Path], names: set[str]) -> None:
    """Let pages show the light pictures of these names."""

    def light(match: re.Match[str]) -> str:
        if match[1] not in names:
            return match[0]
        return f"{PICTURES_FOLDER}/{match[1]}{LIGHT_SUFFIX}"

    for page in pages:
        text = page.read_text(encoding="utf-8")
        changed = CELL_PICTURE.sub(light, text)
        if changed != text:
            page.write_text(changed, encoding="utf-8")


def pixel_digest(content: bytes) -> str:
    """Return a digest of what a picture shows, whichever format holds it.

    Raises
    ------
    NoPictureError
        If it is no picture that can be read.
    """
    return _digest(read_picture(content).convert("RGBA"))


def _digest(pixels: Image.Image) -> str:
    return hashlib.sha256(repr(pixels.size).encode() + pixels.tobytes()).hexdigest()
