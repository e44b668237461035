"""Regions: which part of a cell is the solution, and what stands there for students.

The markers are nbgrader's, so that a course can move either way. A cell tagged ``solution`` is one
as a whole, but for its call of ``lesson.check``.
"""

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.notebooks import code_cells, tags_of

SOLUTION_TAG = "solution"
BEGIN = re.compile(r"^[ \t]*### BEGIN SOLUTION[ \t]*$")
END = re.compile(r"^[ \t]*### END SOLUTION[ \t]*$")
HIDDEN_TESTS = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS[ \t]*\n.*?^[ \t]*### END HIDDEN TESTS[ \t]*\n?",
    re.DOTALL | re.MULTILINE,
)
HIDDEN_MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) HIDDEN TESTS[ \t]*$", re.MULTILINE)
QUIZ_CALL = re.compile(r"^\w+\.quiz\(", re.MULTILINE)
CHECK_CALL = re.compile(r"^\w+\.check\(\s*(['\"])(?P<id>[^'\"]+)\1", re.MULTILINE)

STUB = "# YOUR CODE HERE"

# What these define, nobody sees outside of them.
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class RegionError(NeuroprimerError, ValueError):
    """Markers of a solution that do not belong together."""


@dataclass(frozen=True, kw_only=True)
class ExerciseCell:
    """A cell with an exercise, taken apart.

    Parameters
    ----------
    number : int
        Of the code cell, from 1.
    exercise_id : str
        What its call of ``check`` names.
    before, solution, after : str
        The cell's code, without markers. The solution is empty where none is marked.
    stub : str
        What students find in the place of the solution.
    """

    number: int
    exercise_id: str
    before: str
    solution: str
    after: str
    stub: str

    def with_code(self, code: str) -> str:
        """Return the cell with other code in the place of the solution."""
        return "\n".join(part for part in (self.before, code, self.after) if part.strip())


def exercise_cells(notebook: NotebookNode) -> Iterator[ExerciseCell]:
    """Yield the cells of a notebook that check an exercise.

    Raises
    ------
    RegionError
        If a cell's markers do not belong together.
    """
    cells = list(code_cells(notebook))
    for number, cell in cells:
        call = CHECK_CALL.search(cell.source)
        if call is None:
            continue
        before, solution, after = _parts(cell)
        later = [after, *(other.source for n, other in cells if n > number)]
        yield ExerciseCell(
            number=number,
            exercise_id=call["id"],
            before=before,
            solution=solution,
            after=after,
            stub=make_stub(solution, later),
        )


def has_solution(cell: NotebookNode) -> bool:
    """Tell whether a cell marks a solution.

    Raises
    ------
    RegionError
        If its markers do not belong together.
    """
    return bool(_parts(cell)[1].strip())


def plain_source(cell: NotebookNode) -> str:
    """Return a cell's text without markers, hidden tests and what they hold."""
    lines = HIDDEN_TESTS.sub("", cell.source).splitlines()
    return "\n".join(line for line in lines if not BEGIN.match(line) and not END.match(line))


def hidden_tests(source: str) -> list[str]:
    """Return the code of a cell's hidden tests."""
    return [
        "\n".join(found.strip("\n").splitlines()[1:-1]) for found in HIDDEN_TESTS.findall(source)
    ]


def has_quiz(notebook: NotebookNode) -> bool:
    """Tell whether a notebook shows a quiz."""
    return any(QUIZ_CALL.search(cell.source) for _, cell in code_cells(notebook))


def student_source(cell: NotebookNode, later: Iterable[str]) -> str:
    """Return a cell's code as students find it: stubs for solutions, no hidden tests.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        A code cell.
    later : iterable of str
        The code of the cells after it, whose names a stub must give.

    Raises
    ------
    RegionError
        If its markers do not belong together.
    """
    before, solution, after = _parts(cell)
    if not solution.strip():
        return _without_hidden_tests(cell.source)
    stub = make_stub(solution, [after, *later])
    text = "\n".join(part for part in (before, stub, after) if part.strip())
    return _without_hidden_tests(text)


def _without_hidden_tests(source: str) -> str:
    text = HIDDEN_TESTS.sub("", source).rstrip("\n")
    if HIDDEN_MARKER.search(text):
        raise RegionError(
            "A cell has a line `### BEGIN HIDDEN TESTS` or `### END HIDDEN TESTS` alone.",
            hint="Add the other line, so that students do not see what is hidden.",
        )
    return text


def make_stub(solution: str, later: Iterable[str]) -> str:
    r"""Return what stands for a solution: the names that are used later, without their values.

    Parameters
    ----------
    solution : str
        Code.
    later : iterable of str
        Code that comes after it.

    Examples
    --------
    >>> print(make_stub("half = shape[0] / 2\norigin = half - 1", ["print(origin)"]))
    # YOUR CODE HERE
    origin = ...
    >>> print(make_stub("def turn(angle_rad):\n    return angle_rad / 2", ["turn(1)"]))
    # YOUR CODE HERE
    def turn(angle_rad):
        return ...
    """
    indent = re.match(r"[ \t]*", solution)
    margin = indent[0] if indent else ""
    used = {name for code in later for name in re.findall(r"[^\W\d]\w*", code)}
    lines = [STUB]
    for name, line in _definitions(textwrap.dedent(solution)):
        if name in used and line not in lines:
            lines.append(line)
    return textwrap.indent("\n".join(lines), margin)


def _definitions(code: str) -> Iterator[tuple[str, str]]:
    """Yield each name that code gives a value, with a line that gives it none."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:  # lines for IPython
        return
    for statement in statements:
        yield from _definitions_in(statement)


def _definitions_in(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what a node defines for the code after it, wherever in the node that stands."""
    if isinstance(node, ast.FunctionDef):
        yield node.name, f"def {node.name}({ast.unparse(node.args)}):\n    return ..."
    elif isinstance(node, ast.ClassDef):
        yield node.name, f"class {node.name}:\n    ..."
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, f"{node.id} = ..."
    elif not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _definitions_in(child)


def _parts(cell: NotebookNode) -> tuple[str, str, str]:
    """Return what stands before the solution, the solution, and what stands after it."""
    lines = cell.source.splitlines()
    begins = [place for place, line in enumerate(lines) if BEGIN.match(line)]
    ends = [place for place, line in enumerate(lines) if END.match(line)]
    if not begins and not ends:
        if SOLUTION_TAG not in tags_of(cell):
            return cell.source, "", ""
        call = CHECK_CALL.search(cell.source)
        at = call.start() if call else len(cell.source)
        return "", cell.source[:at].rstrip("\n"), cell.source[at:]
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise RegionError(
            f"A cell has {len(begins)} line(s) `### BEGIN SOLUTION` and {len(ends)} line(s) "
            "`### END SOLUTION`; expected one of each, in this order.",
            hint="Put exercises with several solutions into several cells.",
        )
    begin, end = begins[0], ends[0]
    parts = lines[:begin], lines[begin + 1 : end], lines[end + 1 :]
    before, solution, after = ("\n".join(part) for part in parts)
    return before, solution, after
