"""The builder: a process that stays, so that each draft begins with everything imported.

It reads a line for each draft that is wanted, and makes it in a child: what the book tool leaves
behind in its process is gone with it. What happens is told in lines of JSON. Which plugins there
are, it learns from its environment.
"""

import contextlib
import gc
import json
import os
import select
import signal
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import load_catalogue_here
from neuroprimer.teaching.course import load_course, require_lessons
from neuroprimer.teaching.events import LessonEvent
from neuroprimer.teaching.notebooks import remember_notebooks
from neuroprimer.teaching.preview.drafts import Update, update_draft
from neuroprimer.teaching.publish.jupyter_book import import_ahead
from neuroprimer.teaching.sealed import write_whole

# How often the builder looks after its child, in seconds.
LOOK_AFTER_S = 0.2

# In a draft's folder: names of the lessons' files.
LESSONS = "lessons.json"

# Where the lines for who has started this process are written.
_lines = 1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is built, again and again.

    Parameters
    ----------
    course, draft : str
        Folders, of the course and of the draft; who starts the builder chooses that of the draft.
    cache : str or None
        Folder of the runs that are kept; None for no cache.
    jobs : int or None
        How many lessons run side by side.
    """

    course: str
    draft: str = ""
    cache: str | None = None
    jobs: int | None = None


def main() -> None:
    """Make a draft for each line on the standard input."""
    keep_lines_to_ourselves()
    order = Order(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who has started it ends it
    import_ahead()
    from neuroprimer.teaching import examine  # noqa: F401  what runs lessons, and is large

    gc.freeze()  # or each draft would look through all of this again and again for garbage
    child = 0
    while True:
        ready, _, _ = select.select([0], [], [], LOOK_AFTER_S if child else None)
        if child and has_ended(child):
            child = 0
        if not ready:
            continue
        if child:
            end(child)
            child = 0
        if not os.read(0, 4096):
            return
        child = begin(order)


def keep_lines_to_ourselves() -> None:
    """Lead what plugins and kernels print to the terminal: it would be no line of ours."""
    global _lines
    _lines = os.dup(_lines)
    os.dup2(2, 1)


def begin(order: Order) -> int:
    """Begin with a draft, and return the process that makes it."""
    remember_lessons(order)
    child = os.fork()
    # to be ended with all that it has started; both say so, since either may come first
    with contextlib.suppress(OSError):
        os.setpgid(child, 0)
    if not child:
        tell_of(order)
        os._exit(0)
    return child


def has_ended(child: int) -> bool:
    """Tell whether a draft is made; if its process was killed, tell of that, too."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid and status:
        tell("broken", text=f"The process that made the draft has ended, with status {status}.")
    return bool(pid)


def remember_lessons(order: Order) -> None:
    """Read what the last draft was made of: most of it has not changed, and is read no more."""
    with contextlib.suppress(OSError):  # no draft has come so far yet
        names = json.loads((Path(order.draft) / LESSONS).read_bytes())
        remember_notebooks(map(Path, names))


def end(child: int) -> None:
    """End what is still busy with the last draft."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


def tell_of(order: Order) -> None:
    """Make a draft and tell of it; what goes wrong is told, too."""
    try:
        make_draft(order)
    except NeuroprimerError as error:
        tell("problem", text=f"{error.message}\n{error.hint}".strip())
    except BaseException:  # noqa: BLE001  a bug of ours must not end the preview
        tell("broken", text=traceback.format_exc())


def make_draft(order: Order) -> None:
    """Load plugins and course as they are now, and bring the draft up to date."""
    catalogue = load_catalogue_here()
    course = load_course(Path(order.course), catalogue)
    tell("sources", folders=sorted({str(lesson.path.parent) for lesson in course.lessons}))
    require_lessons(course, catalogue)
    names = [str(lesson.path) for lesson in course.lessons]
    write_whole(Path(order.draft) / LESSONS, json.dumps(names).encode())

    def on_event(event: LessonEvent) -> None:
        if event.result is None and not event.cell:
            tell("running", lesson=event.lesson.id)

    def on_pages(update: Update) -> None:
        tell(
            "pages",
            changed=[name for name in update.changed if name.endswith(".html")],
            problems=[str(finding) for finding in update.findings],
        )

    findings = update_draft(
        Path(order.draft),
        course,
        catalogue,
        cache=Path(order.cache) if order.cache else None,
        jobs=order.jobs,
        on_event=on_event,
        on_pages=on_pages,
    )
    tell("inspected", problems=[str(finding) for finding in findings])


def tell(kind: str, **facts: Any) -> None:
    """Write a line for who has started this process."""
    os.write(_lines, json.dumps({"kind": kind, **facts}).encode() + b"\n")


def order_line(order: Order) -> str:
    """Return an order as the argument with which this module is started."""
    return json.dumps(asdict(order))


if __name__ == "__main__":
    main()
