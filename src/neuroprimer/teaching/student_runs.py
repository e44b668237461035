"""Student runs: a student's notebook in a kernel, from its first cell to its last if it can."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, NoSuchKernel
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.kernels.sessions import QUIET_LOG
from neuroprimer.teaching.notebooks import code_cells
from neuroprimer.teaching.progress.store import OFF, PROGRESS_VARIABLE, progress_file


class StudentRunError(NeuroprimerError, RuntimeError):
    """A notebook that cannot be run at all."""


def run_student_notebook(
    notebook: NotebookNode, folder: Path, *, variables: Mapping[str, str], cell_timeout_s: float
) -> str:
    """Run all cells of a notebook, also after one that fails, and put their outputs into it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        What it holds of an earlier run is removed.
    folder : pathlib.Path
        Where the kernel works.
    variables : mapping of str to str
        Environment variables that let the kernel see the same plugins.
    cell_timeout_s : float
        How long a cell may run, in seconds.

    Returns
    -------
    stopped : str
        Why it did not come to its end; empty if it did.

    Raises
    ------
    StudentRunError
        If no kernel starts.
    """
    for _, cell in code_cells(notebook):  # what it says of an earlier run is no answer
        cell.outputs = []
    client = NotebookClient(
        notebook,
        # editors write down names that this machine may not know
        kernel_name=NATIVE_KERNEL_NAME,
        timeout=cell_timeout_s,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        log=QUIET_LOG,
    )
    try:
        return asyncio.run(_run_cells(client, student_environment(variables), cell_timeout_s))
    except (NoSuchKernel, RuntimeError) as error:
        raise StudentRunError(
            f"No kernel starts to run the notebook: {error}",
            hint="Install ipykernel where neuroprimer is, and see that `jupyter kernelspec list` "
            f"shows {NATIVE_KERNEL_NAME}.",
        ) from error


def student_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a notebook of a student's, wherever it runs.

    Parameters
    ----------
    variables : mapping of str to str
        What a catalogue says of its plugins.
    """
    file = progress_file()  # a relative path would mean another file in another folder
    return {**os.environ, **variables, PROGRESS_VARIABLE: str(file.absolute()) if file else OFF}


async def _run_cells(
    client: NotebookClient, environment: Mapping[str, str], timeout_s: float
) -> str:
    # nbclient's own way to run all would take Ctrl-C for the kernel's end, and go on
    manager = client.create_kernel_manager()
    try:
        # what the kernel itself has to say is not for students
        await client.async_start_new_kernel(env=dict(environment), stderr=subprocess.DEVNULL)
        await client.async_start_new_kernel_client()
        for place, cell in enumerate(client.nb.cells):
            number = sum(one.cell_type == "code" for one in client.nb.cells[: place + 1])
            try:
                await client.async_execute_cell(cell, place)
            except CellTimeoutError:
                return f"Code cell {number} was still busy after {timeout_s:g} s."
            except DeadKernelError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # nbclient takes Ctrl-C for it, too
                    raise asyncio.CancelledError from None
                return f"Code cell {number} has ended the kernel."
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        await ensure_async(manager.shutdown_kernel(now=True))
    return ""
