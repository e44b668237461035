"""Transfers: one try to get what is missing of a file, and what can go wrong with it."""

import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from neuroprimer.teaching.arrivals import tell
from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer.teaching.partial_files import PartialFile, StaleError

if TYPE_CHECKING:  # loading it takes 0.1 s that `neuroprimer list` does not spend
    import requests

CHUNK_BYTES = 1 << 16
LOOPBACK = ("127.0.0.1", "::1", "localhost")

# All of a file, the rest of it, or that there is no rest.
ANSWERS = frozenset({200, 206, 416})
# What a server answers when it may well answer something else a moment later.
PASSING = frozenset({408, 429, 500, 502, 503, 504})


class DownloadError(DatasetError):
    """A file that could not be fetched, or is not what it should be."""


class PassingError(Exception):
    """A try that failed and may be followed by another; says why.

    Parameters
    ----------
    reason : str
        In words.
    is_offline : bool
        Whether nobody could tell which machine an address means; no pause brings a network.
    """

    def __init__(self, reason: str, *, is_offline: bool = False) -> None:
        super().__init__(reason)
        self.is_offline = is_offline


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


def open_session(patience: Patience) -> "requests.Session":
    """Return what asks servers, patiently, and is careful about where they send it."""
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
            f"{host_of(response.url)} sends on to {target}, which is not encrypted.",
            hint="Anybody on the way could put another file in its place. Tell who publishes it.",
        )


def fetch_rest(
    session: "requests.Session", address: str, partial: PartialFile, name: str, patience: Patience
) -> None:
    """Ask once for what is missing of a file, and write what comes."""
    import requests
    import urllib3

    handled = sys.exception()  # who calls may be about to do without a file that was not there
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
            f"{host_of(address)} cannot prove that it is what it says: {cause_of(error, handled)}.",
            hint="Is the clock of this machine right? Does a proxy or a page for logging in stand "
            "between?",
        ) from error
    except (
        requests.ConnectionError,
        requests.Timeout,
        urllib3.exceptions.HTTPError,
        StaleError,
    ) as error:
        is_offline = isinstance(root_of(error, handled), socket.gaierror)
        raise PassingError(cause_of(error, handled), is_offline=is_offline) from error
    except requests.RequestException as error:  # no address, or one that leads in circles
        raise DownloadError(f"{name} cannot be fetched from {address}: {error}") from error
    if total is not None and partial.size != total:
        raise PassingError(f"{partial.size:,} of {total:,} bytes have come")


def _require_answer(response: "requests.Response", address: str, name: str) -> None:
    status = response.status_code
    if status in ANSWERS:
        return
    said = f"it answers with {status} {response.reason}".strip()
    if status in PASSING:
        raise PassingError(said)
    raise DownloadError(
        f"{host_of(address)} does not give {name}: {said} to {response.url}.",
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


def host_of(address: str) -> str:
    """Return the name of the machine in an address."""
    return urlsplit(address).hostname or address


def cause_of(error: BaseException, handled: BaseException | None = None) -> str:
    """Return in words what lies at the bottom of an error that others have wrapped.

    Parameters
    ----------
    error : BaseException
        The outermost.
    handled : BaseException, optional
        What was being handled before anything of it came up, and so is no part of it.

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
    root = root_of(error, handled)
    return getattr(root, "strerror", None) or str(root) or type(root).__name__


def root_of(error: BaseException, handled: BaseException | None = None) -> BaseException:
    """Return the error that lies at the bottom of one that others have wrapped; see `cause_of`."""
    while (below := error.__context__) is not None and below is not handled:
        error = below
    return error
