"""The commands for students, as a newcomer and as a program meet them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from neuroprimer.teaching import load_catalogue
from neuroprimer.teaching.exercises.files import load_exercises
from neuroprimer.teaching.progress.store import MARK, Event, Progress

LESSON = "voxels-and-affines"
RIGHT = "origin_ijk = world_to_voxel(t1.affine, (0, 0, 0))"
WRONG = "origin_ijk = voxel_to_world(t1.affine, (0, 0, 0))"

N_EXERCISES = len(load_exercises(load_catalogue().lessons[LESSON]))


@pytest.fixture
def student(tmp_path, monkeypatch):
    """Run a command in a folder of the student's own, with the lessons that we ship."""
    folder = tmp_path / "home" / "course"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))  # noqa: PTH120  no JupyterLab there

    def run(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "-m", "neuroprimer", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            cwd=folder,
            env={**os.environ, **variables},
        )

    run.folder = folder
    run.notebook = folder / f"{LESSON}.ipynb"
    return run


def write_answer(path, old, new):
    text = path.read_text()
    assert json.dumps(old)[1:-1] in text
    path.write_text(text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]))


def well(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def first_of(done):
    return json.loads(done.stdout)["exercises"][0]


@pytest.mark.kernel
def test_whole_journey_on_the_command_line(student, tmp_path):
    assert "Made" in well(student("open", LESSON, "--no-lab"))

    stub = student("check", LESSON, "--json")
    assert (stub.returncode, first_of(stub)["state"]) == (1, "note")

    write_answer(student.notebook, "origin_ijk = ...", WRONG)
    wrong = student("check", LESSON)
    assert wrong.returncode == 1
    assert "You want the way back." in wrong.stdout
    assert f"0 of {N_EXERCISES} exercises solved." in wrong.stdout

    assert "hint 1 of 2" in well(student("hint", LESSON, "world-origin"))
    assert "hint 2 of 2" in well(student("hint", LESSON, "world-origin"))
    assert "2 more times" in well(student("solution", LESSON, "world-origin"))

    write_answer(student.notebook, WRONG, RIGHT)
    right = student("check", LESSON, "--json")
    assert (right.returncode, first_of(right)["state"]) == (1, "right")  # two are still open
    assert RIGHT in well(student("solution", LESSON, "world-origin"))

    row = json.loads(well(student("progress", "--json")))["lessons"][1]
    assert (row["lesson"], row["n_exercises"], row["n_solved"]) == (LESSON, N_EXERCISES, 1)

    out = well(student("reset", LESSON, "world-origin"))
    assert "origin_ijk = ..." in student.notebook.read_text()
    assert RIGHT in (student.folder / out.split()[-1]).read_text()
    assert "hint 1 of 2" in well(student("hint", LESSON, "world-origin"))

    well(student("progress", "export", "mine.json"))
    other = {"NEUROPRIMER_PROGRESS": str(tmp_path / "other" / "p.sqlite")}
    assert "mine.json: 0 new" not in well(student("progress", "import", "mine.json", **other))
    assert "mine.json: 0 new" in well(student("progress", "import", "mine.json", **other))
    there = json.loads(well(student("progress", "--json", **other)))
    assert there["lessons"][1] == json.loads(well(student("progress", "--json")))["lessons"][1]


@pytest.mark.kernel
def test_whole_journey_in_a_jupyter_kernel(tmp_path, progress_path):
    begin = (
        "import neuroprimer, numpy as np\n"
        "from neuroprimer.imaging import load_image, world_to_voxel\n"
        f"lesson = neuroprimer.lesson({LESSON!r})\n"
        "t1 = load_image(lesson.data('mni152-t1'))"
    )
    steps = [
        "lesson.check('world-origin', ...)",
        "lesson.check('world-origin', np.broadcast_to(0.0, (1000, 1000, 1000)))",
        "lesson.hint('world-origin')",
        "lesson.check('wrold-origin', 3)",
        "lesson.solution('world-origin')",
        f"{RIGHT}; lesson.check('world-origin', origin_ijk)",
        "lesson.solution('world-origin')",
        "lesson.progress()",
    ]
    notebook = new_notebook(cells=[new_code_cell(one) for one in (begin, *steps)])

    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute(env={**os.environ, "NEUROPRIMER_PROGRESS": str(progress_path)})

    outputs = [cell.outputs for cell in notebook.cells[1:]]
    assert all(len(shown) == 1 for shown in outputs)
    html = [shown[0].data["text/html"] for shown in outputs]
    for text, words in zip(
        html,
        (
            "no answer yet",
            "three numbers",
            "hint 1 of 2",
            "Did you mean &#x27;world-origin&#x27;",
            "2 more times",
            "That is right.",
            RIGHT,
            "<td>solved</td>",
        ),
        strict=True,
    ):
        assert words in text
    facts = outputs[5][0].metadata["neuroprimer"]
    assert (facts["exercise"], facts["kind"]) == ("world-origin", "right")
    assert [event.kind for event in Progress(progress_path).events()] == [
        *("attempt", "attempt", "hint", "attempt", "solution"),
    ]


# --- watch --------------------------------------------------------------------------------------


@pytest.fixture
def start(student):
    """Start a command in a process of its own, which is ended afterwards, or if it hangs."""
    processes = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "neuroprimer", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=student.folder,
            # tests that run in the background cannot be interrupted, nor can what they start
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        too_late = threading.Timer(150, process.kill)
        too_late.start()
        processes.append((process, too_late))
        return process

    yield run
    for process, too_late in processes:
        too_late.cancel()
        process.kill()
        process.communicate()


@pytest.fixture
def opened(student):
    well(student("open", LESSON, "--no-lab"))
    return student.notebook


@pytest.fixture
def begun(opened):
    """Begin the notebook with a cell that never ends, and return the file that it makes first."""
    file = opened.with_name("begun")
    notebook = nbformat.read(opened, as_version=4)
    cell = f"open({file.name!r}, 'w').close()\nimport time; time.sleep(600)"
    notebook.cells.insert(0, new_code_cell(cell))
    nbformat.write(notebook, opened)
    return file


def read_until(process, words):
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(process.stderr.read())


def wait_for(file):
    give_up = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def interrupt(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err
    return out, err


@pytest.mark.kernel
def test_watch_checks_each_time_the_notebook_is_saved_and_ends_in_peace(opened, start):
    watching = start("watch", LESSON)
    read_until(watching, f"0 of {N_EXERCISES} exercises solved.")

    write_answer(opened, "origin_ijk = ...", RIGHT)  # perhaps before it watches at all
    read_until(watching, f"1 of {N_EXERCISES} exercises solved.")
    saved = opened.read_bytes()
    opened.write_bytes(b"{")  # what is damaged now may be whole when it is saved again
    assert "is damaged" in watching.stderr.readline()
    beside = opened.with_name("saving.ipynb")
    beside.write_bytes(saved)
    beside.replace(opened)  # as editors save
    read_until(watching, f"1 of {N_EXERCISES} exercises solved.")

    out, _ = interrupt(watching)
    assert "No longer watching." in out
    assert watching.returncode == 0


@pytest.mark.kernel
def test_watch_that_is_ended_during_a_check_ends_in_peace(begun, start):
    watching = start("watch", LESSON)
    wait_for(begun)

    out, _ = interrupt(watching)

    assert (watching.returncode, out) == (0, "No longer watching.\n")


@pytest.mark.kernel
def test_check_that_is_interrupted_tells_no_results(begun, start):
    checking = start("check", LESSON)
    wait_for(begun)

    out, err = interrupt(checking)

    assert (checking.returncode, out) == (130, "")
    assert "Interrupted" in err


# --- what newcomers do --------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["open", "check", "watch", "hint", "solution", "reset"])
def test_command_without_a_lesson_names_the_list(student, command):
    done = student(command)

    assert done.returncode == 2
    assert "`neuroprimer list` shows all there are" in done.stderr


@pytest.mark.parametrize("command", ["hint", "solution", "reset"])
def test_command_without_an_exercise_names_those_there_are(student, command):
    done = student(command, LESSON)

    assert done.returncode == 2
    assert "mirrored-affine" in done.stderr


@pytest.mark.parametrize("command", ["open", "check", "watch"])
def test_near_lesson_is_suggested(student, command):
    done = student(command, "voxel-and-affine")

    assert done.returncode == 2
    assert f"Did you mean '{LESSON}'?" in done.stderr
    assert list(student.folder.iterdir()) == []


@pytest.mark.parametrize("command", ["hint", "solution", "reset"])
def test_near_exercise_is_suggested(student, command):
    done = student(command, LESSON, "world-orign")

    assert done.returncode == 2
    assert "Did you mean 'world-origin'?" in done.stderr


@pytest.mark.parametrize("command", ["check", "watch", "reset"])
def test_in_an_empty_folder_the_way_to_a_notebook_is_named(student, command):
    arguments = ("world-origin",) if command == "reset" else ()

    done = student(command, LESSON, *arguments)

    assert done.returncode == 2
    assert f"`neuroprimer open {LESSON}` makes one" in done.stderr


def test_lesson_without_exercises_has_nothing_to_check(write_lesson, neuroprimer, course_folder):
    write_lesson("1")

    assert neuroprimer("open", "a-lesson", "--no-lab").returncode == 0
    checked = neuroprimer("check", "a-lesson")
    hint = neuroprimer("hint", "a-lesson", "x")

    assert (checked.returncode, checked.stdout) == (0, "This lesson has no exercises.\n")
    assert hint.returncode == 2
    assert "has no exercises" in hint.stderr
    assert json.loads(neuroprimer("check", "a-lesson", "--json").stdout) == {"exercises": []}
    assert course_folder.exists()


def test_open_twice_says_that_nothing_was_changed(student):
    well(student("open", LESSON, "--no-lab"))
    write_answer(student.notebook, "origin_ijk = ...", RIGHT)
    before = student.notebook.read_bytes()

    out = well(student("open", LESSON, "--no-lab"))

    assert "left it as it is" in out
    assert "jupyter lab" in out
    assert student.notebook.read_bytes() == before


def test_open_of_a_damaged_notebook_names_a_fresh_one(student):
    student.notebook.write_text("{")

    out = well(student("open", LESSON, "--no-lab"))

    assert "It is no notebook any more. A fresh one is" in out
    assert student.notebook.read_text() == "{"


def test_open_of_a_lesson_that_has_changed_shows_what(write_lesson, neuroprimer, course_folder):
    file = write_lesson("1")
    neuroprimer("open", "a-lesson")
    file.write_text(file.read_text().replace("Some prose.", "Better prose."))

    done = neuroprimer("open", "a-lesson")

    assert done.returncode == 0
    assert "+Better prose." in done.stdout
    assert "copy your answers over" in done.stdout
    assert course_folder.exists()


def test_open_starts_the_jupyterlab_that_lies_beside(student, tmp_path):
    beside = tmp_path / "bin"
    beside.mkdir()
    program = beside / "jupyter-lab"
    program.write_text("#!/bin/sh\necho started with $1 and $NEUROPRIMER_PROGRESS\n")
    program.chmod(0o755)

    out = well(student("open", LESSON, PATH=f"{beside}:/usr/bin:/bin", NEUROPRIMER_PROGRESS="p"))

    assert f"started with {LESSON}.ipynb and {student.folder / 'p'}" in out


@pytest.mark.kernel
def test_plugins_that_an_option_names_are_there_in_the_notebook_too(student, tmp_path):
    plugins = tmp_path / "mine"
    plugins.mkdir()
    (plugins / "mine.py").write_text(
        "from pathlib import Path\n"
        "from neuroprimer.teaching import hookimpl, load_lesson\n"
        "@hookimpl\n"
        "def register_lessons():\n"
        "    return [load_lesson(Path(__file__).with_name('mine.md'))]\n"
    )
    (plugins / "exercises.py").write_text(
        "from neuroprimer.teaching import Exercise\n"
        "EXERCISES = [Exercise(id='one', prompt='?', check=lambda answer, data: None)]\n"
    )
    (plugins / "mine.md").write_text(
        "---\nneuroprimer:\n  id: mine\n  exercises: exercises.py\n---\n\n# Mine\n\n"
        "```{code-cell} ipython3\nimport neuroprimer\n"
        "neuroprimer.lesson('mine').check('one', 1)\n"
        "lesson = neuroprimer.lesson('mine')\nlesson.check('one', 1)\n```\n"
    )
    well(student("open", "mine", "--no-lab", "--plugins-dir", "../../mine"))

    done = student("check", "mine", "--plugins-dir", "../../mine")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 exercises solved." in done.stdout


def test_broken_file_of_exercises_is_words_and_status_2(write_lesson, neuroprimer, course_folder):
    file = write_lesson("1", exercises="exercises.py")
    (file.parent / "exercises.py").write_text("1 / 0")
    neuroprimer("open", "a-lesson")

    for arguments in (("check", "a-lesson"), ("hint", "a-lesson", "x"), ("progress",)):
        done = neuroprimer(*arguments)
        assert done.returncode == 2, arguments
        assert "cannot be loaded from exercises.py: ZeroDivisionError" in done.stderr
        assert "Traceback" not in done.stderr
    assert course_folder.exists()


# --- progress -----------------------------------------------------------------------------------


def make_newer(file: Path) -> None:
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE events (id TEXT)")
        connection.execute(f"PRAGMA application_id = {int.from_bytes(b'NPpr', 'big')}")
        connection.execute("PRAGMA user_version = 999")
    connection.close()


def test_progress_of_a_newer_version_is_not_touched_and_not_taken_for_none(student, progress_path):
    make_newer(progress_path)
    before = progress_path.read_bytes()

    shown = student("progress")
    hint = student("hint", LESSON, "world-origin")

    assert shown.returncode == 2
    assert "newer neuroprimer" in shown.stderr
    assert hint.returncode == 0
    assert "newer neuroprimer" in hint.stdout
    assert progress_path.read_bytes() == before


def test_home_that_cannot_be_written_is_said_and_costs_no_hint(student, progress_path):
    progress_path.parent.write_text("no folder can be made here")

    done = student("hint", LESSON, "world-origin")

    assert done.returncode == 0
    assert "hint 1 of 2" in done.stdout
    assert "set NEUROPRIMER_PROGRESS" in done.stdout
    assert "Traceback" not in done.stderr


def test_progress_off_is_said_and_keeps_nothing(student, progress_path):
    off = {"NEUROPRIMER_PROGRESS": "off"}

    hint = student("hint", LESSON, "world-origin", **off)
    progress = student("progress", "--json", **off)
    export = student("progress", "export", "mine.json", **off)

    assert (hint.returncode, progress.returncode, export.returncode) == (0, 0, 2)
    assert "always the first hint" in hint.stderr
    assert json.loads(progress.stdout)["lessons"][0]["n_attempts"] == 0
    assert all("is set to off" in done.stderr for done in (hint, progress, export))
    assert not progress_path.exists()
    assert not (student.folder / "off").exists()


def test_progress_of_a_newcomer_names_the_first_lesson(student):
    out = well(student("progress"))

    assert "Next: `neuroprimer open what-is-an-image`" in out


def test_progress_tells_marks_from_what_is_solved(student, progress_path):
    mark = Event(lesson_id=LESSON, exercise_id="world-origin", kind=MARK)
    Progress(progress_path).record(mark)

    assert f"0 of {N_EXERCISES}, 1 marked" in well(student("progress"))


def test_export_replaces_no_file_unless_told_to(student):
    well(student("progress", "export", "mine.json"))

    again = student("progress", "export", "mine.json")

    assert again.returncode == 2
    assert "Hint:" in again.stderr
    well(student("progress", "export", "mine.json", "--overwrite"))


def test_help_of_every_command_says_what_it_is_for(student):
    for command in ("open", "check", "watch", "hint", "solution", "reset", "progress"):
        assert "Usage: neuroprimer" in well(student(command, "--help"))
