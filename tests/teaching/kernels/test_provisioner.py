"""The kernel called neuroprimer, as any Jupyter tool uses it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbformat.v4 import new_code_cell, new_notebook

from neuroprimer.teaching.kernels.provisioner import kernel_arguments
from neuroprimer.teaching.kernels.servers import (
    NoForkError,
    ask_status,
    server_path,
)

pytestmark = pytest.mark.kernel

# Asks a kernel whether it has been forked.
IS_FORKED = "'forkserver' in open('/proc/%d/cmdline' % __import__('os').getppid()).read()"


@pytest.fixture
def user(bench, monkeypatch):
    """The folder of a user who has no server yet."""
    folder = bench.new_folder()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    return folder


@pytest.fixture
def server(bench, user):
    """A server where kernels of this environment look for one, with nothing imported."""
    assert user
    return bench.serve_at(server_path(os.environ), idle_s=60)


@contextlib.asynccontextmanager
async def started(name="neuroprimer", **options):
    """Start a kernel as Jupyter's tools do, and end it."""
    manager = AsyncKernelManager(kernel_name=name)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    await manager.start_kernel(**{**quiet, **options})
    try:
        yield manager
    finally:
        await manager.shutdown_kernel(now=True)
        await manager.cleanup_resources()


async def ask(manager, code):
    """Return what a piece of code writes or, if it fails, the kind of its error."""
    written = []

    def hear(message):
        content = message["content"]
        written.append(content.get("text", content.get("ename", "")))

    client = manager.client()
    client.start_channels(hb=False)
    try:
        await client.wait_for_ready(timeout=30)
        await client.execute_interactive(code, output_hook=hear, allow_stdin=False, timeout=30)
    finally:
        client.stop_channels()
    return "".join(written).strip()


def in_kernel(*codes, name="neuroprimer"):
    """Return what a kernel answers to some pieces of code, and why it was not forked."""

    async def use():
        async with started(name) as manager:
            answers = [await ask(manager, code) for code in codes]
            return *answers, manager.provisioner.why_plain

    return asyncio.run(use())


