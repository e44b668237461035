"""Files of a dataset that are made or fetched once, kept, and never used by halves."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.contents import damaged_files, digests_of, files_of
from neuroprimer.teaching.first_fetch import FirstFetch, find_first_fetch, record_first_fetch
from neuroprimer.teaching.model import SAMPLE, Dataset
from neuroprimer.teaching.sealed import canonical, write_whole
from neuroprimer.teaching.unfinished import arriving, arriving_folder, aside, only_one, sweep

# Stands beside the files once all of them are there, and says what they were like.
STAMP = ".whole.json"


class DatasetError(NeuroprimerError, LookupError):
    """A dataset that is not known, that no plugin could provide, or whose files are not right."""


def keep_dataset(
    dataset: Dataset,
    folder: Path,
    make: Callable[[Path], None],
    *,
    variant: str = SAMPLE,
    resumes: bool = False,
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
        Files of another variant than the sample are kept apart. What comes out the first time is
        recorded, and must come out each time after it.
    resumes : bool
        Whether `make` goes on where it was stopped. Its folder then stays when it fails or is
        killed, and is given to it the next time with all that is in it. Files that were wrong are
        gone then, and with them what is hidden: they may have come of it.

    Returns
    -------
    files : list of pathlib.Path
        In the order of their names, without what others have put beside them. Files that look as
        they did when they were made are not read again: `damaged_files` does that.

    Raises
    ------
    DatasetError
        If the folder cannot be written, or what `make` has made is not what is expected.
    """
    whole = kept_folder(dataset, folder, variant)
    try:
        if not _is_whole(whole, expected_digests(dataset, folder, variant)):
            with only_one(folder):
                # another may have made them while this one waited
                if not _is_whole(whole, expected_digests(dataset, folder, variant)):
                    _make_whole(dataset, folder, variant, make, resumes=resumes)
    except OSError as error:
        raise DatasetError(
            f"The files of {dataset.id!r} cannot be put into {folder}: {error.strerror or error}.",
            hint="Name a folder that can be written, with room, in the variable NEUROPRIMER_DATA.",
        ) from error
    if variant != SAMPLE and first_fetch(dataset, folder, variant) is None:
        with contextlib.suppress(OSError):  # on a disk that cannot be written, nothing changes
            record_first_fetch(whole, _read_stamp(whole)["digests"])
    return [whole / name for name in sorted(kept_digests(dataset, folder, variant))]


def kept_folder(dataset: Dataset, folder: Path, variant: str = SAMPLE) -> Path:
    """Return where in its folder the files of a dataset are kept, one place for each version."""
    return folder / f"{dataset.version}-{variant}"


def is_arriving(dataset: Dataset, folder: Path, variant: str) -> bool:
    """Tell whether fetching has begun and not come to its end."""
    return arriving_folder(kept_folder(dataset, folder, variant)).is_dir()


def first_fetch(dataset: Dataset, folder: Path, variant: str) -> FirstFetch | None:
    """Return what came when a variant was fetched for the first time, or None before it.

    Raises
    ------
    DatasetError
        If the record cannot be read.
    """
    try:
        return find_first_fetch(kept_folder(dataset, folder, variant))
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"What {dataset.id!r} ({variant}) was like when it was fetched first cannot be "
            f"read: {error}.",
            hint=_accept_hint(dataset, variant),
        ) from error


def expected_digests(dataset: Dataset, folder: Path, variant: str) -> Mapping[str, str]:
    """Return name and digest of each file that must come out; empty where they are not known."""
    if variant == SAMPLE:
        return dataset.files
    first = first_fetch(dataset, folder, variant)
    return first.digests if first else {}


def kept_digests(dataset: Dataset, folder: Path, variant: str) -> Mapping[str, str]:
    """Return name and digest of each file that is expected, or else of those that are kept."""
    stamp = _read_stamp(kept_folder(dataset, folder, variant))
    return expected_digests(dataset, folder, variant) or stamp.get("digests", {})


