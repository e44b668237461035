"""The exercises of the lesson on smoothing."""

from typing import Any

import numpy as np
from nilearn.image import smooth_img

from neuroprimer.imaging import compare_images, load_image
from neuroprimer.teaching import Exercise, FindData, Incorrect, NumericQuiz, WrongAnswer
from neuroprimer.teaching.exercises.comparers import require_number

FWHM_PER_SD = np.sqrt(8 * np.log(2))

# People may take 2.355 for the factor.
TOLERANCE = 1e-3


def check_same_blur(answer: Any, data: FindData) -> None:
    """Compare with the piece smoothed by the FWHM of that standard deviation."""
    piece = load_image(data("mni152-t1")).slicer[60:100, 100:140, 70:100]
    known = {
        "Nothing has been smoothed yet.": piece,
        "smooth_img takes the FWHM, and 2 mm is the standard deviation.": smooth_img(piece, 2),
        "The blur is too small: which of the two is wider, FWHM or standard deviation?": (
            smooth_img(piece, 2 / FWHM_PER_SD)
        ),
        "FWHM is not twice the standard deviation, though it is not far from it.": (
            smooth_img(piece, 4)
        ),
    }
    fault = compare_images(answer, smooth_img(piece, 2 * FWHM_PER_SD), tolerance=TOLERANCE)
    for feedback, slip in known.items():
        if fault and not compare_images(answer, slip, tolerance=TOLERANCE):
            raise Incorrect(feedback)
    if fault:
        raise Incorrect(fault)


def check_two_kernels(answer: Any, _: FindData) -> None:
    """Compare with the root of the sum of the squares."""
    known = {
        "Widths do not simply add up: most of the second blur falls within the first.": 6.0 + 4,
        "The wider kernel alone blurs less than both together.": 6.0,
        "One kernel for both is wider than either, so it cannot be a mean.": 5.0,
        "The squares add up. One step is left.": 6.0**2 + 4**2,
    }
    require_number(answer, np.hypot(6, 4), tolerance=TOLERANCE, unit="mm", known=known)


def check_noise_left(answer: Any, _: FindData) -> None:
    """Compare with the formula, once for each of three axes."""

    def left(sd_voxels: float) -> float:
        return float(1 / np.sqrt(2 * np.sqrt(np.pi) * sd_voxels))

    sd_voxels = 5 / FWHM_PER_SD / 2
    known = {
        "That is for one axis; the kernel blurs along three.": left(sd_voxels),
        "That is for voxels of 1 mm. The formula counts in voxels, and these are larger.": (
            left(2 * sd_voxels) ** 3
        ),
        "The formula wants the standard deviation; you gave it the FWHM.": left(5 / 2) ** 3,
        "That is the share that goes away. How much stays?": 1 - left(sd_voxels) ** 3,
        "That is the variance; the question asks for the noise's standard deviation.": (
            left(sd_voxels) ** 6
        ),
    }
    require_number(answer, left(sd_voxels) ** 3, tolerance=TOLERANCE, known=known)


EXERCISES = [
    Exercise(
        id="same-blur",
        prompt="Smooth the piece with a kernel whose standard deviation is 2 mm.",
        check=check_same_blur,
        hints=(
            "In which of the two measures does smooth_img want the width?",
            "FWHM is the larger of the two. The first cell turns one into the other, the other "
            "way round.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="smoothed = smooth_img(piece, 2)", message="smooth_img takes the FWHM"
            ),
            WrongAnswer(
                code="smoothed = smooth_img(piece, 2 / np.sqrt(8 * np.log(2)))",
                message="The blur is too small",
            ),
            WrongAnswer(
                code="smoothed = smooth_img(piece, 2 * 2)",
                message="FWHM is not twice the standard deviation",
            ),
            WrongAnswer(code="smoothed = piece", message="Nothing has been smoothed"),
        ),
    ),
    Exercise(
        id="two-kernels",
        prompt="Which FWHM does the same as smoothing with 6 mm and then with 4 mm?",
        check=check_two_kernels,
        hints=(
            "Guess first: is it more than 6 mm? Is it as much as 6 and 4 together?",
            "Blur upon blur is like error upon error: variances add up, widths do not.",
            "Think of a triangle with a right angle.",
        ),
        wrong_answers=(
            WrongAnswer(code="both_mm = 6 + 4", message="Widths do not simply add up"),
            WrongAnswer(code="both_mm = max(6, 4)", message="The wider kernel alone"),
            WrongAnswer(code="both_mm = (6 + 4) / 2", message="it cannot be a mean"),
            WrongAnswer(code="both_mm = 6**2 + 4**2", message="The squares add up"),
        ),
    ),
    Exercise(
        id="noise-left",
        prompt="Which part of the noise is left after 5 mm FWHM, in voxels of 2 mm?",
        check=check_noise_left,
        hints=(
            "Begin with the kernel's width. The formula has its own idea of what that is.",
            "Count the standard deviation in voxels: larger voxels make it a smaller number.",
            "The formula is for one axis.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    "sd_mm = 5 / np.sqrt(8 * np.log(2))\n"
                    "noise_left = (1 / np.sqrt(2 * np.sqrt(np.pi) * sd_mm)) ** 3"
                ),
                message="That is for voxels of 1 mm",
            ),
            WrongAnswer(
                code=(
                    "sd_voxels = 5 / np.sqrt(8 * np.log(2)) / 2\n"
                    "noise_left = 1 / np.sqrt(2 * np.sqrt(np.pi) * sd_voxels)"
                ),
                message="That is for one axis",
            ),
            WrongAnswer(
                code="noise_left = (1 / np.sqrt(2 * np.sqrt(np.pi) * 5 / 2)) ** 3",
                message="you gave it the FWHM",
            ),
            WrongAnswer(
                code=(
                    "sd_voxels = 5 / np.sqrt(8 * np.log(2)) / 2\n"
                    "noise_left = 1 - (1 / np.sqrt(2 * np.sqrt(np.pi) * sd_voxels)) ** 3"
                ),
                message="the share that goes away",
            ),
        ),
    ),
]

QUIZZES = [
    NumericQuiz(
        id="mistaken-width",
        question="A program asks for the standard deviation, and somebody types 6, the FWHM in mm "
        "that was meant. Which FWHM did the image get?",
        answer=lambda _: 6 * FWHM_PER_SD,
        tolerance=0.1,
        unit="mm",
        slips={
            "That would be the FWHM if 6 mm were asked for and 2.5 mm typed in.": lambda _: 6.0,
            "The other way round: the standard deviation is the smaller of the two.": (
                lambda _: 6 / FWHM_PER_SD
            ),
            "FWHM is a little more than twice the standard deviation.": lambda _: 12.0,
        },
        explanation="FWHM is 2.355 times the standard deviation. Of the folds nothing is left.",
    ),
]
