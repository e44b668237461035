"""The Brainomics localizer through nilearn: ``python -m neuroprimer_lessons.localizer KIND DIR``.

A process of its own, since nilearn takes seconds to load. What nilearn has fetched by halves stays
in a hidden folder, and nilearn goes on with it the next time.
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

from nilearn import datasets

from neuroprimer.teaching.transfers import cause_of

# Where nilearn puts what it fetches.
OWN_FOLDER = ".nilearn"


def fetch_t1(folder: Path) -> None:
    """Fetch the head that the tutorial shows: S01, normalised and defaced."""
    found = datasets.fetch_localizer_contrasts(
        [], n_subjects=[1], get_anats=True, data_dir=folder / OWN_FOLDER, verbose=0
    )
    if "anats" not in found:
        raise OSError("the list on OSF does not name the head of S01 any more")
    shutil.copyfile(found["anats"][0], folder / "localizer_t1.nii.gz")


def fetch_bold(folder: Path) -> None:
    """Fetch the only run of this experiment that nilearn knows; the tutorial's raw run is none."""
    found = datasets.fetch_localizer_first_level(data_dir=folder / OWN_FOLDER, verbose=0)
    shutil.copyfile(found["epi_img"], folder / "localizer_bold.nii.gz")
    shutil.copyfile(found["events"], folder / "events.tsv")
    sidecar = {
        "TaskName": "localizer",
        "RepetitionTime": found["t_r"],
        "SliceTimingReference": found["slice_time_ref"],
        "Space": found["template"],
    }
    (folder / "localizer_bold.json").write_text(json.dumps(sidecar, indent=2) + "\n")


FETCHERS = {"t1": fetch_t1, "bold": fetch_bold}

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the last line is what a person is told
    kind, target = sys.argv[1:]
    try:
        FETCHERS[kind](Path(target))
    except (OSError, ValueError) as error:  # what nilearn raises for what comes, or does not
        sys.exit(cause_of(error))
