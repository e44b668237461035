"""Pictures: what stands where on a figure, and that it shows when it should."""

import itertools
import pickle
import re
import subprocess
import sys

import matplotlib as mpl
import nbformat
import nibabel as nib
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from nbclient import NotebookClient
from nibabel.testing import data_path
from numpy.testing import assert_allclose, assert_array_equal

from neuroprimer.imaging import sphere, voxel_to_world
from neuroprimer.imaging.phantoms import REGIONS, make_head, make_labels, make_maps, make_run
from neuroprimer.imaging.pictures.colours import OKABE_ITO
from neuroprimer.imaging.pictures.plotting import plot_montage, plot_slices, view
from neuroprimer.imaging.pictures.slices import PictureError

SPOT_MM = REGIONS["spot_right"].centre_mm
SMALL = {"shape": (20, 24, 20), "voxel_mm": 8}
ALL_CODES = [
    "".join(letters)
    for pairs in itertools.permutations(["RL", "AP", "SI"])
    for letters in itertools.product(*pairs)
]


def place_on_paper(axes, xy_mm):
    """Return where a point of a slice is drawn, as parts of the axes from the left and below."""
    return axes.transAxes.inverted().transform(axes.transData.transform(xy_mm))


def spot_on_paper(axes):
    """Return where the brightest part of what is drawn lies, as parts of the axes."""
    [picture] = axes.images
    values = picture.get_array()
    left, right, bottom, top = picture.get_extent()
    row, column = np.argwhere(values > 850).mean(axis=0) + 0.5
    rows, columns = values.shape
    return place_on_paper(
        axes, (left + column / columns * (right - left), bottom + row / rows * (top - bottom))
    )


def letters(axes):
    """Return the letters at the left, right, lower and upper edge."""
    placed = {text.get_position(): text.get_text() for text in axes.texts}
    return "".join(placed[place] for place in [(0.02, 0.5), (0.98, 0.5), (0.5, 0.02), (0.5, 0.98)])


def image_of(voxels, affine=None):
    return nib.Nifti1Image(np.asarray(voxels), np.eye(4) if affine is None else affine)


# ---- where things stand


@pytest.mark.parametrize(("number", "axis_codes"), list(enumerate(ALL_CODES)))
def test_spot_on_the_right_is_drawn_beside_the_letter_r_in_every_storage_order(number, axis_codes):
    convention = ["neurological", "radiological"][number % 2]  # 24 orders each
    head = make_head(axis_codes=axis_codes, **SMALL)
    figure = plot_slices(head, at_mm=SPOT_MM, convention=convention)
    sagittal, coronal, axial = figure.axes[:3]

    r_is_right = convention == "neurological"
    assert letters(axial) == ("LRPA" if r_is_right else "RLPA")
    assert letters(coronal) == ("LRIS" if r_is_right else "RLIS")
    assert letters(sagittal) == "PAIS"
    for axes in (axial, coronal):
        x, y = spot_on_paper(axes)
        assert (x > 0.6) == r_is_right
        assert (x < 0.4) != r_is_right
        assert y > 0.55  # it also lies in front and above
    assert spot_on_paper(sagittal)[0] > 0.55


@pytest.mark.parametrize("axis_codes", ["RAS", "LPS", "PIR", "SLA"])
@pytest.mark.parametrize("convention", ["neurological", "radiological"])
def test_ink_of_the_spot_is_where_it_belongs(axis_codes, convention):
    head = make_head(axis_codes=axis_codes)
    figure = plot_slices(head, at_mm=SPOT_MM, convention=convention, vmin=0, vmax=1000)
    for axes in figure.axes[:3]:
        for other in [*axes.texts, *axes.lines]:
            other.remove()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ink = np.asarray(canvas.buffer_rgba())[::-1, :, 0]  # from the lowest row to the highest

    for plane, axes in enumerate(figure.axes[:3]):
        across, up = [(1, 2), (0, 2), (0, 1)][plane]
        box = axes.get_window_extent()
        panel = ink[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)]
        row, column = np.argwhere(panel > 240).mean(axis=0) / panel.shape
        expected = place_on_paper(axes, (SPOT_MM[across], SPOT_MM[up]))
        assert_allclose((column, row), expected, rtol=0, atol=0.02)
    assert (expected[0] > 0.6) == (convention == "neurological")


