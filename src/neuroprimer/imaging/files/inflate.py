"""Inflate: the bytes inside a .gz file, fast and checked.

A .gz file may hold several members, one after another (bgzip writes such files, and so does
`cat a.gz b.gz`), and its last four bytes give the size of the last member only, modulo 4 GiB.
libdeflate is the fastest way to read one member of known size; everything else goes through a
stream, which knows members and counts beyond 4 GiB.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path
from typing import IO, Any, cast

import deflate
import numpy as np
from isal import igzip_lib
from numpy.typing import NDArray

GZIP_MAGIC = b"\x1f\x8b"

# The deflate format cannot do better: 258 bytes for every two bits.
LARGEST_EXPANSION = 1032

# What the libraries below raise for bytes that are no whole, sound .gz file.
DAMAGED: tuple[type[Exception], ...] = (
    deflate.DeflateError,
    cast("type[Exception]", igzip_lib.IsalError),
    EOFError,
    OSError,
)

BLOCK_BYTES = 1 << 20

# What is read of a compressed file at a time.
CHUNK_BYTES = 1 << 16

# The header of a member has ten bytes. These bits of the fourth say what follows them.
HEADER_BYTES = 10
DEFLATE = 8
HAS_HEADER_CHECKSUM, HAS_EXTRA, HAS_NAME, HAS_COMMENT = 2, 4, 8, 16


class _MemberStream(io.RawIOBase):
    """What is in the members of a .gz file, as one stream of bytes to read.

    Zeros that fill up the end of a file, and whatever else stands behind the last member, are no
    part of it; gzip leaves them out, too. Each member's checksum and size are compared.

    Parameters
    ----------
    file : binary file object
        The compressed file. It is not closed here.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start = file.tell() if file.seekable() else 0
        self._restart()

    def _restart(self) -> None:
        self._ahead = b""
        self._inflater: Any = None
        self._position = 0
        self._n_members = 0

    def readable(self) -> bool:
        """Tell that this is for reading."""
        return True

    def seekable(self) -> bool:
        """Tell that places are found: those ahead by reading, those behind by beginning anew."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from the beginning or from here."""
        place = offset + (self._position if whence == os.SEEK_CUR else 0)
        if place < 0 or whence == os.SEEK_END:
            raise io.UnsupportedOperation("places are counted from the beginning of the content")
        if place < self._position:
            self._file.seek(self._start)
            self._restart()
        while self._position < place and self.read(min(place - self._position, BLOCK_BYTES)):
            pass
        return self._position

    def readinto(self, target: Any) -> int:
        """Fill a buffer as far as one step goes; 0 means the end."""
        while self._inflater is not None or self._begin_member():
            compressed = b""
            if self._inflater.needs_input:
                compressed = self._ahead or self._file.read(CHUNK_BYTES)
                self._ahead = b""
                if not compressed:
                    raise EOFError("the file ends before its content does")
            inflated = self._inflater.decompress(compressed, len(target))
            if self._inflater.eof:
                self._ahead = self._inflater.unused_data
                self._inflater = None
            if inflated:
                target[: len(inflated)] = inflated
                self._position += len(inflated)
                return len(inflated)
        return 0

    def _begin_member(self) -> bool:
        """Read the header of a member, or return False when there is no other."""
        if self._n_members:
            self._skip_zeros()
        self._has_ahead(len(GZIP_MAGIC))
        if not self._ahead.startswith(GZIP_MAGIC):
            if self._n_members:
                return False
            raise BadGzipFile("it does not begin as a .gz file does")
        # Not left to the library, which loses its place in a header that two reads are needed for.
        _, _, method, flags, *_ = self._take(HEADER_BYTES)
        if method != DEFLATE:
            raise BadGzipFile(f"its compression is number {method}, where .gz knows only {DEFLATE}")
        if flags & HAS_EXTRA:
            self._take(int.from_bytes(self._take(2), "little"))
        for has_text in (HAS_NAME, HAS_COMMENT):
            if flags & has_text:
                self._skip_text()
        if flags & HAS_HEADER_CHECKSUM:
            self._take(2)
        self._inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP_NO_HDR_VER)
        self._n_members += 1
        return True

    def _skip_text(self) -> None:
        """Pass by all that stands before the next zero, and the zero."""
        while (end := self._ahead.find(b"\0")) < 0:
            self._ahead = b""
            self._require_ahead(1)
        self._ahead = self._ahead[end + 1 :]

    def _skip_zeros(self) -> None:
        self._ahead = self._ahead.lstrip(b"\0")
        while not self._ahead and self._has_ahead(1):
            self._ahead = self._ahead.lstrip(b"\0")

    def _has_ahead(self, n_bytes: int) -> bool:
        """Have so many compressed bytes ready, or return False where the file ends before."""
        while len(self._ahead) < n_bytes:
            read = self._file.read(CHUNK_BYTES)
            if not read:
                return False
            self._ahead += read
        return True

    def _require_ahead(self, n_bytes: int) -> None:
        if not self._has_ahead(n_bytes):
            raise EOFError("the file ends within the header of a member")

    def _take(self, n_bytes: int) -> bytes:
        """Return the next compressed bytes."""
        self._require_ahead(n_bytes)
        taken, self._ahead = self._ahead[:n_bytes], self._ahead[n_bytes:]
        return taken