def distrust(folder: Path) -> None:
    """Let the files of a folder be read again before they are used the next time."""
    with contextlib.suppress(OSError):  # where nothing can be written, nothing can be mended
        (folder / STAMP).unlink()


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
    dataset: Dataset,
    folder: Path,
    variant: str,
    make: Callable[[Path], None],
    *,
    resumes: bool,
) -> None:
    """Make the files aside, hold them against what is expected, and move them to their place."""
    sweep(folder)
    whole = kept_folder(dataset, folder, variant)
    with arriving(whole) if resumes else aside(whole) as new:
        make(new)
        _refuse_folders(dataset, new)
        digests = digests_of(new)
        wrong = _wrong_names(digests, expected_digests(dataset, folder, variant))
        if wrong or not digests:
            _remove(new / name for name in wrong)
            _remove(new.glob(".*"))
            raise _unexpected(dataset, folder, variant, wrong, digests)
        _remove(new.glob(".*"))  # was of use only while files arrived
        _write_stamp(new, digests)
        _move(new, whole)


def _refuse_folders(dataset: Dataset, made: Path) -> None:
    """Raise where there are folders among files; they are not kept for the next time, either."""
    folders = [path for path in files_of(made) if path.is_dir()]
    _remove(folders)
    if folders:
        raise DatasetError(
            f"Among the files that were made for {dataset.id!r} is a folder: {folders[0].name}.",
            hint="What makes them should write them all into the folder that it is given.",
        )


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _wrong_names(digests: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """Return which files are damaged, missing, too many or others than expected."""
    damaged = {name for name, digest in digests.items() if not digest}
    names = {*digests, *expected} if expected else set()
    return sorted(damaged | {name for name in names if digests.get(name) != expected.get(name)})


def _unexpected(
    dataset: Dataset, folder: Path, variant: str, wrong: list[str], digests: Mapping[str, str]
) -> DatasetError:
    """Return an error that says what came out, and what should have."""
    first = None if variant == SAMPLE else first_fetch(dataset, folder, variant)
    what = f"{dataset.id!r}" if variant == SAMPLE else f"{dataset.id!r} ({variant})"
    damaged = [name for name in wrong if digests.get(name) == ""]
    if damaged:
        return DatasetError(
            f"{len(damaged)} file(s) of {what} are damaged and were not kept: {damaged[0]} "
            "cannot be unpacked.",
            hint="Fetch again. If it stays so, something between here and the publisher changes "
            "what comes, such as a page that wants you to log in.",
        )
    if wrong and first:
        name, more = wrong[0], f" {len(wrong) - 1} more differ." if wrong[1:] else ""
        return DatasetError(
            f"{name} of {what} is not what was fetched first, on {first.day}, and was not kept: "
            f"sha256 {digests.get(name, 'of nothing')}, expected "
            f"{first.digests.get(name, 'no such file')}.{more}",
            hint=f"Fetch again, for it may have been damaged on its way. "
            f"{_accept_hint(dataset, variant)}",
        )
    return DatasetError(
        f"What was made for {what} is not version {dataset.version} of it: "
        + (f"{len(wrong)} file(s) differ, such as {wrong[0]}." if wrong else "There is no file."),
        hint="Take the files from a machine that has them: `neuroprimer data bundle FILE.zip` "
        "there, `neuroprimer data fetch --from FILE.zip` here.",
    )


def _accept_hint(dataset: Dataset, variant: str) -> str:
    return (
        "If the publisher has replaced it, take what there is now on purpose: `neuroprimer data "
        f"fetch {dataset.id} --variant {variant} --accept-changed`."
    )


def _move(aside: Path, whole: Path) -> None:
    """Put new files into their place; where there are damaged ones, file by file.

    A lesson that has just been told a path finds a file there at any time. What a student has saved
    beside the files stays.
    """
    if not whole.exists():
        aside.rename(whole)
        return
    (whole / STAMP).unlink(missing_ok=True)
    for file in files_of(aside):
        file.replace(whole / file.name)
    (aside / STAMP).replace(whole / STAMP)
