"""What readers meet: pages in a real browser, by day, by night, on a phone and on paper."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from neuroprimer.teaching import Dataset
from neuroprimer.teaching.model import FrontPage
from neuroprimer.teaching.publish import publish_course

pytestmark = pytest.mark.site

FIRST = """---
neuroprimer:
  id: first
  description: See a line.
  objectives: [draw a line]
  questions: ["What is a line?"]
  key_points: [Lines are straight.]
  datasets: [made-up]
  level: beginner
  teaching_min: 50
  exercise_min: 15
---

# The first lesson

A **voxel** is a box. An affine, $x = Ab$, places voxels in the world. An affine has an inverse.

$$ \\begin{bmatrix} 1 & 0 \\\\ 0 & 1 \\end{bmatrix} $$

```{code-cell} ipython3
---
mystnb:
  image:
    alt: 'A rising line: "up" # and on.'
---
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
```

```{code-cell} ipython3
print("an affine in an output is no word of the lesson")
```
"""

SECOND = """---
neuroprimer:
  id: second
  prerequisites: [first]
  level: advanced
  exercise_min: 20
---

# The *second* `lesson`

A wide table, and names such as `first_level.make_first_level_design_matrix_of_all_runs`.

| one | two | three | four | five | six | seven | eight |
|---|---|---|---|---|---|---|---|
| `aaaaaaaaaaaaaaa` | `bbbbbbbbbbbbbbb` | `cccccccccccccc` | `ddddddddddd` | `e` | `f` | `g` | `h` |

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A viewer with a red square.
---
from html import escape

INSIDE = '''<!DOCTYPE html><html lang="en"><head><title>Viewer</title>
<link rel="icon" href="https://example.org/icon.ico"></head><body>
<canvas width="590" height="200"></canvas>
<div><p>Opacity</p><input type="range"></div>
</body></html>'''

class Viewer:
    def _repr_html_(self):
        return f'<iframe srcdoc="{escape(INSIDE)}" width="600" height="335"></iframe>'

Viewer()
```
"""

THIRD = """---
neuroprimer:
  id: third
  prerequisites: [first, second]
---

# The third lesson

```{code-cell} ipython3
import pandas as pd
pd.DataFrame({"voxel": [1, 2]})
```

```{code-cell} ipython3
import numpy as np
from neuroprimer.imaging import explain
explain(np.diag([2.0, 2.0, 3.0, 1.0]))
```
"""

BOOK = {
    "course.toml": """
title = "A course to look at"

[front]
lead = "**Lines** for everybody."
start = "make course"
picture = "first"

[[part]]
title = "Lines"
lessons = ["first", "second"]

[[part]]
title = "More"
lessons = ["third"]

[[part]]
title = "Reference"
pages = ["glossary", "more/index", "more/below"]
""",
    "more/index.md": "# More\n\nThe navigation unfolds here.\n",
    "more/below.md": "# Below\n\nIn a folder.\n",
    "glossary.md": """# Glossary

```{glossary}
affine
  The matrix that takes "voxel indices" to world coordinates.

voxel
  One box of an image.
