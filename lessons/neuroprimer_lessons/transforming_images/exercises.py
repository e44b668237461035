"""The exercises of the lesson on transforming images."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage

from neuroprimer.imaging import (
    Grid,
    about,
    compare_affines,
    compare_images,
    image_centre_mm,
    load_image,
    make_labels,
    move_image,
    resample_to,
    rotation,
    scaling,
    transform_image,
    translation,
)
from neuroprimer.teaching import Choice, Exercise, FindData, Incorrect, Quiz, WrongAnswer
from neuroprimer_lessons.verdicts import require_no_fault

BRAIN_SHAPE = 50, 59, 48
TURN = rotation("z", np.radians(20))


def check_move_to_the_left(answer: Any, data: FindData) -> None:
    """Compare with a shift of the world that stands before the affine."""
    affine = load_image(data("example4d")).affine
    known = {
        "Nothing has changed: the voxels lie where they did.": affine,
        "It has moved to the right: x grows towards the right.": translation([5, 0, 0]) @ affine,
        "This shifts by voxels, and i of this run grows to the left. The shift of the world "
        "stands on the other side.": affine @ translation([-5, 0, 0]),
        "This shifts by voxels: in mm it is another way. The shift of the world stands on the "
        "other side.": affine @ translation([5, 0, 0]),
        "That is the shift alone. It has to act on what the old affine returns.": translation(
            [-5, 0, 0]
        ),
    }
    require_no_fault(compare_affines(answer, translation([-5, 0, 0]) @ affine), answer, known)


def check_turn_the_brain(answer: Any, data: FindData) -> None:
    """Compare with the template turned about its centre, on its grid."""
    t1_file = data("mni152-t1")
    fault = compare_images(answer, turned_brain(t1_file), before=_coarse_brain(t1_file))
    if fault and _has_shape(answer, BRAIN_SHAPE):
        _require_no_slip(answer, wrongly_turned(t1_file))
    require_no_fault(fault, answer)


@cache  # an answer is tried more than once
def turned_brain(t1_file: Path) -> nib.Nifti1Image:
    """Turn the coarse template about its own centre."""
    brain = _coarse_brain(t1_file)
    return transform_image(brain, about(TURN, image_centre_mm(brain)))


@cache
def wrongly_turned(t1_file: Path) -> dict[str, SpatialImage]:
    """Turn the middle of the template in other ways, by what they are told."""
    brain = _coarse_brain(t1_file)
    centre_mm, middle = image_centre_mm(brain), _middle_slice(brain)
    slips = {
        "It was turned about the world's origin, not about its own centre.": TURN,
        "It was turned the other way: right goes to the front when the angle is positive.": (
            about(TURN.T, centre_mm)
        ),
        "The angle is in degrees, but rotation() wants radians.": (
            about(rotation("z", 20), centre_mm)
        ),
    }
    by_header = "The voxels are the old ones, and the grid has turned. The grid was to stay."
    return {
        **{words: transform_image(brain, slip, grid=middle) for words, slip in slips.items()},
        by_header: _middle_slice(move_image(brain, about(TURN, centre_mm))),
    }


def check_labels_on_brain(answer: Any, data: FindData) -> None:
    """Compare with the nearest labels on the grid of the template."""
    t1_file, labels = data("mni152-t1"), _labels()
    fault = compare_images(answer, labels_on_brain(t1_file))
    if fault and _has_shape(answer, BRAIN_SHAPE):
        _require_no_slip(answer, mixed_labels(t1_file))
    if fault and _has_shape(answer, labels.shape):
        smaller = nib.Nifti1Image(labels.dataobj, _coarse_brain(t1_file).affine)
        old_voxels = {
            "Nothing has changed: these are the labels on their own grid.": _middle_slice(labels),
            "The old voxels got the affine of another grid: now the labels are smaller, and lie "
            "elsewhere.": _middle_slice(smaller),
        }
        _require_no_slip(answer, old_voxels)
    require_no_fault(fault, answer)


@cache
def _labels() -> nib.Nifti1Image:
    return make_labels()


@cache
def labels_on_brain(t1_file: Path) -> SpatialImage:
    """Put the labels on the grid of the coarse template."""
    return resample_to(_labels(), _coarse_brain(t1_file))


@cache
def mixed_labels(t1_file: Path) -> dict[str, SpatialImage]:
    """Interpolate the labels as if they were intensities, by what one is told."""
    labels = _labels()
    disguised = nib.Nifti1Image(labels.get_fdata(), labels.affine)
    middle = _middle_slice(_coarse_brain(t1_file))
    mixed = resample_to(disguised, middle, interpolation="linear")
    rounded = nib.Nifti1Image(np.round(mixed.get_fdata()), mixed.affine)
    return {
        "Labels were mixed: between the regions there are numbers that name none.": mixed,
        "Labels were mixed: the rims of regions carry the names of other regions.": rounded,
    }


def check_reversed_affine(answer: Any, data: FindData) -> None:
    """Compare with the affine behind a reversal of j."""
    run = load_image(data("example4d"))
    n_j = run.shape[1]
    known = {
        "The affine has not changed, but the array has: front and back have changed places.": (
            run.affine
        ),
        "The step along j is right, but the first voxel is now another one: where does it lie?": (
            run.affine @ np.diag([1, -1, 1, 1])
        ),
        "Almost: it is off by one voxel. Which index does the last one have?": (
            run.affine @ _reversal_of_j(n_j)
        ),
        "This mirrors y of the world, but j of an oblique run is not y. On which side of the "
        "affine are the voxels?": np.diag([1, -1, 1, 1]) @ run.affine,
        "Right would be the voxels' side of the affine: the reversal acts before it.": (
            _reversal_of_j(n_j - 1) @ run.affine
        ),
    }
    fault = compare_affines(answer, run.affine @ _reversal_of_j(n_j - 1))
    require_no_fault(fault, answer, known)


@cache  # an answer is tried more than once
def _coarse_brain(t1_file: Path) -> nib.Nifti1Image:
    """Return the coarse template that the lesson works with."""
    t1 = load_image(t1_file)
    return resample_to(t1, Grid(shape=BRAIN_SHAPE, affine=t1.affine @ scaling(4)))


def _has_shape(answer: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(answer, SpatialImage) and answer.shape == shape


def _middle_slice(image: SpatialImage) -> SpatialImage:
    """Return one slice, in which slips are looked for: a whole image would take seconds."""
    middle = image.shape[2] // 2
    return image.slicer[:, :, middle : middle + 1]


def _require_no_slip(answer: SpatialImage, pictures: Mapping[str, SpatialImage]) -> None:
    """Raise the feedback of the picture that the answer's middle slice shows, if any."""
    for feedback, picture in pictures.items():
        if not compare_images(_middle_slice(answer), picture):
            raise Incorrect(feedback)


