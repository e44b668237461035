"""Lesson files: what a text notebook says of itself, read without loading any notebook library."""

import json
import re
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from neuroprimer.teaching.model import Lesson, LessonError

METADATA_KEY = "neuroprimer"
SUFFIXES = (".md", ".ipynb")

# What the metadata may say; the title is the first heading, the path is the file.
KEYS = tuple(field.name for field in fields(Lesson) if field.name not in ("title", "path"))
LISTS = (
    *("objectives", "questions", "key_points", "prerequisites", "datasets", "authors"),
    "environment",
)
MINUTES = ("teaching_min", "exercise_min")
AMOUNTS = {
    "cell_timeout_s": "seconds",
    "lesson_timeout_s": "seconds",
    "budget_s": "seconds",
    "memory_mb": "megabytes",
}
SWITCHES = ("network",)

# Written in C it takes a tenth of the time, which counts where a course has a hundred lessons.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)^---\r?\n", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^# +(.+?) *#*$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|~{3,}|:{3,})", re.MULTILINE)


def load_lesson(path: str | Path) -> Lesson:
    """Read what a lesson's file says of itself.

    Parameters
    ----------
    path : str or pathlib.Path
        A MyST Markdown notebook (.md), or a Jupyter notebook (.ipynb). The metadata stand under
        the key ``neuroprimer`` in its front matter or notebook metadata; the title is its first
        heading.

    Returns
    -------
    lesson : Lesson
        Nothing is executed.

    Raises
    ------
    LessonError
        If the file cannot be read, has no metadata, no heading, or metadata with unknown names
        or wrong types.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise LessonError(
            f"Cannot read {file.name} as a lesson: it ends in {file.suffix!r}.",
            hint=f"A lesson's file ends in {' or '.join(SUFFIXES)}.",
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError(
            f"Cannot read the lesson {file}: {error}.",
            hint="Check the path that the plugin gives, and that the plugin's package contains it.",
        ) from error
    metadata, first_text = (_read_myst if file.suffix == ".md" else _read_ipynb)(file, text)
    heading = HEADING.search(first_text)
    if heading is None:
        raise LessonError(
            f"{file.name} has no title.",
            hint="Begin the lesson with a heading, '# The title', before its first code cell.",
        )
    return Lesson(title=heading[1], path=file, **_require_keys(file, metadata))


def _read_myst(file: Path, text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata, and the text up to the first fence."""
    front_matter = FRONT_MATTER.match(text)
    if front_matter is None:
        raise LessonError(
            f"{file.name} has no front matter.",
            hint="Begin the file with a line '---', the lesson's metadata, and another '---'.",
        )
    try:
        metadata = yaml.load(front_matter[1], Loader=LOADER)  # noqa: S506  # both are safe
    except yaml.YAMLError as error:
        raise LessonError(
            f"The front matter of {file.name} is not YAML: {' '.join(str(error).split())}.",
            hint="Put words that hold a colon between quotes.",
        ) from error
    return _require_metadata(file, metadata), FENCE.split(text[front_matter.end() :])[0]


def _read_ipynb(file: Path, text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata, and the text up to the first code cell."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        prose: list[str] = []
        for cell in cells:
            if cell["cell_type"] != "markdown":
                break
            prose.append("".join(cell["source"]))
        metadata = notebook["metadata"]
    except (ValueError, KeyError, TypeError) as error:
        raise LessonError(
            f"{file.name} is not a Jupyter notebook: {type(error).__name__}: {error}.",
            hint="Open it in Jupyter and save it again.",
        ) from error
    return _require_metadata(file, metadata), "\n\n".join(prose)


def _require_metadata(file: Path, metadata: object) -> dict[str, Any]:
    own = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(own, dict):
        raise LessonError(
            f"{file.name} says nothing under {METADATA_KEY!r} in its metadata.",
            hint=f"Add '{METADATA_KEY}:' and below it, indented, at least 'id: my-lesson'.",
        )
    return own


def _require_keys(file: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata with lists as tuples, all names known and all types right."""
    for key, value in metadata.items():
        if key not in KEYS:
            near = get_close_matches(str(key), KEYS, n=1)
            raise LessonError(
                f"{file.name}: a lesson has no {key!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"It may have {', '.join(KEYS)}.",
            )
        _require_type(file, key, value)
    if "id" not in metadata:
        raise LessonError(
            f"{file.name}: a lesson needs an id.",
            hint=f"Add 'id: {file.stem.replace('_', '-').lower()}' under '{METADATA_KEY}:'.",
        )
    return {key: tuple(value) if key in LISTS else value for key, value in metadata.items()}


def _require_type(file: Path, key: str, value: object) -> None:
    if key in LISTS:
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        wanted = "a list of texts"
    elif key in MINUTES:
        right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        wanted = "a whole number of minutes"
    elif key in AMOUNTS:
        right = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        wanted = f"a number of {AMOUNTS[key]} above 0"
    elif key in SWITCHES:
        right, wanted = isinstance(value, bool), "true or false"
    else:
        right, wanted = isinstance(value, str), "a text"
    if not right:
        raise LessonError(
            f"{file.name}: {key} should be {wanted}, but it is {value!r}.",
            hint="A list has one '- item' a line; words that hold a colon stand between quotes.",
        )
