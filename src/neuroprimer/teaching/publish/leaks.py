"""Leaks: a site for students, searched for what they are to find out themselves."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nbformat import NotebookNode

from neuroprimer.teaching.exercises.regions import exercise_cells, hidden_tests, plain_source
from neuroprimer.teaching.model import ExecutionResult, Finding
from neuroprimer.teaching.notebooks import code_cells
from neuroprimer.teaching.policy import ABSENT, Policy
from neuroprimer.teaching.publish.solutions import place_solutions

# Shorter lines are no secret: `x = 1` may stand anywhere.
SHORTEST_SECRET = 15

TEXT_SUFFIXES = frozenset(
    {".html", ".ipynb", ".js", ".json", ".md", ".py", ".svg", ".txt", ".xml", ".csv"}
)
TAG = re.compile(r"<[^>]*>")
ESCAPED = re.compile(r"\\+([nt\"'/\\])")


def find_leaks(
    site: Path, results: Iterable[ExecutionResult], policy: Policy
) -> tuple[Finding, ...]:
    """Return a finding for each file of a site that gives something away.

    Parameters
    ----------
    site : pathlib.Path
        The folder with what is to be published. Every text in it is read: pages, notebooks, the
        search index, metadata, sources.
    results : iterable of ExecutionResult
        The lessons, with the proofs of their exercises.
    policy : Policy
        Where it wants solutions absent, their code is a secret, too. Wrong answers and hidden
        tests always are.
    """
    results = tuple(results)
    # what one lesson asks for another may well teach
    shown = "\n".join(_shown(one.source, policy) for one in results if one.source is not None)
    secrets = {
        secret: (result.lesson.id, what)
        for result in results
        for what, secret in secrets_of(result, policy)
        if secret not in shown
    }
    if not secrets:
        return ()
    findings = []
    for file in sorted(site.rglob("*")):
        if file.suffix not in TEXT_SUFFIXES or not file.is_file():
            continue
        forms = _forms_of(file.read_text(encoding="utf-8", errors="replace"))
        for secret, (lesson_id, what) in secrets.items():
            if any(secret in form for form in forms):
                name = file.relative_to(site).as_posix()
                findings.append(
                    Finding(rule="NP408", subject=lesson_id, message=f"{name} holds {what}.")
                )
    return tuple(dict.fromkeys(findings))


def secrets_of(result: ExecutionResult, policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield what a lesson's secrets are, and their text without white space.

    Parameters
    ----------
    result : ExecutionResult
        A run of the lesson, with its proofs.
    policy : Policy
        Of the course.

    Yields
    ------
    what, secret : str, str
        A line each; short ones are none.
    """
    if result.source is None:
        return
    secrets = [
        *(
            ("a wrong answer of " + proof.exercise_id, one.name)
            for proof in result.proofs
            for one in proof.wrong
        ),
        *(
            ("a hidden test", code)
            for _, cell in code_cells(result.source)
            for code in hidden_tests(cell.source)
        ),
    ]
    if policy.solutions == ABSENT:
        secrets += [
            ("the solution of " + cell.exercise_id, cell.solution)
            for cell in exercise_cells(result.source)
        ]
    for what, code in secrets:
        for line in code.splitlines():
            secret = _squeezed(line)
            if len(secret) >= SHORTEST_SECRET:
                yield what, secret


def _shown(source: NotebookNode, policy: Policy) -> str:
    """Return all that a lesson's page is to say, without white space."""
    page = place_solutions(source, policy)
    return _squeezed("\n".join(plain_source(cell) for cell in page.cells))


def _forms_of(text: str) -> Mapping[str, None]:
    """Return a file's text in the ways in which code may stand in it."""
    plain = html.unescape(TAG.sub("", text))
    unescaped = ESCAPED.sub(lambda match: "" if match[1] in "nt" else match[1], text)
    return dict.fromkeys(map(_squeezed, (text, plain, unescaped, html.unescape(unescaped))))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