```

The word {term}`voxel` is explained above.
""",
}
DATASETS = (
    Dataset(
        id="made-up",
        title="Synthetic numbers",
        description="Made up.",
        licence="CC0 1.0",
        citation="Nobody.",
        is_synthetic=True,
    ),
)
LESSONS = {"first": FIRST, "second": SECOND, "third": THIRD}


@pytest.fixture(scope="session")  # built before the browser comes, see there
def looked_at(build_small_course, tmp_path_factory):
    built = build_small_course(tmp_path_factory.mktemp("look") / "course", LESSONS, BOOK, DATASETS)
    assert built.report.passed, [one.findings for one in built.report.reports]
    return built


@pytest.fixture(scope="module")
def site(looked_at):
    return looked_at.output / "site"


@pytest.fixture(scope="module")
def base(site, inspection):
    with inspection.serve(site) as address:
        yield address


def soup(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / name).read_text(), "html.parser")


def test_no_page_breaks_a_rule_of_axe_overflows_a_phone_complains_or_asks_another_host(
    browser, site, base, inspection
):
    names = inspection.pages_of(site)
    problems = {
        (name, scheme): found
        for name in names
        for scheme in inspection.SCHEMES
        if (found := inspection.inspect_page(browser, base + name, scheme=scheme)[0])
    }

    assert {"intro.html", "lessons/second.html", "lesson-map.html", "datasets.html"} <= set(names)
    assert problems == {}


def test_inspection_finds_what_it_looks_for(browser, inspection, tmp_path):
    (tmp_path / "bad.html").write_text(
        "<!doctype html><html data-theme='light'><title>Bad</title><main>"
        "<img src='https://example.org/a.png'><p style='width: 900px'>wide</p></main>"
        "<script>missing()</script>"
    )
    with inspection.serve(tmp_path) as base:
        problems, _ = inspection.inspect_page(browser, f"{base}bad.html", scheme="light")

    for words in ("axe image-alt", "axe html-has-lang", "missing is not defined", " px wide"):
        assert any(words in problem for problem in problems), words
    assert "asks https://example.org/a.png" in problems


def test_browser_that_is_missing_where_one_is_required_is_an_error(inspection, monkeypatch):
    monkeypatch.setattr(inspection, "CHROMIUM", None)
    monkeypatch.setenv(inspection.REQUIRED, "0")
    assert inspection.require_chromium() is None

    monkeypatch.setenv(inspection.REQUIRED, "1")
    with pytest.raises(RuntimeError, match="there must be one"):
        inspection.require_chromium()


def test_every_exemption_has_a_reason(inspection):
    assert all(reason for _, _, reason in inspection.EXEMPTIONS)
    assert all(inspection.NOISE.values())


def test_button_changes_the_theme_and_the_next_page_remembers(open_page, base):
    page = open_page(base + "lessons/first.html")
    seen = []
    for _ in range(3):
        page.click("button.theme-switch-button:visible")
        seen.append(page.evaluate("document.documentElement.dataset.mode"))

    assert sorted(seen) == ["auto", "dark", "light"]
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        page.click("button.theme-switch-button:visible")
    page.goto(base + "intro.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_formulas_are_typeset(open_page, base):
    page = open_page(base + "lessons/first.html")
    box = page.locator("math mtable").bounding_box()
    letter = page.locator("math mi").first.bounding_box()

    assert box["height"] > 1.5 * letter["height"]


def test_search_finds_a_word_and_leads_to_its_page(open_page, base):
    page = open_page(base + "intro.html", width=1280)
    page.keyboard.press("Control+k")
    page.keyboard.insert_text("straight")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.click()
    page.wait_for_url("**/lessons/first.html*")

    assert page.locator(".bd-article h1").inner_text().startswith("The first lesson")


def test_previous_and_next_follow_the_syllabus(open_page, base):
    page = open_page(base + "intro.html")
    met = []
    for _ in range(3):
        page.click("a.right-next")
        met.append(page.url.removeprefix(base))
    page.click("a.left-prev")

    assert met == ["lessons/first.html", "lessons/second.html", "lessons/third.html"]
    assert page.url == base + "lessons/second.html"


DEFINITION = "#neuroprimer-definition"


def test_word_of_the_glossary_is_explained_under_the_pointer(open_page, base):
    page = open_page(base + "lessons/first.html")
    assert not page.is_visible(DEFINITION)

    page.hover("strong a.neuroprimer-term")
    assert page.inner_text(DEFINITION) == "One box of an image."
    page.hover(DEFINITION)  # it stays while one reads it
    assert page.is_visible(DEFINITION)
    page.mouse.move(0, 0)
    page.wait_for_selector(DEFINITION, state="hidden")


def test_keyboard_reaches_words_of_the_glossary_and_escape_takes_definitions_away(open_page, base):
    page = open_page(base + "lessons/first.html")
    word = page.locator("a.neuroprimer-term", has_text="affine")
    before = page.locator("strong a.neuroprimer-term")
    before.focus()
    page.keyboard.press("Tab")

    assert page.inner_text(DEFINITION).startswith("The matrix that takes “voxel indices”")
    assert word.get_attribute("aria-describedby") == DEFINITION[1:]
    page.keyboard.press("Escape")
    assert not page.is_visible(DEFINITION)
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-affine")


def test_word_is_linked_once_in_a_lesson_and_never_in_outputs(site):
    words = [a.get_text() for a in soup(site, "lessons/first.html").select("a.neuroprimer-term")]

    assert words == ["voxel", "affine"]
    assert not soup(site, "lessons/third.html").select("a.neuroprimer-term")


def test_reference_that_an_author_wrote_has_the_definition_too(site):
    (word,) = soup(site, "glossary.html").select("p a.neuroprimer-term")

    assert word["data-definition"] == "One box of an image."
    assert word["href"].endswith("#term-voxel")


@pytest.mark.parametrize("width", [390, 1280])
def test_viewer_fits_the_page_and_is_not_cut_off(open_page, base, width):
    page = open_page(base + "lessons/second.html", width=width)
    frame = page.locator("iframe")
    frame.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('iframe').style.height")
    column = page.locator("div.cell_output:has(iframe)").bounding_box()
    inside = page.frames[1]

    assert frame.get_attribute("title") == "A viewer with a red square."
    assert frame.bounding_box()["width"] == pytest.approx(column["width"], abs=2)
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert inside.evaluate("document.documentElement.getBoundingClientRect().bottom <= innerHeight")


def test_viewer_has_the_colours_of_the_page(open_page, base):
    page = open_page(base + "lessons/second.html", scheme="dark")
    page.locator("iframe").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('iframe').style.height")

    def background():
        return page.frames[1].evaluate("getComputedStyle(document.documentElement).backgroundColor")

    dark = background()
    while page.evaluate("document.documentElement.dataset.theme") != "light":
        page.click("button.theme-switch-button:visible")
    page.wait_for_function(
        "document.querySelector('iframe').contentDocument.documentElement.dataset.theme == 'light'"
    )
    assert (dark, background()) == ("rgb(18, 18, 18)", "rgb(255, 255, 255)")


def test_figures_stand_on_white_in_the_dark(open_page, base):
    page = open_page(base + "lessons/first.html", scheme="dark")
    style = page.locator("div.cell_output img").evaluate(
        "(one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).filter]"
    )

    assert style == ["rgb(255, 255, 255)", "none"]


def test_matrices_stand_below_their_words_on_a_phone_and_are_dark_in_the_dark(open_page, base):
    page = open_page(base + "lessons/third.html", width=390, scheme="dark")
    words = page.locator("td:not(:has(pre))").last.bounding_box()
    matrix = page.locator("td:has(pre)").last.bounding_box()
    background = page.locator(".text_html:has(td > pre)").evaluate(
        "(one) => getComputedStyle(one).backgroundColor"
    )

    assert matrix["y"] >= words["y"] + words["height"]
    assert background == "rgba(0, 0, 0, 0)"


def test_lesson_on_paper_is_the_lesson_alone(open_page, base):
    page = open_page(base + "lessons/first.html", width=1280)
    page.emulate_media(media="print")

    for gone in (
        ".bd-sidebar-primary",
        ".bd-sidebar-secondary",
        ".bd-header-article",
        ".prev-next-area",
        "#jb-print-toc",
        "a.neuroprimer-take",
    ):
        assert not page.locator(gone).first.is_visible(), gone
    assert page.locator("h1").first.is_visible()
    assert page.locator("div.cell_output img").is_visible()


def test_head_of_a_lesson_says_all_there_is_to_know_first(looked_at, site):
    card = soup(site, "lessons/first.html").select_one(".neuroprimer-card")
    words = " ".join(card.get_text().split())

    for wanted in ("draw a line", "What is a line?", "50 min reading, 15 min exercises"):
        assert wanted in words
    assert "Level: beginner" in words
    assert card.find("a", href="../datasets.html#dataset-made-up").get_text() == "Synthetic numbers"
    python = looked_at.report.reports[0].result.interpreter.split()[0]
    assert re.search(rf"Last executed with: Python {re.escape(python)}, neuroprimer \d", words)
    assert re.search(r"numpy \d+\.\d+\.\d+, matplotlib \d", words)
    before = soup(site, "lessons/third.html").select_one(".neuroprimer-card")
    links = {a["href"] for a in before.select("a:not(.neuroprimer-take)")}
    assert links == {"first.html", "second.html"}


def test_front_page_says_what_one_will_be_able_to_do_how_long_it_takes_and_how_to_start(site):
    page = soup(site, "intro.html").article

    assert page.h1.get_text().startswith("A course to look at")
    assert "make course" in page.select_one(".neuroprimer-hero pre").get_text()
    assert page.select_one("a.neuroprimer-begin")["href"] == "lessons/first.html"
    assert page.find("img", alt='A rising line: "up" # and on.')
    words = " ".join(page.get_text().split())
    assert "about 50 min reading, 35 min exercises" in words
    cards = page.select(".neuroprimer-lesson-card")
    assert [card.a["href"] for card in cards] == [
        "lessons/first.html",
        "lessons/second.html",
        "lessons/third.html",
    ]
    assert "draw a line" in cards[0].get_text()
    assert "advanced, 20 min exercises" in cards[1].get_text()


def test_front_page_of_the_course_goes_before_ours_and_has_no_stray_picture(looked_at, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.md").write_text("# My own words\n")
    course = replace(looked_at.course, folder=tmp_path, parts=looked_at.course.parts[:2])

    assert (
        publish_course(course, looked_at.report.reports, looked_at.catalogue, tmp_path / "o") == ()
    )

    site = tmp_path / "o" / "site"
    assert soup(site, "intro.html").h1.get_text().startswith("My own words")
    assert not soup(site, "intro.html").select(".neuroprimer-hero")
    assert (site / "lesson-map.html").exists()


def test_figure_for_the_front_page_that_there_is_not_is_a_finding(looked_at, tmp_path):
    course = replace(looked_at.course, front=FrontPage(picture="first", figure=2))

    (finding,) = publish_course(
        course, looked_at.report.reports, looked_at.catalogue, tmp_path / "out"
    )

    assert (finding.rule, finding.subject) == ("NP108", "course.toml")
    assert "first has 1 figure(s)" in finding.message


def test_map_leads_to_every_lesson_and_says_the_same_in_words(site):
    page = soup(site, "lesson-map.html").article
    drawings = page.select("svg.neuroprimer-map")

    assert len(drawings) == 2
    for drawing in drawings:
        assert [a["href"] for a in drawing.find_all("a")] == [
            "lessons/first.html",
            "lessons/second.html",
            "lessons/third.html",
        ]
        assert "The second lesson" in drawing.find_all("a")[1].get_text(" ")
        assert (
            len(drawing.select("path.arrow")) == 2
        )  # the third needs the first by way of the second
    assert [" ".join(item.get_text().split()) for item in page.select("#the-same-in-words li")] == [
        "The first lesson needs nothing before it",
        "The second lesson comes after The first lesson",
        "The third lesson comes after The second lesson",
    ]


def test_lists_of_data_and_plugins_tell_terms_and_versions(site):
    data = " ".join(soup(site, "datasets.html").article.get_text().split())
    plugins = " ".join(soup(site, "plugins.html").article.get_text().split())

    assert "1 of 1 are synthetic" in data
    assert "Licence: CC0 1.0" in data
    assert "Read in: The first lesson" in data
    assert "Lessons: The first lesson, The second lesson, The third lesson" in plugins


def test_page_that_leads_to_the_front_page_says_so_in_words(site):
    page = soup(site, "index.html")

    assert page.html["lang"] == "en"
    assert page.find("a", href="intro.html").get_text().strip() == page.title.get_text().strip()


def test_no_file_of_the_site_names_the_service_that_runs_code_elsewhere(site):
    texts = [file.read_text() for file in site.rglob("*.html")]

    assert not any("thebe" in text.lower() or "unpkg" in text for text in texts)
