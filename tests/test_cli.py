"""The command line, as a person and as a program meet it."""

import json
import re
import signal
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
def test_lesson_reads_its_own_data_and_no_other(
    write_lesson, course_folder, neuroprimer, our_plugins
):
    write_lesson(
        "import neuroprimer\nlesson = neuroprimer.lesson('a-lesson')",
        "assert lesson.data('mni152-t1').is_file()",
        "lesson.data('example4d')",
        datasets="[mni152-t1]",
    )

    others = [name for name in our_plugins if name != "builtin"]  # which brings the data
    done = neuroprimer("validate", "a-lesson", "--course", course_folder, "--json", blocked=others)

    (finding,) = json.loads(done.stdout)["lessons"][0]["findings"]
    assert (finding["rule"], finding["cell"]) == ("NP301", 3)
    assert "does not say that it reads 'example4d'" in finding["message"]


def test_lesson_whose_plugin_is_broken_is_not_just_unknown(write_plugin, neuroprimer):
    write_plugin("broken", "import no_such_module")

    done = neuroprimer("show", "a-lesson")

    assert done.returncode == 2
    assert "Broken plugins are left out:\n  NP001 broken: ModuleNotFoundError" in done.stderr


def test_validating_nothing_is_not_a_success(write_plugin, course_folder, neuroprimer):
    write_plugin("brings", "import no_such_module")

    here = neuroprimer("validate", "--course", course_folder)
    nowhere = neuroprimer("validate")
    listed = neuroprimer("list", "--course", course_folder)

    assert (here.returncode, nowhere.returncode, listed.returncode) == (2, 2, 0)
    assert "has no lesson; plugins bring 0. Broken plugins are left out:" in here.stderr
    assert "NP001 brings" in here.stderr
    assert "has no lesson" in nowhere.stderr
    assert "NP001 brings" in listed.stderr


@pytest.mark.kernel
def test_validate_tells_of_broken_plugins_and_of_the_syllabus(
    write_lesson, write_plugin, course_folder, neuroprimer
):
    write_lesson("1", prerequisites="[gone]")
    write_plugin("broken", "import no_such_module")

    done = neuroprimer("validate", "--course", course_folder)
    one = neuroprimer("validate", "a-lesson", "--course", course_folder)

    for outcome in (done, one):
        assert outcome.returncode == 1
        assert "NP001 broken" in outcome.stderr
        assert "NP102 a-lesson" in outcome.stderr
        assert "1 of 1 lessons passed" in outcome.stdout


@pytest.mark.site
def test_lenient_build_goes_on_without_what_is_broken(
    write_lesson, write_plugin, course_folder, neuroprimer
):
    write_lesson("1", lesson_id="good")
    write_lesson("1 / 0", lesson_id="bad")
    write_plugin("broken", "import no_such_module")
    (course_folder / "book" / "course.toml").write_text(
        'title = "C"\n[[part]]\ntitle = "P"\nlessons = ["good", "good", "bad", "unknown"]\n'
        '[[part]]\ntitle = "Q"\npages = ["gone"]\n'
    )

    done = neuroprimer("build", "--no-strict", "--course", course_folder)

    assert done.returncode == 1
    for rule in ("NP001", "NP101", "NP106", "NP107", "NP301"):
        assert rule in done.stderr
    assert "The site goes without: bad." in done.stdout
    lessons = course_folder / "_build" / "site" / "lessons"
    assert [page.name for page in lessons.glob("*.html")] == ["good.html"]


@pytest.mark.parametrize("option", ["--junit", "--summary"])
@pytest.mark.parametrize("command", ["validate", "build"])
def test_report_that_cannot_be_written_is_said_before_anything_runs(
    write_lesson, course_folder, neuroprimer, tmp_path, command, option
):
    write_lesson("1")
    (tmp_path / "file").touch()

    done = neuroprimer(command, "--course", course_folder, option, tmp_path / "file" / "x")

    assert done.returncode == 2
    assert "Cannot write the report" in done.stderr
    assert "running" not in done.stderr


@pytest.mark.kernel
def test_summary_goes_to_the_file_that_was_named_and_to_the_job(
    write_lesson, course_folder, neuroprimer, tmp_path, monkeypatch
):
    write_lesson("1 / 0")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))

    neuroprimer("validate", "--course", course_folder, "--summary", tmp_path / "new" / "mine.md")

    summary = (tmp_path / "new" / "mine.md").read_text()
    assert summary.startswith("## 0 of 1 lessons passed in ")
    assert "| a-lesson | **failed** | ran: never ran before |" in summary
    assert "- **NP301** a-lesson, code cell 1: ZeroDivisionError" in summary
    assert (tmp_path / "job.md").read_text() == f"{summary}\n"


@pytest.mark.kernel
def test_job_whose_summary_cannot_be_written_passes_with_a_note(
    write_lesson, course_folder, neuroprimer, tmp_path, monkeypatch
):
    write_lesson("1")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "job.md"))

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == 0
    assert "Note: The summary of the job cannot be written" in done.stderr


