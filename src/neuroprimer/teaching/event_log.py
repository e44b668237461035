"""The event log: what happens during a build, a JSON object a line, for programs that watch."""

import json
import time
from pathlib import Path
from typing import IO, Any

from neuroprimer.teaching.events import LessonEvent
from neuroprimer.teaching.reports.files import report_error


class EventLog:
    """Writes events to a file as they happen.

    The figures of a cached lesson are those of the run that stands in for it.

    Parameters
    ----------
    file : pathlib.Path
        Is written anew. A pipe or ``/dev/stderr`` will do.

    Raises
    ------
    ReportError
        If the file cannot be written.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._stream: IO[str] = file.open("w", encoding="utf-8")
        except OSError as error:
            raise report_error(file, error) from error

    def on_event(self, event: LessonEvent) -> None:
        """Write what happened to a lesson."""
        content: dict[str, Any] = {"lesson": event.lesson.id}
        if event.result is not None:
            failure = event.result.failure
            outcome = "cached" if event.result.cached else "ran"
            content |= {
                "event": "lesson_ended",
                "outcome": "failed" if failure else outcome,
                "failure": str(failure) if failure else None,
                "duration_s": round(event.result.duration_s, 3),
                "cpu_s": round(event.result.cpu_s, 3),
                "peak_bytes": event.result.peak_bytes,
            }
        elif event.cell:
            content |= {"event": "cell_began", "cell": event.cell, "cells": event.cells}
        else:
            content |= {"event": "lesson_began"}
        self._write(content)

    def on_step(self, words: str) -> None:
        """Write what a build begins besides lessons."""
        self._write({"event": "step_began", "step": words})

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _write(self, content: dict[str, Any]) -> None:
        line = {"time": round(time.time(), 3), **content}
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
