"""What a build does inside a lesson's kernel to prove an exercise there without a trace.

The source of this file is sent to the kernel and run in a namespace of its own, so it uses the
standard library alone. All that could leave a trace happens in a child of the kernel.
"""

import gc
import os
import random
import signal
import time
import traceback


def prove_in_child(order: str, answer_file: str, patience_s: float) -> None:
    """Fork the kernel, let the child prove an exercise, and wait for it.

    Parameters
    ----------
    order : str
        JSON, for `neuroprimer.teaching.exercises.proving.prove`.
    answer_file : str
        Where the child writes what came of it, or a traceback.
    patience_s : float
        How long to wait, in seconds.
    """
    dice = random.getstate()  # a child gets new ones
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            gc.disable()  # a collection would touch, and so copy, every page of the lesson's memory
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):  # what is written there would end up in the notebook
                os.dup2(nothing, stream)
            random.setstate(dice)
            from neuroprimer.teaching.exercises.proving import prove

            prove(order, answer_file)
        except BaseException:  # noqa: BLE001  nothing may come back out of this child
            with open(answer_file, "w", encoding="utf-8") as file:  # noqa: PTH123  a builtin is enough
                file.write(traceback.format_exc())
        finally:
            os._exit(0)
    give_up = time.monotonic() + patience_s
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > give_up:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return
        time.sleep(0.002)
