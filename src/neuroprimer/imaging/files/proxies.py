"""Proxies: voxels that are read when they are asked for, but not from one plain file."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from neuroprimer.imaging.files.places import chosen_shape, find_place
from neuroprimer.imaging.files.voxels import loaded_dtype, telling_what_failed


@dataclass(frozen=True, kw_only=True, eq=False)
class StackedVoxels:
    """The voxels of several images as one run; each is read when its volume is asked for.

    Parameters
    ----------
    parts : tuple
        The voxels of each image, with four axes, equal in the first three.

    Examples
    --------
    >>> stacked = StackedVoxels(parts=(np.zeros((2, 2, 2, 1)), np.ones((2, 2, 2, 3))))
    >>> stacked.shape, stacked[0, 0, 0, ::2].tolist()
    ((2, 2, 2, 4), [0.0, 1.0])
    """

    parts: tuple[Any, ...]

    is_proxy = True
    ndim = 4

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return (*self.parts[0].shape[:3], sum(part.shape[3] for part in self.parts))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one voxel when all are read."""
        return np.result_type(*(loaded_dtype(part) for part in self.parts))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Voxels of several files come together only in a copy.")
        voxels: NDArray[Any] = np.empty(self.shape, dtype or self.dtype, order="F")
        first = 0
        for part in self.parts:
            voxels[..., first : first + part.shape[3]] = np.asarray(part, dtype=voxels.dtype)
            first += part.shape[3]
        return voxels

    def __getitem__(self, slicer: Any) -> NDArray[Any]:
        chosen = chosen_shape(slicer, self.shape)
        if 0 in chosen:
            return np.empty(chosen, self.dtype)
        place = find_place(slicer, self.shape)
        if place is None:
            whole: NDArray[Any] = np.asarray(self)[slicer]
            return whole
        *within, volumes = place
        if not isinstance(volumes, slice):
            return self._read_volume(volumes, within)
        numbers = range(*volumes.indices(self.shape[3]))
        return np.stack([self._read_volume(number, within) for number in numbers], axis=-1)

    def _read_volume(self, index: int, within: list[Any]) -> NDArray[Any]:
        ends = list(accumulate(part.shape[3] for part in self.parts))
        number = bisect_right(ends, index)
        from_its_end = index - ends[number]
        return np.asarray(self.parts[number][(*within, from_its_end)])


@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignVoxels:
    """Voxels that nibabel reads in a way of its own, with what may fail told in words.

    Philips, AFNI and MINC files scale each slice or volume by itself, and some compressions are
    known to nibabel alone.

    Parameters
    ----------
    name : str
        The file, for messages.
    proxy : array proxy
        What nibabel reads the voxels with.
    shape : tuple of int
        The lengths of the axes, which may differ from those of `proxy` by axes of length 1.
    dtype : numpy dtype
        The type of a voxel after scaling.

    Examples
    --------
    >>> foreign = ForeignVoxels.of(np.arange(24.0).reshape(2, 3, 4), "a file")
    >>> foreign.shape, foreign[1, 2, 3]
    ((2, 3, 4), array(23.))
    """

    name: str
    proxy: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    is_proxy = True

    @classmethod
    def of(cls, proxy: Any, name: str) -> "ForeignVoxels":
        """Return the voxels behind a proxy; one of them is read to learn their type.

        Parameters
        ----------
        proxy : array proxy
            What nibabel reads the voxels with.
        name : str
            The file, for messages.

        Returns
        -------
        voxels : ForeignVoxels
            The same shape.

        Raises
        ------
        ImageFileError
            If not even one voxel can be read.
        """
        shape = tuple(int(length) for length in proxy.shape)
        with telling_what_failed(name, (Exception,)):
            return cls(name=name, proxy=proxy, shape=shape, dtype=loaded_dtype(proxy))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        with telling_what_failed(self.name, (Exception,)):
            values = np.asarray(self.proxy).reshape(self.shape)
        return np.array(values, dtype, copy=copy)

    def __getitem__(self, slicer: Any) -> NDArray[Any]:
        chosen = chosen_shape(slicer, self.shape)
        if 0 in chosen:
            return np.empty(chosen, self.dtype)
        if find_place(slicer, self.shape) is None or self.shape != tuple(self.proxy.shape):
            whole: NDArray[Any] = np.asarray(self)[slicer]
            return whole
        with telling_what_failed(self.name, (Exception,)):
            return np.asarray(self.proxy[slicer])

    def reshape(self, shape: tuple[int, ...]) -> "ForeignVoxels":
        """Return the same voxels, still in the file, with other axes of length 1.

        Parameters
        ----------
        shape : tuple of int
            The same lengths but for those that are 1.

        Returns
        -------
        voxels : ForeignVoxels
            Nothing is read.
        """
        return replace(self, shape=shape)
