"""BrainData: many images as one table, images x voxels."""

from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

from neuroprimer.imaging.engine.finite import NanPolicy, fill_masked, settle_nan
from neuroprimer.imaging.files.images import ImageSource
from neuroprimer.imaging.files.saving import save_image
from neuroprimer.imaging.pictures.plotting import plot_montage, view
from neuroprimer.imaging.space.grids import Grid, require_same_grid
from neuroprimer.imaging.tables.annotations import (
    BrainDataError as BrainDataError,  # and what they raise
)
from neuroprimer.imaging.tables.annotations import BrainDataIndexError as BrainDataIndexError
from neuroprimer.imaging.tables.annotations import (
    Index,
    append_tables,
    find_rows,
    find_step,
    make_table,
)
from neuroprimer.imaging.tables.annotations import Table as Table
from neuroprimer.imaging.tables.masking import float_dtype, unmask
from neuroprimer.imaging.tables.masks import Mask, require_mask, same_mask
from neuroprimer.imaging.tables.reductions import Axis as Axis  # what its methods take
from neuroprimer.imaging.tables.reductions import Reducible
from neuroprimer.imaging.tables.stacking import (
    ImageRows,
    Images,
    Progress,
    agreed_time_s,
    stack_rows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Params = ParamSpec("Params")
Result = TypeVar("Result")

# How many images plot() draws if it is not told.
MOST_DRAWN = 5

# How many columns of a table a repr names.
MOST_NAMED = 8


class BrainData(Reducible):
    """Many images as one table: a row for each image, a column for each voxel in the mask.

    Parameters
    ----------
    images : path, image, iterable of these, BrainData, list of these, or 2-D array
        3-D images become one row each, 4-D images one row for each volume. They must lie on one
        grid: nothing is resampled. An array of shape (n_images, n_voxels) needs a mask, and is
        copied. Several BrainData are put one after another.
    mask : str, path-like, image or Mask, optional
        Zeros and ones on the grid of the images. Default: the voxels that are not zero in at
        least one image; of BrainData, those that it has, of which a mask may choose some.
    X, Y : pandas.DataFrame, Series, mapping or array-like, optional
        What is known of each image, one row for each: by custom the design in `X`, what is to be
        predicted in `Y`. They follow indexing and appending.
    tr_s : float, optional
        Time between two images, in seconds. Default: what the header of a 4-D image says.
    nan : {"raise", "omit", "zero"}
        What to do about voxels that are NaN or infinite: refuse them, take them out of the mask,
        or take zero for them.
    progress : callable, optional
        Called with the number of images read so far, and of all (or None).

    Attributes
    ----------
    data : (n_images, n_voxels) array
        Read-only, since slices share it. float32, or float64 where float32 would round.
    mask : nibabel.Nifti1Image
        Where the voxels are.
    grid : Grid
        Shape and affine of the images.
    tr_s : float or None
        Time between two images, in seconds. ``data[::2]`` has twice as much, and None is what is
        left when images are chosen at uneven distances, or have become one, as in ``mean()``.
    X, Y : pandas.DataFrame
        One row for each image; no column when nothing is known. An index chooses rows by their
        place, whatever the tables call them.

    Raises
    ------
    GridMismatchError
        If images and mask do not lie on one grid.
    NotANumberError
        If voxels are NaN or infinite and `nan` is "raise".
    NoImagesError
        If there is no image.
    MaskError
        If the mask is none, or there is none and all images are zero.
    BrainDataError
        If an array does not fit to the mask, or a table to the images.

    See Also
    --------
    make_like : the same mask and tables around new numbers.

    Notes
    -----
    There are always two axes, also for a single image, whose `len` is 1. Methods are what a table
    of images can do by itself; analyses are functions that take and return BrainData, as in
    ``data.pipe(smooth, fwhm_mm=6).pipe(ttest)``.

    Operators take a number, an array with one number for each image, or BrainData of as many
    images or of one. ``==`` asks whether two names mean the same object; numbers are compared with
    ``numpy.array_equal(one.data, other.data)``. numpy takes BrainData for its table of numbers.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> maps = BrainData(make_maps(3))
    >>> len(maps), maps.mean().shape == (1, maps.shape[1])
    (3, True)
    """

    _mask: Mask
    _data: NDArray[Any]
    _X: pd.DataFrame
    _Y: pd.DataFrame
    _tr_s: float | None

    def __init__(
        self,
        images: "Images | BrainData | Sequence[BrainData] | NDArray[Any]",
        mask: ImageSource | Mask | None = None,
        *,
        X: Table | None = None,
        Y: Table | None = None,
        tr_s: float | None = None,
        nan: NanPolicy = "raise",
        progress: Progress | None = None,
    ) -> None:
        known = None if mask is None else require_mask(mask)
        parts = _list_braindata(images)
        if parts:
            joined = _concatenate(parts)
            rows = _choose_voxels(joined, known)
            X, Y = (joined.X if X is None else X), (joined.Y if Y is None else Y)
        elif isinstance(images, np.ndarray) and images.dtype.kind in "biufc":
            rows = _copy_rows(images, known)
        else:
            rows = stack_rows(cast("Images", images), known, progress=progress)
        values, left = settle_nan(rows.values, nan)
        mask = rows.mask if left is None else rows.mask.choose(left)
        self._hold(values, mask, X=X, Y=Y, tr_s=rows.tr_s if tr_s is None else tr_s)

    def _hold(
        self,
        data: NDArray[Any],
        mask: Mask,
        *,
        X: Table | None,
        Y: Table | None,
        tr_s: float | None,
    ) -> None:
        self._mask = mask
        # a view, so that an array of someone else's can be written to as before
        self._data = data[:]
        self._data.flags.writeable = False
        self.tr_s = tr_s
        self.X = X
        self.Y = Y

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._data.flags.writeable = False  # neither pickle nor deepcopy keeps that

    @property
    def data(self) -> NDArray[Any]:
        """The numbers, (n_images, n_voxels), read-only."""
        return self._data

    @property
    def mask(self) -> nib.Nifti1Image:
        """The mask as an image of zeros and ones."""
        return self._mask.to_image()

    @property
    def grid(self) -> Grid:
        """The grid that the images lie on."""
        return self._mask.grid

    @property
    def shape(self) -> tuple[int, int]:
        """Number of images, number of voxels."""
        n_images, n_voxels = self._data.shape
        return n_images, n_voxels

    @property
    def tr_s(self) -> float | None:
        """Time between two images in seconds, or None."""
        return self._tr_s

    @tr_s.setter
    def tr_s(self, tr_s: float | None) -> None:
        try:
            time_s = None if tr_s is None else float(tr_s)
        except (TypeError, ValueError):
            time_s = np.nan
        if time_s is not None and not 0 < time_s < np.inf:
            raise BrainDataError(
                f"{tr_s!r} is no time between two images.",
                hint="Pass a number of seconds, or None if the images are no series in time.",
            )
        self._tr_s = time_s

    @property
    def X(self) -> pd.DataFrame:
        """What is known of each image: the design."""
        return self._X

    @X.setter
    def X(self, table: Table | None) -> None:
        self._X = make_table(table, len(self), "X")

    @property
    def Y(self) -> pd.DataFrame:
        """What is known of each image: what is to be predicted."""
        return self._Y

    @Y.setter
    def Y(self, table: Table | None) -> None:
        self._Y = make_table(table, len(self), "Y")

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        n_images, n_voxels = self.shape
        images = "image" if n_images == 1 else "images"
        time = "" if self.tr_s is None else f", one every {self.tr_s:g} s"
        columns = "".join(
            f", {name}: {', '.join(map(str, table.columns[:MOST_NAMED]))}"
            + ", ..." * (len(table.columns) > MOST_NAMED)
            for name, table in (("X", self.X), ("Y", self.Y))
            if len(table.columns)
        )
        return (
            f"BrainData: {n_images} {images} x {n_voxels} voxels, {self._data.dtype}{time}{columns}"
            f"\n{self.grid}"
        )

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._data, dtype, copy=copy)

    def __iter__(self) -> Iterator["BrainData"]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: Index) -> "BrainData":
        rows = find_rows(index, len(self))
        step = find_step(rows, len(self))
        tr_s = None if self.tr_s is None or step is None else self.tr_s * step
        tables = {"X": self.X.iloc[rows], "Y": self.Y.iloc[rows]}
        return make_like(self, self._data[rows], tr_s=tr_s, **tables)

    def __add__(self, other: Any) -> "BrainData":
        return self._combine(np.add, other)

    def __radd__(self, other: Any) -> "BrainData":
        return self._combine(np.add, other)

    def __sub__(self, other: Any) -> "BrainData":
        return self._combine(np.subtract, other)

    def __rsub__(self, other: Any) -> "BrainData":
        return self._combine(lambda own, number: number - own, other)

    def __mul__(self, other: Any) -> "BrainData":
        return self._combine(np.multiply, other)

    def __rmul__(self, other: Any) -> "BrainData":
        return self._combine(np.multiply, other)

    def __truediv__(self, other: Any) -> "BrainData":
        return self._combine(np.divide, other)

    def __rtruediv__(self, other: Any) -> "BrainData":
        return self._combine(lambda own, number: number / own, other)

    # numpy and pandas leave operators with an array or a column on the left to the methods above
    __array_ufunc__ = None
    __pandas_priority__ = 5000

    def _combine(self, operation: Callable[..., NDArray[Any]], other: Any) -> "BrainData":
        """Apply an operation to each number and the one that belongs to it."""
        longer = self
        if isinstance(other, BrainData):
            _require_same_mask(self._mask, other._mask, "combine the images")
            longer = other if len(self) == 1 else self
        return make_like(longer, operation(self._data, _require_operand(self, other)))

    def _make_image(self, row: NDArray[np.float64]) -> "BrainData":
        return make_like(self, row[np.newaxis], X=None, Y=None, tr_s=None)

    def copy(self) -> "BrainData":
        """Return BrainData of its own: numbers and tables are copied.

        Returns
        -------
        copied : BrainData
            Equal to this one.
        """
        return make_like(self, self._data.copy(), X=self.X.copy(), Y=self.Y.copy())

    def append(self, other: "BrainData") -> "BrainData":
        """Return these images followed by others.

        Parameters
        ----------
        other : BrainData
            With the same mask, and the same columns in X and Y.

        Returns
        -------
        longer : BrainData
            The rows of X and Y are numbered anew. The repetition time stays where both have the
            same or one has none.

        Raises
        ------
        BrainDataError
            If masks, columns or repetition times differ.

        See Also
        --------
        BrainData : puts a whole list of BrainData one after another.
        """
        return _concatenate([self, other])

    def to_image(self) -> nib.Nifti1Image:
        """Return the images in space, zero outside the mask.

        Returns
        -------
        image : nibabel.Nifti1Image
            3-D for a single image, else 4-D, with the repetition time in its header.
        """
        values = self._data[0] if len(self) == 1 else self._data
        return unmask(values, self._mask, tr_s=self.tr_s)

    def to_nifti(self) -> nib.Nifti1Image:
        """Do the same as `to_image`, under the name that the tutorial uses.

        Returns
        -------
        image : nibabel.Nifti1Image
            3-D for a single image, else 4-D.
        """
        return self.to_image()

    def write(self, path: str | PathLike[str]) -> Path:
        """Write the images to one file. X and Y are not part of it.

        Parameters
        ----------
        path : str or path-like
            A name that ends in .nii or .nii.gz.

        Returns
        -------
        path : pathlib.Path
            The file. It keeps the type of the numbers.
        """
        return save_image(self.to_image(), path, dtype=self._data.dtype)

    def plot(self, *, volumes: Sequence[int] | None = None, **options: Any) -> "Figure":
        """Draw axial slices, one row for each image.

        Parameters
        ----------
        volumes : sequence of int, optional
            Which images to draw. Default: the first five.
        **options
            Passed on to `plot_montage`.

        Returns
        -------
        figure : matplotlib.figure.Figure
            It is returned, not shown; a notebook shows what the last line of a cell returns.
        """
        chosen = range(min(len(self), MOST_DRAWN)) if volumes is None else list(volumes)
        titles = {"row_titles": [f"image {number}" for number in chosen]} if len(self) > 1 else {}
        images = [self[number].to_image() for number in chosen]
        return plot_montage(images, **titles | options)

    def iplot(self, *, volume: int = 0, **options: Any) -> Any:
        """Show an image in a viewer in which one can click.

        Parameters
        ----------
        volume : int
            Which image.
        **options
            Passed on to `view`.

        Returns
        -------
        viewer : object
            A notebook shows it; its ``save_as_html`` makes a page of it.
        """
        return view(self[volume].to_image(), **options)

    def pipe(
        self,
        function: Callable[Concatenate["BrainData", Params], Result],
        *arguments: Params.args,
        **options: Params.kwargs,
    ) -> Result:
        """Call a function with these images as its first argument.

        Parameters
        ----------
        function : callable
            For example `smooth`.
        *arguments, **options
            Passed on to it.

        Returns
        -------
        result : object
            What the function returns, so that calls can be chained.

        Examples
        --------
        >>> from neuroprimer.imaging.phantoms import make_maps
        >>> BrainData(make_maps(4)).pipe(len)
        4
        """
        return function(self, *arguments, **options)


