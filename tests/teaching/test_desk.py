"""The desk: a student's file is never lost, never overwritten, and checked as it is."""

import json
import shutil
import sys
import time
from textwrap import dedent

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from neuroprimer.teaching.catalogue import load_catalogue
from neuroprimer.teaching.desk import (
    NOT_REACHED,
    NOT_THERE,
    DeskError,
    check_notebook,
    open_lesson,
    reset_exercise,
)
from neuroprimer.teaching.exercises.forms import exercise_of
from neuroprimer.teaching.policy import Policy, find_policy
from neuroprimer.teaching.progress.store import Progress
from neuroprimer.teaching.student_runs import StudentRunError, run_student_notebook

EXERCISES = """
from neuroprimer.teaching import Exercise, Incorrect

def is_(expected):
    def check(answer, data):
        if answer != expected:
            raise Incorrect(f"It is not {answer}.")
    return check

EXERCISES = [
    Exercise(id="first", prompt="?", check=is_(1)),
    Exercise(id="second", prompt="?", check=is_(2)),
]
"""
PLUGIN = """
from pathlib import Path
from neuroprimer.teaching import hookimpl, load_lesson

@hookimpl
def register_lessons():
    return [load_lesson(Path(__file__).with_name("a-lesson.md"))]
"""
BEGIN = "import neuroprimer\nlesson = neuroprimer.lesson('a-lesson')"
FIRST = '### BEGIN SOLUTION\none = 1\n### END SOLUTION\nlesson.check("first", one)'
SECOND = '### BEGIN SOLUTION\ntwo = 2\n### END SOLUTION\nlesson.check("second", two)'


@pytest.fixture
def lesson(make_lesson, write_plugin):
    lesson = make_lesson(BEGIN, FIRST, SECOND, exercises="exercises.py")
    (lesson.path.parent / "exercises.py").write_text(dedent(EXERCISES))
    write_plugin("brings", PLUGIN)
    sys.modules.pop("neuroprimer_exercises.a_lesson", None)  # of an earlier test
    return lesson


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "desk"


@pytest.fixture
def path(lesson, folder):
    return open_lesson(lesson, folder).path


@pytest.fixture
def check(lesson, path):
    """Check the notebook, and hold that its file stays as it was."""
    catalogue = load_catalogue(plugins_dir=lesson.path.parent)

    def run(**options):
        before = path.read_bytes()
        checked = check_notebook(lesson, path, variables=catalogue.variables(), **options)
        assert path.read_bytes() == before
        return checked

    return run


@pytest.fixture
def edit(path):
    """Change the cells of the student's notebook."""

    def change(change_cells):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = change_cells(notebook.cells)
        nbformat.write(notebook, path)

    return change


def answered(cells, **answers):
    """Return cells with answers in the places of the stubs."""
    for cell in cells:
        for name, answer in answers.items():
            cell.source = cell.source.replace(f"{name} = ...", f"{name} = {answer}")
    return cells


def states(checked):
    return {one.exercise_id: one.state for one in checked}


# --- open ---------------------------------------------------------------------------------------


def test_open_makes_a_notebook_without_solutions_and_leaves_the_policy(lesson, folder):
    policy = Policy(solution_after=5)

    opened = open_lesson(lesson, folder, policy)

    assert opened.is_new
    text = opened.path.read_text()
    assert "one = ..." in text
    assert "one = 1" not in text
    assert find_policy(folder) == policy


def test_opened_twice_is_found_and_byte_for_byte_as_it_was(lesson, folder, path):
    notebook = path.read_text().replace("one = ...", "one = 17")
    path.write_text(notebook + "\n\n")
    before, entries = path.read_bytes(), set(folder.iterdir())

    opened = open_lesson(lesson, folder)

    assert (opened.is_new, opened.newer, opened.is_damaged) == (False, None, False)
    assert path.read_bytes() == before
    assert set(folder.iterdir()) == entries


