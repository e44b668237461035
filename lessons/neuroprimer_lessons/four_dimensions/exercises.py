"""The exercises of the lesson on runs."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging import as_4d, compare_times, load_image, repetition_time_s
from neuroprimer.teaching import Choice, Exercise, FindData, Incorrect, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.answers import read_number
from neuroprimer.teaching.exercises.comparers import require_number
from neuroprimer_lessons.verdicts import require_no_fault

DATASET = "localizer-bold"
UNSTEADY = 2
BRIGHT_IJK, TSNR_IJK = (33, 12, 20), (33, 30, 20)
LATENCY_S = 6.0
# A run may be read in single precision.
ROUNDING = 1e-4


def load_run(data: FindData) -> SpatialImage:
    """Open the run with four axes; no voxel is read."""
    return as_4d(load_image(data(DATASET, "localizer_bold.nii.gz")))


def read_time_s(data: FindData) -> float:
    """Return the repetition time with all its digits, of which a header keeps seven."""
    sidecar = data(DATASET, "localizer_bold.json")
    return repetition_time_s(load_run(data), sidecar=sidecar)


def read_voxel(data: FindData, ijk: tuple[int, int, int]) -> NDArray[np.float64]:
    """Read one voxel of all volumes."""
    return _signal(data(DATASET, "localizer_bold.nii.gz"), ijk)


@cache  # an answer is tried more than once, and a voxel lies in every part of the file
def _signal(path: Path, ijk: tuple[int, int, int]) -> NDArray[np.float64]:
    return np.asarray(as_4d(load_image(path)).dataobj[ijk], dtype=np.float64)


def check_last_volume(answer: Any, data: FindData) -> None:
    """Compare with the repetition time, as often as it has passed."""
    tr_s, n_volumes = read_time_s(data), load_run(data).shape[3]
    known = {
        "Then the last volume is over. When did it begin?": n_volumes * tr_s,
        "That is its index. How much time passes from one volume to the next?": n_volumes - 1,
        "That counts volumes. How much time passes from one to the next?": n_volumes,
        "The two unsteady volumes took their time, too.": (n_volumes - 1 - UNSTEADY) * tr_s,
    }
    require_no_fault(compare_times(answer, (n_volumes - 1) * tr_s), answer, known)


def check_first_volume(answer: Any, data: FindData) -> None:
    """Compare with how far the first volume lies above the later ones."""
    number = read_number(answer, "a number in percent")
    signal = read_voxel(data, BRIGHT_IJK)
    reference = signal[10:20].mean()
    known = {
        "That is how many percent it is *of* the later volumes. By how many is it brighter?": (
            100 * signal[0] / reference
        ),
        "That is a part of one. The question asks for percent.": signal[0] / reference - 1,
        "That is the difference in units of the scanner. How many percent is it?": (
            signal[0] - reference
        ),
        "Percent of what? You divided by the first volume.": 100 * (1 - reference / signal[0]),
        "The slice stops too early: its second number is not part of it.": (
            100 * (signal[0] / signal[10:19].mean() - 1)
        ),
        "That compares with all volumes, the first among them.": (
            100 * (signal[0] / signal.mean() - 1)
        ),
    }
    require_number(
        number, 100 * (signal[0] / reference - 1), tolerance=1e-4, unit="percent", known=known
    )


def check_voxel_tsnr(answer: Any, data: FindData) -> None:
    """Compare with mean over standard deviation of the steady volumes."""
    number = read_number(answer, "a number")
    signal = read_voxel(data, TSNR_IJK)
    steady = signal[UNSTEADY:]
    known = {
        "The first two volumes are still in it.": signal.mean() / signal.std(),
        "Noise over signal: it is upside down.": steady.std() / steady.mean(),
        "That is the mean over the variance, which is the standard deviation squared.": (
            steady.mean() / steady.var()
        ),
        "Only one volume was left out.": signal[1:].mean() / signal[1:].std(),
        "That is the noise alone. Signal-to-noise is a ratio.": steady.std(),
    }
    right = steady.mean() / steady.std()
    spread = steady.std(ddof=1)
    if abs(number * spread / steady.mean() - 1) > ROUNDING:  # divided by n - 1, it is right as well
        require_number(number, right, tolerance=ROUNDING, known=known)


def check_volume_of_response(answer: Any, data: FindData) -> None:
    """Compare with the last volume that had begun by then."""
    number = read_number(answer, "the index of a volume")
    events = pd.read_csv(data(DATASET, "events.tsv"), sep="\t")
    onset_s = events.loc[events["trial_type"] == "sentence", "onset"].min()
    tr_s = read_time_s(data)
    index = (onset_s + LATENCY_S) / tr_s
    if math.isclose(number, index, rel_tol=ROUNDING):
        raise Incorrect("This has a fraction. Which volume had begun and was not over yet?")
    known = {
        "That volume had not begun yet: round() goes up although the one before is not over.": (
            index // 1 + 1
        ),
        "That is when the sentence began. The response comes later.": onset_s // tr_s,
        "That is a time in seconds. Which volume is it?": onset_s + LATENCY_S,
    }
    require_number(number, index // 1, known=known)


EXERCISES = [
    Exercise(
        id="last-volume",
        prompt="How many seconds after the start of the run did its last volume begin?",
        check=check_last_volume,
        hints=(
            "The first volume begins at 0 s, the second after one repetition time.",
            "How often has the repetition time passed when the last of them begins?",
        ),
        wrong_answers=(
            WrongAnswer(code="last_s = run.shape[3] * tr_s", message="When did it begin"),
            WrongAnswer(code="last_s = run.shape[3] - 1", message="That is its index"),
            WrongAnswer(code="last_s = n_volumes", message="That counts volumes"),
            WrongAnswer(
                code="last_s = (len(steady) - 1) * tr_s", message="The two unsteady volumes"
            ),
        ),
    ),
    Exercise(
        id="first-volume",
        prompt="By how many percent is the first volume brighter in a voxel than later ones?",
        check=check_first_volume,
        hints=(
            "One index chooses the voxel on the line; what is left is its signal over time.",
            "Percent of what? The later volumes are what you compare with.",
            "Which slice holds the indices 10 to 19, with both of them in it?",
        ),
        wrong_answers=(
            WrongAnswer(
                code="signal = line[12]\nbrighter = 100 * signal[0] / signal[10:20].mean()",
                message="how many percent it is *of*",
            ),
            WrongAnswer(
                code="signal = line[12]\nbrighter = signal[0] / signal[10:20].mean() - 1",
                message="a part of one",
            ),
            WrongAnswer(
                code=(
                    "signal = line[12]\n"
                    "brighter = 100 * (signal[0] - signal[10:20].mean()) / signal[0]"
                ),
                message="divided by the first volume",
            ),
            WrongAnswer(
                code="signal = line[12]\nbrighter = 100 * (signal[0] / signal[10:19].mean() - 1)",
                message="The slice stops too early",
            ),
        ),
    ),
    Exercise(
        id="voxel-tsnr",
        prompt="What is the tSNR of a voxel without the first two volumes?",
        check=check_voxel_tsnr,
        hints=(
            "The second index of the line chooses volumes. Which slice leaves out two of them?",
            "Signal stands above, noise below.",
        ),
        wrong_answers=(
            WrongAnswer(
                code="signal = line[30]\nratio = signal.mean() / signal.std()",
                message="still in it",
            ),
            WrongAnswer(
                code="signal = line[30, 2:]\nratio = signal.std() / signal.mean()",
                message="upside down",
            ),
            WrongAnswer(
                code="signal = line[30, 2:]\nratio = signal.mean() / signal.var()",
                message="over the variance",
            ),
            WrongAnswer(
                code="signal = line[30, 1:]\nratio = signal.mean() / signal.std()",
                message="Only one volume",
            ),
        ),
    ),
    Exercise(
        id="volume-of-response",
        prompt="Which volume was being taken 6 s after the first sentence began?",
        check=check_volume_of_response,
        hints=(
            "When, in seconds, is the moment that is asked for?",
            "Volume 0 is taken until one repetition time has passed, volume 1 until two have.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    'first_s = events.loc[events["trial_type"] == "sentence", "onset"].min()\n'
                    "volume = round((first_s + 6) / tr_s)"
                ),
                message="had not begun yet",
            ),
            WrongAnswer(
                code=(
                    'first_s = events.loc[events["trial_type"] == "sentence", "onset"].min()\n'
                    "volume = (first_s + 6) / tr_s"
                ),
                message="This has a fraction",
            ),
            WrongAnswer(
                code=(
                    'first_s = events.loc[events["trial_type"] == "sentence", "onset"].min()\n'
                    "volume = int(first_s // tr_s)"
                ),
                message="The response comes later",
            ),
            WrongAnswer(
                code=(
                    'first_s = events.loc[events["trial_type"] == "sentence", "onset"].min()\n'
                    "volume = first_s + 6"
                ),
                message="a time in seconds",
            ),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="cut-first",
        question="Somebody detrends a run without cutting the first two volumes, which are far "
        "too bright. What becomes of the volumes at the end of the run?",
        choices=(
            Choice(
                "nothing, since a line is a line",
                feedback="The line is fitted to all volumes, and bright ones at the beginning "
                "turn it.",
            ),
            Choice("they come out too high", is_correct=True),
            Choice(
                "they come out too low",
                feedback="The bright beginning makes the line fall more steeply, so that it lies "
                "too low at the end. What happens when it is subtracted?",
            ),
            Choice(
                "they become noisier",
                feedback="A straight line is smooth; taking it out adds no noise.",
            ),
        ),
        explanation="The line falls too steeply, lies too low at the end, and too little is taken "
        "away there.",
    ),
]
