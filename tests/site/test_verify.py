"""Verification: a good site passes, and every kind of damage is found."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neuroprimer.teaching.publish import verify_site

pytestmark = pytest.mark.site

FIRST_PAGE = "lessons/first.html"


@pytest.fixture
def site(built, tmp_path) -> Path:
    """Return a copy of the built site that a test may damage."""
    assert built.report.passed, built.report.findings
    return shutil.copytree(built.output / "site", tmp_path / "site")


def rules(built, site: Path) -> set[str]:
    return {finding.rule for finding in verify_site(site, built.pages)}


def edit(file: Path, pattern: str, replacement: str) -> None:
    text = file.read_text()
    changed = re.sub(pattern, replacement, text, flags=re.DOTALL)
    assert changed != text, f"{pattern} does not occur in {file.name}"
    file.write_text(changed)


def test_built_site_is_sound(built, site):
    assert rules(built, site) == set()


def test_missing_page_is_found(built, site):
    (site / FIRST_PAGE).unlink()

    assert "NP401" in rules(built, site)


DAMAGE = {
    "printed text is gone": (FIRST_PAGE, "forty-two is 42", "", "NP402"),
    "picture is gone": (FIRST_PAGE, r"<img [^>]*alt=.A rising line..*?>", "", "NP402"),
    "result of an expression is gone": ("lessons/second.html", "&lt;object", "", "NP402"),
    "error that is taught is gone": (FIRST_PAGE, "ZeroDivisionError", "", "NP402"),
    "text of rich output is gone": (FIRST_PAGE, "rich &amp; bold", "", "NP402"),
    "all outputs are gone": (FIRST_PAGE, r'class="cell_output', 'class="other', "NP402"),
    "a cell is gone": (FIRST_PAGE, r'<div class="cell docutils', '<div class="other', "NP402"),
    "traceback of another cell": (
        FIRST_PAGE,
        "forty-two is 42",
        "forty-two is 42 Traceback (most recent call last)",
        "NP403",
    ),
    "error of the book tool": (
        "intro.html",
        "</article>",
        '<div class="system-message">Unknown directive</div></article>',
        "NP403",
    ),
    "path of this machine": (
        "intro.html",
        "</article>",
        f"{Path.home()}/secret</article>",
        "NP404",
    ),
    "path in a notebook": (
        "downloads/first-executed.ipynb",
        "forty-two",
        f"{Path.home()}/secret",
        "NP404",
    ),
    "path in a script": ("downloads/first.py", "forty-two", f"{Path.home()}/secret", "NP404"),
    "picture of another host": (
        "intro.html",
        "</article>",
        '<img srcset="a.png 1x, https://example.org/a.png 2x"></article>',
        "NP411",
    ),
    "script of another host": (
        "intro.html",
        "</article>",
        '<script src="//example.org/a.js"></script></article>',
        "NP411",
    ),
    "style of another host": (
        "intro.html",
        "</head>",
        '<link rel="preload stylesheet" href="https://example.org/a.css"></head>',
        "NP411",
    ),
    "frame that asks another host": (
        "intro.html",
        "</article>",
        '<iframe srcdoc="&lt;img src=&quot;https://example.org/a.png&quot;&gt;"></iframe></article>',
        "NP411",
    ),
    "style within a page": (
        "intro.html",
        "</article>",
        '<p style="background: url(https://example.org/a.png)"></p></article>',
        "NP411",
    ),
    "font of another host": (
        "_static/neuroprimer.css",
        r"\Z",
        '@font-face { src: url("https://example.org/a.woff2") }',
        "NP411",
    ),
    "link to nowhere": ("intro.html", "</article>", '<a href="gone.html">x</a></article>', "NP405"),
    "link to no anchor": ("intro.html", "</article>", '<a href="#gone">x</a></article>', "NP405"),
    "anchor of another page": (
        "intro.html",
        "</article>",
        '<a href="lessons/first.html#gone">x</a></article>',
        "NP405",
    ),
    "image of nothing": ("intro.html", "</article>", '<img src="gone.png"></article>', "NP405"),
    "link out of the site": (
        "intro.html",
        "</article>",
        '<a href="../../book/intro.md"></a></article>',
        "NP405",
    ),
    "link that is no address": (
        "intro.html",
        "</article>",
        '<a href="http://[x"></a></article>',
        "NP405",
    ),
    "reference that failed": (
        "intro.html",
        "</article>",
        '<span class="problematic">x</span></article>',
        "NP403",
    ),
    "link from the root": (
        "intro.html",
        "</article>",
        '<a href="/intro.html"></a></article>',
        "NP405",
    ),
    "lesson unknown to the search": ("searchindex.js", "lessons/first", "lessons/other", "NP406"),
    "title unknown to the search": ("searchindex.js", "The first lesson", "Another", "NP406"),
    "damaged search": ("searchindex.js", r"^.*$", "Search.setIndex({", "NP406"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(built, site, damage):
    file, pattern, replacement, rule = DAMAGE[damage]
    edit(site / file, pattern, replacement)

    assert rule in rules(built, site)


def test_what_is_only_named_or_clicked_is_not_fetched(built, site):
    file = site / "intro.html"
    edit(
        file,
        "</head>",
        '<link rel="canonical" href="https://example.org/"><link rel="license" '
        'href="https://example.org/l"></head>',
    )
    edit(file, "</article>", '<a href="https://example.org/">x</a></article>')
    edit(site / "_static/neuroprimer.css", r"\Z", "/* url(https://example.org/a.png) */")

    assert rules(built, site) == set()


def test_sound_within_a_page_is_not_fetched(built, site):
    frames_of_mp3 = "data:audio/mpeg;base64,//uQxAAAAAAA"  # what every such file begins with
    edit(site / "intro.html", "</article>", f'<audio src="{frames_of_mp3}"></audio></article>')

    assert rules(built, site) == set()


def test_picture_of_another_run_is_found(built, site):
    picture = next((site / "_images").glob("*.png"))
    picture.write_bytes(picture.read_bytes() + b"another")

    assert rules(built, site) == {"NP402"}


def test_what_is_no_picture_is_no_end_of_verification(built, site):
    picture = next((site / "_images").glob("*.png"))
    light = picture.with_suffix(".webp")
    light.write_bytes(b"RIFF, but no picture")
    edit(site / FIRST_PAGE, picture.name, light.name)

    assert rules(built, site) == {"NP402"}


@pytest.mark.parametrize(("change", "expected"), [(0, set()), (1, {"NP402"})])
def test_picture_in_another_format_must_show_the_same(built, site, change, expected):
    picture = next((site / "_images").glob("*.png"))
    with Image.open(picture) as read:
        pixels = np.array(read.convert("RGBA"))
    pixels[3, 5, 0] ^= change
    light = picture.with_suffix(".webp")
    Image.fromarray(pixels).save(light, lossless=True, exact=True)
    edit(site / FIRST_PAGE, picture.name, light.name)

    assert rules(built, site) == expected
