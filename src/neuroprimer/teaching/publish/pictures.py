"""Pictures of lessons: with their sizes, so that no text jumps, and fetched when they are near."""

import re
import struct
from pathlib import Path

PICTURE = re.compile(
    r'<img(?![^>]*\b(?:width|loading)=)(?P<rest>[^>]*\bsrc="(?P<src>[^":]+\.png)"[^>]*)>'
)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


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
