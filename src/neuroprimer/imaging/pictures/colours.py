"""Colours: which numbers of an image get which colour.

This module loads matplotlib; only functions of :mod:`neuroprimer.imaging.pictures.plotting` bring
it in, when they are called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, Normalize
from numpy.typing import NDArray

from neuroprimer.imaging.pictures.slices import PictureError, Volume

# The colours that Okabe and Ito chose to be told apart by people with any kind of colour vision.
OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
# Two hues that they can tell apart, too, each from dark to light: stronger is brighter.
GLOW_COLOURS = ("#8c2d04", "#e6550d", "#fdae3b", "#fff3a0")
ICE_COLOURS = ("#c9f3ff", "#4fb3f0", "#1266c2", "#123a78")
GLOW = LinearSegmentedColormap.from_list("glow", GLOW_COLOURS)
ICE_AND_GLOW = LinearSegmentedColormap.from_list("ice_and_glow", ICE_COLOURS + GLOW_COLOURS)

# A map counts as signed when its lesser side reaches this part of the greater one.
SIGNED = 0.1
# Regions with higher numbers all get the last colour.
MOST_LABELS = 1 << 16
# The threshold that hides zero and nothing else.
SMALLEST = float(np.finfo(float).tiny)


@dataclass(frozen=True, kw_only=True, eq=False)
class Colours:
    """How numbers become colours.

    Parameters
    ----------
    colour_map : matplotlib.colors.Colormap
        From dark to light, or through a middle for signed maps.
    vmin, vmax : float
        The numbers at its two ends.
    threshold : float
        Numbers nearer to zero than this are not drawn.
    is_label : bool
        Whether the numbers are names, each with a colour of its own.
    """

    colour_map: Colormap
    vmin: float
    vmax: float
    threshold: float
    is_label: bool

    def background(self) -> tuple[float, float, float, float]:
        """Return the colour of a voxel in which there is nothing."""
        if self.is_label:
            return (0.0, 0.0, 0.0, 1.0)
        red, green, blue, alpha = self.colour_map(Normalize(self.vmin, self.vmax, clip=True)(0.0))
        return (red, green, blue, alpha)

    def visible(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values with NaN in place of those that are not drawn."""
        return np.where(np.abs(values) < self.threshold, np.nan, values)


def choose_colours(
    volumes: Sequence[Volume],
    *,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    threshold: float | None = None,
    is_overlay: bool = False,
) -> Colours:
    """Choose colours for volumes that share one scale.

    Parameters
    ----------
    volumes : sequence of Volume
        What is drawn.
    cmap : str or matplotlib.colors.Colormap, optional
        The colour map. Default: grey; one with two sides for signed maps; one colour for each
        region of label images. An overlay glows instead of being grey.
    vmin, vmax : float, optional
        The numbers at the ends of the colour map. Default: see Notes.
    threshold : float, optional
        Numbers nearer to zero than this are not drawn. Default: none, in an overlay zero itself.
    is_overlay : bool
        Whether something else shows through.

    Returns
    -------
    colours : Colours
        What to draw with.

    Raises
    ------
    PictureError
        If `vmin` is not below `vmax`, `threshold` is negative, or there is no such colour map.

    Notes
    -----
    The ends are the 1st and the 99.5th percentile of all numbers but zero, which single bright
    voxels do not move; if an image has zeros, the scale has them, too. A map is signed if its
    lesser side reaches a tenth of the greater one; its ends are equally far from zero, so that
    the middle of the colour map is zero.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> from neuroprimer.imaging.pictures.slices import open_volume
    >>> colours = choose_colours([open_volume(make_maps(1)[0])])
    >>> colours.colour_map.name, colours.vmin == -colours.vmax
    ('RdBu_r', True)
    """
    if threshold is not None and not threshold >= 0:
        raise PictureError(
            f"A threshold is a distance from zero, but this one is {threshold}.",
            hint="Pass a positive number; what lies nearer to zero on either side is hidden.",
        )
    is_label = all(volume.is_label for volume in volumes) and cmap is None
    low, high = _find_limits(volumes, is_label=is_label)
    is_signed = low == -high
    if is_signed and vmin is None and vmax is not None:
        vmin = -vmax
    low, high = (low if vmin is None else vmin), (high if vmax is None else vmax)
    if not low < high:
        raise PictureError(
            f"The scale would run from {low:g} to {high:g}, which is not upwards.",
            hint="Pass both vmin and vmax, or neither.",
        )
    if threshold is None:
        threshold = SMALLEST if is_overlay or is_label else 0.0
    return Colours(
        colour_map=_colour_map(cmap, high, is_label, is_signed, is_overlay),
        vmin=low,
        vmax=high,
        threshold=threshold,
        is_label=is_label,
    )


def _find_limits(volumes: Sequence[Volume], *, is_label: bool) -> tuple[float, float]:
    """Return the ends of the scale that the notes of choose_colours() describe."""
    thinned = [_thin(volume.voxels) for volume in volumes]
    values = np.concatenate([part[np.isfinite(part)] for part in thinned])
    if is_label:
        highest = max(
            np.max(volume.voxels, where=np.isfinite(volume.voxels), initial=1) for volume in volumes
        )
        return 0.5, min(float(highest), MOST_LABELS) + 0.5
    if not values.any():
        return 0.0, 1.0
    low, high = np.percentile(values[values != 0], [1, 99.5]).tolist()
    if low < 0 < high and min(-low, high) > SIGNED * max(-low, high):
        return -max(-low, high), max(-low, high)
    # a volume of one value, or one with a background
    if (values == 0).any() or low == high:
        low, high = min(low, 0.0), max(high, 0.0)
    return low, high


def _thin(voxels: NDArray[Any]) -> NDArray[np.float64]:
    """Return a few million voxels at most, which tell the scale as well as all would."""
    steps = [slice(None, None, max(1, length // 100)) for length in voxels.shape]
    return np.asarray(voxels[tuple(steps)], dtype=np.float64)


def _colour_map(
    cmap: str | Colormap | None,
    highest_label: float,
    is_label: bool,
    is_signed: bool,
    is_overlay: bool,
) -> Colormap:
    if isinstance(cmap, Colormap):
        return cmap
    if cmap is not None:
        if cmap not in mpl.colormaps:
            raise PictureError(
                f"There is no colour map {cmap!r}.",
                hint="matplotlib.colormaps lists them, for example gray, viridis, RdBu_r.",
            )
        return mpl.colormaps[cmap]
    if is_label:
        return ListedColormap(np.resize(OKABE_ITO, int(highest_label)).tolist(), name="regions")
    if is_overlay:
        return ICE_AND_GLOW if is_signed else GLOW
    return mpl.colormaps["RdBu_r" if is_signed else "gray"]
