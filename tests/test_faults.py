"""Whatever goes wrong: a clear message, the right exit status, and nothing is lost."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.kernel

ALL_WELL, LESSON_FAILED, NOT_POSSIBLE, INTERRUPTED = 0, 1, 2, 130

CELL_FAULTS = {
    "raises": (
        "1 / 0",
        ["NP301 a-lesson, code cell 2: ZeroDivisionError: division by zero at `1 / 0`"],
    ),
    "never ends": ("while True: pass", ["NP302 a-lesson, code cell 2", "still running after 1 s"]),
    "exits": ("import os; os._exit(3)", ["NP304", "code cell 2", "it ended with exit status 3"]),
    "is killed by a signal without a name": (
        "import os; os.kill(os.getpid(), 40)",
        ["NP304", "code cell 2", "it was ended by signal 40"],
    ),
    "is killed": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        ["NP304", "code cell 2", "it was ended by SIGKILL"],
    ),
}


@pytest.mark.parametrize("fault", CELL_FAULTS)
def test_fault_of_a_cell_is_named_and_other_lessons_pass(
    fault, write_lesson, course_folder, neuroprimer
):
    code, words = CELL_FAULTS[fault]
    write_lesson("print('before')", code, cell_timeout_s=1)
    write_lesson("1", lesson_id="good")

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert all(word in done.stderr for word in words), done.stderr
    assert "1 of 2 lessons passed" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_lesson_over_its_total_time(write_lesson, course_folder, neuroprimer):
    write_lesson("import time", *["time.sleep(0.4)"] * 6, lesson_timeout_s=1)

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP303 a-lesson, code cell" in done.stderr
    assert "the whole lesson may take 1 s" in done.stderr


def test_kernel_that_does_not_exist(write_lesson, course_folder, neuroprimer):
    write_lesson("1", kernel="no-such-kernel")

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP305 a-lesson: There is no kernel called 'no-such-kernel'." in done.stderr


@pytest.fixture
def write_kernel(tmp_path, monkeypatch):
    """Describe a kernel to Jupyter as a kernel.json would."""

    def write(name: str, spec: str) -> None:
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(spec)
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    return write


def kernel_running(code: str) -> str:
    argv = [sys.executable, "-c", code, "{connection_file}"]
    return json.dumps({"argv": argv, "display_name": "K", "language": "python"})


@pytest.mark.parametrize(
    "spec",
    ["{damaged", "{}", '{"argv": ["/no/such/program"]}', '{"argv": 5}'],
    ids=["damaged", "empty", "no program", "no list"],
)
def test_kernel_whose_description_is_damaged(
    write_lesson, course_folder, neuroprimer, write_kernel, spec
):
    write_kernel("dud", spec)
    write_lesson("1", kernel="dud")
    write_lesson("1", lesson_id="good")

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP305 a-lesson: The" in done.stderr
    assert "1 of 2 lessons passed" in done.stdout
    assert "Traceback" not in done.stderr


def test_kernel_that_keeps_silent(write_lesson, course_folder, neuroprimer, write_kernel):
    write_kernel("mute", kernel_running("import time; time.sleep(99)"))
    write_lesson("1", kernel="mute")
    syllabus = 'title = "C"\n[limits]\nstart_timeout_s = 1\n'
    (course_folder / "book" / "course.toml").write_text(syllabus)

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP305 a-lesson: The kernel 'mute' did not start within 1 s" in done.stderr


def test_kernel_that_ends_at_once_says_its_last_words(
    write_lesson, course_folder, neuroprimer, write_kernel
):
    write_kernel("dud", kernel_running("import sys; sys.exit('out of order')"))
    write_lesson("1", kernel="dud")

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP305 a-lesson: The kernel 'dud' did not start" in done.stderr
    assert "out of order" in done.stderr


def test_notebook_that_is_none(write_plugin, course_folder, neuroprimer):
    folder = write_plugin(
        "hand_made",
        """
        from pathlib import Path
        from neuroprimer.teaching import Lesson, hookimpl

        @hookimpl
        def register_lessons():
            return [Lesson(id="broken", title="B", path=Path(__file__).with_name("broken.ipynb"))]
        """,
    )
    (folder / "broken.ipynb").write_text("this is no notebook")

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP201 broken: broken.ipynb is not a notebook" in done.stderr


def test_stored_outputs(write_plugin, course_folder, neuroprimer):
    folder = write_plugin("brings_ipynb", "")
    (folder / "brings_ipynb.py").write_text(
        (folder / "brings.py").read_text().replace("*.md", "*.ipynb")
    )
    output = {"output_type": "stream", "name": "stdout", "text": "stale"}
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Stale"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": "1",
            "outputs": [output],
            "execution_count": 1,
        },
    ]
    (folder / "stale.ipynb").write_text(
        json.dumps(
            {
                "cells": cells,
                "metadata": {"neuroprimer": {"id": "stale"}},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "NP202 stale, code cell 1: its source file stale.ipynb holds 1 output(s)" in done.stderr


HOOKIMPL = "from neuroprimer.teaching import hookimpl\n"
PLUGIN_FAULTS = {
    "fails at import": ("import no_such_module", "NP001 bad: ModuleNotFoundError"),
    "hook raises": (
        f"{HOOKIMPL}@hookimpl\ndef register_lessons(): raise OSError('gone')",
        "NP002 bad: register_lessons: OSError: gone (bad.py, line 3)",
    ),
    "misspelt hook": (
        f"{HOOKIMPL}@hookimpl\ndef register_lesson(): return []",
        "NP003 bad: no hook is called 'register_lesson'; did you mean 'register_lessons'?",
    ),
    "same lesson id": (
        # a plugin named after "brings" that brings the same files again
        "from pathlib import Path\nfrom neuroprimer.teaching import hookimpl, load_lesson\n"
        "@hookimpl\ndef register_lessons():\n"
        "    return [load_lesson(Path(__file__).with_name('a-lesson.md'))]",
        "the lesson id 'a-lesson' is taken by the plugin",
    ),
}


@pytest.mark.parametrize("fault", PLUGIN_FAULTS)
def test_bad_plugin_fails_a_strict_build_by_name_and_stops_no_list(
    fault, write_lesson, write_plugin, course_folder, neuroprimer
):
    code, words = PLUGIN_FAULTS[fault]
    write_lesson("1")
    write_plugin("bad", code)

    listed = neuroprimer("list", "--course", course_folder)
    built = neuroprimer("build", "--course", course_folder)
    doctor = neuroprimer("plugins", "doctor")

    assert listed.returncode == ALL_WELL
    assert "a-lesson" in listed.stdout
    assert words in listed.stderr
    assert built.returncode == NOT_POSSIBLE
    assert words in built.stderr
    assert "plugin(s) cannot take part" in built.stderr
    assert not (course_folder / "_build").exists()
    assert doctor.returncode == LESSON_FAILED
    assert words in doctor.stderr
    assert "Traceback" not in listed.stderr + built.stderr + doctor.stderr


SYLLABUS_FAULTS = {
    "unknown dataset": ({"datasets": "[brian]"}, "NP105 a-lesson: no dataset is called 'brian'."),
    "unknown prerequisite": (
        {"prerequisites": "[a-leson]"},
        "NP102 a-lesson: no lesson is called 'a-leson'. Did you mean 'a-lesson'?",
    ),
    "prerequisite circle": (
        {"prerequisites": "[a-lesson]"},
        "NP103 a-lesson: a-lesson -> a-lesson",
    ),
}


@pytest.mark.parametrize("fault", SYLLABUS_FAULTS)
def test_course_that_does_not_fit_together_is_not_built(
    fault, write_lesson, course_folder, neuroprimer
):
    metadata, words = SYLLABUS_FAULTS[fault]
    write_lesson("1", **metadata)

    built = neuroprimer("build", "--course", course_folder)
    listed = neuroprimer("list", "--course", course_folder)

    assert built.returncode == NOT_POSSIBLE
    assert words in built.stderr
    assert listed.returncode == ALL_WELL
    assert words in listed.stderr


def test_empty_course(course_folder, neuroprimer):
    done = neuroprimer("build", "--course", course_folder)

    assert done.returncode == NOT_POSSIBLE
    assert "Error: The course 'A course' has no lesson" in done.stderr
    assert "Hint: Install a plugin" in done.stderr


def test_no_course_here(neuroprimer):
    done = neuroprimer("build")

    assert done.returncode == NOT_POSSIBLE
    assert "There is no course here" in done.stderr


def test_output_folder_that_cannot_be_written(write_lesson, course_folder, neuroprimer, tmp_path):
    write_lesson("1")
    (tmp_path / "file").touch()

    done = neuroprimer("build", "--course", course_folder, "--output", tmp_path / "file" / "out")

    assert done.returncode == NOT_POSSIBLE
    assert "Cannot write into the output folder" in done.stderr
    assert "running" not in done.stderr


@pytest.mark.parametrize("place", ["site", "run"])
def test_folder_of_somebody_else_is_neither_replaced_nor_cleaned(
    write_lesson, course_folder, neuroprimer, place
):
    write_lesson("1")
    foreign = course_folder / "_build" / place / "thesis.ipynb"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("years of work")

    built = neuroprimer("build", "--course", course_folder)
    cleaned = neuroprimer("clean", "--course", course_folder)

    assert (built.returncode, cleaned.returncode) == (NOT_POSSIBLE, NOT_POSSIBLE)
    assert "was not made by neuroprimer" in built.stderr
    assert foreign.read_text() == "years of work"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_build_leaves_no_process_and_no_litter(
    write_lesson, course_folder, our_plugins, sent
):
    write_lesson("import subprocess; subprocess.run(['sleep', '600'])", cell_timeout_s=900)
    write_lesson("import time; time.sleep(600)", lesson_id="other", cell_timeout_s=900)
    plugins_dir = course_folder.parent / "plugins"
    build = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroprimer", "build", "--course", str(course_folder)),
            *("--plugins-dir", str(plugins_dir), "-j", "2"),
            *(f"--block-plugin={name}" for name in our_plugins),
        ],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        children = wait_for_kernels(build.pid, 2)
        build.send_signal(sent)
        _, said = build.communicate(timeout=20)
    finally:
        build.kill()

    assert build.returncode == INTERRUPTED
    assert "Interrupted; what was there before is untouched." in said
    assert "Traceback" not in said
    assert [child for child in children if runs(child)] == []
    assert list((course_folder / "_build").iterdir()) == []


@pytest.mark.site
def test_site_of_an_earlier_build_survives_a_failed_one(write_lesson, course_folder, neuroprimer):
    write_lesson("print('good')")
    assert neuroprimer("build", "--course", course_folder).returncode == ALL_WELL
    page = course_folder / "_build" / "site" / "lessons" / "a-lesson.html"
    before = page.read_bytes()
    write_lesson("1 / 0")

    done = neuroprimer("build", "--course", course_folder)

    assert done.returncode == LESSON_FAILED
    assert "Nothing was published; an earlier site is as it was." in done.stdout
    assert page.read_bytes() == before


# Runs in a view of the file system of its own, where a small disk lies at a folder. Standard output
# gets what the build says, then the names and checksums of what is on that disk.
ON_A_SMALL_DISK = """
mount -t tmpfs -o size={megabytes}m small {disk} || exit 99
list() {{ (cd {disk} && find . -type f ! -name filling -exec sha256sum {{}} + | sort) > "$1"; }}
{first}
list {results}/before
head -c 1000M /dev/zero > {disk}/filling 2>/dev/null
truncate -s -{spare} {disk}/filling
{second}
echo $? > {results}/status
list {results}/after
"""


@pytest.fixture
def on_a_small_disk(tmp_path, course_folder, our_plugins):
    """Build twice on a small disk, which is filled up in between."""
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rm", "true"], check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")

    def build_twice(disk: Path, *options: str, megabytes: int, spare: str, write: str):
        disk.mkdir()
        results = tmp_path / "results"
        results.mkdir()
        command = shlex.join([sys.executable, "-m", "neuroprimer", *options])
        script = ON_A_SMALL_DISK.format(
            megabytes=megabytes,
            disk=disk,
            first=f"{command} >&2",
            second=f"{write}\n{command}",
            spare=spare,
            results=results,
        )
        done = subprocess.run(
            [unshare, "-rm", "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env={
                **os.environ,
                "NEUROPRIMER_BLOCK_PLUGINS": " ".join(our_plugins),
                "NEUROPRIMER_PLUGINS_DIR": str(course_folder.parent / "plugins"),
            },
        )
        status = int((results / "status").read_text())
        return done, status, (results / "before").read_text(), (results / "after").read_text()

    return build_twice


@pytest.mark.site
@pytest.mark.parametrize("spare", ["0", "200K", "1500K"])
def test_disk_that_fills_up_costs_no_site(write_lesson, course_folder, on_a_small_disk, spare):
    file = write_lesson("print('good')")

    done, status, before, after = on_a_small_disk(
        course_folder / "_build",
        *("build", "--course", str(course_folder)),
        megabytes=60,
        spare=spare,
        write=f"sed -i s/good/better/ {file}",
    )

    assert status == NOT_POSSIBLE, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    sites = [[line for line in text.splitlines() if " ./site/" in line] for text in (before, after)]
    assert len(sites[0]) > 10
    assert sites[1] == sites[0]
    assert {line.split()[1] for line in after.splitlines()} <= {
        line.split()[1] for line in before.splitlines()
    }


def test_full_disk_for_the_cache_fails_no_lesson(write_lesson, course_folder, on_a_small_disk):
    file = write_lesson("print('good')")
    disk = course_folder.parent / "cache"

    done, status, before, after = on_a_small_disk(
        disk,
        *("validate", "--course", str(course_folder), "--cache", str(disk)),
        megabytes=1,
        spare="0",
        write=f"sed -i s/good/better/ {file}",
    )

    assert status == ALL_WELL, done.stderr
    assert "Note: " in done.stderr
    assert "No space left on device" in done.stderr
    assert after == before
    assert before


def test_kernels_end_when_the_build_is_killed(write_lesson, course_folder):
    write_lesson("import time; time.sleep(600)", cell_timeout_s=900)
    build = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroprimer", "validate", "a-lesson"),
            *("--plugins-dir", str(course_folder.parent / "plugins")),
        ],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    children = wait_for_kernels(build.pid, 1)

    os.kill(build.pid, signal.SIGKILL)
    build.wait()

    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def runs(process: psutil.Process) -> bool:
    """Tell whether a process does anything; a dead one may wait for its parent to take note."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def heed_interrupts() -> None:
    """Let a program be interrupted even where the tests run in the background, which cannot be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_kernels(pid: int, count: int) -> list[psutil.Process]:
    """Return the kernels of a build as soon as their lessons have begun."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        kernels = [
            child
            for child in psutil.Process(pid).children(recursive=True)
            if child.name() == "np-kernel" or "ipykernel_launcher" in " ".join(child.cmdline())
        ]
        if len(kernels) >= count:
            time.sleep(2)  # for the cells to begin
            return psutil.Process(pid).children(recursive=True)
        time.sleep(0.1)
    raise AssertionError("the kernels did not start")


