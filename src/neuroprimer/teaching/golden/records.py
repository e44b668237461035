"""Records: what golden cells should give, in a small file beside their lesson."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.golden.pictures import require_picture
from neuroprimer.teaching.model import Lesson
from neuroprimer.teaching.sealed import write_whole

FORMAT = 1

Record = Mapping[str, tuple["Output", ...]]


class RecordError(NeuroprimerError, ValueError):
    """A file of records that cannot be read, or written."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """One thing that a golden cell gives.

    Parameters
    ----------
    kind : str
        ``text``, ``error``, ``figure`` (the data behind one), ``picture`` or another MIME type.
    text : str
        In a record, what sums up a text that is long; empty for a picture.
    is_summed_up : bool
        Whether `text` does so.
    picture : str
        Small and grey, PNG in base64; empty for everything else.
    """

    kind: str
    text: str = ""
    is_summed_up: bool = False
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordUpdate:
    """What an update has made of a lesson's records.

    Parameters
    ----------
    lesson : Lesson
        Whose records they are.
    new, changed, gone : tuple of str
        Names of golden cells.
    is_left : bool
        Whether they were left as they are, because the lesson has not passed.
    """

    lesson: Lesson
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    is_left: bool = False

    @property
    def file(self) -> Path:
        """Where the records lie."""
        return record_file(self.lesson.path)

    def as_dict(self) -> dict[str, Any]:
        """Return the update as JSON-ready values."""
        return {
            "lesson": self.lesson.id,
            "new": list(self.new),
            "changed": list(self.changed),
            "gone": list(self.gone),
            "is_left": self.is_left,
        }

    def __str__(self) -> str:
        if self.is_left:
            return f"{self.lesson.id}: not recorded, since the lesson has not passed."
        parts = {"new": self.new, "changed": self.changed, "gone": self.gone}
        news = [f"{', '.join(names)} {what}" for what, names in parts.items() if names]
        return f"{self.lesson.id}: {'; '.join(news) or 'all as recorded'}."


def record_file(lesson: Path) -> Path:
    """Return where the records of a lesson's file lie, whether there are any or not."""
    return lesson.with_name(f"{lesson.stem}.golden.json")


def load_record(lesson: Path) -> Record:
    """Return what the golden cells of a lesson should give, by name.

    Parameters
    ----------
    lesson : pathlib.Path
        The lesson's file.

    Raises
    ------
    RecordError
        If there is a file that cannot be read.
    """
    file = record_file(lesson)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"it has the format {content['format']!r}")
        return {name: tuple(map(_output, outputs)) for name, outputs in content["cells"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RecordError(
            f"{file.name} cannot be read: {type(error).__name__}: {error}",
            hint="Take it back from your repository, or remove it and record anew.",
        ) from error


def save_record(lesson: Path, record: Record) -> None:
    """Write what golden cells should give, whole or not at all; no file where there is none.

    Raises
    ------
    RecordError
        If it cannot be written.
    """
    file = record_file(lesson)
    cells = {name: list(map(_as_dict, outputs)) for name, outputs in record.items()}
    text = json.dumps(
        {"format": FORMAT, "cells": cells}, indent=1, sort_keys=True, ensure_ascii=False
    )
    try:
        if record:
            write_whole(file, f"{text}\n".encode())
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise RecordError(
            f"{file.name} cannot be written: {error.strerror or error}.",
            hint="Records lie beside the lesson; make its folder writable, or use a copy of it.",
        ) from error


def _output(content: Mapping[str, Any]) -> Output:
    text = content.get("text", content.get("sum", ()))
    picture = content.get("picture", "")
    if picture:
        require_picture(picture)
    return Output(
        kind=content["kind"],
        text="\n".join(text),
        is_summed_up="sum" in content,
        picture=picture,
    )


def _as_dict(output: Output) -> dict[str, Any]:
    """Return an output for JSON; a text line by line, so that a change in git is small."""
    content: dict[str, Any] = {"kind": output.kind}
    if output.text:
        content["sum" if output.is_summed_up else "text"] = output.text.split("\n")
    if output.picture:
        content["picture"] = output.picture
    return content
