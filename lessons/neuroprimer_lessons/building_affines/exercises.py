"""The exercises of the lesson on building affines."""

from typing import Any

import numpy as np

from neuroprimer.imaging import (
    about,
    compare_affines,
    compose,
    decompose,
    image_centre_mm,
    load_image,
    rotation,
    scaling,
    translation,
    voxel_sizes,
)
from neuroprimer.teaching import Choice, Exercise, FindData, Quiz, WrongAnswer
from neuroprimer_lessons.verdicts import require_no_fault


def check_build_affine(answer: Any, _data: FindData) -> None:
    """Compare with translation, turn and zooms, multiplied in this order."""
    factors = (
        translation([-90, -120, -60]),
        rotation("z", np.radians(20)),
        scaling([3, 3, 4]),
    )
    affine = factors[0] @ factors[1] @ factors[2]
    known = {
        "The translation is missing: where does voxel (0, 0, 0) land now?": (
            factors[1] @ factors[2]
        ),
    }
    require_no_fault(compare_affines(answer, affine, factors=factors), answer, known)


def check_two_turns(answer: Any, _data: FindData) -> None:
    """Compare with the product of the two turns, the first of them on the right."""
    factors = rotation("x", np.radians(10)), rotation("z", np.radians(25))
    known = {
        "The angles have changed places: each belongs to the other axis.": (
            rotation("x", np.radians(25)) @ rotation("z", np.radians(10))
        ),
    }
    fault = compare_affines(answer, factors[0] @ factors[1], factors=factors)
    require_no_fault(fault, answer, known)


def check_tilt_on_the_spot(answer: Any, data: FindData) -> None:
    """Compare with the turn about the centre of the template."""
    t1 = load_image(data("mni152-t1"))
    turn, centre_mm = rotation("y", np.radians(15)), image_centre_mm(t1)
    known = {
        "That turns about the world's origin, and carries the brain away from its place.": turn,
        "The centre is brought to the origin, but not back.": turn @ translation(-centre_mm),
        "The centre is carried away before the turn. What has to lie at the origin while it "
        "turns?": about(turn, -centre_mm),
        "The pivot is given in voxels, but a turn of the world needs it in mm.": about(
            turn, (np.array(t1.shape) - 1) / 2
        ),
        "It turns on the spot, but in the other direction: look at the sign.": about(
            turn.T, centre_mm
        ),
    }
    require_no_fault(compare_affines(answer, about(turn, centre_mm)), answer, known)


def check_straighten(answer: Any, data: FindData) -> None:
    """Compare with the same parts but for the rotation."""
    affine = load_image(data("example4d")).affine
    parts = decompose(affine)
    place_mm = translation(parts.translation_mm)
    known = {
        "This turns the whole block back, and its corner along with it. Only the directions of "
        "the voxel axes were to change.": parts.rotation.T @ affine,
        "This turns the block further. To undo a turn, turn the other way.": (
            parts.rotation @ affine
        ),
        "Voxel sizes have no sign. Which way did i run?": (place_mm @ scaling(voxel_sizes(affine))),
        "The diagonal of an oblique affine does not hold the voxel sizes.": (
            place_mm @ scaling(np.diagonal(affine)[:3])
        ),
    }
    require_no_fault(compare_affines(answer, compose(parts, rotation=np.eye(4))), answer, known)


