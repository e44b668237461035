"""The exercises of the lesson on masks and regions."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging import (
    as_4d,
    brain_mask,
    compare_masks,
    difference_mask,
    intersection_mask,
    load_image,
    mean_image,
    resample_to,
    sphere,
    union_mask,
)
from neuroprimer.teaching import Choice, Exercise, FindData, Incorrect, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.comparers import require_number

# Where the five students of the lesson saw the left amygdala, in mm.
STUDENTS_MM = ((-24, -4, -18), (-22, -4, -18), (-25, -1, -19), (-24, -7, -17), (-27, -4, -16))
AMYGDALA = "amygdala_mask.nii.gz"
DRAWN_MM, NEARBY_MM = 8, 20
MOTOR = (4, 5)


def check_four_of_five(answer: Any, data: FindData) -> None:
    """Compare with the voxels that four or five students have marked."""
    n_students, affine = count_students(data("amygdala", AMYGDALA))
    known = {
        "That is what all five have marked. Is four fifths above your threshold?": n_students == 5,
        "That is what anyone has marked.": n_students > 0,
        "That is what most have marked, and three of five are most.": n_students > 2,
        "These are the voxels with exactly four marks. Five are at least four, too.": (
            n_students == 4
        ),
    }
    _require_mask(answer, nib.Nifti1Image((n_students > 3).astype(np.uint8), affine), known)


@cache  # an answer is tried more than once
def count_students(amygdala_file: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Count for each voxel the students who marked it; return the grid's affine, too."""
    amygdala = load_image(amygdala_file)
    drawn = [sphere(amygdala, centre, DRAWN_MM).get_fdata() for centre in STUDENTS_MM]
    return np.sum(drawn, axis=0), amygdala.affine


def check_surroundings(answer: Any, data: FindData) -> None:
    """Compare with the ball, within the brain and without the amygdalae."""
    files = data("localizer-bold", "localizer_bold.nii.gz"), data("amygdala", AMYGDALA)
    _require_mask(answer, *make_surroundings(*files))


@cache
def make_surroundings(
    run_file: Path, amygdala_file: Path
) -> tuple[SpatialImage, dict[str, SpatialImage]]:
    """Make the mask that is asked for, and others, by what they are told."""
    run = mean_image(as_4d(load_image(run_file)))
    brain, on_run = brain_mask(run), resample_to(load_image(amygdala_file), run)
    nearby = sphere(run, STUDENTS_MM[0], NEARBY_MM)
    in_brain = intersection_mask([nearby, brain])
    slips: dict[str, SpatialImage] = {
        "The amygdalae are still in it.": in_brain,
        "Some of it is not in the brain mask.": difference_mask(nearby, on_run),
        "This is all of the brain but the ball.": difference_mask(brain, nearby),
        "This joins the ball to the brain. Which voxels do both have?": difference_mask(
            union_mask([nearby, brain]), on_run
        ),
        "Only the amygdala is left: what is taken away stands second.": intersection_mask(
            [nearby, on_run]
        ),
    }
    return difference_mask(in_brain, on_run), slips


def check_both_hands(answer: Any, data: FindData) -> None:
    """Compare with the voxels of either label."""
    image = load_image(data("localizer-bold", "active_regions.nii.gz"))
    labels = np.asarray(image.dataobj, dtype=int)
    known = {
        "That is one of the two regions.": labels == MOTOR[0],
        "That is one of the two.": labels == MOTOR[1],
        "These are all regions.": labels > 0,
        "No voxel has both labels: each has one. Which word joins two masks?": labels < 0,
    }
    right = nib.Nifti1Image(np.isin(labels, MOTOR).astype(np.uint8), image.affine)
    _require_mask(answer, right, known)


def check_amygdala_volume(answer: Any, data: FindData) -> None:
    """Compare with the number of the run's voxels in the mask times their volume."""
    run = as_4d(load_image(data("localizer-bold", "localizer_bold.nii.gz")))
    amygdala = load_image(data("amygdala", AMYGDALA))
    n_before = int(np.count_nonzero(amygdala.dataobj))
    n_voxels = int(np.count_nonzero(resample_to(amygdala, run).dataobj))
    voxel_mm3 = abs(np.linalg.det(run.affine[:3, :3]))
    known: dict[str, float] = {
        "That counts voxels. How many mm³ has each of them?": n_voxels,
        "The number is multiplied by the width of a voxel; a volume needs all three sides.": (
            n_voxels * voxel_mm3 ** (1 / 3)
        ),
        "That is the volume on the mask's own grid, before it was resampled.": (
            n_before * abs(np.linalg.det(amygdala.affine[:3, :3]))
        ),
        "The voxels were counted on one grid and measured on the other.": n_before * voxel_mm3,
        "The diagonal of an oblique affine does not hold the voxel sizes.": (
            n_voxels * abs(np.prod(np.diagonal(run.affine)[:3]))
        ),
    }
    require_number(answer, n_voxels * voxel_mm3, tolerance=1e-4, unit="mm³", known=known)


def _require_mask(
    answer: Any, expected: SpatialImage, known: Mapping[str, SpatialImage | NDArray[Any]]
) -> None:
    """Raise unless an answer is the right mask; known slips go before other feedback."""
    fault = compare_masks(answer, expected)
    if not fault:
        return
    n_voxels = _count_voxels(answer)
    for feedback, slip in known.items():
        # nearly all answers are told from nearly all slips by their number of voxels
        if _count_voxels(slip) == n_voxels and not compare_masks(answer, slip):
            raise Incorrect(feedback)
    raise Incorrect(fault)


