"""The plugin that brings the built-in course; it is found like anybody's."""

from collections.abc import Sequence
from pathlib import Path

from neuroprimer.teaching import Dataset, Lesson, hookimpl, load_lesson
from neuroprimer_lessons.datasets import DATASETS, find_dataset_file

LESSON_FOLDERS = ("what_is_an_image", "voxels_and_affines", "where_next")


@hookimpl
def register_lessons() -> list[Lesson]:
    """Return the lessons in the order in which they build on each other."""
    here = Path(__file__).parent
    return [load_lesson(here / folder / "lesson.md") for folder in LESSON_FOLDERS]


@hookimpl
def register_datasets() -> list[Dataset]:
    """Return the images that the lessons read."""
    return list(DATASETS)


@hookimpl
def provide_dataset(dataset: Dataset, variant: str) -> Sequence[Path] | None:
    """Return the file that a dependency ships, or None for what is not ours."""
    file = find_dataset_file(dataset.id) if variant == "sample" else None
    return None if file is None else [file]
