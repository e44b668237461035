"""Describing: what there is to know about an image before one works with it."""

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import is_proxy
from nibabel.spatialimages import HeaderDataError, SpatialImage
from numpy.typing import NDArray

from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.files.images import ImageShapeError, ImageSource, load_image, memory_bytes
from neuroprimer.imaging.files.times import RepetitionTimeError, repetition_time_s, stored_time
from neuroprimer.imaging.files.voxels import load_voxels, loaded_dtype
from neuroprimer.imaging.space.affines import (
    axis_codes,
    obliquity,
    require_invertible,
    voxel_to_world,
)
from neuroprimer.imaging.space.grids import Grid, corner_voxels
from neuroprimer.imaging.tables.sources import make_source

# Headers keep affines in float32, and a qform keeps a rotation as three numbers of a quaternion:
# two forms that mean the same place differ by about this much.
FORM_TOLERANCE_MM = 0.01

BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, kw_only=True)
class FormDifference:
    """How far the two affines of a NIfTI header, qform and sform, lead apart.

    Parameters
    ----------
    angle_deg : float
        The rotation between them, in degrees.
    distance_mm : float
        The largest distance between the two places of a corner voxel, in mm.
    is_mirrored : bool
        Whether one of them mirrors what the other does not. The angle is then what is left when
        one voxel axis has been turned round.
    is_shear : bool
        Whether the qform is what is left of the sform without its shears, which a qform, made of
        a rotation and lengths, cannot hold. That is no contradiction.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> describe(f"{data_path}/example4d.nii.gz").forms.agrees
    True
    """

    angle_deg: float
    distance_mm: float
    is_mirrored: bool
    is_shear: bool

    @property
    def agrees(self) -> bool:
        """Whether both lead to the same places, as far as a header can tell."""
        return self.distance_mm <= FORM_TOLERANCE_MM