def test_newer_version_lies_beside_the_students_work_with_what_changed(lesson, folder, path):
    path.write_text(path.read_text().replace("one = ...", "one = 17"))
    before = path.read_bytes()
    lesson.path.write_text(lesson.path.read_text().replace("Some prose.", "Better prose."))

    opened = open_lesson(lesson, folder)

    assert path.read_bytes() == before
    assert "+Better prose." in opened.changes
    assert "Better prose." in opened.newer.read_text()
    assert opened.newer.parent == folder


def test_newer_version_in_which_a_student_works_is_not_overwritten_either(lesson, folder, path):
    lesson.path.write_text(lesson.path.read_text().replace("Some prose.", "Better prose."))
    newer = open_lesson(lesson, folder).newer
    newer.write_text(newer.read_text().replace("one = ...", "one = 17"))
    before = newer.read_bytes()

    assert open_lesson(lesson, folder).newer == newer
    assert newer.read_bytes() == before
    assert path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"cells": 3}']
)
def test_damaged_notebook_is_left_and_a_fresh_one_lies_beside_it(lesson, folder, path, content):
    path.write_bytes(content)

    opened = open_lesson(lesson, folder)

    assert opened.is_damaged
    assert path.read_bytes() == content
    assert "one = ..." in opened.newer.read_text()


def test_link_that_leads_nowhere_is_not_replaced(lesson, folder):
    folder.mkdir()
    link = folder / "a-lesson.ipynb"
    link.symlink_to(folder / "a disk that is not there" / "a-lesson.ipynb")

    opened = open_lesson(lesson, folder)

    assert not opened.is_new
    assert link.is_symlink()


def test_notebook_that_appears_meanwhile_is_not_overwritten(lesson, folder, monkeypatch):
    folder.mkdir()
    path = folder / "a-lesson.ipynb"
    path.write_text("the student's")
    # whoever asks whether it exists gets yesterday's answer
    monkeypatch.setattr("pathlib.Path.exists", lambda _: False)

    opened = open_lesson(lesson, folder)

    assert not opened.is_new
    assert path.read_text() == "the student's"


def test_folder_that_cannot_be_written_is_an_error_with_a_way_out(lesson, tmp_path):
    (tmp_path / "desk").write_text("a file where the folder should be")

    with pytest.raises(DeskError, match="--folder"):
        open_lesson(lesson, tmp_path / "desk" / "below")


def test_notebook_that_does_not_fit_on_the_disk_leaves_nothing(lesson, folder, monkeypatch):
    opens = type(folder).open

    def open_full(path, mode="r", *arguments, **options):
        if mode != "xb":
            return opens(path, mode, *arguments, **options)
        opens(path, mode).close()
        return open("/dev/full", "wb", buffering=0)  # noqa: PTH123  Path.open is this one

    monkeypatch.setattr("pathlib.Path.open", open_full)

    with pytest.raises(DeskError, match="No space left"):
        open_lesson(lesson, folder)
    assert list(folder.iterdir()) == []


# --- check --------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_fresh_notebook_has_no_answers_yet(check):
    assert [(one.exercise_id, one.state) for one in check()] == [
        ("first", "note"),
        ("second", "note"),
    ]


@pytest.mark.kernel
def test_right_and_wrong_answers_are_told_apart_and_kept(check, edit, progress_path):
    edit(lambda cells: answered(cells, one=1, two=7))

    first, second = check()

    assert (first.state, second.state, second.message) == ("right", "wrong", "It is not 7.")
    assert [event.is_correct for event in Progress(progress_path).events()] == [True, False]


@pytest.mark.kernel
def test_exercise_whose_cell_is_gone_is_not_there_and_the_way_back_is_named(check, edit):
    edit(lambda cells: [cell for cell in answered(cells, one=1) if exercise_of(cell) != "second"])

    first, second = check()

    assert (first.state, second.state) == ("right", NOT_THERE)
    assert "neuroprimer reset a-lesson second" in second.message


@pytest.mark.kernel
def test_cells_in_another_order_say_what_they_lack(check, edit):
    edit(lambda cells: answered(cells, one=1, two=2)[::-1])

    first, second = check()

    assert (first.state, second.state) == (NOT_REACHED, NOT_REACHED)
    assert first.message == "NameError: name 'lesson' is not defined"