@pytest.mark.parametrize("plane", ["axial", "coronal"])
@pytest.mark.parametrize("convention", ["neurological", "radiological"])
def test_montage_says_where_left_and_right_are(plane, convention):
    at_mm = {"axial": SPOT_MM[2], "coronal": SPOT_MM[1]}[plane]

    figure = plot_montage(
        make_head(axis_codes="LPS"), plane=plane, at_mm=at_mm, convention=convention
    )

    axes = figure.axes[0]
    r_is_right = convention == "neurological"
    assert letters(axes)[:2] == ("LR" if r_is_right else "RL")
    assert (spot_on_paper(axes)[0] > 0.6) == r_is_right


def test_ticks_are_the_world_coordinates_of_the_voxels_below_them():
    head = make_head(axis_codes="PIL", **SMALL)
    voxels = head.get_fdata()
    figure = plot_slices(head, at_mm=(28, 20, 28))
    axes = figure.axes[2]
    picture = axes.images[0]
    left, right, bottom, top = picture.get_extent()
    rows, columns = picture.get_array().shape

    ijk = np.stack(np.indices(head.shape), axis=-1).reshape(-1, 3)
    xyz = voxel_to_world(head.affine, ijk)
    on_plane = np.isclose(xyz[:, 2], 28)

    column = (xyz[on_plane, 0] - left) / (right - left) * columns - 0.5
    row = (xyz[on_plane, 1] - bottom) / (top - bottom) * rows - 0.5
    drawn = picture.get_array()[np.rint(row).astype(int), np.rint(column).astype(int)]
    assert_allclose(drawn, voxels[tuple(ijk[on_plane].T)], rtol=0, atol=1e-9)
    assert [axes.get_xlabel(), axes.get_ylabel()] == ["x (mm)", "y (mm)"]
    assert {tick.get_text() for tick in axes.get_xticklabels()} >= {"0"}


def test_slices_go_through_the_point_and_say_so():
    figure = plot_slices(make_head(), at_mm=(34, -22.5, 26))

    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles == ["x = 34 mm", "y = \N{MINUS SIGN}22.5 mm", "z = 26 mm"]
    for axes, cross in zip(figure.axes, [(-22.5, 26), (34, 26), (34, -22.5)], strict=False):
        upright, level = axes.lines
        assert (upright.get_xdata()[0], level.get_ydata()[0]) == cross


@pytest.mark.parametrize(
    "image",
    [
        make_head(voxel_mm=(2, 4, 8), shape=(80, 48, 20), axis_codes="SRP"),
        make_head(tilt_rad=0.5),
        image_of(np.random.default_rng(0).normal(size=(64, 64, 3)), np.diag([3, 3, 4, 1])),
        nib.load(data_path / "anatomical.nii"),
    ],
    ids=["anisotropic", "oblique", "slab", "scanned"],
)
def test_a_millimetre_is_equally_long_in_all_directions_and_slices(image):
    figure = plot_slices(image)

    lengths = []
    for axes in figure.axes[:3]:
        corner = axes.transData.transform((0, 0))
        lengths += list(np.abs(axes.transData.transform((1, 1)) - corner))
    assert_allclose(lengths, lengths[0], rtol=1e-9)


@pytest.mark.parametrize("draw", [plot_slices, plot_montage])
@pytest.mark.parametrize(
    "image",
    [
        make_head(),
        make_head(tilt_rad=0.6),
        image_of(np.zeros((64, 64, 1)), np.diag([3, 3, 4, 1])),
        image_of(np.ones((2, 90, 90), np.uint8)),
        nib.load(data_path / "example4d.nii.gz").slicer[..., 0],
    ],
    ids=["head", "oblique", "slice", "sheet", "scanned"],
)
def test_no_text_leaves_the_figure_or_meets_other_text(draw, image):
    assert_text_is_apart(draw(image, title="A title"))


def test_no_text_of_a_montage_with_rows_meets_other_text():
    maps = make_maps(3, shape=(20, 24, 9))

    for plane in ("axial", "coronal", "sagittal"):
        assert_text_is_apart(plot_montage(maps, plane=plane, row_titles=["sub-01 at rest"] * 3))
    assert_text_is_apart(plot_montage(maps, at_mm=[-30.5, -20.5, -10.5, 0, 9.25, 20.5, 30.5]))


def assert_text_is_apart(figure):
    figure.draw_without_rendering()
    texts = [*figure.texts, *(text for axes in figure.axes for text in texts_of(axes))]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    paper = figure.bbox
    for box in boxes:
        assert paper.x0 <= box.x0
        assert box.x1 <= paper.x1
        assert paper.y0 <= box.y0
        assert box.y1 <= paper.y1
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert not one.padded(-1).overlaps(other.padded(-1))


