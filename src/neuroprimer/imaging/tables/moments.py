"""Moments: sums, means and spreads of table columns, gathered block by block.

Each block is taken in tiles that fit into a core's cache, turned into float64 there and nowhere
else, and merged with what came before. Nothing cancels: spreads are sums of squared distances
from each block's own mean.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.engine.compiled import Loop, find_compiled
from neuroprimer.imaging.engine.finite import NanPolicy
from neuroprimer.imaging.engine.workers import map_in_order
from neuroprimer.imaging.tables.moment_loops import add_rows

# A tile in float64 should stay in the second-level cache of one core.
TILE_BYTES = 1 << 21

# Wide enough that the work outweighs the calls.
NARROWEST_TILE = 64

STATISTICS = ("mean", "std", "sum", "min", "max", "median")


class StatisticError(NeuroprimerError, ValueError):
    """A statistic that these numbers do not have.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, make_maps, ttest
    >>> ttest(BrainData(make_maps(1)))
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.tables.moments.StatisticError: A t-test needs two images
    at least, but there is 1. One image has no spread to compare its values
    with.
    """


class ColumnMoments:
    """Count, mean, spread, sum and extremes of each column, over all rows seen so far.

    Parameters
    ----------
    n_columns : int
        Number of columns.
    wanted : iterable of {"mean", "std", "sum", "min", "max", "row"}
        What will be asked for; the rest is not computed. "row" stands for sums of rows.
    nan : {"raise", "omit", "zero"}
        Whether numbers that are NaN or infinite spread through their column, so that one can see
        that there were some, are left out, each by itself, or count as zero.
    is_long : bool
        Whether so many numbers are to come that it is worth to load numba, if it is installed.

    Attributes
    ----------
    counts : (n_columns,) array of int
        How many numbers each column has had.

    Notes
    -----
    Blocks are merged pairwise [1]_, which keeps the digits that adding up squares loses.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance,
       The American Statistician 37 (1983) 242.

    Examples
    --------
    >>> moments = ColumnMoments(2, ["mean", "std"])
    >>> _ = moments.add(np.array([[1.0, 10.0]]))
    >>> _ = moments.add(np.array([[3.0, 10.0]]))
    >>> moments.mean().tolist(), moments.std(ddof=0).tolist()
    ([2.0, 10.0], [1.0, 0.0])
    """

    def __init__(
        self,
        n_columns: int,
        wanted: Iterable[str],
        *,
        nan: NanPolicy = "raise",
        is_long: bool = False,
    ) -> None:
        self._wanted = frozenset(wanted)
        self._nan = nan
        # The compiled loop knows neither extremes nor numbers to be passed over.
        is_plain = nan == "raise" and self._wanted.isdisjoint({"min", "max"})
        # Where only sums are asked for, numpy takes a block as a whole, hardly slower than a loop.
        self._is_sum = nan == "raise" and self._wanted <= {"mean", "sum"}
        is_worth_it = is_long and is_plain and not self._is_sum
        self._loop = find_compiled(add_rows, any_order=True) if is_worth_it else None
        self.counts = np.zeros(n_columns, np.int64)
        # Sums are of distances from the first number: of numbers around a million that differ by a
        # thousandth, the plain sum would keep too few digits to tell the means of blocks apart.
        self._origin = np.zeros(n_columns)
        self._sum = np.zeros(n_columns)
        has_squares = "std" in self._wanted or self._loop
        self._squares = np.zeros(n_columns if has_squares else 0)
        self._low = np.full(n_columns if "min" in self._wanted else 0, np.inf)
        self._high = np.full(n_columns if "max" in self._wanted else 0, -np.inf)

    def add(
        self, block: NDArray[Any], columns: slice = slice(None)
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Take in rows.

        Parameters
        ----------
        block : (n_rows, n) array
            Further rows, of any type of real numbers.
        columns : slice
            Which columns they belong to; different threads may add to different ones.

        Returns
        -------
        row_sums : (n_rows,) array
            The sum of each row, in float64; zeros unless "row" is wanted.
        row_counts : (n_rows,) array of int
            How many numbers of each row are part of it.
        """
        start = columns.indices(len(self.counts))[0]
        if self._is_sum:
            return self._add_sum(block, slice(start, start + block.shape[1]))
        if self._loop is not None:
            return self._add_in_loop(self._loop, block, slice(start, start + block.shape[1]))
        row_sums, row_counts = np.zeros(len(block)), np.zeros(len(block), np.int64)
        # infinities may make NaN on the way; that is seen in the result
        with np.errstate(invalid="ignore", over="ignore"):
            for lowest, tile, scratch in _tiles(block):
                finite = self._settle_tile(tile)
                where = slice(start + lowest, start + lowest + tile.shape[1])
                if "row" in self._wanted:
                    row_sums += tile.sum(axis=1)
                    row_counts += (
                        tile.shape[1] if finite is None else np.count_nonzero(finite, axis=1)
                    )
                self._add_tile(tile, scratch, finite, where)
        return row_sums, row_counts

    def _add_sum(
        self, block: NDArray[Any], where: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        with np.errstate(invalid="ignore", over="ignore"):
            self._sum[where] += np.add.reduce(block, axis=0, dtype=np.float64)
        self.counts[where] += len(block)
        return np.zeros(len(block)), np.zeros(len(block), np.int64)

    def _add_in_loop(
        self, loop: Loop, block: NDArray[Any], where: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        n_old = int(self.counts[where.start])
        if n_old == 0 and "std" in self._wanted:
            self._origin[where] = np.where(np.isfinite(block[0]), block[0], 0)
        row_sums = np.zeros(len(block))
        gathered = self._origin[where], self._sum[where], self._squares[where]
        loop(block.astype(_compilable(block.dtype), copy=False), n_old, *gathered, row_sums)
        self.counts[where] += len(block)
        return row_sums, np.full(len(block), block.shape[1])

    def _set_origin(
        self, tile: NDArray[np.float64], finite: NDArray[np.bool_] | None, where: slice
    ) -> None:
        """Let distances be taken from its first number, in each column that has had none yet."""
        is_new = self.counts[where] == 0
        if not is_new.any():
            return
        if finite is None:
            first = np.where(np.isfinite(tile[0]), tile[0], 0)
        else:  # zero where there is still none
            first = tile[finite.argmax(axis=0), np.arange(tile.shape[1])]
        self._origin[where] = np.where(is_new, first, self._origin[where])

    def _settle_tile(self, tile: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Return which numbers count, or None for all of them."""
        if self._nan == "raise":
            return None
        finite = np.isfinite(tile)
        if finite.all():
            return None
        tile[~finite] = 0
        return finite if self._nan == "omit" else None

    def _add_tile(
        self,
        tile: NDArray[np.float64],
        scratch: NDArray[np.float64],
        finite: NDArray[np.bool_] | None,
        where: slice,
    ) -> None:
        n_new: Any = len(tile) if finite is None else np.count_nonzero(finite, axis=0)
        if "min" in self._wanted:
            least = tile if finite is None else np.where(finite, tile, np.inf)
            np.minimum(self._low[where], least.min(axis=0), out=self._low[where])
        if "max" in self._wanted:
            most = tile if finite is None else np.where(finite, tile, -np.inf)
            np.maximum(self._high[where], most.max(axis=0), out=self._high[where])
        if "std" in self._wanted:
            self._set_origin(tile, finite, where)
            tile -= self._origin[where]
            if finite is not None:
                tile[~finite] = 0
        total = tile.sum(axis=0)
        if "std" in self._wanted:
            distance = np.subtract(tile, total / np.maximum(n_new, 1), out=scratch)
            if finite is not None:
                distance[~finite] = 0
            self._squares[where] += np.einsum("ij,ij->j", distance, distance)
            self._squares[where] += self._apart(total, n_new, where)
        self._sum[where] += total
        self.counts[where] += n_new

    def _apart(
        self, total: NDArray[np.float64], n_new: Any, where: slice
    ) -> NDArray[np.float64] | float:
        """Return what the distance between old and new mean adds to the squares."""
        n_old = self.counts[where]
        if not n_old.any():
            return 0.0
        apart = total / np.maximum(n_new, 1) - self._sum[where] / np.maximum(n_old, 1)
        return np.asarray(apart**2 * (n_old * n_new / np.maximum(n_old + n_new, 1)))

    def merge(self, other: "ColumnMoments") -> "ColumnMoments":
        """Take in all rows that another one has seen.

        Parameters
        ----------
        other : ColumnMoments
            Of the same columns, with the same statistics wanted.

        Returns
        -------
        merged : ColumnMoments
            This one.
        """
        everywhere = slice(None)
        self._origin = np.where(self.counts, self._origin, other._origin)
        other_sum = other._sum + other.counts * (other._origin - self._origin)
        if len(self._squares):
            apart = self._apart(other_sum, other.counts, everywhere)
            self._squares = self._squares + other._squares + apart
        self._low = np.minimum(self._low, other._low)
        self._high = np.maximum(self._high, other._high)
        self._sum = self._sum + other_sum
        self.counts = self.counts + other.counts
        return self

    def mean(self) -> NDArray[np.float64]:
        """Return the mean of each column; NaN where there was no number."""
        return self._origin + self._sum / np.where(self.counts, self.counts, np.nan)

    def sum(self) -> NDArray[np.float64]:
        """Return the sum of each column."""
        return self._origin * self.counts + self._sum

    def min(self) -> NDArray[np.float64]:
        """Return the lowest number of each column; NaN where there was none."""
        return np.where(self.counts, self._low, np.nan)

    def max(self) -> NDArray[np.float64]:
        """Return the highest number of each column; NaN where there was none."""
        return np.where(self.counts, self._high, np.nan)

    def std(self, *, ddof: int) -> NDArray[np.float64]:
        """Return the standard deviation of each column; NaN where there are too few numbers."""
        free = self.counts - ddof
        return np.sqrt(self._squares / np.where(free > 0, free, np.nan))


def _compilable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the nearest type that numba knows."""
    native = dtype.newbyteorder("=")
    return np.dtype(np.float64) if native in (np.float16, np.longdouble) else native


def _tiles(
    block: NDArray[Any],
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """Cut a block into tiles of columns.

    Yields the first column, the tile in float64, and an array of its shape to work in. Both are
    overwritten by the next tile, and the next block: fresh memory would cost more than the sums.
    """
    n_rows, n_columns = block.shape
    width = min(max(TILE_BYTES // (8 * max(n_rows, 1)), NARROWEST_TILE), n_columns)
    memory, scratch = _own_memory(2 * n_rows * width).reshape(2, -1)
    for start in range(0, n_columns, width):
        part = block[:, start : start + width]
        tile = memory[: part.size].reshape(part.shape)
        tile[...] = part
        yield start, tile, scratch[: part.size].reshape(part.shape)


_OF_THREAD = threading.local()


def _own_memory(n_numbers: int) -> NDArray[np.float64]:
    """Return memory of this thread that holds nothing of value."""
    memory: NDArray[np.float64] | None = getattr(_OF_THREAD, "memory", None)
    if memory is None or len(memory) < n_numbers:
        memory = _OF_THREAD.memory = np.empty(n_numbers)
    return memory[:n_numbers]


def column_statistic(
    table: NDArray[Any], statistic: str, *, ddof: int = 0, n_workers: int | None = None
) -> NDArray[np.float64]:
    """Reduce each column of a table in memory to one number, in float64.

    Parameters
    ----------
    table : (n_rows, n_columns) array
        Real numbers.
    statistic : {"mean", "std", "sum", "min", "max", "median"}
        What to compute.
    ddof : int
        For "std": the divisor is ``n_rows - ddof``.
    n_workers : int, optional
        Number of threads. Default: as many as there are cores.

    Returns
    -------
    values : (n_columns,) array
        In float64. NaN spreads through its own column.

    Raises
    ------
    StatisticError
        If there is no such statistic, or there are not more rows than `ddof`.

    Examples
    --------
    >>> column_statistic(np.array([[1, 5], [3, 5]], np.int16), "std").tolist()
    [1.0, 0.0]
    """
    require_statistic(statistic, len(table), ddof)
    values = np.empty(table.shape[1])
    width = max(TILE_BYTES // max(table.itemsize * len(table), 1), NARROWEST_TILE) * 8

    def reduce_slab(start: int) -> None:
        slab = table[:, start : start + width]
        if statistic == "median":
            values[start : start + width] = np.median(slab.astype(np.float64), axis=0)
            return
        moments = ColumnMoments(slab.shape[1], [statistic])
        moments.add(slab)
        named = {"ddof": ddof} if statistic == "std" else {}
        values[start : start + width] = getattr(moments, statistic)(**named)

    for _ in map_in_order(reduce_slab, range(0, table.shape[1], width), n_workers=n_workers):
        pass
    return values


def row_statistic(table: NDArray[Any], statistic: str, *, ddof: int = 0) -> NDArray[np.float64]:
    """Reduce each row of a table in memory to one number, in float64.

    Parameters
    ----------
    table : (n_rows, n_columns) array
        Real numbers.
    statistic : {"mean", "std", "sum", "min", "max", "median"}
        What to compute.
    ddof : int
        For "std": the divisor is ``n_columns - ddof``.

    Returns
    -------
    values : (n_rows,) array
        In float64.

    Raises
    ------
    StatisticError
        If there is no such statistic, or there are not more columns than `ddof`.

    Examples
    --------
    >>> row_statistic(np.array([[1, 5], [3, 5]], np.int16), "mean").tolist()
    [3.0, 4.0]
    """
    require_statistic(statistic, table.shape[1], ddof)
    named = {"ddof": ddof} if statistic == "std" else {}
    reduce = getattr(np, statistic)
    # row by row, so that only one row at a time stands in float64
    with np.errstate(invalid="ignore", over="ignore"):
        return np.array([reduce(row.astype(np.float64), **named) for row in table])


def require_statistic(statistic: str, n_values: int, ddof: int = 0) -> None:
    """Raise unless a statistic exists and there are enough numbers for it.

    Parameters
    ----------
    statistic : str
        Its name.
    n_values : int
        How many numbers it is computed from.
    ddof : int
        For "std": how many of them are used up.

    Raises
    ------
    StatisticError
        If the name is unknown or there are too few numbers.

    Examples
    --------
    >>> require_statistic("mean", 3)
    """
    if statistic not in STATISTICS:
        raise StatisticError(
            f"There is no statistic {statistic!r}; expected one of {', '.join(STATISTICS)}.",
            hint="For another one, work on the array itself.",
        )
    used_up = ddof if statistic == "std" else 0
    if n_values <= used_up:
        raise StatisticError(
            f"{statistic} with ddof={used_up} needs more than {used_up} numbers, but there "
            f"{'is' if n_values == 1 else 'are'} {n_values}.",
            hint="ddof=0 describes the numbers at hand, ddof=1 estimates from a sample of them.",
        )
