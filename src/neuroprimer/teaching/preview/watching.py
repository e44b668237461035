"""Watching: a course's files, of which each change becomes a new draft."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from watchfiles import DefaultFilter, watch

from neuroprimer.teaching.citations import CITATION_FILE
from neuroprimer.teaching.course import BOOK_FOLDER, CONFIG
from neuroprimer.teaching.preview.builder import Order, order_line
from neuroprimer.teaching.preview.drafts import PAGES
from neuroprimer.teaching.preview.live_pages import NewsBoard, serving_live
from neuroprimer.teaching.publish.places import make_stage

BUILDER = "neuroprimer.teaching.preview.builder"
PACKAGE = Path(__file__).parents[2]

# How often the builder is listened to while nobody writes, in milliseconds.
LISTEN_MS = 100
# Editors write a file in several steps; what comes within so long is one change.
SETTLE_MS = 50

Message = dict[str, Any]


class Builder:
    """The process that makes drafts, as seen from the one that watches.

    Parameters
    ----------
    order : Order
        What it makes.
    variables : mapping of str to str
        Added to its environment; tell it of plugins.
    """

    def __init__(self, order: Order, variables: Mapping[str, str]) -> None:
        self._said: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-m", BUILDER, order_line(order)],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self) -> None:
        """Ask for a draft; what is still being inspected is left."""
        assert self._process.stdin is not None  # noqa: S101  for mypy: it is a pipe
        with contextlib.suppress(BrokenPipeError):  # it has ended, and will be heard to have
            self._process.stdin.write("draft\n")
            self._process.stdin.flush()

    def messages(self) -> Iterator[Message]:
        """Yield what it has said since."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._said.get_nowait()

    def end(self) -> None:
        """End it, with whatever it is busy with."""
        assert self._process.stdin is not None  # noqa: S101  as above
        with contextlib.suppress(OSError):  # it may be gone
            self._process.stdin.close()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  as above
        with self._process.stdout as lines:
            for line in lines:
                self._said.put(json.loads(line))
        self._said.put({"kind": "ended", "status": self._process.wait()})


class Preview:
    """A course on screen: what has changed, what is being made, what is wrong.

    Parameters
    ----------
    order : Order
        What is built.
    variables : mapping of str to str
        As for `Builder`.
    board : NewsBoard
        From which browsers learn of it.
    say : callable
        Prints a line.
    """

    def __init__(
        self,
        order: Order,
        variables: Mapping[str, str],
        board: NewsBoard,
        say: Callable[[str], None],
    ) -> None:
        self.order, self.variables, self.board, self.say = order, variables, board, say
        self._course = Path(order.course)
        self.folders = self._course_files()
        self.builder: Builder | None = None
        self.is_busy = False  # until the pages are there; inspecting them can be left
        self.wants_draft = True
        self.began = 0.0
        self.problems: list[str] = []

    def look(self, changed: Iterable[Path]) -> None:
        """Take note of files that have changed, and of what the builder says."""
        changed = tuple(changed)
        if changed:
            self.wants_draft = True
            self.say(f"Changed: {', '.join(sorted({file.name for file in changed}))}")
        if any(file.is_relative_to(PACKAGE) for file in changed):
            self.end()  # it has imported what was there before
        for message in self.builder.messages() if self.builder else ():
            self._hear(message)
        if self.wants_draft and not self.is_busy:
            self.wants_draft, self.is_busy = False, True
            self.began = time.perf_counter()
            self.builder = self.builder or Builder(self.order, self.variables)
            self.builder.ask()

    def end(self) -> None:
        """End the builder; the next draft begins with another."""
        if self.builder:
            self.builder.end()
        self.builder, self.is_busy = None, False

    def _course_files(self) -> tuple[Path, ...]:
        return tuple(self._course / name for name in (BOOK_FOLDER, CONFIG, CITATION_FILE))

    def _hear(self, message: Message) -> None:
        getattr(self, f"_hear_{message.pop('kind')}")(**message)

    def _hear_sources(self, folders: Sequence[str]) -> None:
        self.folders = (*self._course_files(), *map(Path, folders))

    def _hear_running(self, lesson: str) -> None:
        self.say(f"{lesson}: running")

    def _hear_pages(self, changed: Sequence[str], problems: list[str]) -> None:
        self.is_busy = False
        took_s = time.perf_counter() - self.began
        n_pages = f"{len(changed)} page{'' if len(changed) == 1 else 's'}"
        self.say(f"{n_pages if changed else 'Nothing'} changed on screen, in {took_s:.1f} s")
        self._show(problems, has_new_pages=bool(changed))

    def _hear_inspected(self, problems: list[str]) -> None:
        if problems:
            self._show([*self.problems, *problems])

    def _hear_problem(self, text: str) -> None:
        self.is_busy = False
        self._show([text])

    def _hear_broken(self, text: str) -> None:
        self._hear_problem(f"This is a fault of neuroprimer; please report it.\n{text}")

    def _hear_ended(self, status: int) -> None:
        """Have no builder until the next change: this one may be why it has ended."""
        self.end()
        self._show([f"The process that builds the course has ended, with status {status}."])

    def _show(self, problems: list[str], *, has_new_pages: bool = False) -> None:
        self.problems = problems
        self.board.tell(problems=problems, has_new_pages=has_new_pages)
        for problem in problems:
            self.say(problem)


def preview_course(
    order: Order,
    variables: Mapping[str, str],
    output: Path,
    *,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Show a course in browsers on this machine and keep it up to date until interrupted.

    Parameters
    ----------
    order : Order
        What is built; the draft's folder is chosen here.
    variables : mapping of str to str
        As for `Builder`.
    output : pathlib.Path
        Gets a folder for the draft, which is gone at the end. The site in it is not touched.
    port : int
        0 takes any that is free.
    say : callable
        Prints a line.

    Raises
    ------
    ServeError
        If the port is taken.
    PublishError
        If the output folder cannot be written.
    """
    # an interrupt is the way to end it, as the words say
    with contextlib.suppress(KeyboardInterrupt), make_stage(output) as draft:
        pages = draft / PAGES
        pages.mkdir()
        board = NewsBoard()
        with serving_live(pages, board, port=port) as address, contextlib.ExitStack() as stack:
            say(f"The course is at {address}, and follows what you write until you press Ctrl-C.")
            order = replace(order, draft=str(draft.absolute()))
            preview = Preview(order, variables, board, say)
            stack.callback(preview.end)
            while True:
                _watch(preview, output)


def _watch(preview: Preview, output: Path) -> None:
    """Watch until there is something else to be watched."""
    folders = preview.folders
    places = [place for place in {*folders, PACKAGE} if place.exists()]
    preview.look(())
    for changes in watch(
        *places,
        watch_filter=DefaultFilter(ignore_paths=[output.absolute()]),
        step=SETTLE_MS,
        rust_timeout=LISTEN_MS,
        yield_on_timeout=True,
    ):
        changed = {Path(file) for _, file in changes}
        preview.look(changed)
        # editors put a new file in the place of the old one, and only the old one is watched
        if preview.folders != folders or changed & set(folders):
            return
