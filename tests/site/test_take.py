"""Taking a course along: downloads, the archive, PDFs, and launching a lesson elsewhere."""

import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from packaging.utils import canonicalize_name

from neuroprimer.teaching import (
    BuildReport,
    Catalogue,
    Course,
    build_course,
    dataset_files,
    load_catalogue,
    load_course,
    require_current_site,
)
from neuroprimer.teaching.bundles import read_bundle
from neuroprimer.teaching.exercises.regions import STUB
from neuroprimer.teaching.model import LiteWish
from neuroprimer.teaching.notebooks import code_cells
from neuroprimer.teaching.plugins import Plugin
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.publish import (
    PrintError,
    PublishError,
    lesson_page,
    lite,
    print_lesson,
    publish_course,
    publishing_notes,
    write_archive,
    write_notebooks,
)
from neuroprimer.teaching.publish.launch import launch_links
from neuroprimer.teaching.publish.leaks import find_leaks
from neuroprimer.teaching.publish.take_along import executed_notebook
from neuroprimer.teaching.publish.wheels import wheels_needed

pytestmark = pytest.mark.site

STONES = """---
neuroprimer:
  id: stones
  datasets: [pile]
  exercises: exercises.py
---

# Counting stones

```{code-cell} ipython3
import neuroprimer

lesson = neuroprimer.lesson("stones")
print(lesson.data("pile").read_text())
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
stones = = 1
```

```{code-cell} ipython3
### BEGIN SOLUTION
counted_stones = 1234567
### END SOLUTION
lesson.check("count", counted_stones)
```

```{code-cell} ipython3
lesson.quiz("axis")
```
"""

EXERCISES = """
from neuroprimer.teaching import Choice, Exercise, Incorrect, Quiz, WrongAnswer

def check(answer, data):
    if answer != 1234567:
        raise Incorrect("Count again, from the left." if answer == 7654321 else "Count again.")

EXERCISES = [
    Exercise(id="count", prompt="How many?", check=check, wrong_answers=(
        WrongAnswer(code="counted_stones = 7654321", message="from the left"),
        WrongAnswer(code="counted_stones = 1111111", message="Count again."),
    )),
]
QUIZZES = [
    Quiz(id="axis", question="Where does the first axis of RAS+ point?", choices=(
        Choice("to the left", feedback="That is LAS+."),
        Choice("to the right", is_correct=True),
        Choice("to the front", feedback="That is the second axis."),
    )),
]
"""

PLUGIN = """
from hashlib import sha256
from pathlib import Path
from neuroprimer.teaching import Dataset, hookimpl, keep_dataset, load_lesson

PILE = b"a synthetic pile of stones"

@hookimpl
def register_lessons():
    return [load_lesson(Path(__file__).with_name("stones.md"))]

@hookimpl
def register_datasets():
    return [Dataset(id="pile", title="A pile", description="Made up.", licence="CC0 1.0",
                    citation="Nobody.", is_synthetic=True,
                    files={"pile.txt": sha256(PILE).hexdigest()})]

@hookimpl
def provide_dataset(dataset, folder, variant):
    return keep_dataset(dataset, folder, lambda into: (into / "pile.txt").write_bytes(PILE))
"""

