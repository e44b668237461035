"""What is said of affines that are known, and that it is true of any."""

import itertools
import re
from functools import reduce
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex2mathml.converter import convert
from nibabel import affines as nibabel_affines
from nibabel.testing import data_path
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import AffineError, axis_codes, voxel_to_world
from neuroprimer.imaging.space.affine_parts import compose
from neuroprimer.imaging.space.explaining import explain
from neuroprimer.imaging.space.rotations import rotation

LAS = nibabel_affines.from_matvec(np.diag([-2, 2, 2]), (90, -126, -72))
TILTED = compose(
    rotation=rotation("x", np.pi / 6), zooms=(2, 2, 3), translation_mm=(-90, 126, 72.5)
)
SAGITTAL = nibabel_affines.from_matvec([[0, 0, 2], [-1, 0, 0], [0, 1, 0]])  # PSR
SHEARED = compose(shears=(0.1, 0, 0.25), zooms=(1, 2, 4))
OBLIQUE = nib.load(Path(data_path) / "example4d.nii.gz").affine

coordinates = st.floats(-300, 300)
triples = st.tuples(coordinates, coordinates, coordinates)
turns = st.builds(
    rotation,
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1),
    st.floats(-np.pi, np.pi),
)
affines = st.builds(
    lambda turn, zooms, sign, shears, offset_mm: compose(
        rotation=turn,
        zooms=np.multiply(zooms, (sign, 1, 1)),
        shears=shears,
        translation_mm=offset_mm,
    ),
    turns,
    st.tuples(*[st.floats(0.2, 10)] * 3),
    st.sampled_from([-1, 1]),
    st.one_of(st.just((0, 0, 0)), st.tuples(*[st.floats(-0.5, 0.5)] * 3)),
    triples,
)


def step_words(affine, name: str) -> str:
    """Return what is said of one step; there must be exactly one."""
    (words,) = [step.words for step in explain(affine).steps if step.name == name]
    return words


@given(affine=affines)
def test_steps_from_right_to_left_multiply_to_the_affine(affine):
    product = reduce(lambda done, step: step.matrix @ done, explain(affine).steps, np.eye(4))

    assert_allclose(product, affine, rtol=0, atol=1e-11)


@given(affine=affines)
def test_steps_come_in_the_order_in_which_they_act(affine):
    names = [step.name for step in explain(affine).steps]

    assert names == [name for name in ("shear", "zoom", "rotation", "translation") if name in names]


def test_identity_changes_nothing():
    explanation = explain(np.eye(4))

    assert explanation.steps == ()
    assert explanation.words.startswith("This affine changes nothing")
    assert "axis codes RAS" in explanation.words
    assert "nothing is mirrored" in explanation.words


def test_steps_that_do_nothing_are_left_out():
    words = explain(LAS).words

    assert "2 steps" in words
    assert [step.name for step in explain(LAS).steps] == ["zoom", "translation"]
    assert "Shear" not in words
    assert "Rotation" not in words


def test_one_step_is_not_called_steps():
    assert "in one step:" in explain(np.diag([2, 2, 2, 1])).words


def test_las_image_of_2_mm():
    words = explain(LAS).words

    assert "one step along i, j, k becomes 2, 2, 2 mm, and i is mirrored" in words
    assert "shifted 90 mm to the right, 126 mm to the back, 72 mm down" in words
    assert "Voxel (0, 0, 0) lands at (90, -126, -72) mm." in words
    assert "2, 2, 2 mm apart along i, j, k" in words
    assert "i grows towards the left, j towards the front, k towards the top" in words
    assert "axis codes LAS" in words
    assert "Along i, the first voxel is the one furthest to the right." in words
    assert "left-handed" in words
    assert "exactly along the axes of the world" in words
    assert "about" not in words


def test_shift_to_the_other_sides():
    words = step_words(nibabel_affines.from_matvec(np.eye(3), (-1, 2, 3)), "translation")

    assert (
        words == "Translation: everything is shifted 1 mm to the left, 2 mm to the front, 3 mm up."
    )


def test_sides_without_a_shift_are_left_out():
    words = step_words(nibabel_affines.from_matvec(np.eye(3), (0, 0, -1.5)), "translation")

    assert words == "Translation: everything is shifted 1.5 mm down."