def texts_of(axes):
    ticks = [
        label
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if label.get_visible()
        and axis.get_view_interval().min() <= tick.get_loc() <= axis.get_view_interval().max()
    ]
    return [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts, *ticks]


# ---- what is drawn


def test_overlay_lies_where_it_lies_in_the_world():
    labels = make_labels(shape=(40, 48, 40), axis_codes="IRP")
    figure = plot_slices(make_head(axis_codes="LAS", **SMALL), overlay=labels, at_mm=SPOT_MM)

    [below, on_top] = figure.axes[2].images
    values = on_top.get_array()
    left, right, bottom, top = on_top.get_extent()
    row, column = np.argwhere(values == 4).mean(axis=0) + 0.5

    assert below.get_extent() == [-80, 80, -96, 96]
    assert_allclose(
        [
            left + column * (right - left) / values.shape[1],
            bottom + row * (top - bottom) / values.shape[0],
        ],
        SPOT_MM[:2],
        rtol=0,
        atol=1e-9,
    )
    assert set(np.unique(values.compressed())) == {3, 4}  # zeros are not drawn


def test_overlay_is_drawn_where_it_reaches_the_threshold():
    stat_map = make_maps(1, effect=4)[0]

    figure = plot_slices(make_head(), overlay=stat_map, threshold=2.5, at_mm=SPOT_MM)

    drawn = figure.axes[2].images[1].get_array()
    assert drawn.count() > 5
    assert np.abs(drawn.compressed()).min() >= 2.5
    assert drawn.mask.any()
    assert figure.axes[2].images[0].get_array().count() == 40 * 48  # the head stays whole


def test_threshold_alone_is_for_the_image():
    figure = plot_slices(make_maps(1, effect=4)[0], threshold=2.5)

    assert np.abs(figure.axes[2].images[0].get_array().compressed()).min() >= 2.5


def test_voxels_without_a_number_are_background():
    voxels = make_head().get_fdata()
    voxels[:20] = np.nan

    figure = plot_slices(image_of(voxels, make_head().affine), at_mm=(2, 2, 2))

    axes = figure.axes[2]
    assert axes.images[0].get_array().mask[:, :20].all()
    assert axes.get_facecolor() == to_rgba("black")


def test_signed_maps_have_white_at_zero():
    figure = plot_slices(make_maps(1)[0])

    picture = figure.axes[0].images[0]
    low, high = picture.get_clim()
    assert low == -high
    assert min(picture.cmap(picture.norm(0.0))[:3]) > 0.95
    assert min(figure.axes[0].get_facecolor()[:3]) > 0.95


def test_one_bright_voxel_does_not_make_all_others_dark():
    voxels = np.random.default_rng(0).uniform(50, 100, size=(20, 20, 20))
    voxels[3, 4, 5] = 1e6

    low, high = plot_slices(image_of(voxels)).axes[0].images[0].get_clim()

    assert low < 52
    assert 98 < high < 101


def test_background_of_zeros_is_black():
    voxels = np.pad(np.random.default_rng(0).uniform(50, 100, size=(20, 20, 20)), 5)

    low, _ = plot_slices(image_of(voxels)).axes[0].images[0].get_clim()

    assert low == 0


@pytest.mark.parametrize(
    ("value", "scale"), [(0, (0, 1)), (5, (0, 5)), (-5, (-5, 0)), (np.nan, (0, 1)), (1, (0, 1))]
)
@pytest.mark.parametrize("draw", [plot_slices, plot_montage])
def test_image_of_one_value_is_drawn(draw, value, scale):
    figure = draw(image_of(np.full((4, 5, 6), float(value))))

    assert figure.axes[0].images[0].get_clim() == scale


def test_scale_can_be_chosen():
    figure = plot_slices(make_head(), vmin=100, vmax=500, cmap="viridis")

    picture = figure.axes[0].images[0]
    assert picture.get_clim() == (100, 500)
    assert picture.cmap.name == "viridis"
    assert_allclose(figure.axes[3].get_ylim(), (100, 500))


def test_upper_end_of_a_signed_scale_gives_the_lower_one():
    figure = plot_slices(
        make_head(), overlay=make_maps(1)[0], overlay_vmax=6, overlay_cmap=mpl.colormaps["PuOr"]
    )

    picture = figure.axes[0].images[1]
    assert picture.get_clim() == (-6, 6)
    assert picture.cmap.name == "PuOr"


