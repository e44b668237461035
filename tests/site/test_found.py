"""How a site is found and cited, and that the addresses which others know stay."""

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup

from neuroprimer.teaching import Part, build_course
from neuroprimer.teaching.publish import clean_output, owed_pages, publish_course, site
from neuroprimer.teaching.publish.lite import Lite

pytestmark = pytest.mark.site

ADDRESS = "https://example.org/course/"
NASTY = "</script><script>alert('x')</script> \"quoted\" & <b>"
FIRST = f"""---
neuroprimer:
  id: first
  description: {json.dumps(NASTY)}
  objectives: [draw a *line*, "say `1 < 2`"]
  level: beginner
  teaching_min: 50
  exercise_min: 15
  authors: [Ada Lovelace, The drawers]
---

# The first lesson

```{{code-cell}} ipython3
---
mystnb:
  image:
    alt: A rising "line".
---
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
```
"""
SECOND = """---
neuroprimer:
  id: second
  prerequisites: [first]
---

# The *second* `lesson` & <b>

Words that stand first.

```{code-cell} ipython3
print(1)
```
"""
LESSONS = {"first": FIRST, "second": SECOND}
BOOK = {
    "course.toml": """
title = "A course & more"
licence = "CC-BY-4.0"
[front]
lead = "**Lines** for everybody.\\n\\nMore."
picture = "first"
[[part]]
title = "Lines"
lessons = ["first", "second"]
[[part]]
title = "Pages"
pages = ["extra"]
""",
    "extra.md": "# Extra\n\nA page.\n",
}
CITATION = """
cff-version: 1.2.0
message: Please cite it.
title: "Lines & curves_100%"
authors:
  - {family-names: Lovelace, given-names: Ada}
  - {name: The drawers}
version: 1.10
date-released: 2026-03-04
doi: 10.1234/lines_1
license: MIT
"""


