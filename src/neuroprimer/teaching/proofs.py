"""Proofs: what was tried on an exercise, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one try.

    Parameters
    ----------
    state : str
        ``right``, ``wrong``, ``missing`` (no answer), ``broken`` (the check failed), ``raised``
        (the code did), ``endless`` or ``unchecked`` (it never came to the check).
    message : str
        The feedback, or the error.
    """

    state: str
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Try:
    """A wrong answer or a mutant, and what became of it.

    Parameters
    ----------
    name : str
        The code of a wrong answer, or the name of a mutation.
    words : str
        What the feedback must hold; for a mutant, why it may pass.
    verdict : Verdict
        What became of it.
    """

    name: str
    words: str
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class ProofOutcome:
    """What the proof of one exercise has shown.

    Parameters
    ----------
    exercise_id : str
        Which exercise.
    cell : int
        The code cell that checks it, from 1.
    exercise_ids : tuple of str
        All exercises of the lesson.
    has_solution : bool
        Whether the cell marks one.
    stub, reference : Verdict
        What became of the stub, and of the solution.
    wrong, mutants : tuple of Try
        What became of the named wrong answers, and of the right one made wrong.
    giveaways : tuple of str
        Feedback and hints that tell the answer.
    hints : tuple of str
        For students, one at a time.
    points : float
        What it counts.
    problem : str
        Why nothing could be tried; empty if it could.
    """

    exercise_id: str
    cell: int
    exercise_ids: tuple[str, ...] = ()
    has_solution: bool = True
    stub: Verdict = Verdict(state="unchecked")
    reference: Verdict = Verdict(state="unchecked")
    wrong: tuple[Try, ...] = ()
    mutants: tuple[Try, ...] = ()
    giveaways: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    points: float = 0.0
    problem: str = ""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ProofOutcome":
        """Return what `dataclasses.asdict` has made JSON of, perhaps in another version."""
        known = {one.name for one in fields(cls)}
        tries = {
            name: tuple(
                Try(**{**one, "verdict": Verdict(**one["verdict"])}) for one in content[name]
            )
            for name in ("wrong", "mutants")
        }
        verdicts = {name: Verdict(**content[name]) for name in ("stub", "reference")}
        names = ("exercise_ids", "giveaways", "hints")
        texts = {name: tuple(content.get(name, ())) for name in names}
        kept = {name: value for name, value in content.items() if name in known}
        return cls(**{**kept, **tries, **verdicts, **texts})

    @property
    def survivors(self) -> tuple[Try, ...]:
        """Mutants that the check lets through without anybody having said why."""
        return tuple(one for one in self.mutants if one.verdict.state == "right" and not one.words)

    @property
    def explained(self) -> tuple[Try, ...]:
        """Mutants that the check lets through, and why it may."""
        return tuple(one for one in self.mutants if one.verdict.state == "right" and one.words)
