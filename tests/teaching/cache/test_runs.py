"""Runs that stand in for others: what they give, and which lessons must run all the same."""

import os
import subprocess
import sys

import pytest

from neuroprimer.teaching import hookimpl, load_lesson
from neuroprimer.teaching.cache import Entry, Store

pytestmark = pytest.mark.kernel

CELLS = (
    "print('shown'); import sys; print('warned', file=sys.stderr)",
    "---\ntags: [raises-exception]\n---\n1 / 0",
    "---\ntags: [skip-execution]\n---\n5",
    "from IPython.display import HTML, JSON, display\n"
    "display(HTML('<b id=\"x\">é</b>'), JSON({'a': [1.5, None]}))",
    "print('\\udc80')",
    "object()",
)


def cached(report) -> dict[str, bool]:
    return {one.lesson.id: one.result.cached for one in report.reports}


def test_kept_run_is_what_executing_gives(make_lesson, validate):
    lesson = make_lesson("---\ntags: [stderr-expected]\n---\n" + CELLS[0], *CELLS[1:])
    (first,) = validate(lesson).reports

    (second,) = validate(lesson).reports
    (anew,) = validate(lesson, cache=None).reports

    assert second.result.cached
    assert second.result.notebook == first.result.notebook == anew.result.notebook
    assert second.result.source == first.result.source
    assert second.result.notebook.metadata.language_info.name == "python"
    assert second.result.start_s == pytest.approx(first.result.start_s, abs=0.001)
    assert second.result.duration_s == pytest.approx(first.result.duration_s, abs=0.001)
    assert second.result.cpu_s == pytest.approx(first.result.cpu_s, abs=0.001)
    assert second.result.peak_bytes == first.result.peak_bytes > 0
    assert second.result.cell_durations_s.keys() == first.result.cell_durations_s.keys()


def test_prose_edit_executes_nothing_and_is_shown(make_lesson, validate):
    lesson = make_lesson("print('shown')")
    validate(lesson)
    text = lesson.path.read_text()
    lesson.path.write_text(text.replace("Some prose.", "Other prose.\n\n- and a list"))
    events = []

    (report,) = validate(lesson, on_event=events.append).reports

    assert [(event.cell, event.result.cached) for event in events] == [(0, True)]
    assert "Other prose." in report.result.notebook.cells[0].source
    assert report.result.notebook.cells[1].outputs[0].text == "shown\n"


def test_validation_sees_the_notebook_of_today(make_lesson, validate):
    code = "import sys; print('warned', file=sys.stderr)"
    validate(make_lesson(f"---\ntags: [stderr-expected]\n---\n{code}"))

    (report,) = validate(make_lesson(code)).reports

    assert report.result.cached
    assert [finding.rule for finding in report.findings] == ["NP307"]


def test_changed_module_runs_exactly_the_lessons_that_import_it(make_lesson, validate, importable):
    (importable / "one.py").write_text("import two")
    (importable / "two.py").write_text("")
    lessons = [
        make_lesson("import one", lesson_id="by-way"),
        make_lesson("import two", lesson_id="itself"),
        make_lesson("1", lesson_id="not-at-all"),
    ]
    validate(*lessons)
    (importable / "two.py").write_text("X = 1")

    assert cached(validate(*lessons)) == {"by-way": False, "itself": False, "not-at-all": True}
    assert all(cached(validate(*lessons)).values())


def test_module_behind_a_lazy_face_counts(make_lesson, validate, importable):
    (importable / "face").mkdir()
    (importable / "face" / "__init__.py").write_text(
        "import lazy_loader\n"
        "__getattr__, __dir__, __all__ = "
        "lazy_loader.attach(__name__, submod_attrs={'inner': ['answer']})\n"
    )
    (importable / "face" / "inner.py").write_text("def answer(): return 1")
    lesson = make_lesson("from face import answer", "print(answer())")
    validate(lesson)
    (importable / "face" / "inner.py").write_text("def answer(): return 2")

    (report,) = validate(lesson).reports

    assert report.result.reason == "ran: inner.py changed"
    assert report.result.notebook.cells[2].outputs[0].text == "2\n"


