"""Unfinished folders: where files are made or arrive until all of them are there."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from neuroprimer.teaching.sealed import LEFT_OVER_S

# Begins the name of a folder whose files are being made.
MAKING = ".making-"
# Begins the name of a folder in which files arrive, and which stays until all of them have.
ARRIVING = ".arriving-"


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Let one process at a time in; without locks, several make the same, and one of them stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        with contextlib.suppress(ImportError, OSError):  # neither Windows nor every network drive
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back


@contextlib.contextmanager
def aside(whole: Path) -> Iterator[Path]:
    """Give an empty folder beside another that is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix=MAKING, dir=whole.parent))
    made.chmod(0o755)  # mkdtemp lets nobody else in, and a course may share its data
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def arriving(whole: Path) -> Iterator[Path]:
    """Give a folder beside another that is gone when all went well, and else stays as it is."""
    folder = arriving_folder(whole)
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    except BaseException:
        with contextlib.suppress(OSError):  # it is not empty
            folder.rmdir()
        raise
    shutil.rmtree(folder, ignore_errors=True)


def arriving_folder(whole: Path) -> Path:
    """Return where the files of a folder arrive."""
    return whole.with_name(f"{ARRIVING}{whole.name}")


def sweep(folder: Path) -> None:
    """Remove what makers that were killed have left."""
    for made in folder.glob(f"{MAKING}*"):
        with contextlib.suppress(OSError):
            if time.time() - made.stat().st_mtime > LEFT_OVER_S:
                shutil.rmtree(made)
