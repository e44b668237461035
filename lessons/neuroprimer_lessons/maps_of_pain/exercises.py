"""The exercises of the lesson on maps of pain."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging import (
    BrainData,
    TTest,
    apply_mask,
    compare_coordinates,
    correct_p,
    ttest,
    voxel_to_world,
)
from neuroprimer.teaching import (
    Choice,
    Exercise,
    FindData,
    Incorrect,
    NumericQuiz,
    Quiz,
    WrongAnswer,
)
from neuroprimer.teaching.exercises.answers import find_shape
from neuroprimer.teaching.exercises.comparers import require_array, require_number
from neuroprimer_lessons.verdicts import require_no_fault

# The threshold of the lesson, as a probability.
LEVEL = 0.001


@dataclass(frozen=True, kw_only=True)
class Study:
    """The maps of each intensity, and what the lesson tests."""

    maps: BrainData
    low: BrainData
    medium: BrainData
    high: BrainData
    result: TTest


@lru_cache(maxsize=1)
def load_study(metadata_file: Path) -> Study:
    """Read all maps once for all checks."""
    table = pd.read_csv(metadata_file)
    folder = metadata_file.parent
    files = [folder / name for name in table["file"]]
    maps = BrainData(files, mask=folder / "brain_mask.nii.gz", X=table)
    low, medium, high = (maps[maps.X["pain_level"] == level] for level in (1, 2, 3))
    return Study(maps=maps, low=low, medium=medium, high=high, result=ttest(high - low))


def _study(data: FindData) -> Study:
    return load_study(data("pain-maps", "metadata.csv"))


def check_average_step(answer: Any, data: FindData) -> None:
    """Compare with the average of medium minus low."""
    study = _study(data)
    expected, slips = average_steps(data("pain-maps", "metadata.csv"))
    if isinstance(answer, SpatialImage):
        answer = _within_mask(answer, study.maps)
    found = answer.data if isinstance(answer, BrainData) else answer
    shape = find_shape(found)
    if shape == study.low.shape:
        raise Incorrect("There is still a map for each person. Which one is their average?")
    if shape == expected.shape[1:]:
        found = np.reshape(found, expected.shape)
    elif shape != expected.shape:
        raise Incorrect("Expected a BrainData of one image, with a number for each voxel.")
    for feedback, slip in slips.items():
        if _is_close(found, slip):
            raise Incorrect(feedback)
    if not _is_close(found, expected):
        # Every thousandth voxel shows what kind of slip it is, in a small part of the time.
        require_array(np.asarray(found)[:, ::1000], expected[:, ::1000], tolerance=1e-4)
        raise Incorrect("Some voxels differ.")


@lru_cache(maxsize=1)
def average_steps(metadata_file: Path) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Average the step that is asked for, and other steps, by what they are told."""
    study = load_study(metadata_file)
    low, medium, high = (maps.mean().data for maps in (study.low, study.medium, study.high))
    slips = {
        "The sign is turned: this is how much lower it is.": low - medium,
        "This compares the strongest pain with the weakest.": high - low,
        "This is the upper step, from medium to high.": high - medium,
        "This is one of the two intensities. From which is it to be subtracted, or the other "
        "from it?": medium,
    }
    return medium - low, slips


def _within_mask(image: SpatialImage, maps: BrainData) -> Any:
    if image.shape != maps.grid.shape:
        raise Incorrect("This image has another shape than the maps.")
    return apply_mask(image, maps.mask, nan="zero")


def _is_close(found: Any, slip: Any) -> bool:
    try:
        numbers = np.asarray(found, dtype=float)
        # most slips are told apart by a few voxels
        return all(
            np.allclose(numbers[:, ::step], slip[:, ::step], atol=1e-4) for step in (1000, 1)
        )
    except Exception:  # noqa: BLE001  the answer may be any object
        return False


def check_by_chance(answer: Any, data: FindData) -> None:
    """Compare with one in a hundred of the voxels in the mask."""
    study = _study(data)
    n_voxels = study.maps.shape[1]
    expected = 0.01 * n_voxels
    known = {
        "That is how many would pass p < 0.001.": expected / 10,
        "So many pass in our map, in which there is an effect.": float(
            np.sum(study.result.p.data < 0.01)
        ),
        "Only voxels of the mask are tested; this counts the air around the head, too.": (
            0.01 * float(np.prod(study.maps.grid.shape))
        ),
        "p counts both sides already: it need not be doubled.": 2 * expected,
        "p counts both sides already: it need not be halved.": expected / 2,
        "One test takes all people together: there is one for each voxel, not one for each map.": (
            expected * len(study.maps)
        ),
    }
    require_number(answer, expected, absolute=0.5, unit="voxels", known=known)


