"""Datasets: the files behind a name, from the first plugin that can provide them."""

from pathlib import Path

from neuroprimer.teaching.catalogue import Catalogue, did_you_mean
from neuroprimer.teaching.folders import data_folder
from neuroprimer.teaching.kept_data import (
    DatasetError,
    damaged_files,
    distrust,
    files_of,
    kept_folder,
)
from neuroprimer.teaching.model import Dataset
from neuroprimer.teaching.plugins import ask_first


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


def state_of(dataset: Dataset) -> str:
    """Return in a word whether a dataset's sample is here: "yes", "no", or "in a package".

    Nothing is made and nothing is read for it.
    """
    if not dataset.files:
        return "yes" if files_of(dataset_folder(dataset)) else "in a package"
    return "yes" if files_of(kept_folder(dataset, dataset_folder(dataset))) else "no"


def damaged_names(dataset: Dataset) -> list[str] | None:
    """Return which files of a dataset are missing or hold something else; reads all of them.

    Files that are damaged are made anew when they are wanted the next time.

    Returns
    -------
    names : list of str or None
        None when there is nothing to compare: no digest is known, or nothing is here yet.
    """
    folder = kept_folder(dataset, dataset_folder(dataset))
    if not dataset.files or not folder.exists():
        return None
    names = damaged_files(dataset.files, folder)
    if names:
        distrust(folder)
    return names


def dataset_files(
    catalogue: Catalogue,
    dataset: Dataset,
    *,
    folder: Path | None = None,
    variant: str = "sample",
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
        ``"sample"`` needs no network.

    Returns
    -------
    files : tuple of pathlib.Path
        At least one; all of them exist.

    Raises
    ------
    DatasetError
        If no plugin provides the dataset, or one names files that do not exist.
    """
    folder = folder or dataset_folder(dataset)
    answers = ask_first(
        catalogue.manager, "provide_dataset", dataset=dataset, folder=folder, variant=variant
    )
    for plugin, paths in answers.values:
        return _require_files(paths, plugin, dataset)
    reasons = "".join(f"\n  {finding}" for finding in answers.findings)
    raise DatasetError(
        f"No plugin could provide the dataset {dataset.id!r} ({variant}).{reasons}",
        hint="`neuroprimer plugins list` shows which plugins provide datasets.",
    )


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
