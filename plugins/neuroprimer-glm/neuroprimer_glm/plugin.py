"""The plugin: one lesson on data that another plugin brings."""

from pathlib import Path

from neuroprimer.teaching import Lesson, hookimpl, load_lesson


@hookimpl
def register_lessons() -> list[Lesson]:
    """Return the lesson on first-level models."""
    return [load_lesson(Path(__file__).with_name("lesson.md"))]