SYLLABUS = 'title = "Stones"\n[exercises]\nsolutions = "absent"\n'
ADDRESS = "repository: {url: https://github.com/somebody/stones, branch: trunk}\n"
BINDER_LINK = (
    "https://mybinder.org/v2/gh/somebody/stones/trunk?urlpath=lab/tree/notebooks/stones.ipynb"
)
COLAB_LINK = (
    "https://colab.research.google.com/github/somebody/stones/blob/trunk/notebooks/stones.ipynb"
)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A course that was built with a cache, and everything that came of it."""

    course: Course
    catalogue: Catalogue
    report: BuildReport
    output: Path
    cache: Path

    @property
    def site(self) -> Path:
        return self.output / "site"

    def archive(self, file: Path) -> Path:
        data = {one: dataset_files(self.catalogue, one) for one in self.catalogue.datasets.values()}
        write_archive(file, self.course, self.catalogue, self.site, data)
        return file


@pytest.fixture(scope="session")  # built before the browser comes, see there
def taken(tmp_path_factory, our_plugins):
    base = tmp_path_factory.mktemp("take")
    folder, plugins = base / "course", base / "plugins"
    (folder / "book").mkdir(parents=True)
    plugins.mkdir()
    (folder / "book/course.toml").write_text(SYLLABUS)
    (plugins / "brings.py").write_text(PLUGIN)
    (plugins / "stones.md").write_text(STONES)
    (plugins / "exercises.py").write_text(EXERCISES)
    catalogue = load_catalogue(plugins_dir=plugins, blocked=our_plugins)
    course = load_course(folder, catalogue)
    cache, output = base / "cache", base / "output"
    report = build_course(course, catalogue, output=output, cache=cache)
    assert report.passed, [report.findings, *(one.findings for one in report.reports)]
    return Taken(course=course, catalogue=catalogue, report=report, output=output, cache=cache)


@pytest.fixture
def published(taken, tmp_path):
    """Return the course in a folder of its own, with a repository's address."""
    folder = tmp_path / "with-address"
    (folder / "book").mkdir(parents=True)
    (folder / "_config.yml").write_text(ADDRESS)
    return replace(taken.course, folder=folder)