@pytest.mark.kernel
@pytest.mark.parametrize("answers", [("1", "..."), ("...", "1"), ("1", "5"), ("5", "1")])
def test_of_doubled_cells_a_right_one_counts(check, edit, answers):
    def double(cells):
        (cell,) = [cell for cell in cells if exercise_of(cell) == "first"]
        place = cells.index(cell)
        copies = [new_code_cell(cell.source.replace("...", answer)) for answer in answers]
        return [*cells[:place], *copies, *cells[place + 1 :]]

    edit(double)

    assert states(check()) == {"first": "right", "second": "note"}


@pytest.mark.kernel
def test_error_before_an_exercise_does_not_keep_it_from_being_checked(check, edit):
    edit(lambda cells: [new_code_cell("1 / 0"), *answered(cells, one=1, two=2)])

    assert states(check()) == {"first": "right", "second": "right"}


@pytest.mark.kernel
def test_error_in_the_cell_of_an_exercise_is_its_message(check, edit):
    edit(lambda cells: answered(cells, one="1 / 0", two=2))

    first, second = check()

    assert (first.state, first.message) == (NOT_REACHED, "ZeroDivisionError: division by zero")
    assert second.state == "right"


@pytest.mark.kernel
def test_cell_that_never_ends_is_named_and_what_came_before_counts(check, edit):
    def loop_before_second(cells):
        cells = answered(cells, one=1, two=2)
        return [*cells[:-1], new_code_cell("while True:\n    pass"), cells[-1]]

    edit(loop_before_second)
    began = time.monotonic()

    first, second = check(cell_timeout_s=2)

    assert first.state == "right"
    assert (second.state, second.message) == (
        NOT_REACHED,
        "Code cell 3 was still busy after 2 s.",
    )
    assert time.monotonic() - began < 60


@pytest.mark.kernel
def test_cell_that_ends_the_kernel_is_named_and_an_old_output_is_no_answer(check, edit):
    said = {"exercise": "second", "kind": "right", "message": "That is right."}
    output = new_output("display_data", metadata={"neuroprimer": said})

    def end_before_second(cells):
        cells = answered(cells, one=1)
        cells[-1].outputs = [output]  # as Jupyter has saved it when all was well
        return [*cells[:-1], new_code_cell("import os\nos._exit(0)"), cells[-1]]

    edit(end_before_second)

    first, second = check(cell_timeout_s=30)

    assert first.state == "right"
    assert (second.state, second.message) == (NOT_REACHED, "Code cell 3 has ended the kernel.")


@pytest.mark.kernel
def test_old_output_of_a_cell_that_is_not_run_is_no_answer(check, edit):
    said = {"exercise": "second", "kind": "right", "message": "That is right."}

    def skip_second(cells):
        cells[-1].outputs = [new_output("display_data", metadata={"neuroprimer": said})]
        cells[-1].metadata["tags"] = ["skip-execution"]
        return cells

    edit(skip_second)

    assert states(check())["second"] == NOT_REACHED


@pytest.mark.kernel
@pytest.mark.parametrize("content", [{}, {"kernelspec": {"name": ".venv", "display_name": "x"}}])
def test_kernel_that_an_editor_names_does_not_matter(check, path, content):
    notebook = json.loads(path.read_text())
    notebook["metadata"] = content
    path.write_text(json.dumps(notebook))

    assert states(check()) == {"first": "note", "second": "note"}