@pytest.fixture(scope="session")  # built before the browser comes, see there
def found(build_small_course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    (folder / "_config.yml").write_text(f"html: {{baseurl: '{ADDRESS}'}}\n")
    (folder / "CITATION.cff").write_text(CITATION)
    built = build_small_course(folder, LESSONS, BOOK)
    assert built.report.passed, built.report.findings
    return built


@pytest.fixture(scope="session")
def nowhere(found, tmp_path_factory) -> Path:
    """Return a site of the same course that does not know its address."""
    folder = tmp_path_factory.mktemp("nowhere")
    shutil.copytree(found.course.folder / "book", folder / "book")
    course = replace(found.course, folder=folder, citation=None)
    assert publish_course(course, found.report.reports, found.catalogue, folder / "out") == ()
    return folder / "out" / "site"


def soup(site: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((site / page).read_text(), "html.parser")


def told(page: BeautifulSoup) -> dict[str, object]:
    (script,) = page.find_all("script", type="application/ld+json")
    return json.loads(script.string)


def card(page: BeautifulSoup) -> dict[str, str]:
    tags = page.find_all("meta", property=re.compile("^og:"))
    assert [
        name for name, count in Counter(tag["property"] for tag in tags).items() if count > 1
    ] == []
    return {tag["property"]: tag["content"] for tag in tags}


def test_lesson_is_described_by_what_it_says_of_itself(found):
    data = told(soup(found.output / "site", "lessons/first.html"))

    image = data.pop("image")
    assert data == {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "name": "The first lesson",
        "description": NASTY,
        "learningResourceType": "lesson",
        "teaches": ["draw a line", "say 1 < 2"],
        "timeRequired": "PT65M",
        "educationalLevel": "beginner",
        "license": "https://spdx.org/licenses/CC-BY-4.0.html",
        "author": [
            {"@type": "Person", "name": "Ada Lovelace"},
            {"@type": "Organization", "name": "The drawers"},
        ],
        "inLanguage": "en",
        "url": f"{ADDRESS}lessons/first.html",
        "isPartOf": {
            "@type": "Course",
            "name": "A course & more",
            "url": f"{ADDRESS}intro.html",
        },
    }
    assert (found.output / "site" / image.removeprefix(ADDRESS)).is_file()


def test_prerequisites_are_told_by_title_and_what_is_unknown_is_not_told(found):
    data = told(soup(found.output / "site", "lessons/second.html"))

    assert data["competencyRequired"] == ["The first lesson"]
    assert data["name"] == "The second lesson & <b>"
    assert data["description"] == "Words that stand first."
    assert {"author", "teaches", "timeRequired", "educationalLevel"}.isdisjoint(data)


def test_front_page_is_a_course_with_its_lessons(found):
    data = told(soup(found.output / "site", "intro.html"))

    assert data["@type"] == "Course"
    assert data["description"] == "Lines for everybody."
    assert data["timeRequired"] == "PT65M"
    assert [one["url"] for one in data["hasPart"]] == [
        f"{ADDRESS}lessons/first.html",
        f"{ADDRESS}lessons/second.html",
    ]


def test_text_that_ends_a_script_ends_none(found):
    text = (found.output / "site" / "lessons" / "first.html").read_text()
    page = BeautifulSoup(text, "html.parser")

    assert "alert('x')</script>" not in text
    assert page.find("meta", attrs={"name": "description"})["content"] == NASTY
    assert card(page)["og:description"] == NASTY


def test_card_shows_the_first_figure_or_else_that_of_the_front_page(found):
    site = found.output / "site"
    first, second = card(soup(site, "lessons/first.html")), card(soup(site, "lessons/second.html"))
    figure = soup(site, "lessons/first.html").find("img", alt='A rising "line".')

    assert first["og:image"] == ADDRESS + figure["src"].removeprefix("../")
    assert first["og:image:alt"] == 'A rising "line".'
    assert first["og:type"] == "article"
    assert first["og:title"] == "The first lesson"
    assert first["og:site_name"] == "A course & more"
    assert second["og:image"] == f"{ADDRESS}_images/front-picture.png"
    assert second["og:image:alt"] == 'A rising "line".'
    assert (site / "_images" / "front-picture.png").is_file()


def test_page_has_its_canonical_address_and_the_sitemap_lists_each_once(found):
    site = found.output / "site"
    names = Counter(
        element.text.removeprefix(ADDRESS)
        for element in ET.parse(site / "sitemap.xml").iter()  # noqa: S314  # our own file
        if element.tag.endswith("}loc")
    )
    pages = {file.relative_to(site).as_posix() for file in site.rglob("*.html")}

    assert set(names.values()) == {1}
    assert set(names) == pages - {"index.html", "search.html", "genindex.html"}
    for name in names:
        page = soup(site, name)
        assert [link["href"] for link in page.find_all("link", rel="canonical")] == [ADDRESS + name]
        assert card(page)["og:url"] == ADDRESS + name


def test_site_without_an_address_claims_none(nowhere):
    page = soup(nowhere, "lessons/first.html")
    data = told(page)

    assert not (nowhere / "sitemap.xml").exists()
    assert page.find("link", rel="canonical") is None
    assert "og:url" not in card(page)
    assert data["isPartOf"]["url"] == "../intro.html"
    assert (nowhere / "lessons" / card(page)["og:image"]).resolve().is_file()
    assert ADDRESS not in (nowhere / "lessons" / "first.html").read_text()


def bibtex_entries(page: BeautifulSoup) -> dict[str, dict[str, str]]:
    """Read the entries of a page with the least that any reader of BibTeX must understand."""
    entries = {}
    for block in page.select("div.highlight-bibtex pre"):
        head, *lines, end = block.get_text().strip().splitlines()
        key = re.fullmatch(r"@misc\{([a-z0-9-]+),", head)[1]
        fields = [re.fullmatch(r"  ([a-z]+) = \{(.*)\},", line) for line in lines]
        entries[key] = {field[1]: field[2] for field in fields}
        assert end == "}"
        for value in entries[key].values():
            bare = re.sub(r"\\[&%$#_{}]", "", value)
            assert bare.count("{") == bare.count("}")
    return entries


def test_citation_page_tells_how_to_cite_the_course_and_each_lesson(found):
    page = soup(found.output / "site", "citation.html")
    entries = bibtex_entries(page)

    assert list(entries) == [
        "lines-curves-100",
        "lines-curves-100-first",
        "lines-curves-100-second",
    ]
    assert entries["lines-curves-100"] == {
        "title": r"{Lines \& curves\_100\%}",
        "author": "Lovelace, Ada and {The drawers}",
        "year": "2026",
        "note": "Version 1.10",
        "doi": "10.1234/lines_1",
    }
    assert entries["lines-curves-100-second"]["title"] == r"{The second lesson \& <b>}"
    assert entries["lines-curves-100-second"]["url"] == f"{ADDRESS}lessons/second.html"
    assert entries["lines-curves-100-second"]["note"] == r"Version 1.10. In: A course \& more"
    words = [block.get_text().strip() for block in page.select("div.highlight-text pre")]
    assert words[0] == (
        "Ada Lovelace, The drawers (2026). Lines & curves_100%. Version 1.10. "
        "https://doi.org/10.1234/lines_1"
    )
    assert words[1].startswith("Ada Lovelace, The drawers (2026). The first lesson. Version 1.10.")
    assert soup(found.output / "site", "intro.html").find("a", href="citation.html")


def test_course_that_says_nothing_of_citing_has_no_such_page(nowhere):
    assert not (nowhere / "citation.html").exists()


# What follows is about a site that takes the place of another.


@pytest.fixture
def output(nowhere, tmp_path) -> Path:
    """Return an output folder with a site of its own in it."""
    shutil.copytree(nowhere.parent, tmp_path / "out")
    return tmp_path / "out"


def publish(found, nowhere: Path, output: Path, **changes) -> tuple[object, ...]:
    """Publish the course anew, changed, and by default without the page that it had."""
    parts = tuple(part for part in found.course.parts if part.lessons)
    course = replace(
        found.course,
        **{"folder": nowhere.parent.parent, "citation": None, "parts": parts, **changes},
    )
    return publish_course(course, found.report.reports, found.catalogue, output)


def names_in(site: Path) -> set[str]:
    return {file.relative_to(site).as_posix() for file in site.rglob("*.html")}


def test_page_that_vanishes_stops_the_publication_and_leaves_the_last_site(found, nowhere, output):
    findings = publish(found, nowhere, output)

    assert [(one.rule, one.subject) for one in findings] == [("NP409", "extra.html")]
    assert names_in(output / "site") == names_in(nowhere)


def test_page_that_is_gone_on_purpose_is_let_go(found, nowhere, output):
    assert publish(found, nowhere, output, redirects={"extra": False}) == ()
    assert names_in(nowhere) - names_in(output / "site") == {"extra.html"}


def test_redirect_that_vanishes_is_missed_like_any_page(found, nowhere, output):
    assert publish(found, nowhere, output, redirects={"extra": "lessons/second"}) == ()

    assert [(one.rule, one.subject) for one in publish(found, nowhere, output)] == [
        ("NP409", "extra.html")
    ]


@pytest.mark.parametrize(
    "redirects",
    [
        {"extra": "lessons/nothing"},
        {"extra": "lessons/second", "older": "extra"},
        {"extra": False, "lessons/first": "lessons/second"},
    ],
    ids=["to-nowhere", "to-a-redirect", "from-a-page"],
)
def test_redirect_that_makes_no_sense_is_a_finding(found, nowhere, output, redirects):
    findings = publish(found, nowhere, output, redirects=redirects)

    assert [one.rule for one in findings] == ["NP410"]
    assert names_in(output / "site") == names_in(nowhere)


def test_lenient_build_notes_what_is_gone_and_the_next_strict_one_asks_for_it(
    found, nowhere, output
):
    second = replace(found.course.lessons[1], lesson_timeout_s=0.001)
    part = Part(title="Lines", lessons=(found.course.lessons[0], second))
    course = replace(found.course, folder=nowhere.parent.parent, citation=None, parts=(part,))

    report = build_course(course, found.catalogue, output=output, strict=False)

    assert report.site is not None
    assert report.left_out == ("second",)
    gone = {"extra", "lesson-map", "lessons/second"}  # one lesson needs no map
    assert owed_pages(output / "site") == gone
    assert {note.split()[0] for note in report.notes if "NP409" in note} == {
        f"{name}.html" for name in gone
    }
    assert [one.subject for one in publish(found, nowhere, output)] == ["extra.html"]
    assert publish(found, nowhere, output, redirects={"extra": False}) == ()
    assert owed_pages(output / "site") == set()


def test_file_that_somebody_else_has_put_into_the_site_is_no_address(found, nowhere, output):
    (output / "site" / "theirs.html").write_text("<title>Theirs</title>")

    assert publish(found, nowhere, output, redirects={"extra": False}) == ()


def test_pages_of_jupyterlite_are_no_addresses(found, nowhere, output, monkeypatch):
    def build_one_page(_, html, __):
        (html / "lite" / "lab").mkdir(parents=True)
        (html / "lite" / "lab" / "index.html").write_text("<title>JupyterLab</title>")

    with monkeypatch.context() as installed:  # it is large, and seldom installed
        installed.setattr(site, "find_lite", lambda *_: Lite(folder=output))
        installed.setattr(site, "build_lite", build_one_page)
        assert publish(found, nowhere, output, redirects={"extra": False}) == ()
    assert (output / "site" / "lite" / "lab" / "index.html").is_file()

    assert publish(found, nowhere, output) == ()


def test_clean_forgets_the_addresses(found, nowhere, output):
    clean_output(output)

    assert publish(found, nowhere, output) == ()


@pytest.fixture(scope="session")
def moved(found, nowhere, tmp_path_factory) -> Path:
    """Return a site on which a page has another name than on the last one."""
    output = tmp_path_factory.mktemp("moved") / "out"
    shutil.copytree(nowhere.parent, output)
    assert (
        publish(
            found,
            nowhere,
            output,
            redirects={"deep/er/old": "lessons/second", "extra": "lessons/first"},
        )
        == ()
    )
    return output / "site"


def test_old_address_leads_to_the_new_one_in_a_browser(moved, inspection, open_page):
    with inspection.serve(moved) as base:
        page = open_page(f"{base}extra.html")
        page.wait_for_url("**/lessons/first.html")
        assert page.locator(".bd-article h1").inner_text().startswith("The first lesson")
        page.goto(f"{base}deep/er/old.html")
        page.wait_for_url("**/lessons/second.html")


def test_redirect_works_without_its_header_and_says_which_address_counts(moved):
    page = soup(moved, "deep/er/old.html")

    assert page.find("a")["href"] == "../../lessons/second.html"
    assert page.find("link", rel="canonical")["href"] == "../../lessons/second.html"
    assert page.html["lang"] == "en"
