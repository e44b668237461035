"""Figures: slices drawn with matplotlib, on figures that show themselves in notebooks.

This module loads matplotlib (but not pyplot); only functions of
:mod:`neuroprimer.imaging.pictures.plotting` bring it in, when they are called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypedDict

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuroprimer.imaging.pictures.colours import SMALLEST, Colours, choose_colours
from neuroprimer.imaging.pictures.slices import PLANES, PictureError, Volume, cut

# Twice what a common screen has, so that letters stay sharp on phones and on paper.
DPI, SCREEN_DPI = 192, 96
OVERLAY_OPACITY = 0.85
TITLE_PT, LETTER_PT, SMALL_PT = 12, 11, 10

# Which letter stands at the low and at the high end of each world axis.
LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))


class Picture(Figure):
    """A figure that a notebook shows when a cell ends in it, and only then.

    pyplot does not know it, so that nothing draws it behind one's back or keeps it in memory.

    Parameters
    ----------
    size_in : (float, float)
        Width and height in inches.
    description : str
        What is to be seen: notebooks give it to people who do not see the picture.

    Examples
    --------
    >>> Picture((3, 2), description="Nothing yet.").description
    'Nothing yet.'
    """

    def __init__(self, size_in: tuple[float, float], *, description: str) -> None:
        super().__init__(figsize=size_in, dpi=DPI)
        self.description = description

    def _repr_png_(self) -> bytes:
        """Return the picture, for notebooks in which nobody has set matplotlib up."""
        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()

    def _repr_mimebundle_(
        self, **_options: object
    ) -> tuple[Mapping[str, object], Mapping[str, object]]:
        """Return what is to be said about the picture, whoever draws it."""
        width = round(self.get_figwidth() * SCREEN_DPI)
        return {}, {"image/png": {"alt": self.description, "width": width}}

    def add_panel(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Add axes whose place and size are given in inches."""
        wide, high = self.get_size_inches()
        return self.add_axes((left / wide, bottom / high, width / wide, height / high))


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A volume, its colours, and how much it hides of what lies below, from 0 to 1."""

    volume: Volume
    colours: Colours
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """What all slices of a figure have in common.

    Parameters
    ----------
    box_mm : (2, 3) array
        Lowest and highest x, y, z to show.
    is_radiological : bool
        Whether the patient's left is drawn on the right.
    title : str
        Stands above the slices.
    description : str
        What is to be seen.
    """

    box_mm: NDArray[np.float64]
    is_radiological: bool = False
    title: str = ""
    description: str = ""

    def sides_mm(self, plane: str) -> tuple[float, float]:
        """Return the width and the height of a plane in mm."""
        _, across, up = PLANES[plane]
        size_mm = self.box_mm[1] - self.box_mm[0]
        return float(size_mm[across]), float(size_mm[up])


class Scale(TypedDict, total=False):
    """What a caller may say about colours: see :func:`choose_colours`."""

    cmap: str | Colormap | None
    vmin: float | None
    vmax: float | None


def stack_layers(
    volumes: Sequence[Volume],
    overlays: Sequence[Volume] = (),
    *,
    scale: Scale | None = None,
    overlay_scale: Scale | None = None,
    threshold: float | None = None,
) -> list[list[Layer]]:
    """Choose colours for volumes that are shown beside each other, and for what lies on top.

    Parameters
    ----------
    volumes : sequence of Volume
        One for each row of a picture; they share one scale.
    overlays : sequence of Volume
        None, one for all rows, or one for each; they share another scale.
    scale, overlay_scale : Scale, optional
        What is asked of the two scales.
    threshold : float, optional
        Values of what lies on top nearer to zero than this are not drawn.

    Returns
    -------
    rows : list of lists of Layer
        For each volume what is drawn in its place, from the bottom to the top.

    Raises
    ------
    PictureError
        If there is another number of overlays, or a scale that cannot be.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head, make_labels
    >>> from neuroprimer.imaging.pictures.slices import open_volume
    >>> [row] = stack_layers([open_volume(make_head())], [open_volume(make_labels())])
    >>> [layer.colours.colour_map.name for layer in row]
    ['gray', 'regions']
    """
    colours = choose_colours(volumes, **(scale or {}), threshold=None if overlays else threshold)
    rows = [[Layer(volume=volume, colours=colours)] for volume in volumes]
    if not overlays:
        return rows
    if len(overlays) not in (1, len(rows)):
        raise PictureError(
            f"{len(overlays)} overlays cannot be shared out over {len(rows)} rows.",
            hint="Pass one overlay for all rows, or one for each.",
        )
    colours = choose_colours(
        overlays, **(overlay_scale or {}), threshold=threshold, is_overlay=True
    )
    on_top = [Layer(volume=part, colours=colours, opacity=OVERLAY_OPACITY) for part in overlays]
    return [[*row, on_top[number % len(on_top)]] for number, row in enumerate(rows)]


def draw_plane(
    axes: Axes,
    layers: Sequence[Layer],
    plane: str,
    at_mm: float,
    frame: Frame,
    *,
    letters: bool = True,
) -> None:
    """Draw what volumes show on a plane of the world, into axes in mm.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    layers : sequence of Layer
        What to draw, from the bottom to the top.
    plane : {"sagittal", "coronal", "axial"}
        Which way the plane lies.
    at_mm : float
        Where it lies, along x, y or z.
    frame : Frame
        How much to show, and how.
    letters : bool
        Whether to write at the edges which side of the patient is where.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> from neuroprimer.imaging.pictures.slices import open_volume
    >>> head = open_volume(make_head())
    >>> [layers] = stack_layers([head])
    >>> axes = Picture((3, 3), description="A head.").add_panel(0, 0, 3, 3)
    >>> frame = Frame(box_mm=head.box_mm(), is_radiological=True)
    >>> draw_plane(axes, layers, "axial", 26, frame)
    >>> [text.get_text() for text in axes.texts]
    ['R', 'L', 'P', 'A']
    """
    for layer in layers:
        piece = cut(layer.volume, plane, at_mm)
        axes.imshow(
            layer.colours.visible(piece.values),
            cmap=layer.colours.colour_map,
            vmin=layer.colours.vmin,
            vmax=layer.colours.vmax,
            alpha=layer.opacity,
            origin="lower",
            extent=piece.extent_mm,
            interpolation="nearest" if layer.colours.is_label else "antialiased",
            aspect="auto",
        )
    _, across, up = PLANES[plane]
    xlim = frame.box_mm[:: -1 if frame.is_radiological and across == 0 else 1, across]
    axes.set(xlim=xlim, ylim=frame.box_mm[:, up], facecolor=layers[0].colours.background())
    for side in axes.spines.values():
        side.set_visible(False)
    if letters:
        _write_letters(axes, plane)


def _write_letters(axes: Axes, plane: str) -> None:
    """Write which side of the patient is where, as the limits of the axes have it."""
    _, across, up = PLANES[plane]
    left, right = LETTERS[across][:: -1 if axes.xaxis_inverted() else 1]
    bottom, top = LETTERS[up]
    for letter, x, y, horizontal, vertical in (
        (left, 0.02, 0.5, "left", "center"),
        (right, 0.98, 0.5, "right", "center"),
        (bottom, 0.5, 0.02, "center", "bottom"),
        (top, 0.5, 0.98, "center", "top"),
    ):
        axes.text(
            x,
            y,
            letter,
            transform=axes.transAxes,
            horizontalalignment=horizontal,
            verticalalignment=vertical,
            fontsize=LETTER_PT,
            fontweight="bold",
            fontfamily="monospace",  # its I is no stroke
            **_ink(axes),
        )


def _ink(axes: Axes) -> dict[str, Any]:
    """Return a colour that stands out from a slice and its background, with a rim of the other."""
    is_dark = np.dot(mpl.colors.to_rgb(axes.get_facecolor()), (0.3, 0.6, 0.1)) < 0.5
    ink, rim = ("white", "black") if is_dark else ("black", "white")
    return {"color": ink, "path_effects": [withStroke(linewidth=1.5, foreground=rim)]}


def draw_bar(figure: Picture, axes: Axes, colours: Colours) -> None:
    """Draw a scale of colours; what its threshold hides is grey.

    Parameters
    ----------
    figure : Picture
        The figure of the axes.
    axes : matplotlib.axes.Axes
        Where to draw: narrow and upright.
    colours : Colours
        The scale.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> from neuroprimer.imaging.pictures.slices import open_volume
    >>> figure = Picture((1, 3), description="A scale.")
    >>> axes = figure.add_panel(0, 0, 0.1, 3)
    >>> draw_bar(figure, axes, choose_colours([open_volume(make_head())], vmax=1000))
    >>> tuple(map(float, axes.get_ylim()))
    (0.0, 1000.0)
    """
    scale = ScalarMappable(Normalize(colours.vmin, colours.vmax), colours.colour_map)
    bar = figure.colorbar(scale, cax=axes, ticks=MaxNLocator(5))
    bar.outline.set_linewidth(0.5)
    axes.tick_params(labelsize=SMALL_PT, width=0.5, length=2, pad=2)
    if colours.threshold > SMALLEST:
        hidden = max(-colours.threshold, colours.vmin), min(colours.threshold, colours.vmax)
        axes.axhspan(*hidden, color="0.6")