class _Keep:
    """Marks what is to stay as it is."""


KEEP = _Keep()


def make_like(
    brain: BrainData,
    data: NDArray[Any],
    *,
    X: Table | _Keep | None = KEEP,
    Y: Table | _Keep | None = KEEP,
    tr_s: float | _Keep | None = KEEP,
) -> BrainData:
    """Return new numbers within the mask of existing images.

    Parameters
    ----------
    brain : BrainData
        Where mask, tables and repetition time come from.
    data : (n_images, n_voxels) array
        The new numbers.
    X, Y : table, optional
        New tables; None for none. Default: those of `brain`, which needs as many images.
    tr_s : float, optional
        A new repetition time; None for none.

    Returns
    -------
    made : BrainData
        It shares the mask and, where nothing has to be copied, the numbers.

    Raises
    ------
    BrainDataError
        If the number of voxels is another one, or tables have another number of rows.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> maps = BrainData(make_maps(3))
    >>> make_like(maps, np.sqrt(np.abs(maps.data))).shape == maps.shape
    True
    """
    made = BrainData.__new__(BrainData)
    made._hold(
        _require_rows(data, brain._mask),
        brain._mask,
        X=brain.X if isinstance(X, _Keep) else X,
        Y=brain.Y if isinstance(Y, _Keep) else Y,
        tr_s=brain.tr_s if isinstance(tr_s, _Keep) else tr_s,
    )
    return made