def test_lesson_that_fails_runs_again_and_again(make_lesson, validate):
    lessons = [make_lesson("1 / 0", lesson_id="bad"), make_lesson("1", lesson_id="good")]
    validate(*lessons)

    report = validate(*lessons)

    assert cached(report) == {"bad": False, "good": True}
    assert [one.passed for one in report.reports] == [False, True]


def test_run_that_breaks_a_rule_is_not_kept(make_lesson, validate, cache_folder):
    validate(make_lesson("import sys; print('warned', file=sys.stderr)"))

    assert list(Store(cache_folder).entries()) == []


def test_runs_are_kept_while_others_go_on(make_lesson, validate, cache_folder):
    seen = []

    def watch(event):
        if event.result:
            seen.append(len(list(Store(cache_folder).entries())))

    validate(
        make_lesson("1", lesson_id="one"), make_lesson("2", lesson_id="two"), jobs=1, on_event=watch
    )

    assert seen == [1, 2]


def test_plugins_hear_of_kept_runs_with_their_notebooks(make_lesson, validate):
    heard = []

    class Listens:
        @hookimpl
        def lesson_validated(self, report):
            heard.append(report.result.notebook.cells[1].outputs[0].text)

    lesson = make_lesson("print('shown')")
    validate(lesson)

    validate(lesson, plugins=(Listens(),))

    assert heard == ["shown\n"]


def test_course_that_moves_keeps_its_runs(make_lesson, validate, tmp_path, monkeypatch):
    lesson = make_lesson("import beside")
    beside = lesson.path.with_name("beside.py")
    beside.write_text("")
    monkeypatch.setenv("PYTHONPATH", str(lesson.path.parent))
    validate(lesson)
    moved = lesson.path.parent.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("PYTHONPATH", str(moved))

    report = validate(load_lesson(moved / lesson.path.name))

    assert cached(report) == {"a-lesson": True}


def test_only_so_many_runs_of_a_lesson_are_kept(make_lesson, validate, cache_folder, monkeypatch):
    monkeypatch.setattr("neuroprimer.teaching.cache.store.MOST_RUNS", 2)
    for number in range(3):
        validate(make_lesson(str(number)))

    assert len(list(Store(cache_folder).entries())) == 2
    assert cached(validate(make_lesson("2"))) == {"a-lesson": True}


def test_cache_that_cannot_be_written_is_only_noted(make_lesson, validate, tmp_path):
    (tmp_path / "file").touch()
    lesson = make_lesson("1")

    report = validate(lesson, cache=tmp_path / "file" / "cache")

    assert report.passed
    assert report.notes == ("Runs cannot be kept in the cache: Not a directory.",)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only_cache_still_serves(make_lesson, validate, cache_folder):
    lesson = make_lesson("1")
    validate(lesson)
    folders = [folder for folder in cache_folder.rglob("*") if folder.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        report = validate(lesson)
    finally:
        for folder in folders:
            folder.chmod(0o700)

    assert cached(report) == {"a-lesson": True}


def test_cache_that_cannot_be_written_is_only_noted_on_the_command_line(
    write_lesson, course_folder, neuroprimer, tmp_path
):
    write_lesson("1")
    (tmp_path / "file").touch()

    done = neuroprimer("validate", "--course", course_folder, "--cache", tmp_path / "file" / "x")

    assert done.returncode == 0
    assert "Note: Runs cannot be kept in the cache: Not a directory." in done.stderr


def test_two_builds_at_once_do_no_harm(
    write_lesson, course_folder, neuroprimer, our_plugins, cache_folder
):
    for number in range(3):
        write_lesson(f"print({number})", lesson_id=f"n{number}")
    plugins = course_folder.parent / "plugins"
    command = [
        *(sys.executable, "-m", "neuroprimer", "validate", "--course", str(course_folder)),
        *("--plugins-dir", str(plugins)),
        *(f"--block-plugin={name}" for name in our_plugins),
    ]

    builds = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    ended = [build.wait() for build in builds]
    third = neuroprimer("validate", "--course", course_folder, "--explain")

    assert ended == [0, 0]
    assert third.stdout.count("cached: nothing") == 3
    assert Store(cache_folder).remove_damaged() == ()
    assert len([one for one in Store(cache_folder).entries() if isinstance(one, Entry)]) == 3
