"""A build that finds nothing to do, and one that finds that the site is not as it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from neuroprimer.teaching import load_course
from neuroprimer.teaching.cache import RunCache
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.plugins import make_manager
from neuroprimer.teaching.publish import site_sources

pytestmark = pytest.mark.site

UP_TO_DATE = "Nothing has changed; the site is up to date."

HEAVY = {"numpy", "nbclient", "nbformat", "jupytext", "jupyter_client", "zmq", "sphinx", "bs4"}


@pytest.fixture
def course(write_lesson, course_folder) -> Path:
    write_lesson("print('shown on the page')")
    return course_folder


@pytest.fixture
def build(neuroprimer, course):
    return lambda *arguments: neuroprimer("build", "--course", course, "--explain", *arguments)


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(file.relative_to(folder)): (file.stat().st_ino, file.stat().st_mtime_ns)
        for file in folder.rglob("*")
    }


def test_build_without_a_change_executes_nothing_and_publishes_nothing(build, course):
    first = build()
    site = course / "_build" / "site"
    before = stamps(site)

    second = build()

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert UP_TO_DATE not in first.stdout
    assert UP_TO_DATE in second.stdout
    assert f"The course is in {site}" in second.stdout
    assert second.stderr == "a-lesson: cached\n"
    assert stamps(site) == before
    report = json.loads((course / "_build" / "run" / "report.json").read_text())
    assert report["is_unchanged"]
    assert report["lessons"][0]["cached"]
    assert report["lessons"][0]["reason"].startswith("cached: nothing it depends on has changed")
    assert (course / "_build" / "run" / "notebooks" / "a-lesson.ipynb").is_file()


def test_build_without_a_change_loads_nothing_heavy(build, course, our_plugins):
    build()
    arguments = ["build", "--course", str(course), "--plugins-dir", str(course.parent / "plugins")]
    arguments += [f"--block-plugin={name}" for name in our_plugins]
    code = (
        "import sys; from neuroprimer.cli import cli; "
        f"cli({arguments!r}, standalone_mode=False); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert UP_TO_DATE in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def edit_prose(course: Path) -> None:
    lesson = course.parent / "plugins" / "a-lesson.md"
    lesson.write_text(lesson.read_text().replace("Some prose.", "Other prose."))


def edit_page(course: Path) -> None:
    (course / "book" / "intro.md").write_text("# A course\n\nWelcome back.\n")


def configure(course: Path) -> None:
    (course / "_config.yml").write_text("author: Ada\n")


def retitle(course: Path) -> None:
    (course / "book" / "course.toml").write_text('title = "Another course"\n')


def tamper(course: Path) -> None:
    page = course / "_build" / "site" / "lessons" / "a-lesson.html"
    page.write_text(page.read_text().replace("shown", "hacked"))


def tamper_with_figures(course: Path) -> None:
    page = course / "_build" / "site" / "runs.html"
    page.write_text(page.read_text().replace("never ran before", "hacked"))


def add_file(course: Path) -> None:
    (course / "_build" / "site" / "added.html").write_text("x")


def remove_site(course: Path) -> None:
    (course / "_build" / "site").rename(course / "gone")


def remove_notebook(course: Path) -> None:
    (course / "_build" / "run" / "notebooks" / "a-lesson.ipynb").unlink()


CHANGES = (
    *(edit_prose, edit_page, configure, retitle),
    *(tamper, tamper_with_figures, add_file, remove_site, remove_notebook),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_site_is_published_again_but_nothing_executed(build, course, change):
    build()
    change(course)

    done = build()

    assert done.returncode == 0, done.stderr
    assert UP_TO_DATE not in done.stdout
    assert "a-lesson: cached" in done.stderr
    page = (course / "_build" / "site" / "lessons" / "a-lesson.html").read_text()
    assert "shown on the page" in page
    assert ("Other prose." in page) == (change is edit_prose)
    assert UP_TO_DATE in build().stdout


def test_damaged_run_is_executed_again_and_never_published(build, course, cache_folder):
    build()
    (outputs,) = cache_folder.rglob("outputs-*.json")
    outputs.write_bytes(outputs.read_bytes().replace(b"shown on", b"hacked  "))
    edit_page(course)

    done = build()

    assert "ran: the stored run is damaged" in done.stdout
    page = (course / "_build" / "site" / "lessons" / "a-lesson.html").read_text()
    assert "shown on the page" in page
    assert "hacked" not in page


def test_unchanged_course_over_its_budget_fails_only_if_that_is_asked_for(
    write_lesson, course_folder, neuroprimer
):
    write_lesson("print('shown on the page')", budget_s=0.001)
    page = course_folder / "_build" / "site" / "lessons" / "a-lesson.html"
    build = ("build", "--course", course_folder)
    neuroprimer(*build)

    unchanged = neuroprimer(*build)
    over = neuroprimer(*build, "--budget", "--summary", course_folder / "summary.md")

    assert (unchanged.returncode, over.returncode) == (0, 1)
    assert UP_TO_DATE in unchanged.stdout
    assert "more than its budget of 0.001 s" in unchanged.stderr
    assert "NP314" in over.stderr
    assert "Nothing was published" in over.stdout
    assert "Nothing was published" in (course_folder / "summary.md").read_text()
    assert page.is_file()


def test_site_without_a_lesson_that_was_over_its_budget_is_not_up_to_date(
    write_lesson, course_folder, neuroprimer
):
    write_lesson("1", lesson_id="slow", budget_s=0.001)
    write_lesson("1", lesson_id="quick")
    build = ("build", "--no-strict", "--course", course_folder)
    lessons = course_folder / "_build" / "site" / "lessons"
    neuroprimer("validate", "--course", course_folder)
    neuroprimer(*build, "--budget")
    assert [page.name for page in lessons.glob("*.html")] == ["quick.html"]

    neuroprimer(*build)

    assert sorted(page.name for page in lessons.glob("*.html")) == ["quick.html", "slow.html"]


def test_page_about_the_runs_stays_until_there_is_another_run(build, course):
    build()
    page = course / "_build" / "site" / "runs.html"
    before = page.read_text()

    build()
    unchanged = page.read_text()
    build("--no-cache")

    assert unchanged == before
    assert "ran: never ran before" in before
    assert "ran: the cache is off" in page.read_text()


def test_without_the_cache_all_is_done_anew(build):
    build()

    done = build("--no-cache")

    assert "ran: the cache is off" in done.stdout
    assert UP_TO_DATE not in done.stdout


def test_plugin_that_wants_to_hear_of_reports_hears_of_them(build, write_plugin, tmp_path):
    write_plugin(
        "listens",
        f"""
        from pathlib import Path
        from neuroprimer.teaching import hookimpl

        @hookimpl
        def lesson_validated(report):
            with Path({str(tmp_path / "heard")!r}).open("a") as file:
                print(report.result.notebook.cells[1].outputs[0].text, file=file, end="")
        """,
    )
    build()

    done = build()

    assert UP_TO_DATE in done.stdout
    assert (tmp_path / "heard").read_text() == "shown on the page\n" * 2


def test_page_that_was_another_one_meanwhile_is_not_taken_for_up_to_date(
    write_lesson, course_folder, neuroprimer, monkeypatch
):
    intro = course_folder / "book" / "intro.md"
    before = intro.read_text()
    monkeypatch.setenv("PAGE", str(intro))
    write_lesson(
        "import os; from pathlib import Path; _ = Path(os.environ['PAGE']).write_text('# Late')"
    )
    neuroprimer("build", "--course", course_folder)
    page = course_folder / "_build" / "site" / "intro.html"
    assert "Late" in page.read_text()
    intro.write_text(before)

    done = neuroprimer("build", "--course", course_folder)

    assert UP_TO_DATE not in done.stdout
    assert "Late" not in page.read_text()


def test_clean_leaves_nothing(build, neuroprimer, course):
    build()

    neuroprimer("clean", "--course", course)

    assert list((course / "_build").iterdir()) == []


def test_lock_file_of_pyodide_is_a_source_of_the_site(course, cache_folder):
    lock = course / "pyodide" / "pyodide-lock.json"
    lock.parent.mkdir()
    lock.write_text('{"packages": {}}')
    syllabus = course / "book" / "course.toml"
    syllabus.write_text(f'{syllabus.read_text()}[lite]\nenabled = true\npyodide = "pyodide"\n')
    catalogue = Catalogue.from_plugins(make_manager())
    wishing = load_course(course, catalogue)

    before = site_sources(wishing, RunCache(catalogue, cache_folder).surroundings)
    again = site_sources(wishing, RunCache(catalogue, cache_folder).surroundings)
    lock.write_text('{"packages": {"numpy": {}}}')
    after = site_sources(wishing, RunCache(catalogue, cache_folder).surroundings)

    assert before == again != after
