"""Lessons with golden cells are validated as `neuroprimer validate` does it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from neuroprimer.teaching import BuildReport, Lesson, load_lesson, validate_lessons
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.plugins import make_manager

Validate = Callable[..., BuildReport]


@pytest.fixture
def validate(cache_folder: Path) -> Validate:
    """Validate a lesson, read anew from its file."""

    def run(lesson: Lesson, **options: object) -> BuildReport:
        options = {"cache": cache_folder, **options}
        catalogue = Catalogue.from_plugins(make_manager())
        return validate_lessons([load_lesson(lesson.path)], catalogue, **options)

    return run


@pytest.fixture
def approve(validate: Validate) -> Validate:
    """Record what the golden cells of a lesson give."""
    return lambda lesson, **options: validate(lesson, update_golden=True, **options)
