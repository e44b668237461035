"""Downloads: files from other machines that come whole, and go on where they were stopped."""

import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from neuroprimer.teaching.partial_files import PartialFile
from neuroprimer.teaching.transfers import (
    DownloadError,
    PassingError,
    Patience,
    fetch_rest,
    host_of,
    open_session,
)

# Names the address of a machine that has copies of files, in folders with the names of the hosts.
MIRROR_VARIABLE = "NEUROPRIMER_MIRROR"

PATIENCE = Patience()


def download(url: str, file: Path, *, sha256: str = "", patience: Patience = PATIENCE) -> Path:
    """Fetch a file, unless it is here; go on where an earlier attempt was stopped.

    Parameters
    ----------
    url : str
        Its address. NEUROPRIMER_MIRROR may name a machine that is asked instead.
    file : pathlib.Path
        Where it goes. Until all of it is there, what has come lies beside it in a hidden file.
    sha256 : str
        Digest of the file as it is served, where its publisher tells it.
    patience : Patience
        How long to wait, and how often to try.

    Returns
    -------
    file : pathlib.Path
        The same, which exists now.

    Raises
    ------
    DownloadError
        If it cannot be fetched, or is not what it should be, and then is not kept.
    OSError
        If it cannot be written.
    """
    if file.exists():
        return file
    address = mirrored(url)
    partial = PartialFile.beside(file, address)
    _fetch(address, partial, file.name, patience)
    if sha256 and (found := _sha256(partial.data)) != sha256.lower():
        partial.discard()
        raise DownloadError(
            f"{file.name} from {host_of(address)} is not what its publisher says, and was not "
            f"kept: sha256 {found}, expected {sha256.lower()}.",
            hint="Fetch again: it may have been damaged on its way.",
        )
    partial.finish(file)
    return file


def load_json(url: str, *, patience: Patience = PATIENCE) -> Any:
    """Fetch JSON and return what it says.

    Raises
    ------
    DownloadError
        If it cannot be fetched, or is something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        text = download(url, Path(folder) / "JSON", patience=patience).read_bytes()
    try:
        return json.loads(text)
    except ValueError as error:
        raise DownloadError(
            f"{host_of(mirrored(url))} did not answer with data, but with {text[:40]!r}.",
            hint="Does the network want you to log in? Open any page in a browser to see.",
        ) from error


def mirrored(url: str) -> str:
    """Return the address that is asked for another: the same, or one on the mirror.

    Examples
    --------
    >>> os.environ["NEUROPRIMER_MIRROR"] = "http://data.example.org/copies/"
    >>> mirrored("https://neurovault.org/media/a.nii.gz")
    'http://data.example.org/copies/neurovault.org/media/a.nii.gz'
    >>> del os.environ["NEUROPRIMER_MIRROR"]
    >>> mirrored("https://neurovault.org/media/a.nii.gz")
    'https://neurovault.org/media/a.nii.gz'
    """
    mirror = os.environ.get(MIRROR_VARIABLE)
    return f"{mirror.rstrip('/')}/{url.partition('://')[2]}" if mirror else url


def _fetch(address: str, partial: PartialFile, name: str, patience: Patience) -> None:
    """Try until all is there; give up when so many tries in a row have brought nothing."""
    furthest, pauses = partial.size, list(patience.pauses_s)
    with open_session(patience) as session:
        while True:
            try:
                return fetch_rest(session, address, partial, name, patience)
            except PassingError as error:
                if partial.size > furthest:
                    furthest, pauses = partial.size, list(patience.pauses_s)
                if error.is_offline or not pauses:
                    raise _gave_up(address, name, partial.size, str(error)) from error
                time.sleep(pauses.pop(0))


def _gave_up(address: str, name: str, size: int, reason: str) -> DownloadError:
    here = f", and {size:,} bytes of it are here" if size else ""
    return DownloadError(
        f"{name} could not be fetched from {host_of(address)}{here}: {reason}.",
        hint="Is this machine online?" if not size else "",
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
