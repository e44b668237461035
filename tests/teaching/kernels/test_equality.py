"""The same lesson does the same, whether its kernel is forked or started from nothing."""

import pytest

from neuroprimer.teaching import execute_lessons
from neuroprimer.teaching.notebooks import make_reproducible

pytestmark = pytest.mark.kernel

CELLS = (
    # what is said on import, by a module of the course and by Python
    "import speaks",
    "import json, sys\nprint('speaks' in sys.modules, 'decimal' in sys.modules)",
    # a table wider than a page
    """
    import numpy as np
    import pandas as pd
    rng = np.random.default_rng(3)
    pd.DataFrame(rng.normal(size=(3, 30)))
    """,
    "print(pd.DataFrame(rng.normal(size=(2, 30))))",
    # figures: shown by the end of a cell, asked for, and left open by an earlier cell
    """
    import matplotlib.pyplot as plt
    import styles
    plt.plot(rng.normal(size=20))
    """,
    "figure, axes = plt.subplots()\naxes.hist(rng.normal(size=99))\nplt.show()\nprint('shown')",
    "figure",
    "from IPython.display import Markdown, display\ndisplay(Markdown('**bold**'), 1, figure)",
    # errors and warnings
    "---\ntags: [raises-exception]\n---\nnp.linalg.inv([[0, 0], [0, 0]])",
    "---\ntags: [raises-exception]\n---\nspeaks.fail()",
    "import warnings\nwarnings.warn('a lesson warns')\nnp.log([0.0])",
    # chance with a seed, of either kind
    "import random\nrandom.seed(5)\nnp.random.seed(5)\nprint(random.random(), np.random.rand())",
    # what is there and what is not
    "---\ntags: [raises-exception]\n---\nimport xml\nxml.dom",
    "plt.rcParams['lines.linewidth'], plt.get_backend(), plt.isinteractive()",
    "print(sys.argv[0].rpartition('/')[2], __name__, sorted(globals())[:5])\nobject()",
)


@pytest.fixture
def lessons(make_lesson, bench, monkeypatch):
    """A lesson that shows all kinds of output, and one whose imports must not reach it."""
    bench.write(
        speaks="""
            import sys, warnings
            print("hello")
            print("oh", file=sys.stderr)
            warnings.warn("this module is old", FutureWarning)
            def fail():
                raise OSError("no scanner")
        """,
        styles="import matplotlib\nmatplotlib.rcParams['lines.linewidth'] = 4",
        disturbs="""
            import decimal, warnings, xml.dom
            import matplotlib.pyplot
            warnings.simplefilter("ignore")
            matplotlib.pyplot.rcParams["figure.figsize"] = (1, 1)
        """,
    )
    monkeypatch.setenv("PYTHONPATH", bench.search_path)
    return [make_lesson(*CELLS), make_lesson("import disturbs", lesson_id="other")]


def run(lesson, *before, forks):
    """Return what a lesson does in a forked kernel or in a plain one, after others have run."""
    *_, result = execute_lessons([*before, lesson], jobs=1, forks=forks)
    assert result.failure is None
    assert result.why_plain == ""
    return make_reproducible(result.notebook)


def test_run_in_a_forked_kernel_is_the_run_in_a_plain_one(lessons):
    lesson, other = lessons

    forked, plain = run(lesson, other, forks=True), run(lesson, forks=False)

    for number, (ours, theirs) in enumerate(zip(forked.cells, plain.cells, strict=True)):
        assert (number, ours) == (number, theirs)
    assert forked == plain
    # both could be equal and empty: a proof once drew no picture, and nobody noticed
    outputs = [output for cell in forked.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert sum("text/html" in output.get("data", {}) for output in outputs) == 1
    assert sum(output.output_type == "error" for output in outputs) == 3
