"""What lessons import, read from their code, so that it can be imported before they run."""

import ast
import re
from collections.abc import Iterable

from neuroprimer.teaching.catalogue import load_catalogue_here
from neuroprimer.teaching.kernels.preloads import statements_of_plugins
from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.notebooks import NotebookError, code_cells, read_notebook

# IPython's own lines, which are no Python.
MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)

# What `neuroprimer.lesson()` loads when a lesson calls it.
CLASSROOM = "import neuroprimer.teaching.classroom"


def import_statements(code: str) -> tuple[str, ...]:
    r"""Return the imports of a piece of code, each as a statement of its own.

    Parameters
    ----------
    code : str
        Of one cell or of a whole notebook.

    Returns
    -------
    statements : tuple of str
        Without aliases, in order. None if the code cannot be parsed.

    Examples
    --------
    >>> import_statements("%matplotlib inline\nimport numpy as np\nfrom nilearn import plotting")
    ('import numpy', 'from nilearn import plotting')
    """
    try:
        tree = ast.parse(MAGIC.sub("", code))
    except (SyntaxError, ValueError):
        return ()
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [f"import {alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [
                f"from {node.module} import {alias.name}"
                if alias.name != "*"
                else f"import {node.module}"
                for alias in node.names
                if node.module != "__future__"
            ]
    if "import neuroprimer" in found:
        found.append(CLASSROOM)
    return tuple(dict.fromkeys(found))


def statements_of_lessons(lessons: Iterable[Lesson]) -> tuple[str, ...]:
    """Return the imports of all cells of some lessons; one that cannot be read has none."""
    found: list[str] = []
    for lesson in lessons:
        try:
            notebook = read_notebook(lesson.path)
        except NotebookError:
            continue
        for _, cell in code_cells(notebook):
            found += import_statements(cell.source)
    return tuple(dict.fromkeys(found))


def statements_of_installed_lessons() -> tuple[str, ...]:
    """Return what all lessons of all installed plugins import, for tools that ask for a kernel."""
    catalogue = load_catalogue_here()
    lessons = statements_of_lessons(catalogue.lessons.values())
    return (*lessons, *statements_of_plugins(catalogue.manager))
