"""Mirrors: a folder made like another by touching only what differs."""

import filecmp
import json
import shutil
from pathlib import Path

from neuroprimer.teaching.sealed import write_whole

# Beside a mirror: size and time of each original when it was copied.
SEEN = "seen.json"


def mirror_sources(new: Path, mirror: Path, *, besides: str) -> None:
    """Make a folder hold what another holds; files with the same content keep their time.

    Parameters
    ----------
    new : pathlib.Path
        What is to be there.
    mirror : pathlib.Path
        What is changed.
    besides : str
        Name of a folder in the mirror that is not touched.
    """
    wanted = _names(new)
    for name in wanted:
        there = mirror / name
        if not there.is_file() or not filecmp.cmp(new / name, there, shallow=False):
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new / name, there)
    for name in _names(mirror) - wanted:
        if not name.startswith(f"{besides}/"):
            (mirror / name).unlink()


def mirror_pages(new: Path, mirror: Path) -> tuple[str, ...]:
    """Copy files that have changed since they were copied; what is gone is removed.

    Parameters
    ----------
    new : pathlib.Path
        Where the book tool has written.
    mirror : pathlib.Path
        Its copies may have been changed since; that is no reason to copy them again.

    Returns
    -------
    changed : tuple of str
        Names of what was copied or removed.
    """
    record = mirror.with_name(SEEN)
    seen = json.loads(record.read_bytes()) if record.is_file() else {}
    today = {name: _look(new / name) for name in sorted(_names(new))}
    copied = [name for name, look in today.items() if seen.get(name) != look]
    gone = [name for name in seen if name not in today]
    for name in copied:
        aside = mirror / f"{name}.new"
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(new / name, aside)
        aside.replace(mirror / name)  # somebody may be reading it
    for name in gone:
        (mirror / name).unlink(missing_ok=True)
    write_whole(record, json.dumps(today).encode())
    return (*copied, *gone)


def _look(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
