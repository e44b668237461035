"""Folders of this user: where what is kept from build to build lies."""

import os
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "NEUROPRIMER_CACHE"
DATA_VARIABLE = "NEUROPRIMER_DATA"


def cache_folder() -> Path:
    """Return the folder of this user's cache: what the variable says, or the system's place."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else platformdirs.user_cache_path("neuroprimer")


def data_folder() -> Path:
    """Return the folder that holds datasets: what the variable says, or one in the cache."""
    folder = os.environ.get(DATA_VARIABLE)
    return Path(folder) if folder else cache_folder() / "datasets"
