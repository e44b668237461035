"""History: how long lessons took and what they held, kept from run to run."""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from neuroprimer.teaching.folders import cache_folder
from neuroprimer.teaching.model import ExecutionResult, Lesson
from neuroprimer.teaching.sealed import write_whole

# So many runs of each lesson are remembered.
MOST_RUNS = 20

# Fewer runs do not tell what is usual.
LEAST_RUNS = 3

# Slower than usual is what takes more than so many times as long; of two short runs on a busy
# machine, one easily takes three times as long as the other.
SLOW_FACTOR = 2.0
SLOW_S = 2.0


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """One run of a lesson that came to its end.

    Parameters
    ----------
    when : str
        Date and time, ISO 8601.
    duration_s, cpu_s : float
        From start to end, and on processors, in seconds.
    peak_bytes : int
        Most memory that it held.
    """

    when: str
    duration_s: float
    cpu_s: float
    peak_bytes: int


def history_file() -> Path:
    """Return where the history of this user's runs is."""
    return cache_folder() / "history.json"


def load_history(file: Path | None = None) -> dict[str, tuple[PastRun, ...]]:
    """Return past runs by lesson id, the last one last; what cannot be read is no history."""
    try:
        content = json.loads((file or history_file()).read_text(encoding="utf-8"))
        return {
            lesson_id: tuple(PastRun(**run) for run in runs) for lesson_id, runs in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def remember(
    results: Iterable[ExecutionResult], when: str, file: Path | None = None
) -> Mapping[str, tuple[PastRun, ...]]:
    """Add runs to the history and return it; a folder that cannot be written is no fault.

    Parameters
    ----------
    results : iterable of ExecutionResult
        Those that failed, or need not run, are passed over.
    when : str
        Date and time, ISO 8601.
    file : pathlib.Path, optional
        Default: this user's.
    """
    file = file or history_file()
    history = load_history(file)
    for result in results:
        if result.failure is None and not result.cached:
            run = PastRun(
                when=when,
                duration_s=round(result.duration_s, 3),
                cpu_s=round(result.cpu_s, 3),
                peak_bytes=result.peak_bytes,
            )
            past = history.get(result.lesson.id, ())
            history[result.lesson.id] = (*past, run)[-MOST_RUNS:]
    with contextlib.suppress(OSError):
        content = {name: [asdict(run) for run in runs] for name, runs in history.items()}
        write_whole(file, json.dumps(content).encode())
    return history


def last_run(history: Mapping[str, tuple[PastRun, ...]], lesson: Lesson) -> PastRun | None:
    """Return the last run of a lesson that came to its end, or None."""
    past = history.get(lesson.id, ())
    return past[-1] if past else None


def usual_s(past: Sequence[PastRun]) -> float | None:
    """Return how long a lesson usually takes, in seconds, or None after too few runs.

    Parameters
    ----------
    past : sequence of PastRun
        Its runs.

    Examples
    --------
    >>> runs = [PastRun(when="", duration_s=s, cpu_s=s, peak_bytes=0) for s in (2.0, 3.0, 90.0)]
    >>> usual_s(runs)
    3.0
    >>> usual_s(runs[:2]) is None
    True
    """
    if len(past) < LEAST_RUNS:
        return None
    return median(run.duration_s for run in past)


def is_slow_down(duration_s: float, usually_s: float) -> bool:
    """Tell whether a run took so much longer than usual that somebody should look.

    Examples
    --------
    >>> is_slow_down(9.0, usually_s=4.0)
    True
    >>> is_slow_down(0.9, usually_s=0.2)
    False
    """
    return duration_s > SLOW_FACTOR * usually_s and duration_s - usually_s > SLOW_S
