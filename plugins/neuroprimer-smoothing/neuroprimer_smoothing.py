"""A lesson on smoothing: the smallest plugin there can be."""

from pathlib import Path

from neuroprimer.teaching import Lesson, hookimpl, load_lesson


@hookimpl
def register_lessons() -> list[Lesson]:
    """Return the one lesson, which lies beside this file."""
    return [load_lesson(Path(__file__).with_suffix(".md"))]