def read(file: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    return notebook


def page_of(site: Path) -> BeautifulSoup:
    return BeautifulSoup((site / "lessons/stones.html").read_text(), "html.parser")


def links_of(taken: Taken, course: Course, catalogue: Catalogue | None = None) -> dict[str, str]:
    (report,) = taken.report.reports
    links = launch_links(report.lesson, report.result.source, course, catalogue or taken.catalogue)
    return dict(links)


# Downloads


def test_page_offers_three_files_that_are_there(taken):
    links = page_of(taken.site).select(".neuroprimer-card a[download]")

    assert [link.get_text() for link in links] == [
        *("student notebook", "executed notebook", "Python script")
    ]
    for link in links:
        assert (taken.site / "lessons" / link["href"]).is_file()


def test_there_is_one_way_of_downloading(taken):
    assert not (taken.site / "_sources").exists()
    for file in taken.site.rglob("*.html"):
        page = BeautifulSoup(file.read_text(), "html.parser")
        assert not page.select(".dropdown-download-buttons, .dropdown-launch-buttons"), file.name


def test_student_notebook_has_stubs_and_no_solution_and_no_output(taken):
    notebook = read(taken.site / "downloads/stones.ipynb")

    (stub,) = (cell for _, cell in code_cells(notebook) if STUB in cell.source)
    assert stub.source == f'{STUB}\ncounted_stones = ...\nlesson.check("count", counted_stones)'
    assert "1234567" not in nbformat.writes(notebook)
    assert not any(cell.outputs for _, cell in code_cells(notebook))
    assert notebook.metadata["neuroprimer"]["lesson"] == "stones"


def test_student_notebook_is_the_one_that_the_command_line_makes(taken, neuroprimer, tmp_path):
    plugins = taken.catalogue.plugins_dir
    neuroprimer("open", "stones", "--no-lab", "--folder", tmp_path, "--plugins-dir", plugins)

    assert read(tmp_path / "stones.ipynb") == read(taken.site / "downloads/stones.ipynb")


def test_executed_notebook_shows_the_run_that_was_published(taken):
    run = read(taken.output / "run/notebooks/stones.ipynb")
    executed = {
        cell.id: cell
        for _, cell in code_cells(read(taken.site / "downloads/stones-executed.ipynb"))
    }

    shown = [cell for _, cell in code_cells(run) if "SOLUTION" not in cell.source]
    assert len(shown) == len(executed) - 1
    for cell in shown:
        assert executed[cell.id].outputs == cell.outputs
        assert executed[cell.id].source == cell.source


@pytest.mark.parametrize(("solutions", "is_there"), [("absent", False), ("collapsed", True)])
def test_executed_notebook_has_solutions_as_the_course_wants(taken, solutions, is_there):
    run = read(taken.output / "run/notebooks/stones.ipynb")

    executed = executed_notebook(run, "stones", Policy(solutions=solutions))

    solved = [cell for _, cell in code_cells(executed) if "= 1234567" in cell.source]
    assert bool(solved) == is_there
    for cell in solved:  # folded in JupyterLab as on the page
        assert cell.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


def test_script_compiles_and_holds_every_cell_of_the_student(taken):
    text = (taken.site / "downloads/stones.py").read_text()

    compile(text, "stones.py", "exec")
    assert "\ncounted_stones = ...\n" in text
    assert "\n# stones = = 1\n" in text  # it is there to raise an error in the notebook
    assert text.count("# %%") == len(read(taken.site / "downloads/stones.ipynb").cells)


def test_script_runs_as_far_as_the_student_has_come(taken, tmp_path):
    text = (taken.site / "downloads/stones.py").read_text()
    (tmp_path / "stones.py").write_text(text.replace("counted_stones = ...", "counted_stones = 7"))

    done = subprocess.run(
        [sys.executable, "stones.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "NEUROPRIMER_PLUGINS_DIR": str(taken.catalogue.plugins_dir),
            "MPLBACKEND": "agg",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "a synthetic pile of stones" in done.stdout
    assert "count: Count again." in done.stdout


@pytest.mark.parametrize("name", ["stones.ipynb", "stones-executed.ipynb", "stones.py"])
def test_leak_in_a_download_is_found(taken, tmp_path, name):
    text = (taken.site / "downloads" / name).read_text()
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / name).write_text(text.replace("...", "1234567"))

    found = find_leaks(tmp_path, [one.result for one in taken.report.reports], taken.course.policy)

    assert [one.message for one in found] == [f"downloads/{name} holds the solution of count."]


# The archive


def test_archive_of_the_same_has_the_same_bytes(taken, tmp_path):
    first, second = taken.archive(tmp_path / "a.zip"), taken.archive(tmp_path / "b.zip")

    assert first.read_bytes() == second.read_bytes()


def test_archive_holds_site_notebooks_data_and_what_is_needed(taken, tmp_path):
    with zipfile.ZipFile(taken.archive(tmp_path / "stones.zip")) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)

    assert names[:4] == ["README.txt", "requirements.txt", "notebooks/stones.ipynb", "data.zip"]
    files = {
        file.relative_to(taken.site).as_posix()
        for file in taken.site.rglob("*")
        if file.is_file() and file.name != ".made-by-neuroprimer"
    }
    assert {name.removeprefix("site/") for name in names[4:]} == files
    datasets = list(taken.catalogue.datasets.values())
    assert read_bundle(tmp_path / "data.zip", datasets, all_wanted=True) == datasets
    readme = (tmp_path / "README.txt").read_text()
    for words in ("site/index.html", "notebooks/stones.ipynb", "A pile, synthetic"):
        assert words in readme


def write_stub(name: str, folder: Path) -> None:
    """Write a wheel that says the same of itself as an installed package, and holds nothing."""
    found = distribution(name)
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{found.version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", found.read_text("METADATA"))
        wheel.writestr(
            f"{stem}.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{stem}.dist-info/RECORD", "")


def test_archive_lists_what_pip_itself_would_install_and_nothing_else(taken, tmp_path):
    with zipfile.ZipFile(taken.archive(tmp_path / "stones.zip")) as archive:
        listed = archive.read("requirements.txt").decode()
        readme = archive.read("README.txt").decode()
    names = [line.partition("==")[0] for line in listed.splitlines() if "==" in line]
    for name in ("neuroprimer", *names):
        write_stub(name, tmp_path)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            *("--no-index", "--find-links", str(tmp_path), "--quiet", "--report", "-"),
            "neuroprimer",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    chosen = {one["metadata"]["name"] for one in json.loads(done.stdout)["install"]}
    assert {canonicalize_name(one) for one in chosen} == {"neuroprimer", *names}
    assert "neuroprimer==" not in listed  # no index has it
    assert "neuroprimer==" in readme
    assert "://" not in listed


def test_wheels_of_an_extra_count_where_it_is_asked_for(tmp_path, monkeypatch):
    requirements = {
        "asks": ["gives[wanted]"],
        "gives": ["needed; extra == 'wanted'", "unwanted; extra == 'other'"],
        "needed": ["not-here; sys_platform == 'nowhere'"],
        "unwanted": [],
    }
    for name, lines in requirements.items():
        (tmp_path / f"{name}-2.0.dist-info").mkdir()
        (tmp_path / f"{name}-2.0.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n"
            + "".join(f"Requires-Dist: {line}\n" for line in lines)
        )
    monkeypatch.syspath_prepend(tmp_path)

    assert wheels_needed(["asks"]) == dict.fromkeys(("asks", "gives", "needed"), "2.0")


def test_archive_opens_from_a_file_searches_and_answers(taken, tmp_path, open_page):
    with zipfile.ZipFile(taken.archive(tmp_path / "stones.zip")) as archive:
        archive.extractall(tmp_path / "unpacked")

    page = open_page((tmp_path / "unpacked/site/index.html").as_uri(), width=1280)
    page.wait_for_url("**/site/intro.html")
    page.keyboard.press("Control+k")
    page.keyboard.insert_text("counting")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.click()
    page.wait_for_url("**/lessons/stones.html*")
    page.click(".neuroprimer-quiz input[value=b]")
    page.click(".neuroprimer-quiz button")

    assert page.inner_text(".neuroprimer-verdict").startswith("Right.")


def test_archive_that_cannot_be_written_leaves_the_one_before(taken, tmp_path):
    with pytest.raises(PublishError, match="cannot be written"):
        taken.archive(tmp_path / "gone" / "stones.zip")

    assert not list(tmp_path.iterdir())


def run_archive(neuroprimer, taken, file, *options):
    return neuroprimer(
        *("archive", file, "--course", taken.course.folder, "--output", taken.output),
        *("--cache", taken.cache, "--plugins-dir", taken.catalogue.plugins_dir, *options),
    )


def test_command_writes_the_archive_and_names_the_terms(taken, neuroprimer, tmp_path):
    done = run_archive(neuroprimer, taken, tmp_path / "stones.zip")

    assert done.returncode == 0, done.stderr
    assert "mind the terms of pile: CC0 1.0" in done.stderr
    assert (tmp_path / "stones.zip").read_bytes() == taken.archive(tmp_path / "b.zip").read_bytes()


def test_archive_without_a_site_is_refused(taken, neuroprimer, tmp_path):
    done = run_archive(neuroprimer, taken, tmp_path / "a.zip", "--output", tmp_path / "nothing")

    assert done.returncode == 2
    assert "There is no site" in done.stderr
    assert "neuroprimer build" in done.stderr
    assert not (tmp_path / "a.zip").exists()


def test_site_of_another_syllabus_is_stale(taken):
    course = replace(taken.course, title="Pebbles")

    with pytest.raises(PublishError, match="does not show the course as it is now"):
        require_current_site(course, taken.catalogue, output=taken.output, cache=taken.cache)


def test_site_whose_runs_nobody_knows_is_stale(taken, tmp_path):
    with pytest.raises(PublishError, match="does not show the course as it is now"):
        require_current_site(taken.course, taken.catalogue, output=taken.output, cache=tmp_path)


# PDF


@pytest.fixture
def printing_browser(inspection):
    if inspection.require_chromium() is None:
        pytest.skip(inspection.NO_BROWSER)


@pytest.mark.usefixtures("printing_browser")
def test_pdf_has_pages_the_title_and_the_figure(taken, neuroprimer, tmp_path):
    done = neuroprimer(
        *("pdf", "stones", "--course", taken.course.folder, "--output", taken.output),
        *("--plugins-dir", taken.catalogue.plugins_dir),
    )

    assert done.returncode == 0, done.stderr
    content = (tmp_path / "stones.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 1
    title = "Counting stones"
    assert title.encode() in content or title.encode("utf-16-be").hex().upper().encode() in content
    assert rb"/Subtype /Image" in content


def test_lesson_without_a_page_cannot_be_printed(tmp_path):
    with pytest.raises(PrintError, match="'stones' has no page"):
        print_lesson(tmp_path, "stones", tmp_path / "a.pdf", timeout_s=1)


def test_missing_browser_is_told(taken, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PrintError, match="No browser that prints was found") as told:
        print_lesson(taken.site, "stones", tmp_path / "a.pdf", timeout_s=1)

    assert "Install Chromium" in told.value.hint


@pytest.mark.parametrize(
    ("script", "timeout_s", "words"),
    [
        ("exec sleep 600", 0.5, "did not print the page within 0.5 s"),
        ("echo broken >&2", 60, "broken"),
    ],
)
def test_browser_that_fails_leaves_the_file_as_it_was(
    taken, tmp_path, monkeypatch, script, timeout_s, words
):
    (tmp_path / "chromium").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "a.pdf").write_text("the one before")

    with pytest.raises(PrintError, match=re.escape(words)):
        print_lesson(taken.site, "stones", tmp_path / "a.pdf", timeout_s=timeout_s)

    assert (tmp_path / "a.pdf").read_text() == "the one before"


# Launching


def test_page_names_the_command_and_no_service_without_an_address(taken):
    (fact,) = (
        one
        for one in page_of(taken.site).select(".neuroprimer-facts li")
        if "Work on it" in one.get_text()
    )

    assert "neuroprimer open stones (JupyterLab)" in fact.get_text()
    assert not fact.find_all("a")
    assert links_of(taken, taken.course) == {}
    assert publishing_notes(taken.course, taken.report.reports, taken.catalogue) == ()


def test_address_without_notebooks_gives_no_link_and_is_noted(taken, published):
    assert links_of(taken, published) == {}
    (note,) = publishing_notes(published, taken.report.reports, taken.catalogue)
    assert "no link to Binder or Colab for stones" in note
    assert "neuroprimer notebooks" in note


def test_links_lead_to_notebooks_of_the_repository(taken, published):
    (published.folder / "pyproject.toml").write_text('[project]\nname = "stones"\n')
    plugins = (Plugin(name="brings", origin="stones 1.0"),)
    write_notebooks(published)

    links = links_of(taken, published, replace(taken.catalogue, plugins=plugins))

    assert links == {"Binder": BINDER_LINK, "Colab": COLAB_LINK}
    first, *cells = read(published.folder / "notebooks/stones.ipynb").cells
    assert "git+https://github.com/somebody/stones@trunk" in first.source
    assert cells == read(taken.site / "downloads/stones.ipynb").cells
    assert publishing_notes(published, taken.report.reports, taken.catalogue) == ()


def test_colab_has_no_link_to_a_lesson_that_the_repository_does_not_install(taken, published):
    (published.folder / "pyproject.toml").write_text('[project]\nname = "other"\n')
    write_notebooks(published)

    assert links_of(taken, published) == {"Binder": BINDER_LINK}


def test_notebook_of_an_older_lesson_gives_no_link(taken, published):
    write_notebooks(published)
    file = published.folder / "notebooks/stones.ipynb"
    file.write_text(file.read_text().replace("Counting stones", "Counting pebbles"))

    assert links_of(taken, published) == {}


def test_services_that_a_course_does_not_want_have_no_link(taken, published):
    (published.folder / "_config.yml").write_text(f"{ADDRESS}launch_buttons: {{binderhub_url: ''}}")
    write_notebooks(published)

    assert links_of(taken, published) == {}


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://gitlab.com/group/below/stones", "gl/group%2Fbelow%2Fstones"),
        ("https://example.org/stones.git", "git/https%3A%2F%2Fexample.org%2Fstones.git"),
    ],
)
def test_binder_finds_other_hosts_and_folders(taken, published, url, place):
    (published.folder / "_config.yml").write_text(
        f"repository: {{url: '{url}', path_to_book: courses/one/book}}"
    )
    write_notebooks(published)

    assert links_of(taken, published) == {
        "Binder": f"https://mybinder.org/v2/{place}/main"
        "?urlpath=lab/tree/courses/one/notebooks/stones.ipynb"
    }


