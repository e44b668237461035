"""Page heads: what a page says of itself to search engines, and to those who share its address."""

import html
import json
import posixpath
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape as xml_escape

from docutils import nodes
from sphinx.application import Sphinx

from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER

# The configuration value that holds the data of the pages, and the picture of the site.
HEADS = "neuroprimer_heads"
SITEMAP = "sitemap.xml"

LONGEST_DESCRIPTION = 200
# What those can show who draw a card for an address.
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
# An end tag in a text must not end the script that holds it.
IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def connect(app: Sphinx) -> None:
    """Let Sphinx write the heads, and anew when their data change."""
    app.add_config_value(HEADS, {}, "html", [dict])
    app.connect("html-page-context", _add_head)
    app.connect("build-finished", _write_sitemap)


def _add_head(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None:  # the search, an index of words
        return
    data = app.config[HEADS].get("data", {}).get(page, {})
    description = data.get("description") or _first_paragraph(doctree)
    picture = _picture(app, page, doctree)
    facts = {
        "og:title": data.get("name") or app.env.titles[page].astext(),
        "og:type": "article" if page.startswith(f"{LESSONS_FOLDER}/") else "website",
        "og:site_name": app.config.html_title,
        "og:description": description,
        "og:url": context["pageurl"],
        **picture,
    }
    tags = [_tag("name", "description", description) if description else ""]
    tags += [_tag("property", name, words) for name, words in facts.items() if words]
    if data:
        told = {"description": description, **_with_addresses(app, page, data)}
        told["inLanguage"] = app.config.language
        if picture:
            told["image"] = picture["og:image"]
        script = json.dumps(told, ensure_ascii=False, sort_keys=True).translate(IN_SCRIPT)
        tags.append(f'<script type="application/ld+json">{script}</script>')
    context["metatags"] = "\n".join(filter(None, [context.get("metatags", ""), *tags]))


def _tag(kind: str, name: str, words: str) -> str:
    return f'<meta {kind}="{name}" content="{html.escape(words)}">'


def _first_paragraph(doctree: nodes.document) -> str:
    """Return the first paragraph that stands by itself, in no list and no box."""
    paragraphs = doctree.findall(nodes.paragraph)
    found = (one.astext() for one in paragraphs if isinstance(one.parent, nodes.section))
    words = " ".join(next(found, "").split())
    return textwrap.shorten(words, LONGEST_DESCRIPTION, placeholder="…")


def _picture(app: Sphinx, page: str, doctree: nodes.document) -> dict[str, str]:
    """Return the first figure of a page, or else that of the site, and what it shows."""
    for image in doctree.findall(nodes.image):  # written already, so it is as the page has it
        if image["uri"].endswith(PICTURE_SUFFIXES) and "://" not in image["uri"]:
            below = posixpath.join(posixpath.dirname(page), image["uri"])
            return _picture_facts(app, page, posixpath.normpath(below), image.get("alt", ""))
    file, alt = app.config[HEADS].get("picture") or ("", "")
    if file.endswith(PICTURE_SUFFIXES) and file in app.env.images:
        return _picture_facts(app, page, f"{app.builder.imagedir}/{app.env.images[file][1]}", alt)
    return {}


def _picture_facts(app: Sphinx, page: str, file: str, alt: str) -> dict[str, str]:
    return {"og:image": _address(app, page, file), "og:image:alt": " ".join(alt.split())}


def _with_addresses(app: Sphinx, page: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data in which each ``url`` has become an address."""

    def changed(name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return _with_addresses(app, page, value)
        if isinstance(value, list):
            return [changed("", one) for one in value]
        return _address(app, page, app.builder.get_target_uri(value)) if name == "url" else value

    return {name: changed(name, value) for name, value in data.items()}


def _address(app: Sphinx, page: str, file: str) -> str:
    """Return the address of a file of the site: relative where nobody knows the site's own."""
    if app.config.html_baseurl:
        return posixpath.join(app.config.html_baseurl, file)
    return posixpath.relpath(file, posixpath.dirname(app.builder.get_target_uri(page)) or ".")


def _write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """List the pages, where the address of the site is known."""
    base = app.config.html_baseurl
    if error or not base or app.builder.format != "html":
        return
    addresses = [
        posixpath.join(base, app.builder.get_target_uri(page))
        for page in sorted(app.env.found_docs)
    ]
    lines = [f"<url><loc>{xml_escape(address)}</loc></url>" for address in addresses]
    text = "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
            *lines,
            "</urlset>\n",
        ]
    )
    Path(app.outdir, SITEMAP).write_text(text, encoding="utf-8")
