"""Our lessons and those of our plugins: complete, and right in what they claim."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from numpy.testing import assert_allclose

import neuroprimer
from neuroprimer.imaging import load_image
from neuroprimer.teaching import dataset_files, load_catalogue
from neuroprimer.teaching.exercises.files import load_exercises, load_quizzes
from neuroprimer.teaching.notebooks import code_cells, read_notebook
from neuroprimer_lessons.datasets import DATASETS, find_dataset_file

# All that is installed: the environment of the tests holds no plugins but ours.
LESSONS = list(load_catalogue(strict=True).lessons.values())


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_says_what_students_look_for(lesson):
    assert lesson.description.endswith(".")
    assert lesson.objectives
    assert lesson.questions
    assert lesson.key_points
    assert lesson.teaching_min > 0
    assert lesson.authors


# What fits beside the menu of the site on a laptop without scrolling sideways.
WIDEST_CODE = 76


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_code_fits_the_page(lesson):
    code = "\n".join(cell.source for _, cell in code_cells(read_notebook(lesson.path)))

    assert [line for line in code.splitlines() if len(line) > WIDEST_CODE] == []


FEWEST_EXERCISES = 3
FEWEST_WRONG_ANSWERS = 3


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_asks_something_of_its_readers(lesson):
    assert len(load_exercises(lesson)) >= FEWEST_EXERCISES
    assert load_quizzes(lesson)
    assert lesson.exercise_min > 0


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_shows_all_its_quizzes(lesson):
    code = "\n".join(cell.source for _, cell in code_cells(read_notebook(lesson.path)))

    assert [id_ for id_ in load_quizzes(lesson) if f'lesson.quiz("{id_}")' not in code] == []


EXERCISES = [
    pytest.param(exercise, id=f"{lesson.id}-{exercise.id}")
    for lesson in LESSONS
    for exercise in load_exercises(lesson).values()
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_exercise_knows_what_students_get_wrong_and_leads_them(exercise):
    assert len(exercise.wrong_answers) >= FEWEST_WRONG_ANSWERS
    assert exercise.hints


PLUGINS = Path(__file__).parents[2] / "plugins"
SOURCES = {".py", ".md", ".json", ".typed"}


@pytest.mark.parametrize(
    "project", sorted(PLUGINS.glob("*/pyproject.toml")), ids=lambda project: project.parent.name
)
def test_plugin_packs_all_its_files(project, tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=project.parent, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [file for file in project.parent.rglob("*") if file.suffix in SOURCES]
    assert packed == {file.relative_to(project.parent).as_posix() for file in files}


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.id)
def test_dataset_is_there_and_says_its_terms(dataset):
    catalogue = load_catalogue()
    files = dataset_files(catalogue, catalogue.datasets[dataset.id])

    assert any(nib.load(file).shape for file in files if file.name.endswith(".nii.gz"))
    assert dataset.licence
    assert dataset.citation
    assert dataset.is_synthetic == ("synthetic" in dataset.title.lower())


def test_foreign_dataset_is_left_to_others():
    assert find_dataset_file("somebody-elses") is None


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("voxels-and-affines")


def test_numbers_in_the_prose_on_the_template(lesson):
    t1 = load_image(lesson.data("mni152-t1"))

    assert t1.shape == (197, 233, 189)
    assert t1.get_data_dtype() == np.uint8
    assert_allclose(apply_affine(t1.affine, (98, 134, 89)), (0, 0, 17))
    assert_allclose(apply_affine(t1.affine, (98, 134, 72)), (0, 0, 0))
    assert_allclose(t1.affine[:3, 3], (-98, -134, -72))
    assert t1.header.get_xyzt_units()[0] == "unknown"
    voxels = np.asanyarray(t1.dataobj)
    assert (voxels == voxels[::-1]).all()  # exactly symmetric
    grey, white = (
        np.bincount(voxels[(voxels > low) & (voxels < high)]).argmax()
        for low, high in ((100, 200), (200, 255))
    )
    assert (grey, white) == (pytest.approx(170, abs=5), pytest.approx(220, abs=5))


def test_numbers_in_the_prose_on_the_run(lesson):
    run = load_image(lesson.data("example4d"))

    assert_allclose(run.affine[:3, 1], (0, 1.97, 0.32), atol=0.005)
    assert nib.aff2axcodes(run.affine) == ("L", "A", "S")
    tilt = np.degrees(np.arctan2(run.affine[2, 1], run.affine[1, 1]))  # j rises towards the front
    assert tilt == pytest.approx(9.3, abs=0.05)
    apart = apply_affine(run.affine, (11, 11, 11)) - apply_affine(run.affine, (10, 10, 10))
    assert np.linalg.norm(apart) == pytest.approx(3.58, abs=0.005)
    assert run.header.get_zooms()[3] == 2000
    assert run.header.get_xyzt_units() == ("mm", "sec")