@pytest.mark.kernel
def test_progress_in_a_relative_place_is_that_of_the_command(check, tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", "mine.sqlite")

    check()

    assert (tmp_path / "mine.sqlite").exists()
    assert not (folder / "mine.sqlite").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe"])
def test_damaged_notebook_is_said_to_be_and_left_alone(lesson, path, content):
    path.write_bytes(content)

    for ask in (check_notebook, lambda lesson, path: reset_exercise(lesson, "first", path)):
        with pytest.raises(DeskError, match="is damaged") as caught:
            ask(lesson, path)
        assert caught.value.hint
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_notebook_of_another_lesson_is_named(lesson, path):
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["neuroprimer"]["lesson"] = "another"
    nbformat.write(notebook, path)

    with pytest.raises(DeskError, match=r"lesson 'another', not of 'a-lesson'.*another\.ipynb"):
        check_notebook(lesson, path)


def test_missing_notebook_names_the_command_that_makes_it(lesson, folder):
    with pytest.raises(DeskError, match="`neuroprimer open a-lesson`"):
        check_notebook(lesson, folder / "a-lesson.ipynb")


def test_lesson_without_exercises_runs_nothing(make_lesson, folder):
    assert check_notebook(make_lesson("1"), folder / "nothing.ipynb") == ()


@pytest.mark.kernel
def test_kernel_that_does_not_start_is_an_error_with_a_hint(folder, monkeypatch):
    monkeypatch.setattr("neuroprimer.teaching.student_runs.NATIVE_KERNEL_NAME", "no-such-kernel")
    notebook = new_notebook(cells=[new_code_cell("1")])

    with pytest.raises(StudentRunError, match="ipykernel"):
        run_student_notebook(notebook, folder, variables={}, cell_timeout_s=5)


# --- reset --------------------------------------------------------------------------------------


def test_reset_puts_back_one_cell_and_keeps_others_and_a_copy(lesson, path, edit):
    edit(lambda cells: [*answered(cells, one=17, two=18), new_code_cell("notes = 'mine'")])
    before = path.read_bytes()

    copy = reset_exercise(lesson, "first", path)

    assert copy.read_bytes() == before
    text = path.read_text()
    assert "one = ..." in text
    assert "two = 18" in text
    assert "notes = 'mine'" in text
    old, new = (nbformat.reads(data, as_version=4) for data in (before.decode(), text))
    assert [a == b for a, b in zip(old.cells, new.cells, strict=True)].count(False) <= 2


def test_reset_brings_back_a_cell_that_is_gone_under_an_id_of_its_own(lesson, path, edit):
    edit(lambda cells: [new_code_cell("1")] + [c for c in cells if exercise_of(c) != "first"])

    reset_exercise(lesson, "first", path)

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert exercise_of(notebook.cells[-1]) == "first"
    ids = [cell["id"] for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def test_reset_makes_one_cell_of_doubled_ones(lesson, path, edit):
    edit(lambda cells: [*cells, *(new_code_cell(cell.source) for cell in cells[2:3])])

    reset_exercise(lesson, "first", path)

    cells = nbformat.read(path, as_version=4).cells
    assert [exercise_of(cell) for cell in cells].count("first") == 1


def test_resets_within_one_second_keep_a_copy_each(lesson, path):
    texts, copies = [], []
    for number in range(5):
        path.write_text(path.read_text().replace("one = ...", f"one = {number}"))
        texts.append(path.read_text())
        copies.append(reset_exercise(lesson, "first", path))

    assert len(set(copies)) == 5
    assert [copy.read_text() for copy in copies] == texts


def fails(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("what", ["neuroprimer.teaching.desk._write_bytes", "pathlib.Path.replace"])
def test_reset_that_cannot_write_changes_nothing(lesson, path, monkeypatch, what):
    path.write_text(path.read_text().replace("one = ...", "one = 17"))
    before = path.read_bytes()
    monkeypatch.setattr(what, fails)

    with pytest.raises(DeskError, match=r"left as it was.*No space left"):
        reset_exercise(lesson, "first", path)

    assert path.read_bytes() == before


def test_reset_of_a_linked_notebook_keeps_the_link(lesson, path, tmp_path):
    elsewhere = tmp_path / "elsewhere.ipynb"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)

    reset_exercise(lesson, "first", path)

    assert path.is_symlink()
    assert path.read_bytes() == elsewhere.read_bytes()


def test_exercise_that_the_lesson_does_not_show_cannot_be_reset(lesson, path):
    lesson.path.write_text(lesson.path.read_text().replace('lesson.check("second"', "print("))
    before = path.read_bytes()

    with pytest.raises(DeskError, match="'second'"):
        reset_exercise(lesson, "second", path)
    assert path.read_bytes() == before
