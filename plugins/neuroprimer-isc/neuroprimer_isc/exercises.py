"""The exercises of the lesson on inter-subject correlation."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging import BrainData, detrend, load_image
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
from neuroprimer_isc.correlation import (
    average_correlation,
    leave_one_out_from_pairwise,
    leave_one_out_isc,
    pairwise_isc,
    shift_viewers,
)

Floats = NDArray[np.float64]

DATASET = "film-watching"
VIEWERS = 16
VISUAL, AUDITORY_LEFT = 1, 2
LATE_INDEX, LATE_VOLUMES = 11, 3
# Signals may be kept in single precision.
ROUNDING = 1e-4


@dataclass(frozen=True, kw_only=True)
class Signals:
    """One region: viewers x volumes x voxels, without a line, and then with all in time."""

    detrended: Floats
    aligned: Floats


@cache
def load_region(folder: Path, label: int) -> Signals:
    """Read the voxels of one region once for all checks."""
    labels = load_image(folder / "regions.nii.gz")
    inside = np.asanyarray(labels.dataobj) == label
    mask = nib.Nifti1Image(inside.astype(np.uint8), labels.affine)
    files = [folder / f"sub-{n:02}_task-film_bold.nii.gz" for n in range(1, VIEWERS + 1)]
    runs = [BrainData(file, mask) for file in files]
    detrended = np.stack([detrend(run).data for run in runs]).astype(np.float64)
    in_time = [
        table[LATE_VOLUMES:] if viewer == LATE_INDEX else table[:-LATE_VOLUMES]
        for viewer, table in enumerate(detrended)
    ]
    return Signals(detrended=detrended, aligned=np.stack(in_time))


def _region(data: FindData, label: int) -> Signals:
    return load_region(data(DATASET, "regions.nii.gz").parent, label)


def _r(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def check_one_pair(answer: Any, data: FindData) -> None:
    """Compare with the correlation over time of two viewers in one voxel."""
    signals = _region(data, VISUAL)
    seen = signals.aligned
    right = _r(seen[2, :, 0], seen[7, :, 0])
    known = {
        "That compares the voxels of one volume. Correlate over time, within one voxel.": _r(
            seen[2, 0], seen[7, 0]
        ),
        "Python counts from 0: these are sub-04 and sub-09.": _r(seen[3, :, 0], seen[8, :, 0]),
        "np.corrcoef took the volumes for signals, and gave the correlation of the first two. "
        "Choose the voxel first.": _r(seen[2, 0], seen[2, 1]),
        "That is the mean over all voxels of the region, which has less noise. One voxel is asked "
        "for.": _r(seen[2].mean(axis=1), seen[7].mean(axis=1)),
        "That strings all voxels together. One voxel is asked for.": _r(seen[2], seen[7]),
        "That is r squared.": right**2,
    }
    require_number(answer, right, tolerance=ROUNDING, known=known)


def check_one_against_all(answer: Any, data: FindData) -> None:
    """Compare with the correlation of one viewer with the average of the others."""
    heard = _region(data, AUDITORY_LEFT).aligned.mean(axis=2)
    table = np.corrcoef(heard)
    others = np.delete(heard, 4, axis=0).mean(axis=0)
    known = {
        "The viewer is part of that average, and correlates with themselves.": _r(
            heard[4], heard.mean(axis=0)
        ),
        "You left out somebody else: the viewer is still in the average.": _r(
            heard[4], np.delete(heard, 5, axis=0).mean(axis=0)
        ),
        "That averages 15 correlations. Average the signals first, then correlate once.": float(
            np.delete(table[4], 4).mean()
        ),
        "That averages correlations, one of them of the viewer with themselves.": float(
            table[4].mean()
        ),
        "Python counts from 0: this is sub-06.": _r(
            heard[5], np.delete(heard, 5, axis=0).mean(axis=0)
        ),
    }
    require_number(answer, _r(heard[4], others), tolerance=ROUNDING / 10, known=known)


def check_fifteen(answer: Any, data: FindData) -> None:
    """Compare with the average of leave-one-out among the viewers who were in time."""
    all_of_them = _region(data, VISUAL).detrended
    fifteen = np.delete(all_of_them, LATE_INDEX, axis=0)
    each = leave_one_out_isc(fifteen)
    expected = average_correlation(each)
    shape = find_shape(answer)
    if shape == (len(fifteen),):
        raise Incorrect("There is a number for each viewer. Average over viewers, not over voxels.")
    if shape == each.shape:
        raise Incorrect("There is still a number for each viewer and voxel. Average over viewers.")
    slips = {
        "sub-12 is gone from the result, but was still in the averages of the others. Take "
        "viewers out before anything is counted.": average_correlation(
            np.delete(leave_one_out_isc(all_of_them), LATE_INDEX, axis=0)
        ),
        "That is the plain mean of r. Go by way of Fisher's z.": each.mean(axis=0),
        "These are z. Turn their average back into r.": np.arctanh(each).mean(axis=0),
        "These are pairs. Each viewer against the average of the others is asked for.": (
            average_correlation(pairwise_isc(fifteen))
        ),
        "Python counts from 0: sub-13 was taken out, and sub-12 is still there.": (
            average_correlation(leave_one_out_isc(np.delete(all_of_them, 12, axis=0)))
        ),
        "The late viewer is still there.": average_correlation(leave_one_out_isc(all_of_them)),
    }
    if shape == expected.shape:
        for feedback, slip in slips.items():
            if _is_close(answer, slip):
                raise Incorrect(feedback)
    require_array(answer, expected, tolerance=ROUNDING)


def _is_close(answer: Any, slip: Floats) -> bool:
    try:
        return bool(np.allclose(np.asarray(answer, dtype=float), slip, rtol=0, atol=ROUNDING))
    except Exception:  # noqa: BLE001  the answer may be any object
        return False


def check_apart(answer: Any, data: FindData) -> None:
    """Compare with leave-one-out after each viewer was moved by seven volumes more."""
    heard = _region(data, AUDITORY_LEFT).aligned.mean(axis=2)[:, :, np.newaxis]
    by = 7 * np.arange(VIEWERS)
    moved = shift_viewers(heard, by)
    each = leave_one_out_isc(moved)[:, 0]
    known = {
        "That is as high as without shifts. If all viewers move together, nothing comes apart.": (
            float(average_correlation(leave_one_out_isc(heard))[0])
        ),
        "That is the plain mean of r. Go by way of Fisher's z.": float(each.mean()),
        "That is the mean of z. Turn it back into r.": float(np.arctanh(each).mean()),
        "These are pairs. Each viewer against the average of the others is asked for.": float(
            average_correlation(pairwise_isc(moved))[0]
        ),
        "The first viewer stays where they are: the shifts begin with 0.": float(
            average_correlation(leave_one_out_isc(shift_viewers(heard, 7 * np.arange(1, 17))))[0]
        ),
        "These shifts are a seventh of those that are asked for.": float(
            average_correlation(leave_one_out_isc(shift_viewers(heard, np.arange(VIEWERS))))[0]
        ),
    }
    right = float(average_correlation(each))
    require_number(answer, right, tolerance=ROUNDING, known=known)


PAIRWISE, MORE_VIEWERS = 0.1, 31


EXERCISES = [
    Exercise(
        id="one-pair",
        prompt="How alike are two viewers in one voxel?",
        check=check_one_pair,
        hints=(
            "Which of the three axes is time? Along it you want a whole signal.",
            "The other two axes get one index each, the viewer's and the voxel's, from 0.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="pair_r = np.corrcoef(seen[2, 0], seen[7, 0])[0, 1]",
                message="the voxels of one volume",
            ),
            WrongAnswer(
                code="pair_r = np.corrcoef(seen[3, :, 0], seen[8, :, 0])[0, 1]",
                message="counts from 0",
            ),
            WrongAnswer(
                code="pair_r = np.corrcoef(seen[2], seen[7])[0, 1]",
                message="took the volumes for signals",
            ),
            WrongAnswer(
                code="pair_r = np.corrcoef(seen[2].mean(axis=1), seen[7].mean(axis=1))[0, 1]",
                message="the mean over all voxels",
            ),
            WrongAnswer(
                code="pair_r = np.corrcoef(seen[2].ravel(), seen[7].ravel())[0, 1]",
                message="strings all voxels together",
            ),
        ),
    ),
    Exercise(
        id="one-against-all",
        prompt="What is the leave-one-out ISC of one viewer?",
        check=check_one_against_all,
        hints=(
            "Two signals are to be correlated. What is the second one an average of?",
            "np.delete takes a viewer out of the array.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="left_out_r = np.corrcoef(heard[4], heard.mean(axis=0))[0, 1]",
                message="The viewer is part of that average",
            ),
            WrongAnswer(
                code=(
                    "rest = np.delete(heard, 5, axis=0).mean(axis=0)\n"
                    "left_out_r = np.corrcoef(heard[4], rest)[0, 1]"
                ),
                message="You left out somebody else",
            ),
            WrongAnswer(
                code="left_out_r = np.delete(np.corrcoef(heard)[4], 4).mean()",
                message="averages 15 correlations",
            ),
            WrongAnswer(
                code="left_out_r = np.corrcoef(heard)[4].mean()",
                message="one of them of the viewer with themselves",
            ),
            WrongAnswer(
                code=(
                    "rest = np.delete(heard, 5, axis=0).mean(axis=0)\n"
                    "left_out_r = np.corrcoef(heard[5], rest)[0, 1]"
                ),
                message="this is sub-06",
            ),
        ),
    ),
    Exercise(
        id="fifteen",
        prompt="What is the average leave-one-out ISC without the late viewer, in each voxel?",
        check=check_fifteen,
        hints=(
            "In how many of the sixteen results does the signal of sub-12 take part?",
            "First the viewers, then leave-one-out, then the average. The lesson has a function "
            "for each of the last two.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    "each_of_them = leave_one_out_isc(unaligned)\n"
                    "without_late = average_correlation(np.delete(each_of_them, 11, axis=0))"
                ),
                message="still in the averages of the others",
            ),
            WrongAnswer(
                code=(
                    "fifteen = np.delete(unaligned, 11, axis=0)\n"
                    "without_late = leave_one_out_isc(fifteen).mean(axis=0)"
                ),
                message="plain mean of r",
            ),
            WrongAnswer(
                code=(
                    "fifteen = np.delete(unaligned, 11, axis=0)\n"
                    "without_late = average_correlation(leave_one_out_isc(fifteen), axis=1)"
                ),
                message="a number for each viewer. Average over viewers, not",
            ),
            WrongAnswer(
                code=(
                    "fifteen = np.delete(unaligned, 11, axis=0)\n"
                    "without_late = np.arctanh(leave_one_out_isc(fifteen)).mean(axis=0)"
                ),
                message="These are z",
            ),
            WrongAnswer(
                code=(
                    "fifteen = np.delete(unaligned, 12, axis=0)\n"
                    "without_late = average_correlation(leave_one_out_isc(fifteen))"
                ),
                message="sub-13 was taken out",
            ),
        ),
    ),
    Exercise(
        id="apart",
        prompt="What is left of ISC when each viewer is shifted by another time?",
        check=check_apart,
        hints=(
            "Sixteen shifts are needed, one for each viewer, and the first of them is 0.",
            "The lesson has functions for all three steps: move, correlate, average.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    "moved = shift_viewers(region, np.full(16, 7))\n"
                    "chance_r = average_correlation(leave_one_out_isc(moved))[0]"
                ),
                message="nothing comes apart",
            ),
            WrongAnswer(
                code=(
                    "moved = shift_viewers(region, 7 * np.arange(16))\n"
                    "chance_r = leave_one_out_isc(moved).mean()"
                ),
                message="plain mean of r",
            ),
            WrongAnswer(
                code=(
                    "moved = shift_viewers(region, 7 * np.arange(16))\n"
                    "chance_r = average_correlation(pairwise_isc(moved))[0]"
                ),
                message="These are pairs",
            ),
            WrongAnswer(
                code=(
                    "moved = shift_viewers(region, np.arange(16))\n"
                    "chance_r = average_correlation(leave_one_out_isc(moved))[0]"
                ),
                message="a seventh of those",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="no-isc",
        question="In the region of own thoughts ISC is near zero. What may you say?",
        choices=(
            Choice(
                "The region does nothing while people watch.",
                feedback="Look at the first figure again: its signals are as lively as those of "
                "the visual region.",
            ),
            Choice("People's signals there do not go together in time.", is_correct=True),
            Choice(
                "The film does not reach the region.",
                feedback="It may, and be answered by each person in another way or at another "
                "time. ISC would not see it.",
            ),
            Choice(
                "There is more noise than elsewhere.",
                feedback="Noise would lower ISC. But so would other things, and ISC alone does not "
                "say which.",
            ),
        ),
        explanation="ISC tells what is common. Scanning the same people twice with the same film "
        "can tell whether each of them responds in a way of their own.",
    ),
    NumericQuiz(
        id="more-viewers",
        question="Of 31 viewers, any two correlate with 0.1. What is the leave-one-out ISC?",
        answer=lambda _: float(leave_one_out_from_pairwise(PAIRWISE, MORE_VIEWERS)),
        tolerance=0.005,
        slips={
            "That is for two people. An average of 30 has less noise than one person.": (
                lambda _: PAIRWISE
            ),
            "That is for very many viewers; there are 31.": lambda _: float(np.sqrt(PAIRWISE)),
            "That is with the viewer in the average.": lambda _: float(
                np.sqrt((1 + (MORE_VIEWERS - 1) * PAIRWISE) / MORE_VIEWERS)
            ),
            "The root was forgotten.": lambda _: (
                PAIRWISE * (MORE_VIEWERS - 1) / (1 + (MORE_VIEWERS - 2) * PAIRWISE)
            ),
        },
        explanation="0.1 times the root of 30 over 1 + 29 x 0.1.",
    ),
]
