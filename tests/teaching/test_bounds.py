"""What a lesson may use: on a breach it fails with cell, limit and figure, and others go on."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from neuroprimer.teaching import Limits, bounds, execute_lessons

pytestmark = pytest.mark.kernel


def execute_with_neighbour(make_lesson, *cells: str, limits: Limits, **metadata):
    """Run a lesson beside one that is fine, see that this one is, and return the other's result."""
    bad = make_lesson(*cells, lesson_id="greedy", **metadata)
    good = make_lesson("import time; time.sleep(.5)", "print('fine')", lesson_id="good")

    greedy, fine = execute_lessons([bad, good], jobs=2, limits=limits)

    assert fine.failure is None
    assert fine.notebook.cells[2].outputs[0].text == "fine\n"
    return greedy


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "plain"])
def test_lesson_that_allocates_without_end_is_ended_with_the_figure(make_lesson, forks):
    lesson = make_lesson("kept = []", "while True: kept.append(bytearray(10_000_000))")

    (result,) = execute_lessons([lesson], limits=Limits(memory_mb=300), forks=forks)

    assert result.failure.rule == "NP310"
    assert result.failure.cell == 2
    assert "and may hold 300 MB" in result.failure.message
    assert result.peak_bytes > 300e6


def test_memory_of_children_counts(make_lesson):
    code = """
    import subprocess, sys
    subprocess.run([sys.executable, "-c", "x = bytearray(600_000_000); import time; time.sleep(9)"])
    """

    result = execute_with_neighbour(make_lesson, code, limits=Limits(memory_mb=400))

    assert result.failure.rule == "NP310"


@pytest.mark.parametrize("tells_children", [True, False])
def test_grandchildren_are_seen_whatever_the_system_tells(monkeypatch, tells_children):
    if not bounds.TELLS_CHILDREN:
        pytest.skip("this system does not tell the children of a process")
    monkeypatch.setattr(bounds, "TELLS_CHILDREN", tells_children)
    has_child = "import subprocess; subprocess.run(['sleep', '600'])"
    usage = bounds.Usage()
    with subprocess.Popen([sys.executable, "-c", has_child]) as child:
        until = time.monotonic() + 10
        while usage.processes < 2 and time.monotonic() < until:
            bounds.look_at_kernel(child.pid, usage)
        for process in [*psutil.Process(child.pid).children(), child]:
            process.kill()

    assert usage.processes == 2
    assert usage.peak_bytes > 1_000_000


def test_own_memory_limit_of_a_lesson_goes_before_the_course(make_lesson):
    lesson = make_lesson("x = bytearray(500_000_000)", "import time; time.sleep(.5)", memory_mb=900)

    (result,) = execute_lessons([lesson], limits=Limits(memory_mb=100))

    assert result.failure is None
    assert 500e6 < result.peak_bytes < 900e6


@pytest.mark.parametrize(
    "code",
    [
        "while True: print('x' * 1000)",
        "print('x' * 100_000_000)",
        "import os\nwhile True: os.write(1, b'x' * 1000)",
        "import subprocess; subprocess.run(['yes'])",
        "from IPython.display import display, Markdown\nwhile True: display(Markdown('x' * 1000))",
    ],
    ids=["print", "one giant", "descriptor", "child", "display"],
)
def test_endless_output_is_cut_and_reported(make_lesson, code, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel leaves descriptors alone where it is set
    began = time.monotonic()

    result = execute_with_neighbour(make_lesson, "print(1)", code, limits=Limits(output_mb=1))

    assert result.failure.rule == "NP311"
    assert result.failure.cell == 2
    assert "may write 1,000,000" in result.failure.message
    kept = sum(len(o.get("text", "")) for o in result.notebook.cells[2].outputs)
    assert kept <= 1_000_001
    assert time.monotonic() - began < 30


def test_gigabyte_on_stdout_does_not_fill_our_memory(make_lesson):
    lesson = make_lesson("import sys\nfor _ in range(1000): sys.stdout.write('x' * 1_000_000)")
    before = psutil.Process().memory_info().rss

    (result,) = execute_lessons([lesson], limits=Limits(output_mb=5))

    assert result.failure.rule == "NP311"
    assert psutil.Process().memory_info().rss - before < 200e6


def test_too_many_processes(make_lesson):
    code = """
    import subprocess, time
    for _ in range(30):
        subprocess.Popen(["sleep", "4323"])
    time.sleep(9)
    """

    result = execute_with_neighbour(make_lesson, code, limits=Limits(processes=10))

    assert result.failure.rule == "NP312"
    assert "may have 10" in result.failure.message
    assert not [p for p in psutil.process_iter(["cmdline"]) if "4323" in (p.info["cmdline"] or ())]


REACHES_OUT = {
    "address": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "name": "import urllib.request; urllib.request.urlopen('http://example.org')",
    "name that begins like ours": "import socket; socket.getaddrinfo('127.example.org', 80)",
    "datagram": "import socket as s; s.socket(type=s.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
}


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "plain"])
@pytest.mark.parametrize("way", REACHES_OUT)
def test_network_is_off(make_lesson, way, forks):
    (result,) = execute_lessons([make_lesson(REACHES_OUT[way])], forks=forks)

    assert result.failure.rule == "NP301"
    assert "lessons are built without a network" in result.failure.message