def test_tilted_image():
    words = explain(TILTED).words

    assert "turned by 30 degrees round the x axis, front towards top" in words
    assert "tilted by about 0, 30, 30 degrees" in words
    assert "the image is oblique" in words
    assert "To the nearest side, i grows towards the right" in words
    assert "nothing is mirrored" in words
    assert "Along i, the first voxel is the one furthest to the left." in words


@pytest.mark.parametrize(
    ("axis", "sign", "start", "words"),
    [
        ("x", 1, "front", "front towards top"),
        ("x", -1, "top", "top towards front"),
        ("y", 1, "top", "top towards right"),
        ("y", -1, "right", "right towards top"),
        ("z", 1, "right", "right towards front"),
        ("z", -1, "front", "front towards right"),
    ],
)
def test_sense_of_a_turn_is_told_by_what_it_takes_where(axis, sign, start, words):
    sides = {"right": (1, 0, 0), "front": (0, 1, 0), "top": (0, 0, 1)}
    turn = rotation(axis, sign * np.pi / 3)

    assert f"turned by 60 degrees round the {axis} axis, {words}" in step_words(turn, "rotation")
    assert voxel_to_world(turn, sides[start]) @ sides[words.split()[-1]] > 0.5


def test_half_turn_has_no_sense():
    words = step_words(np.diag([-1, -1, 1, 1]), "rotation")

    assert words == "Rotation: everything is turned by 180 degrees round the z axis."


def test_turn_about_any_axis():
    words = step_words(rotation((0, 3, 4), 0.5), "rotation")

    assert "turned by about 28.65 degrees round an axis that points along (0, 0.6, 0.8)" in words
    assert "anticlockwise" in words


def test_nearly_straight_axis_says_how_nearly():
    words = step_words(rotation((1, 1e-7, 0), 0.5), "rotation")

    assert "round the x axis, which is off by 1e-07 at most, front towards top" in words


def test_permuted_image():
    words = explain(SAGITTAL).words

    assert "axis codes PSR" in words
    assert "i grows towards the back, j towards the top, k towards the right" in words
    assert "Along k, the first voxel is the one furthest to the left." in words
    assert "left-handed" in words
    assert "exactly along the axes of the world" in words
    assert "1, 1, 2 mm apart" in words


def test_sheared_image():
    words = explain(SHEARED).words

    assert "one step along j goes 0.1 voxels along i as well" in words
    assert "one step along k goes 0.25 voxels along j as well" in words
    assert "along k goes 0.25 voxels along i" not in words
    assert "not at right angles" in words
    # the zoom along j is 2 mm, but neighbours along j lie further apart: (0.1, 2, 0) mm
    assert "about 1, 2.002, 4.031 mm apart" in words


def test_real_oblique_run():
    words = explain(OBLIQUE).words

    assert "axis codes LAS" in words
    assert "about 2, 2, 2.2 mm apart" in words
    assert "turned by about 9.3 degrees round the x axis, front towards top" in words
    assert "Shear: about 1.233e-09 at most, as little as headers round off." in words
    assert "not at right angles" not in words


def test_nearly_straight_image_says_so():
    affine = np.eye(4)
    affine[0, 1] = 1e-8

    assert "but for what headers round off" in explain(affine).words


@given(affine=affines)
def test_rounded_numbers_are_called_so(affine):
    """Every number in the words is the true one, or stands behind an "about"."""
    words = explain(affine).facts[0]

    said = np.array(re.findall(r"-?\d[\d.e+-]*", words.split("lands at")[1]), dtype=float)
    assert_allclose(said, affine[:3, 3], rtol=1e-3, atol=1e-13)
    if "about" not in words:
        assert_allclose(said, affine[:3, 3], rtol=1e-12, atol=1e-14)


@given(affine=affines)
def test_mirroring_is_told_by_the_determinant(affine):
    words = explain(affine).words

    mirrors = np.linalg.det(affine[:3, :3]) < 0
    assert ("left-handed" in words) == mirrors
    assert ("nothing is mirrored" in words) == (not mirrors)


