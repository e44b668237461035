"""What a terminal shows: progress while lessons run, tables and findings afterwards."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from neuroprimer.teaching.arrivals import heard_by
from neuroprimer.teaching.event_log import EventLog
from neuroprimer.teaching.reports.rows import proof_row_of, row_of
from neuroprimer.teaching.rules import RULES_PAGE

if TYPE_CHECKING:  # importing these for real would load nbclient for `neuroprimer list`
    from neuroprimer.teaching import Finding, Lesson, LessonEvent
    from neuroprimer.teaching.reports import Figures

PLAIN_WIDTH = 120

# Headings of columns that are read from the right.
NUMBERS = frozenset({"s", "usual", "CPU s", "MB"})


class Watcher(Protocol):
    """Is told how a build goes on."""

    def on_event(self, event: LessonEvent) -> None:
        """Take note of a lesson."""

    def on_step(self, words: str) -> None:
        """Take note of what begins."""


class PlainWatcher:
    """Says a line for each lesson that begins or ends, for logs."""

    def on_event(self, event: LessonEvent) -> None:
        """Print when a lesson begins and ends."""
        if event.result is not None:
            outcome = "failed" if event.result.failure else "ran"
            if event.result.cached:
                self.on_step(f"{event.lesson.id}: cached")
                return
            self.on_step(f"{event.lesson.id}: {outcome} in {event.result.duration_s:.1f} s")
        elif not event.cell:
            self.on_step(f"{event.lesson.id}: running")

    def on_step(self, words: str) -> None:
        """Print the words."""
        print(words, file=sys.stderr, flush=True)  # noqa: T201  this is what a log shows


class BarWatcher:
    """Shows a bar for each lesson, for people.

    Parameters
    ----------
    progress : rich.progress.Progress
        Draws the bars.
    lessons : iterable of Lesson
        Each gets a bar from the start.
    """

    def __init__(self, progress: Progress, lessons: Iterable[Lesson]) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {
            lesson.id: progress.add_task(lesson.id, start=False, total=None, state="waiting")
            for lesson in lessons
        }

    def on_event(self, event: LessonEvent) -> None:
        """Move the lesson's bar."""
        task = self.tasks[event.lesson.id]
        if event.result is not None:
            state = "[green]cached[/]" if event.result.cached else "[green]ran[/]"
            state = "[red]failed[/]" if event.result.failure else state
            self.progress.update(task, total=1, completed=1, state=state)
            self.progress.stop_task(task)
        elif event.cell:
            state = f"cell {event.cell} of {event.cells}"
            self.progress.update(task, total=event.cells, completed=event.cell - 1, state=state)
        else:
            self.progress.start_task(task)
            self.progress.update(task, state="starting")

    def on_step(self, words: str) -> None:
        """Add a bar that only pulses."""
        self.progress.add_task(words, total=None, state="")


class Watchers:
    """Tells several watchers."""

    def __init__(self, *watchers: Watcher) -> None:
        self.watchers = watchers

    def on_event(self, event: LessonEvent) -> None:
        """Tell all of an event."""
        for watcher in self.watchers:
            watcher.on_event(event)

    def on_step(self, words: str) -> None:
        """Tell all of a step."""
        for watcher in self.watchers:
            watcher.on_step(words)


@contextlib.contextmanager
def watch(lessons: Sequence[Lesson], events: Path | None = None) -> Iterator[Watcher]:
    """Show how lessons run: bars on a terminal, plain lines elsewhere, and events in a file."""
    with _watch(lessons) as watcher:
        if events is None:
            yield watcher
            return
        with contextlib.closing(EventLog(events)) as log:
            yield Watchers(log, watcher)


@contextlib.contextmanager
def _watch(lessons: Sequence[Lesson]) -> Iterator[Watcher]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainWatcher()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield BarWatcher(progress, lessons)


@contextlib.contextmanager
def watch_downloads() -> Iterator[None]:
    """Show a bar for each file that is on its way; nothing where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    # rich would send to the console's stream what a command prints to standard output meanwhile
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, completed=done, total=total)
            progress.update(tasks[name], completed=done, total=total, visible=done != total)

        with heard_by(show):
            yield


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table to standard output; where that is no terminal, nothing is cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(
            heading, overflow="fold", justify="right" if heading in NUMBERS else "left"
        )
    for row in rows:
        table.add_row(*map(escape, row))
    _console(stderr=False).print(table)


def print_figures(figures: Sequence[Figures]) -> None:
    """Print what became of each lesson, how long it took, and where."""
    rows = []
    for one in figures:
        row = row_of(one)
        state = "FAILED" if row.state == "failed" else row.state
        measured = (row.wall_s, row.change, row.cpu_s, row.peak_mb, row.start_s)
        rows.append(
            (row.lesson, state, *measured, str(len(one.result.cell_durations_s)), row.slowest)
        )
    print_table(
        ("lesson", "state", "s", "usual", "CPU s", "MB", "kernel start", "cells run", "slowest"),
        rows,
    )


def print_proofs(figures: Sequence[Figures], *, with_words: bool = False) -> None:
    """Print what the proof of each exercise has shown, and on demand what each try was told."""
    proofs = [(one.lesson.id, proof) for one in figures for proof in one.result.proofs]
    rows = [proof_row_of(lesson_id, proof) for lesson_id, proof in proofs]
    if rows:
        print_table(
            ("lesson", "exercise", "stub", "solution", "wrong answers", "changed answers"),
            [(r.lesson, r.exercise, r.stub, r.solution, r.wrong, r.mutants) for r in rows],
        )
    if rows and with_words:
        print_table(
            ("exercise", "answer", "state", "feedback"),
            [
                (
                    proof.exercise_id,
                    " ".join(one.name.split()),
                    one.verdict.state,
                    one.verdict.message,
                )
                for _, proof in proofs
                for one in (*proof.wrong, *proof.mutants)
            ],
        )


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings with their fixes to standard error."""
    console = _console(stderr=True)
    for finding in findings:
        console.print(f"[red]{finding.rule}[/] {escape(str(finding).partition(' ')[2])}")
        console.print(f"      {escape(finding.definition.fix)}")
    if findings:
        console.print(f"The page {RULES_PAGE} of neuroprimer's book tells more of each rule.")


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=stderr)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console