def _list_braindata(images: Any) -> list[BrainData]:
    """Return BrainData given by itself or in a list; nothing for images of another kind."""
    if isinstance(images, BrainData):
        return [images]
    is_list = isinstance(images, list | tuple)
    return list(images) if is_list and any(isinstance(p, BrainData) for p in images) else []


def _concatenate(parts: Sequence[BrainData]) -> BrainData:
    """Return the images of several BrainData, one after another."""
    others = {type(part).__name__ for part in parts if not isinstance(part, BrainData)}
    if others:
        raise BrainDataError(
            f"Cannot put BrainData and {', '.join(sorted(others))} into one table.",
            hint="Make BrainData of the other first, with the same mask.",
        )
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts[1:]:
        _require_same_mask(first._mask, part._mask, "append the images")
    times = [part.tr_s for part in parts if part.tr_s is not None]
    tr_s = agreed_time_s(times)
    if times and tr_s is None:
        raise BrainDataError(
            f"Cannot append images taken every {max(times):g} s to images taken every "
            f"{min(times):g} s.",
            hint="Bring both to one repetition time with temporal_resample(), or set tr_s of one "
            "to None if they are no series in time.",
        )
    return make_like(
        first,
        np.concatenate([part.data for part in parts]),
        X=append_tables([part.X for part in parts], "X"),
        Y=append_tables([part.Y for part in parts], "Y"),
        tr_s=tr_s,
    )


