"""A small course, really built once for all tests that look at a site, and a real browser."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from nbformat import NotebookNode
from playwright.sync_api import Browser, Page

from neuroprimer.teaching import Course, Dataset, hookimpl, load_course, load_lesson
from neuroprimer.teaching.build import BuildReport, build_course
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.plugins import add_plugin, make_manager
from neuroprimer.teaching.publish import lesson_page

FIRST = """---
neuroprimer:
  id: first
  objectives: [count]
  key_points: [Counting is easy.]
  teaching_min: 5
---

# The first lesson

A formula: $x^2$.

$$ \\begin{bmatrix} 1 & 0 \\\\ 0 & 1 \\end{bmatrix} $$

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
:tags: [raises-exception]
1 / 0
```

```{code-cell} ipython3
import uuid
from IPython.display import HTML
HTML(f'<b id="{uuid.uuid4().hex}">rich &amp; bold</b>'
     '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')
```

```{code-cell} ipython3
:tags: [remove-input, remove-output]
print("nothing of this is on the page")
```

```{code-cell} ipython3
:tags: [raises-exception]
x = = 1
```

```{code-cell} ipython3
:tags: [raises-exception, stderr-expected]
raise ExceptionGroup("several", [ValueError("a"), TypeError("b")])
```

```{code-cell} ipython3
# A "Traceback (most recent call last)" is what Python says
from IPython.display import SVG, Javascript
Javascript("1 + 1")
```

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A circle.
---
SVG('<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>')
```

```{code-cell} ipython3
:tags: [hide-input]
print("1 < 2")
"<Axes: >"
```
"""

SECOND = """---
neuroprimer:
  id: second
  prerequisites: [first]
---

# The *second* `lesson` & <b>: "all" | of H{sub}`2`O -- [it](https://example.org)

```{code-cell} ipython3
object()
```
"""


@dataclass(frozen=True, kw_only=True)
class BuiltCourse:
    """A course and everything that came of it."""

    course: Course
    catalogue: Catalogue
    report: BuildReport
    output: Path

    @property
    def pages(self) -> dict[str, NotebookNode]:
        return {
            one.lesson.id: lesson_page(one, self.course, self.catalogue)
            for one in self.report.reports
        }


SMALL = {"first": FIRST, "second": SECOND}
SMALL_BOOK = {
    "course.toml": 'title = "A small course"\n',
    "intro.md": "# Welcome\n\n[Begin](lessons/first.ipynb)\n",
}


def build(
    folder: Path,
    lessons: Mapping[str, str] = SMALL,
    book: Mapping[str, str] = SMALL_BOOK,
    datasets: Sequence[Dataset] = (),
) -> BuiltCourse:
    """Build a course of some lessons and files of a book, in a folder that does not exist yet."""
    for name, text in book.items():
        file = folder / "book" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    files = []
    for name, text in lessons.items():
        files.append(folder / f"{name}.md")
        files[-1].write_text(text)

    class Brings:
        @hookimpl
        def register_lessons(self):
            return [load_lesson(file) for file in files]

        @hookimpl
        def register_datasets(self):
            return list(datasets)

    manager = make_manager()
    add_plugin(manager, Brings(), "brings")
    catalogue = Catalogue.from_plugins(manager)
    course = load_course(folder, catalogue)
    output = folder / "_build"
    report = build_course(course, catalogue, output=output)
    return BuiltCourse(course=course, catalogue=catalogue, report=report, output=output)


@pytest.fixture(scope="session")
def build_small_course() -> Callable[..., BuiltCourse]:
    """Build the small course, or one of other lessons, in a folder that does not exist yet."""
    return build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltCourse:
    return build(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def whole_course(tmp_path_factory: pytest.TempPathFactory, course_cache: Path) -> Path:
    """Return the output folder of the repository's own course, built by its own command."""
    output = tmp_path_factory.mktemp("whole")
    repository = Path(__file__).parent.parent.parent
    subprocess.run(
        [
            *(sys.executable, "-m", "neuroprimer", "build"),
            *("--course", str(repository), "--output", str(output), "--cache", str(course_cache)),
        ],
        check=True,
        capture_output=True,
    )
    return output


def _load_inspection() -> ModuleType:
    """Load what also people run, to look at a whole site."""
    file = Path(__file__).with_name("inspect_site.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


INSPECTION = _load_inspection()


@pytest.fixture(scope="session")
def inspection() -> ModuleType:
    """Return what looks at pages in a browser."""
    return INSPECTION


# Playwright keeps an event loop running in this thread, which code that starts its own does not
# bear; so it ends with each module of tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a real browser; without one, tests are skipped only where none is required."""
    if INSPECTION.require_chromium() is None:
        pytest.skip(INSPECTION.NO_BROWSER)
    with INSPECTION.open_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages, each in a profile of its own; none may complain, or ask another host."""
    contexts, watches = [], []

    def open_one(address: str, *, width: int = 900, scheme: str = "light") -> Page:
        contexts.append(
            browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": INSPECTION.HEIGHT}
            )
        )
        page = contexts[-1].new_page()
        watches.append(INSPECTION.Watch(page))
        page.goto(address)
        return page

    yield open_one
    problems = [problem for watch in watches for problem in watch.problems]
    for context in contexts:
        context.close()
    assert problems == []
