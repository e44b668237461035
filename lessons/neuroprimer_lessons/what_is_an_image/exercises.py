"""The exercises of the lesson on what an image is."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging import compare_coordinates, compare_images, load_image, memory_bytes
from neuroprimer.teaching import Choice, Exercise, FindData, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.comparers import require_number
from neuroprimer_lessons.verdicts import require_no_fault

MEGABYTE = 1_000_000


def check_last_voxel(answer: Any, data: FindData) -> None:
    """Compare with the shape, less one on each axis."""
    t1 = load_image(data("mni152-t1"))
    last_ijk = np.array(t1.shape) - 1
    known = {
        "Python counts from the end with -1. Say how far it is from the start.": np.full(3, -1),
        "That is the brightest voxel. The one with the largest indices is asked for, and it may be "
        "dark.": find_brightest(data("mni152-t1")),
    }
    require_no_fault(compare_coordinates(answer, last_ijk), answer, known)


@cache  # an answer is tried more than once
def find_brightest(file: Path) -> NDArray[Any]:
    """Find the indices of the voxel with the largest value."""
    image = load_image(file)
    return np.array(np.unravel_index(np.argmax(image.dataobj), image.shape))


def check_volume_size(answer: Any, data: FindData) -> None:
    """Compare with the number of voxels times their size, on the axes of space."""
    run = load_image(data("example4d"))
    shape, sizes_mm = np.array(run.shape), np.array(run.header.get_zooms())
    known = {
        "That is the size of one voxel. How many of them lie side by side?": sizes_mm[:3],
        "That counts voxels. How large is each of them?": shape[:3],
        "The fourth axis is time, and time has no millimetres.": shape * sizes_mm,
        "That reaches from centre to centre: half a voxel is missing at either end.": (
            (shape[:3] - 1) * sizes_mm[:3]
        ),
    }
    fault = compare_coordinates(answer, shape[:3] * sizes_mm[:3])
    require_no_fault(fault, answer, known)


def check_run_slice(answer: Any, data: FindData) -> None:
    """Compare with the slice, turned for `imshow`."""
    voxels = np.asanyarray(load_image(data("example4d")).dataobj)
    known = {
        "The picture lies on its side: imshow draws the first axis down the page.": (
            voxels[:, :, 12, 0]
        ),
        "Another index is held still: k is the third.": voxels[12, :, :, 0].T,
        "This holds both volumes. Time is the fourth axis.": voxels[:, :, 12].T,
        "This is the second volume: volumes are counted from 0, as voxels are.": (
            voxels[:, :, 12, 1].T
        ),
        "This is the slice below: indices are counted from 0, so take k as it is.": (
            voxels[:, :, 11, 0].T
        ),
    }
    require_no_fault(compare_images(answer, voxels[:, :, 12, 0].T), answer, known)


def check_memory(answer: Any, data: FindData) -> None:
    """Compare with four bytes for every voxel of the run."""
    run = load_image(data("example4d"))
    n_bytes = memory_bytes(run, np.float32)
    known: dict[str, float] = {
        "That is what get_fdata() takes if nobody names another type.": memory_bytes(run),
        "That is the type on disk. Which type do the numbers have in memory?": memory_bytes(
            run, run.get_data_dtype()
        ),
        "That counts voxels. How many bytes has each of them in memory?": float(np.prod(run.shape)),
        "float32 has 32 bits. How many bytes are that?": 8 * n_bytes,
        "One MB is a million bytes here; you took 1024 times 1024 of them.": (
            n_bytes * MEGABYTE / 2**20
        ),
    }
    in_megabytes = {feedback: slip / MEGABYTE for feedback, slip in known.items()}
    in_megabytes["That is in bytes; the question asks for MB."] = n_bytes
    require_number(answer, n_bytes / MEGABYTE, tolerance=1e-3, unit="MB", known=in_megabytes)


EXERCISES = [
    Exercise(
        id="last-voxel",
        prompt="Which voxel of the template has the largest indices? Give i, j and k.",
        check=check_last_voxel,
        hints=(
            "The length of each axis says how many voxels there are. Where does counting begin?",
            "An axis of three voxels has the indices 0, 1 and 2.",
        ),
        wrong_answers=(
            WrongAnswer(code="last_ijk = t1.shape", message="counted from zero"),
            WrongAnswer(
                code="last_ijk = np.unravel_index(voxels.argmax(), t1.shape)",
                message="the brightest voxel",
            ),
            WrongAnswer(code="last_ijk = (-1, -1, -1)", message="counts from the end"),
            WrongAnswer(code="last_ijk = np.prod(t1.shape) - 1", message="a single number"),
        ),
    ),
    Exercise(
        id="volume-size",
        prompt="How large is a volume of the run along i, j and k, in mm, from edge to edge?",
        check=check_volume_size,
        hints=(
            "Two things are needed: how many voxels there are, and how large one is.",
            "The shape tells the one, the header's steps the other. Both have an entry for time, "
            "too.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="size_mm = run.header.get_zooms()[:3]", message="the size of one voxel"
            ),
            WrongAnswer(code="size_mm = run.shape[:3]", message="That counts voxels"),
            WrongAnswer(
                code="size_mm = np.multiply(run.shape, run.header.get_zooms())",
                message="The fourth axis is time",
            ),
            WrongAnswer(
                code=(
                    "n_steps = np.array(run.shape[:3]) - 1\n"
                    "size_mm = n_steps * run.header.get_zooms()[:3]"
                ),
                message="from centre to centre",
            ),
        ),
    ),
    Exercise(
        id="run-slice",
        prompt="Take the slice k = 12 of the run's first volume, ready for imshow.",
        check=check_run_slice,
        hints=(
            "Four axes need four indices. Which two of them are held still?",
            "imshow draws the first axis of an array down the page. You want i to run across.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="picture = run.dataobj[:, :, 12, 0]", message="The picture lies on its side"
            ),
            WrongAnswer(
                code="picture = run.dataobj[12, :, :, 0].T", message="Another index is held still"
            ),
            WrongAnswer(code="picture = run.dataobj[:, :, 12].T", message="both volumes"),
            WrongAnswer(
                code="picture = run.dataobj[:, :, 12, 1].T", message="This is the second volume"
            ),
            WrongAnswer(code="picture = run.dataobj[:, :, 11, 0].T", message="the slice below"),
        ),
    ),
    Exercise(
        id="memory",
        prompt="How many MB will run.get_fdata(dtype=np.float32) take?",
        check=check_memory,
        hints=(
            "It does not matter how many bytes a voxel has on disk. How many has it in memory?",
            "memory_bytes takes a type as its second argument.",
            "A megabyte is a million bytes.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="memory_mb = memory_bytes(run) / 1e6", message="if nobody names another type"
            ),
            WrongAnswer(
                code="memory_mb = memory_bytes(run, run.get_data_dtype()) / 1e6",
                message="the type on disk",
            ),
            WrongAnswer(
                code="memory_mb = memory_bytes(run, np.float32)", message="That is in bytes"
            ),
            WrongAnswer(code="memory_mb = np.prod(run.shape) / 1e6", message="That counts voxels"),
            WrongAnswer(code="memory_mb = np.prod(run.shape) * 32 / 1e6", message="32 bits"),
            WrongAnswer(
                code="memory_mb = memory_bytes(run, np.float32) / 2**20",
                message="1024 times 1024",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="fdata-type",
        question="On disk the voxels of the run are int16. What type does run.get_fdata() give?",
        choices=(
            Choice(
                "int16",
                feedback="That is the type on disk, and get_fdata() always makes decimals of it.",
            ),
            Choice("float64", is_correct=True),
            Choice("float32", feedback="You get it only if you ask for it, with dtype=."),
            Choice(
                "that depends on the file's scaling",
                feedback="So it is with np.asanyarray(run.dataobj). get_fdata() was made to be "
                "the same for every file.",
            ),
        ),
        explanation="It is the type for calculations, and takes four times the memory of int16.",
    ),
]