def _count_voxels(mask: Any) -> int | None:
    """Return how many voxels are in a mask; None for what is no mask."""
    try:
        voxels = mask.dataobj if isinstance(mask, SpatialImage) else mask
        return int(np.count_nonzero(np.asarray(voxels) > 0.5))  # up to rounding
    except Exception:  # noqa: BLE001  the answer may be any object
        return None


EXERCISES = [
    Exercise(
        id="four-of-five",
        prompt="Make a mask of the voxels that at least four of five students marked.",
        check=check_four_of_five,
        hints=(
            "Which number has the map where four of five agree? And where three do?",
            "Put the threshold between these two numbers.",
        ),
        wrong_answers=(
            WrongAnswer(code="agreed = chance.get_fdata() > 0.8", message="all five have marked"),
            WrongAnswer(code="agreed = chance.get_fdata() > 0", message="anyone has marked"),
            WrongAnswer(code="agreed = chance.get_fdata() > 0.5", message="three of five are most"),
            WrongAnswer(code="agreed = chance.get_fdata() == 0.8", message="exactly four marks"),
            WrongAnswer(code="agreed = chance", message="cut it at a threshold"),
        ),
    ),
    Exercise(
        id="surroundings",
        prompt="Make a mask of the brain within 20 mm of a point, without the amygdalae.",
        check=check_surroundings,
        hints=(
            "There are three steps: a ball, what of it is brain, and what of that is no amygdala.",
            "sphere, intersection_mask and difference_mask, in this order. All three need masks "
            "on one grid.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    "nearby = sphere(run, (-24, -4, -18), 20)\n"
                    "around = intersection_mask([nearby, brain])"
                ),
                message="The amygdalae are still in it",
            ),
            WrongAnswer(
                code=(
                    "nearby = sphere(run, (-24, -4, -18), 20)\n"
                    "around = difference_mask(nearby, on_run)"
                ),
                message="not in the brain mask",
            ),
            WrongAnswer(
                code=(
                    "nearby = sphere(run, (-24, -4, -18), 20)\n"
                    "around = difference_mask(union_mask([nearby, brain]), on_run)"
                ),
                message="joins the ball to the brain",
            ),
            WrongAnswer(
                code="around = difference_mask(brain, sphere(run, (-24, -4, -18), 20))",
                message="all of the brain but the ball",
            ),
            WrongAnswer(
                code=(
                    "nearby = sphere(amygdala, (-24, -4, -18), 20)\n"
                    "around = difference_mask(nearby, amygdala)"
                ),
                message="another number of voxels",
            ),
        ),
    ),
    Exercise(
        id="both-hands",
        prompt="Make one mask of the regions with the labels 4 and 5.",
        check=check_both_hands,
        hints=(
            "A comparison with == makes a mask of one label.",
            "Two masks are joined by |, which means or; np.isin takes several labels at once.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="motor = labels.get_fdata() == 4", message="That is one of the two regions"
            ),
            WrongAnswer(
                code="motor = (labels.get_fdata() == 4) & (labels.get_fdata() == 5)",
                message="No voxel has both labels",
            ),
            WrongAnswer(code="motor = labels.get_fdata() > 0", message="These are all regions"),
            WrongAnswer(
                code="motor = np.where(labels.get_fdata() >= 4, labels.get_fdata(), 0)",
                message="several whole numbers",
            ),
        ),
    ),
    Exercise(
        id="amygdala-volume",
        prompt="How many mm³ do the two amygdalae have on the grid of the run?",
        check=check_amygdala_volume,
        hints=(
            "Count the voxels of the mask on the run's grid, and find how many mm³ one has.",
            "A voxel of the run is a cube, so one side is enough: voxel_sizes(run.affine) knows "
            "it.",
        ),
        wrong_answers=(
            WrongAnswer(code="volume_mm3 = n_nearest", message="That counts voxels"),
            WrongAnswer(code="volume_mm3 = n_nearest * 3.5", message="the width of a voxel"),
            WrongAnswer(
                code="volume_mm3 = np.count_nonzero(amygdala.dataobj) * 2**3",
                message="before it was resampled",
            ),
            WrongAnswer(
                code="volume_mm3 = np.count_nonzero(amygdala.dataobj) * 3.5**3",
                message="counted on one grid and measured on the other",
            ),
            WrongAnswer(
                code="volume_mm3 = n_nearest * abs(np.prod(np.diagonal(run.affine)[:3]))",
                message="The diagonal of an oblique affine",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="mixed-atlas",
        question="An atlas is brought to the grid of a run with linear interpolation. What does a "
        "voxel hold that lies halfway between region 10 and region 20?",
        choices=(
            Choice("10 or 20", feedback="That is what the nearest voxel would give."),
            Choice(
                "15, the name of a region that may be far away",
                is_correct=True,
            ),
            Choice(
                "0, because it belongs to neither",
                feedback="Nobody asks to which it belongs: the two numbers are averaged.",
            ),
            Choice(
                "NaN",
                feedback="That would at least be noticed. But 10 and 20 do have a mean.",
            ),
        ),
        explanation="And rounding does not help, since 15 is a whole number already.",
    ),
]
