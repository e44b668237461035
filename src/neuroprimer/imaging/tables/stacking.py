"""Stacking: many images read into one table, images x voxels."""

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, TypeAlias, cast

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.engine.finite import require_real
from neuroprimer.imaging.engine.workers import map_in_order
from neuroprimer.imaging.files.images import ImageSource, as_4d, load_image
from neuroprimer.imaging.files.times import RepetitionTimeError, repetition_time_s
from neuroprimer.imaging.files.voxels import load_voxels, loaded_dtype
from neuroprimer.imaging.space.grids import Grid, require_same_grid
from neuroprimer.imaging.tables.masking import float_dtype, require_on_grid
from neuroprimer.imaging.tables.masks import Mask, MaskError

Images: TypeAlias = ImageSource | Iterable[ImageSource]
Progress: TypeAlias = Callable[[int, int | None], None]

# Headers hold times in float32, of milliseconds or of seconds: the same time, read from two of
# them, differs by less than this.
SAME_TIME_S = 1e-4

# Opened images that wait for a thread. Their voxels are still in their files.
N_OPENED_AHEAD = 2


class NoImagesError(NeuroprimerError, ValueError):
    """An empty list where images were expected.

    Examples
    --------
    >>> from glob import glob
    >>> from neuroprimer.imaging import mean_image
    >>> mean_image(glob("no_such_folder/*.nii.gz"))
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.tables.stacking.NoImagesError: There is no image to look
    at: the list is empty. Does the pattern that lists the files match any?
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageRows:
    """Images x voxels, with what their headers say.

    Parameters
    ----------
    values : (n_images, n_voxels) array
        float32, or float64 where float32 would round.
    mask : Mask
        Where the voxels lie.
    tr_s : float or None
        The repetition time that all runs agree on.
    """

    values: NDArray[Any]
    mask: Mask
    tr_s: float | None


def stack_rows(
    images: Images, mask: Mask | None = None, *, progress: Progress | None = None
) -> ImageRows:
    """Read images, in order, into one table of their voxels.

    Files are read and inflated on several cores, straight into the rows of the table, so that
    hardly more memory is needed than for the table itself.

    Parameters
    ----------
    images : path, image, or iterable of these
        3-D images become one row each, 4-D images one row for each volume. An iterator is drawn
        from as images are needed, if there is a mask.
    mask : Mask, optional
        The voxels wanted. Default: those that are not zero in at least one image, which are
        looked for in a first pass over the images.
    progress : callable, optional
        Called with the number of images read so far and the number of all, or None for an
        iterator that does not know.

    Returns
    -------
    rows : ImageRows
        The table.

    Raises
    ------
    NoImagesError
        If there is no image.
    GridMismatchError
        If an image lies on another grid than the mask or the first image; it names the file.
    MaskError
        If there is no mask and all images are zero everywhere.

    Examples
    --------
    >>> import nibabel as nib
    >>> run = nib.Nifti1Image(np.ones((2, 2, 2, 5), np.float32), np.eye(4))
    >>> stack_rows([run, run]).values.shape
    (10, 8)
    """
    sources = list_images(images)
    n_known = len(sources) if isinstance(sources, Sized) else None
    if mask is None:
        # what is read twice: an open file can be read but once
        sources = tuple(load_image(part) if hasattr(part, "read") else part for part in sources)
        mask = _require_nonzero(find_nonzero_mask(sources))
    where = mask
    table = _GrowingTable(n_voxels=where.n_voxels, n_expected=n_known or 1)

    def open_next(source: ImageSource) -> tuple[SpatialImage, _Rows]:
        image = load_image(source)
        require_on_grid(image, where, f"stack {name_image(image)} with the others")
        # most are single volumes: there is nothing to repair, and another image would cost time
        run = image if image.ndim == 3 and 0 not in image.shape else open_run(image)
        n_volumes = run.shape[3] if run.ndim == 4 else 1
        return run, table.reserve(n_volumes, float_dtype(loaded_dtype(run.dataobj)))

    def read(opened: tuple[SpatialImage, _Rows]) -> tuple[SpatialImage, _Rows]:
        run, rows = opened
        voxels = load_voxels(run)
        where.take_volumes(voxels.reshape(*voxels.shape[:3], -1, order="A"), out=rows.values)
        return opened

    times: list[float | None] = []
    filled = map_in_order(read, map(open_next, sources), n_ahead=N_OPENED_AHEAD)
    for n_read, (image, rows) in enumerate(filled, start=1):
        table.keep(rows)
        times.append(find_repetition_time_s(image))
        if progress is not None:
            progress(n_read, n_known)
    return ImageRows(values=table.finish(), mask=mask, tr_s=agreed_time_s(times))


def list_images(images: Images) -> Iterable[ImageSource]:
    """Return images as something to go through, whether there is one or there are many.

    Parameters
    ----------
    images : path, image, or iterable of these
        Also an array of paths, as a column of a table has.

    Returns
    -------
    sources : iterable of path or image
        A list of one for a single image.

    Examples
    --------
    >>> list_images("run.nii.gz"), list_images(np.array(["a.nii", "b.nii"]))
    (['run.nii.gz'], ['a.nii', 'b.nii'])
    """
    if is_one_image(images):
        return [cast("ImageSource", images)]
    if isinstance(images, np.ndarray):
        return cast("list[ImageSource]", images.tolist())
    return cast("Iterable[ImageSource]", images)


def is_one_image(images: Any) -> bool:
    """Tell one image, or the place of one, from many.

    Parameters
    ----------
    images : object
        A path, an open file, an image, or an iterable of these.

    Returns
    -------
    is_one : bool
        True for a single one, whatever its number of volumes, and for what cannot be gone
        through.

    Examples
    --------
    >>> is_one_image("run.nii.gz"), is_one_image(["run.nii.gz"])
    (True, False)
    """
    is_place = isinstance(images, str | PathLike | SpatialImage) or hasattr(images, "read")
    return is_place or not isinstance(images, Iterable)


def name_image(image: SpatialImage) -> str:
    """Return the file of an image, for a message.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        From a file or in memory.

    Returns
    -------
    name : str
        Its path, or words for an image that has none.

    Examples
    --------
    >>> import nibabel as nib
    >>> name_image(nib.Nifti1Image(np.ones((2, 2, 2)), np.eye(4)))
    'an image'
    """
    return image.get_filename() or "an image"


def open_run(image: ImageSource) -> SpatialImage:
    """Open an image as a run of at least one volume.

    Parameters
    ----------
    image : path or image
        With three axes or more.

    Returns
    -------
    run : nibabel.spatialimages.SpatialImage
        With four axes. Its voxels are not read.

    Raises
    ------
    NoImagesError
        If there is no volume in it.
    ImageShapeError
        If it is no run.

    Examples
    --------
    >>> import nibabel as nib
    >>> open_run(nib.Nifti1Image(np.ones((2, 2, 2)), np.eye(4))).shape
    (2, 2, 2, 1)
    """
    opened = load_image(image)
    if 0 in opened.shape:
        raise NoImagesError(
            f"There is nothing in {name_image(opened)}: its shape is {opened.shape}.",
            hint="Was an index true for none of its volumes?",
        )
    return as_4d(opened)


def find_nonzero_mask(sources: Sequence[ImageSource]) -> Mask:
    """Return the voxels that are not zero in at least one volume of any image.

    Parameters
    ----------
    sources : sequence of path or image
        On one grid.

    Returns
    -------
    mask : Mask
        May be empty. NaN is not zero.

    Raises
    ------
    NoImagesError
        If there is no image.
    GridMismatchError
        If one lies on another grid than the first.

    Examples
    --------
    >>> import nibabel as nib
    >>> find_nonzero_mask([nib.Nifti1Image(np.eye(3, dtype=np.uint8)[None], np.eye(4))]).n_voxels
    3
    """
    if not sources:
        raise _no_images()
    grid = Grid.of(load_image(sources[0]))

    def find_nonzero(source: ImageSource) -> NDArray[np.bool_]:
        image = load_image(source)
        what = f"Cannot stack {name_image(image)} with the others"
        require_same_grid(Grid.of(image), grid, what=what)
        voxels = load_voxels(open_run(image))
        require_real(voxels.dtype)
        return np.asarray(voxels.any(axis=3))

    inside = np.zeros(grid.shape, dtype=bool)
    for nonzero in map_in_order(find_nonzero, sources):
        inside |= nonzero
    return Mask(grid=grid, inside=inside)


def _require_nonzero(mask: Mask) -> Mask:
    if mask.n_voxels == 0:
        raise MaskError(
            "Cannot find which voxels to look at: all images are zero everywhere.",
            hint="Are these the images that you wanted to load? If so, pass a mask.",
        )
    return mask


def find_repetition_time_s(image: SpatialImage) -> float | None:
    """Return the repetition time of a run in seconds, or None when there is none to believe.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        Any image.

    Returns
    -------
    tr_s : float or None
        Time between two volumes in seconds.

    Examples
    --------
    >>> import nibabel as nib
    >>> find_repetition_time_s(nib.Nifti1Image(np.ones((2, 2, 2)), np.eye(4))) is None
    True
    """
    try:
        return repetition_time_s(image)
    except RepetitionTimeError:
        return None


def agreed_time_s(times: Sequence[float | None]) -> float | None:
    """Return the repetition time that several images have in common, or None.

    Parameters
    ----------
    times : sequence of float or None
        One for each image.

    Returns
    -------
    tr_s : float or None
        The first of them, if all are the same up to the rounding of headers.

    Examples
    --------
    >>> agreed_time_s([2.2, 2.2000000477]), agreed_time_s([2.0, 2.2])
    (2.2, None)
    """
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times) or max(known) - min(known) > SAME_TIME_S:
        return None
    return known[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Rows of a table that one thread fills."""

    first: int
    values: NDArray[Any]


