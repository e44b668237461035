"""The first fetch: what fetched files were like then, so that others are noticed later."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from neuroprimer.teaching.sealed import canonical, write_whole


@dataclass(frozen=True, kw_only=True)
class FirstFetch:
    """What came when a dataset was fetched for the first time.

    Parameters
    ----------
    day : str
        When it was, like ``"2026-11-25"``, in UTC.
    digests : mapping of str to str
        Name and digest of each file, as `content_digest` gives it.
    """

    day: str
    digests: Mapping[str, str]


def find_first_fetch(kept: Path) -> FirstFetch | None:
    """Return what is recorded of a dataset's first fetch, or None before it.

    Parameters
    ----------
    kept : pathlib.Path
        The folder that keeps the files; need not exist. The record lies beside it, and outlives it.

    Raises
    ------
    ValueError
        If the record is damaged.
    """
    try:
        record = json.loads(_record_file(kept).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return FirstFetch(day=str(record["day"]), digests=dict(record["digests"]))
    except (LookupError, TypeError) as error:
        raise ValueError(f"{_record_file(kept)} is damaged") from error


def record_first_fetch(kept: Path, digests: Mapping[str, str]) -> None:
    """Write down what came, for all later fetches."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    first = FirstFetch(day=today, digests=dict(digests))
    write_whole(_record_file(kept), canonical(asdict(first)))


def forget_first_fetch(kept: Path) -> None:
    """Let whatever comes the next time count as the first."""
    _record_file(kept).unlink(missing_ok=True)


def _record_file(kept: Path) -> Path:
    return kept.with_name(f".first-{kept.name}.json")
