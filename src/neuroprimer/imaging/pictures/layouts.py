"""Layouts: where the slices of a figure stand, with their ticks, titles and scale of colours.

This module loads matplotlib (but not pyplot); only functions of
:mod:`neuroprimer.imaging.pictures.plotting` bring it in, when they are called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from neuroprimer.imaging.pictures.colours import Colours
from neuroprimer.imaging.pictures.figures import (
    SMALL_PT,
    TITLE_PT,
    Frame,
    Layer,
    Picture,
    draw_bar,
    draw_plane,
)
from neuroprimer.imaging.pictures.slices import PLANES

CROSS = "#56b4e9"

# Lengths in inches. The width is that of a page of text, so that letters on a picture are about as
# large as those beside it.
WIDTH, WIDEST_TILE, GAP = 6.4, 2.4, 0.06
LEFT_TICKS, TICKS, LABEL, TITLE_LINE = 0.65, 0.46, 0.26, 0.22
BAR, BAR_TICKS, LONGEST_BAR = 0.1, 0.49, 2.0
TITLE_LETTER, LETTER, NAME_LETTERS, NAME_LINE = 0.104, 0.093, 12, 0.18
# With more of them, a phone shows slices as large as a thumbnail.
MOST_COLUMNS = 4
# No tick is nearer to the end of its axis than this part of it, so that numbers do not collide.
TICK_MARGIN = 0.08


def in_mm(at: float) -> str:
    """Write a coordinate with one decimal at most.

    Parameters
    ----------
    at : float
        A coordinate in mm.

    Returns
    -------
    text : str
        Without its unit.

    Examples
    --------
    >>> in_mm(-12.0), in_mm(0.25), in_mm(-0.01)
    ('-12', '0.2', '0')
    """
    return f"{round(at, 1) + 0.0:.1f}".removesuffix(".0")


def draw_three_planes(layers: Sequence[Layer], point_mm: Sequence[float], frame: Frame) -> Picture:
    """Draw sagittal, coronal and axial slices through a point beside each other, all in one scale.

    Parameters
    ----------
    layers : sequence of Layer
        What to draw, from the bottom to the top.
    point_mm : (3,) sequence of float
        Where to cut.
    frame : Frame
        How much to show, and how.

    Returns
    -------
    figure : Picture
        Its axes are the three slices, and perhaps a scale of colours.

    Examples
    --------
    >>> from neuroprimer.imaging.pictures.figures import stack_layers
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> from neuroprimer.imaging.pictures.slices import open_volume
    >>> head = open_volume(make_head())
    >>> figure = draw_three_planes(*stack_layers([head]), (0, 0, 0), Frame(box_mm=head.box_mm()))
    >>> [axes.get_title() for axes in figure.axes[:3]]
    ['x = 0 mm', 'y = 0 mm', 'z = 0 mm']
    """
    sides_mm = {plane: frame.sides_mm(plane) for plane in PLANES}
    widths_mm, heights_mm = zip(*sides_mm.values(), strict=True)
    free = WIDTH - 2 * LEFT_TICKS - 2 * GAP - _bar_width(layers)
    inches_per_mm = free / sum(widths_mm)
    tallest = max(heights_mm) * inches_per_mm
    title = fill(frame.title, int(WIDTH / TITLE_LETTER))
    height = TICKS + tallest + LABEL + _title_height(title)
    figure = Picture((WIDTH, height), description=frame.description)
    left = LEFT_TICKS
    for (plane, (width_mm, height_mm)), gap in zip(
        sides_mm.items(), (GAP, LEFT_TICKS, GAP), strict=True
    ):
        width, height = width_mm * inches_per_mm, height_mm * inches_per_mm
        axes = figure.add_panel(left, TICKS, width, height)
        draw_plane(axes, layers, plane, point_mm[PLANES[plane][0]], frame)
        axes.set_title(_place(plane, point_mm[PLANES[plane][0]]), fontsize=SMALL_PT, pad=3)
        _draw_cross(axes, plane, point_mm)
        _draw_ticks(axes, plane)
        left += width + gap
    # the coronal slice stands next to the sagittal one, on the same z
    figure.axes[1].set(ylabel="", yticklabels=[])
    _add_bar(figure, layers, (left, TICKS), tallest)
    _write_title(figure, title)
    return figure


def draw_tiles(
    rows: Sequence[Sequence[Layer]],
    plane: str,
    cuts_mm: Sequence[float],
    frame: Frame,
    *,
    names: Sequence[str] = (),
) -> Picture:
    """Draw parallel slices: a line for each row of layers, or several lines for a single row.

    Parameters
    ----------
    rows : sequence of sequences of Layer
        What to draw in each row, from the bottom to the top.
    plane : {"sagittal", "coronal", "axial"}
        Which way to cut.
    cuts_mm : sequence of float
        Where to cut, along x, y or z.
    frame : Frame
        How much to show, and how.
    names : sequence of str
        Titles of the rows.

    Returns
    -------
    figure : Picture
        Its axes are the slices, row by row, and perhaps a scale of colours.

    Examples
    --------
    >>> from neuroprimer.imaging.pictures.figures import stack_layers
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> from neuroprimer.imaging.pictures.slices import open_volume
    >>> head = open_volume(make_head())
    >>> figure = draw_tiles(stack_layers([head]), "coronal", (0, 20), Frame(box_mm=head.box_mm()))
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['y = 0 mm', 'y = 20 mm']
    """
    lines = _break_into_lines(rows, cuts_mm, names)
    n_columns = len(lines[0].cuts_mm)
    left = LETTER * _longest([line.name for line in lines]) + 2 * GAP
    right = _bar_width(rows[0])
    width_mm, height_mm = frame.sides_mm(plane)
    width = min((WIDTH - left - right) / n_columns - GAP, WIDEST_TILE)
    width = max(width, LETTER * _longest([_place(plane, at_mm) for at_mm in cuts_mm]))
    height = width * height_mm / width_mm
    wide = left + n_columns * (width + GAP) + right
    tall = sum(height + (LABEL if line.has_places else GAP) for line in lines) + GAP
    title = fill(frame.title, int(wide / TITLE_LETTER))
    figure = Picture((wide, tall + _title_height(title)), description=frame.description)
    bottom = tall
    for line in lines:
        bottom -= height + (LABEL if line.has_places else GAP)
        _draw_line(figure, line, plane, frame, (left, bottom, width, height))
    bar_height = min(tall - 1.8 * LABEL, LONGEST_BAR)
    _add_bar(figure, rows[0], (wide - right + GAP, (tall - LABEL - bar_height) / 2), bar_height)
    _write_title(figure, title)
    return figure


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """Tiles that stand beside each other in a montage."""

    layers: Sequence[Layer]
    cuts_mm: Sequence[float]
    name: str
    has_places: bool


def _break_into_lines(
    rows: Sequence[Sequence[Layer]], cuts_mm: Sequence[float], names: Sequence[str]
) -> list[_Line]:
    """Give each row a line, or a single row as many lines of about equal length as it needs."""
    folded = [fill(name, NAME_LETTERS) for name in names or [""] * len(rows)]
    if len(rows) > 1:
        return [
            _Line(layers=layers, cuts_mm=cuts_mm, name=name, has_places=number == 0)
            for number, (layers, name) in enumerate(zip(rows, folded, strict=True))
        ]
    n_columns = ceil(len(cuts_mm) / ceil(len(cuts_mm) / MOST_COLUMNS))
    return [
        _Line(
            layers=rows[0],
            cuts_mm=cuts_mm[first : first + n_columns],
            name=folded[0],
            has_places=True,
        )
        for first in range(0, len(cuts_mm), n_columns)
    ]


def _draw_line(
    figure: Picture,
    line: _Line,
    plane: str,
    frame: Frame,
    first: tuple[float, float, float, float],
) -> None:
    """Draw tiles beside each other; the place of the first one is given."""
    left, bottom, width, height = first
    for column, at_mm in enumerate(line.cuts_mm):
        axes = figure.add_panel(left + column * (width + GAP), bottom, width, height)
        draw_plane(axes, line.layers, plane, at_mm, frame, letters=column == 0)
        axes.set(xticks=[], yticks=[])
        if line.has_places:
            axes.set_title(_place(plane, at_mm), fontsize=SMALL_PT, pad=3)
    wide, high = figure.get_size_inches()
    shown = line.name.splitlines()[: max(1, int(height / NAME_LINE))]
    where = (left - GAP) / wide, (bottom + height / 2) / high
    figure.text(*where, "\n".join(shown), fontsize=SMALL_PT, ha="right", va="center")


def _draw_cross(axes: Axes, plane: str, point_mm: Sequence[float]) -> None:
    _, across, up = PLANES[plane]
    axes.axvline(point_mm[across], color=CROSS, linewidth=0.6)
    axes.axhline(point_mm[up], color=CROSS, linewidth=0.6)


def _draw_ticks(axes: Axes, plane: str) -> None:
    _, across, up = PLANES[plane]
    for axis, name, most in ((axes.xaxis, "xyz"[across], 4), (axes.yaxis, "xyz"[up], 5)):
        low, high = sorted(axis.get_view_interval())
        margin = TICK_MARGIN * (high - low)
        ticks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        axis.set_ticks([tick for tick in ticks if low + margin <= tick <= high - margin])
        axis.set_label_text(f"{name} (mm)", fontsize=SMALL_PT)
        axis.labelpad = 1
    axes.tick_params(labelsize=SMALL_PT, width=0.5, length=2, pad=2)


def _place(plane: str, at_mm: float) -> str:
    coordinate = in_mm(at_mm).replace("-", "\N{MINUS SIGN}")
    return f"{'xyz'[PLANES[plane][0]]} = {coordinate} mm"


def _longest(texts: Sequence[str]) -> int:
    """Return the number of letters in the longest line."""
    return max(len(line) for text in texts for line in [*text.splitlines(), ""])


def _title_height(title: str) -> float:
    return TITLE_LINE * len(title.splitlines())


def _write_title(figure: Picture, title: str) -> None:
    wide, high = figure.get_size_inches()
    figure.text(GAP / wide, 1 - GAP / 2 / high, title, fontsize=TITLE_PT, ha="left", va="top")


def _find_scale(layers: Sequence[Layer]) -> Colours | None:
    """Return the colours of the uppermost layer that has a scale."""
    scales = [layer.colours for layer in layers if not layer.colours.is_label]
    return scales[-1] if scales else None


def _bar_width(layers: Sequence[Layer]) -> float:
    return GAP + BAR + BAR_TICKS if _find_scale(layers) else 0


def _add_bar(
    figure: Picture, layers: Sequence[Layer], corner: tuple[float, float], height: float
) -> None:
    colours = _find_scale(layers)
    if colours is not None:
        draw_bar(figure, figure.add_panel(*corner, BAR, height), colours)
