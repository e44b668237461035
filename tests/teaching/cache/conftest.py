"""Lessons that really run, and what the cache says of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neuroprimer.teaching import BuildReport, Lesson, hookimpl, load_lesson, validate_lessons
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.model import Dataset
from neuroprimer.teaching.plugins import add_plugin, make_manager

Validate = Callable[..., BuildReport]


def catalogue_of(*plugins: object) -> Catalogue:
    manager = make_manager()
    for plugin in plugins:
        add_plugin(manager, plugin, type(plugin).__name__.lower())
    return Catalogue.from_plugins(manager)


@pytest.fixture
def validate(cache_folder: Path) -> Validate:
    """Validate lessons, read anew from their files, with the test's cache."""

    def run(*lessons: Lesson, plugins: tuple[object, ...] = (), **options: object) -> BuildReport:
        options = {"cache": cache_folder, "jobs": 2, **options}
        read = [load_lesson(lesson.path) for lesson in lessons]
        return validate_lessons(read, catalogue_of(*plugins), **options)

    return run


@pytest.fixture
def why(validate: Validate) -> Callable[..., str]:
    """Validate one lesson and return why it ran, or did not."""

    def ask(lesson: Lesson, **options: object) -> str:
        (report,) = validate(lesson, **options).reports
        return report.result.reason

    return ask


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder from which this program and its kernels import."""
    folder = tmp_path / "importable"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
    return folder


class Provides:
    """A plugin with one dataset.

    Parameters
    ----------
    file : pathlib.Path
        What the dataset consists of.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    @hookimpl
    def register_datasets(self):
        return [
            Dataset(
                id="pain-maps",
                title="Pain",
                description="Maps.",
                licence="CC0",
                citation="Nobody.",
                is_synthetic=True,
            )
        ]

    @hookimpl
    def provide_dataset(self, dataset):
        return [self.file] if self.file.exists() else None


@pytest.fixture
def pain_maps(tmp_path: Path) -> Provides:
    file = tmp_path / "maps.csv"
    file.write_text("1,2,3")
    return Provides(file)