def _choose_voxels(brain: BrainData, mask: Mask | None) -> ImageRows:
    """Return the numbers within a mask that chooses some of the voxels of images."""
    if mask is None or same_mask(brain._mask, mask):
        return ImageRows(values=brain.data, mask=brain._mask, tr_s=brain.tr_s)
    require_same_grid(brain.grid, mask.grid, what="Cannot apply the mask")
    n_missing = int(np.count_nonzero(mask.inside & ~brain._mask.inside))
    if n_missing:
        raise BrainDataError(
            f"Cannot apply the mask: of its {mask.n_voxels} voxels, {n_missing} are not among the "
            f"{brain.shape[1]} of the images.",
            hint="intersection_mask([data.mask, mask]) leaves those that are. For all, make "
            "BrainData from the files with this mask.",
        )
    values = brain.data[:, brain._mask.take(mask.inside)]
    return ImageRows(values=values, mask=mask, tr_s=brain.tr_s)


def _copy_rows(values: NDArray[Any], mask: Mask | None) -> ImageRows:
    """Return a copy of an array as rows of a mask, or say why it is none."""
    if mask is None:
        raise BrainDataError(
            f"An array of shape {values.shape} does not say where its voxels lie.",
            hint="Pass the mask, too: BrainData(array, mask). A 3-D or 4-D array becomes an image "
            "with nibabel.Nifti1Image(array, affine).",
        )
    rows = _require_rows(fill_masked(values), mask)
    return ImageRows(values=rows.copy(), mask=mask, tr_s=None)