@pytest.fixture
def write_spec(user):
    """Describe a kernel that is to be forked where it can be."""

    def write(name, program):
        folder = user / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {
            "argv": [str(program), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "metadata": {"kernel_provisioner": {"provisioner_name": "neuroprimer-fork"}},
        }
        (folder / "kernel.json").write_text(json.dumps(spec))

    return write


def test_jupyter_execute_runs_a_notebook_in_a_forked_kernel(user, server):
    figure = "import matplotlib.pyplot as plt\nplt.plot([1])"
    notebook = new_notebook(
        cells=[new_code_cell(f"print({IS_FORKED})"), new_code_cell(figure)],
        metadata={"kernelspec": {"name": "neuroprimer", "display_name": "N", "language": "python"}},
    )
    nbformat.write(notebook, user / "notebook.ipynb")

    subprocess.run(
        [Path(sys.executable).with_name("jupyter"), "execute", "--inplace", "notebook.ipynb"],
        cwd=user,
        check=True,
        capture_output=True,
        timeout=120,
    )

    first, second = nbformat.read(user / "notebook.ipynb", as_version=4).cells
    assert first.outputs[0].text == "True\n"
    assert sorted(second.outputs[1].data) == ["image/png", "text/plain"]
    assert ask_status(server.path)["kernels"] == 0


def test_kernel_manager_gets_a_forked_kernel(server):
    assert in_kernel(f"print({IS_FORKED})") == ("True", "")
    assert ask_status(server.path)["kernels"] == 0


@pytest.mark.usefixtures("server")
def test_restarted_kernel_is_another_forked_one():
    async def use():
        async with started() as manager:
            first = await ask(manager, "x = 1; import os; print(os.getpid())")
            await manager.restart_kernel()
            second = await ask(manager, "import os; print(os.getpid())")
            return (
                first != second,
                await ask(manager, "x"),
                await ask(manager, f"print({IS_FORKED})"),
            )

    assert asyncio.run(use()) == (True, "NameError", "True")


@pytest.mark.usefixtures("server")
def test_kernel_manager_interrupts_a_forked_kernel():
    async def use():
        async with started() as manager:
            await ask(manager, "import time")
            endless = asyncio.create_task(ask(manager, "while True: time.sleep(0.01)"))
            await asyncio.sleep(1)
            await manager.interrupt_kernel()
            return await endless

    assert asyncio.run(use()) == "KeyboardInterrupt"


@pytest.mark.usefixtures("server")
def test_kernel_manager_learns_of_the_end_of_a_forked_kernel():
    async def use():
        async with started() as manager:
            os.kill(manager.provisioner.pid, signal.SIGKILL)
            await asyncio.wait_for(manager.provisioner.process.wait_until_ended(), 5)
            return await manager.is_alive(), await manager.provisioner.poll()

    assert asyncio.run(use()) == (False, -signal.SIGKILL)


@pytest.mark.usefixtures("user")
def test_server_that_nobody_owns_outlives_whoever_started_it_and_serves_the_next():
    asks = """
        import os
        from neuroprimer.teaching.kernels.servers import ask_status, connect_or_start, server_path
        path = server_path(os.environ)
        connect_or_start(path, lambda: ["import nowhere"], os.environ).close()
        print(ask_status(path)["pid"])
    """

    said = {
        subprocess.run(
            [sys.executable, "-c", dedent(asks)], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    }

    status = ask_status(server_path(os.environ), stop=True)
    assert said == {f"{status['pid']}\n"}
    assert [*status["problems"]] == ["import nowhere"]


@pytest.mark.usefixtures("server")
def test_spec_of_another_python_starts_plainly(write_spec, tmp_path):
    program = tmp_path / "other-python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    write_spec("other", program)

    assert in_kernel(f"print({IS_FORKED})", name="other") == (
        "False",
        "other-python is not the Python that neuroprimer runs in",
    )


@pytest.mark.usefixtures("server")
def test_spec_of_this_python_is_forked(write_spec):
    write_spec("this", sys.executable)

    assert in_kernel(f"print({IS_FORKED})", name="this") == ("True", "")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_kernel_writes_where_it_is_told_to(server, tmp_path, stream):
    async def use():
        with (tmp_path / "log").open("w") as log:
            async with started(**{stream: log}) as manager:
                await ask(manager, f"import os, sys; os.write(sys.__{stream}__.fileno(), b'there')")

    asyncio.run(use())

    assert "there" in (tmp_path / "log").read_text()
    assert ask_status(server.path)["problems"] == {}


NOT_FOR_FORKING = {
    "pipe": ({"stdout": subprocess.PIPE}, "what the kernel writes is to go through a pipe"),
    "independent": ({"independent": True}, "the kernel is to outlive whoever starts it"),
}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("what", NOT_FOR_FORKING)
def test_kernel_that_is_wanted_as_only_a_plain_one_can_be_is_plain(what):
    options, reason = NOT_FOR_FORKING[what]

    async def use():
        async with started(**options) as manager:
            return manager.provisioner.why_plain

    assert asyncio.run(use()) == reason


@pytest.mark.parametrize(
    "command",
    [
        ["R", "--slave", "-e", "IRkernel::main()"],
        [sys.executable, "-m", "xpython"],
        [sys.executable, "-I", "-m", "ipykernel_launcher"],
    ],
    ids=["another language", "another kernel", "options for Python"],
)
def test_command_that_cannot_be_forked_is_refused(command):
    with pytest.raises(NoForkError, match="not the Python that neuroprimer runs in"):
        kernel_arguments(command)


@pytest.mark.usefixtures("user")
def test_start_that_is_given_up_waits_for_no_import(bench, wait_until):
    gate = bench.folder / "gate"
    waits = f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)"
    server = bench.serve_at(server_path(os.environ), f"import pathlib, time\n{waits}", idle_s=60)
    manager = AsyncKernelManager(kernel_name="neuroprimer")

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(manager.start_kernel(), 1))
    took_s = time.monotonic() - began
    gate.touch()

    assert took_s < 5
    wait_until(lambda: ask_status(server.path)["kernels"] == 0)
