"""The lesson on tables of images: what its prose says of the maps is so."""

import json

import numpy as np
import pandas as pd
import pytest

import neuroprimer
from neuroprimer.imaging import BrainData, smooth, voxel_to_world


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("brain-data")


@pytest.fixture(scope="module")
def table(lesson):
    return pd.read_csv(lesson.data("pain-maps", "metadata.csv"))


@pytest.fixture(scope="module")
def maps(lesson, table):
    known = table.head(12)
    files = [lesson.data("pain-maps", name) for name in known["file"]]
    return BrainData(files, lesson.data("pain-maps", "brain_mask.nii.gz"), X=known)


def test_four_people_have_three_maps_each(table, maps):
    assert (len(table), table["subject"].nunique()) == (84, 28)
    assert maps.X["subject"].value_counts().tolist() == [3, 3, 3, 3]
    assert maps.X["intensity"].tolist() == ["low", "medium", "high"] * 4


def test_mask_holds_as_many_voxels_as_the_prose_says(maps):
    assert maps.shape == (12, 235375)


def test_map_without_a_mask_misses_voxels_of_the_brain(lesson, maps):
    alone = BrainData(lesson.data("pain-maps", maps.X["file"][0]))

    assert alone.shape[1] < maps.shape[1]


def test_line_in_the_picture_is_one_piece_of_the_table(maps):
    inside = np.asanyarray(maps.mask.dataobj) == 1
    column_of = np.cumsum(inside).reshape(inside.shape) - 1
    line = np.flatnonzero(inside[30, 71])
    columns = column_of[30, 71, line]

    assert len(line) > 20
    assert (np.diff(columns) == 1).all()
    assert (maps.data[0, columns] == maps[0].to_image().get_fdata()[30, 71, line]).all()


def test_rows_of_high_heat_keep_the_names_in_the_prose(maps):
    high = maps[maps.X["intensity"] == "high"]

    assert high.X.index[:3].tolist() == [2, 5, 8]


def test_peak_of_high_heat_lies_in_a_region_that_responds(lesson, maps):
    image = maps[maps.X["intensity"] == "high"].pipe(smooth, fwhm_mm=8).mean().to_image()
    voxels = image.get_fdata()
    peak_mm = voxel_to_world(image.affine, np.unravel_index(np.argmax(voxels), voxels.shape))
    regions = json.loads(lesson.data("pain-maps", "truth.json").read_text())["regions"]
    away_mm = [np.linalg.norm(peak_mm - region["centre_mm"]) for region in regions]
    nearest = int(np.argmin(away_mm))

    assert away_mm[nearest] < regions[nearest]["radius_mm"]
