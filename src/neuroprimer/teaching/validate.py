"""Validation: a lesson's source and its run, held against the numbered rules."""

import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from neuroprimer.teaching.exercises.faults import proof_findings
from neuroprimer.teaching.exercises.regions import exercise_cells, has_quiz
from neuroprimer.teaching.golden.comparing import (
    blind_findings,
    mark_findings,
    record_findings,
)
from neuroprimer.teaching.kernels.workshop import FOLDER_PREFIX
from neuroprimer.teaching.model import ExecutionResult, Finding, Lesson, ValidationReport
from neuroprimer.teaching.notebooks import ANSI, code_cells, output_texts, tags_of

FIGURE_KINDS = ("image/png", "image/jpeg", "image/svg+xml")
HIDING_TAGS = frozenset({"remove-cell", "remove-output"})

# A cell with both of these has no place on the page at all.
NOTHING_LEFT = frozenset({"remove-input", "remove-output"})

# What a viewer stands in.
FRAME = re.compile(r"<iframe\b", re.IGNORECASE)

# Folders that every machine has alike give nothing away and are spoken of in lessons.
COMMON_FOLDERS = frozenset(map(Path, ("/", "/usr", "/usr/local", "/home", "/tmp")))  # noqa: S108  # none is written to


def validate_run(result: ExecutionResult, *, against_records: bool = True) -> ValidationReport:
    """Hold one lesson against all rules that need no site.

    Parameters
    ----------
    result : ExecutionResult
        A run, complete or not.
    against_records : bool
        Whether golden cells must give what is recorded. Otherwise they are about to be recorded.

    Returns
    -------
    report : ValidationReport
        It has passed when it has no finding.
    """
    lesson = result.lesson
    findings = (
        *(_source_findings(lesson, result.source) if result.source else ()),
        *((result.failure,) if result.failure else ()),
        *(_run_findings(lesson.id, result.notebook) if result.notebook else ()),
        *(finding for proof in result.proofs for finding in proof_findings(lesson.id, proof)),
        *(() if result.failure else _exercise_findings(lesson, result)),
        *(() if result.failure else blind_findings(result)),
        *(record_findings(result) if against_records and not result.failure else ()),
    )
    return ValidationReport(result=result, findings=findings)


def _exercise_findings(lesson: Lesson, result: ExecutionResult) -> Iterable[Finding]:
    """Yield what is wrong with exercises that were not tried."""
    if result.source is None:
        return
    checked = {proof.exercise_id for proof in result.proofs}
    listed = result.proofs[0].exercise_ids if result.proofs else ()
    told = [f"{id_}: no cell checks it." for id_ in listed if id_ not in checked]
    cells = list(exercise_cells(result.source))
    if not lesson.exercises:
        told += [f"{cell.exercise_id}: the metadata name no file of exercises." for cell in cells]
    elif not cells and not has_quiz(result.source):
        told.append(f"no cell checks an exercise of {lesson.exercises}, or shows a quiz.")
    for message in told:
        yield Finding(rule="NP205", subject=lesson.id, message=message)


def shown_cells(notebook: NotebookNode) -> tuple[tuple[int, NotebookNode], ...]:
    """Return number, from 1, and cell of all code cells that a lesson's page has a place for."""
    return tuple(
        (number, cell)
        for number, cell in code_cells(notebook)
        if "remove-cell" not in tags_of(cell) and not tags_of(cell) >= NOTHING_LEFT
    )


def machine_folders(*others: Path) -> tuple[str, ...]:
    """Return the beginnings of paths that tell of this machine.

    Parameters
    ----------
    *others : pathlib.Path
        Further folders, such as the one that holds the course.

    Returns
    -------
    folders : tuple of str
        Home, the Python environment, kernels' private folders and `others`, each as text that a
        path in it begins with.
    """
    home = Path.home()
    folders = {home, Path(sys.prefix), Path(sysconfig.get_path("purelib")), *others}
    folders = {form for folder in folders for form in (folder.absolute(), folder.resolve())}
    telling = {f"{folder}/" for folder in folders - COMMON_FOLDERS}
    # IPython writes the home folder as ~ in tracebacks
    telling |= {
        f"~/{folder.relative_to(home)}/"
        for folder in folders - {home}
        if folder.is_relative_to(home)
    }
    temporary = Path(tempfile.gettempdir())
    telling |= {f"{form}/{FOLDER_PREFIX}" for form in (temporary, temporary.resolve())}
    return tuple(sorted(telling))


