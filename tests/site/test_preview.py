"""A course on screen while it is written: the real command, a real browser, files that change."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread

import psutil
import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.site, pytest.mark.kernel]

# Long, since machines that run tests are busy; what is waited for comes within seconds.
PATIENCE_MS = 120_000


class Preview:
    """``neuroprimer serve --watch``, running.

    Parameters
    ----------
    course_folder : pathlib.Path
        What it shows.
    """

    def __init__(self, course_folder: Path) -> None:
        plugins = course_folder.with_name("plugins")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "neuroprimer", "serve", "--watch", "--port", "0"),
                *("--course", str(course_folder), "--plugins-dir", str(plugins)),
                *("--cache", str(course_folder.with_name("cache"))),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.address = re.search(r"http://127\.0\.0\.1:\d+/", self.line("The course is at"))[0]

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)

    def line(self, words: str) -> str:
        """Return the next line that holds some words."""
        while True:
            line = self.lines.get(timeout=PATIENCE_MS / 1000)
            if words in line:
                return line

    def end(self) -> None:
        """End it as a service is ended."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self._reader.join(timeout=30)
        self.process.stdout.close()


@pytest.fixture
def lesson(write_lesson) -> Path:
    return write_lesson("print('six times seven is', 6 * 7)")


@pytest.fixture
def preview(lesson, course_folder, our_plugins, monkeypatch) -> Iterator[Preview]:
    assert lesson.exists()
    monkeypatch.setenv("NEUROPRIMER_BLOCK_PLUGINS", " ".join(our_plugins))
    running = Preview(course_folder)
    yield running
    running.end()


@pytest.fixture
def page(preview, open_page) -> Page:
    preview.line("changed on screen")
    page = open_page(f"{preview.address}lessons/a-lesson.html")
    page.set_default_timeout(PATIENCE_MS)
    return page


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_change_of_a_lesson_appears_in_the_open_page(page, lesson):
    assert page.get_by_text("six times seven is 42").is_visible()

    lesson.write_text(lesson.read_text() + "\nA sentence that was added.\n")

    page.get_by_text("A sentence that was added.").wait_for()
    assert page.get_by_text("six times seven is 42").is_visible()


def test_only_changed_code_runs_again(page, lesson, preview):
    lesson.write_text(lesson.read_text() + "\nA sentence that was added.\n")
    page.get_by_text("A sentence that was added.").wait_for()
    change(lesson, "6 * 7", "7 * 7")
    page.get_by_text("six times seven is 49").wait_for()

    preview.line("Changed: ")
    assert "changed on screen" in preview.lines.get(timeout=1)
    preview.line("Changed: ")
    assert "a-lesson: running" in preview.lines.get(timeout=1)


def test_what_is_wrong_is_said_on_the_page_until_it_is_mended(page, lesson):
    board = page.get_by_role("status").last
    assert not board.is_visible()

    change(lesson, "6 * 7", "6 / 0")
    page.get_by_text("NP301 a-lesson, code cell 1: ZeroDivisionError").wait_for()
    change(lesson, "6 / 0", "6 * 7")

    page.get_by_text("six times seven is 42").wait_for()
    page.get_by_text("NP301").wait_for(state="hidden")


def test_text_that_the_book_tool_complains_about_leaves_the_page_as_it_was(page, lesson):
    lesson.write_text(lesson.read_text() + "\nSee [](nowhere.md).\n")

    page.get_by_text("NP407 site").wait_for()
    assert page.get_by_text("six times seven is 42").is_visible()


def test_page_of_a_new_lesson_can_be_waited_for(page, lesson, preview):
    address = f"{preview.address}lessons/another.html"
    assert page.request.get(address).status == 404
    page.goto("about:blank")

    text = lesson.read_text().replace("id: a-lesson", "id: another")
    lesson.with_name("another.md").write_text(text.replace("# A lesson", "# Another"))
    preview.line("changed on screen")

    page.goto(address)
    assert page.get_by_role("heading", name="Another").is_visible()


def test_nothing_is_left_and_no_site_is_touched(preview, course_folder):
    site = course_folder / "_build" / "site"
    site.mkdir()
    (site / "index.html").write_text("published")
    preview.line("changed on screen")
    children = psutil.Process(preview.process.pid).children(recursive=True)
    assert children

    preview.end()

    _, alive = psutil.wait_procs(children, timeout=30)
    assert [process.cmdline() for process in alive] == []
    assert [path.name for path in (course_folder / "_build").iterdir()] == ["site"]
    assert (site / "index.html").read_text() == "published"


def test_taken_port_is_an_error_before_anything_is_built(preview, course_folder):
    port = preview.address.rsplit(":", 1)[1].strip("/")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "neuroprimer", "serve", "--watch"),
            *("--course", str(course_folder), "--port", port),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert f"Cannot serve on port {port}" in done.stderr
