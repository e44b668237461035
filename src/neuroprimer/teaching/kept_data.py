"""Files of a dataset that are made or fetched once, kept, and never used by halves."""

import contextlib
import gzip
import hashlib
import json
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.model import Dataset
from neuroprimer.teaching.sealed import LEFT_OVER_S, canonical, write_whole

# Stands beside the files once all of them are there, and says what they were like.
STAMP = ".whole.json"
PART_BYTES = 1 << 20
# Begins the name of a folder whose files are being made.
UNFINISHED = ".making-"


class DatasetError(NeuroprimerError, LookupError):
    """A dataset that is not known, that no plugin could provide, or whose files are not right."""


def content_digest(file: Path) -> str:
    """Return the SHA-256 of what a file holds; of a ``.gz`` file, of what it unpacks to.

    The same bytes are packed differently by every version of zlib, and by the libraries that take
    its place. What they unpack to stays the same.

    Parameters
    ----------
    file : pathlib.Path
        Any file.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read, or a ``.gz`` file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> plain, packed = folder / "a.txt", folder / "a.txt.gz"
    >>> _ = plain.write_bytes(b"voxels"), packed.write_bytes(gzip.compress(b"voxels", 1))
    >>> content_digest(plain) == content_digest(packed)
    True
    """
    digest = hashlib.sha256()
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            while part := stream.read(PART_BYTES):
                digest.update(part)
    except (EOFError, zlib.error) as error:
        raise OSError(f"{file} is damaged: {error}") from error
    return digest.hexdigest()


def keep_dataset(
    dataset: Dataset,
    folder: Path,
    make: Callable[[Path], None],
    *,
    variant: str = "sample",
) -> list[Path]:
    """Return the files of a dataset, which are made if they are not there or are damaged.

    Plugins call it in ``provide_dataset``. Of several processes that ask at the same time one makes
    the files while the others wait for them.

    Parameters
    ----------
    dataset : Dataset
        Its ``version`` keeps old files apart from new ones, its ``files`` are what must come out.
    folder : pathlib.Path
        What the hook was given; need not exist.
    make : callable
        Is given an empty folder and writes the files into it.
    variant : str
        Files of another variant are kept apart; ``dataset.files`` speaks only of the sample.

    Returns
    -------
    files : list of pathlib.Path
        In the order of their names. Files that look as they did when they were made are not read
        again: `damaged_files` does that.

    Raises
    ------
    DatasetError
        If the folder cannot be written, or what `make` has made is not what is expected.
    """
    whole = kept_folder(dataset, folder, variant)
    expected = dataset.files if variant == "sample" else {}
    if _is_whole(whole, expected):
        return files_of(whole)
    try:
        with _only_one(folder):
            if not _is_whole(whole, expected):  # another may have made them while this one waited
                _make_whole(dataset, whole, expected, make)
    except OSError as error:
        raise DatasetError(
            f"The files of {dataset.id!r} cannot be put into {folder}: {error.strerror or error}.",
            hint="Name a folder that can be written, with room, in the variable NEUROPRIMER_DATA.",
        ) from error
    return files_of(whole)


def kept_folder(dataset: Dataset, folder: Path, variant: str = "sample") -> Path:
    """Return where in its folder the files of a dataset are kept, one place for each version."""
    return folder / f"{dataset.version}-{variant}"


def files_of(folder: Path) -> list[Path]:
    """Return the files in a folder in the order of their names, without hidden ones."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def damaged_files(expected: Mapping[str, str], folder: Path) -> list[str]:
    """Return the names of files that are not there or hold something else; reads all of them.

    Parameters
    ----------
    expected : mapping of str to str
        Name and digest of each file, as `content_digest` gives it.
    folder : pathlib.Path
        Where they should lie.

    Returns
    -------
    names : list of str
        Empty when all is well.
    """
    return [name for name, digest in expected.items() if _digest(folder / name) != digest]


def distrust(folder: Path) -> None:
    """Let the files of a folder be read again before they are used the next time."""
    with contextlib.suppress(OSError):  # where nothing can be written, nothing can be mended
        (folder / STAMP).unlink()


def _digest(file: Path) -> str:
    try:
        return content_digest(file)
    except OSError:
        return ""


def _is_whole(folder: Path, expected: Mapping[str, str]) -> bool:
    """Tell whether all files are there and, by size and time or else by digest, unchanged."""
    stamp = _read_stamp(folder)
    digests, looks = stamp.get("digests") or dict(expected), stamp.get("looks")
    if not digests or not isinstance(digests, dict) or (expected and digests != dict(expected)):
        return False
    if looks is not None and looks == _looks(folder, digests):
        return True
    if damaged_files(digests, folder):
        return False
    with contextlib.suppress(OSError):  # a copy on a disk that cannot be written is read each time
        _write_stamp(folder, digests)
    return True


def _read_stamp(folder: Path) -> dict[str, Any]:
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(folder: Path, digests: Mapping[str, str]) -> None:
    stamp = {"digests": dict(digests), "looks": _looks(folder, digests)}
    write_whole(folder / STAMP, canonical(stamp))


def _looks(folder: Path, names: Mapping[str, str]) -> dict[str, list[int]] | None:
    """Return size and time of each file; None when one is missing."""
    try:
        statuses = {name: (folder / name).stat() for name in names}
    except OSError:
        return None
    return {name: [one.st_size, one.st_mtime_ns] for name, one in statuses.items()}


def _make_whole(
    dataset: Dataset, whole: Path, expected: Mapping[str, str], make: Callable[[Path], None]
) -> None:
    """Make the files aside, hold them against what is expected, and move them to their place."""
    whole.parent.mkdir(parents=True, exist_ok=True)
    _sweep(whole.parent)
    aside = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=whole.parent))
    aside.chmod(0o755)  # mkdtemp lets nobody else in, and a course may share its data
    try:
        make(aside)
        digests = {file.name: content_digest(file) for file in files_of(aside)}
        _require_expected(dataset, digests, expected)
        _write_stamp(aside, digests)
        _move(aside, whole)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what makers that were killed have left."""
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - unfinished.stat().st_mtime > LEFT_OVER_S:
                shutil.rmtree(unfinished)


def _require_expected(
    dataset: Dataset, digests: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    differing = sorted(
        name
        for name in {*digests, *expected}
        if expected and digests.get(name) != expected.get(name)
    )
    if differing or not digests:
        raise DatasetError(
            f"What was made for {dataset.id!r} is not version {dataset.version} of it: "
            + (f"{len(differing)} file(s) differ, such as {differing[0]}." if differing else "")
            + ("" if digests else " There is no file."),
            hint="Take the files from a machine that has them: `neuroprimer data bundle FILE.zip` "
            "there, `neuroprimer data fetch --from FILE.zip` here.",
        )


def _move(aside: Path, whole: Path) -> None:
    """Put new files into their place; where there are damaged ones, file by file.

    A lesson that has just been told a path finds a file there at any time.
    """
    if not whole.exists():
        aside.rename(whole)
        return
    names = {file.name for file in files_of(aside)}
    (whole / STAMP).unlink(missing_ok=True)
    for name in names:
        (aside / name).replace(whole / name)
    for file in files_of(whole):
        if file.name not in names:
            file.unlink()
    (aside / STAMP).replace(whole / STAMP)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Let one process at a time in; without locks, several make the same, and one of them stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        with contextlib.suppress(ImportError, OSError):  # neither Windows nor every network drive
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back
