"""The exercises of the lesson on other tools."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.spatialimages import SpatialImage
from nilearn.maskers import NiftiMasker

from neuroprimer.imaging import (
    BrainData,
    RepetitionTimeError,
    brain_mask,
    compare_images,
    load_image,
    repetition_time_s,
    unmask,
)
from neuroprimer.teaching import Choice, Exercise, FindData, Incorrect, Quiz, WrongAnswer
from neuroprimer.teaching.exercises.answers import find_shape
from neuroprimer.teaching.exercises.comparers import (
    require_choice,
    require_mapping,
    require_set,
)
from neuroprimer_lessons.verdicts import require_no_fault

LONG_NAME = (
    "sub-012_ses-pre_task-pain_acq-mb4_run-02_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
)

# What the page lists, as it lists it.
LISTING = tuple(
    f"sub-{person}_{rest}"
    for person in ("01", "02")
    for rest in (
        "desc-preproc_T1w.nii.gz",
        "space-MNI152NLin2009cAsym_res-2_desc-preproc_T1w.nii.gz",
        "task-pain_desc-confounds_timeseries.tsv",
        "task-pain_space-T1w_desc-preproc_bold.nii.gz",
        "task-pain_space-MNI152NLin2009cAsym_res-2_desc-brain_mask.nii.gz",
        "task-pain_space-MNI152NLin2009cAsym_res-2_desc-preproc_bold.json",
        "task-pain_space-MNI152NLin2009cAsym_res-2_desc-preproc_bold.nii.gz",
    )
)

TR_S = 2.0
FWHM_MM = 8.0
LESSON_FWHM_MM = 6.0

# Headers keep times in float32.
TOLERANCE_S = 1e-3


def entities_of(name: str) -> dict[str, str]:
    """Return the entities in a BIDS name: what stands before suffix and extension.

    Examples
    --------
    >>> entities_of("sub-07_task-rest_bold.nii.gz")
    {'sub': '07', 'task': 'rest'}
    """
    pairs = name.split(".", 1)[0].split("_")[:-1]
    return dict(pair.split("-") for pair in pairs)


def check_take_apart(answer: Any, _data: FindData) -> None:
    """Compare with the pairs of the name, as texts."""
    expected = entities_of(LONG_NAME)
    if isinstance(answer, list | tuple | set):
        raise Incorrect("These are the pieces in a row. In a dict, each key leads to its value.")
    if isinstance(answer, dict):
        _require_plain_pairs(answer, expected)
    require_mapping(answer, expected)


def _require_plain_pairs(answer: dict[Any, Any], expected: dict[str, str]) -> None:
    """Raise where keys or values are something that a key or a value never is."""
    if any(str(key).startswith("bold") for key in answer):
        raise Incorrect("The last piece, bold, is the suffix. It is no pair, and no entity.")
    if any(value == f"{key}-{expected.get(key)}" for key, value in answer.items()):
        raise Incorrect("The key is still in the value: of a pair, take what follows the hyphen.")
    if "suffix" in answer or "extension" in answer:
        raise Incorrect("Suffix and extension have no key of their own, and are no entities.")
    if any(isinstance(value, int) for value in answer.values()):
        raise Incorrect("Values are texts: as a number, 012 can no longer be told from 12.")
    if any("_" in str(value) or "." in str(value) for value in answer.values()):
        raise Incorrect("A value reaches too far: none holds an underscore or a dot.")


def check_mask_name(answer: Any, _data: FindData) -> None:
    """Compare with the name that differs in desc and suffix alone."""
    if isinstance(answer, str):
        answer = answer.strip()
    slips = {
        "desc-preproc_bold": "This is the run itself.",
        "desc-preproc_mask": "fMRIPrep calls it by another desc. Look at the table of endings.",
        "desc-brain_bold": "The suffix still says that this is a run.",
    }
    choices = {LONG_NAME.replace("desc-preproc_bold", slip): words for slip, words in slips.items()}
    without_space = LONG_NAME.replace("space-MNI152NLin2009cAsym_", "")
    choices[without_space.replace("desc-preproc_bold", "desc-brain_mask")] = (
        "Without its space it would lie on the grid of the scan, and not on that of the run."
    )
    require_choice(answer, LONG_NAME.replace("desc-preproc_bold", "desc-brain_mask"), choices)


def check_choose_runs(answer: Any, _data: FindData) -> None:
    """Compare with the prepared runs in the space of the template."""
    in_template = {name for name in LISTING if "_space-MNI" in name}
    expected = {name for name in in_template if name.endswith("_bold.nii.gz")}
    known = {
        "Sidecars are no images: look at the extension, too.": {
            name for name in in_template if "_bold." in name
        },
        "Some of these lie in a space of each person's own, where voxels do not correspond.": {
            name for name in LISTING if name.endswith("_bold.nii.gz")
        },
        "Anatomy has been prepared, too. Which suffix has a run?": {
            name for name in in_template if name.endswith(("_bold.nii.gz", "_T1w.nii.gz"))
        },
        "These are all images of that space. Masks and anatomy are no runs.": {
            name for name in in_template if name.endswith(".nii.gz")
        },
        "In these, each brain still has its own shape.": {
            name for name in LISTING if "_space-T1w_" in name
        },
    }
    if isinstance(answer, list | tuple | set):
        for feedback, slip in known.items():
            if all(isinstance(name, str) for name in answer) and set(answer) == slip:
                raise Incorrect(feedback)
    require_set(answer, expected)


def check_there_and_back(answer: Any, data: FindData) -> None:
    """Compare with the run as the masker smooths it, and look at the repetition time."""
    before, expected, as_in_lesson = _smoothed_runs(data("example4d"))
    if isinstance(answer, BrainData):
        raise Incorrect("This is a BrainData, and an image was asked for: it can make one.")
    shape = find_shape(answer)
    if shape is not None and len(shape) == 2:
        raise Incorrect("That is the table. Which function puts its numbers back into space?")
    if shape == expected.shape[:3]:
        raise Incorrect("That is one volume, and the run has two.")
    if _is_picture(answer, before):
        raise Incorrect("Nothing has been smoothed: this is the run as it was.")
    if _is_picture(answer, as_in_lesson):
        raise Incorrect("This is smoothed a little less: it is the one from the lesson.")
    require_no_fault(compare_images(answer, expected), answer)
    _require_time(answer)


@lru_cache(maxsize=1)
def _smoothed_runs(path: Path) -> tuple[SpatialImage, ...]:
    """Return the run within its mask: as it is, as the exercise wants it, as the lesson does."""
    run = load_image(path)
    brain = BrainData(run, brain_mask(run), tr_s=TR_S)
    widths_mm = (None, FWHM_MM, LESSON_FWHM_MM)
    maskers = [
        NiftiMasker(mask_img=brain.mask, smoothing_fwhm=width_mm, standardize=None)
        for width_mm in widths_mm
    ]
    tables = [masker.fit_transform(brain.to_image()) for masker in maskers]
    return tuple(unmask(table, brain.mask, tr_s=TR_S) for table in tables)


def _is_picture(answer: Any, image: SpatialImage) -> bool:
    """Tell whether an answer is an image with the voxels of another."""
    if not isinstance(answer, SpatialImage) or answer.shape != image.shape:
        return False
    return np.allclose(answer.dataobj, image.dataobj, rtol=1e-5)


def _require_time(answer: Any) -> None:
    """Raise unless an image tells how far apart its volumes are."""
    if not isinstance(answer, SpatialImage):
        raise Incorrect("The numbers are right, but an array does not know where they lie.")
    try:
        tr_s = repetition_time_s(answer)
    except RepetitionTimeError:  # a step without a unit
        tr_s = 0.0
    if abs(tr_s - TR_S) > TOLERANCE_S:
        raise Incorrect("The picture is right, but the header has forgotten the time.")


EXERCISES = [
    Exercise(
        id="take-apart",
        prompt="Which entities has the name? Give a dict of keys and values.",
        check=check_take_apart,
        hints=(
            "Which sign stands between two pairs, and which within a pair?",
            "After splitting at the underscores, the last piece is no pair.",
        ),
        wrong_answers=(
            WrongAnswer(
                code='found_entities = long_name.split(".", 1)[0].split("_")[:-1]',
                message="the pieces in a row",
            ),
            WrongAnswer(
                code=(
                    "found_entities = {}\n"
                    'for piece in long_name.split(".")[0].split("_"):\n'
                    '    parts = piece.split("-")\n'
                    "    found_entities[parts[0]] = parts[-1]"
                ),
                message="is the suffix",
            ),
            WrongAnswer(
                code=(
                    'pairs = long_name.split("_")[:-1]\n'
                    'found_entities = {pair.split("-")[0]: pair for pair in pairs}'
                ),
                message="The key is still in the value",
            ),
            WrongAnswer(
                code=(
                    'pairs = long_name.split("_")[:-1]\n'
                    'found_entities = dict(pair.split("-") for pair in pairs)\n'
                    'found_entities["suffix"] = "bold"'
                ),
                message="no entities",
            ),
            WrongAnswer(
                code=(
                    'pairs = [pair.split("-") for pair in long_name.split("_")[:-1]]\n'
                    "found_entities = {\n"
                    "    key: int(value) if value.isdigit() else value for key, value in pairs\n"
                    "}"
                ),
                message="as a number",
            ),
        ),
    ),
    Exercise(
        id="mask-name",
        prompt="How is the brain mask called that belongs to the run?",
        check=check_mask_name,
        hints=(
            "Person, visit, task and grid are the same. What is another kind of picture?",
            "Two things differ: the desc and the suffix. The table of endings has both.",
        ),
        wrong_answers=(
            WrongAnswer(
                code='mask_name = long_name.replace("bold", "mask")', message="by another desc"
            ),
            WrongAnswer(
                code='mask_name = long_name.replace("preproc", "brain")',
                message="The suffix still says",
            ),
            WrongAnswer(
                code=('mask_name = long_name.split("_space")[0] + "_desc-brain_mask.nii.gz"'),
                message="Without its space",
            ),
            WrongAnswer(code="mask_name = long_name", message="the run itself"),
        ),
    ),
    Exercise(
        id="choose-runs",
        prompt="Which files hold the runs that a group analysis needs?",
        check=check_choose_runs,
        hints=(
            "Voxels can be compared only where all brains have the same shape.",
            "Three things of a name count: its space, its suffix and its extension.",
        ),
        harmless={
            "reversed": "the order of the files does not matter",
            "axes permuted": "the order of the files does not matter",
        },
        wrong_answers=(
            WrongAnswer(
                code='group_runs = [n for n in names if n.endswith("_bold.nii.gz")]',
                message="a space of each person's own",
            ),
            WrongAnswer(
                code='group_runs = [n for n in names if "MNI" in n and "bold" in n]',
                message="Sidecars are no images",
            ),
            WrongAnswer(
                code='group_runs = [n for n in names if "MNI" in n and n.endswith(".nii.gz")]',
                message="all images of that space",
            ),
            WrongAnswer(
                code=(
                    "group_runs = [\n"
                    '    n for n in names if "MNI" in n and "preproc" in n and "nii" in n\n'
                    "]"
                ),
                message="Which suffix has a run",
            ),
            WrongAnswer(
                code='group_runs = [n for n in names if "space-T1w" in n]',
                message="each brain still has its own shape",
            ),
        ),
    ),
    Exercise(
        id="there-and-back",
        prompt="Let nilearn smooth the run with 8 mm FWHM, and bring it back as an image.",
        check=check_there_and_back,
        hints=(
            "There are three steps: an image for nilearn, its table, and the way back.",
            "The way back needs the mask. And the table has no clock.",
        ),
        wrong_answers=(
            WrongAnswer(
                code=(
                    "masker = NiftiMasker(\n"
                    "    mask_img=data.mask, smoothing_fwhm=8, standardize=None\n"
                    ")\n"
                    "smooth_run = masker.fit_transform(data.to_image())"
                ),
                message="That is the table",
            ),
            WrongAnswer(
                code=(
                    "masker = NiftiMasker(\n"
                    "    mask_img=data.mask, smoothing_fwhm=8, standardize=None\n"
                    ")\n"
                    "table = masker.fit_transform(data.to_image())\n"
                    "smooth_run = masker.inverse_transform(table)"
                ),
                message="forgotten the time",
            ),
            WrongAnswer(
                code=(
                    "masker = NiftiMasker(\n"
                    "    mask_img=data.mask, smoothing_fwhm=8, standardize=None\n"
                    ")\n"
                    "table = masker.fit_transform(data.to_image())\n"
                    "smooth_run = unmask(table[0], data.mask)"
                ),
                message="That is one volume",
            ),
            WrongAnswer(code="smooth_run = back", message="the one from the lesson"),
            WrongAnswer(code="smooth_run = data.to_image()", message="Nothing has been smoothed"),
        ),
    ),
]

QUIZZES = [
    Quiz(
        id="which-tool",
        question="Thirty people have watched the same film in the scanner. The runs lie in a BIDS "
        "folder, as they came from the scanner. What do you use next?",
        choices=(
            Choice(
                "BrainIAK",
                feedback="It will come, but these heads have moved, and nobody has corrected it.",
            ),
            Choice("fMRIPrep", is_correct=True),
            Choice(
                "nilearn",
                feedback="Its masks and models expect runs that were prepared.",
            ),
            Choice(
                "the BIDS validator, and then rename the files",
                feedback="The files have their names already.",
            ),
        ),
        explanation="It reads the BIDS folder and prepares the runs. Then BrainIAK can find what "
        "the thirty have in common.",
    ),
    Quiz(
        id="left-to-do",
        question="fMRIPrep has finished. What has not been done to the run that ends in "
        "desc-preproc_bold.nii.gz?",
        several=True,
        choices=(
            Choice("smoothing", is_correct=True),
            Choice(
                "correcting for the motion of the head",
                feedback="That is among the first things that fMRIPrep does.",
            ),
            Choice("taking confounds out", is_correct=True),
            Choice(
                "aligning it with the person's anatomy",
                feedback="Without that, it could not have been brought into the shape of a "
                "template.",
            ),
        ),
        explanation="Both depend on your question, so they are left to you.",
    ),
]
