"""Real fork servers: their kernels are as freshly started, and nothing outlives its purpose."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from textwrap import dedent

import pytest

from neuroprimer.teaching import execute_lessons
from neuroprimer.teaching.kernels.forkserver import ForkServer
from neuroprimer.teaching.kernels.messages import send_message
from neuroprimer.teaching.kernels.servers import (
    NoForkError,
    ask_for_kernel,
    ask_status,
    connect,
    server_path,
)

pytestmark = pytest.mark.kernel

MODULES = "set(__import__('sys').modules)"


@pytest.fixture(scope="module")
def server(shared_bench):
    """A server that has imported a few small modules, and numpy."""
    shared_bench.write(
        counts="n = 0",
        speaks="import sys\nprint('hello')\nprint('oh', file=sys.stderr)",
        sets="import os, warnings\n"
        "os.environ['OF_THE_MODULE'] = 'set'\n"
        "warnings.filterwarnings('ignore', message='of the module')",
    )
    statements = [f"import {name}" for name in ("counts", "speaks", "sets", "numpy.random")]
    return shared_bench.serve(*statements)


@pytest.fixture(scope="module")
def messed_up(shared_bench, server):
    """A forked kernel whose lesson leaves nothing as it was."""
    kernel = shared_bench.fork(server)
    kernel.run("""
        import builtins, os, random, signal, string, sys, warnings
        import counts, numpy
        counts.n = 7
        kept = open("/proc/self/status")
        os.environ["LEFT_BEHIND"] = "here"
        os.chdir("/")
        os.umask(0o123)
        string.capwords = builtins.left_behind = print
        sys.modules["left_behind"] = sys
        sys.path.append("/left/behind")
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        warnings.simplefilter("ignore")
        random.seed(1), numpy.random.seed(1)
    """)
    return kernel


@pytest.fixture(scope="module")
def forked(shared_bench, server, messed_up):
    """A forked kernel that has run nothing, beside one that has run a lot."""
    assert messed_up
    kernel = shared_bench.fork(server)
    kernel.first_modules = kernel.value(MODULES)
    return kernel


@pytest.fixture(scope="module")
def plain(shared_bench):
    """A kernel started as its spec says."""
    kernel = shared_bench.start()
    kernel.first_modules = kernel.value(MODULES)
    return kernel


# ---------------------------------------------------------------------- as freshly started

STATE = {
    "module of a lesson": "__import__('counts').n",
    "monkeypatch": "__import__('string').capwords is print",
    "builtins": "sorted(vars(__import__('builtins')))",
    "search path": "__import__('sys').path",
    "program": "__import__('sys').argv[0]",
    "flags": "str(__import__('sys').flags)",
    "umask": "[line for line in open('/proc/self/status') if line.startswith('Umask')]",
    "environment": "sorted(__import__('os').environ.items())",
    "filters for warnings": "[str(f) for f in __import__('warnings').filters]",
    "garbage collection": "(__import__('gc').isenabled(), __import__('gc').get_threshold())",
    "handlers of signals": "[str(__import__('signal').getsignal(s)).split(' at ')[0]"
    " for s in __import__('signal').valid_signals()]",
    "blocked signals": "[*map(str, __import__('signal').pthread_sigmask(0, []))]",
    "handlers of the log": "[str(h) for h in __import__('logging').root.handlers]",
    "names in the notebook": "sorted(__import__('__main__').__dict__)",
    "leader of a session": "__import__('os').getsid(0) == __import__('os').getpid()",
    "leader of a group": "__import__('os').getpgrp() == __import__('os').getpid()",
    "hashes": "hash('a')",
    "standard streams": "[(s.encoding, s.errors, s.fileno()) for s in"
    " (__import__('sys').__stdin__, __import__('sys').__stdout__, __import__('sys').__stderr__)]",
    "import system": "(__import__('builtins').__import__.__module__,"
    " __import__('importlib')._bootstrap._gcd_import.__module__)",
    "number of threads": "__import__('threading').active_count()",
}


@pytest.mark.parametrize("what", STATE)
def test_state_of_a_forked_kernel_is_that_of_a_plain_one(forked, plain, what):
    assert forked.value(STATE[what]) == plain.value(STATE[what])


def test_modules_of_a_forked_kernel_are_those_of_a_plain_one(forked, plain):
    # psutil looks for itself among the modules, so the server cannot hide it; a lesson still has to
    # import it, and a plain kernel imports it when somebody asks what it uses.
    modules = {name for name in forked.first_modules if name.partition(".")[0] != "psutil"}

    assert modules == plain.first_modules


def test_kernel_works_where_it_is_started(bench, server):
    kernel = bench.fork(server)

    assert kernel.value("__import__('os').getcwd()") == str(kernel.log.parent)


def test_kernel_has_the_umask_of_whoever_asks(bench, server):
    before = os.umask(0o27)
    try:
        kernel = bench.fork(server)
    finally:
        os.umask(before)

    assert kernel.value("__import__('os').umask(0)") == 0o27


@pytest.mark.parametrize("generator", ["random.random()", "numpy.random.random()"])
def test_two_kernels_draw_different_numbers(bench, server, generator):
    draws = {bench.fork(server).run(f"import random, numpy\nprint({generator})") for _ in range(2)}

    assert len(draws) == 2


def test_kernel_has_no_file_of_the_server_or_of_another_kernel(forked, server, messed_up):
    def sockets_and_files(pid: int) -> set[str]:
        links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
        return {link for link in links if not link.startswith(("/dev/", "anon_inode:"))}

    others = sockets_and_files(server.pid) | sockets_and_files(messed_up.pid)

    # all kernels of a user have the history of IPython open
    assert not {f for f in sockets_and_files(forked.pid) & others if "history.sqlite" not in f}


def test_seed_of_hashes_is_the_one_of_the_environment(bench):
    server = bench.serve(PYTHONHASHSEED="7")

    assert bench.fork(server).value("hash('a')") == bench.start(PYTHONHASHSEED="7").value(
        "hash('a')"
    )


@pytest.mark.parametrize("variables", [{}, {"OMP_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "1"}])
def test_linear_algebra_has_the_threads_of_a_plain_kernel(bench, server, monkeypatch, variables):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    threads = """
        import numpy, threadpoolctl
        print([library["num_threads"] for library in threadpoolctl.threadpool_info()])
    """

    assert bench.fork(server, **variables).run(threads) == bench.start(**variables).run(threads)


def test_kernel_can_be_interrupted(bench, server):
    kernel = bench.fork(server)
    timer = f"import os, threading; threading.Timer(0.1, os.kill, (os.getpid(), {signal.SIGINT}))"

    assert kernel.error(f"{timer}.start()\nwhile True: pass") == "KeyboardInterrupt: "


def test_module_speaks_when_a_lesson_imports_it(forked):
    assert sorted(forked.run("import speaks").split()) == ["hello", "oh"]


def test_module_changes_the_interpreter_when_a_lesson_imports_it(bench, server):
    kernel = bench.fork(server)
    question = "__import__('os').environ.get('OF_THE_MODULE'), 'of the module' in " + STATE[
        "filters for warnings"
    ].replace("[str(f)", "str([f").replace("filters]", "filters])")

    before = kernel.value(f"({question})")
    kernel.run("import sets")

    assert (before, kernel.value(f"({question})")) == ((None, False), ("set", True))


def test_variables_for_the_server_alone_do_not_reach_kernels(bench, server):
    kernel = bench.fork(server, OMP_NUM_THREADS="2")

    assert kernel.value("__import__('os').environ['OMP_NUM_THREADS']") == "2"


def test_classes_of_the_notebook_come_back_from_other_processes(bench):
    kernel = bench.fork(bench.serve("import multiprocessing"))

    assert kernel.value(
        "__import__('multiprocessing') and __import__('sys').modules['__mp_main__'].__dict__"
        " is __import__('__main__').__dict__"
    )


# ---------------------------------------------------------------------- nilearn, matplotlib


@pytest.fixture(scope="module")
def full_server(shared_bench):
    """A server that has imported what lessons import most, and what draws thick lines."""
    shared_bench.write(thick="import matplotlib\nmatplotlib.rcParams['lines.linewidth'] = 7")
    return shared_bench.serve("import pandas", "import thick", "from nilearn import plotting")


@pytest.fixture(scope="module")
def full_plain(shared_bench):
    """A plain kernel in which nothing else happens than in forked kernels of that server."""
    return shared_bench.start()


def test_submodule_that_a_lesson_forgot_to_import_is_missing(bench, full_server, full_plain):
    forgotten = "import nilearn\nnilearn.plotting"

    error = bench.fork(full_server).error(forgotten)

    assert error.startswith("AttributeError")
    assert error == full_plain.error(forgotten)


def test_imports_load_what_they_load_in_a_plain_kernel(bench, full_server):
    forked, plain = bench.fork(full_server), bench.start()
    for kernel in (forked, plain):
        kernel.run("import psutil, resource, nilearn.image")  # psutil: see above

    assert forked.value(MODULES) == plain.value(MODULES)


def test_pandas_knows_that_it_is_in_a_notebook(bench, full_server, full_plain):
    columns = "__import__('pandas').get_option('display.max_columns')"

    assert bench.fork(full_server).value(columns) == full_plain.value(columns)


def test_settings_of_plots_are_not_shared(bench, full_server, full_plain):
    first = bench.fork(full_server)
    first.run("import matplotlib.pyplot as plt; plt.rcParams['lines.linewidth'] = 7; plt.figure()")
    settings = (
        "import matplotlib.pyplot as plt; print(sorted(plt.rcParams.items()), plt.get_fignums())"
    )

    assert bench.fork(full_server).run(settings) == full_plain.run(settings)


def test_settings_of_a_module_hold_where_it_is_imported(bench, full_server):
    kernel = bench.fork(full_server)

    kernel.run("import matplotlib, thick")

    assert kernel.value("matplotlib.rcParams['lines.linewidth']") == 7


@pytest.mark.parametrize("backend", ["agg", "svg"])
def test_backend_of_plots_is_the_one_of_the_environment(bench, full_server, backend):
    kernel = bench.fork(full_server, MPLBACKEND=backend)

    assert kernel.value("__import__('matplotlib').rcParams['backend']") == backend


def test_backend_that_a_lesson_takes_away_is_chosen_anew(bench, full_server):
    code = """
        import os
        del os.environ["MPLBACKEND"]
        import matplotlib
        print(matplotlib.get_backend())
    """

    assert bench.fork(full_server).run(code) == "agg\n"


def test_figure_is_shown_after_its_formats_were_set(bench):
    server = bench.serve("from matplotlib_inline.backend_inline import set_matplotlib_formats")
    code = """
        from matplotlib_inline.backend_inline import set_matplotlib_formats
        set_matplotlib_formats("svg")
        import matplotlib.pyplot as plt
        plt.plot([1, 2])
    """

    pictures = [m for m in bench.fork(server).line.ask(code) if m["msg_type"] == "display_data"]

    assert [sorted(m["content"]["data"]) for m in pictures] == [["image/svg+xml", "text/plain"]]


# ---------------------------------------------------------------------- refusing

UNFIT = {
    "thread": (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
        "what was imported has started 1 thread",
    ),
    "zmq context": ("import zmq\nzmq.Context.instance()", "has opened a zmq context"),
    "figure": (
        "import matplotlib.pyplot as plt\nplt.plot([1])",
        "has drawn with pyplot, which settles how figures are shown",
    ),
    "file without a name": ("import tempfile\nfile = tempfile.TemporaryFile()", "(deleted) open"),
    "open socket": ("import socket\nline = socket.socket()", "keeps socket:"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_server_refuses_to_fork_when_a_module_has_made_it_unfit(bench, what):
    code, reason = UNFIT[what]
    bench.write(unfit=code)

    with pytest.raises(NoForkError) as refused:
        bench.fork(bench.serve("import unfit"))

    assert "the fork server refuses" in str(refused.value)
    assert reason in str(refused.value)


def test_file_that_a_module_holds_open_is_read_by_each_kernel_from_where_it_was(bench):
    bench.write(holds="# abcdefgh\nfile = open(__file__, 'rb', buffering=0)\nfile.read(2)")
    server = bench.serve("import holds")
    one, other = bench.fork(server), bench.fork(server)

    assert one.value("__import__('holds').file.read(4)") == b"abcd"
    assert other.value("__import__('holds').file.read(4)") == b"abcd"
    assert one.value("__import__('holds').file.read(4)") == b"efgh"


def test_lesson_runs_plainly_when_the_server_refuses(bench, make_lesson, monkeypatch):
    bench.write(unfit=UNFIT["thread"][0])
    monkeypatch.setenv("PYTHONPATH", bench.search_path)

    (result,) = execute_lessons([make_lesson("import unfit")])

    assert result.failure is None
    assert "has started 1 thread" in result.why_plain


def test_module_that_cannot_be_imported_stops_no_kernel(bench):
    server = bench.serve("import nowhere", "import sys; sys.exit('usage')")

    assert bench.fork(server).run("print(1)") == "1\n"
    assert ask_status(server.path)["problems"] == {
        "import nowhere": "ModuleNotFoundError: No module named 'nowhere'",
        "import sys; sys.exit('usage')": "SystemExit: usage",
    }


def test_server_refuses_when_a_module_has_changed_on_the_disk(bench):
    bench.write(edited="x = 1")
    server = bench.serve("import edited")
    bench.fork(server)
    bench.write(edited="x = 1 + 1")

    with pytest.raises(NoForkError, match=r"stale: edited\.py has changed since it was imported"):
        bench.fork(server)


def test_stale_server_that_nobody_owns_makes_room_for_a_new_one(bench):
    bench.write(edited="x = 1")
    server = bench.serve("import edited", idle_s=60)
    kernel = bench.fork(server)
    bench.write(edited="x = 1 + 1")

    with pytest.raises(NoForkError, match="stale"):
        bench.fork(server)

    assert not server.path.exists()
    assert kernel.run("print(1)") == "1\n"


def test_server_that_never_answers_is_not_waited_for(bench):
    path = bench.new_folder() / "s.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        with pytest.raises(NoForkError, match=r"has not answered for 0\.1 s"):
            ask_for_kernel(
                connect(path), arguments=[], environment={}, folder="/", streams=[], patience_s=0.1
            )


# ---------------------------------------------------------------------- whom it serves


def test_socket_and_its_folder_are_for_this_user_alone(bench, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(bench.new_folder()))
    path = server_path(bench.environment())
    bench.serve_at(path, idle_s=60)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_folder_that_is_open_to_others_is_not_used(bench, monkeypatch):
    folder = bench.new_folder()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    (folder / "neuroprimer").mkdir()
    (folder / "neuroprimer").chmod(0o750)

    with pytest.raises(NoForkError, match="not this user's alone"):
        server_path({})


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_gets_no_kernel(bench):
    server = bench.serve()
    for place in (bench.folder, server.path.parent, server.path):
        place.chmod(0o777)
    answers, says = os.pipe()
    other = os.fork()
    if not other:
        try:
            os.setuid(65534)
            with connect(server.path) as line:
                send_message(line, {"wants": "status"})
                os.write(says, b"refused" if is_hung_up(line) else b"answered")
        finally:
            os._exit(0)
    os.close(says)
    os.waitpid(other, 0)

    with os.fdopen(answers) as said:
        assert said.read() == "refused"


def is_hung_up(line: socket.socket) -> bool:
    """Tell whether the other side closes a line instead of answering."""
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True


# ---------------------------------------------------------------------- during the preload


@pytest.fixture
def slow_server(bench):
    """A server that imports two modules, and the second only when it may."""
    gate = bench.folder / "gate"
    waits = f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)"
    bench.write(quick="", slow=f"import pathlib, time\n{waits}")
    server = bench.serve("import quick", "import slow")
    server.gate = gate
    return server


def test_kernel_is_forked_as_soon_as_there_is_what_it_needs(bench, slow_server):
    kernel = bench.fork(slow_server, needs=["import quick"])

    assert kernel.run("import quick; print(quick.__name__)") == "quick\n"
    slow_server.gate.touch()


def test_kernel_that_needs_everything_waits_for_it(bench, slow_server):
    with ThreadPoolExecutor() as elsewhere:
        kernel = elsewhere.submit(bench.fork, slow_server)
        waits = not wait([kernel], timeout=1.5).done
        slow_server.gate.touch()

        assert kernel.result().run("print(1)") == "1\n"
    assert waits


def test_exit_status_is_known_while_the_server_is_busy(bench, slow_server):
    kernel = bench.fork(slow_server, needs=["import quick"])

    kernel.send("import os; os._exit(3)")

    assert kernel.process.wait(5) == 3
    slow_server.gate.touch()


def test_nobody_waits_while_a_server_that_has_imported_all_rests():
    moves = []

    class Watched(ForkServer):
        def is_idle(self):
            return len(moves) > 5

        def serve(self, timeout_s):
            moves.append("rests" if timeout_s else "serves")
            return False

        def _import(self, statement):
            moves.append(statement)
            self.done.add(statement)

    recipe = {"statements": ["import first", "import last"], "idle_s": 1.0}
    Watched(recipe=recipe, listener=None, modules=None, variables={}).run()

    assert moves == ["serves", "import first", "serves", "import last", "serves", "rests"]


def test_whoever_stops_waiting_takes_no_other_kernel_along(bench, slow_server):
    kernel = bench.fork(slow_server, needs=["import quick"])
    with connect(slow_server.path) as line, Path(os.devnull).open() as nothing:
        request = {
            "wants": "kernel",
            "argv": [],
            "env": {},
            "cwd": "/",
            "umask": 0,
            "network": True,
        }
        send_message(line, request, [nothing.fileno()] * 3)
    slow_server.gate.touch()

    assert bench.fork(slow_server).run("print(1)") == "1\n"
    assert kernel.run("print(2)") == "2\n"


# ---------------------------------------------------------------------- how all ends

LEAVES_CHILDREN = """
    import os, subprocess, time
    near = subprocess.Popen(["sleep", "4323"])
    reader, writer = os.pipe()
    if not os.fork():  # twice, and in a session of its own, as those do who want to survive
        os.setsid()
        if not os.fork():
            os.write(writer, str(os.getpid()).encode())
            os.execlp("sleep", "sleep", "4324")
        os._exit(0)
    os.wait()
    print(near.pid, os.read(reader, 20).decode())
