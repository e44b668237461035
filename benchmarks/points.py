"""Ten million points through an affine: neuroprimer against nibabel, time and memory.

Run ``python benchmarks/points.py``. Every measurement is a fresh process that makes its points,
calls the function once for its peak memory beyond them, then several times for its time. The sides
take turns, and what is printed are medians over the rounds. A copy shows what memory allows.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from neuroprimer.imaging import voxel_to_world, world_to_voxel

AFFINE = np.array([[-2, 0.1, 0, 90], [0, 1.97, -0.36, -35], [0, 0.32, 2.17, -7], [0, 0, 0, 1.0]])

Carry = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SIDES: dict[str, Carry] = {
    "copy": lambda points: points.astype(np.float64),
    "there, nibabel": lambda points: apply_affine(AFFINE, points),
    "there, ours": lambda points: voxel_to_world(AFFINE, points),
    "there, ours with numba": lambda points: voxel_to_world(AFFINE, points),
    "back, nibabel": lambda points: apply_affine(np.linalg.inv(AFFINE), points),
    "back, ours": lambda points: world_to_voxel(AFFINE, points),
    "back, ours with numba": lambda points: world_to_voxel(AFFINE, points),
}

# As set on some machines, they make OpenBLAS slower than it is.
ODD_SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def measure(side: str, n_points: int, dtype: str, repeats: int) -> None:
    """Print what one side takes, in seconds and in bytes beyond the points."""
    if "numba" not in side:
        sys.modules["numba"] = None  # type: ignore[assignment] # as if it were not installed
    carry = SIDES[side]
    points = np.empty((n_points, 3), dtype)
    rng = np.random.default_rng(0)
    for part in np.array_split(points, max(1, n_points // 100_000)):
        part[...] = rng.uniform(-100, 100, part.shape)

    carry(points[: n_points // 5])  # numba is loaded, and compiles if it never did
    tracemalloc.start()
    carry(points)
    _, extra_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        carry(points)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": median(seconds), "extra_bytes": extra_bytes}))


def main() -> None:
    """Let the sides take turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", choices=SIDES, help="measure this one, in this process")
    options = parser.parse_args()
    if options.side:
        measure(options.side, options.points, options.dtype, options.repeats)
        return

    environment = {name: value for name, value in os.environ.items() if name not in ODD_SETTINGS}
    command = [sys.executable, __file__, *sys.argv[1:], "--side"]
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for _ in range(options.rounds):
        for side, results in found.items():
            answer = subprocess.run(
                [*command, side], check=True, capture_output=True, text=True, env=environment
            )
            results.append(json.loads(answer.stdout))

    print(f"{options.points:,} points in {options.dtype}, medians of {options.rounds} rounds")
    print(f"{'':24}{'ns/point':>10}{'extra MB':>10}{'time':>10}{'memory':>10}")
    for side, results in found.items():
        seconds = median(result["seconds"] for result in results)
        extra_bytes = median(result["extra_bytes"] for result in results)
        peer = found.get(f"{side.split(',')[0]}, nibabel", found["copy"])
        times_faster = median(result["seconds"] for result in peer) / seconds
        share = extra_bytes / median(result["extra_bytes"] for result in peer)
        print(
            f"{side:24}{seconds / options.points * 1e9:10.2f}{extra_bytes / 1e6:10.0f}"
            f"{times_faster:9.2f}x{share:9.2f}x"
        )


if __name__ == "__main__":
    main()
