"""What files hold: digests that stay the same however the files are packed."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

PART_BYTES = 1 << 20


def content_digest(file: Path) -> str:
    """Return the SHA-256 of what a file holds; of a ``.gz`` file, of what it unpacks to.

    The same bytes are packed differently by every version of zlib, and by the libraries that take
    its place. What they unpack to stays the same.

    Parameters
    ----------
    file : pathlib.Path
        Any file.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read, or a ``.gz`` file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> plain, packed = folder / "a.txt", folder / "a.txt.gz"
    >>> _ = plain.write_bytes(b"voxels"), packed.write_bytes(gzip.compress(b"voxels", 1))
    >>> content_digest(plain) == content_digest(packed)
    True
    """
    digest = hashlib.sha256()
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            while part := stream.read(PART_BYTES):
                digest.update(part)
    except (EOFError, zlib.error) as error:
        raise OSError(f"{file} is damaged: {error}") from error
    return digest.hexdigest()


def files_of(folder: Path) -> list[Path]:
    """Return what lies in a folder in the order of names, without what is hidden."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def digests_of(folder: Path) -> dict[str, str]:
    """Return name and digest of each file in a folder; no digits where one cannot be read."""
    return {file.name: _digest(file) for file in files_of(folder)}


def damaged_files(expected: Mapping[str, str], folder: Path) -> list[str]:
    """Return the names of files that are not there or hold something else; reads all of them.

    Parameters
    ----------
    expected : mapping of str to str
        Name and digest of each file, as `content_digest` gives it.
    folder : pathlib.Path
        Where they should lie.

    Returns
    -------
    names : list of str
        Empty when all is well.
    """
    return [name for name, digest in expected.items() if _digest(folder / name) != digest]


def _digest(file: Path) -> str:
    try:
        return content_digest(file)
    except OSError:
        return ""
