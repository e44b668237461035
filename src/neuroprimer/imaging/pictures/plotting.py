"""Plotting: pictures of images, with the world's mm on their axes and left and right named.

matplotlib and nilearn are imported inside the functions, here and nowhere else in this library:
they take longer to load than all the rest, and most programs that load an image draw nothing.

A figure is returned and never shown: a notebook shows it when a cell ends in it, ``savefig``
writes it to a file. ``figure.description`` says in words what is on it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.pictures.slices import (
    PLANES,
    PictureError,
    Volume,
    middle_mm,
    open_volume,
    require_whole,
    spread_over,
)

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from nilearn.plotting.html_document import HTMLDocument

    from neuroprimer.imaging.pictures.figures import Picture

SIDES = {
    "neurological": "The patient's left is on the left.",
    "radiological": "The patient's left is on the right.",
}
SLICES_OF_ONE, SLICES_OF_SEVERAL = 12, 6
# No slice is drawn thinner than this part of the longest side of the field of view.
THINNEST = 0.5


def plot_slices(
    image: SpatialImage,
    *,
    at_mm: ArrayLike | None = None,
    volume: int | None = None,
    cmap: "str | Colormap | None" = None,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str = "",
    overlay: SpatialImage | None = None,
    threshold: float | None = None,
    overlay_cmap: "str | Colormap | None" = None,
    overlay_vmax: float | None = None,
    convention: str = "neurological",
    interpolation: str | None = None,
) -> "Picture":
    """Draw a sagittal, a coronal and an axial slice through one point of the world.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D, or 4-D together with `volume`. It may be stored in any order, and lie oblique.
    at_mm : (3,) array-like, optional
        The point, as world coordinates in mm. Default: the middle of the image.
    volume : int, optional
        Which volume of a 4-D image.
    cmap : str or matplotlib.colors.Colormap, optional
        Colour map of the image. Default: grey; from blue to red for maps with values on both
        sides of zero; one colour for each region of a label image or mask.
    vmin, vmax : float, optional
        The values at the ends of the colour map. Default: the 1st and the 99.5th percentile of
        what is not zero, equally far from zero for maps with both signs.
    title : str
        Stands above the picture.
    overlay : nibabel.spatialimages.SpatialImage, optional
        A 3-D map, mask or label image to draw on top, where it lies in the world.
    threshold : float, optional
        Values of the overlay (without one: of the image) nearer to zero than this are not drawn.
    overlay_cmap : str or matplotlib.colors.Colormap, optional
        Colour map of the overlay.
    overlay_vmax : float, optional
        The value at the upper end of the overlay's colour map.
    convention : {"neurological", "radiological"}
        Whether the patient's left is drawn on the left, or on the right. Letters say which.
    interpolation : {"linear", "nearest"}, optional
        What is shown of the image between voxel centres. Default: nearest for label images and
        masks, linear for all others.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Its first three axes are the slices, in mm.

    Raises
    ------
    PictureError
        If it cannot be drawn as asked, for example a 4-D image without `volume`, or through a
        point outside of the image.

    See Also
    --------
    plot_montage : many slices of one kind.
    view : slices to move through with the mouse.

    Notes
    -----
    Slices are planes of the world. Where voxels lie oblique to it, and where an overlay has
    another grid, values are interpolated for the picture only.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> figure = plot_slices(make_head(axis_codes="LIP"), at_mm=(34, 22, 26))
    >>> print(figure.description)
    Sagittal, coronal and axial slice of an image of 40 x 40 x 48 voxels, at
    x = 34, y = 22, z = 26 mm. The patient's left is on the left.
    """
    from neuroprimer.imaging.pictures.figures import Frame, stack_layers
    from neuroprimer.imaging.pictures.layouts import draw_three_planes, in_mm

    _require_one_of(SIDES, convention, "convention")
    drawn = open_volume(image, volume=volume, interpolation=interpolation)
    [layers] = stack_layers(
        [drawn],
        [] if overlay is None else [open_volume(overlay)],
        scale={"cmap": cmap, "vmin": vmin, "vmax": vmax},
        overlay_scale={"cmap": overlay_cmap, "vmax": overlay_vmax},
        threshold=threshold,
    )
    point_mm = middle_mm(drawn) if at_mm is None else _require_point(drawn, at_mm)
    where = ", ".join(f"{name} = {in_mm(at)}" for name, at in zip("xyz", point_mm, strict=True))
    frame = Frame(
        box_mm=_widen(drawn.box_mm()),
        is_radiological=convention == "radiological",
        title=title,
        description=_describe(
            title, "Sagittal, coronal and axial slice", [drawn], overlay, where, convention
        ),
    )
    return draw_three_planes(layers, point_mm, frame)


def plot_montage(
    images: SpatialImage | Sequence[SpatialImage],
    *,
    plane: str = "axial",
    n_slices: int | None = None,
    at_mm: ArrayLike | None = None,
    volumes: Sequence[int] | None = None,
    row_titles: Sequence[str] | None = None,
    cmap: "str | Colormap | None" = None,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str = "",
    overlay: SpatialImage | Sequence[SpatialImage] | None = None,
    threshold: float | None = None,
    overlay_cmap: "str | Colormap | None" = None,
    overlay_vmax: float | None = None,
    convention: str = "neurological",
    interpolation: str | None = None,
) -> "Picture":
    """Draw several parallel slices of one image, or of several, one row for each.

    Parameters
    ----------
    images : nibabel.spatialimages.SpatialImage or sequence of them
        One 3-D image, several of them, or one 4-D image together with `volumes`. All rows show
        the same places of the world, in one scale.
    plane : {"axial", "coronal", "sagittal"}
        Which way to cut.
    n_slices : int, optional
        How many slices to spread over what is to be seen in the first image. Default: 12 of one
        image, 6 of each of several.
    at_mm : (n,) array-like, optional
        Where to cut instead, along z (axial), y (coronal) or x (sagittal), in mm.
    volumes : sequence of int, optional
        Which volumes of a 4-D image to draw, one row for each.
    row_titles : sequence of str, optional
        Stand on the left of the rows. Default: the numbers of the volumes, if there are any.
    cmap, vmin, vmax, title, threshold, overlay_cmap, overlay_vmax, convention, interpolation
        As in :func:`plot_slices`.
    overlay : nibabel.spatialimages.SpatialImage or sequence of them, optional
        One 3-D image to draw on top of all rows, or one for each.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Its first axes are the slices, row by row, in mm.

    Raises
    ------
    PictureError
        If it cannot be drawn as asked, for example a 4-D image without `volumes`.

    See Also
    --------
    plot_slices : three slices through one point.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_run
    >>> figure = plot_montage(make_run(), volumes=[0, 10], at_mm=[-20, 4, 28])
    >>> print(figure.description)
    Axial slices of 2 images of 20 x 24 x 20 voxels (volume 0, volume 10), at
    z = -20, 4, 28 mm. The patient's left is on the left.
    """
    from neuroprimer.imaging.pictures.figures import Frame, stack_layers
    from neuroprimer.imaging.pictures.layouts import draw_tiles, in_mm

    _require_one_of(SIDES, convention, "convention")
    _require_one_of(PLANES, plane, "plane")
    drawn, names = _open_rows(images, volumes, row_titles, interpolation)
    rows = stack_layers(
        drawn,
        [] if overlay is None else [open_volume(part) for part in _as_list(overlay)],
        scale={"cmap": cmap, "vmin": vmin, "vmax": vmax},
        overlay_scale={"cmap": overlay_cmap, "vmax": overlay_vmax},
        threshold=threshold,
    )
    boxes_mm = np.array([volume.box_mm() for volume in drawn])
    box_mm = np.stack([boxes_mm[:, 0].min(axis=0), boxes_mm[:, 1].max(axis=0)])
    if at_mm is None:
        cuts_mm = spread_over(drawn[0], plane, _require_some(n_slices, len(drawn)))
    else:
        cuts_mm = _require_places(at_mm, n_slices, plane, box_mm)
    where = f"{'xyz'[PLANES[plane][0]]} = {', '.join(map(in_mm, cuts_mm))}"
    frame = Frame(
        box_mm=_widen(box_mm),
        is_radiological=convention == "radiological",
        title=title,
        description=_describe(
            title, f"{plane.capitalize()} slices", drawn, overlay, where, convention, names
        ),
    )
    return draw_tiles(rows, plane, cuts_mm, frame, names=names)


def view(
    image: SpatialImage,
    *,
    at_mm: ArrayLike | None = None,
    volume: int | None = None,
    cmap: "str | Colormap | None" = None,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str = "",
    overlay: SpatialImage | None = None,
    threshold: float | None = None,
    convention: str = "neurological",
) -> "HTMLDocument":
    """Make a viewer in which one moves through the slices of an image with the mouse.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D, or 4-D together with `volume`.
    at_mm, volume, title, threshold, convention
        As in :func:`plot_slices`.
    cmap, vmin, vmax
        As in :func:`plot_slices`, but for the overlay if there is one.
    overlay : nibabel.spatialimages.SpatialImage, optional
        A 3-D map to draw on top.

    Returns
    -------
    viewer : nilearn.plotting.html_document.HTMLDocument
        A notebook shows it when a cell ends in it; ``viewer.save_as_html(path)`` writes a page
        that needs no network.

    Raises
    ------
    PictureError
        If it cannot be drawn as asked.

    Notes
    -----
    The viewer is the one of ``nilearn.plotting.view_img``, which resamples oblique images, and
    overlays that lie on another grid, for display.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_head
    >>> "brainsprite" in view(make_head(), at_mm=(34, 22, 26)).html
    True
    """
    from nilearn.plotting import view_img

    from neuroprimer.imaging.pictures.colours import choose_colours

    _require_one_of(SIDES, convention, "convention")
    drawn = open_volume(image, volume=volume)
    point_mm = middle_mm(drawn) if at_mm is None else _require_point(drawn, at_mm)
    top = drawn if overlay is None else open_volume(overlay)
    colours = choose_colours(
        [top], cmap=cmap, vmin=vmin, vmax=vmax, threshold=threshold, is_overlay=top is not drawn
    )
    return view_img(
        _as_numbers(top),
        bg_img=False if top is drawn else _as_numbers(drawn),
        cut_coords=point_mm,
        title=title or None,
        threshold=colours.threshold or None,
        # a mask has a single colour, but nilearn's maps begin at two
        cmap=colours.colour_map.resampled(max(colours.colour_map.N, 2)),
        vmin=colours.vmin,
        vmax=colours.vmax,
        symmetric_cmap=False,
        colorbar=not top.is_label,
        black_bg=True,
        resampling_interpolation="nearest" if top.is_label else "continuous",
        radiological=convention == "radiological",
    )


def _as_numbers(volume: Volume) -> nib.Nifti1Image:
    """Return a volume as an image of float32 without NaN, which the viewer can take."""
    voxels = np.nan_to_num(volume.voxels.astype(np.float32), posinf=0, neginf=0)
    return nib.Nifti1Image(voxels, volume.grid.affine)


def _require_one_of(options: Collection[str], choice: str, name: str) -> None:
    if choice not in options:
        raise PictureError(
            f"{choice!r} is no {name}; expected one of {', '.join(options)}.",
            hint=f"For example {name}={next(iter(options))!r}.",
        )


def _require_some(n_slices: int | None, n_rows: int) -> int:
    if n_slices is None:
        return SLICES_OF_ONE if n_rows == 1 else SLICES_OF_SEVERAL
    if require_whole(n_slices, "A number of slices") < 1:
        raise PictureError(f"{n_slices} slices cannot be drawn.", hint="Ask for at least one.")
    return n_slices


def _require_numbers(at_mm: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(at_mm, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PictureError(
            f"Places are numbers in mm, but at_mm is {at_mm!r}.",
            hint="For example at_mm=[0, 0, 0].",
        ) from error


def _require_point(volume: Volume, at_mm: ArrayLike) -> tuple[float, float, float]:
    """Return a point of the world if the image reaches as far as that."""
    point_mm = _require_numbers(at_mm)
    if point_mm.shape != (3,):
        raise PictureError(
            f"A point of the world has three coordinates, but at_mm is {at_mm!r}.",
            hint="Pass x, y and z in mm.",
        )
    for axis in range(3):
        _require_reach(volume.box_mm()[:, axis], point_mm[axis], "xyz"[axis])
    x, y, z = point_mm.tolist()
    return x, y, z


def _require_places(
    at_mm: ArrayLike, n_slices: int | None, plane: str, box_mm: NDArray[np.float64]
) -> tuple[float, ...]:
    """Return places along the axis that stands upright on a plane, if images reach so far."""
    axis = PLANES[plane][0]
    places_mm = np.atleast_1d(_require_numbers(at_mm))
    if places_mm.ndim != 1 or not places_mm.size or n_slices is not None:
        raise PictureError(
            "Where to cut is either a row of places or a number of slices to spread, but at_mm is "
            f"{at_mm!r} and n_slices is {n_slices}.",
            hint=f"Pass at_mm=[-20, 0, 20], in mm along {'xyz'[axis]}, or n_slices=6.",
        )
    for place_mm in places_mm:
        _require_reach(box_mm[:, axis], place_mm, "xyz"[axis])
    return tuple(places_mm.tolist())


def _require_reach(limits_mm: NDArray[np.float64], at_mm: float, name: str) -> None:
    low, high = limits_mm
    if not low <= at_mm <= high:
        raise PictureError(
            f"There is nothing at {name} = {at_mm:g} mm: the image reaches from {name} = {low:g} "
            f"to {high:g}.",
            hint="Places are in mm of the world. If this is a voxel index, "
            "voxel_to_world(image.affine, ijk) turns it into mm.",
        )


def _open_rows(
    images: SpatialImage | Sequence[SpatialImage],
    volumes: Sequence[int] | None,
    row_titles: Sequence[str] | None,
    interpolation: str | None,
) -> tuple[list[Volume], list[str]]:
    """Return one volume for each row of a montage, and the titles of the rows."""
    many, chosen = _as_list(images), None if volumes is None else list(volumes)
    if chosen is None:
        rows = [open_volume(image, interpolation=interpolation) for image in many]
    elif len(many) == 1:
        rows = [open_volume(many[0], volume=n, interpolation=interpolation) for n in chosen]
    else:
        raise PictureError(
            f"volumes= chooses from one 4-D image, but there are {len(many)} images.",
            hint="Pass one image, or take image.slicer[..., number] of each.",
        )
    if not rows:
        raise PictureError("There is no image to draw.", hint="Pass at least one.")
    names = [f"volume {n}" for n in chosen or ()] if row_titles is None else list(row_titles)
    if names and len(names) != len(rows):
        raise PictureError(
            f"There are {len(rows)} rows, but {len(names)} titles for them.",
            hint="Pass one title for each row.",
        )
    return rows, names


def _as_list(images: SpatialImage | Sequence[SpatialImage]) -> list[SpatialImage]:
    return list(images) if isinstance(images, Iterable) else [images]


def _widen(box_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a box no side of which is so short that its slices could not be read."""
    size_mm = box_mm[1] - box_mm[0]
    missing_mm = np.maximum(size_mm.max() * THINNEST - size_mm, 0)
    return box_mm + np.outer([-0.5, 0.5], missing_mm)


def _describe(
    title: str,
    what: str,
    volumes: Sequence[Volume],
    overlay: object,
    where: str,
    convention: str,
    names: Sequence[str] = (),
) -> str:
    """Say in words what is to be seen."""
    shapes = {" x ".join(map(str, volume.grid.shape)) for volume in volumes}
    image = "an image" if len(volumes) == 1 else f"{len(volumes)} images"
    voxels = f" of {shapes.pop()} voxels" if len(shapes) == 1 else ""
    named = f" ({', '.join(names)})" if names else ""
    on_top = "" if overlay is None else " with an overlay"
    first = f"{title.rstrip('.')}. " if title else ""
    sentence = f"{what} of {image}{voxels}{named}{on_top}, at {where} mm."
    return f"{first}{sentence} {SIDES[convention]}"