@dataclass(kw_only=True)
class _GrowingTable:
    """Rows reserved one after another in one block of memory, and filled by several threads."""

    n_voxels: int
    n_expected: int
    n_reserved: int = 0
    n_kept: int = 0
    values: NDArray[Any] = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def reserve(self, n_new: int, dtype: np.dtype[Any]) -> _Rows:
        """Return the next `n_new` rows, which a thread may fill at any time."""
        first, needed = self.n_reserved, self.n_reserved + n_new
        dtype = np.promote_types(dtype, self.values.dtype)
        if needed > len(self.values) or dtype != self.values.dtype:
            # Memory that is not written to costs nothing.
            ahead = 2 if needed > len(self.values) else 1
            n_rows = max(needed, self.n_expected, ahead * len(self.values))
            values = np.empty((n_rows, self.n_voxels), dtype)
            if self.n_kept:
                values[: self.n_kept] = self.values[: self.n_kept]
            self.values = values
        self.n_reserved = needed
        return _Rows(first=first, values=self.values[first:needed])

    def keep(self, rows: _Rows) -> None:
        """Take filled rows in, in the order in which they were reserved."""
        self.n_kept = rows.first + len(rows.values)
        # while a thread filled them, the table may have moved to a larger place
        if rows.values.base is not self.values:
            self.values[rows.first : self.n_kept] = rows.values

    def finish(self) -> NDArray[Any]:
        """Return all rows."""
        if self.n_kept == 0:
            raise _no_images()
        return self.values[: self.n_kept]


def _no_images() -> NoImagesError:
    return NoImagesError(
        "There is no image to look at: the list is empty.",
        hint="Does the pattern that lists the files match any?",
    )
