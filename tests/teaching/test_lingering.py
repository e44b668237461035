"""Fork servers that stay between runs: the next run begins at once, and sees what has changed."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from neuroprimer.teaching import ExecutionResult, Lesson, execute_lessons
from neuroprimer.teaching.kernels import servers
from neuroprimer.teaching.kernels.servers import NoForkError, ask_status, server_path
from neuroprimer.teaching.kernels.workshop import kernel_environment, open_workshop

pytestmark = pytest.mark.kernel

Run = Callable[..., str]


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give lessons a folder of modules."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def socket_path(modules: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give this test a place for sockets, and end what listens there."""
    assert os.environ["PYTHONPATH"] == str(modules)  # servers differ by their environment
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        path = server_path(kernel_environment({}))
        yield path
        try:
            server = psutil.Process(ask_status(path, stop=True)["pid"])
        except (NoForkError, psutil.NoSuchProcess):
            return
        server.wait(10)
        for started in servers._started:
            started.poll()  # or it would warn that nobody has taken note of its end


@pytest.fixture
def run(make_lesson: Callable[..., Lesson], socket_path: Path) -> Run:
    """Return what runs a lesson of one cell, with a server that stays, and says what it printed."""
    assert not socket_path.exists()

    def run_cell(code: str, linger_s: float = 60) -> str:
        result: ExecutionResult
        (result,) = execute_lessons([make_lesson(code)], linger_s=linger_s)
        assert result.failure is None, result.failure
        assert result.why_plain == ""
        return str(result.notebook.cells[1].outputs[0].text)

    return run_cell


PARENT = "import os; print(os.getppid())"


def test_next_run_uses_the_same_server(run, socket_path):
    first, second = run(PARENT), run(PARENT)

    assert first == second == f"{ask_status(socket_path)['pid']}\n"


def test_nothing_of_the_run_stays_but_the_server(run, socket_path, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    code = "import os, subprocess; print(subprocess.Popen(['sleep', '600']).pid, os.getpid())"

    processes = run(code).split()

    assert not [pid for pid in processes if psutil.pid_exists(int(pid))]
    assert not [*tmp_path.glob("neuroprimer-*")]
    assert ask_status(socket_path)["kernels"] == 0


def test_server_leaves_when_it_has_had_nothing_to_do_for_long_enough(run, socket_path):
    server = psutil.Process(int(run(PARENT, linger_s=1)))

    server.wait(10)

    assert not socket_path.exists()


def test_longer_stay_holds_for_a_server_that_is_there_already(run, socket_path):
    server = int(run(PARENT, linger_s=2))
    run(PARENT, linger_s=60)

    time.sleep(4)

    assert ask_status(socket_path)["pid"] == server


def test_server_learns_what_a_new_lesson_imports(run, modules, socket_path):
    (modules / "learnt.py").write_text("import os\nIMPORTED_BY = os.getpid()\n")
    run(PARENT)

    run("import learnt; print(learnt.IMPORTED_BY)")
    known = int(run("import learnt; print(learnt.IMPORTED_BY)"))

    assert known == ask_status(socket_path)["pid"]


def test_module_that_has_changed_is_seen_by_the_next_run_on_a_new_server(run, modules):
    (modules / "edited.py").write_text("VALUE = 1\n")
    ask = "import edited, os; print(edited.VALUE, os.getppid())"
    before, server = run(ask).split()
    (modules / "edited.py").write_text("VALUE = 1 + 1\n")

    after, next_server = run(ask).split()

    assert (before, after) == ("1", "2")
    assert next_server != server
    psutil.Process(int(server)).wait(10)  # the one that was left has gone


def test_server_that_must_not_fork_any_more_makes_room(run, modules, make_lesson):
    (modules / "threads.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=[600], daemon=True).start()\n"
    )
    server = int(run(PARENT))
    (unfit,) = execute_lessons([make_lesson("import threads", lesson_id="t")], linger_s=60)

    assert "has started 1 thread(s)" in unfit.why_plain
    assert int(run(PARENT)) != server


def test_environment_of_its_own_makes_a_server_of_its_own(run, monkeypatch):
    first = run(PARENT)
    monkeypatch.setenv("COURSE_LANGUAGE", "de")

    second = run(f"{PARENT}; print(os.environ['COURSE_LANGUAGE'])")

    assert second.split()[0] != first.strip()
    assert second.split()[1] == "de"
    ask_status(server_path({**os.environ, "PYTHONHASHSEED": "0"}), stop=True)


@pytest.mark.parametrize("linger", [(), ("--linger", "60")], ids=["without", "with"])
def test_server_of_a_build_stays_if_that_is_wanted(
    linger, write_lesson, course_folder, neuroprimer, socket_path
):
    write_lesson(PARENT)

    done = neuroprimer("validate", "--course", course_folder, *linger)

    assert done.returncode == 0, done.stderr
    assert socket_path.exists() == bool(linger)


def test_server_can_be_told_later_what_to_import(modules):
    (modules / "told.py").write_text("raise ValueError('told')")

    with open_workshop(kernel_environment({})) as workshop:
        workshop.get_ready(["import told"])
        give_up = time.monotonic() + 20
        while not (status := ask_status(workshop.server))["problems"]:
            assert time.monotonic() < give_up
            time.sleep(0.02)

    assert status["problems"] == {"import told": "ValueError: told"}