def check_peak(answer: Any, data: FindData) -> None:
    """Compare with where the largest t lies."""
    study = _study(data)
    affine = study.maps.grid.affine
    if find_shape(answer) == () and answer == np.argmax(study.result.t.data):
        raise Incorrect("That is its place in the row of voxels. Where in the head is this voxel?")
    expected, known = find_peaks(data("pain-maps", "metadata.csv"))
    require_no_fault(compare_coordinates(answer, expected, affine=affine), answer, known)


@lru_cache(maxsize=1)
def find_peaks(metadata_file: Path) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Find where t is largest, and where other maps stand out, by what they are told; in mm."""
    study = load_study(metadata_file)
    inside_ijk = np.argwhere(study.maps.mask.dataobj)
    t = study.result.t.data[0]
    average = (study.high - study.low).mean().data[0]

    def place_mm(index: np.intp) -> NDArray[Any]:
        return voxel_to_world(study.maps.grid.affine, inside_ijk[index])

    slips = {
        "There the difference is largest, but not the most certain: look at t.": (
            place_mm(np.argmax(average))
        ),
        "t holds the voxels of the mask and no others, so its order is not that of the whole "
        "block.": voxel_to_world(
            study.maps.grid.affine, np.unravel_index(np.argmax(t), study.maps.grid.shape)
        ),
        "There p is highest, and t nearest to zero.": place_mm(np.argmin(np.abs(t))),
    }
    return place_mm(np.argmax(t)), slips


def check_discovered(answer: Any, data: FindData) -> None:
    """Compare with the voxels that pass a false discovery rate of 5 % in the high maps."""
    expected, slips = count_discovered(data("pain-maps", "metadata.csv"))
    require_number(answer, expected, unit="voxels", known=slips)


@lru_cache(maxsize=1)
def count_discovered(metadata_file: Path) -> tuple[float, dict[str, float]]:
    """Count the voxels that pass, and those that pass another test, by what they are told."""
    study = load_study(metadata_file)
    p = ttest(study.high).p
    expected = _count(correct_p(p))
    slips = {
        "These pass p < 0.05 one by one. How many of them are there by chance?": _count(p),
        "That is the contrast from the lesson. Which maps are asked for?": _count(
            correct_p(study.result.p)
        ),
        "These pass p < 0.001 one by one. That is another promise than a false discovery rate.": (
            float(np.sum(p.data < LEVEL))
        ),
        "len() counts rows, and there is one. How many of its voxels are True?": 1.0,
        "These are all maps, of all intensities. Each person counts three times.": _count(
            correct_p(ttest(study.maps).p)
        ),
        "These are the voxels that do not pass.": study.maps.shape[1] - expected,
    }
    return expected, slips


def _count(p: BrainData) -> float:
    return float(np.sum(p.data <= 0.05))


def expected_false_percent(data: FindData) -> float:
    """Return how many of the voxels beyond p < 0.001 chance would explain, in percent."""
    p = _study(data).result.p.data
    return float(100 * LEVEL * p.size / np.sum(p < LEVEL))


EXERCISES = [
    Exercise(
        id="average-step",
        prompt="By how much is medium pain higher than low pain, on average over people?",
        check=check_average_step,
        hints=(
            "First a difference for each person, then something over people.",
            "The lesson does so for high and low. A BrainData has a method for its average.",
        ),
        wrong_answers=(
            WrongAnswer(code="average_step = (low - medium).mean()", message="The sign is turned"),
            WrongAnswer(code="average_step = medium - low", message="a map for each person"),
            WrongAnswer(code="average_step = contrast.mean()", message="the strongest pain with"),
            WrongAnswer(code="average_step = (high - medium).mean()", message="the upper step"),
            WrongAnswer(code="average_step = medium.mean()", message="one of the two intensities"),
        ),
    ),
    Exercise(
        id="by-chance",
        prompt="How many voxels would pass p < 0.01 if there were no effect anywhere?",
        check=check_by_chance,
        hints=(
            "What does p < 0.01 say about a voxel in which there is nothing?",
            "How many voxels are tested? The table has a column for each.",
        ),
        harmless={"rounded": "whole voxels will do"},
        wrong_answers=(
            WrongAnswer(
                code="expected_voxels = np.sum(p < 0.01)", message="in which there is an effect"
            ),
            WrongAnswer(
                code="expected_voxels = 0.01 * np.prod(maps.grid.shape)",
                message="the air around the head",
            ),
            WrongAnswer(
                code="expected_voxels = 2 * 0.01 * maps.shape[1]", message="need not be doubled"
            ),
            WrongAnswer(
                code="expected_voxels = 0.01 * maps.data.size", message="not one for each map"
            ),
        ),
    ),
    Exercise(
        id="peak",
        prompt="Where is t highest, in mm?",
        check=check_peak,
        hints=(
            "Three steps: which number of the row, which voxel of the block, which place in mm.",
            "np.argmax tells the first, np.argwhere the second, and the affine the third.",
        ),
        wrong_answers=(
            WrongAnswer(code="peak_mm = np.argmax(t)", message="its place in the row"),
            WrongAnswer(
                code="peak_mm = np.argwhere(maps.mask.dataobj)[np.argmax(t)]",
                message="These are voxel indices",
            ),
            WrongAnswer(
                code=(
                    "ijk = np.argwhere(maps.mask.dataobj)\n"
                    "largest = np.argmax(contrast.mean().data)\n"
                    "peak_mm = voxel_to_world(maps.grid.affine, ijk[largest])"
                ),
                message="not the most certain",
            ),
            WrongAnswer(
                code=(
                    "ijk = np.unravel_index(np.argmax(t), maps.grid.shape)\n"
                    "peak_mm = voxel_to_world(maps.grid.affine, ijk)"
                ),
                message="not that of the whole block",
            ),
        ),
    ),
    Exercise(
        id="discovered",
        prompt="In how many voxels do the maps of high pain differ from zero, at an FDR of 5 %?",
        check=check_discovered,
        hints=(
            "The test is the same as in the lesson. Of which maps is it to be made?",
            "correct_p takes the p that ttest returns, and gives one rate for each voxel.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="n_discovered = np.sum(high.pipe(ttest).p.data <= 0.05)",
                message="one by one",
            ),
            WrongAnswer(
                code="n_discovered = np.sum(correct_p(result.p).data <= 0.05)",
                message="the contrast from the lesson",
            ),
            WrongAnswer(
                code="n_discovered = np.sum(high.pipe(ttest).p.data < 0.001)",
                message="another promise",
            ),
            WrongAnswer(
                code="n_discovered = len(correct_p(high.pipe(ttest).p).data <= 0.05)",
                message="len() counts rows",
            ),
            WrongAnswer(
                code="n_discovered = np.sum(correct_p(maps.pipe(ttest).p).data <= 0.05)",
                message="Each person counts three times",
            ),
        ),
    ),
]

QUIZZES = [
    NumericQuiz(
        id="how-many-false",
        question="675 voxels pass p < 0.001 in our map. How many percent of them are false, if "
        "chance lets as many pass as it promises?",
        answer=expected_false_percent,
        tolerance=2,
        unit="%",
        slips={
            "So many would be true.": lambda data: 100 - expected_false_percent(data),
            "That is the share of all voxels in the brain. Of those that pass?": (
                lambda _data: 100 * LEVEL
            ),
            "That is how many they are. What share is it of those that pass?": (
                lambda data: LEVEL * _study(data).maps.shape[1]
            ),
        },
        explanation="A thousandth of all voxels, over those that passed. At the end of the lesson "
        "you will see how near that comes to the truth.",
    ),
    Quiz(
        id="half-empty",
        question="The insula is a part of the cortex hidden behind the temple. With the threshold "
        "for the whole brain, the left one shows nothing. What may you say?",
        choices=(
            Choice(
                "The left insula has nothing to do with the intensity of pain.",
                feedback="The threshold guards against false finds. It says nothing of what it "
                "hides.",
            ),
            Choice(
                "The effect is in the right insula only.",
                feedback="To say so you would have to compare the two sides. That one passes and "
                "the other does not is no comparison.",
            ),
            Choice(
                "These data do not show an effect there, and do not show that there is none.",
                is_correct=True,
            ),
            Choice(
                "The threshold was wrong; with p < 0.05 there would be something.",
                feedback="There would, there and nearly everywhere. Choosing the threshold after "
                "looking makes it worthless.",
            ),
        ),
        explanation="In these maps the left insula was given as much of an effect as the right.",
    ),
]
