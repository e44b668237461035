"""The exercises of the lesson on voxels and affines."""

from typing import Any

import numpy as np

from neuroprimer.imaging import (
    compare_affines,
    compare_coordinates,
    load_image,
    voxel_sizes,
    voxel_to_world,
    world_to_voxel,
)
from neuroprimer.teaching import Choice, Exercise, FindData, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.comparers import require_number
from neuroprimer_lessons.verdicts import require_no_fault

PLACE_MM = (13, -20, 8)


def check_world_origin(answer: Any, data: FindData) -> None:
    """Compare with where the inverse of the affine puts the origin."""
    affine = load_image(data("mni152-t1")).affine
    known = {"That is where voxel (0, 0, 0) lies, in mm. You want the way back.": affine[:3, 3]}
    fault = compare_coordinates(answer, world_to_voxel(affine, (0, 0, 0)), affine=affine)
    require_no_fault(fault, answer, known)


def check_nearest_voxel(answer: Any, data: FindData) -> None:
    """Compare with the indices in the run, rounded at the end."""
    affine = load_image(data("example4d")).affine
    exact_ijk = world_to_voxel(affine, PLACE_MM)
    known = {
        "These still have fractions. Which whole numbers are nearest?": exact_ijk,
        "The fractions were cut off, which is not the same as rounding.": np.trunc(exact_ijk),
        "That is a voxel of the template. Every image has an affine of its own.": np.round(
            world_to_voxel(load_image(data("mni152-t1")).affine, PLACE_MM)
        ),
        "You went from voxels to millimetres, but the three numbers are millimetres already.": (
            np.round(voxel_to_world(affine, PLACE_MM))
        ),
    }
    require_no_fault(compare_coordinates(answer, np.round(exact_ijk)), answer, known)


def check_mirrored_affine(answer: Any, data: FindData) -> None:
    """Compare with the affine whose x coordinates have the other sign."""
    affine = load_image(data("mni152-t1")).affine
    mirror = np.diag([-1.0, 1, 1, 1])
    known = {
        "Nothing has changed: voxels still lie where they did.": affine,
        "This mirrors the voxel axis and leaves the corner where it was. Every x has to change its "
        "sign, also the corner's. As a factor, a mirror of the world stands left of the affine.": (
            affine @ mirror
        ),
        "`*` multiplies number by number. Matrices are multiplied by `@`.": mirror * affine,
        "All three axes have turned round, and the last row with them.": -affine,
    }
    require_no_fault(compare_affines(answer, mirror @ affine), answer, known)


def check_oblique_distance(answer: Any, data: FindData) -> None:
    """Compare with the length of the sum of the three steps."""
    affine = load_image(data("example4d")).affine
    known = {
        "That is the way along the three axes; go straight.": voxel_sizes(affine).sum(),
        "That is a distance in voxels; the question asks for mm.": np.sqrt(3),
        "That is for a cube of 2 mm. Are all three sides of these voxels as long?": 2 * np.sqrt(3),
        "The diagonal of an oblique affine does not hold the voxel sizes.": np.linalg.norm(
            np.diagonal(affine)[:3]
        ),
    }
    expected_mm = np.linalg.norm(affine[:3, :3].sum(axis=1))
    require_number(answer, float(expected_mm), tolerance=1e-4, unit="mm", known=known)


EXERCISES = [
    Exercise(
        id="world-origin",
        prompt="Which voxel of the template lies at (0, 0, 0) mm?",
        check=check_world_origin,
        hints=(
            "The affine leads from voxels to millimetres. Here you come from the other side.",
            "One of the two functions of this lesson undoes the other.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="origin_ijk = voxel_to_world(t1.affine, (0, 0, 0))",
                message="That is where voxel (0, 0, 0) lies, in mm.",
            ),
            WrongAnswer(
                code="origin_ijk = world_to_voxel(t1.affine, (0, 0, 0))[::-1]",
                message="The order is reversed",
            ),
            WrongAnswer(code="origin_ijk = (0, 0, 0)", message="These are world coordinates"),
        ),
    ),
    Exercise(
        id="nearest",
        prompt="Which voxel of the run lies nearest to (13, -20, 8) mm?",
        check=check_nearest_voxel,
        hints=(
            "Which image's voxels are asked for? Use that image's affine.",
            "Keep the fractions until the last step. Is 2.9 nearer to 2 or to 3?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="nearest_ijk = world_to_voxel(run.affine, (13, -20, 8)).astype(int)",
                message="The fractions were cut off",
            ),
            WrongAnswer(
                code="nearest_ijk = world_to_voxel(run.affine, (13, -20, 8))",
                message="These still have fractions",
            ),
            WrongAnswer(
                code="nearest_ijk = world_to_voxel(t1.affine, (13, -20, 8))",
                message="a voxel of the template",
            ),
            WrongAnswer(
                code="nearest_ijk = np.round(voxel_to_world(run.affine, (13, -20, 8)))",
                message="You went from voxels to millimetres",
            ),
        ),
    ),
    Exercise(
        id="mirrored-affine",
        prompt="Make an affine that shows the template mirrored left to right.",
        check=check_mirrored_affine,
        hints=(
            "Left and right are x in the world, whatever the voxel axes do.",
            "A matrix with one -1 on its diagonal mirrors one axis. On which side of the affine "
            "is the world?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="mirrored_affine = t1.affine.copy()\nmirrored_affine[0, 0] = -1",
                message="leaves the corner where it was",
            ),
            WrongAnswer(
                code="mirrored_affine = np.diag([-1, 1, 1, 1]) * t1.affine",
                message="number by number",
            ),
            WrongAnswer(code="mirrored_affine = -t1.affine", message="All three axes"),
            WrongAnswer(code="mirrored_affine = t1.affine", message="Nothing has changed"),
            WrongAnswer(
                code="mirrored_affine = np.diag([-1, -1, 1, 1]) @ t1.affine",
                message="front to back",
            ),
        ),
    ),
    Exercise(
        id="oblique-distance",
        prompt="How many mm lie between the centres of two voxels of an oblique run?",
        check=check_oblique_distance,
        hints=(
            "Voxel indices have no length. Where do the two lie in the world?",
            "The distance of two places is the length of their difference.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="distance_mm = voxel_sizes(run.affine).sum()",
                message="the way along the three axes",
            ),
            WrongAnswer(
                code=(
                    "ends_ijk = np.array([(10, 10, 10), (11, 11, 11)])\n"
                    "distance_mm = np.linalg.norm(ends_ijk[1] - ends_ijk[0])"
                ),
                message="a distance in voxels",
            ),
            WrongAnswer(code="distance_mm = np.sqrt(3) * 2", message="a cube of 2 mm"),
            WrongAnswer(
                code="distance_mm = np.linalg.norm(np.diagonal(run.affine)[:3])",
                message="The diagonal of an oblique affine",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="to-the-right",
        question="The axis codes of an image are ('A', 'S', 'L'). What takes you one voxel "
        "further to the person's right?",
        choices=(
            Choice(
                "i goes up by one",
                feedback="The letters stand in the order of the voxel axes: i runs to the front.",
            ),
            Choice("k goes up by one", feedback="k runs towards the side that its letter names."),
            Choice("k goes down by one", is_correct=True),
            Choice(
                "nobody can tell without the affine",
                feedback="The letters have been read off the affine, and one of them is enough.",
            ),
        ),
        explanation="L stands third and names the side towards which k runs, so right lies where "
        "k is smaller.",
    ),
]
