"""Faults: what a proof has found wrong with an exercise."""

from collections import Counter
from collections.abc import Iterator

from neuroprimer.teaching.model import Finding
from neuroprimer.teaching.proofs import ProofOutcome, Verdict

# Fewer would prove little.
FEWEST_WRONG_ANSWERS = 2

LONGEST_CODE = 60


def proof_findings(lesson_id: str, proof: ProofOutcome) -> tuple[Finding, ...]:
    """Return what a proof has found wrong with an exercise.

    Parameters
    ----------
    lesson_id : str
        Whose exercise it is.
    proof : ProofOutcome
        What was tried.
    """
    return tuple(
        Finding(
            rule=rule,
            subject=lesson_id,
            cell=proof.cell or None,
            message=f"{proof.exercise_id}: {message}",
        )
        for rule, message in _faults(proof)
    )


def _faults(proof: ProofOutcome) -> Iterator[tuple[str, str]]:
    if proof.problem:
        yield "NP204", proof.problem
        return
    if not proof.has_solution:
        yield "NP205", "its cell marks no solution."
        return
    if len(proof.wrong) < FEWEST_WRONG_ANSWERS:
        yield (
            "NP206",
            f"it has {len(proof.wrong)} wrong answer(s); expected {FEWEST_WRONG_ANSWERS} at least.",
        )
    for text in proof.giveaways:
        yield "NP207", text
    if proof.stub.state == "right":
        yield "NP317", "its check takes the stub for an answer."
    if proof.reference.state != "right":
        yield "NP318", f"its own solution does not pass: {_said(proof.reference)}"
    yield from _faults_of_wrong_answers(proof)
    for mutant in proof.survivors:
        yield "NP320", f"the right answer passes, too, when it is changed: {mutant.name}."
    for one in (*proof.wrong, *proof.mutants):
        if one.verdict.state == "broken":
            yield "NP321", f"{_short(one.name)}: {one.verdict.message}"


def _faults_of_wrong_answers(proof: ProofOutcome) -> Iterator[tuple[str, str]]:
    for one in proof.wrong:
        if one.verdict.state == "right":
            yield "NP319", f"the wrong answer `{_short(one.name)}` passes."
        elif one.words not in one.verdict.message and one.verdict.state != "broken":
            yield (
                "NP319",
                f"the wrong answer `{_short(one.name)}` should be told {one.words!r}; "
                f"{_said(one.verdict)}",
            )
    for words, count in Counter(one.words for one in proof.wrong).items():
        if count > 1:
            yield "NP319", f"{count} wrong answers are told the same: {words!r}."


def _said(verdict: Verdict) -> str:
    return f"{verdict.state}: {verdict.message}" if verdict.message else verdict.state


def _short(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= LONGEST_CODE else f"{line[: LONGEST_CODE - 3]}..."
