"""Files of progress, events in them, and other processes that write there as well."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from neuroprimer.teaching.progress.store import ATTEMPT, Event, Progress

StartScript = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    """Return progress in a file that does not exist yet."""
    return Progress(tmp_path / "data" / "progress.sqlite")


@pytest.fixture(scope="session")
def make_event() -> Callable[..., Event]:
    """Make an event, an attempt at one exercise unless more is said."""

    def make(kind: str = ATTEMPT, **options: object) -> Event:
        return Event(**{"lesson_id": "affines", "exercise_id": "inverse", "kind": kind, **options})

    return make


@pytest.fixture
def start_script(progress: Progress) -> Iterator[StartScript]:
    """Start a process with `progress` and `event(message)`; it is told to go on by a line."""
    started = []

    def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + dedent(script), progress.path, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


PREAMBLE = """
import sys
from pathlib import Path
from neuroprimer.teaching.progress import database
from neuroprimer.teaching.progress.store import ATTEMPT, INSERT, Event, Progress

progress = Progress(Path(sys.argv[1]))


def event(message):
    return Event(lesson_id="affines", exercise_id="inverse", kind=ATTEMPT, message=message)


print("ready", flush=True)
sys.stdin.readline()
"""
