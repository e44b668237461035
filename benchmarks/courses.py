"""Courses: as many lessons as one likes, of the kinds that lie in the folder ``course``.

Run ``python benchmarks/courses.py FOLDER`` to write one and look at it. Each kind is a lesson of 9
to 12 code cells. It prints and draws the same in every run, and needs no network. Eight of the
twelve import nilearn; the others get by with numpy, nibabel, matplotlib, scipy and pandas.
"""

import argparse
import itertools
import re
from pathlib import Path

import jupytext
import nbformat

TEMPLATES = Path(__file__).parent / "course"

# In this order, so that a short course is a mixed one, too.
KINDS = (
    "smoothing",
    "arrays",
    "first-level",
    "viewing",
    "headers",
    "masking",
    "decoding",
    "tables",
    "template",
    "resampling",
    "filters",
    "networks",
)

PLUGIN = '''"""All lessons of the course."""

from importlib.util import find_spec
from pathlib import Path

from neuroprimer.teaching import hookimpl, load_lesson


@hookimpl
def register_lessons():
    return [load_lesson(file) for file in sorted(Path(__file__).parent.glob("*.md"))]


@hookimpl
def register_preloads():
    # Only functions of installed packages can be called. None of nilearn's that takes no arguments
    # prepares the template at 2 mm, so there are some beside the course, as if it were a package:
    # they are used where PYTHONPATH names their folder.
    if find_spec("course_warm_ups") is None:
        return []
    return ["course_warm_ups:load_template", "course_warm_ups:draw"]
'''

WARM_UPS = '''"""What fills caches that many lessons of the course would fill again."""


def load_template():
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

    load_mni152_template(resolution=2)
    load_mni152_brain_mask(resolution=2)


def draw():
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    figure.subplots().set(title="title", xlabel="x", ylabel="y")
    figure.savefig(BytesIO(), format="png")
'''


def make_course(folder: Path, n_lessons: int = len(KINDS)) -> None:
    """Write a course, and beside it the same lessons as notebooks for other tools.

    Parameters
    ----------
    folder : pathlib.Path
        Gets ``book``, ``plugins`` with the lessons, ``notebooks`` with the same ones, and
        ``package``, a folder for PYTHONPATH, with functions that a fork server may call.
    n_lessons : int
        How many. Beyond twelve the kinds come again, with other seeds.
    """
    for name in ("book", "notebooks", "package", "plugins"):
        (folder / name).mkdir(parents=True)
    (folder / "book" / "course.toml").write_text('title = "A course of many lessons"\n')
    (folder / "book" / "intro.md").write_text("# A course of many lessons\n\nWelcome.\n")
    (folder / "package" / "course_warm_ups.py").write_text(WARM_UPS)
    (folder / "plugins" / "brings_all.py").write_text(PLUGIN)
    for number, kind in zip(range(n_lessons), itertools.cycle(KINDS), strict=False):
        seed = number // len(KINDS)
        name = f"{kind}-{seed + 1}" if seed else kind
        text = make_lesson(kind, name, seed)
        (folder / "plugins" / f"{name}.md").write_text(text)
        nbformat.write(_make_notebook(text), folder / "notebooks" / f"{name}.ipynb")


def make_lesson(kind: str, name: str, seed: int) -> str:
    """Return the MyST text of a lesson.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    name : str
        What shall be its id.
    seed : int
        Of its random numbers.
    """
    text = (TEMPLATES / f"{kind}.md").read_text()
    text = text.replace(f"  id: {kind}\n", f"  id: {name}\n", 1)
    if seed:
        text = re.sub(r"^# .*", rf"\g<0>, part {seed + 1}", text, count=1, flags=re.MULTILINE)
    return text.replace("default_rng(SEED)", f"default_rng({seed})")


def _make_notebook(text: str) -> nbformat.NotebookNode:
    notebook = jupytext.reads(text, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"  # jupytext draws them
    return notebook


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lessons", type=int, default=len(KINDS))
    options = parser.parse_args()
    make_course(options.folder, options.lessons)