def _require_rows(values: NDArray[Any], mask: Mask) -> NDArray[Any]:
    if values.ndim != 2 or values.shape[1] != mask.n_voxels or values.dtype.kind not in "biuf":
        raise BrainDataError(
            f"Expected an array of real numbers of shape (n_images, {mask.n_voxels}), but this one "
            f"has shape {values.shape} and type {values.dtype}.",
            hint="One image is array[numpy.newaxis].",
        )
    return values.astype(float_dtype(values.dtype), copy=False)


def _require_same_mask(one: Mask, other: Mask, deed: str) -> None:
    require_same_grid(one.grid, other.grid, what=f"Cannot {deed}")
    if not same_mask(one, other):
        n_shared = int(np.count_nonzero(one.inside & other.inside))
        raise BrainDataError(
            f"Cannot {deed}: their masks differ. {one.n_voxels} voxels against {other.n_voxels}, "
            f"{n_shared} in common.",
            hint="Choose the voxels of both with one mask: "
            "shared = intersection_mask([one.mask, other.mask]), then BrainData(one, shared).",
        )


def _require_operand(brain: BrainData, other: Any) -> Any:
    """Return the second operand, with a shape that fits to the table."""
    n_images = len(brain)
    if isinstance(other, BrainData):
        if len(other) not in (n_images, 1) and n_images != 1:
            raise BrainDataError(
                f"Cannot combine {n_images} images with {len(other)}.",
                hint="Expected as many, or one image that goes with each of the others.",
            )
        return other.data
    if isinstance(other, Real):
        return float(other)
    try:
        numbers = np.asarray(other)
    except ValueError:  # a list of lists of different lengths
        numbers = np.asarray(None)
    if numbers.dtype.kind not in "biuf" or numbers.shape not in ((), (n_images,)):
        raise BrainDataError(
            f"Cannot combine {n_images} images with a {type(other).__name__}"
            + (f" of shape {numbers.shape}." if numbers.shape else "."),
            hint="Expected a number, one number for each image, or BrainData.",
        )
    if numbers.ndim == 0:
        return float(numbers)
    return numbers.astype(brain.data.dtype)[:, np.newaxis]