@contextmanager
def open_inflated(file: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """Open a .gz file to read what is in it, from the front to the back.

    Parameters
    ----------
    file : pathlib.Path or binary file object
        The compressed file. A path is opened and closed here; a file object is read from where it
        stands and left open.

    Yields
    ------
    stream : binary file object
        Reading past damage raises one of `DAMAGED`.

    Examples
    --------
    >>> import gzip
    >>> with open_inflated(io.BytesIO(gzip.compress(b"voxels"))) as stream:
    ...     stream.read(3)
    b'vox'
    """
    if isinstance(file, Path):
        with file.open("rb", buffering=0) as compressed, open_inflated(compressed) as stream:
            yield stream
        return
    with io.BufferedReader(_MemberStream(file), CHUNK_BYTES) as stream:
        yield cast("IO[bytes]", stream)


def inflate_file(path: Path, n_bytes: int) -> NDArray[np.uint8]:
    """Return the first bytes of what a .gz file holds, after their checksums have been compared.

    Parameters
    ----------
    path : pathlib.Path
        The compressed file.
    n_bytes : int
        How many bytes are wanted.

    Returns
    -------
    content : (n_bytes,) array
        Not more memory is used than the file can fill.

    Raises
    ------
    EOFError
        If the file holds fewer, or is cut off.
    OSError
        If it is no .gz file, or cannot be read.
    isal.igzip_lib.IsalError
        If the compressed bytes make no sense, or a checksum does not fit.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two_members.gz"
    ...     _ = path.write_bytes(gzip.compress(b"vox") + gzip.compress(b"els"))
    ...     inflate_file(path, 6).tobytes()
    b'voxels'
    """
    _require_possible(path.stat().st_size, n_bytes)
    content = _inflate_at_once(path, n_bytes)
    return _inflate_stream(path, n_bytes) if content is None else content


def _require_possible(compressed_bytes: int, n_bytes: int) -> None:
    """Raise before memory is asked for that the file cannot fill."""
    if n_bytes > compressed_bytes * LARGEST_EXPANSION:
        raise EOFError(
            f"{n_bytes} bytes are expected, but {compressed_bytes} compressed bytes can hold "
            f"{compressed_bytes * LARGEST_EXPANSION} at most"
        )


def _inflate_at_once(path: Path, n_bytes: int) -> NDArray[np.uint8] | None:
    """Inflate a file of one member in one go, or return None when it is not such a file."""
    with path.open("rb", buffering=0) as file:
        file.seek(-4, os.SEEK_END)
        # Never equal from 4 GiB on: four bytes cannot say so much.
        if int.from_bytes(file.read(4), "little") != n_bytes:
            return None
    try:
        content = deflate.gzip_decompress(path.read_bytes(), n_bytes)
    except deflate.DeflateError:
        return None  # the stream either knows better or can say what is wrong
    return np.frombuffer(content, np.uint8) if len(content) == n_bytes else None


def _inflate_stream(path: Path, n_bytes: int) -> NDArray[np.uint8]:
    """Inflate whatever number of members, and read to the end so that all checksums are seen."""
    # Memory that nothing is written to is only promised: a header that asks for too much costs
    # no more than what the file holds.
    content = np.empty(n_bytes, np.uint8)
    rest = content.data
    with open_inflated(path) as stream:
        while rest:
            n_read = stream.readinto(rest[:BLOCK_BYTES])  # type: ignore[attr-defined] # IO lacks it
            if not n_read:
                raise EOFError(f"{n_bytes} bytes are expected, but {n_bytes - len(rest)} found")
            rest = rest[n_read:]
        while stream.read(BLOCK_BYTES):
            pass
    return content
