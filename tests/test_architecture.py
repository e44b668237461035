"""The walls of the house, and that they would be noticed if they fell."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

LINT_IMPORTS = "from importlinter.cli import lint_imports_command as command; command()"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'src'}:{folder / 'lessons'}"
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        cwd=folder,
        env={"PYTHONPATH": path, "PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    for folder in ("src", "lessons"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_hold(copy_of_the_house):
    done = lint_imports(copy_of_the_house)

    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("teaching/model.py", "import numpy", "teaching knows no voxel"),
        ("imaging/space/affines.py", "import pluggy", "imaging knows no lesson"),
        (
            "imaging/space/grids.py",
            "import neuroprimer.teaching.model",
            "imaging knows no lesson|wings",
        ),
        ("errors.py", "import neuroprimer.imaging.space.affines", "one ground"),
        ("imaging/space/affines.py", "import neuroprimer.imaging.files.times", "imaging, from"),
        ("imaging/space/affines.py", "import neuroprimer.imaging.space.grids", "imaging.space, "),
        ("teaching/model.py", "import neuroprimer.teaching.build", "teaching, from the ground up"),
        ("teaching/catalogue.py", "import neuroprimer_lessons.plugin", "teaching knows no voxel"),
    ],
)
def test_forbidden_import_is_noticed(copy_of_the_house, module, forbidden, contract):
    file = copy_of_the_house / "src" / "neuroprimer" / module
    file.write_text(f"{forbidden}\n{file.read_text()}")

    done = lint_imports(copy_of_the_house)

    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(name in line for line in broken for name in contract.split("|"))


HEAVY = {
    "numpy",
    "nibabel",
    "scipy",
    "pandas",
    "matplotlib",
    "nilearn",
    "nbclient",
    "nbformat",
    "jupytext",
    "requests",
}


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["plugins", "list"],
        ["show", "smoothing"],
        ["show", "first-level-model"],
        ["data", "list"],
    ],
    ids=" ".join,
)
def test_light_commands_load_nothing_heavy(command):
    code = (
        "import sys; from neuroprimer.cli import cli; "
        f"cli({command!r}, standalone_mode=False); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_imaging_loads_nilearn_and_matplotlib_only_when_used():
    code = (
        "import sys; import neuroprimer.imaging as imaging; imaging.voxel_to_world; "
        "print(sorted({'nilearn', 'matplotlib', 'sklearn', 'pandas'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
