"""Bundles: datasets in one file, for machines without a network or with little time."""

import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from neuroprimer.teaching.datasets import dataset_folder
from neuroprimer.teaching.kept_data import DatasetError, keep_dataset
from neuroprimer.teaching.model import SAMPLE, Dataset, is_plain_name
from neuroprimer.teaching.zips import write_zip

# An entry of the archive is DATASET/VERSION/FILE for the sample, and else
# DATASET/VERSION/VARIANT/FILE.


def write_bundle(
    file: Path, files: Mapping[Dataset, Sequence[Path]], *, variant: str = SAMPLE
) -> None:
    """Write datasets to an archive, which is whole or, if anything goes wrong, not there.

    Parameters
    ----------
    file : pathlib.Path
        The archive, which is replaced if it exists.
    files : mapping of Dataset to paths
        What goes into it.
    variant : str
        Which variant these are.

    Raises
    ------
    DatasetError
        If it cannot be written.
    """
    entries = {
        _folder(dataset, variant) + path.name: path
        for dataset, paths in files.items()
        for path in paths
    }
    try:
        write_zip(file, entries)
    except OSError as error:
        raise DatasetError(
            f"The bundle {file} cannot be written: {error.strerror or error}.",
            hint="Name a file in a folder that exists and can be written.",
        ) from error


def read_bundle(
    file: Path,
    datasets: Iterable[Dataset],
    *,
    variant: str = SAMPLE,
    all_wanted: bool = False,
) -> list[Dataset]:
    """Put the datasets of an archive where lessons look for them.

    Of the sample, only files whose names and digests a plugin has registered are taken, whatever
    else there is. Of another variant, what is taken counts as its first fetch, or must be the same.

    Parameters
    ----------
    file : pathlib.Path
        What `write_bundle` has written.
    datasets : iterable of Dataset
        Those to take.
    variant : str
        Which variant of them.
    all_wanted : bool
        Whether it is an error if one of them is not in it.

    Returns
    -------
    taken : list of Dataset
        Those that are in place now.

    Raises
    ------
    DatasetError
        If it is no archive, is damaged, or holds nothing that is wanted, or another version.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            offered = [one for one in datasets if one.files or variant != SAMPLE]
            wanted = {one: _entries(archive, one, variant) for one in offered}
            there = [one for one, entries in wanted.items() if entries]
            missing = [one.id for one, entries in wanted.items() if not entries]
            if (missing and all_wanted) or not there:
                raise DatasetError(
                    f"{file} does not hold version(s) of this course of: {', '.join(missing)}"
                    + (f" ({variant})." if variant != SAMPLE else "."),
                    hint="Write a bundle with the same version of neuroprimer.",
                )
            for one in there:
                make = partial(_unpack, archive, wanted[one])
                keep_dataset(one, dataset_folder(one), make, variant=variant)
            return there
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"The bundle {file} cannot be read: {error}.",
            hint="Copy it again, or write a new one with `neuroprimer data bundle FILE.zip`.",
        ) from error


def _folder(dataset: Dataset, variant: str) -> str:
    """Return where in an archive the files of a dataset lie."""
    return f"{dataset.id}/{dataset.version}/" + (f"{variant}/" if variant != SAMPLE else "")


def _entries(archive: zipfile.ZipFile, dataset: Dataset, variant: str) -> dict[str, str]:
    """Return the archive's name of each file of a dataset; empty when some are missing."""
    folder = _folder(dataset, variant)
    found = {
        entry.removeprefix(folder): entry
        for entry in archive.namelist()
        if entry.startswith(folder)
    }
    plain = {name: entry for name, entry in found.items() if is_plain_name(name)}
    if variant != SAMPLE:
        return plain
    is_whole = dataset.files.keys() <= plain.keys()
    return {name: plain[name] for name in dataset.files} if is_whole else {}


def _unpack(archive: zipfile.ZipFile, entries: Mapping[str, str], folder: Path) -> None:
    for name, entry in entries.items():
        with archive.open(entry) as source, (folder / name).open("wb") as target:
            shutil.copyfileobj(source, target)