def test_lesson_that_differs_from_run_to_run_is_found_by_cold(
    write_lesson, course_folder, neuroprimer
):
    write_lesson("1", "import os; print(os.urandom(8))", lesson_id="chance")
    write_lesson("import random; print(random.random())", lesson_id="steady")

    done = neuroprimer("validate", "--course", course_folder, "--cold")

    assert done.returncode == LESSON_FAILED
    assert "NP313 chance, code cell 2: output 1 (stream) differs." in done.stderr
    assert "1 of 2 lessons passed" in done.stdout


def test_events_are_written_as_they_happen(write_lesson, course_folder, neuroprimer, tmp_path):
    write_lesson("1", "2")
    file = tmp_path / "events.jsonl"

    neuroprimer("validate", "--course", course_folder, "--events", file)
    ran = [json.loads(line) for line in file.read_text().splitlines()]
    neuroprimer("validate", "--course", course_folder, "--events", file)
    (kept,) = [json.loads(line) for line in file.read_text().splitlines()]

    assert [event["event"] for event in ran] == [
        "lesson_began",
        "cell_began",
        "cell_began",
        "lesson_ended",
    ]
    assert (ran[2]["cell"], ran[2]["cells"], ran[3]["outcome"]) == (2, 2, "ran")
    assert (kept["event"], kept["outcome"]) == ("lesson_ended", "cached")


def test_events_that_cannot_be_written_are_a_clear_error(write_lesson, course_folder, neuroprimer):
    write_lesson("1")

    done = neuroprimer("validate", "--course", course_folder, "--events", "/no/such/folder/e")

    assert done.returncode == NOT_POSSIBLE
    assert "Cannot write the report /no/such/folder/e" in done.stderr
    assert "Traceback" not in done.stderr
