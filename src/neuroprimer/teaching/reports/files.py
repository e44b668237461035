"""Files: where reports go, and what is said when they cannot."""

import tempfile
from pathlib import Path

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.sealed import write_whole


class ReportError(NeuroprimerError, OSError):
    """A report that cannot be written."""


def require_report_file(file: Path) -> None:
    """Raise now if a report could not be written later.

    Raises
    ------
    ReportError
        If the folder cannot be made or written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=file.parent).close()
    except OSError as error:
        raise report_error(file, error) from error


def write_report(file: Path, text: str) -> None:
    """Write a report whole or not at all; a ReportError says why not."""
    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise report_error(file, error) from error


def report_error(file: Path, error: OSError) -> ReportError:
    """Return what to raise when a file of ours cannot be written."""
    return ReportError(
        f"Cannot write the report {file}: {error.strerror}.",
        hint="Name a file in a folder that you may write into.",
    )