EXERCISES = [
    Exercise(
        id="build-affine",
        prompt="Make an affine from voxel sizes, a turn about z and the place of voxel (0, 0, 0).",
        check=check_build_affine,
        hints=(
            "There are three steps. Which of them has to act while the axes are still those of "
            "the voxels, and which must not be turned by any other?",
            "The matrix on the right acts first.",
            "In which unit does rotation() want its angle?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="turn = rotation('z', 20)\n"
                "affine = translation([-90, -120, -60]) @ turn @ scaling([3, 3, 4])",
                message="An angle was taken in the wrong unit",
            ),
            WrongAnswer(
                code="turn = rotation('z', np.radians(20))\n"
                "affine = scaling([3, 3, 4]) @ turn @ translation([-90, -120, -60])",
                message="multiplied in the reverse order",
            ),
            WrongAnswer(
                code="turn = rotation('z', np.radians(20))\n"
                "affine = turn @ translation([-90, -120, -60]) @ scaling([3, 3, 4])",
                message="multiplied in another order",
            ),
            WrongAnswer(
                code="turn = rotation('z', np.radians(20))\n"
                "affine = translation([-90, -120, -60]) * turn * scaling([3, 3, 4])",
                message="multiplied number by number",
            ),
            WrongAnswer(
                code="affine = rotation('z', np.radians(20)) @ scaling([3, 3, 4])",
                message="translation is missing",
            ),
        ),
    ),
    Exercise(
        id="two-turns",
        prompt="Which matrix turns a head about z, and then about x?",
        check=check_two_turns,
        hints=(
            "Say it as a product. Which of the two turns stands nearer to the point?",
            "Reading from left to right is not the order in which things happen.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="head_turn = rotation('z', np.radians(25)) @ rotation('x', np.radians(10))",
                message="multiplied in the reverse order",
            ),
            WrongAnswer(
                code="head_turn = rotation('x', 10) @ rotation('z', 25)",
                message="An angle was taken in the wrong unit",
            ),
            WrongAnswer(
                code="head_turn = rotation('x', np.radians(10)) * rotation('z', np.radians(25))",
                message="multiplied number by number",
            ),
            WrongAnswer(
                code="head_turn = rotation('x', np.radians(25)) @ rotation('z', np.radians(10))",
                message="each belongs to the other axis",
            ),
        ),
    ),
    Exercise(
        id="tilt-on-the-spot",
        prompt="Turn the template about an axis along y through the centre of the image.",
        check=check_tilt_on_the_spot,
        hints=(
            "Two functions of this lesson help: one finds the centre, the other moves a pivot.",
            "The pivot is a place in the world.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="tilt = rotation('y', np.radians(15))",
                message="turns about the world's origin",
            ),
            WrongAnswer(
                code="centre_mm = image_centre_mm(t1)\n"
                "turn = rotation('y', np.radians(15))\n"
                "tilt = translation(-centre_mm) @ turn @ translation(centre_mm)",
                message="carried away before the turn",
            ),
            WrongAnswer(
                code="back = translation(-image_centre_mm(t1))\n"
                "tilt = rotation('y', np.radians(15)) @ back",
                message="but not back",
            ),
            WrongAnswer(
                code="middle = (np.array(t1.shape) - 1) / 2\n"
                "tilt = about(rotation('y', np.radians(15)), middle)",
                message="The pivot is given in voxels",
            ),
            WrongAnswer(
                code="tilt = about(rotation('y', 15), image_centre_mm(t1))",
                message="An angle was taken in the wrong unit",
            ),
            WrongAnswer(
                code="tilt = about(rotation('y', np.radians(-15)), image_centre_mm(t1))",
                message="in the other direction",
            ),
        ),
    ),
    Exercise(
        id="straighten",
        prompt="Which affine would the run have had without its turn?",
        check=check_straighten,
        hints=(
            "Take the affine apart. Which of its parts is to become one that does nothing?",
            "compose() puts parts together, and one of them may be given instead of the old one.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="straight_affine = decompose(run.affine).rotation.T @ run.affine",
                message="and its corner along with it",
            ),
            WrongAnswer(
                code="from neuroprimer.imaging import voxel_sizes\n"
                "corner = translation(run.affine[:3, 3])\n"
                "straight_affine = corner @ scaling(voxel_sizes(run.affine))",
                message="Voxel sizes have no sign",
            ),
            WrongAnswer(
                code="straight_affine = np.diag(np.diagonal(run.affine))\n"
                "straight_affine[:3, 3] = run.affine[:3, 3]",
                message="The diagonal of an oblique affine",
            ),
            WrongAnswer(
                code="straight_affine = scaling(decompose(run.affine).zooms)",
                message="translation is missing",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="half-turn",
        question="A brain faces forward, and its centre lies 50 mm in front of the origin. You "
        'apply rotation("z", np.pi). Where is the brain now?',
        choices=(
            Choice(
                "in its place, and faces backward",
                feedback="That is a turn about the brain's own centre. Which point stays where it "
                "is when nobody names one?",
            ),
            Choice(
                "50 mm behind the origin, and faces forward",
                feedback="It has been carried round, but whatever is carried by a rotation turns "
                "along with it.",
            ),
            Choice("50 mm behind the origin, and faces backward", is_correct=True),
            Choice(
                "almost where it was: np.pi is only about 3 degrees",
                feedback="Angles are in radians. How many of them are half a circle?",
            ),
        ),
        explanation="All points go half a circle around the origin, the nose as well as the "
        "centre.",
    ),
]
