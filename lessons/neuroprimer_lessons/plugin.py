"""The plugin that brings the built-in course; it is found like anybody's."""

from collections.abc import Sequence
from pathlib import Path

from neuroprimer.teaching import Dataset, Lesson, hookimpl, load_lesson
from neuroprimer.teaching.model import SAMPLE
from neuroprimer_lessons.datasets import DATASETS, find_dataset_files
from neuroprimer_lessons.originals import FULL, find_original_files

LESSON_FOLDERS = (
    "what_is_an_image",
    "voxels_and_affines",
    "building_affines",
    "transforming_images",
    "looking_at_brains",
    "four_dimensions",
    "brain_data",
    "maps_of_pain",
    "masks_and_regions",
    "where_next",
)


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
def provide_dataset(dataset: Dataset, folder: Path, variant: str) -> Sequence[Path] | None:
    """Return files that a dependency ships, that are made here, or that are fetched, or None."""
    if variant == FULL:
        return find_original_files(dataset, folder)
    return find_dataset_files(dataset, folder) if variant == SAMPLE else None
