"""Datasets: the files behind a name, from the first plugin that can provide them."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from neuroprimer.teaching.catalogue import Catalogue, did_you_mean
from neuroprimer.teaching.contents import damaged_files, files_of
from neuroprimer.teaching.first_fetch import forget_first_fetch
from neuroprimer.teaching.folders import data_folder
from neuroprimer.teaching.kept_data import (
    DatasetError,
    distrust,
    first_fetch,
    is_arriving,
    kept_digests,
    kept_folder,
)
from neuroprimer.teaching.model import SAMPLE, Dataset, Variant
from neuroprimer.teaching.plugins import ask_first
from neuroprimer.teaching.transfers import DownloadError


def require_dataset(catalogue: Catalogue, dataset_id: str) -> Dataset:
    """Return a dataset by its id.

    Raises
    ------
    DatasetError
        If no plugin registers it; names the nearest ids.
    """
    if dataset_id not in catalogue.datasets:
        raise DatasetError(
            f"No dataset is called {dataset_id!r}.",
            hint=did_you_mean(dataset_id, catalogue.datasets),
        )
    return catalogue.datasets[dataset_id]


def dataset_folder(dataset: Dataset) -> Path:
    """Return the folder that plugins are given for a dataset; it need not exist."""
    return data_folder() / dataset.id


def require_variant(dataset: Dataset, name: str) -> Variant:
    """Return a variant of a dataset by its name.

    Raises
    ------
    DatasetError
        If it has none of that name; names those there are.
    """
    found = {variant.name: variant for variant in dataset.variants}
    if name not in found:
        raise DatasetError(
            f"The dataset {dataset.id!r} has no variant {name!r}.",
            hint=f"There is: {', '.join(found)}.",
        )
    return found[name]


def state_of(dataset: Dataset, variant: str = SAMPLE) -> str:
    """Return in words whether files are here: "yes", "no", "begun" or "in a package".

    Nothing is made and nothing is read for it.
    """
    folder = dataset_folder(dataset)
    if files_of(kept_folder(dataset, folder, variant)):
        return "yes"
    if variant != SAMPLE:
        return "begun" if is_arriving(dataset, folder, variant) else "no"
    if dataset.files:
        return "no"
    return "yes" if files_of(folder) else "in a package"


def checksums_of(dataset: Dataset, variant: str = SAMPLE) -> str:
    """Return in words what files are compared with: "known", the day of the first fetch, or ""."""
    if variant == SAMPLE:
        return "known" if dataset.files else ""
    first = first_fetch(dataset, dataset_folder(dataset), variant)
    return f"of {first.day}" if first else ""


def damaged_names(dataset: Dataset, variant: str = SAMPLE) -> list[str] | None:
    """Return which files of a dataset are missing or hold something else; reads all of them.

    Files that are damaged are made or fetched anew when they are wanted the next time.

    Returns
    -------
    names : list of str or None
        None when there is nothing to compare: no digest is known, or nothing is here yet.
    """
    folder = dataset_folder(dataset)
    kept = kept_folder(dataset, folder, variant)
    expected = kept_digests(dataset, folder, variant)
    if not expected or not kept.exists():
        return None
    names = damaged_files(expected, kept)
    if names:
        distrust(kept)
    return names


def accept_changed(dataset: Dataset, variant: str) -> None:
    """Let the next fetch count as the first: whatever comes is recorded, and right from then on."""
    forget_first_fetch(kept_folder(dataset, dataset_folder(dataset), variant))


def dataset_files(
    catalogue: Catalogue,
    dataset: Dataset,
    *,
    folder: Path | None = None,
    variant: str = SAMPLE,
) -> tuple[Path, ...]:
    """Return the files of a dataset; the plugins are asked one after another.

    Parameters
    ----------
    catalogue : Catalogue
        Knows the plugins.
    dataset : Dataset
        What is wanted.
    folder : pathlib.Path, optional
        Where a plugin may put files; it need not exist yet. Default: a folder for this dataset
        in the folder that the variable NEUROPRIMER_DATA names, or in this user's cache.
    variant : str
        ``"sample"`` needs no network; ``"full"`` is fetched.

    Returns
    -------
    files : tuple of pathlib.Path
        At least one; all of them exist.

    Raises
    ------
    DatasetError
        If no plugin provides the dataset, or one names files that do not exist.
    """
    require_variant(dataset, variant)
    folder = folder or dataset_folder(dataset)
    answers = ask_first(
        catalogue.manager, "provide_dataset", dataset=dataset, folder=folder, variant=variant
    )
    for plugin, paths in answers.values:
        return _require_files(paths, plugin, dataset)
    if len(answers.errors) == 1 and isinstance(answers.errors[0], DatasetError):
        _raise_told(answers.errors[0], dataset, variant)
    reasons = "".join(f"\n  {finding}" for finding in answers.findings)
    raise DatasetError(
        f"No plugin could provide the dataset {dataset.id!r} ({variant}).{reasons}",
        hint="`neuroprimer plugins list` shows which plugins provide datasets.",
    )


def files_of_each(
    catalogue: Catalogue, datasets: Sequence[Dataset], *, variant: str = SAMPLE
) -> Iterator[tuple[Dataset, tuple[Path, ...]]]:
    """Yield each dataset with its files, in the order given; samples are made side by side.

    Parameters
    ----------
    catalogue, variant
        As for `dataset_files`. What is fetched comes one after another: publishers limit how often
        one may ask.
    datasets : sequence of Dataset
        What is wanted.

    Raises
    ------
    DatasetError
        When it is the turn of one that cannot be had. Those that were begun are finished.
    """
    if variant != SAMPLE:
        for one in datasets:
            yield one, dataset_files(catalogue, one, variant=variant)
        return
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        # The largest take longest: begun last, one of them would be waited for alone.
        made = {
            one.id: pool.submit(dataset_files, catalogue, one)
            for one in sorted(datasets, key=lambda one: -one.size_mb)
        }
        try:
            for one in datasets:
                yield one, made[one.id].result()
        finally:
            pool.shutdown(cancel_futures=True)


def _raise_told(error: DatasetError, dataset: Dataset, variant: str) -> NoReturn:
    """Raise what the only plugin has said; for downloads, say also which other ways there are."""
    if not isinstance(error, DownloadError):
        raise error
    fetch = f"neuroprimer data fetch {dataset.id} --variant {variant}"
    ways = (
        f"`{fetch}` goes on where this stopped. Or, on a machine that has the files, "
        f"`neuroprimer data bundle FILE.zip {dataset.id} --variant {variant}`, and here "
        f"`{fetch} --from FILE.zip`. Lessons do not need them: they use the sample."
    )
    raise DatasetError(
        f"{dataset.id!r} ({variant}) is not here: {error.message}",
        hint=f"{error.hint} {ways}".strip(),
    ) from error


def _require_files(paths: object, plugin: str, dataset: Dataset) -> tuple[Path, ...]:
    if not isinstance(paths, list) or not all(isinstance(path, str | Path) for path in paths):
        problem = f"it returned {paths!r} where a list of paths is expected."
    elif not paths:
        problem = "it names no file."
    else:
        missing = [path for path in paths if not Path(path).exists()]
        if not missing:
            return tuple(map(Path, paths))
        problem = f"{missing[0]} does not exist."
    raise DatasetError(
        f"The plugin {plugin!r} says that it provides {dataset.id!r}, but {problem}",
        hint="Reinstall the plugin and what it depends on.",
    )
