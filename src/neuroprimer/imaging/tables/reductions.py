"""Reductions: one image, or one number for each image, from a table of images x voxels."""

from abc import ABC, abstractmethod
from typing import Any, Literal, Self, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from neuroprimer.imaging.tables.annotations import BrainDataError
from neuroprimer.imaging.tables.moments import column_statistic, row_statistic

Axis: TypeAlias = Literal["images", "voxels"]


class Reducible(ABC):
    """What has images as rows of a table, and can be summed up over either axis.

    Everywhere, `axis` says what is summed up: "images" gives one image, in float64, "voxels" one
    number in float64 for each image. NaN in gives NaN out.
    """

    @property
    @abstractmethod
    def data(self) -> NDArray[Any]:
        """The numbers, (n_images, n_voxels)."""

    @abstractmethod
    def _make_image(self, row: NDArray[np.float64]) -> Self:
        """Return one image of the same voxels."""

    @overload
    def mean(self, axis: Literal["images"] = ...) -> Self: ...
    @overload
    def mean(self, axis: Literal["voxels"]) -> NDArray[np.float64]: ...
    def mean(self, axis: Axis = "images") -> Self | NDArray[np.float64]:
        """Return the mean.

        Parameters
        ----------
        axis : {"images", "voxels"}
            Over all images, which gives one image, or over all voxels, which gives one number for
            each image.

        Returns
        -------
        result : BrainData of one image, or (n_images,) array
            In float64.
        """
        return self._reduce("mean", axis)

    @overload
    def std(self, axis: Literal["images"] = ..., *, ddof: int = ...) -> Self: ...
    @overload
    def std(self, axis: Literal["voxels"], *, ddof: int = ...) -> NDArray[np.float64]: ...
    def std(self, axis: Axis = "images", *, ddof: int = 0) -> Self | NDArray[np.float64]:
        """Return the standard deviation, by default with the divisor n.

        Parameters
        ----------
        axis : {"images", "voxels"}
            Over all images, which gives one image, or over all voxels, which gives one number for
            each image.
        ddof : int
            The divisor is n - ddof. 0 describes these images, 1 estimates the spread of what they
            were drawn from.

        Returns
        -------
        result : BrainData of one image, or (n_images,) array
            In float64.
        """
        return self._reduce("std", axis, ddof=ddof)

    @overload
    def sum(self, axis: Literal["images"] = ...) -> Self: ...
    @overload
    def sum(self, axis: Literal["voxels"]) -> NDArray[np.float64]: ...
    def sum(self, axis: Axis = "images") -> Self | NDArray[np.float64]:
        """Return the sum.

        Parameters
        ----------
        axis : {"images", "voxels"}
            Over all images, which gives one image, or over all voxels, which gives one number for
            each image.

        Returns
        -------
        result : BrainData of one image, or (n_images,) array
            In float64.
        """
        return self._reduce("sum", axis)

    @overload
    def median(self, axis: Literal["images"] = ...) -> Self: ...
    @overload
    def median(self, axis: Literal["voxels"]) -> NDArray[np.float64]: ...
    def median(self, axis: Axis = "images") -> Self | NDArray[np.float64]:
        """Return the median.

        Parameters
        ----------
        axis : {"images", "voxels"}
            Over all images, which gives one image, or over all voxels, which gives one number for
            each image.

        Returns
        -------
        result : BrainData of one image, or (n_images,) array
            In float64.
        """
        return self._reduce("median", axis)

    @overload
    def min(self, axis: Literal["images"] = ...) -> Self: ...
    @overload
    def min(self, axis: Literal["voxels"]) -> NDArray[np.float64]: ...
    def min(self, axis: Axis = "images") -> Self | NDArray[np.float64]:
        """Return the lowest number.

        Parameters
        ----------
        axis : {"images", "voxels"}
            Over all images, which gives one image, or over all voxels, which gives one number for
            each image.

        Returns
        -------
        result : BrainData of one image, or (n_images,) array
            In float64.
        """
        return self._reduce("min", axis)

    @overload
    def max(self, axis: Literal["images"] = ...) -> Self: ...
    @overload
    def max(self, axis: Literal["voxels"]) -> NDArray[np.float64]: ...
    def max(self, axis: Axis = "images") -> Self | NDArray[np.float64]:
        """Return the highest number.

        Parameters
        ----------
        axis : {"images", "voxels"}
            Over all images, which gives one image, or over all voxels, which gives one number for
            each image.

        Returns
        -------
        result : BrainData of one image, or (n_images,) array
            In float64.
        """
        return self._reduce("max", axis)

    def _reduce(self, statistic: str, axis: Axis, *, ddof: int = 0) -> Self | NDArray[np.float64]:
        if axis == "voxels":
            return row_statistic(self.data, statistic, ddof=ddof)
        if axis != "images":
            raise BrainDataError(
                f"axis={axis!r} does not say over what; expected 'images' or 'voxels'.",
                hint="numpy's axis 0 is 'images', axis 1 is 'voxels'.",
            )
        return self._make_image(column_statistic(self.data, statistic, ddof=ddof))
