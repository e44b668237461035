"""Times: what a header says about repetition, what a sidecar says, and which can be believed."""

import json
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.testing import data_path

from neuroprimer.imaging import (
    RepetitionTimeError,
    RepetitionTimeWarning,
    as_4d,
    find_sidecar,
    load_image,
    repetition_time_s,
)
from neuroprimer.imaging.files.times import (
    SECONDS_PER_UNIT,
    stored_time,
    write_repetition_time,
    write_time,
)

NIBABEL_DATA = Path(data_path)


def run_with_tr(stored: float, unit: str) -> nib.Nifti1Image:
    run = nib.Nifti1Image(np.zeros((2, 2, 2, 3), dtype=np.float32), np.eye(4))
    run.header.set_zooms((1, 1, 1, stored))
    run.header.set_xyzt_units("mm", unit)
    return run


def write_sidecar(folder: Path, content: object) -> Path:
    sidecar = folder / "run.json"
    sidecar.write_text(content if isinstance(content, str) else json.dumps(content))
    return sidecar


# --- header ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stored", "unit"), [(2.5, "sec"), (2500, "msec"), (2.5e6, "usec")])
def test_repetition_time_is_given_in_seconds_whatever_the_unit(stored, unit):
    assert repetition_time_s(run_with_tr(stored, unit)) == pytest.approx(2.5, rel=1e-6)


@given(tr_s=st.floats(0.05, 29), unit=st.sampled_from(sorted(SECONDS_PER_UNIT)))
def test_written_time_is_read_again(tr_s, unit):
    run = run_with_tr(0, "unknown")

    write_time(run.header, tr_s / SECONDS_PER_UNIT[unit], unit)

    assert repetition_time_s(run) == pytest.approx(tr_s, rel=1e-6)
    assert run.header.get_xyzt_units() == ("mm", unit)


def test_header_that_lies_about_its_unit_is_not_believed():
    run = load_image(NIBABEL_DATA / "example4d.nii.gz")

    with pytest.raises(RepetitionTimeError, match=r"2000 s cannot be right.*'sec'") as caught:
        repetition_time_s(run)
    assert "unit='msec'" in caught.value.hint
    assert repetition_time_s(run, unit="msec") == 2.0


@pytest.mark.parametrize("stored", [0, float("nan"), float("inf"), 31, 0.001])
def test_impossible_repetition_time_is_refused(stored):
    with pytest.raises(RepetitionTimeError, match="cannot be right"):
        repetition_time_s(run_with_tr(stored, "sec"))


@pytest.mark.parametrize(("unit", "said"), [("unknown", None), ("sec", "s"), ("sec", "hours")])
def test_unit_of_time_must_be_known(unit, said):
    with pytest.raises(RepetitionTimeError, match="is not a unit of time; expected one of sec"):
        repetition_time_s(run_with_tr(2, unit), unit=said)


def test_unit_that_the_format_does_not_know_is_unknown():
    run = run_with_tr(2, "sec")
    run.header["xyzt_units"] = 7

    with pytest.raises(RepetitionTimeError, match="'unknown' is not a unit"):
        repetition_time_s(run)
    assert repetition_time_s(run, unit="sec") == 2


@pytest.mark.parametrize("name", ["anatomical.nii", "tiny.mnc"])
def test_image_without_time_has_no_repetition_time(name):
    with pytest.raises(RepetitionTimeError, match="no time axis"):
        repetition_time_s(load_image(NIBABEL_DATA / name))


@pytest.mark.parametrize("image", ["run.nii", None, np.zeros((2, 2, 2, 5))])
def test_what_is_no_image_has_no_repetition_time(image):
    with pytest.raises(RepetitionTimeError, match="expected an image"):
        repetition_time_s(image)


def test_freesurfer_counts_in_milliseconds():
    run = nib.MGHImage(np.zeros((2, 2, 2, 3), np.float32), np.eye(4))

    write_repetition_time(run.header, 2.4)

    assert run.header.get_zooms()[3] == pytest.approx(2400)
    assert repetition_time_s(run) == pytest.approx(2.4)


@pytest.mark.parametrize("stored", [0, float("nan")])
def test_step_that_is_none_is_not_stored(stored):
    assert stored_time(run_with_tr(stored, "sec").header) is None
    assert stored_time(load_image(NIBABEL_DATA / "anatomical.nii").header) is None


def test_volume_of_freesurfer_has_no_place_for_a_time():
    volume = nib.MGHImage(np.zeros((2, 2, 2), np.float32), np.eye(4))

    write_time(volume.header, 2, "sec")

    assert len(volume.header.get_zooms()) == 3


def test_run_of_one_freesurfer_volume_has_no_time():
    volume = as_4d(nib.MGHImage(np.zeros((2, 2, 2), np.float32), np.eye(4)))

    with pytest.raises(RepetitionTimeError, match="0 s cannot be right"):
        repetition_time_s(volume)


def test_unit_of_space_is_kept_when_time_is_written():
    run = run_with_tr(2, "sec")
    run.header.set_xyzt_units("micron", "sec")

    write_time(run.header, 2, "msec")

    assert run.header.get_xyzt_units() == ("micron", "msec")


def test_analyze_and_afni_name_no_unit():
    old = nib.AnalyzeImage(np.zeros((2, 2, 2, 3), np.int16), np.eye(4))
    old.header.set_zooms((1, 1, 1, 2))

    assert stored_time(old.header) == (2, "unknown")
    assert repetition_time_s(old, unit="sec") == 2
    with pytest.raises(RepetitionTimeError, match="not a unit of time"):
        repetition_time_s(old)
    with pytest.raises(RepetitionTimeError, match="0 s cannot be right"):
        repetition_time_s(load_image(NIBABEL_DATA / "scaled+tlrc.HEAD"), unit="sec")


