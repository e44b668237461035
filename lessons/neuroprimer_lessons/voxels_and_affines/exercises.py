"""The exercises of the lesson on voxels and affines."""

from typing import Any

import numpy as np

from neuroprimer.imaging import load_image, voxel_sizes, world_to_voxel
from neuroprimer.teaching import Exercise, Incorrect, WrongAnswer
from neuroprimer.teaching.exercises.model import FindData


def check_world_origin(answer: Any, data: FindData) -> None:
    """Compare with where the inverse of the affine puts the origin."""
    affine = load_image(data("mni152-t1")).affine
    found = _require_numbers(answer, (3,), "A voxel is named by three numbers: i, j and k.")
    expected = world_to_voxel(affine, (0, 0, 0))
    if np.allclose(found, affine[:3, 3]):
        raise Incorrect("That is where voxel (0, 0, 0) lies, in mm. You want the way back.")
    if np.allclose(found, expected[::-1]):
        raise Incorrect("These are the right indices in the wrong order: i comes first.")
    if np.allclose(found, -expected):
        raise Incorrect("An index is never negative: how many steps is it from the corner?")
    if not np.allclose(found, expected, atol=1e-6):
        raise Incorrect("That voxel lies elsewhere; put it into voxel_to_world and see.")


def check_mirrored_affine(answer: Any, data: FindData) -> None:
    """Compare with the affine whose x coordinates have the other sign."""
    affine = load_image(data("mni152-t1")).affine
    found = _require_numbers(answer, (4, 4), "An affine is a table of 4 x 4 numbers.")
    mirror = np.diag([-1.0, 1, 1, 1])
    if np.allclose(found, affine):
        raise Incorrect("Nothing has changed: voxels still lie where they did.")
    if np.allclose(found, affine @ mirror):
        raise Incorrect(
            "This mirrors the voxel axis and leaves the corner where it was. The factor for the "
            "world stands on the other side."
        )
    if np.allclose(found, -affine):
        raise Incorrect("All three axes have turned round, and the last row with them.")
    if not np.allclose(found, mirror @ affine, atol=1e-6):
        raise Incorrect("Put (0, 0, 0) through both affines: only the sign of x may differ.")


def check_oblique_distance(answer: Any, data: FindData) -> None:
    """Compare with the length of the sum of the three steps."""
    affine = load_image(data("example4d")).affine
    steps_mm = affine[:3, :3].sum(axis=1)
    try:
        found = float(answer)
    except (TypeError, ValueError):
        raise Incorrect("A distance is one number, in mm.") from None
    if np.isclose(found, voxel_sizes(affine).sum()):
        raise Incorrect("That is the way along the three axes; go straight.")
    if np.isclose(found, np.sqrt(3)):
        raise Incorrect("That is a distance in voxels; the question asks for mm.")
    if np.isclose(found, np.linalg.norm(np.diagonal(affine)[:3])):
        raise Incorrect("The diagonal of an oblique affine does not hold the voxel sizes.")
    if not np.isclose(found, np.linalg.norm(steps_mm), rtol=1e-4):
        raise Incorrect("Find both places in the world, then the length of what lies between.")


def _require_numbers(answer: Any, shape: tuple[int, ...], words: str) -> Any:
    try:
        # an image with the wrong shape is not converted: it may be enormous
        if np.shape(answer) == shape:
            return np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        pass
    raise Incorrect(words)


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
                message="in the wrong order",
            ),
            WrongAnswer(
                code="origin_ijk = (0, 0, 0)",
                message="That voxel lies elsewhere",
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
                code="mirrored_affine = t1.affine @ np.diag([-1, 1, 1, 1])",
                message="leaves the corner where it was",
            ),
            WrongAnswer(code="mirrored_affine = -t1.affine", message="All three axes"),
            WrongAnswer(code="mirrored_affine = t1.affine", message="Nothing has changed"),
            WrongAnswer(
                code="mirrored_affine = np.diag([-1, -1, 1, 1]) @ t1.affine",
                message="only the sign of x may differ",
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
            WrongAnswer(code="distance_mm = np.sqrt(3)", message="a distance in voxels"),
            WrongAnswer(
                code="distance_mm = np.linalg.norm(np.diagonal(run.affine)[:3])",
                message="The diagonal of an oblique affine",
            ),
        ),
    ),
]