@dataclass(frozen=True, kw_only=True, repr=False)
class ImageDescription:
    """What there is to know about an image.

    Parameters
    ----------
    kind : str
        The format, as nibabel calls it.
    shape : tuple of int
        Lengths of the axes.
    dtype_on_disk : str or None
        The type of one voxel in the file; None for an image that is in memory.
    dtype_in_memory : str
        The type of one voxel as `load_voxels` gives it.
    slope, inter : float
        What numbers in the file are multiplied with, and what is added, on the way into memory.
    grid : Grid
        Shape and affine.
    axis_codes : str
        The directions in which the three indices grow.
    obliquity_deg : float
        The largest angle between a voxel axis and the nearest world axis, in degrees.
    tr_s : float or None
        Time between two volumes in seconds, if there is one to believe.
    tr_stored : tuple of float and str, or None
        The number in the header and the unit that it names, believable or not.
    tr_problem : str or None
        Why there is no time to believe.
    forms : FormDifference or None
        How far qform and sform lead apart, where a header has set both.
    form_codes : tuple of int or None
        The codes of qform and sform in a NIfTI header; 0 means that it was not set.
    n_nan : int or None
        Voxels that are NaN or infinite; None when they were not counted.
    memory : mapping of str to int
        Bytes needed for each way of reading the voxels.

    Examples
    --------
    >>> from pathlib import Path
    >>> from nibabel.testing import data_path
    >>> describe(Path(data_path) / "anatomical.nii").rows()[1]
    ('shape', '33 x 41 x 25')
    """

    kind: str
    shape: tuple[int, ...]
    dtype_on_disk: str | None
    dtype_in_memory: str
    slope: float
    inter: float
    grid: Grid
    axis_codes: str
    obliquity_deg: float
    tr_s: float | None
    tr_stored: tuple[float, str] | None
    tr_problem: str | None
    forms: FormDifference | None
    form_codes: tuple[int, int] | None
    n_nan: int | None
    memory: Mapping[str, int]

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return the description as pairs of a name and what it is here.

        Returns
        -------
        rows : tuple of pairs of str
            In the order of reading.
        """
        return tuple(
            (name, text)
            for name, text in (
                ("format", self.kind),
                ("shape", " x ".join(map(str, self.shape))),
                ("voxels", self._say_voxels()),
                ("grid", str(self.grid).removeprefix("Grid ")),
                ("axes", self._say_axes()),
                ("repetition time", self._say_time()),
                ("qform and sform", self._say_forms()),
                ("NaN or infinite", "not counted" if self.n_nan is None else f"{self.n_nan}"),
                *((f"memory, {way}", _say_bytes(size)) for way, size in self.memory.items()),
            )
            if text
        )

    def __repr__(self) -> str:
        rows = self.rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {text}" for name, text in rows)

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><th scope="row" style="text-align: left">{html.escape(name)}</th>'
            f'<td style="text-align: left">{html.escape(text)}</td></tr>'
            for name, text in self.rows()
        )
        return f"<table><caption>Image</caption><tbody>{cells}</tbody></table>"

    def _say_voxels(self) -> str:
        scaling = ""
        if (self.slope, self.inter) != (1, 0):
            scaling = f", times {self.slope:g} plus {self.inter:g} on the way into memory"
        on_disk = f"{self.dtype_on_disk} on disk, " if self.dtype_on_disk else ""
        return f"{on_disk}{self.dtype_in_memory} in memory{scaling}"

    def _say_axes(self) -> str:
        if self.obliquity_deg < 0.05:
            return f"{self.axis_codes}, straight"
        return f"{self.axis_codes}, oblique by up to {self.obliquity_deg:.1f} degrees"

    def _say_time(self) -> str:
        if self.tr_s is not None:
            stored = "{:g} {}".format(*self.tr_stored) if self.tr_stored else "nothing"
            return f"{self.tr_s:g} s, plausible; the header stores {stored}"
        return f"none to believe: {self.tr_problem}" if len(self.shape) > 3 else ""

    def _say_forms(self) -> str:
        if self.form_codes is None:
            return ""
        codes = "codes {} and {}".format(*self.form_codes)
        if self.forms is None:
            n_set = 2 - self.form_codes.count(0)
            return f"{codes}: " + ("neither is set", "only one is set", "one is damaged")[n_set]
        if self.forms.agrees:
            return f"{codes}: they agree"
        if self.forms.is_shear:
            return f"{codes}: they agree but for shears, which a qform cannot hold"
        mirrored = ", and one mirrors the other" if self.forms.is_mirrored else ""
        return (
            f"{codes}: apart by {self.forms.angle_deg:.2f} degrees and up to "
            f"{self.forms.distance_mm:.2f} mm{mirrored}; nibabel takes the sform"
        )


def describe(image: ImageSource, *, count_nan: bool = True) -> ImageDescription:
    """Tell what there is to know about an image.

    Parameters
    ----------
    image : str, path-like, binary file object or image
        What to describe.
    count_nan : bool
        Whether to look for voxels that are NaN or infinite. The file is read once for it, a part
        at a time; a file of whole numbers need not be read.

    Returns
    -------
    description : ImageDescription
        A terminal shows it as text, a notebook as a table.

    Raises
    ------
    ImageFileError
        If the image cannot be opened or, where voxels are counted, read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from nibabel.testing import data_path
    >>> found = describe(Path(data_path) / "example4d.nii.gz")
    >>> found.axis_codes, round(found.obliquity_deg, 1), found.forms.agrees
    ('LAS', 9.3, True)
    >>> found.tr_s is None, found.memory["get_fdata()"]
    (True, 4718592)
    """
    image = load_image(image)
    voxels: Any = image.dataobj
    in_memory = loaded_dtype(voxels)
    tr_s, tr_problem = _find_time(image)
    return ImageDescription(
        kind=type(image).__name__,
        shape=tuple(int(length) for length in image.shape),
        dtype_on_disk=_find_dtype_on_disk(image),
        dtype_in_memory=in_memory.name,
        slope=float(getattr(voxels, "slope", 1)),
        inter=float(getattr(voxels, "inter", 0)),
        grid=Grid.of(image),
        axis_codes="".join(axis_codes(image.affine)),
        obliquity_deg=float(np.degrees(obliquity(image.affine).max())),
        tr_s=tr_s,
        tr_stored=stored_time(image.header) if len(image.shape) > 3 else None,
        tr_problem=tr_problem,
        forms=_compare_forms(image),
        form_codes=_form_codes(image),
        n_nan=_count_nan(image) if count_nan else None,
        memory={
            "load_voxels()": memory_bytes(image, in_memory),
            "get_fdata()": memory_bytes(image),
            "one volume": memory_bytes(image, in_memory) // math.prod(image.shape[3:]),
        },
    )


def _find_dtype_on_disk(image: SpatialImage) -> str | None:
    if not is_proxy(image.dataobj):
        return None
    stored: np.dtype[Any] = image.get_data_dtype()
    return stored.newbyteorder("=").name


def _find_time(image: SpatialImage) -> tuple[float | None, str | None]:
    try:
        return repetition_time_s(image), None
    except RepetitionTimeError as error:
        return None, error.message


def _form_codes(image: SpatialImage) -> tuple[int, int] | None:
    if not isinstance(image, nib.Nifti1Pair):
        return None
    return int(image.header["qform_code"]), int(image.header["sform_code"])


def _compare_forms(image: SpatialImage) -> FormDifference | None:
    codes = _form_codes(image)
    if codes is None or 0 in codes:
        return None
    try:
        with np.errstate(all="ignore"):
            return _find_difference(cast("nib.Nifti1Header", image.header), Grid.of(image))
    except (HeaderDataError, ValueError):  # numbers that belong to no rotation, or to no lengths
        return None


def _find_difference(header: nib.Nifti1Header, grid: Grid) -> FormDifference:
    qform = require_invertible(header.get_qform())
    sform = require_invertible(header.get_sform())
    without_shears = header.copy()
    without_shears.set_qform(sform)
    corners = corner_voxels(grid)
    is_mirrored = bool(np.linalg.det(qform) * np.linalg.det(sform) < 0)
    flips = [np.diag(np.where(np.arange(3) == axis, -1, 1)) for axis in range(3)]
    return FormDifference(
        angle_deg=min(
            _angle_between_deg(qform[:3, :3] @ flip, sform[:3, :3])
            for flip in (flips if is_mirrored else [np.eye(3)])
        ),
        distance_mm=_apart_mm(qform, sform, corners),
        is_mirrored=is_mirrored,
        is_shear=_apart_mm(qform, without_shears.get_qform(), corners) <= FORM_TOLERANCE_MM,
    )


def _apart_mm(
    one: NDArray[np.float64], other: NDArray[np.float64], corners: NDArray[np.int64]
) -> float:
    apart = voxel_to_world(one, corners) - voxel_to_world(other, corners)
    return float(np.linalg.norm(apart, axis=1).max())


def _angle_between_deg(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the angle of the rotation nearest to what leads from one to the other, in degrees."""
    left, _, right = np.linalg.svd(other @ np.linalg.inv(one))
    cosine = np.clip((np.trace(left @ right) - 1) / 2, -1, 1)
    return float(np.degrees(np.arccos(cosine)))


