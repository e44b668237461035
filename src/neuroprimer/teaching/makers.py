"""Makers: programs that write the files of a dataset, each in a process of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from neuroprimer.teaching.kept_data import DatasetError


def make_apart(
    module: str, *arguments: str, problem: str, hint: str = ""
) -> Callable[[Path], None]:
    """Return what lets a module write files, for `keep_dataset`.

    The module runs as ``python -m MODULE ARGUMENTS... FOLDER``. Whoever wants the files, a lesson's
    kernel among them, imports nothing of it and holds none of its memory.

    Parameters
    ----------
    module : str
        Its full name.
    *arguments : str
        Stand before the folder.
    problem : str
        What is said when it fails, without a full stop; the last line of what it has said follows.
    hint : str
        What to do then, before the command with which one can see for oneself.

    Returns
    -------
    make : callable
        Is given a folder and writes the files into it, or raises DatasetError.

    Examples
    --------
    >>> make = make_apart("no_such_module", problem="The maps could not be made")
    >>> make(Path("maps"))
    Traceback (most recent call last):
    ...
    neuroprimer.teaching.kept_data.DatasetError: The maps could not be made: ...
    """

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", module, *arguments, str(folder)]
        made = subprocess.run(  # noqa: S603  the module and its arguments are a plugin's own
            command, capture_output=True, text=True, check=False
        )
        if made.returncode:
            said = (made.stderr.strip() or "it was stopped").splitlines()[-1]
            again = f"`{' '.join(['python', '-m', module, *arguments, 'FOLDER'])}` tells more."
            raise DatasetError(f"{problem}: {said}", hint=f"{hint} {again}".strip())

    return make