def find_machine_folder(text: str, folders: Iterable[str]) -> str | None:
    """Return the first of some folders that a text names, or None.

    Examples
    --------
    >>> find_machine_folder("saved to /home/ada/brain.nii", ["/home/ada/"])
    '/home/ada/'
    >>> find_machine_folder("see docs/home/ada/notes", ["/home/ada/"]) is None
    True
    """
    for folder in folders:
        # a longer path that merely ends in the same words is another one
        if folder in text and re.search(rf"(?<![\w.~-]){re.escape(folder)}", text):
            return folder
    return None


def _source_findings(lesson: Lesson, source: NotebookNode) -> tuple[Finding, ...]:
    findings = [
        Finding(
            rule="NP202",
            subject=lesson.id,
            cell=number,
            message=f"its source file {lesson.path.name} holds {len(cell.outputs)} output(s); "
            "expected none.",
        )
        for number, cell in code_cells(source)
        if cell.outputs
    ]
    if not list(code_cells(source)):
        findings.append(
            Finding(
                rule="NP203", subject=lesson.id, message=f"{lesson.path.name} has no code cell."
            )
        )
    return (*findings, *mark_findings(lesson.id, source))


def _run_findings(lesson_id: str, notebook: NotebookNode) -> tuple[Finding, ...]:
    """Return what is wrong with what came out of the cells that ran."""
    folders = machine_folders()
    findings = []
    for number, cell in code_cells(notebook):
        if cell.execution_count is None:
            continue
        for rule, message in (
            ("NP306", _missing_error(cell)),
            ("NP307", _unexpected_stderr(cell)),
            ("NP308", _figure_without_text(cell)),
            ("NP309", _machine_folder(cell, folders)),
        ):
            if message:
                findings.append(Finding(rule=rule, subject=lesson_id, cell=number, message=message))
    return tuple(findings)


def _missing_error(cell: NotebookNode) -> str:
    if "raises-exception" not in tags_of(cell):
        return ""
    # IPython writes some errors, such as exception groups, to the standard error only
    raised = any(
        output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs
    )
    return "" if raised else "it is tagged `raises-exception` and ran to its end."


def _unexpected_stderr(cell: NotebookNode) -> str:
    if tags_of(cell) & {"stderr-expected", "raises-exception"}:
        return ""
    words = " ".join(text for kind, text in output_texts(cell) if kind == "stderr").split()
    said = ANSI.sub("", " ".join(words))
    return f"standard error says: {said[:300]}" if said else ""


def _figure_without_text(cell: NotebookNode) -> str:
    figures = [output for output in cell.outputs if _is_figure(output)]
    if not figures or alt_text(cell) or tags_of(cell) & HIDING_TAGS:
        return ""
    return f"it shows {len(figures)} figure(s) and has no alt text."


def _is_figure(output: NotebookNode) -> bool:
    """Tell whether an output is a picture, or a viewer in a frame."""
    data = output.get("data", {})
    return any(kind in data for kind in FIGURE_KINDS) or bool(
        FRAME.search(data.get("text/html", ""))
    )


def alt_text(cell: NotebookNode) -> str:
    """Return the text for a cell's figures; authors may have left any part of it out."""
    value: object = cell.metadata
    for key in ("mystnb", "image", "alt"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value.strip() if isinstance(value, str) else ""


def _machine_folder(cell: NotebookNode, folders: Iterable[str]) -> str:
    for kind, text in output_texts(cell):
        folder = find_machine_folder(text, folders)
        if folder:
            return f"its {kind} output names {folder}"
    return ""
