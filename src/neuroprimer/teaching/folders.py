"""Folders of this user: where what is kept from build to build lies."""

import os
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "NEUROPRIMER_CACHE"


def cache_folder() -> Path:
    """Return the folder of this user's cache: what the variable says, or the system's place."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else platformdirs.user_cache_path("neuroprimer")
