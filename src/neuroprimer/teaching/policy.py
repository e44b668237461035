"""Policy: what a course lets students see of solutions, and when."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.sealed import write_whole

# Where `neuroprimer open` leaves it for the notebooks in a folder.
POLICY_FILE = ".neuroprimer-course.json"

# How solutions appear on the site.
INLINE, COLLAPSED, AFTER, ABSENT = "inline", "collapsed", "after", "absent"
PLACES = (INLINE, COLLAPSED, AFTER, ABSENT)

FEWEST_ATTEMPTS = 3


class PolicyError(NeuroprimerError, ValueError):
    """A policy that a course cannot have."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a course treats solutions.

    Parameters
    ----------
    solutions : str
        On the site: ``inline`` in the cell, ``collapsed`` below it, ``after`` at the end of the
        lesson, or ``absent``.
    solution_after : int
        In a student's notebook: after how many honest attempts a solution is shown. One that is
        solved is shown at once.
    hints : bool
        Whether the site shows hints. A student's notebook always gives them.

    Examples
    --------
    >>> Policy().solutions
    'collapsed'
    """

    solutions: str = COLLAPSED
    solution_after: int = FEWEST_ATTEMPTS
    hints: bool = True

    def __post_init__(self) -> None:
        if self.solutions not in PLACES:
            raise PolicyError(
                f"Solutions cannot be {self.solutions!r}.", hint=f"Choose of {', '.join(PLACES)}."
            )
        is_count = isinstance(self.solution_after, int) and not isinstance(
            self.solution_after, bool
        )
        if not is_count or self.solution_after < 0:
            raise PolicyError(
                f"Solutions cannot be shown after {self.solution_after!r} attempts.",
                hint="Give a whole number; 0 shows them at once.",
            )
        if not isinstance(self.hints, bool):
            raise PolicyError(
                f"Hints cannot be {self.hints!r}.", hint="Say true or false, without quotes."
            )


def write_policy(policy: Policy, folder: Path) -> None:
    """Leave a policy for the notebooks in a folder."""
    write_whole(folder / POLICY_FILE, json.dumps(asdict(policy), indent=2).encode())


def find_policy(folder: Path) -> Policy:
    """Return the policy of the course that a folder's notebooks belong to.

    Parameters
    ----------
    folder : pathlib.Path
        Where a notebook runs; folders above it are looked at, too.

    Returns
    -------
    policy : Policy
        The usual one where none is found, or the file is damaged.
    """
    for place in (folder, *folder.parents):
        try:
            return Policy(**json.loads((place / POLICY_FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError):
            break
    return Policy()