def test_positive_overlay_glows_on_grey():
    positive = image_of(np.abs(make_maps(1)[0].get_fdata()), make_maps(1)[0].affine)

    figure = plot_slices(make_head(), overlay=positive)

    assert [picture.cmap.name for picture in figure.axes[0].images] == ["gray", "glow"]


def test_hidden_part_of_the_scale_is_grey():
    bar = plot_slices(make_head(), overlay=make_maps(1)[0], threshold=2).axes[3]

    [hidden] = [patch for patch in bar.patches if patch.get_facecolor() == to_rgba("0.6")]

    assert_allclose(hidden.get_bbox().intervaly, (-2, 2))


@pytest.mark.parametrize("n_regions", [1, 4, 9])
def test_each_region_has_a_colour_that_all_can_tell_from_its_neighbours(n_regions):
    numbers = np.zeros((12, 3, 3), np.int16)
    numbers[1 : n_regions + 1] = np.arange(1, n_regions + 1)[:, None, None]
    labels = image_of(numbers)
    labels.header.set_intent("label")

    picture = plot_slices(labels).axes[2].images[0]

    for number in range(1, n_regions + 1):
        wanted = OKABE_ITO[(number - 1) % len(OKABE_ITO)]
        assert_allclose(picture.cmap(picture.norm(number)), to_rgba(wanted))
    assert picture.get_interpolation() == "nearest"


@pytest.mark.parametrize("highest", [0, 2_000_000_000])
def test_label_image_with_no_region_or_enormous_numbers_is_drawn(highest):
    labels = image_of(np.diag([highest] * 3).astype(np.int32)[:, :, None])
    labels.header.set_intent("label")

    assert len(plot_slices(labels).axes) == 3  # and no scale of colours


def test_scale_is_that_of_the_head_when_labels_lie_on_top():
    bar = plot_slices(make_head(), overlay=make_labels(), vmax=900).axes[3]

    assert bar.get_ylim()[1] == 900


def test_point_is_the_middle_unless_chosen():
    assert "x = -2, y = -2, z = -2 mm" in plot_slices(make_head(axis_codes="LPI")).description


# ---- montages


def test_montage_of_one_image_shows_twelve_slices_in_three_lines():
    figure = plot_montage(make_head())

    tiles = figure.axes[:12]
    assert [len(axes.images) for axes in figure.axes[:12]] == [1] * 12
    assert len({round(axes.get_position().y0, 6) for axes in tiles}) == 3
    assert [bool(axes.texts) for axes in tiles] == ([True] + [False] * 3) * 3


def test_rows_show_the_same_places_in_one_scale():
    maps = make_maps(3, effect=[0, 3, 9])

    figure = plot_montage(maps, n_slices=4, row_titles=["none", "some", "much"])

    tiles = np.reshape(figure.axes[:12], (3, 4))
    assert len({axes.images[0].get_clim() for axes in tiles.flat}) == 1
    assert [axes.get_title()[:3] for axes in tiles[0]] == ["z ="] * 4
    assert [text.get_text() for text in figure.texts][:3] == ["none", "some", "much"]
    for number, row in enumerate(tiles):
        expected = plot_montage(maps[number], n_slices=4).axes[1].images[0].get_array()
        assert_array_equal(row[1].images[0].get_array(), expected)


def test_volumes_of_a_run_are_rows():
    run = make_run(4)

    figure = plot_montage(run, volumes=np.array([3, 1]), at_mm=[4, 28])

    shown = [axes.images[0].get_array() for axes in figure.axes[:4]]
    assert [text.get_text() for text in figure.texts][:2] == ["volume 3", "volume 1"]
    for number, volume in [(0, 3), (2, 1)]:
        assert_allclose(shown[number], run.get_fdata()[:, :, 10, volume].T, rtol=0, atol=1e-9)


def test_images_on_different_grids_share_a_field_of_view():
    near = image_of(np.ones((10, 10, 10)))
    far = image_of(np.ones((10, 10, 10)), np.array(np.eye(4) + np.eye(4, k=3) * 20))

    figure = plot_montage([near, far], at_mm=[5])

    assert {axes.get_xlim() for axes in figure.axes[:2]} == {(-0.5, 29.5)}
    assert_allclose(figure.axes[1].images[0].get_extent(), (19.5, 29.5, -0.5, 9.5))
    assert "2 images of 10 x 10 x 10 voxels" in figure.description


