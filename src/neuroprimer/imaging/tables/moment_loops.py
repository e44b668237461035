"""Moment loops: sums and squared distances of table columns in one pass, for numba to compile."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Columns taken at a time, so that what belongs to them stays in the first-level cache.
STRIP = 1024


def add_rows(
    block: NDArray[Any],
    n_old: int,
    origin: NDArray[np.float64],
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
    row_sums: NDArray[np.float64],
) -> None:
    """Add rows to the sums, the squared distances from the mean, and the sums of rows.

    Parameters
    ----------
    block : (n_rows, n_columns) array
        Further rows, of any type of real numbers.
    n_old : int
        How many rows came before.
    origin : (n_columns,) array
        Where distances are taken from.
    total, squares : (n_columns,) array
        Sum of distances from the origin, and of squared distances from the mean, of those rows;
        both are changed.
    row_sums : (n_rows,) array
        What is added to is the sum of each row.

    Notes
    -----
    Squares are taken about the first row of the block. That row is one of the numbers, so the
    sum of squares about it is at most n_rows + 1 times the one about the mean: no more digits can
    be lost than n_rows + 1 has.

    Examples
    --------
    >>> total, squares, row_sums = np.zeros(1), np.zeros(1), np.zeros(2)
    >>> add_rows(np.array([[1.0], [3.0]]), 0, np.zeros(1), total, squares, row_sums)
    >>> total, squares, row_sums
    (array([4.]), array([2.]), array([1., 3.]))
    """
    n_rows, n_columns = block.shape
    # to multiply takes a tenth of the time that it takes to divide
    per_row, per_old = 1 / n_rows, 1 / max(n_old, 1)
    weight = n_old * (n_rows / (n_old + n_rows))
    for start in range(0, n_columns, STRIP):
        stop = min(start + STRIP, n_columns)
        # Of arrays of their own the compiler knows that numbers stand side by side, and it takes
        # several at once.
        first = block[0, start:stop].astype(np.float64)
        sums, products = np.zeros(stop - start), np.zeros(stop - start)
        for row in range(n_rows):
            line = block[row, start:stop]
            row_sum = 0.0
            for column in range(stop - start):
                number = np.float64(line[column])
                distance = number - first[column]
                sums[column] += distance
                products[column] += distance * distance
                row_sum += number
            row_sums[row] += row_sum
        about, old_sums, old_squares = origin[start:stop], total[start:stop], squares[start:stop]
        for column in range(stop - start):
            offset = first[column] - about[column]
            apart = offset + sums[column] * per_row - old_sums[column] * per_old
            old_squares[column] += products[column] - sums[column] * sums[column] * per_row
            old_squares[column] += apart * apart * weight
            old_sums[column] += n_rows * offset + sums[column]
