"""Bundles: datasets in one file, for machines without a network or with little time."""

import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from neuroprimer.teaching.datasets import dataset_folder
from neuroprimer.teaching.kept_data import DatasetError, keep_dataset
from neuroprimer.teaching.model import Dataset

# An entry of the archive is DATASET/VERSION/FILE.
EARLIEST = (1980, 1, 1, 0, 0, 0)


def write_bundle(file: Path, files: Mapping[Dataset, Sequence[Path]]) -> None:
    """Write datasets to an archive, which is whole or, if anything goes wrong, not there.

    Parameters
    ----------
    file : pathlib.Path
        The archive, which is replaced if it exists.
    files : mapping of Dataset to paths
        What goes into it.

    Raises
    ------
    DatasetError
        If it cannot be written.
    """
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(aside, "w") as archive:
            for dataset, paths in files.items():
                for path in paths:
                    entry = zipfile.ZipInfo(f"{dataset.id}/{dataset.version}/{path.name}", EARLIEST)
                    with path.open("rb") as source, archive.open(entry, "w") as target:
                        shutil.copyfileobj(source, target)
        aside.replace(file)
    except OSError as error:
        raise DatasetError(
            f"The bundle {file} cannot be written: {error.strerror or error}.",
            hint="Name a file in a folder that exists and can be written.",
        ) from error
    finally:
        aside.unlink(missing_ok=True)


def read_bundle(
    file: Path, datasets: Iterable[Dataset], *, all_wanted: bool = False
) -> list[Dataset]:
    """Put the datasets of an archive where lessons look for them.

    Only files whose names and digests a plugin has registered are taken, whatever else it holds.

    Parameters
    ----------
    file : pathlib.Path
        What `write_bundle` has written.
    datasets : iterable of Dataset
        Those to take.
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
            names = set(archive.namelist())
            wanted = [one for one in datasets if one.files]
            there = [one for one in wanted if {*_entries(one).values()} <= names]
            missing = [one.id for one in wanted if one not in there]
            if (missing and all_wanted) or not there:
                raise DatasetError(
                    f"{file} does not hold version(s) of this course of: {', '.join(missing)}.",
                    hint="Write a bundle with the same version of neuroprimer.",
                )
            for one in there:
                keep_dataset(one, dataset_folder(one), partial(_unpack, archive, one))
            return there
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"The bundle {file} cannot be read: {error}.",
            hint="Copy it again, or write a new one with `neuroprimer data bundle FILE.zip`.",
        ) from error


def _entries(dataset: Dataset) -> dict[str, str]:
    """Return the archive's name of each file of a dataset."""
    return {name: f"{dataset.id}/{dataset.version}/{name}" for name in dataset.files}


def _unpack(archive: zipfile.ZipFile, dataset: Dataset, folder: Path) -> None:
    # Names come from the dataset and not from the archive, so nothing can lead out of the folder.
    for name, entry in _entries(dataset).items():
        with archive.open(entry) as source, (folder / name).open("wb") as target:
            shutil.copyfileobj(source, target)