# --- sidecar --------------------------------------------------------------------------------------


def test_sidecar_that_agrees_is_taken_without_a_word(tmp_path):
    sidecar = write_sidecar(tmp_path, {"RepetitionTime": 2.4000001})

    assert repetition_time_s(run_with_tr(2.4, "sec"), sidecar=sidecar) == 2.4000001
    assert repetition_time_s(run_with_tr(2400, "msec"), sidecar=str(sidecar)) == 2.4000001


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (run_with_tr(2, "sec"), "the header 2 s"),
        (run_with_tr(2.4012, "sec"), r"the header 2\.4012 s"),
        (run_with_tr(0, "sec"), "the header something unbelievable .*cannot be right"),
        (run_with_tr(2.4, "unknown"), "the header something unbelievable .*not a unit"),
    ],
)
def test_sidecar_is_taken_with_a_warning_where_the_header_differs(tmp_path, run, says):
    sidecar = write_sidecar(tmp_path, {"RepetitionTime": 2.4})

    with pytest.warns(RepetitionTimeWarning, match=f"sidecar says 2.4 s, {says}") as told:
        tr_s = repetition_time_s(run, sidecar=sidecar)

    assert tr_s == 2.4
    assert told[0].filename == __file__


@pytest.mark.parametrize("content", [{}, {"RepetitionTime": None}, {"EchoTime": 0.03}])
def test_sidecar_without_a_time_leaves_it_to_the_header(tmp_path, content):
    sidecar = write_sidecar(tmp_path, content)

    assert repetition_time_s(run_with_tr(2400, "msec"), sidecar=sidecar) == pytest.approx(2.4)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "Cannot read the repetition time"),
        ("", "Cannot read the repetition time"),
        ([2.4], "holds a list"),
        ({"RepetitionTime": "two"}, "could not convert"),
        ({"RepetitionTime": [2.4]}, "Cannot read"),
        ({"RepetitionTime": True}, "True is no time"),
        ("[" * 100_000, "Cannot read"),
        ('{"RepetitionTime": ' + "9" * 400 + "}", "Cannot read"),
        ({"RepetitionTime": 2400}, "2400 s cannot be right: run.json says so"),
        ('{"RepetitionTime": NaN}', "nan s cannot be right"),
    ],
)
def test_broken_sidecar_is_refused_in_words(tmp_path, content, says):
    sidecar = write_sidecar(tmp_path, content)

    with pytest.raises(RepetitionTimeError, match=says) as caught:
        repetition_time_s(run_with_tr(2.4, "sec"), sidecar=sidecar)
    assert caught.value.hint


def test_sidecar_of_other_bytes_than_text_is_refused(tmp_path):
    (tmp_path / "run.json").write_bytes(b"\xff\xfe\0")

    with pytest.raises(RepetitionTimeError, match="Cannot read"):
        repetition_time_s(run_with_tr(2.4, "sec"), sidecar=tmp_path / "run.json")


def test_sidecar_written_on_windows_is_read(tmp_path):
    (tmp_path / "run.json").write_text('{"RepetitionTime": 2.4}', encoding="utf-8-sig")

    assert repetition_time_s(run_with_tr(2.4, "sec"), sidecar=tmp_path / "run.json") == 2.4


@pytest.mark.parametrize("sidecar", ["gone.json", 3, "a\0b.json", "."])
def test_sidecar_that_is_not_there_is_refused(sidecar):
    with pytest.raises(RepetitionTimeError, match="Cannot read") as caught:
        repetition_time_s(run_with_tr(2.4, "sec"), sidecar=sidecar)
    assert '"RepetitionTime": 2.4' in caught.value.hint


def test_pipe_is_no_sidecar(tmp_path):
    os.mkfifo(tmp_path / "run.json")

    with pytest.raises(RepetitionTimeError, match="it is no file"):
        repetition_time_s(run_with_tr(2.4, "sec"), sidecar=tmp_path / "run.json")


@pytest.mark.parametrize(
    ("name", "sidecar"),
    [
        ("sub-01_bold.nii", "sub-01_bold.json"),
        ("sub-01_bold.nii.gz", "sub-01_bold.json"),
        ("SUB.NII.GZ", "SUB.json"),
        ("run.v2.nii.gz", "run.v2.json"),
        ("run.mgz", "run.json"),
        ("run.img", "run.json"),
        ("run.img.gz", "run.json"),
        ("run.nii.bz2", "run.json"),
    ],
)
def test_sidecar_stands_beside_the_file(tmp_path, name, sidecar):
    image = run_with_tr(2.4, "sec")
    if "mgz" in name:
        image = nib.MGHImage(np.zeros((2, 2, 2), np.float32), np.eye(4))
    elif "img" in name:
        image = nib.Nifti1Pair(np.zeros((2, 2, 2), np.float32), np.eye(4))
    nib.save(image, tmp_path / name)

    assert find_sidecar(load_image(tmp_path / name)) is None

    (tmp_path / sidecar).write_text("{}")

    assert find_sidecar(load_image(tmp_path / name)) == tmp_path / sidecar


def test_image_in_memory_has_no_sidecar():
    assert find_sidecar(run_with_tr(2.4, "sec")) is None


def test_sidecar_of_a_dataset_leads_to_its_time(tmp_path):
    shutil.copy(NIBABEL_DATA / "example4d.nii.gz", tmp_path / "run.nii.gz")
    write_sidecar(tmp_path, {"RepetitionTime": 2.0})
    run = load_image(tmp_path / "run.nii.gz")

    with pytest.warns(RepetitionTimeWarning, match="unbelievable"):
        tr_s = repetition_time_s(as_4d(run), sidecar=find_sidecar(run))

    assert tr_s == 2