def test_description_names_no_size_that_only_one_image_has():
    figure = plot_montage([make_head(), make_head(**SMALL)], at_mm=[0])

    assert figure.description.startswith("Axial slices of 2 images, at z = 0 mm.")


def test_overlays_lie_on_all_rows_or_each_on_its_own():
    heads, maps = [make_head(), make_head()], make_maps(2)

    shared = plot_montage(heads, overlay=maps[0], at_mm=[4])
    own = plot_montage(heads, overlay=maps, at_mm=[4])

    def on_top(figure, row):
        return figure.axes[row].images[1].get_array()

    assert_array_equal(on_top(shared, 0), on_top(shared, 1))
    assert_array_equal(on_top(own, 0), on_top(shared, 0))
    assert (on_top(own, 1) != on_top(own, 0)).any()


def test_long_titles_of_rows_and_figures_are_folded():
    figure = plot_montage(
        make_maps(2), row_titles=["a very long name of a row " * 9] * 2, title="word " * 60
    )
    figure.draw_without_rendering()

    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y0 >= 0


def test_many_columns_make_the_figure_wider_not_its_letters_smaller():
    few, many = (plot_montage(make_maps(2), n_slices=number) for number in (5, 14))

    assert many.get_figwidth() > few.get_figwidth()
    assert few.get_figwidth() == pytest.approx(6.4)


# ---- what is refused


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plot_slices(make_run(3)), "3 volumes and none was chosen.*volume=0"),
        (lambda: plot_slices(make_head(), overlay=make_run(3)), "3 volumes and none was chosen"),
        (lambda: plot_slices("head.nii"), "load_image"),
        (lambda: plot_slices(make_head(), at_mm=(0, 0)), "three coordinates"),
        (lambda: plot_slices(make_head(), at_mm="middle"), "at_mm is 'middle'"),
        (lambda: plot_slices(make_head(), at_mm=(0, 0, 81)), "nothing at z = 81.*-80 to 80"),
        (lambda: plot_slices(make_head(), at_mm=(0, np.nan, 0)), "nothing at y = nan"),
        (lambda: plot_slices(make_head(), convention="fsl"), "neurological, radiological"),
        (lambda: plot_slices(make_head(), cmap="grey-ish"), "no colour map 'grey-ish'"),
        (lambda: plot_slices(make_head(), vmin=5, vmax=5), "from 5 to 5"),
        (lambda: plot_slices(make_head(), vmax=np.nan), "which is not upwards"),
        (lambda: plot_slices(make_head(), threshold=-1), "this one is -1"),
        (lambda: plot_slices(make_head(), threshold=np.nan), "this one is nan"),
        (lambda: plot_montage(make_run(3)), "3 volumes and none was chosen"),
        (lambda: plot_montage([]), "no image to draw"),
        (lambda: plot_montage(None), "this is a NoneType"),
        (lambda: plot_montage(make_run(3), volumes=[]), "no image to draw"),
        (lambda: plot_montage([make_run(3)] * 2, volumes=[0]), "there are 2 images"),
        (
            lambda: plot_montage(make_head(), plane="top"),
            "one of sagittal, coronal, axial",
        ),
        (lambda: plot_montage(make_head(), convention="fsl"), "neurological, radiological"),
        (lambda: plot_montage(make_head(), n_slices=0), "0 slices"),
        (lambda: plot_montage(make_head(), n_slices=2.5), "whole number, but this is 2.5"),
        (lambda: plot_montage(make_head(), at_mm=[0], n_slices=3), "n_slices is 3"),
        (lambda: plot_montage(make_head(), at_mm=[]), "row of places"),
        (lambda: plot_montage(make_head(), at_mm=[0, 99]), "nothing at z = 99 mm"),
        (lambda: plot_montage(make_maps(2), row_titles=["one"]), "2 rows, but 1 titles"),
        (lambda: plot_montage(make_maps(3), overlay=make_maps(2)), "2 overlays .* 3 rows"),
        (lambda: view(make_run(3)), "3 volumes and none was chosen"),
        (lambda: view(make_head(), convention="fsl"), "neurological, radiological"),
        (lambda: view(make_head(), at_mm=(0, 0, 81)), "nothing at z = 81"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw, words):
    with pytest.raises(PictureError, match=words):
        draw()


# ---- figures


def test_figure_can_be_saved_and_pickled(tmp_path):
    figure = pickle.loads(pickle.dumps(plot_slices(make_head())))  # noqa: S301 - just written

    for suffix in ("png", "pdf", "svg"):
        figure.savefig(tmp_path / f"head.{suffix}")
        assert (tmp_path / f"head.{suffix}").stat().st_size > 5000


