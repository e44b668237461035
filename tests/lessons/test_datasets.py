"""The course's datasets: the same everywhere, described honestly, and made without haste."""

import json
import os
import subprocess
import sys

import pytest

from neuroprimer.teaching import content_digest, dataset_files, load_catalogue
from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer_lessons import datasets as course_data
from neuroprimer_lessons.datasets import DATASETS, RECORDED

SYNTHETIC = [one for one in DATASETS if one.files]


@pytest.mark.parametrize("dataset", ["localizer-t1", "amygdala"])
def test_what_is_made_is_what_was_recorded_also_with_other_code_paths(dataset, tmp_path):
    """numpy without the fast instructions of this processor stands for another processor."""
    # numpy tells in no public place what it can do without.
    from numpy._core._multiarray_umath import __cpu_dispatch__ as fast

    done = subprocess.run(
        [sys.executable, "-m", "neuroprimer_lessons.synthesis", dataset, str(tmp_path)],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(fast)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    made = {file.name: content_digest(file) for file in sorted(tmp_path.iterdir())}
    assert made == RECORDED[dataset]


def test_synthetic_data_say_so_wherever_they_are_named():
    assert {one.id for one in SYNTHETIC} == set(RECORDED)
    for one in SYNTHETIC:
        assert one.is_synthetic
        assert "synthetic" in one.title.lower()
        assert "synthetic" in one.description.lower()


def test_no_file_is_larger_than_is_said_and_all_have_room_in_60_mb():
    catalogue = load_catalogue()
    total = 0.0
    for one in catalogue.datasets.values():
        if not one.is_synthetic:
            continue
        files = dataset_files(catalogue, one)
        size_mb = sum(file.stat().st_size for file in files) / 1e6
        assert size_mb == pytest.approx(one.size_mb, abs=0.15 + 0.02 * one.size_mb), one.id
        total += size_mb
    assert total < 60


def test_lessons_get_the_data_without_loading_what_made_them():
    code = (
        "import sys, neuroprimer.teaching as t; c = t.load_catalogue(); "
        "print(t.dataset_files(c, c.datasets['amygdala'])[0].name, "
        "{'numpy', 'scipy', 'nibabel'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["amygdala_mask.nii.gz", "set()"]


def test_failure_of_the_synthesis_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(DatasetError, match="could not be made: it was stopped"):
        course_data.find_dataset_files(SYNTHETIC[0], tmp_path)


def test_fsl_is_not_among_what_is_passed_on():
    (pain,) = (one for one in DATASETS if one.id == "pain-maps")

    assert "licence" in pain.description
    assert "238,955" in pain.description
    assert len([name for name in pain.files if "_pain-" in name]) == 84
    assert json.dumps(RECORDED).count("MNI152_T1_2mm") == 0