def _reversal_of_j(offset: int) -> Any:
    reversal = np.diag([1.0, -1, 1, 1])
    reversal[1, 3] = offset
    return reversal


EXERCISES = [
    Exercise(
        id="move-to-the-left",
        prompt="Which affine has the run when it lies 5 mm further to the left?",
        check=check_move_to_the_left,
        hints=(
            "Left and mm are words of the world. Which sign has a step to the left there?",
            "A transform of the world acts after the image's own affine.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="moved_affine = translation([5, 0, 0]) @ run.affine",
                message="It has moved to the right",
            ),
            WrongAnswer(
                code="moved_affine = run.affine @ translation([-5, 0, 0])",
                message="This shifts by voxels, and i of this run grows to the left",
            ),
            WrongAnswer(
                code="moved_affine = run.affine @ translation([5, 0, 0])",
                message="in mm it is another way",
            ),
            WrongAnswer(
                code="moved_affine = transform_image(run, translation([-5, 0, 0])).affine",
                message="Nothing has changed",
            ),
            WrongAnswer(
                code="moved_affine = translation([-5, 0, 0])", message="That is the shift alone"
            ),
        ),
    ),
    Exercise(
        id="turn-the-brain",
        prompt="Turn the brain about an axis along z through its centre, on its own grid.",
        check=check_turn_the_brain,
        hints=(
            "Two things have to be right: the transform, and the function that applies it.",
            "Make the rotation, and move its pivot. Does the function that you use keep the grid?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="turned_brain = transform_image(brain, rotation('z', np.radians(20)))",
                message="about the world's origin",
            ),
            WrongAnswer(
                code="back_turn = about(rotation('z', np.radians(-20)), image_centre_mm(brain))\n"
                "turned_brain = transform_image(brain, back_turn)",
                message="turned the other way",
            ),
            WrongAnswer(
                code="to_turn = about(rotation('z', 20), image_centre_mm(brain))\n"
                "turned_brain = transform_image(brain, to_turn)",
                message="The angle is in degrees",
            ),
            WrongAnswer(
                code="to_turn = about(rotation('z', np.radians(20)), image_centre_mm(brain))\n"
                "turned_brain = move_image(brain, to_turn)",
                message="the grid has turned",
            ),
            WrongAnswer(
                code="centre_mm = image_centre_mm(brain)\n"
                "moved = transform_image(brain, translation(-centre_mm))\n"
                "moved = transform_image(moved, rotation('z', np.radians(20)))\n"
                "turned_brain = transform_image(moved, translation(centre_mm))",
                message="interpolated twice",
            ),
        ),
    ),
    Exercise(
        id="labels-on-brain",
        prompt="Bring the labels onto the grid of the brain.",
        check=check_labels_on_brain,
        hints=(
            "The picture is to stay, and the boxes are to change. Which of the three functions "
            "does that?",
            "The first argument is what you have; the second says where its voxels are to lie.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="labels_on_brain = resample_to(disguised, brain)",
                message="numbers that name none",
            ),
            WrongAnswer(
                code="mixed = resample_to(disguised, brain, interpolation='linear')\n"
                "labels_on_brain = nib.Nifti1Image(np.round(mixed.get_fdata()), mixed.affine)",
                message="the names of other regions",
            ),
            WrongAnswer(code="labels_on_brain = resample_to(brain, labels)", message="shape"),
            WrongAnswer(code="labels_on_brain = labels", message="Nothing has changed"),
            WrongAnswer(
                code="labels_on_brain = nib.Nifti1Image(labels.get_fdata(), brain.affine)",
                message="the affine of another grid",
            ),
        ),
    ),
    Exercise(
        id="reversed-affine",
        prompt="Which affine belongs to the run's voxels when they are reversed along j?",
        check=check_reversed_affine,
        hints=(
            "What was the index of a voxel before? Write it as a matrix of the index that it has "
            "now.",
            "If an axis has three voxels, index 0 was 2, 1 was 1, and 2 was 0.",
        ),
        wrong_answers=(
            WrongAnswer(code="reversed_affine = run.affine", message="The affine has not changed"),
            WrongAnswer(
                code="reversed_affine = run.affine @ np.diag([1, -1, 1, 1])",
                message="where does it lie",
            ),
            WrongAnswer(
                code="reverse_j = np.diag([1.0, -1, 1, 1])\n"
                "reverse_j[1, 3] = run.shape[1]\n"
                "reversed_affine = run.affine @ reverse_j",
                message="off by one voxel",
            ),
            WrongAnswer(
                code="reversed_affine = reflection('y') @ run.affine",
                message="j of an oblique run is not y",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="pull-by-ten",
        question="You give scipy.ndimage.affine_transform the matrix of a translation by +10 "
        "along the first axis. Where does the picture go?",
        choices=(
            Choice(
                "10 voxels towards larger i",
                feedback="It would, if the matrix said where voxels go. What does this function "
                "ask it for?",
            ),
            Choice("10 voxels towards smaller i", is_correct=True),
            Choice(
                "10 mm to the person's right",
                feedback="scipy sees an array. It has never heard of mm, and not of right either.",
            ),
            Choice(
                "nowhere: only the header changes",
                feedback="An array has no header. What comes back is a new array.",
            ),
        ),
        explanation="The result at i is taken from the source at i + 10, so what stood at 10 now "
        "stands at 0.",
    ),
]
