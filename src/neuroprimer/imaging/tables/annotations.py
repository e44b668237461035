"""Tables: what is known of each image, and which images an index means."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from neuroprimer.errors import NeuroprimerError

Table: TypeAlias = pd.DataFrame | pd.Series | Mapping[str, Sequence[Any]] | ArrayLike
Index: TypeAlias = int | slice | Sequence[int] | Sequence[bool] | NDArray[Any] | pd.Series


class BrainDataError(NeuroprimerError, ValueError):
    """Something that these images, as they are, do not allow.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, make_maps
    >>> BrainData(make_maps(2), X={"dose": [1, 2, 3]})
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.tables.annotations.BrainDataError: X needs a row for
    each of 2 images, but has 3. Choose its rows in the same way as the images.
    """


class BrainDataIndexError(NeuroprimerError, IndexError):
    """An image that is not there.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, make_maps
    >>> BrainData(make_maps(2))[2]
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.tables.annotations.BrainDataIndexError: Cannot choose
    images by 2: index 2 is out of bounds for axis 0 with size 2. There are 2,
    numbered from 0. Voxels are chosen from the array: data.data[:, voxels].
    """


def make_table(table: Table | None, n_images: int, name: str) -> pd.DataFrame:
    """Return what is known of images as a table of its own.

    Parameters
    ----------
    table : pandas.DataFrame, Series, mapping or array-like, or None
        A row for each image; None when nothing is known.
    n_images : int
        How many rows it must have.
    name : str
        What it is called, for messages.

    Returns
    -------
    made : pandas.DataFrame
        A copy.

    Raises
    ------
    BrainDataError
        If it is no table, or has another number of rows.

    Examples
    --------
    >>> make_table({"pain": [1, 2, 3]}, 3, "X").shape
    (3, 1)
    """
    if table is None:
        return pd.DataFrame(index=pd.RangeIndex(n_images))
    try:
        made = pd.DataFrame(table).copy()  # type: ignore[arg-type] # pandas takes more than its stubs say
    except (TypeError, ValueError) as error:
        raise BrainDataError(
            f"{name} cannot be made into a table from a {type(table).__name__}: {error}.",
            hint="Expected a table or a column of one, a dict of lists, or an array with a row for "
            "each image.",
        ) from error
    if len(made) != n_images:
        raise BrainDataError(
            f"{name} needs a row for each of {n_images} images, but has {len(made)}.",
            hint="Choose its rows in the same way as the images.",
        )
    return made


def append_tables(tables: Sequence[pd.DataFrame], name: str) -> pd.DataFrame:
    """Return the rows of several tables, one after another.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        At least one, all with the same columns.
    name : str
        What they are called, for messages.

    Returns
    -------
    longer : pandas.DataFrame
        Its rows are numbered anew.

    Raises
    ------
    BrainDataError
        If columns differ.

    Examples
    --------
    >>> one = pd.DataFrame({"pain": [1, 2]})
    >>> append_tables([one, one], "X")["pain"].tolist()
    [1, 2, 1, 2]
    """
    for table in tables[1:]:
        if not table.columns.equals(tables[0].columns):
            raise BrainDataError(
                f"Cannot append: {name} has the columns {list(tables[0].columns)} on one side and "
                f"{list(table.columns)} on the other.",
                hint=f"Set {name} of one to a table with the same columns, or of both to None.",
            )
    return pd.concat(tables, ignore_index=True)


def find_rows(index: Index, n_images: int) -> slice | NDArray[np.intp]:
    """Return which rows an index means.

    Parameters
    ----------
    index : int, slice, list of int, or list or column of bool
        As one would put it between square brackets.
    n_images : int
        How many rows there are.

    Returns
    -------
    rows : slice or (n_chosen,) array of int
        A slice where one will do, since a slice of an array copies nothing.

    Raises
    ------
    BrainDataIndexError
        If there is no such row, or the index is of another kind.

    Examples
    --------
    >>> find_rows(-1, 5), find_rows([True, False, True], 3)
    (slice(4, 5, None), array([0, 2]))
    """
    try:
        if isinstance(index, slice):
            _ = range(n_images)[index]  # numbers and nothing else
            return index
        chosen = np.atleast_1d(np.asarray(index))
        if isinstance(index, tuple) or chosen.ndim != 1:
            raise IndexError("expected one whole number, a slice, or a list")
        if chosen.dtype.kind == "b":
            if len(chosen) != n_images:
                raise IndexError(f"{len(chosen)} truth values for {n_images} images")
            return np.flatnonzero(chosen)
        if chosen.size == 0:
            return np.array([], np.intp)
        if chosen.dtype.kind not in "iu":
            raise IndexError("expected whole numbers or truth values")
        rows = np.arange(n_images)[chosen]
    except (IndexError, TypeError, ValueError) as error:
        raise BrainDataIndexError(
            f"Cannot choose images by {index!r}: {error}. There {'is' if n_images == 1 else 'are'} "
            f"{n_images}, numbered from 0.",
            hint="Voxels are chosen from the array: data.data[:, voxels].",
        ) from error
    return slice(int(rows[0]), int(rows[0]) + 1) if len(rows) == 1 else rows


def find_step(rows: slice | NDArray[np.intp], n_images: int) -> int | None:
    """Return by how many images those chosen lie apart.

    Parameters
    ----------
    rows : slice or array of int
        From `find_rows`.
    n_images : int
        How many rows there are.

    Returns
    -------
    step : int or None
        1 for neighbours and for a single image; None if the distances are not all the same.

    Examples
    --------
    >>> find_step(slice(None, None, 2), 9), find_step(np.array([0, 1, 5]), 9)
    (2, None)
    """
    chosen = np.arange(n_images)[rows]
    if len(chosen) < 2:
        return 1
    steps = np.unique(np.diff(chosen))
    return abs(int(steps[0])) or None if len(steps) == 1 else None
