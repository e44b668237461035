from .fingerprints import Dependencies
from .lookup import Lookup, RunCache
from .reasons import date_of
from .store import Entry, Store

__all__ = [
    "Dependencies",
    "Entry",
    "Lookup",
    "RunCache",
    "Store",
    "date_of",
]
