"""What proving the exercises costs: the built-in course executed with and without the proofs.

Run ``python benchmarks/proofs.py``. Both sides execute all lessons of the installed plugins, in
turn, for several rounds; the notebooks of both must be equal.
"""

import argparse
import os
import sys
import time
from statistics import median

from neuroprimer.teaching import ExecutionResult, execute_lessons, load_catalogue


def execute(*, proves: bool) -> tuple[float, tuple[ExecutionResult, ...]]:
    """Execute the course; return seconds and results."""
    catalogue = load_catalogue()
    began = time.perf_counter()
    results = execute_lessons(
        catalogue.lessons.values(), variables=catalogue.variables(), proves=proves
    )
    return time.perf_counter() - began, results


def main() -> int:
    """Measure both sides and compare what they made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    execute(proves=False)  # so that neither side is the first to read the libraries
    seconds: dict[bool, list[float]] = {True: [], False: []}
    notebooks = []
    tries = 0
    for _ in range(rounds):
        for proves in (True, False):
            took_s, results = execute(proves=proves)
            seconds[proves].append(took_s)
            notebooks.append([one.notebook for one in results])
            proofs = [proof for one in results for proof in one.proofs]
            tries = max(tries, sum(2 + len(one.wrong) + len(one.mutants) for one in proofs))
    with_proof, without = median(seconds[True]), median(seconds[False])
    are_equal = all(one == notebooks[0] for one in notebooks)
    print(f"{len(notebooks[0])} lessons, {tries} tries, {os.cpu_count()} processors")
    print(f"without the proofs {without:.2f} s, with them {with_proof:.2f} s")
    print(f"ratio {with_proof / without:.2f}; notebooks {'equal' if are_equal else 'DIFFER'}")
    return 0 if are_equal else 1


if __name__ == "__main__":
    sys.exit(main())
