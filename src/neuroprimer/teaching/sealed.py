"""Sealed files: they are whole or not there, and tell when they were damaged."""

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Begins the name of a file that is being written.
UNFINISHED = ".new-"

# A writer takes seconds; what is older was left by one that was killed.
LEFT_OVER_S = 3600


def canonical(content: Any) -> bytes:
    """Return the one way to write JSON-ready values."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def digest_of(data: bytes) -> str:
    """Return the sha256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def seal(content: Mapping[str, Any]) -> bytes:
    r"""Return JSON with its digest on a line before it.

    Examples
    --------
    >>> unseal(seal({"a": 1}))
    {'a': 1}
    >>> unseal(seal({"a": 1}).replace(b"1", b"2")) is None
    True
    """
    body = canonical(content)
    return digest_of(body).encode() + b"\n" + body


def unseal(data: bytes) -> dict[str, Any] | None:
    """Return what was sealed, or None when anything of it has changed."""
    digest, _, body = data.partition(b"\n")
    if digest != digest_of(body).encode():
        return None
    content: dict[str, Any] = json.loads(body)
    return content


def write_whole(file: Path, data: bytes) -> None:
    """Write a file whole or not at all, whoever else writes it and whenever the power fails.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is then untouched.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        with unfinished.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder."""
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - unfinished.stat().st_mtime > LEFT_OVER_S:
                unfinished.unlink()
