"""Making the files of one dataset, in a process of its own: ``python -m ... DATASET FOLDER``."""

import json
import sys
import tempfile
from pathlib import Path

from neuroprimer.teaching import content_digest
from neuroprimer_lessons.datasets import DIGESTS
from neuroprimer_lessons.synthesis.amygdala import make_amygdala
from neuroprimer_lessons.synthesis.bold import make_bold
from neuroprimer_lessons.synthesis.head import make_head_t1
from neuroprimer_lessons.synthesis.pain import make_pain_maps

MAKERS = {
    "localizer-t1": make_head_t1,
    "localizer-bold": make_bold,
    "pain-maps": make_pain_maps,
    "amygdala": make_amygdala,
}


def record_digests() -> None:
    """Make all datasets and write down their digests; for those who change the synthesis."""
    recorded = {}
    for dataset_id, make in MAKERS.items():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            files = sorted(Path(folder).iterdir())
            recorded[dataset_id] = {file.name: content_digest(file) for file in files}
            size_mb = sum(file.stat().st_size for file in files) / 1e6
            print(f"{dataset_id}: {size_mb:.1f} MB")  # noqa: T201  for size_mb of the dataset
    DIGESTS.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record_digests()
    else:
        dataset_id, folder = sys.argv[1:]
        MAKERS[dataset_id](Path(folder))