def test_published_page_has_our_links_and_none_of_the_theme(taken, published, tmp_path):
    (published.folder / "_config.yml").write_text(
        f"{ADDRESS}launch_buttons: {{binderhub_url: 'https://mybinder.org', "
        "jupyterhub_url: 'https://hub.example.org'}\n"
    )
    write_notebooks(published)

    found = publish_course(published, taken.report.reports, taken.catalogue, tmp_path / "out")

    assert found == ()
    page = page_of(tmp_path / "out/site")
    services = ("mybinder", "colab", "hub.example")
    links = [a["href"] for a in page.find_all("a") if any(one in a["href"] for one in services)]
    assert links == [BINDER_LINK]


def test_notebooks_never_take_the_place_of_somebody_s_folder(published):
    (published.folder / "notebooks").mkdir()
    (published.folder / "notebooks/own.ipynb").write_text("mine")

    with pytest.raises(PublishError, match="was not made by neuroprimer"):
        write_notebooks(published)

    assert (published.folder / "notebooks/own.ipynb").read_text() == "mine"


# JupyterLite


@pytest.fixture
def wishing(taken, tmp_path, monkeypatch):
    """Return a course that wants JupyterLite, where it is installed, and an empty Pyodide."""
    monkeypatch.setattr(lite, "PARTS", ())
    (tmp_path / "pyodide").mkdir()
    (tmp_path / "pyodide" / lite.LOCK).write_text('{"packages": {}}')
    return replace(taken.course, folder=tmp_path, lite=LiteWish(enabled=True, pyodide="pyodide"))


