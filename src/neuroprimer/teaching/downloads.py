"""Downloads: files from other machines that come whole, and go on where they were stopped."""

import contextlib
import hashlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer.teaching.partial_files import PartialFile, StaleError

if TYPE_CHECKING:  # loading it takes 0.1 s that `neuroprimer list` does not spend
    import requests

# Names the address of a machine that has copies of files, in folders with the names of the hosts.
MIRROR_VARIABLE = "NEUROPRIMER_MIRROR"

CHUNK_BYTES = 1 << 16
LOOPBACK = ("127.0.0.1", "::1", "localhost")

# All of a file, the rest of it, or that there is no rest.
ANSWERS = frozenset({200, 206, 416})
# What a server answers when it may well answer something else a moment later.
PASSING = frozenset({408, 429, 500, 502, 503, 504})

# Is told the name of a file, how many bytes of it are here, and of how many, if that is known.
Listener = Callable[[str, int, int | None], None]
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda *_: None)


class DownloadError(DatasetError):
    """A file that could not be fetched, or is not what it should be."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for another machine, and how often to ask it again.

    Parameters
    ----------
    connect_s : float
        Until it takes the call, in seconds.
    stall_s : float
        While nothing comes, in seconds. However long a file takes, it may come slowly.
    pauses_s : tuple of float
        Before each further try, in seconds. Whenever more has come than before, they begin anew.
    redirects : int
        How often a server may send on to another address.
    """

    connect_s: float = 10.0
    stall_s: float = 30.0
    pauses_s: tuple[float, ...] = (1.0, 4.0, 15.0)
    redirects: int = 5


PATIENCE = Patience()


class _PassingError(Exception):
    """A try that failed and may be followed by another; says why."""


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
    found = _sha256(partial.data)
    if sha256 and found != sha256.lower():
        partial.discard()
        raise DownloadError(
            f"{file.name} from {_host(address)} is not what its publisher says, and was not kept: "
            f"sha256 {found}, expected {sha256.lower()}.",
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
        text = download(url, Path(folder) / "answer", patience=patience).read_bytes()
    try:
        return json.loads(text)
    except ValueError as error:
        raise DownloadError(
            f"{_host(mirrored(url))} did not answer with data, but with {text[:40]!r}.",
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


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let a listener hear of all downloads of this process."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(name: str, done: int, total: int | None) -> None:
    """Tell whoever listens how far a download is."""
    _listener.get()(name, done, total)


def cause_of(error: BaseException) -> str:
    """Return in words what lies at the bottom of an error that others have wrapped.

    Examples
    --------
    >>> try:
    ...     try:
    ...         raise OSError(111, "Connection refused")
    ...     except OSError as error:
    ...         raise RuntimeError("Max retries exceeded with url") from error
    ... except RuntimeError as error:
    ...     cause_of(error)
    'Connection refused'
    """
    root = root_of(error)
    return getattr(root, "strerror", None) or str(root) or type(root).__name__


def root_of(error: BaseException) -> BaseException:
    """Return the error that lies at the bottom of one that others have wrapped."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _fetch(address: str, partial: PartialFile, name: str, patience: Patience) -> None:
    """Try until all is there; give up when so many tries in a row have brought nothing."""
    furthest, pauses = partial.size, list(patience.pauses_s)
    with _session(patience) as session:
        while True:
            try:
                return _fetch_rest(session, address, partial, name, patience)
            except _PassingError as error:
                if partial.size > furthest:
                    furthest, pauses = partial.size, list(patience.pauses_s)
                if not pauses:
                    raise _gave_up(address, name, partial.size, str(error)) from error
                time.sleep(pauses.pop(0))


def _session(patience: Patience) -> "requests.Session":
    import requests

    session = requests.Session()
    session.max_redirects = patience.redirects
    session.hooks["response"].append(_refuse_downgrade)
    # or lengths and digests would be those of something that is packed only for the journey
    session.headers["Accept-Encoding"] = "identity"
    return session


def _refuse_downgrade(response: "requests.Response", *_: Any, **__: Any) -> None:
    """Refuse to be sent from an address that nobody can listen to, to one where anybody can."""
    target = urljoin(response.url, response.headers.get("Location", ""))
    is_downgrade = response.url.startswith("https:") and target.startswith("http:")
    if response.is_redirect and is_downgrade and urlsplit(target).hostname not in LOOPBACK:
        response.close()
        raise DownloadError(
            f"{_host(response.url)} sends on to {target}, which is not encrypted.",
            hint="Anybody on the way could put another file in its place. Tell who publishes it.",
        )


def _fetch_rest(
    session: "requests.Session", address: str, partial: PartialFile, name: str, patience: Patience
) -> None:
    """Ask once for what is missing of a file, and write what comes."""
    import requests
    import urllib3

    try:
        with session.get(
            address,
            headers=partial.request_headers(),
            stream=True,
            timeout=(patience.connect_s, patience.stall_s),
        ) as response:
            _require_answer(response, address, name)
            total = partial.prepare(response.status_code, response.headers)
            if total is None or partial.size < total:
                _write(response, partial, name, total)
    except requests.exceptions.SSLError as error:
        raise DownloadError(
            f"{_host(address)} cannot prove that it is what it says: {cause_of(error)}.",
            hint="Is the clock of this machine right? Does a proxy or a page for logging in stand "
            "between?",
        ) from error
    except (
        requests.ConnectionError,
        requests.Timeout,
        urllib3.exceptions.HTTPError,
        StaleError,
    ) as error:
        if isinstance(root_of(error), socket.gaierror):  # waiting a moment brings no network
            raise _gave_up(address, name, partial.size, cause_of(error)) from error
        raise _PassingError(cause_of(error)) from error
    except requests.RequestException as error:  # no address, or one that leads in circles
        raise DownloadError(f"{name} cannot be fetched from {address}: {error}") from error
    if total is not None and partial.size != total:
        raise _PassingError(f"{partial.size:,} of {total:,} bytes have come")


def _require_answer(response: "requests.Response", address: str, name: str) -> None:
    status = response.status_code
    if status in ANSWERS:
        return
    said = f"it answers with {status} {response.reason}".strip()
    if status in PASSING:
        raise _PassingError(said)
    raise DownloadError(
        f"{_host(address)} does not give {name}: {said} to {response.url}.",
        hint="Its publisher may have moved it. A newer neuroprimer may know where it is now.",
    )


def _write(
    response: "requests.Response", partial: PartialFile, name: str, total: int | None
) -> None:
    done = partial.size
    tell(name, done, total)
    with partial.data.open("ab") as target:
        # not iter_content(): some servers say of each .gz file that it is packed for the journey
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
            target.write(chunk)
            done += len(chunk)
            tell(name, done, total)


def _gave_up(address: str, name: str, size: int, reason: str) -> DownloadError:
    here = f", and {size:,} bytes of it are here" if size else ""
    return DownloadError(
        f"{name} could not be fetched from {_host(address)}{here}: {reason}.",
        hint="Is this machine online?" if not size else "",
    )


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