def _count_nan(image: SpatialImage) -> int:
    """Count voxels that are NaN or infinite, a part of the image at a time where it has a time."""
    voxels: Any = image.dataobj
    if _is_always_finite(voxels):
        return 0
    try:
        blocks = make_source(image).row_blocks(1)
    except (ImageShapeError, NotANumberError):  # further axes, or complex numbers
        blocks = iter([load_voxels(image)])
    return sum(int(np.count_nonzero(~np.isfinite(block))) for block in blocks)


def _is_always_finite(voxels: Any) -> bool:
    """Tell whether the type of voxels, and their scaling, leave no room for NaN and infinity."""
    stored: np.dtype[Any] = np.dtype(voxels.dtype)
    if stored.kind not in "iu":
        return stored.kind in "bV"
    slope, inter = float(getattr(voxels, "slope", 1)), float(getattr(voxels, "inter", 0))
    limits = np.iinfo(stored)
    return all(math.isfinite(slope * limit + inter) for limit in (limits.min, limits.max))


def _say_bytes(size: int) -> str:
    """Return a number of bytes with three digits, in powers of 1000 as disks are sold."""
    *smaller, largest = BYTE_UNITS
    for power, unit in enumerate(smaller):
        # from here on, three digits would show as a thousand
        if size < 999.5 * 1000**power:
            return f"{size / 1000**power:.3g} {unit}"
    return f"{size / 1000 ** len(smaller):.3g} {largest}"
