"""Datasets: the files behind a name, from the first plugin that can provide them."""

from pathlib import Path

import platformdirs

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.catalogue import Catalogue, did_you_mean
from neuroprimer.teaching.model import Dataset
from neuroprimer.teaching.plugins import ask_each


class DatasetError(NeuroprimerError, LookupError):
    """A dataset that is not known, or that no plugin could provide."""


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
        in the user's cache.
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
    folder = folder or platformdirs.user_cache_path("neuroprimer") / "datasets" / dataset.id
    answers = ask_each(
        catalogue.manager, "provide_dataset", dataset=dataset, folder=folder, variant=variant
    )
    for plugin, paths in answers.values:
        if paths is None:
            continue
        files = tuple(Path(path) for path in paths)
        missing = [file for file in files if not file.exists()]
        if files and not missing:
            return files
        raise DatasetError(
            f"The plugin {plugin!r} says that it provides {dataset.id!r}, but "
            + (f"{missing[0]} does not exist." if missing else "it names no file."),
            hint="Reinstall the plugin and what it depends on.",
        )
    reasons = "".join(f"\n  {finding}" for finding in answers.findings)
    raise DatasetError(
        f"No plugin could provide the dataset {dataset.id!r} ({variant}).{reasons}",
        hint="`neuroprimer plugins list` shows which plugins provide datasets.",
    )
