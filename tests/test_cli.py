"""The command line, as a person and as a program meet it."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from junitparser import JUnitXml

REPOSITORY = Path(__file__).parent.parent


def test_list_shows_lessons_in_course_order(write_lesson, course_folder, neuroprimer):
    write_lesson("1", lesson_id="zebra", title="A first")
    write_lesson("1", lesson_id="ant", title="B second")
    (course_folder / "book" / "course.toml").write_text(
        'title = "C"\n[[part]]\ntitle = "P"\nlessons = ["zebra", "ant"]\n'
    )

    done = neuroprimer("list", "--course", course_folder)

    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["lesson", "zebra", "ant"]
    assert "brings" in done.stdout


def test_list_works_where_there_is_no_course(write_lesson, course_folder, neuroprimer):
    write_lesson("1")

    done = neuroprimer("list", "--json")

    assert [lesson["id"] for lesson in json.loads(done.stdout)["lessons"]] == ["a-lesson"]
    assert course_folder.exists()


def test_long_titles_are_not_cut_off_in_a_pipe(write_lesson, course_folder, neuroprimer):
    title = "A title with many words that goes on and on until no line can hold it any more at all"
    write_lesson("1", title=title)

    done = neuroprimer("list", "--course", course_folder)

    assert "…" not in done.stdout


def test_show_tells_what_the_lesson_says(write_lesson, course_folder, neuroprimer):
    write_lesson("1", objectives="[see, do]", teaching_min=7)

    words = neuroprimer("show", "a-lesson").stdout
    facts = json.loads(neuroprimer("show", "a-lesson", "--json").stdout)

    assert "teaching min: 7" in words
    assert "  - see\n  - do" in words
    assert facts["objectives"] == ["see", "do"]
    assert course_folder.exists()


def test_unknown_lesson_is_answered_with_the_near_name(write_lesson, course_folder, neuroprimer):
    write_lesson("1")

    done = neuroprimer("show", "a-leson")

    assert done.returncode == 2
    assert done.stderr == "Error: No lesson is called 'a-leson'.\nHint: Did you mean 'a-lesson'?\n"
    assert course_folder.exists()


@pytest.mark.parametrize("arguments", [["lst"], ["list", "--no-such"], ["build", "-j", "0"]])
def test_misuse_is_status_2_with_words(neuroprimer, arguments):
    done = neuroprimer(*arguments)

    assert done.returncode == 2
    assert "Error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_version_and_help(neuroprimer):
    assert neuroprimer("--version").stdout.startswith("neuroprimer, version 0.")
    assert "Execute, validate and publish" in neuroprimer("--help").stdout


def test_plugins_list_tells_where_each_comes_from(course_folder, neuroprimer):
    done = neuroprimer("plugins", "list", "--json", blocked=("smoothing",))

    plugins = {plugin["name"]: plugin for plugin in json.loads(done.stdout)["plugins"]}
    assert plugins["builtin"]["origin"].startswith("neuroprimer ")
    assert plugins["builtin"]["hooks"] == [
        "provide_dataset",
        "register_datasets",
        "register_lessons",
    ]
    assert plugins["smoothing"]["state"] == "blocked"
    assert plugins["brings"]["state"] == "loaded"
    assert course_folder.exists()


def test_doctor_finds_nothing_wrong_with_what_we_ship(neuroprimer):
    done = neuroprimer("plugins", "doctor", blocked=())

    assert done.returncode == 0
    assert "0 finding(s)" in done.stdout


def test_trace_shows_hook_calls(neuroprimer):
    done = neuroprimer("list", "--trace-plugins", blocked=())

    assert "register_lessons" in done.stderr


@pytest.mark.kernel
def test_validate_tells_programs_in_json_and_junit(
    write_lesson, course_folder, neuroprimer, tmp_path
):
    write_lesson("1", "1 / 0")
    write_lesson("1", lesson_id="good")
    junit = tmp_path / "reports" / "junit.xml"

    done = neuroprimer("validate", "--course", course_folder, "--json", "--junit", junit)

    report = json.loads(done.stdout)
    outcome = {one["lesson"]: one["passed"] for one in report["lessons"]}
    assert outcome == {"a-lesson": False, "good": True}
    (finding,) = report["lessons"][0]["findings"]
    assert (finding["rule"], finding["cell"]) == ("NP301", 2)
    assert finding["page"] == "developing/rules.html#np301"
    assert finding["fix"]
    (suite,) = JUnitXml.fromfile(str(junit))
    assert (suite.tests, suite.failures) == (3, 1)


@pytest.mark.kernel
def test_validate_can_be_asked_for_one_lesson(write_lesson, course_folder, neuroprimer):
    write_lesson("1 / 0", lesson_id="bad")
    write_lesson("1", lesson_id="good")

    done = neuroprimer("validate", "good", "--course", course_folder)

    assert done.returncode == 0
    assert re.search(r"good +passed", done.stdout)
    assert "bad" not in done.stdout


@pytest.mark.kernel
def test_hook_that_raises_at_the_report_fails_the_build(
    write_lesson, write_plugin, course_folder, neuroprimer
):
    write_lesson("1")
    write_plugin(
        "listens",
        """
        from neuroprimer.teaching import hookimpl

        @hookimpl
        def lesson_validated(report):
            raise OSError("disk full")
        """,
    )

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == 1
    assert "NP002 listens: lesson_validated: OSError: disk full" in done.stderr


@pytest.mark.kernel
def test_lesson_reads_its_own_data_and_no_other(write_lesson, course_folder, neuroprimer):
    write_lesson(
        "import neuroprimer\nlesson = neuroprimer.lesson('a-lesson')",
        "print(lesson.data('mni152-t1').name)",
        "try:\n    lesson.data('example4d')\nexcept Exception as e:\n    print(e)",
        datasets="[mni152-t1]",
    )

    done = neuroprimer(
        "validate", "a-lesson", "--course", course_folder, "--json", blocked=("smoothing",)
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.site
def test_build_serve_and_clean(write_lesson, course_folder, neuroprimer):
    write_lesson("print('shown on the page')")

    built = neuroprimer("build", "--course", course_folder)
    assert built.returncode == 0, built.stderr
    assert f"The course is in {course_folder / '_build' / 'site'}" in built.stdout
    assert "neuroprimer serve" in built.stdout

    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroprimer", "serve"),
            *("--course", str(course_folder), "--port", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with urllib.request.urlopen(f"{address}lessons/a-lesson.html") as page:  # noqa: S310  loopback
            assert b"shown on the page" in page.read()
    finally:
        server.terminate()
        server.communicate(timeout=10)

    cleaned = neuroprimer("clean", "--course", course_folder)
    assert cleaned.returncode == 0
    assert list((course_folder / "_build").iterdir()) == []
    assert "nothing to remove" in neuroprimer("clean", "--course", course_folder).stdout


def test_serve_without_a_site_says_what_to_do(neuroprimer):
    done = neuroprimer("serve")

    assert done.returncode == 2
    assert "Build one first" in done.stderr


def test_serve_on_a_taken_port_says_what_to_do(course_folder, neuroprimer):
    site = course_folder / "_build" / "site"
    site.mkdir(parents=True)
    (site / "index.html").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = neuroprimer("serve", "--course", course_folder, "--port", taken.getsockname()[1])

    assert done.returncode == 2
    assert "--port 0" in done.stderr


def test_reader_that_stops_early_is_no_error():
    done = subprocess.run(
        [
            *("bash", "-o", "pipefail", "-c"),
            f"{sys.executable} -m neuroprimer list --json --trace-plugins 2>/dev/null | head -1",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr


def test_progress_on_a_terminal_is_drawn_and_in_a_log_is_lines(monkeypatch, capsys):
    from neuroprimer import terminal
    from neuroprimer.teaching import Lesson, LessonEvent

    lesson = Lesson(id="a", title="A", path=Path("a.md"))
    with terminal.watch([lesson]) as watcher:
        watcher.on_event(LessonEvent(lesson=lesson))
        watcher.on_event(LessonEvent(lesson=lesson, cell=1, cells=2))
    plain = capsys.readouterr().err

    monkeypatch.setenv("FORCE_COLOR", "1")
    with terminal.watch([lesson]) as watcher:
        watcher.on_event(LessonEvent(lesson=lesson))
        watcher.on_event(LessonEvent(lesson=lesson, cell=1, cells=2))
        time.sleep(0.2)
    drawn = capsys.readouterr().err

    assert plain == "a: running\n"
    assert "cell 1 of 2" in drawn
