"""The data of the course: images that its dependencies ship, and others that a program makes up.

No lesson needs a network. What makes data up loads numpy and scipy, so it runs in a process of its
own, once; nothing here does.
"""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from neuroprimer.teaching import Dataset, keep_dataset, make_apart
from neuroprimer_lessons.originals import VARIANTS

# Digests of all files that are made up, by dataset: `python -m neuroprimer_lessons.synthesis
# --record` writes them. Whoever changes what is made also changes the dataset's version.
DIGESTS = Path(__file__).parent / "synthesis" / "digests.json"
RECORDED: dict[str, dict[str, str]] = json.loads(DIGESTS.read_bytes())

MADE_UP_LICENCE = "CC0 1.0"
# What is painted with the template holds some of it.
PAINTED_LICENCE = "CC0 1.0 but for the template in it: free with the notice of its makers"
MADE_UP_CITATION = "Made by neuroprimer."
PAINTED_CITATION = (
    "Made by neuroprimer from the template of Fonov et al., NeuroImage 47 (2009) S102."
)

DATASETS = (
    Dataset(
        id="mni152-t1",
        title="ICBM 152 template, T1-weighted, skull-stripped, 1 mm",
        description="The average brain of 152 young adults, as nilearn ships it.",
        licence="free to use, copy and pass on with the notice of its makers, the International "
        "Consortium for Brain Mapping (ICBM)",
        citation="Fonov et al., NeuroImage 47 (2009) S102.",
        is_synthetic=False,
        size_mb=1.6,
    ),
    Dataset(
        id="example4d",
        title="Two volumes of a functional scan",
        description="Taken askew, with a slip in the header, as nibabel ships them for its tests.",
        licence="MIT",
        citation="The nibabel developers.",
        is_synthetic=False,
        size_mb=0.3,
    ),
    Dataset(
        id="localizer-t1",
        title="Synthetic T1-weighted head, 1 mm",
        description="A synthetic head: the brain of the template, made smaller, not quite "
        "symmetric and sharper, with fluid, skull, scalp and a capsule of oil on its right.",
        licence=PAINTED_LICENCE,
        citation=PAINTED_CITATION,
        is_synthetic=True,
        files=RECORDED["localizer-t1"],
        further=(VARIANTS["localizer-t1"],),
        size_mb=4.0,
    ),
    Dataset(
        id="localizer-bold",
        title="Synthetic functional run of a localizer, 128 volumes",
        description="A synthetic run with known drift, noise and responses to pictures, sentences "
        "and pressed buttons; with its events, the active regions and the truth.",
        licence=PAINTED_LICENCE,
        citation=PAINTED_CITATION,
        is_synthetic=True,
        files=RECORDED["localizer-bold"],
        further=(VARIANTS["localizer-bold"],),
        size_mb=21.8,
    ),
    Dataset(
        id="pain-maps",
        title="Synthetic maps of 28 people at three intensities of pain",
        description="84 synthetic maps with a known effect in seven regions, on nilearn's 2 mm "
        "grid and in its mask of 235,375 voxels. FSL's mask of 238,955 voxels is not used: its "
        "licence does not let it be passed on here.",
        licence=PAINTED_LICENCE,
        citation=PAINTED_CITATION,
        is_synthetic=True,
        files=RECORDED["pain-maps"],
        further=(VARIANTS["pain-maps"],),
        size_mb=27.3,
        version="2",
    ),
    Dataset(
        id="amygdala",
        title="Synthetic mask of both amygdalae, 2 mm",
        description="Two synthetic ellipsoids where the amygdalae lie in the template, on its "
        "2 mm grid. Nobody has drawn them on a brain.",
        licence=MADE_UP_LICENCE,
        citation=MADE_UP_CITATION,
        is_synthetic=True,
        files=RECORDED["amygdala"],
        further=(VARIANTS["amygdala"],),
        size_mb=0.1,
    ),
)

# The package that ships each file, and where in it the file lies.
FILES = {
    "mni152-t1": ("nilearn", "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"),
    "example4d": ("nibabel", "tests/data/example4d.nii.gz"),
}


def find_dataset_files(dataset: Dataset, folder: Path) -> Sequence[Path] | None:
    """Return the files of a dataset, made if need be, or None when it is not one of ours.

    Raises
    ------
    DatasetError
        If it cannot be made.
    """
    if dataset.id in RECORDED:
        make = make_apart(
            "neuroprimer_lessons.synthesis",
            dataset.id,
            problem=f"The dataset {dataset.id!r} could not be made",
            hint="Is there room on the disk, and 1 GB of memory?",
        )
        return keep_dataset(dataset, folder, make)
    file = find_dataset_file(dataset.id)
    return None if file is None else [file]


def find_dataset_file(dataset_id: str) -> Path | None:
    """Return the file of a dataset that a package ships, or None when there is none.

    The package that ships it is found but not imported: that would take seconds.
    """
    if dataset_id not in FILES:
        return None
    package, file = FILES[dataset_id]
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / file if folders else None
