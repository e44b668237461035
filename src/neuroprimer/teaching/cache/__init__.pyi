from .fingerprints import Dependencies
from .lookup import Lookup, RunCache
from .places import cache_folder
from .reasons import date_of
from .store import Entry, Store

__all__ = [
    "Dependencies",
    "Entry",
    "Lookup",
    "RunCache",
    "Store",
    "cache_folder",
    "date_of",
]