@pytest.mark.kernel
def test_overrun_is_a_note_and_with_budget_a_failure(write_lesson, course_folder, neuroprimer):
    write_lesson("1", budget_s=0.001)

    noted = neuroprimer("validate", "--course", course_folder)
    cached = neuroprimer("validate", "--course", course_folder, "--budget")
    anew = neuroprimer("validate", "--course", course_folder, "--budget", "--no-cache")

    assert noted.returncode == 0
    assert "s, more than its budget of 0.001 s." in noted.stderr
    assert cached.returncode == anew.returncode == 1
    assert "NP314 a-lesson: it took" in anew.stderr
    assert "a-lesson: cached" in cached.stderr
    assert "`--no-cache` measures anew" in cached.stderr
    assert "more than its budget" not in cached.stderr


@pytest.mark.kernel
def test_lesson_that_became_slow_is_noted(write_lesson, course_folder, neuroprimer, cache_folder):
    write_lesson("import time; time.sleep(2.5)")
    run = {"when": "2026-01-01T00:00", "duration_s": 0.1, "cpu_s": 0.1, "peak_bytes": 1}
    cache_folder.mkdir()
    (cache_folder / "history.json").write_text(json.dumps({"a-lesson": [run] * 3}))

    done = neuroprimer("validate", "--course", course_folder, "--json")

    report = json.loads(done.stdout)
    (note,) = report["notes"]
    assert done.returncode == 0
    assert note.endswith("s; its last 3 runs took 0.1 s (median).")
    assert report["lessons"][0]["usual_s"] == 0.1
    assert len(json.loads((cache_folder / "history.json").read_text())["a-lesson"]) == 4


@pytest.mark.kernel
def test_junit_is_xml_whatever_a_lesson_writes(write_lesson, course_folder, neuroprimer, tmp_path):
    write_lesson(r"import sys; print('\x1b[31m\x00\x07odd', file=sys.stderr)")

    neuroprimer("validate", "--course", course_folder, "--junit", tmp_path / "junit.xml")

    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert suite.failures == 1


@pytest.mark.kernel
def test_blocked_plugin_is_blocked_inside_lessons_too(write_lesson, course_folder, neuroprimer):
    write_lesson("import neuroprimer; neuroprimer.lesson('what-is-an-image')")

    done = neuroprimer("validate", "a-lesson", "--course", course_folder)

    assert done.returncode == 1
    assert "NP301 a-lesson, code cell 1: UnknownLessonError" in done.stderr


@pytest.mark.kernel
def test_export_writes_sources_for_another_tool_only_if_all_is_well(
    write_lesson, course_folder, neuroprimer, tmp_path
):
    write_lesson("print('shown on the page')")
    done = neuroprimer("export", tmp_path / "good", "--tool", "myst", "--course", course_folder)

    assert done.returncode == 0, done.stderr
    assert "The sources for myst are in" in done.stdout
    assert "shown on the page" in (tmp_path / "good" / "lessons" / "a-lesson.ipynb").read_text()

    write_lesson("1 / 0")
    done = neuroprimer("export", tmp_path / "bad", "--tool", "sphinx", "--course", course_folder)

    assert done.returncode == 1
    assert not (tmp_path / "bad").exists()


def test_export_into_a_folder_in_use_is_refused_before_lessons_run(
    write_lesson, course_folder, neuroprimer, tmp_path
):
    write_lesson("print('not run')")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")

    done = neuroprimer("export", tmp_path / "mine", "--tool", "myst", "--course", course_folder)

    assert done.returncode == 2
    assert "something is in it" in done.stderr
    assert "a-lesson" not in done.stderr


@pytest.mark.site
def test_build_serve_and_clean(write_lesson, course_folder, neuroprimer):
    write_lesson("print('shown on the page')")

    built = neuroprimer("build", "--course", course_folder)
    assert built.returncode == 0, built.stderr
    assert f"The course is in {course_folder / '_build' / 'site'}" in built.stdout
    assert f"neuroprimer serve --course {course_folder}`" in built.stdout

    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroprimer", "serve"),
            *("--course", str(course_folder), "--port", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        # tests that run in the background cannot be interrupted, nor can what they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with urllib.request.urlopen(f"{address}lessons/a-lesson.html") as page:  # noqa: S310  loopback
            assert b"shown on the page" in page.read()
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.communicate(timeout=10)
        finally:
            server.kill()
    assert server.returncode == 0

    cleaned = neuroprimer("clean", "--course", course_folder)
    assert cleaned.returncode == 0
    assert list((course_folder / "_build").iterdir()) == []
    assert "nothing to remove" in neuroprimer("clean", "--course", course_folder).stdout


def test_program_that_ignores_ctrl_c_can_be_ended(course_folder):
    site = course_folder / "_build" / "site"
    site.mkdir(parents=True)
    (site / "index.html").touch()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroprimer", "serve"),
            *("--course", str(course_folder), "--port", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        assert "The course is at" in server.stdout.readline()
        server.terminate()
        server.communicate(timeout=30)
    finally:
        server.kill()

    assert server.returncode == 0


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