def results(taken):
    return [one.result for one in taken.report.reports]


def test_jupyterlite_is_off_unless_it_is_wanted(taken):
    assert lite.find_lite(taken.course, results(taken), taken.catalogue) is None


def test_jupyterlite_that_is_not_installed_is_noted(taken, wishing, monkeypatch):
    monkeypatch.setattr(lite, "PARTS", ("no_such_jupyterlite",))

    (note,) = publishing_notes(wishing, taken.report.reports, taken.catalogue)

    assert note.startswith("no JupyterLite on the site: it is not installed.")
    assert "neuroprimer[lite]" in note


def test_pyodide_that_is_not_there_is_noted(taken, wishing):
    course = replace(wishing, lite=LiteWish(enabled=True, pyodide="elsewhere"))

    (note,) = publishing_notes(course, taken.report.reports, taken.catalogue)

    assert "names no folder with pyodide-lock.json" in note


def test_wheels_that_are_not_to_be_had_are_named_and_no_button_is_published(taken, wishing):
    (note,) = publishing_notes(wishing, taken.report.reports, taken.catalogue)
    (report,) = taken.report.reports

    assert "matplotlib" in note
    assert "ipykernel" not in note  # another kernel runs there
    assert "in this browser" not in lesson_page(report, wishing, taken.catalogue).cells[1].source


def test_wheel_counts_where_the_file_is_there_and_not_only_its_name_in_the_lock(taken, wishing):
    folder = wishing.folder / "pyodide"
    wheel = "matplotlib-3.10-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
    packages = {"matplotlib": {"name": "matplotlib", "file_name": wheel}}
    (folder / lite.LOCK).write_text(json.dumps({"packages": packages}))

    before = lite.find_lite(wishing, results(taken), taken.catalogue).problem
    (folder / wheel).touch()
    after = lite.find_lite(wishing, results(taken), taken.catalogue).problem

    assert "matplotlib" in before
    assert "matplotlib" not in after


def test_nothing_is_missing_where_every_wheel_is_there(taken, wishing):
    wanted = lite.wheels_wanted(results(taken), taken.catalogue)
    for name in wanted:
        (wishing.folder / "pyodide" / f"{name.replace('-', '_')}-1-py3-none-any.whl").touch()

    found = lite.find_lite(wishing, results(taken), taken.catalogue)

    assert found.problem == ""
    assert len(found.wheels) == len(wanted)