"""


def test_server_without_kernels_ends_and_removes_its_socket(bench):
    server = bench.serve(idle_s=0.2)

    server.process.wait(10)

    assert not server.path.exists()


def test_server_with_a_kernel_stays(bench):
    server = bench.serve(idle_s=0.2)
    kernel = bench.fork(server)
    time.sleep(1.5)

    assert kernel.run("print(1)") == "1\n"


def test_terminated_server_removes_its_socket(bench):
    server = bench.serve(idle_s=60)
    ask_status(server.path)

    server.process.terminate()
    server.process.wait(10)

    assert not server.path.exists()


def test_server_ends_when_it_is_told_to(bench):
    server = bench.serve(idle_s=60)

    assert ask_status(server.path, stop=True)["pid"] == server.pid
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("network", [True, False])
def test_kernels_die_with_their_server(bench, runs, wait_until, network):
    server = bench.serve()
    kernels = [bench.fork(server, network=network) for _ in range(2)]

    server.process.kill()

    wait_until(lambda: not any(runs(kernel.pid) for kernel in kernels), timeout_s=5)


def test_end_of_a_server_is_the_end_of_a_kernel_for_whoever_asked(bench):
    server = bench.serve()
    kernel = bench.fork(server)

    server.process.kill()

    assert kernel.process.wait(5) == -signal.SIGKILL


def test_kernel_and_all_it_started_die_with_whoever_asked(bench, server, runs, wait_until):
    asker, kernel = bench.fork_elsewhere(server)
    children = [int(pid) for pid in kernel.run(LEAVES_CHILDREN).split()]
    assert all(runs(pid) for pid in children)

    asker.kill()
    asker.wait()

    wait_until(lambda: not any(runs(pid) for pid in [kernel.pid, *children]), timeout_s=5)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os; os._exit(3)", 3),
    ],
)
def test_exit_status_of_a_kernel_reaches_whoever_asked(bench, server, code, status):
    kernel = bench.fork(server)

    kernel.send(code)

    assert kernel.process.wait(5) == status


def test_what_a_dead_kernel_has_started_is_killed(bench, server, runs, wait_until):
    kernel = bench.fork(server)
    children = [int(pid) for pid in kernel.run(LEAVES_CHILDREN).split()]

    os.kill(kernel.pid, signal.SIGKILL)

    wait_until(lambda: not any(runs(pid) for pid in children), timeout_s=5)


def test_dead_kernel_takes_no_process_of_another_along(bench, server, runs, wait_until):
    first, second = bench.fork(server), bench.fork(server)
    children = [int(pid) for pid in second.run(LEAVES_CHILDREN).split()]

    first.end()
    wait_until(lambda: ask_status(server.path))

    assert all(runs(pid) for pid in [second.pid, *children])


def test_kernel_that_cannot_say_its_last_words_ends(bench, server):
    kernel = bench.fork(server)
    kernel.run("import sys; sys.__stdout__.close()")
    kernel.line.shut_down()

    kernel.process.wait(5)

    assert server.path.exists()
    assert ask_status(server.path)["pid"] == server.pid


def test_server_leaves_with_its_owner_and_removes_its_folder(bench, runs, wait_until):
    code = """
        import os, signal, sys
        from pathlib import Path
        from neuroprimer.teaching.kernels.servers import start_server
        server = start_server(Path(sys.argv[1]), [], dict(os.environ), idle_s=None)
        print(server.pid, flush=True)
        signal.pause()
    """
    folder = bench.new_folder()
    owner = subprocess.Popen(
        [sys.executable, "-c", dedent(code), str(folder / "s.sock")], stdout=subprocess.PIPE
    )
    with owner.stdout as said:
        server = int(said.readline())
    assert ask_status(folder / "s.sock")["pid"] == server

    owner.kill()
    owner.wait()

    wait_until(lambda: not runs(server) and not folder.exists(), timeout_s=5)


def test_nonsense_ends_no_server(server):
    with connect(server.path) as line:
        line.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert is_hung_up(line)

    assert ask_status(server.path)["pid"] == server.pid


def test_kernels_leave_no_file_open_in_the_server(bench, server, wait_until):
    def count() -> int:
        ask_status(server.path)
        return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))

    before = count()
    for _ in range(3):
        bench.fork(server).end()

    wait_until(lambda: count() == before)


def count_when_quiet(server):
    """Count what a server has open; the line of whoever has just asked it may still be."""
    counts = []
    for _ in range(20):
        counts.append(len([*Path(f"/proc/{server.pid}/fd").iterdir()]))
        time.sleep(0.01)
    return min(counts)


def test_two_hundred_that_ask_at_once_all_get_a_kernel(bench, wait_until):
    server = bench.serve()
    wait_until(lambda: ask_status(server.path)["ready"])
    descriptors = count_when_quiet(server)

    with ThreadPoolExecutor(200) as askers:
        kernels = [*askers.map(lambda _: bench.ask(server), range(200))]

    assert len({kernel.pid for kernel in kernels}) == 200
    assert all(kernel.poll() is None for kernel in kernels)
    assert ask_status(server.path)["kernels"] == 200
    for kernel in kernels:
        kernel.kill()
        kernel.wait(10)
    wait_until(lambda: ask_status(server.path)["kernels"] == 0)
    wait_until(lambda: count_when_quiet(server) == descriptors)
