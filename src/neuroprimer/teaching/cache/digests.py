"""Digests: what files hold, in 64 characters; remembered where nothing can have changed."""

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from neuroprimer.teaching.sealed import canonical, digest_of, seal, unseal, write_whole

# A file that has just been written may be written again within one tick of the file system's clock.
SETTLED_NS = 2_000_000_000

# So many files are remembered.
MOST_FILES = 20_000

# What stands for a file that is not there.
GONE = ""


class Digests:
    """Digests of files, and what else is known of a file with a digest.

    Parameters
    ----------
    memory : pathlib.Path or None
        Where they are remembered from one process to the next; None remembers nothing.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self.memory = memory
        self._now: dict[str, str] = {}
        self._known: dict[str, Any] = {}
        self._is_new = False
        if memory is not None:
            with contextlib.suppress(OSError, ValueError):
                self._known = unseal(memory.read_bytes()) or {}

    def now(self, file: Path) -> str:
        """Return the digest of a file that is read for it, once in this process."""
        name = str(file)
        if name not in self._now:
            try:
                self._now[name] = digest_of(file.read_bytes())
            except OSError:
                self._now[name] = GONE
        return self._now[name]

    def settled(self, file: Path) -> str:
        """Return the digest of a file, which is read only if its size or time have changed."""
        try:
            status = file.stat()
        except OSError:
            return GONE
        key = f"{file.absolute()}\n{status.st_size}\n{status.st_mtime_ns}\n{status.st_ino}"
        known = self.recall(key)
        if known is not None:
            return str(known)
        digest = _digest_in_parts(file)
        if digest and time.time_ns() - status.st_mtime_ns > SETTLED_NS:
            self.remember(key, digest)
        return digest

    def of_all(self, files: Iterable[Path]) -> str:
        """Return one digest for several files and folders: of their names and what they hold."""
        named = [
            [file.relative_to(path.parent).as_posix(), self.settled(file)]
            for path in files
            for file in files_in([path])
        ]
        return digest_of(canonical(sorted(named)))

    def recall(self, key: str) -> Any:
        """Return what is remembered under a key, or None."""
        return self._known.get(key)

    def remember(self, key: str, value: Any) -> None:
        """Remember something JSON-ready."""
        self._known[key] = value
        self._is_new = True

    def save(self) -> None:
        """Write down what has become known.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if self.memory is not None and self._is_new:
            latest = dict(list(self._known.items())[-MOST_FILES:])
            write_whole(self.memory, seal(latest))
            self._is_new = False


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files, and those that lie in folders."""
    for path in paths:
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if not file.is_dir())
        else:
            yield path


def _digest_in_parts(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return GONE
