"""A course executed: neuroprimer against the tools that execute notebooks.

Run ``python benchmarks/execution.py``; ``--only SIDE,...`` takes some sides, ``--lessons 3`` makes
a short course. Each side is a whole command in a process of its own, and the sides take turns for
several rounds. The bound is what no tool can beat without changing lessons: the time their cells
take, imports not counted, shared out over the processors. It is taken from neuroprimer's own
report; of several, from the one with the least.

The other tools live in an environment of their own, which is made when it is missing and sees the
packages of this one: their kernels run the same numpy, nilearn and ipykernel. What lessons put out
must not depend on who executes them. So the notebooks of `jupyter execute` and of neuroprimer are
compared, and a run in which any output differs exits with 1.

"neuroprimer --linger" finds the fork server that a run just before has left behind. "without
warm-ups" the course's plugin names nothing that fills caches ahead. A side is left out when this
neuroprimer does not know its option.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median

import nbformat
from courses import KINDS, make_course
from outputs import compare_outputs, print_comparison
from processes import Cost, Turn, measure

JOBS = len(os.sched_getaffinity(0))

PEERS = ("papermill", "nbmake", "nbval", "jupyter-cache", "pytest", "pytest-xdist", "nbclient")

# Their scripts may lie in the other environment, whose Python they would start.
JUPYTER_EXECUTE = "from nbclient.cli import main; main()"
JUPYTER_CACHE = "from jupyter_cache.cli.commands.cmd_main import jcache; jcache()"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a side works.

    Parameters
    ----------
    course : pathlib.Path
        As made by `make_course`.
    folder : pathlib.Path
        For this turn alone; ``notebooks`` in it are a copy of the course's.
    python : str
        The interpreter of the other tools.
    """

    course: Path
    folder: Path
    python: str

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks, as seen from the folder."""
        found = sorted((self.folder / "notebooks").glob("*.ipynb"))
        return tuple(str(file.relative_to(self.folder)) for file in found)


Side = Callable[[Place], Turn]


def neuroprimer_side(*options: str, warm: bool = False, warm_ups: bool = True) -> Side:
    """Return the side that validates the course: it executes and checks, and publishes nothing."""

    def prepare(place: Place) -> Turn:
        command = make_command(place, "validate", "--json", *options)
        return Turn(
            before=[command] if warm else [],
            commands=[command],
            folder=str(place.folder),
            variables=make_variables(place, warm_ups=warm_ups),
        )

    return prepare


def make_command(place: Place, name: str, *options: str) -> list[str]:
    """Return a command line on the course."""
    command = [sys.executable, "-m", "neuroprimer", name, "--course", str(place.course)]
    return [*command, "--plugins-dir", str(place.course / "plugins"), "-j", f"{JOBS}", *options]


def find_plugins_with_lessons() -> list[str]:
    """Return the names of all installed plugins but those of neuroprimer's own machinery."""
    points = entry_points(group="neuroprimer")
    return [point.name for point in points if not point.value.startswith("neuroprimer.")]


