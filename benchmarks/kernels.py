"""Kernels one after another: what starting one costs, and that a thousand leave nothing behind.

Run ``python benchmarks/kernels.py``. Each kernel imports what lessons of neuroimaging import, says
so, and ends. "plain" kernels are started from nothing, "forked" ones by a server that has imported
it all. Memory is the private memory of the server and of this process; it is read from Linux's
/proc, as are open files.
"""

import argparse
import asyncio
import time
from pathlib import Path
from statistics import median

import psutil

from neuroprimer.teaching.kernels.servers import ask_status
from neuroprimer.teaching.kernels.sessions import start_kernel
from neuroprimer.teaching.kernels.workshop import Workshop, kernel_environment, open_workshop

STATEMENTS = (
    "import numpy",
    "import pandas",
    "import matplotlib.pyplot",
    "import nibabel",
    "from nilearn import plotting",
    "from nilearn.glm.first_level import FirstLevelModel",
    "from sklearn.linear_model import LogisticRegression",
)


async def use_kernel(workshop: Workshop) -> float:
    """Start a kernel, let it import everything, end it; return the seconds that took."""
    began = time.perf_counter()
    async with start_kernel("python3", workshop, variables={}, start_timeout_s=60) as kernel:
        reply = await kernel.client.execute("\n".join(STATEMENTS), reply=True, timeout=60)
        if reply["content"]["status"] != "ok" or kernel.why_plain:
            raise SystemExit(f"a kernel failed: {kernel.why_plain or reply['content']}")
    return time.perf_counter() - began


def figures(server: int) -> str:
    """Return what the server and this process hold."""
    words = []
    for name, pid in (("server", server), ("this process", psutil.Process().pid)):
        process = psutil.Process(pid)
        files = len([*Path(f"/proc/{pid}/fd").iterdir()])
        children = len(process.children())
        uss = process.memory_full_info().uss / 1e6
        words.append(f"{name}: {uss:7.1f} MB, {files} files, {children} children")
    return "; ".join(words)


async def run_forked(workshop: Workshop, count: int, every: int) -> list[float]:
    """Use many kernels, one after another, and print figures from time to time."""
    if workshop.server is None:
        raise SystemExit(f"kernels cannot be forked: {workshop.why_plain}")
    while not (status := ask_status(workshop.server))["ready"]:
        await asyncio.sleep(0.1)
    print(f"{0:5}  {figures(status['pid'])}")
    seconds = []
    for number in range(1, count + 1):
        seconds.append(await use_kernel(workshop))
        if number % every == 0:
            print(f"{number:5}  {figures(status['pid'])}", flush=True)
    return seconds


async def run_plain(workshop: Workshop, count: int) -> list[float]:
    """Use some kernels that were started from nothing."""
    return [await use_kernel(workshop) for _ in range(count)]


def main() -> None:
    """Use the kernels and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--plain", type=int, default=5)
    options = parser.parse_args()
    environment = kernel_environment({})
    with open_workshop(environment, STATEMENTS) as workshop:
        forked = asyncio.run(run_forked(workshop, options.count, options.every))
    with open_workshop(environment, forks=False) as workshop:
        plain = asyncio.run(run_plain(workshop, options.plain))
    print(f"forked: {median(forked):.3f} s for start, imports and end, {options.count} kernels")
    print(f"plain:  {median(plain):.3f} s, {options.plain} kernels")
    print(f"{median(plain) / median(forked):.1f}x; slowest forked {max(forked):.3f} s")


if __name__ == "__main__":
    main()
