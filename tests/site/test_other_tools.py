"""The same lessons in two other book tools, so that the one that we use can be replaced."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import playwright
import pytest
import yaml
from bs4 import BeautifulSoup

from neuroprimer.teaching import Dataset
from neuroprimer.teaching.publish import PublishError, export_course

pytestmark = pytest.mark.site

FIRST = """---
neuroprimer:
  id: first
  description: See a line.
  objectives: [draw a line]
  key_points: [Lines are straight.]
  datasets: [made-up]
  teaching_min: 5
---

# The first lesson

A **voxel** is a box, $x^2$; see [a study](https://doi.org/10.1126/science.1089506) and
<https://doi.org/10.1093/scan/nsz037>.

:::{note}
A note.
:::

```{code-cell} ipython3
print("forty-two is", 6 * 7)
```

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A rising line.
---
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
```

```{code-cell} ipython3
import pandas as pd
pd.DataFrame({"voxel": [1, 2]})
```

```{code-cell} ipython3
:tags: [raises-exception]
1 / 0
```
"""
SECOND = """---
neuroprimer:
  id: second
  prerequisites: [first]
---

# The *second* lesson

```{code-cell} ipython3
print("twelve is", 3 * 4)
```
"""
TITLES = {"first": "The first lesson", "second": "The second lesson"}
BOOK = {
    "course.toml": """
title = "A small course"
licence = "CC-BY-4.0"
[front]
lead = "Lines."
start = "make course"
picture = "first"
[[part]]
title = "Lines"
lessons = ["first", "second"]
[[part]]
title = "Reference"
pages = ["glossary"]
""",
    "glossary.md": """# Glossary

```{glossary}
affine
matrix
  The numbers that take voxel indices
  to world coordinates, see {term}`voxel`.

voxel
  One box of an image, see {doc}`/lessons/first`.
```

````markdown
```{glossary}
shown
  As it is written, with {doc}`/lessons/first`.
```
````
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
CITATION = "title: A small course\nauthors: [{name: The drawers}]\n"

# mystmd looks for its theme in the network when all content is compiled; it takes this one.
NO_THEME = "title: No theme\nversion: 1.0.0\nmyst: v1\n"
# mystmd runs on Node.js, which comes with Playwright.
NODE_FOLDER = Path(playwright.__file__).parent / "driver"


@pytest.fixture(scope="session")
def course(build_small_course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    (folder / "CITATION.cff").write_text(CITATION)
    built = build_small_course(folder, {"first": FIRST, "second": SECOND}, BOOK, DATASETS)
    assert built.report.passed, built.report.findings
    return built


def export(course, folder: Path, tool: str) -> Path:
    export_course(course.course, course.report.reports, course.catalogue, folder, tool=tool)
    return folder


def run_mystmd(folder: Path) -> subprocess.CompletedProcess[str]:
    """Compile content; with --strict, a complaint is a failure."""
    theme = folder.with_name(f"{folder.name}-theme")
    theme.mkdir()
    (theme / "template.yml").write_text(NO_THEME)
    file = folder / "myst.yml"
    config = yaml.safe_load(file.read_text())
    config["site"]["template"] = f"../{theme.name}"
    file.write_text(yaml.safe_dump(config))
    return subprocess.run(
        [sys.executable, "-m", "mystmd_py.main", "build", "--site", "--strict"],
        cwd=folder,
        env={**os.environ, "PATH": f"{NODE_FOLDER}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def run_sphinx(folder: Path, html: Path) -> subprocess.CompletedProcess[str]:
    """Build pages; with -W, a complaint is a failure."""
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q", str(folder), str(html)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def mystmd(course, tmp_path_factory) -> Path:
    """Return what mystmd has made of the course."""
    folder = export(course, tmp_path_factory.mktemp("mystmd") / "book", "myst")
    done = run_mystmd(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search("[⚠⛔]", done.stdout + done.stderr)
    return folder / "_build" / "site"


@pytest.fixture(scope="session")
def sphinx(course, tmp_path_factory) -> Path:
    """Return what plain Sphinx has made of the course."""
    base = tmp_path_factory.mktemp("sphinx")
    done = run_sphinx(export(course, base / "book", "sphinx"), base / "html")
    assert done.returncode == 0, done.stdout + done.stderr
    return base / "html"


def expected_outputs(course, lesson_id: str) -> tuple[list[str], list[bytes]]:
    """Return the texts and pictures of a run."""
    (report,) = [one for one in course.report.reports if one.lesson.id == lesson_id]
    texts, pictures = [], []
    for cell in report.result.notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                texts.append(output.text.strip())
            if "image/png" in output.get("data", {}):
                pictures.append(base64.b64decode(output.data["image/png"]))
    assert texts
    return texts, pictures


def nodes_of(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all that a content file of mystmd holds."""
    if isinstance(tree, dict):
        yield tree
    for child in (
        tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    ):
        yield from nodes_of(child)


def content(mystmd: Path, page: str) -> list[dict[str, Any]]:
    return list(nodes_of(json.loads((mystmd / "content" / f"{page}.json").read_text())))


@pytest.mark.parametrize("lesson_id", TITLES)
def test_mystmd_has_title_and_outputs_of_each_lesson(course, mystmd, lesson_id):
    texts, pictures = expected_outputs(course, lesson_id)
    nodes = content(mystmd, lesson_id)

    assert nodes[0]["frontmatter"]["title"] == TITLES[lesson_id]
    streams = [one["text"].strip() for one in nodes if one.get("output_type") == "stream"]
    assert streams == texts
    files = [
        one["data"]["image/png"]
        for one in nodes
        if isinstance(one.get("data"), dict) and "image/png" in one["data"]
    ]
    assert [read_picture(mystmd, file) for file in files] == pictures


def read_picture(mystmd: Path, data: dict[str, str]) -> bytes:
    return (mystmd / "public" / data["path"].rpartition("/")[2]).read_bytes()


def test_mystmd_explains_the_terms_of_the_glossary(mystmd):
    nodes = content(mystmd, "glossary")
    terms = [one["children"][0]["value"] for one in nodes if one.get("type") == "definitionTerm"]

    assert terms == ["affine", "matrix", "voxel"]


def test_mystmd_asks_nobody_about_a_doi_and_the_link_stays(mystmd):
    links = {one["url"] for one in content(mystmd, "first") if one.get("type") == "link"}

    assert "https://hdl.handle.net/10.1126/science.1089506" in links
    assert "https://hdl.handle.net/10.1093/scan/nsz037" in links


def test_mystmd_follows_the_syllabus_and_names_licence_and_authors(mystmd):
    (project,) = json.loads((mystmd / "config.json").read_text())["projects"]

    assert [page["slug"] for page in project["pages"] if "slug" in page][:2] == ["first", "second"]
    assert project["license"]["content"]["id"] == "CC-BY-4.0"
    assert [author["name"] for author in project["authors"]] == ["The drawers"]


@pytest.mark.parametrize("lesson_id", TITLES)
def test_sphinx_has_title_and_outputs_of_each_lesson(course, sphinx, lesson_id):
    texts, pictures = expected_outputs(course, lesson_id)
    page = BeautifulSoup((sphinx / "lessons" / f"{lesson_id}.html").read_text(), "html.parser")

    assert page.h1.get_text().startswith(TITLES[lesson_id])
    shown = [block.get_text().strip() for block in page.select("div.output.stream")]
    assert shown == texts
    files = [img["src"] for img in page.select("div.cell_output img")]
    assert [(sphinx / "lessons" / file).read_bytes() for file in files] == pictures


def test_sphinx_keeps_our_terms_and_page_heads(sphinx):
    page = BeautifulSoup((sphinx / "lessons" / "first.html").read_text(), "html.parser")

    assert page.select_one("a.neuroprimer-term").get_text() == "voxel"
    data = json.loads(page.find("script", type="application/ld+json").string)
    assert data["teaches"] == ["draw a line"]


def test_page_is_written_anew_when_only_its_head_has_changed(course, tmp_path):
    folder = export(course, tmp_path / "book", "sphinx")
    page = tmp_path / "html" / "lessons" / "first.html"
    assert run_sphinx(folder, tmp_path / "html").returncode == 0
    assert "See a line." in page.read_text()
    conf = folder / "conf.py"
    conf.write_text(conf.read_text().replace("See a line.", "See another line."))

    assert run_sphinx(folder, tmp_path / "html").returncode == 0

    assert "See another line." in page.read_text()


def test_complaint_of_mystmd_is_a_failure(course, tmp_path):
    folder = export(course, tmp_path / "book", "myst")
    (folder / "glossary.md").write_text("# Glossary\n\n```{glossary}\nvoxel\n  One box.\n```\n")

    done = run_mystmd(folder)

    assert done.returncode != 0
    assert "glossary.md" in done.stdout + done.stderr


def test_part_of_which_no_page_is_left_is_left_out(course, tmp_path):
    book = tmp_path / "own" / "book"
    book.mkdir(parents=True)
    for name in ("intro", "glossary", "lesson-map", "datasets", "plugins"):
        (book / f"{name}.md").write_text(f"# {name}\n")
    own = replace(course.course, folder=tmp_path / "own", citation=None)
    reports, catalogue = course.report.reports, course.catalogue

    export_course(own, reports, catalogue, tmp_path / "export", tool="sphinx")

    contents = yaml.safe_load((tmp_path / "export" / "_toc.yml").read_text())
    assert [part["caption"] for part in contents["parts"]] == ["Lines", "Reference"]
    done = run_sphinx(tmp_path / "export", tmp_path / "html")
    assert "non-empty list" not in done.stderr


def test_export_goes_into_no_folder_that_holds_something(course, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(PublishError, match="something is in it"):
        export(course, tmp_path, "myst")

    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
