"""The exercises of the lesson on looking at brains."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging import compare_coordinates, compare_images, load_image, voxel_to_world
from neuroprimer.teaching import Choice, Exercise, FindData, Incorrect, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.comparers import require_array
from neuroprimer_lessons.verdicts import require_no_fault


def check_right_centre(answer: Any, data: FindData) -> None:
    """Compare with the mean place of the mask's voxels on the right."""
    affine, ijk, xyz = _find_amygdala(data)
    is_right = xyz[:, 0] > 0
    known = {
        "That is the middle of both parts, and it lies in neither.": xyz.mean(axis=0),
        "That is the left amygdala: x grows to the right.": xyz[~is_right].mean(axis=0),
        "That is a voxel. Where does it lie in the world?": ijk[is_right].mean(axis=0),
        "This turns all three signs round. On the other side only x has another one.": (
            -xyz[~is_right].mean(axis=0)
        ),
        "This averages all numbers that are above zero, of all three columns. Rows are to be "
        "chosen: those whose x is above zero.": xyz[xyz > 0].mean(),
    }
    fault = compare_coordinates(answer, xyz[is_right].mean(axis=0), affine=affine)
    require_no_fault(fault, answer, known)


def check_mask_ends(answer: Any, data: FindData) -> None:
    """Compare with the lowest and the highest z of the mask's voxels."""
    _, ijk, xyz = _find_amygdala(data)

    def ends_of(places: NDArray[Any], axis: int) -> NDArray[Any]:
        return np.array([places[:, axis].min(), places[:, axis].max()])

    known = {
        "These are voxel indices. A cut is asked for in mm.": ends_of(ijk, 2),
        "These are the ends from back to front. Which coordinate stands upright?": ends_of(xyz, 1),
        "These are the ends from left to right, which are also the smallest and the largest of all "
        "numbers in xyz. Which of its columns stands upright?": ends_of(xyz, 0),
        "Those are the right places, but the lowest comes first.": ends_of(xyz, 2)[::-1],
        "These are the first and the last voxel in the order of the array, which begins with i.": (
            xyz[[0, -1], 2]
        ),
    }
    try:
        require_array(answer, ends_of(xyz, 2), tolerance=1e-6)
    except Incorrect as wrong:
        require_no_fault(wrong.message, answer, known)


def check_neurological_slice(answer: Any, data: FindData) -> None:
    """Compare with the slice, turned for `imshow`, with the left on the left."""
    voxels = np.asanyarray(load_image(data("example4d")).dataobj)[:, :, 12, 0]
    known = {
        "This is radiological: the run is stored towards the left.": voxels.T,
        "The face is at the bottom: this turned the other axis.": voxels[:, ::-1].T,
        "Left and right are right now, but front and back have changed places.": (
            voxels[::-1, ::-1].T
        ),
        "The picture lies on its side: imshow draws the first axis down the page.": voxels[::-1],
    }
    require_no_fault(compare_images(answer, voxels[::-1].T), answer, known)


def _find_amygdala(data: FindData) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the affine of the mask, and its voxels as indices and as places in mm."""
    mask = load_image(data("amygdala", "amygdala_mask.nii.gz"))
    ijk = np.argwhere(np.asanyarray(mask.dataobj))
    return mask.affine, ijk, voxel_to_world(mask.affine, ijk)


EXERCISES = [
    Exercise(
        id="right-centre",
        prompt="Where is the centre of the right amygdala? Give x, y and z in mm.",
        check=check_right_centre,
        hints=(
            "The cell that found the left part needs one change.",
            "Which sign has x on the right side of the head?",
        ),
        wrong_answers=(
            WrongAnswer(code="right_mm = xyz.mean(axis=0)", message="the middle of both parts"),
            WrongAnswer(code="right_mm = left_mm", message="the left amygdala"),
            WrongAnswer(
                code="right_mm = ijk[xyz[:, 0] > 0].mean(axis=0)", message="That is a voxel."
            ),
            WrongAnswer(
                code="right_mm = xyz[xyz > 0].mean(axis=0)", message="of all three columns"
            ),
            WrongAnswer(code="right_mm = -left_mm", message="all three signs"),
        ),
    ),
    Exercise(
        id="mask-ends",
        prompt="At which z do the lowest and the highest voxel of the mask lie, in mm?",
        check=check_mask_ends,
        hints=(
            "xyz has a row for each voxel and a column for each coordinate.",
            "z is the third column. Its smallest and its largest number are asked for.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="ends_mm = ijk[:, 2].min(), ijk[:, 2].max()", message="These are voxel indices"
            ),
            WrongAnswer(
                code="ends_mm = xyz[:, 1].min(), xyz[:, 1].max()", message="from back to front"
            ),
            WrongAnswer(code="ends_mm = xyz.min(), xyz.max()", message="from left to right"),
            WrongAnswer(
                code="ends_mm = xyz[0, 2], xyz[-1, 2]", message="in the order of the array"
            ),
            WrongAnswer(
                code="ends_mm = xyz[:, 2].max(), xyz[:, 2].min()", message="the lowest comes first"
            ),
        ),
    ),
    Exercise(
        id="neurological-slice",
        prompt="Take the slice k = 12 of the run's first volume, to be drawn neurologically.",
        check=check_neurological_slice,
        hints=(
            "imshow draws the first column on the left. Which side of the person stands there?",
            "axis_codes(run.affine) tells which way i runs. [::-1] turns an axis round.",
        ),
        wrong_answers=(
            WrongAnswer(code="turned = run.dataobj[:, :, 12, 0].T", message="This is radiological"),
            WrongAnswer(
                code="turned = run.dataobj[:, ::-1, 12, 0].T", message="this turned the other axis"
            ),
            WrongAnswer(
                code="turned = run.dataobj[::-1, ::-1, 12, 0].T",
                message="front and back have changed",
            ),
            WrongAnswer(
                code="turned = run.dataobj[::-1, :, 12, 0]", message="The picture lies on its side"
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="no-letters",
        question="An axial slice in a paper shows a bright spot on the right half of the picture. "
        "There are no letters. In which half of the brain is it?",
        choices=(
            Choice(
                "in the right half",
                feedback="So it is if the picture was drawn neurologically. Was it?",
            ),
            Choice(
                "in the left half",
                feedback="So it is if the picture was drawn radiologically. Was it?",
            ),
            Choice(
                "the axis codes of the file tell",
                feedback="They tell how the file stores voxels, not how somebody drew them.",
            ),
            Choice("the picture alone cannot tell", is_correct=True),
        ),
        explanation="Look for the x coordinate in the text, or ask which program drew it.",
    ),
]