@given(affine=affines)
def test_side_of_the_first_voxel_is_true(affine):
    axis, side = re.search(r"Along (\w), .* furthest to the (\w+)", explain(affine).words).groups()
    last = np.eye(3)["ijk".index(axis)]

    first_x, last_x = voxel_to_world(affine, [(0, 0, 0), last])[:, 0]
    assert (side == "right") == (first_x > last_x)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("flips", list(itertools.product((-1, 1), repeat=3)), ids=str)
def test_every_storage_order_is_named_and_straight(axes, flips):
    affine = np.eye(4)
    affine[:3, :3] = np.diag(flips)[:, axes]

    words = explain(affine).words

    assert f"axis codes {''.join(axis_codes(affine))}." in words
    assert "exactly along the axes of the world" in words
    assert "about" not in words.replace("points along about", "")


@given(affine=affines)
def test_formula_becomes_mathml_with_a_matrix_for_each_step(affine):
    explanation = explain(affine)

    mathml = ET.fromstring(convert(explanation.latex))  # noqa: S314 - made just above

    rows = mathml.findall(".//{*}mtr")
    assert len(rows) == 2 + 4 * (1 + len(explanation.steps))
    assert "\\" not in "".join(mathml.itertext())
    assert [text.text for text in mathml.findall(".//{*}mtext")] == [
        step.name for step in reversed(explanation.steps)
    ]


def test_formula_says_whether_it_is_exact():
    assert r"\approx" not in explain(LAS).latex
    assert explain(OBLIQUE).latex.count(r"\approx") == 2


def test_formula_of_the_identity_is_one_matrix():
    assert explain(np.eye(4)).latex.count("bmatrix") == 2


def test_powers_of_ten_are_set_as_such():
    assert r"1 \cdot 10^{-7}" in explain(np.diag([1e-7, 1, 1, 1])).latex


def test_table_shows_each_step_and_the_affine():
    assert explain(LAS).table().splitlines() == [
        "step         matrix",
        "-----------  ----------",
        "zoom         -2  0  0  0",
        "              0  2  0  0",
        "              0  0  2  0",
        "              0  0  0  1",
        "translation  1  0  0    90",
        "             0  1  0  -126",
        "             0  0  1   -72",
        "             0  0  0     1",
        "affine       -2  0  0    90",
        "              0  2  0  -126",
        "              0  0  2   -72",
        "              0  0  0     1",
    ]


def test_terminal_shows_words_and_table_within_its_width():
    explanation = explain(OBLIQUE)

    assert explanation.table() in repr(explanation)
    assert explanation.words.split() == repr(explanation).split()[: len(explanation.words.split())]
    assert max(map(len, repr(explanation).splitlines())) <= 79


class Outline(HTMLParser):
    """Collect what a reader of the page meets."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.found.append((tag, dict(attrs).get("scope")))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_notebook_shows_a_table_with_headings_and_caption():
    outline = Outline()

    outline.feed(explain(OBLIQUE)._repr_html_())

    assert outline.open == []
    assert outline.found.count(("caption", None)) == 1
    assert outline.found.count(("th", "col")) == 3
    assert outline.found.count(("th", "row")) == 5
    assert outline.found.count(("li", None)) == len(explain(OBLIQUE).facts)


def test_notebook_shows_what_the_words_say():
    explanation = explain(OBLIQUE)
    html = explanation._repr_html_()

    assert all(fact in html for fact in explanation.facts)
    assert all(step.words in html for step in explanation.steps)


def test_formula_for_notebooks_is_displayed():
    explanation = explain(LAS)

    assert explanation._repr_latex_() == f"$${explanation.latex}$$"


def test_explanation_does_not_follow_later_changes():
    affine = LAS.copy()
    explanation = explain(affine)

    affine[0, 3] = 0

    assert_array_equal(explanation.affine, LAS)


@pytest.mark.parametrize(
    ("affine", "words"),
    [(np.eye(3), "shape"), (np.diag([1, 0, 1, 1]), "cannot be inverted"), (None, "real numbers")],
)
def test_what_is_no_affine_cannot_be_explained(affine, words):
    with pytest.raises(AffineError, match=words):
        explain(affine)