TALKS_TO_ITSELF = """
import socket, threading
with socket.create_server(("127.0.0.1", 0)) as server:
    threading.Thread(target=lambda: server.accept()[0].sendall(b"hello")).start()
    with socket.create_connection(server.getsockname()) as line:
        print(line.recv(5).decode())
"""


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "plain"])
def test_lesson_may_talk_to_itself(make_lesson, forks):
    (result,) = execute_lessons([make_lesson(TALKS_TO_ITSELF)], forks=forks)

    assert result.failure is None
    assert result.notebook.cells[1].outputs[0].text == "hello\n"


def test_programs_that_a_lesson_starts_have_no_network_either(make_lesson):
    code = """
    import subprocess, sys
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    print(subprocess.run([sys.executable, "-c", reach], capture_output=True, text=True).stderr)
    """

    (result,) = execute_lessons([make_lesson(code)])

    assert "Network is unreachable" in result.notebook.cells[1].outputs[0].text


def test_lesson_that_says_so_has_the_network(make_lesson):
    code = """
    import socket
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=0.2)
    except OSError as error:
        print(type(error).__name__)
    """

    (result,) = execute_lessons([make_lesson(code, network=True)])

    assert result.failure is None
    assert "NetworkOffError" not in result.notebook.cells[1].outputs[0].text


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "plain"])
def test_unseeded_random_numbers_are_the_same_in_every_build(make_lesson, forks):
    lesson = make_lesson(
        "import random; print(random.random())", "import numpy as np; print(np.random.rand())"
    )
    other = make_lesson("import random; print(random.random())", lesson_id="another")

    first, second, different = (
        execute_lessons([one], forks=is_forked)[0].notebook
        for one, is_forked in ((lesson, forks), (lesson, True), (other, True))
    )

    assert first == second
    assert first.cells[1].outputs != different.cells[1].outputs


def test_what_a_lesson_has_imported_is_told(make_lesson):
    lesson = make_lesson("import colorsys", "import json.tool")

    (result,) = execute_lessons([lesson])

    assert Path(result.imported["colorsys"]).name == "colorsys.py"
    assert "json.tool" in result.imported
    assert "sndhdr" not in result.imported
    assert result.interpreter == sys.version


def test_lesson_that_hides_what_it_imports_is_known_to(make_lesson):
    (result,) = execute_lessons([make_lesson("isinstance = None")])

    assert result.failure is None
    assert result.imported is None


def test_kernel_that_goes_after_its_last_cell_takes_no_other_lesson_along(make_lesson):
    # it goes when it is asked for what it has imported, and not a moment earlier or later
    code = "import os; isinstance = lambda *_: os._exit(0)"

    result = execute_with_neighbour(make_lesson, code, limits=Limits())

    assert result.failure is None
    assert result.imported is None


CHANGES_STDOUT = "import sys, io; sys.stdout = io.StringIO(); print('lost')"


def test_lesson_that_changes_its_streams_harms_nobody(make_lesson):
    result = execute_with_neighbour(make_lesson, CHANGES_STDOUT, "1 + 1", limits=Limits())

    assert result.failure is None
    assert result.notebook.cells[2].outputs[0].data["text/plain"] == "2"


def test_disk_that_is_full_is_an_error_of_the_lesson_alone(make_lesson):
    code = "open('/dev/full', 'w').write('x' * 100_000)"

    result = execute_with_neighbour(make_lesson, code, limits=Limits())

    assert result.failure.rule == "NP301"
    assert "No space left" in result.failure.message


def test_clock_that_is_stepped_changes_no_timeout(make_lesson):
    """Time limits count on the steady clock; a lesson cannot set the other one in earnest."""
    code = "import time; time.time = lambda: 1e12; time.sleep(0.3); print('on')"

    (result,) = execute_lessons([make_lesson(code)], limits=Limits(cell_timeout_s=5))

    assert result.failure is None
    assert 0.3 < result.duration_s < 30


def test_runner_that_is_killed_leaves_nothing(make_lesson):
    folder = Path(tempfile.mkdtemp())
    lesson = make_lesson("import time; time.sleep(600)", cell_timeout_s=900)
    program = f"""
from neuroprimer.teaching import execute_lessons, load_lesson
execute_lessons([load_lesson({str(lesson.path)!r})], on_event=lambda e: print(e.cell, flush=True))
"""
    environment = {**os.environ, "TMPDIR": str(folder)}
    runner = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert runner.stdout.readline() == "0\n"
    assert runner.stdout.readline() == "1\n"
    family = psutil.Process(runner.pid).children(recursive=True)

    os.kill(runner.pid, signal.SIGKILL)
    runner.communicate()

    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert list(folder.iterdir()) == []
    folder.rmdir()
