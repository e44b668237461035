"""The measured files that the synthetic samples stand for: the variant "full" of the datasets.

Addresses and formats are those that nilearn 0.14 and the tutorials this course descends from use.
No publisher gives digests, so those of the first fetch are recorded and hold from then on.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from neuroprimer.teaching import (
    Dataset,
    DatasetError,
    Variant,
    download,
    keep_dataset,
    load_json,
    make_apart,
)
from neuroprimer.teaching.arrivals import tell
from neuroprimer.teaching.transfers import DownloadError

FULL = "full"

# DartBrains, the tutorial's successor, names this address. Nobody could try it when it was written
# down here: what is not there is an error that says so.
AMYGDALA = "https://neurovault.org/media/images/1290/FSL_BAmyg_thr0.nii.gz"

PAIN_COLLECTION = "https://neurovault.org/api/collections/504/images/"
PAIN_LEVELS = {1: "low", 2: "medium", 3: "high"}
PEOPLE = 28
# NeuroVault gives this many images at most for each question.
PAGE = 100

NILEARN_CITATIONS = (
    "Pinel et al., BMC Neuroscience 8 (2007) 91; "
    "Papadopoulos Orfanos et al., NeuroImage 144 (2017) 309."
)

VARIANTS = {
    "localizer-t1": Variant(
        name=FULL,
        title="T1-weighted head of subject S01 of the Brainomics localizer, defaced",
        licence="free for non-commercial research",
        citation=NILEARN_CITATIONS,
        is_synthetic=False,
    ),
    "localizer-bold": Variant(
        name=FULL,
        title="Functional run of the localizer, one subject, preprocessed, in MNI305",
        licence="not stated by its publisher",
        citation=NILEARN_CITATIONS,
        is_synthetic=False,
    ),
    "pain-maps": Variant(
        name=FULL,
        title="Maps of 28 people at three intensities of pain, NeuroVault collection 504",
        licence="CC0 1.0, as all that is on NeuroVault",
        citation="Chang et al., PLoS Biology 13 (2015) e1002180; "
        "Gorgolewski et al., Frontiers in Neuroinformatics 9 (2015) 8.",
        is_synthetic=False,
    ),
    "amygdala": Variant(
        name=FULL,
        title="Mask of both amygdalae, drawn from an atlas of FSL, NeuroVault collection 1290",
        licence="CC0 1.0 by NeuroVault; FSL's own atlases are for non-commercial use",
        citation="Gorgolewski et al., Frontiers in Neuroinformatics 9 (2015) 8.",
        is_synthetic=False,
    ),
}


def find_original_files(dataset: Dataset, folder: Path) -> Sequence[Path] | None:
    """Return the measured files of a dataset, fetched if need be, or None if there are none.

    Raises
    ------
    DatasetError
        If they cannot be fetched, or are not what was fetched first.
    """
    if dataset.id not in FETCHERS:
        return None
    return keep_dataset(dataset, folder, FETCHERS[dataset.id], variant=FULL, resumes=True)


def _fetch_amygdala(folder: Path) -> None:
    download(AMYGDALA, folder / "amygdala_mask.nii.gz")


def _fetch_pain_maps(folder: Path) -> None:
    """Fetch 84 maps under the names that the sample's maps have, and write which is which."""
    rows = []
    for (person, level), (id_, address) in sorted(_images_of_pain().items()):
        file = f"sub-{person:02}_pain-{level}.nii.gz"
        download(address, folder / file)
        rows.append((file, f"sub-{person:02}", level, PAIN_LEVELS[level], id_, address))
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("file", "subject", "pain_level", "intensity", "neurovault_id", "address"))
        writer.writerows(rows)


def _images_of_pain() -> dict[tuple[int, int], tuple[int, str]]:
    """Return NeuroVault's number and the address of each map, by person and intensity."""
    try:
        images = {
            (_whole(image["SubjectID"]), _whole(image["PainLevel"])): (
                _whole(image["id"]),
                # the list may still say http:, where a file could be exchanged on its way
                str(image["file"]).replace("http://", "https://", 1),
            )
            for image in _all_images(PAIN_COLLECTION)
        }
    except DatasetError:  # a LookupError as well, but one of the network and not of the list
        raise
    except (LookupError, TypeError, ValueError) as error:
        raise _unexpected_collection(f"it cannot be understood: {error!r}") from error
    people = {person for person, _ in images}
    wanted = {(person, level) for person in people for level in PAIN_LEVELS}
    if len(people) != PEOPLE or images.keys() != wanted:
        raise _unexpected_collection(f"it has {len(images)} maps of {len(people)} people")
    return images


def _all_images(address: str) -> Iterable[dict[str, Any]]:
    """Yield what NeuroVault says of each image of a collection, page by page."""
    seen = 0
    while True:
        page = load_json(f"{address}?limit={PAGE}&offset={seen}")
        yield from page["results"]
        seen += len(page["results"])
        if seen >= page["count"] or not page["results"]:
            return


def _whole(value: Any) -> int:
    """Return a number that NeuroVault may give as 3, "3" or "3.0"."""
    number = float(value)
    if number != int(number):
        raise ValueError(f"{value!r} is no whole number")
    return int(number)


def _unexpected_collection(what: str) -> DownloadError:
    return DownloadError(
        f"NeuroVault's collection 504 is not what is expected, {PEOPLE} people at "
        f"{len(PAIN_LEVELS)} intensities: {what}.",
        hint="Its owner may have changed it. A newer neuroprimer may know of it.",
    )


def _by_nilearn(what: str) -> Callable[[Path], None]:
    """Let nilearn fetch in a process of its own; a lesson's kernel imports nothing of it."""
    fetch = make_apart(
        "neuroprimer_lessons.localizer",
        what,
        problem="nilearn could not fetch it",
        hint="Is this machine online?",
    )

    def fetch_and_tell(folder: Path) -> None:
        tell(f"{what}, through nilearn", 0, None)
        try:
            fetch(folder)
        except DatasetError as error:
            raise DownloadError(error.message, hint=error.hint) from error

    return fetch_and_tell


FETCHERS = {
    "localizer-t1": _by_nilearn("t1"),
    "localizer-bold": _by_nilearn("bold"),
    "pain-maps": _fetch_pain_maps,
    "amygdala": _fetch_amygdala,
}