def make_variables(place: Place, *, warm_ups: bool = True) -> dict[str, str]:
    """Return the environment for it: no other lessons, and nothing known of earlier turns."""
    path = [str(place.course / "package")] if warm_ups else []
    path += [os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else []
    return {
        "NEUROPRIMER_BLOCK_PLUGINS": " ".join(find_plugins_with_lessons()),
        "NEUROPRIMER_CACHE": str(place.folder / "cache"),
        "PYTHONPATH": os.pathsep.join(path),
    }


def peer_side(
    make_commands: Callable[[Place], Sequence[Sequence[str]]],
    make_before: Callable[[Place], Sequence[Sequence[str]]] = lambda _: (),
    says: str = "",
) -> Side:
    """Return a side whose commands are arguments for the other tools' Python."""

    def prepare(place: Place) -> Turn:
        return Turn(
            before=[[place.python, *command] for command in make_before(place)],
            commands=[[place.python, *command] for command in make_commands(place)],
            folder=str(place.folder),
            variables={
                "IPYTHONDIR": str(place.course / "ipython"),
                "JUPYTERCACHE": str(place.folder),  # it asks before it makes one
            },
            says=says,
        )

    return prepare


def pytest_side(*options: str) -> Side:
    """Return a side that has pytest execute the notebooks."""
    return peer_side(lambda _: [["-m", "pytest", "-p", "no:cacheprovider", *options, "notebooks"]])


def on_our_kernel(side: Side) -> Side:
    """Return a side that finds the kernel `neuroprimer`, with no server yet."""

    def prepare(place: Place) -> Turn:
        turn = side(place)
        variables = make_variables(place)
        path = [variables["PYTHONPATH"], *(entry for entry in sys.path if entry)]
        ours = {
            "JUPYTER_PATH": str(Path(sysconfig.get_path("data"), "share", "jupyter")),
            "NEUROPRIMER_PLUGINS_DIR": str(place.course / "plugins"),
            "NEUROPRIMER_KERNELS_IDLE_S": "5",
            "PYTHONPATH": os.pathsep.join(path),
            "XDG_RUNTIME_DIR": str(place.folder),
        }
        return replace(turn, variables={**turn.variables, **variables, **ours})

    return prepare


# neuroprimer's sides, with the option each needs. One for plain kernels belongs here, once there is
# an option for them; one that runs each lesson in both kinds of kernel would be another thing.
OURS: Mapping[str, tuple[str, Side]] = {
    "neuroprimer": ("", neuroprimer_side()),
    "neuroprimer without warm-ups": ("", neuroprimer_side(warm_ups=False)),
    "neuroprimer --linger": (
        "--linger",
        neuroprimer_side("--linger", "20", "--no-cache", warm=True),
    ),
}

# All are divided by these.
DIVISORS = ("neuroprimer", "neuroprimer --linger")

BASELINE = "jupyter execute"
THEIRS: Mapping[str, Side] = {
    BASELINE: peer_side(
        lambda place: [["-c", JUPYTER_EXECUTE, "--inplace", *place.notebooks]],
    ),
    "papermill": peer_side(
        lambda place: [
            ["-m", "papermill", "--no-progress-bar", notebook, f"{Path(notebook).stem}-out.ipynb"]
            for notebook in place.notebooks
        ]
    ),
    "nbmake": pytest_side("--nbmake"),
    f"nbmake -n {JOBS}": pytest_side("--nbmake", "-n", f"{JOBS}"),
    f"nbmake -n {JOBS} on kernel neuroprimer": on_our_kernel(
        pytest_side("--nbmake", "-n", f"{JOBS}", "--nbmake-kernel", "neuroprimer")
    ),
    "nbval": pytest_side("--nbval-lax"),
    "jupyter-cache": peer_side(
        lambda _: [["-c", JUPYTER_CACHE, "project", "execute", "--executor", "local-parallel"]],
        lambda place: [["-c", JUPYTER_CACHE, "notebook", "add", *place.notebooks]],
        says="excepted: []\nerrored: []",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One turn of a side: its cost, and the work in its lessons' cells if it tells."""

    cost: Cost
    cells_s: float | None = None


def main() -> int:
    """Measure the sides, print a table, compare outputs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lessons", type=int, default=len(KINDS))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", help=f"some of {', '.join((*OURS, *THEIRS))}; a comma between")
    parser.add_argument("--peers", type=Path, help="environment of the other tools, made if absent")
    options = parser.parse_args()
    sides = choose_sides(options.only)
    with tempfile.TemporaryDirectory(prefix="np-") as root:
        course = Path(root) / "course"
        make_course(course, options.lessons)
        python = ""
        if sides.keys() & THEIRS:
            python = require_peers((options.peers or Path(root) / "peers").absolute())
        found, executed = take_turns(sides, options.rounds, course, python)
        print(f"{options.lessons} lessons, {JOBS} processors; medians of {options.rounds} rounds")
        print_table(found)
        if BASELINE not in executed:
            print(f"outputs not compared: that needs the side {BASELINE!r}")
            return 0
        comparison = compare_outputs(executed[BASELINE] / "notebooks", build(course))
    print_comparison(comparison)
    return 1 if comparison.differences or not comparison.compared else 0


def choose_sides(only: str | None) -> dict[str, Side]:
    """Return the sides that are wanted, as far as this neuroprimer has them."""
    command = [sys.executable, "-m", "neuroprimer", "validate", "--help"]
    known = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    sides = {name: side for name, (option, side) in OURS.items() if option in known} | THEIRS
    names = only.split(",") if only else sides
    unknown = [name for name in names if name not in sides]
    if unknown:
        raise SystemExit(f"There is no side {unknown[0]!r}, only: {', '.join(sides)}")
    return {name: sides[name] for name in names}


def require_peers(folder: Path) -> str:
    """Return the interpreter of the other tools; make their environment if it is not there.

    A line in it makes the packages of this environment its own, so that only the tools themselves
    are installed, and nothing that lessons use can differ.
    """
    python, is_complete = folder / "bin" / "python", folder / "complete"
    if not is_complete.exists():
        steps = (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *PEERS],
            [str(python), "-m", "ipykernel", "install", "--sys-prefix"],
        )
        subprocess.run(steps[0], check=True)
        packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
        (packages / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        for step in steps[1:]:
            subprocess.run(step, check=True, stdout=subprocess.DEVNULL)
        is_complete.touch()
    return str(python)


def take_turns(
    sides: Mapping[str, Side], rounds: int, course: Path, python: str
) -> tuple[dict[str, list[Result]], dict[str, Path]]:
    """Let the sides take turns; return what was measured, and the folder of each one's last."""
    found: dict[str, list[Result]] = {side: [] for side in sides}
    folders: dict[str, Path] = {}
    for _ in range(rounds):
        for name, prepare in sides.items():
            folder = Path(tempfile.mkdtemp(dir=course.parent))
            shutil.copytree(course / "notebooks", folder / "notebooks")
            cost = measure(prepare(Place(course=course, folder=folder, python=python)))
            cells_s = _cells_seconds(folder, course) if name in OURS else None
            found[name].append(Result(cost=cost, cells_s=cells_s))
            folders[name] = folder
            print(f"{name}: {cost.wall_s:.1f} s", file=sys.stderr)
    return found, folders


def build(course: Path) -> Path:
    """Have neuroprimer build the course, and return the folder of executed notebooks."""
    folder = Path(tempfile.mkdtemp(dir=course.parent))
    place = Place(course=course, folder=folder, python="")
    command = make_command(place, "build", "--no-strict", "--output", str(folder))
    measure(Turn(commands=[command], folder=str(folder), variables=make_variables(place)))
    return folder / "run" / "notebooks"


def _cells_seconds(folder: Path, course: Path) -> float:
    """Return what neuroprimer reports of the cells, without those that only import."""
    report = json.loads((folder / "stdout.txt").read_text())
    seconds = 0.0
    for lesson in report["lessons"]:
        notebook = nbformat.read(course / "notebooks" / f"{lesson['lesson']}.ipynb", as_version=4)
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        for number, duration_s in lesson["cell_durations_s"].items():
            seconds += 0.0 if _only_imports(code[int(number) - 1]) else duration_s
    return seconds


def _only_imports(code: str) -> bool:
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(code).body)


def print_table(found: Mapping[str, Sequence[Result]]) -> None:
    """Print what each side cost, and how many times what others did."""
    walls = {side: median(one.cost.wall_s for one in results) for side, results in found.items()}
    divisors = {f"/ {side}": walls[side] for side in DIVISORS if side in walls}
    cells = {
        side: median(one.cells_s for one in results if one.cells_s is not None)
        for side, results in found.items()
        if side in OURS
    }
    if cells:
        least = min(cells, key=lambda side: cells[side])
        divisors["/ bound"] = cells[least] / JOBS
        print(
            f"bound: {cells[least] / JOBS:.1f} s, from the cells' {cells[least]:.1f} s in {least}"
        )
    width = max(map(len, walls))
    print(f"{'':{width}}  wall s   CPU s  peak MB  {'  '.join(divisors)}  wall s of each round")
    for side, results in found.items():
        cpu_s = median(one.cost.cpu_s for one in results)
        peak = median(one.cost.peak_bytes for one in results) / 1e6
        ratios = "".join(
            f"  {walls[side] / by:{len(name) - 1}.2f}x" for name, by in divisors.items()
        )
        each = ", ".join(f"{one.cost.wall_s:.1f}" for one in results)
        print(f"{side:{width}}{walls[side]:8.1f}{cpu_s:8.1f}{peak:9.0f}{ratios}  {each}")


if __name__ == "__main__":
    sys.exit(main())