def test_arguments_are_not_changed():
    run, head = make_run(2), make_head()
    before = run.get_fdata(), run.affine.copy(), head.get_fdata()

    plot_slices(run, volume=0, overlay=head, threshold=500)

    assert_array_equal(run.get_fdata(), before[0])
    assert_array_equal(run.affine, before[1])
    assert_array_equal(head.get_fdata(), before[2])


def test_description_begins_with_the_title():
    figure = plot_slices(make_head(), title="A head.", overlay=make_labels(), at_mm=(0, 0, 0.25))

    assert figure.description == (
        "A head. Sagittal, coronal and axial slice of an image of 40 x 48 x 40 voxels with an "
        "overlay, at x = 0, y = 0, z = 0.2 mm. The patient's left is on the left."
    )


PICTURE = "image/png"


def test_figure_gives_notebooks_its_picture_and_its_description():
    figure = plot_slices(make_head())

    shown, said = DisplayFormatter().format(figure)

    assert shown[PICTURE].startswith(b"\x89PNG")
    assert said[PICTURE] == {"alt": figure.description, "width": 614}


def run_cells(*cells):
    """Run cells in a real kernel and return the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.kernel
@pytest.mark.parametrize("before", ["", "import matplotlib.pyplot as plt", "%matplotlib inline"])
def test_notebook_shows_a_figure_once_when_a_cell_ends_in_it(before):
    outputs = run_cells(
        before,
        "from neuroprimer.imaging.phantoms import make_head\n"
        "from neuroprimer.imaging.pictures.plotting import plot_slices\n"
        "figure = plot_slices(make_head())",
        "figure",
        "plot_slices(make_head())",
        "plot_slices(make_head());",
    )

    shown = [[output for output in cell if PICTURE in output.get("data", {})] for cell in outputs]
    assert [len(cell) for cell in outputs[1:]] == [0, 1, 1, 0]
    assert [len(cell) for cell in shown[1:]] == [0, 1, 1, 0]
    assert "patient's left" in shown[2][0].metadata[PICTURE]["alt"]


def test_pictures_need_no_pyplot_and_no_nilearn():
    code = (
        "import sys; from neuroprimer.imaging.pictures.plotting import plot_slices; "
        "print('matplotlib' in sys.modules); "
        "from neuroprimer.imaging.phantoms import make_head; "
        "plot_slices(make_head())._repr_png_(); "
        "print(sorted({'matplotlib.pyplot', 'nilearn'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "[]"]


# ---- the viewer


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ['"radiological": false']),
        ({"convention": "radiological"}, ['"radiological": true']),
        ({"vmin": 100, "vmax": 900}, ['"min": 100', '"max": 900']),
        ({"title": "A head"}, ['"title": "A head"']),
    ],
    ids=["plain", "radiological", "scale", "title"],
)
def test_viewer_is_told_what_was_asked_for(options, expected):
    html = view(make_head(axis_codes="LIP"), **options).html.replace("&quot;", '"')

    for words in expected:
        assert words in html


def test_viewer_has_a_scale_of_colours_for_numbers_but_not_for_names():
    def has_scale(image):
        return '"colorMap": {' in view(image).html.replace("&quot;", '"')

    assert has_scale(make_head())
    assert not has_scale(make_labels())


def test_viewer_opens_at_the_point():
    def slices_at(at_mm):
        html = view(make_head(axis_codes="LIP"), at_mm=at_mm).html.replace("&quot;", '"')
        return np.array(re.findall(r'"[XYZ]": (\d+)', html.split('"numSlice"')[1])[:3], int)

    # how the viewer counts its slices, from 0 or 1, has changed; how far it moves has not
    assert_array_equal(slices_at((34, 22, 26)) - slices_at((-2, -2, -2)), [9, 6, 7])


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (make_run(2), {"volume": 1}),
        (make_labels(), {}),
        (make_head(tilt_rad=0.3), {"overlay": make_maps(1)[0], "threshold": 2}),
        (make_head(), {"overlay": sphere(make_head(), (34, 22, 26), 12)}),
        (image_of(np.where(np.indices((9, 9, 9))[0] < 4, np.nan, 1.5)), {}),
    ],
    ids=["run", "labels", "overlay", "mask", "nan"],
)
def test_viewer_shows_in_a_notebook(image, options):
    assert "brainsprite" in view(image, **options)._repr_html_()
