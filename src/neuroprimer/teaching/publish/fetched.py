"""What a browser would fetch for a page from other hosts, unasked; links to click are no part."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from bs4 import BeautifulSoup

# Attributes whose address is fetched as soon as the page is shown, by tag.
SOURCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("script", "iframe", "audio", "track", "embed", "input"), ("src",)),
        **dict.fromkeys(("img", "source"), ("src", "srcset")),
        **dict.fromkeys(("image", "use"), ("href", "xlink:href")),
        "video": ("src", "poster"),
        "object": ("data",),
    }
)
# Of <link>; others, such as canonical or license, only say something.
FETCHING_RELATIONS = frozenset(
    {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload"}
    | {"apple-touch-icon", "mask-icon", "manifest"}
)
# What brings its content along: nothing of it is an address, even if it looks like one.
EMBEDDED = re.compile(r"data:\S+", re.IGNORECASE)
ELSEWHERE = re.compile(r"(?:^|[\s,])((?:https?:)?//[^\s,]+)", re.IGNORECASE)
IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s;]+)", re.IGNORECASE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def fetched_elsewhere(page: BeautifulSoup) -> Iterator[str]:
    """Yield each address on another host that a page would fetch.

    Parameters
    ----------
    page : bs4.BeautifulSoup
        Of the page. Pages within it, in frames, are read as well.
    """
    for tag in page.find_all(True):
        for attribute in SOURCES.get(tag.name, ()):
            yield from _elsewhere(str(tag.get(attribute, "")))
        yield from fetched_by_style(str(tag.get("style", "")))
        if tag.name == "style":
            yield from fetched_by_style(tag.get_text())
        elif tag.name == "link" and FETCHING_RELATIONS & set(tag.get_attribute_list("rel")):
            yield from _elsewhere(str(tag.get("href", "")))
        elif tag.name == "iframe" and "srcdoc" in tag.attrs:
            yield from fetched_elsewhere(BeautifulSoup(str(tag["srcdoc"]), "html.parser"))


def fetched_by_style(style: str) -> list[str]:
    """Return each address on another host that a style would fetch: fonts, pictures, styles."""
    return IN_STYLE.findall(COMMENT.sub("", style))


def _elsewhere(attribute: str) -> list[str]:
    return ELSEWHERE.findall(EMBEDDED.sub("", attribute))


def styles_of(site: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of each style file of a site."""
    for file in sorted(site.rglob("*.css")):
        yield file.relative_to(site).as_posix(), file.read_text(encoding="utf-8", errors="replace")
