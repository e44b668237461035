"""Partial files: what has come of a download, and whether the rest may be put behind it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from neuroprimer.teaching.sealed import canonical, write_whole


class StaleError(Exception):
    """What a server sends does not follow what has come of a file."""


@dataclass(frozen=True, kw_only=True)
class PartialFile:
    """The beginning of a file that is on its way.

    Parameters
    ----------
    data : pathlib.Path
        Holds what has come.
    note : pathlib.Path
        Says from where, and how the server tells this state of the file from others.
    address : str
        Where the file is fetched from.
    """

    data: Path
    note: Path
    address: str

    @classmethod
    def beside(cls, file: Path, address: str) -> "PartialFile":
        """Return the beginning of a file; it lies hidden beside the file."""
        hidden = file.with_name(f".{file.name}.part")
        return cls(data=hidden, note=hidden.with_suffix(".part.json"), address=address)

    @property
    def size(self) -> int:
        """How many bytes have come."""
        return self.data.stat().st_size if self.data.exists() else 0

    def request_headers(self) -> dict[str, str]:
        """Return what asks a server for the rest, provided that the file is still the same."""
        validator = self._validator()
        if not self.size or not validator:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": validator}

    def prepare(self, status: int, headers: Mapping[str, str]) -> int | None:
        """Get ready for what a server sends: behind what is here, or in its place.

        Parameters
        ----------
        status : int
            200, 206 or 416.
        headers : mapping of str to str
            Of the answer.

        Returns
        -------
        total : int or None
            How many bytes the file has, if the server says it.

        Raises
        ------
        StaleError
            If neither is possible. What is here is gone then, and the next try begins anew.
        """
        if status == HTTPStatus.OK:
            self._begin(headers)
            length = headers.get("Content-Length", "")
            return int(length) if length.isdecimal() else None
        span, _, total = headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        is_rest = status == HTTPStatus.PARTIAL_CONTENT
        size = int(total) if total.isdecimal() else -1
        # without a rest, what is sent only says so: behind a file that is not whole it would stay
        fits = self._is_followed_by(span) if is_rest else span == "*" and self.size == size
        is_same = _validator_of(headers) in ("", self._validator())
        if fits and is_same and self.size <= size:
            return size
        self.discard()
        raise StaleError("what had come before was of no use any more")

    def finish(self, file: Path) -> None:
        """Let the file be there, whole."""
        with self.data.open("ab") as stream:
            os.fsync(stream.fileno())
        self.data.replace(file)
        self.note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget what has come."""
        self.data.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _begin(self, headers: Mapping[str, str]) -> None:
        self.discard()
        self.data.parent.mkdir(parents=True, exist_ok=True)
        note = {"address": self.address, "validator": _validator_of(headers)}
        write_whole(self.note, canonical(note))
        self.data.touch()

    def _is_followed_by(self, span: str) -> bool:
        return self.size > 0 and span.startswith(f"{self.size}-")

    def _validator(self) -> str:
        """Return how the server tells what has come from other states of the file, or nothing."""
        try:
            note = json.loads(self.note.read_bytes())
        except (OSError, ValueError):
            return ""
        return str(note["validator"]) if note.get("address") == self.address else ""


def _validator_of(headers: Mapping[str, str]) -> str:
    """Return the strongest sign of a file's state that can be trusted to the byte."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
