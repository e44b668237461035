"""Real images that the course's dependencies ship, so that no lesson needs a network."""

from importlib.util import find_spec
from pathlib import Path

from neuroprimer.teaching import Dataset

DATASETS = (
    Dataset(
        id="mni152-t1",
        title="ICBM 152 template, T1-weighted, skull-stripped, 1 mm",
        description="The average brain of 152 young adults, as nilearn ships it.",
        licence="free to use, copy and pass on with the notice of the ICBM",
        citation="Fonov et al., NeuroImage 47 (2009) S102.",
        is_synthetic=False,
    ),
    Dataset(
        id="example4d",
        title="Two volumes of a functional scan",
        description="Taken askew, with a slip in the header, as nibabel ships them for its tests.",
        licence="MIT",
        citation="The nibabel developers.",
        is_synthetic=False,
    ),
)

# The package that ships each file, and where in it the file lies.
FILES = {
    "mni152-t1": ("nilearn", "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"),
    "example4d": ("nibabel", "tests/data/example4d.nii.gz"),
}


def find_dataset_file(dataset_id: str) -> Path | None:
    """Return the file of a dataset, or None when the dataset is not one of ours.

    The package that ships it is found but not imported: that would take seconds.
    """
    if dataset_id not in FILES:
        return None
    package, file = FILES[dataset_id]
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / file if folders else None
