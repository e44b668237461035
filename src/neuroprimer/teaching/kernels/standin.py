"""A stand-in for the shell, which modules ask for when they are imported before there is one.

That they will be used in a notebook it can tell them. Whoever wants more of it cannot be imported
ahead of time.
"""

import builtins
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from neuroprimer.teaching.kernels.hiding import HiddenModules


@contextlib.contextmanager
def standing_in(modules: HiddenModules) -> Iterator[None]:
    """Answer modules that ask for the shell, and leave to the lessons those that use it.

    Parameters
    ----------
    modules : HiddenModules
        Imports them.
    """
    shell: Any = sys.modules["IPython.core.interactiveshell"].InteractiveShell
    stand_in = ZMQInteractiveShell(modules)

    def initialized(_: object) -> bool:
        modules.give_up()
        return False

    shell.initialized = classmethod(initialized)
    vars(builtins)["get_ipython"] = lambda: stand_in
    try:
        yield
    finally:
        del shell.initialized, vars(builtins)["get_ipython"]


class ZMQInteractiveShell:
    """Has the name, by which the shell of a kernel is known, and a kernel, and nothing else.

    In a kernel it is the true one, for modules that have kept it.
    """

    __module__ = "ipykernel.zmqshell"

    def __init__(self, modules: HiddenModules) -> None:
        self._modules = modules

    def __getattr__(self, name: str) -> Any:
        if not self._modules.is_recording:
            shell: Any = sys.modules["IPython.core.interactiveshell"].InteractiveShell
            return getattr(shell.instance(), name)
        if name == "kernel":
            return None
        self._modules.give_up()
        raise AttributeError(name)
