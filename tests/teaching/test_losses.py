"""Losses: whatever is killed, or full, takes nothing along that is not its own."""

import contextlib
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from neuroprimer.teaching import Limits, execute_lessons
from neuroprimer.teaching.kernels.servers import MODULE

pytestmark = pytest.mark.kernel


def family() -> list[psutil.Process]:
    """Return all that this process has started and that does anything."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left(monkeypatch):
    """See that no process and no file is left, whatever happens in a test."""
    before = set(family())
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield
        _, alive = psutil.wait_procs(set(family()) - before, timeout=10)
        assert alive == []
        assert [*Path(folder).iterdir()] == []


def find_server() -> psutil.Process:
    """Return the fork server; its kernels have its command line, too."""
    servers = [process for process in family() if MODULE in process.cmdline()]
    return min(servers, key=psutil.Process.create_time)


def test_fork_server_that_is_killed_takes_no_lesson_along(make_lesson):
    lessons = [
        make_lesson("import time; time.sleep(0.5); print('done')", lesson_id=name)
        for name in ("one", "two", "three")
    ]
    began = []

    def kill_server(event):
        if event.cell:
            began.append(event.lesson.id)
            if len(began) == 2:
                find_server().kill()

    results = execute_lessons(lessons, jobs=2, on_event=kill_server)

    assert [result.failure for result in results] == [None] * 3
    assert [result.notebook.cells[1].outputs[0].text for result in results] == ["done\n"] * 3
    assert len(began) == 5  # two of them once more
    assert all(result.why_plain.startswith("the fork server") for result in results)


def test_lesson_that_kills_its_own_kernel_is_not_run_again(make_lesson):
    began = []

    (result,) = execute_lessons(
        [make_lesson("import os; os._exit(1)")],
        on_event=lambda event: began.append(event.cell) if event.cell else None,
    )

    assert result.failure.rule == "NP304"
    assert began == [1]


def test_kernel_that_is_killed_while_it_starts_is_replaced_or_named(make_lesson):
    lessons = [make_lesson("print('done')", lesson_id=name) for name in ("one", "two")]
    killed = threading.Event()

    def kill_first_kernel():
        while not killed.is_set():
            for process in family():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.name() == "np-kernel" and not killed.is_set():
                        process.kill()
                        killed.set()

    killer = threading.Thread(target=kill_first_kernel)
    killer.start()
    try:
        results = execute_lessons(lessons, jobs=1)
    finally:
        killed.set()
        killer.join()

    lost = [result for result in results if result.why_plain or result.failure]
    assert len(lost) == 1
    assert lost[0].why_plain == "the forked kernel does not listen" or lost[0].failure.rule in (
        "NP304",
        "NP305",
    )


def test_lesson_that_heeds_no_signal_is_ended_all_the_same(make_lesson):
    deaf = """
        import signal
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            pass
    """
    lessons = [make_lesson(deaf, lesson_id="deaf"), make_lesson("1 + 1", lesson_id="good")]

    bad, good = execute_lessons(lessons, limits=Limits(cell_timeout_s=1))

    assert bad.failure.rule == "NP302"
    assert good.failure is None
