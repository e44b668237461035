"""The data of the course, made once for all tests."""

from pathlib import Path

import pytest

from neuroprimer.teaching import dataset_files, load_catalogue


@pytest.fixture(scope="session")
def files_of_dataset():
    """Return a function that gives the folder of a dataset."""
    catalogue = load_catalogue()

    def folder_of(dataset_id: str) -> Path:
        return dataset_files(catalogue, catalogue.datasets[dataset_id])[0].parent

    return folder_of
