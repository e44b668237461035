"""Datasets: the first plugin that can provide one does, and a lesson gets what it declared."""

from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from neuroprimer.teaching import Dataset, Lesson, OpenLesson, Variant, dataset_files, hookimpl
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.datasets import DatasetError, files_of_each, require_dataset
from neuroprimer.teaching.plugins import add_plugin, make_manager
from neuroprimer.teaching.publish.catalogue_pages import SYNTHETIC_NOTE
from neuroprimer.teaching.publish.pages import lesson_page

DATA = Dataset(
    id="brain",
    title="A brain",
    description="",
    licence="MIT",
    citation="",
    is_synthetic=True,
    further=(Variant(name="full", title="", licence="", citation="", is_synthetic=False),),
)
LESSON = Lesson(id="a", title="A", path=Path("a.md"), datasets=("brain",))


class Registers:
    @hookimpl
    def register_datasets(self):
        return [DATA]


class Writes:
    """Puts files into the folder it is given."""

    def __init__(self, *names: str) -> None:
        self.names = names

    @hookimpl
    def provide_dataset(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            (folder / name).write_text(name)
        return [folder / name for name in self.names]


class Declines:
    @hookimpl
    def provide_dataset(self):
        return None


class Raises:
    @hookimpl
    def provide_dataset(self):
        raise OSError("no space left")


class ReturnsText:
    @hookimpl
    def provide_dataset(self):
        return "brain.nii"


class Refuses:
    """Says in words that it cannot."""

    @hookimpl
    def provide_dataset(self):
        raise DatasetError("The scanner is off.", hint="Turn it on.")


class TellsVariant:
    @hookimpl
    def provide_dataset(self, folder, variant):
        return Writes(f"{variant}.nii").provide_dataset(folder)


class WaitsForAnother:
    """Makes a dataset only while another is being made, too."""

    def __init__(self, patience_s):
        self.others = Barrier(2, timeout=patience_s)

    @hookimpl
    def provide_dataset(self, folder):
        self.others.wait()
        return Writes("made").provide_dataset(folder)


class Counts:
    """Declines, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    @hookimpl
    def provide_dataset(self):
        self.asked += 1


class Promises:
    @hookimpl
    def provide_dataset(self, folder):
        return [folder / "gone"]


def catalogue_of(*plugins: object) -> Catalogue:
    manager = make_manager()
    for plugin in (Registers(), *plugins):
        add_plugin(manager, plugin, type(plugin).__name__)
    return Catalogue.from_plugins(manager)


def test_first_plugin_that_provides_wins(tmp_path):
    later = Writes("two")
    catalogue = catalogue_of(Declines(), Raises(), Writes("one"))
    add_plugin(catalogue.manager, later, "later")

    assert dataset_files(catalogue, DATA, folder=tmp_path / "new") == (tmp_path / "new" / "one",)
    assert not (tmp_path / "new" / "two").exists()


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        ((Declines(),), "No plugin could provide the dataset 'brain' \\(sample\\)"),
        ((Raises(),), "NP002 Raises: provide_dataset: OSError: no space left"),
        ((Promises(),), "'Promises' says that it provides 'brain', but .*gone does not exist"),
        ((Writes(),), "it names no file"),
        ((ReturnsText(),), "it returned 'brain.nii' where a list of paths is expected"),
    ],
)
def test_dataset_that_nobody_provides_is_an_error_with_reasons(tmp_path, plugins, words):
    with pytest.raises(DatasetError, match=words):
        dataset_files(catalogue_of(*plugins), DATA, folder=tmp_path)


def test_what_the_only_plugin_says_is_what_is_told(tmp_path):
    with pytest.raises(DatasetError) as told:
        dataset_files(catalogue_of(Refuses(), Declines()), DATA, folder=tmp_path)

    assert str(told.value) == "The scanner is off. Turn it on."


def test_of_several_plugins_that_fail_all_are_told(tmp_path):
    with pytest.raises(DatasetError, match=r"(?s)NP002 Refuses: .*scanner.*NP002 Raises: .*space"):
        dataset_files(catalogue_of(Refuses(), Raises()), DATA, folder=tmp_path)


def test_plugin_is_not_asked_for_a_variant_that_there_is_not(tmp_path):
    with pytest.raises(DatasetError, match=r"no variant 'huge'. There is: sample, full"):
        dataset_files(catalogue_of(Writes("one")), DATA, folder=tmp_path, variant="huge")

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def two_processors(monkeypatch, tmp_path):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path))


@pytest.mark.usefixtures("two_processors")
def test_samples_are_made_side_by_side_and_come_in_the_order_asked_for():
    wanted = [replace(DATA, id=id_, size_mb=size) for id_, size in [("small", 1.0), ("big", 2.0)]]

    made = list(files_of_each(catalogue_of(WaitsForAnother(patience_s=60)), wanted))

    assert [one.id for one, _ in made] == ["small", "big"]
    assert [files[0].parent.name for _, files in made] == ["small", "big"]


@pytest.mark.usefixtures("two_processors")
def test_what_is_fetched_comes_one_after_another():
    wanted = [replace(DATA, id=id_) for id_ in ("one", "other")]

    # each of the two waits in vain for company
    with pytest.raises(DatasetError, match="BrokenBarrierError"):
        list(files_of_each(catalogue_of(WaitsForAnother(patience_s=0.2)), wanted, variant="full"))


def test_unknown_dataset_is_answered_with_the_near_name():
    with pytest.raises(DatasetError, match="Did you mean 'brain'"):
        require_dataset(catalogue_of(), "brian")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "brain"


def test_lesson_gets_its_only_file(cache):
    lesson = OpenLesson(lesson=LESSON, catalogue=catalogue_of(Writes("t1.nii")))

    assert lesson.data("brain") == cache / "t1.nii"


def test_lesson_names_one_of_several_files(cache):
    lesson = OpenLesson(lesson=LESSON, catalogue=catalogue_of(Writes("t1.nii", "t2.nii")))

    assert lesson.data("brain", "t2.nii") == cache / "t2.nii"
    with pytest.raises(DatasetError, match=r"2 file\(s\).*Name one of: t1\.nii, t2\.nii"):
        lesson.data("brain")
    with pytest.raises(DatasetError, match=r"0 fit the name 't3\.nii'"):
        lesson.data("brain", "t3.nii")


@pytest.mark.usefixtures("cache")
def test_plugin_is_asked_once_and_again_when_a_file_has_gone():
    counts = Counts()
    lesson = OpenLesson(lesson=LESSON, catalogue=catalogue_of(counts, Writes("t1.nii", "t2.nii")))

    for _ in range(3):
        assert lesson.data("brain", "t1.nii").exists()
    assert counts.asked == 1

    lesson.data("brain", "t2.nii").unlink()
    assert lesson.data("brain", "t2.nii").exists()
    assert counts.asked == 2


@pytest.mark.usefixtures("cache")
def test_lesson_gets_the_sample_and_another_variant_only_when_it_asks():
    lesson = OpenLesson(lesson=LESSON, catalogue=catalogue_of(TellsVariant()))

    assert lesson.data("brain").name == "sample.nii"
    assert lesson.data("brain", variant="full").name == "full.nii"


BRAINS = """
from neuroprimer.teaching import Dataset, Variant, hookimpl

FULL = Variant(name="full", title="", licence="", citation="", is_synthetic=False)

@hookimpl
def register_datasets():
    described = dict(id="brain", title="", description="", licence="", citation="")
    return [Dataset(**described, is_synthetic=True, further=(FULL,))]

@hookimpl
def provide_dataset():
    return [__file__]
"""
WANTS = """
import neuroprimer
lesson = neuroprimer.lesson({id!r})
found = lesson.data("brain"{more})
"""


@pytest.mark.kernel
def test_build_refuses_a_lesson_that_wants_more_than_the_sample(
    course_folder, write_plugin, write_lesson, neuroprimer
):
    write_plugin("brains", BRAINS)
    for id_, more in (("modest", ""), ("greedy", ', variant="full"')):
        write_lesson(WANTS.format(id=id_, more=more), datasets="[brain]", lesson_id=id_)

    done = neuroprimer("validate", "--course", course_folder)

    assert done.returncode == 1
    assert "greedy, code cell 1: " in done.stderr
    assert "asks for 'brain' (full) in a build" in done.stderr
    assert "modest" not in done.stderr.partition("NP3")[2]


def test_lesson_cannot_read_what_it_does_not_declare():
    lesson = OpenLesson(lesson=LESSON, catalogue=catalogue_of())

    with pytest.raises(DatasetError, match=r"does not say that it reads 'brian'.*mean 'brain'"):
        lesson.data("brian")


def test_synthetic_data_are_called_so_on_the_page():
    from nbformat.v4 import new_markdown_cell, new_notebook

    from neuroprimer.teaching.model import Course, ExecutionResult, ValidationReport

    notebook = new_notebook(cells=[new_markdown_cell("# A\n\nProse.")])
    report = ValidationReport(result=ExecutionResult(lesson=LESSON, notebook=notebook), findings=())
    course = Course(title="C", folder=Path(), parts=())

    page = lesson_page(report, course, catalogue_of())

    assert SYNTHETIC_NOTE in page.cells[1].source
    assert [cell.source for cell in page.cells[::2]] == ["# A", "Prose."]
    assert "Licence: MIT" in page.cells[3].source
    assert len(notebook.cells) == 1
