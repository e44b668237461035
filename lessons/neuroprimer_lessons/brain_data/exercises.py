"""The exercises of the lesson on tables of images."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging import BrainData, Grid, compare_images, require_mask, same_grid
from neuroprimer.teaching import Choice, Exercise, FindData, Incorrect, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.comparers import require_array, require_type

DATASET = "pain-maps"
MASK = "brain_mask.nii.gz"
N_IMAGES = 12
PERSON = "sub-03"
# Numbers are single, sums are not.
TOLERANCE = 1e-5


def load_maps(data: FindData, column: str, value: str) -> BrainData:
    """Return those of the lesson's maps of which the table says something."""
    return _maps(data(DATASET, "metadata.csv"), column, value)


@cache  # an answer is tried more than once
def _maps(metadata_file: Path, column: str, value: str) -> BrainData:
    known = pd.read_csv(metadata_file).head(N_IMAGES)
    known = known[known[column] == value]
    folder = metadata_file.parent
    return BrainData([folder / name for name in known["file"]], folder / MASK, X=known)


def check_one_person(answer: Any, data: FindData) -> None:
    """Look at who is on the images that were chosen, and then at the images."""
    require_type(answer, BrainData, "BrainData, as square brackets give it")
    if len(answer) == 0:
        raise Incorrect(
            "No image was chosen: the comparison is nowhere true. What exactly stands in the "
            "column?"
        )
    others = sorted(set(answer.X.get("subject", ())) - {PERSON})
    if others:
        raise Incorrect(
            f"Of these {len(answer)} images, some are of {', '.join(others)}. What does X say of "
            "each image?"
        )
    right = load_maps(data, "subject", PERSON)
    if len(answer) != len(right):
        raise Incorrect(
            f"There should be another number of images of this person, but not {len(answer)}."
        )
    if not np.array_equal(answer.data, right.data):
        raise Incorrect("These are not the images as they were: choose, and do no more.")


def check_levels(answer: Any, data: FindData) -> None:
    """Compare with the mean of each row."""
    if isinstance(answer, BrainData):
        raise Incorrect(
            f"This is BrainData of {len(answer)} image(s): the mean went over images. Over which "
            "axis should it go?"
        )
    high = load_maps(data, "intensity", "high")
    expected = high.mean("voxels")
    shape = np.shape(answer) if isinstance(answer, np.ndarray | list | tuple) else ()
    if shape == high.shape[1:]:
        raise Incorrect("There is a number for each voxel. There should be one for each image.")
    if shape == expected.shape:
        share = high.shape[1] / np.prod(high.grid.shape)
        if np.allclose(answer, expected * share, rtol=1e-4, atol=0):
            raise Incorrect(
                "The air was counted, too: all its zeros draw the mean towards zero. Which voxels "
                "are in the table?"
            )
    require_array(answer, expected, tolerance=1e-5)


def check_contrast(answer: Any, data: FindData) -> None:
    """Compare with the mean difference within people; what lies outside the brain is zero."""
    if isinstance(answer, BrainData):
        raise Incorrect(
            f"This is BrainData of {len(answer)} image(s), which nilearn does not know. There is a "
            "method that gives an image."
        )
    require_type(answer, SpatialImage, "an image")
    mask = require_mask(data(DATASET, MASK))
    if answer.ndim != 3:
        raise Incorrect("These are several images, one for each person. They should become one.")
    if not same_grid(Grid.of(answer), mask.grid):
        raise Incorrect("This image does not lie where the maps do. to_image() puts it there.")
    found = mask.take(np.asanyarray(answer.dataobj))
    right, known = average_step(data(DATASET, "metadata.csv"))
    if is_near(found, right.data[0]):
        return
    for words, slip in known.items():
        if is_near(found, slip.data[0]):
            raise Incorrect(words)
    # Every third voxel shows what kind of picture it is, in a small part of the time.
    coarse = [image.slicer[::3, ::3, ::3] for image in (answer, right.to_image())]
    raise Incorrect(compare_images(*coarse) or "Some voxels differ.")


@cache
def average_step(metadata_file: Path) -> tuple[BrainData, dict[str, BrainData]]:
    """Average the step from low to medium, and make other images of it, by what they are told."""
    low, medium, high = (
        _maps(metadata_file, "intensity", level) for level in ("low", "medium", "high")
    )
    step = medium - low
    slips = {
        "This is the mean of one intensity alone.": medium.mean(),
        "This is the first person alone.": step[0],
        "This is how people differ, and not what they have in common.": step.std(),
        "This is another intensity than medium heat, against low.": (high - low).mean(),
    }
    return step.mean(), slips


def check_patterns(answer: Any, data: FindData) -> None:
    """Compare with the rows, less the mean of each."""
    if isinstance(answer, BrainData):
        raise Incorrect("This is BrainData. The array of its numbers is asked for.")
    require_type(answer, np.ndarray, "an array of numbers")
    high = load_maps(data, "intensity", "high")
    if answer.shape != high.shape:
        raise Incorrect(
            f"Expected a row for each of {len(high)} images and a column for each voxel, but the "
            f"shape is {answer.shape}."
        )
    if answer.dtype.kind not in "iuf" or not np.isfinite(answer).all():
        raise Incorrect("These are no finite numbers.")
    right, known = make_patterns(data(DATASET, "metadata.csv"))
    if is_near(answer, right.data):
        return
    for words, slip in known.items():
        if is_near(answer, slip.data):
            raise Incorrect(words)
    if np.abs(answer.mean(axis=1, dtype=np.float64)).max() > TOLERANCE:
        raise Incorrect("Not all images have a mean of zero. Look at the mean of each row.")
    raise Incorrect("All images have a mean of zero, but their patterns have changed.")


