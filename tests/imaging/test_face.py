"""The face of the library: what it offers is there, is shown by example, stands in the book."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from neuroprimer import imaging

PAGE = (Path(__file__).parents[2] / "book/library.md").read_text()


@pytest.mark.parametrize("name", imaging.__all__)
def test_name_stands_in_the_book_with_the_first_line_of_its_help(name):
    first_line = inspect.getdoc(getattr(imaging, name)).splitlines()[0]

    assert f"| `{name}` | {first_line} |" in PAGE.splitlines()


def test_book_names_nothing_that_does_not_exist():
    named = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}

    assert named == set(imaging.__all__)


@pytest.mark.parametrize("name", imaging.__all__)
def test_help_shows_an_example(name):
    assert ">>>" in inspect.getdoc(getattr(imaging, name))


def test_importing_the_library_loads_nothing_heavy():
    program = "import sys, neuroprimer.imaging; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}

    assert done.returncode == 0, done.stderr
    assert not loaded & {"numpy", "nibabel", "nilearn", "matplotlib", "scipy", "pandas", "sklearn"}


@pytest.mark.parametrize(
    "use",
    ["load_image(PATH)", "describe(PATH)", "mean_image(PATH)", "transform_image(PATH_IMAGE, EYE)"],
)
def test_first_steps_load_neither_nilearn_nor_matplotlib(use):
    program = f"""
import sys
import numpy as np
import neuroprimer.imaging as imaging
from nibabel.testing import data_path
PATH = data_path / "functional.nii"
PATH_IMAGE, EYE = imaging.load_image(data_path / "anatomical.nii"), np.eye(4)
imaging.{use}
assert not {{"nilearn", "matplotlib", "sklearn", "numba"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
