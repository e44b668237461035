"""Printing: a lesson's page as a PDF, by a browser that is installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.sealed import write_whole

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("msedge", "microsoft-edge"),
)
# It draws a page, and asks nobody for anything of its own accord. Pages load what is far below
# after all else: they are given time for it that passes at once when nothing is left to do.
ARGUMENTS = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer"),
    *("--virtual-time-budget=10000", "--run-all-compositor-stages-before-draw"),
)
PDF_BEGINS, PDF_ENDS = b"%PDF-", b"%%EOF"


class PrintError(NeuroprimerError, RuntimeError):
    """A lesson that could not be printed."""


def print_lesson(site: Path, lesson_id: str, file: Path, *, timeout_s: float) -> None:
    """Print the page of a lesson to a PDF file.

    Parameters
    ----------
    site : pathlib.Path
        The published site.
    lesson_id : str
        Which lesson.
    file : pathlib.Path
        The PDF, which is replaced if it exists.
    timeout_s : float
        How long the browser may take, in seconds.

    Raises
    ------
    PrintError
        If the lesson has no page, there is no browser, it fails, or the file cannot be written;
        what was there before is then untouched.
    """
    page = site / LESSONS_FOLDER / f"{lesson_id}.html"
    if not page.is_file():
        raise PrintError(
            f"The lesson {lesson_id!r} has no page in {site}.",
            hint="Build the course first: `neuroprimer build`.",
        )
    browser = find_browser()
    if browser is None:
        raise PrintError(
            f"No browser that prints was found; looked for {', '.join(BROWSERS)} on the PATH.",
            hint="Install Chromium or Chrome, or print the page from any browser.",
        )
    # processes of a browser that was ended may yet write into its profile
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        printed = Path(folder, "page.pdf")
        said = _run(_command(browser, page, printed, Path(folder, "profile")), timeout_s)
        content = printed.read_bytes() if printed.is_file() else b""
    if not content.startswith(PDF_BEGINS) or PDF_ENDS not in content[-1024:]:
        raise PrintError(
            f"{browser} printed nothing of {page}: {said}.",
            hint=f"See whether it starts at all: `{browser} --headless --version`.",
        )
    try:
        write_whole(file, content)
    except OSError as error:
        raise PrintError(
            f"{file} cannot be written: {error.strerror or error}.",
            hint="Name a file in a folder that can be written.",
        ) from error


def find_browser() -> str | None:
    """Return the program that can print, or None where none is installed."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _command(browser: str, page: Path, printed: Path, profile: Path) -> list[str]:
    # its sandbox does not work for root, and the page is our own
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        browser,
        *ARGUMENTS,
        *(["--no-sandbox"] if is_root else []),
        f"--user-data-dir={profile}",  # not that of whoever has the browser open
        f"--print-to-pdf={printed}",
        page.absolute().as_uri(),
    ]


def _run(command: list[str], timeout_s: float) -> str:
    """Run a browser; return the last that it said."""
    try:
        done = subprocess.run(  # noqa: S603  our own arguments, no shell
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PrintError(
            f"{command[0]} did not print the page within {timeout_s:g} s.",
            hint="Try again when the machine has less to do, or with a longer --timeout.",
        ) from error
    except OSError as error:
        raise PrintError(
            f"{command[0]} cannot be started: {error.strerror or error}.",
            hint="Install Chromium or Chrome anew.",
        ) from error
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"its exit status was {done.returncode}"