@cache
def make_patterns(metadata_file: Path) -> tuple[BrainData, dict[str, BrainData]]:
    """Take its level off each image, and do other things to it, by what they are told."""
    high = _maps(metadata_file, "intensity", "high")
    level = high.mean("voxels")
    slips = {
        "Nothing has changed.": high,
        "This took from each voxel its mean over images, and with it what the patterns have in "
        "common.": high - high.mean(),
        "This took the same number from all images, so they still lie at different levels.": (
            high - float(level.mean())
        ),
        "This divides. A level is taken away by another operation.": high / level,
    }
    return high - level, slips


def is_near(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Tell whether two tables hold the same numbers, up to the rounding of single precision."""
    return bool(np.abs(one - other).max() <= TOLERANCE * np.abs(other).max())


EXERCISES = [
    Exercise(
        id="one-person",
        prompt="Choose the three images of sub-03 from the table.",
        check=check_one_person,
        hints=(
            "Who is on which image stands in X.",
            "A comparison with a column of X gives a yes or no for each image.",
        ),
        wrong_answers=(
            WrongAnswer(code="third_person = maps[3:6]", message="some are of sub-02"),
            WrongAnswer(code="third_person = maps[7:10]", message="some are of sub-04"),
            WrongAnswer(code="third_person = maps[6:8]", message="another number of images"),
            WrongAnswer(
                code='third_person = maps[maps.X["subject"] == 3]', message="No image was chosen"
            ),
            WrongAnswer(code='third_person = maps.X["subject"] == "sub-03"', message="a Series"),
        ),
    ),
    Exercise(
        id="level-of-each",
        prompt="What is the mean of each image of high heat over the voxels of the brain?",
        check=check_levels,
        hints=(
            "There are two kinds of mean. Which of them gives one number for each image?",
            "Say over what the mean should go, in a word.",
        ),
        wrong_answers=(
            WrongAnswer(code="levels = high.mean()", message="the mean went over images"),
            WrongAnswer(code="levels = high.data.mean(axis=0)", message="a number for each voxel"),
            WrongAnswer(
                code="levels = high.to_image().get_fdata().mean(axis=(0, 1, 2))",
                message="The air was counted",
            ),
            WrongAnswer(code="levels = high.data.mean()", message="There are too few axes"),
        ),
    ),
    Exercise(
        id="medium-against-low",
        prompt="How much stronger is the response to medium heat than to low heat? Give an image.",
        check=check_contrast,
        hints=(
            "Begin with the difference of two tables that hold the same people in the same order.",
            "Over what does the mean go, if one image should come out?",
            "The last step puts every number back to its place in the block.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    'medium = maps[maps.X["intensity"] == "medium"]\n'
                    "contrast = (low - medium).mean().to_image()"
                ),
                message="the opposite sign",
            ),
            WrongAnswer(
                code=(
                    'medium = maps[maps.X["intensity"] == "medium"]\n'
                    "contrast = (medium - low).mean()"
                ),
                message="which nilearn does not know",
            ),
            WrongAnswer(
                code=(
                    'medium = maps[maps.X["intensity"] == "medium"]\n'
                    "contrast = (medium - low).to_image()"
                ),
                message="They should become one",
            ),
            WrongAnswer(
                code="contrast = (high - low).mean().to_image()",
                message="another intensity than medium heat",
            ),
            WrongAnswer(
                code="contrast = (maps[1] - maps[0]).to_image()", message="the first person alone"
            ),
        ),
    ),
    Exercise(
        id="same-level",
        prompt="Bring each image to a mean of 0 over the brain, without changing its pattern.",
        check=check_patterns,
        hints=(
            "The level of an image is one number. What takes it away?",
            "Two expressions under Arithmetic look alike. Which of them leaves the pattern?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="patterns = (high - high.mean()).data",
                message="from each voxel its mean over images",
            ),
            WrongAnswer(
                code="patterns = high.data - high.data.mean()", message="still lie at different"
            ),
            WrongAnswer(
                code='patterns = high - high.mean("voxels")',
                message="The array of its numbers is asked for",
            ),
            WrongAnswer(
                code='patterns = (high / high.mean("voxels")).data', message="This divides"
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="mean-of-one",
        question="What does high[0].mean() give?",
        choices=(
            Choice(
                "one number, the mean over all voxels",
                feedback="That would be high[0].mean('voxels'). Without a word, the mean goes over "
                "images.",
            ),
            Choice("an image with the same numbers as high[0]", is_correct=True),
            Choice(
                "the mean of all four images",
                feedback="That is high.mean(). The brackets have chosen one image before.",
            ),
            Choice(
                "an error, since one image has no mean",
                feedback="One image is a table with one row, and a row has a mean over rows.",
            ),
        ),
        explanation="The mean goes over images, and the mean of a single one is that image.",
    ),
]
