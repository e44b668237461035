"""The plugin: a lesson, and the dataset that it is about."""

from collections.abc import Sequence
from pathlib import Path

from neuroprimer.teaching import Dataset, Lesson, hookimpl, keep_dataset, load_lesson
from neuroprimer_isc.dataset import FILM_WATCHING, make_film_watching


@hookimpl
def register_lessons() -> list[Lesson]:
    """Return the one lesson, which lies beside this file."""
    return [load_lesson(Path(__file__).with_name("lesson.md"))]


@hookimpl
def register_datasets() -> list[Dataset]:
    """Return the one dataset."""
    return [FILM_WATCHING]


@hookimpl
def provide_dataset(dataset: Dataset, folder: Path, variant: str) -> Sequence[Path] | None:
    """Return the files of the dataset, made if need be, or None for what is not ours."""
    if dataset.id != FILM_WATCHING.id or variant != "sample":
        return None
    return keep_dataset(dataset, folder, make_film_watching)
