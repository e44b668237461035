"""Redirects: small pages that lead from an address to where its page is now."""

import posixpath
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

REDIRECT = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{canonical}">
<title>{title}</title>
</head>
<body><main><p><a href="{target}">{title}</a></p></main></body>
</html>
"""


def write_redirect(html: Path, name: str, target: str) -> None:
    """Write a page that leads to another, and has its title.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages.
    name, target : str
        Names of the two pages, without their ending. The second one is there.
    """
    page = BeautifulSoup((html / f"{target}.html").read_text(encoding="utf-8"), "html.parser")
    address = posixpath.relpath(f"{target}.html", posixpath.dirname(name) or ".")
    canonical = page.find("link", rel="canonical")
    filled = REDIRECT.format(
        language=escape(str(page.html.get("lang", "en")) if page.html else "en"),
        title=escape(page.title.get_text() if page.title else target),
        target=escape(address),
        canonical=escape(str(canonical["href"]) if isinstance(canonical, Tag) else address),
    )
    file = html / f"{name}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(filled, encoding="utf-8")
