"""Inference: t-tests, regression, and p-values of many voxels at once.

Functions that take BrainData first, as in ``data.pipe(ttest)``. They count in float64. What holds
several maps is a frozen dataclass of BrainData.
"""

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_complex_dtype, is_numeric_dtype
from scipy.linalg import qr, solve_triangular
from scipy.stats import false_discovery_control
from scipy.stats import t as t_distribution

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.analysis.statistics import require_finite
from neuroprimer.imaging.braindata import BrainData, Table, make_like
from neuroprimer.imaging.engine.options import require_option
from neuroprimer.imaging.tables.moments import ColumnMoments, StatisticError

Correction = Literal["fdr", "bonferroni", "holm"]

# How much of the columns stands in float64 at a time.
BLOCK_BYTES = 1 << 23
NARROWEST_BLOCK = 64

# A column that is told by the others up to this part of its length leaves nothing to estimate.
DEPENDENT = 1e-10


class DesignError(NeuroprimerError, ValueError):
    """A design from which nothing, or no single answer, can be estimated.

    Examples
    --------
    >>> from neuroprimer.imaging import make_maps
    >>> data = BrainData(make_maps(3))
    >>> regress(data, {"constant": [1, 1, 1], "reward": [0, 0, 0]})
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.analysis.inference.DesignError: There is nothing to
    estimate for reward: 0 for all images. Leave it out of the design.
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class TTest:
    """What `ttest` found.

    Parameters
    ----------
    t, p : BrainData
        One image each.
    df : int
        Degrees of freedom.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, make_maps, ttest
    >>> result = ttest(BrainData(make_maps(5)))
    >>> result.df, result.t.shape == result.p.shape
    (4, True)
    """

    t: BrainData
    p: BrainData
    df: int

    def __repr__(self) -> str:
        return f"TTest with {self.df} degrees of freedom{_describe_t(self.t, self.p)}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Regression:
    """What `regress` found.

    Parameters
    ----------
    beta, standard_error, t, p : BrainData
        One image for each regressor; their X has the column "regressor". The standard error is that
        of beta, which nltools calls sigma.
    df : int
        Degrees of freedom of the residual.
    design : pandas.DataFrame
        The regressors.
    data : BrainData
        The images that they explain.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, make_maps, regress
    >>> result = regress(BrainData(make_maps(4)), {"mean": [1, 1, 1, 1], "dose": [0, 1, 2, 3]})
    >>> result.beta.shape[0], result.df
    (2, 2)
    """

    beta: BrainData
    standard_error: BrainData
    t: BrainData
    p: BrainData
    df: int
    design: pd.DataFrame
    data: BrainData

    def __repr__(self) -> str:
        names = ", ".join(map(str, self.design.columns))
        constant = "" if _holds_constant(self.design) else ", no constant"
        return (
            f"Regression on {names}{constant}, with {self.df} degrees of freedom"
            f"{_describe_t(self.t, self.p)}"
        )

    @cached_property
    def residual(self) -> BrainData:
        """What the regressors leave unexplained: one image for each of the data, in float64.

        It is computed when it is first asked for. Its spread, ``residual.std(ddof=n_regressors)``,
        is the noise.
        """
        matrix = self.design.to_numpy(np.float64)
        residual = np.empty(self.data.shape)
        for columns in _column_blocks(self.data):
            fitted = matrix @ self.beta.data[:, columns]
            np.subtract(self.data.data[:, columns], fitted, out=residual[:, columns])
        return make_like(self.data, residual)


def _describe_t(t: BrainData, p: BrainData) -> str:
    return (
        f"\nt from {t.data.min():.3g} to {t.data.max():.3g}, lowest p {p.data.min():.2g}, "
        f"{t.shape[1]} voxels\n{t.grid}"
    )


def ttest(data: BrainData, *, popmean: float = 0.0) -> TTest:
    """Test at each voxel whether the mean over images differs from a number (two-sided).

    Parameters
    ----------
    data : BrainData
        At least two images, as a rule one for each subject.
    popmean : float
        The mean that is expected if there is no effect.

    Returns
    -------
    result : TTest
        t and p at each voxel, not corrected for their number, and the degrees of freedom. Where
        all images have the same number, t is infinite with a p of 0, or, if that number is
        `popmean`, t is 0 with a p of 1.

    Raises
    ------
    StatisticError
        If there are fewer than two images or `popmean` is no number.
    NotANumberError
        If numbers are NaN or infinite.
    BrainDataError
        If `data` is no BrainData.

    See Also
    --------
    correct_p : p-values that take the number of voxels into account.

    Notes
    -----
    Difference of means over standard error, with n - 1 degrees of freedom, as in
    `scipy.stats.ttest_1samp`, which gives NaN for voxels that are `popmean` in all images. nltools
    0.5.1 thresholds, too, and in doing so leaves out the voxel at the very threshold, returns
    images of fewer voxels, and its "holm-bonf" ignores the alpha it is given; here that is a step
    of its own, as below.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> from neuroprimer.imaging.analysis.statistics import threshold
    >>> result = BrainData(make_maps(12, effect=2)).pipe(ttest)
    >>> result
    TTest with 11 degrees of freedom
    t from -3.94 to 9.2, lowest p 1.7e-06, 1974 voxels
    Grid 20 x 24 x 20, voxels 8 x 8 x 8 mm, ...
    >>> significant = result.p.pipe(correct_p).pipe(threshold, lower=0.05, binarize=True)
    >>> int(significant.data.sum()), (result.t * significant).to_image().shape
    (6, (20, 24, 20))
    """
    require_finite(data, "test the mean")
    n_images = len(data)
    if n_images < 2:
        raise StatisticError(
            f"A t-test needs two images at least, but there {'is' if n_images else 'are'} "
            f"{n_images}.",
            hint="One image has no spread to compare its values with.",
        )
    expected: Any = popmean
    if not isinstance(expected, Real) or not np.isfinite(float(expected)):
        raise StatisticError(
            f"popmean={popmean!r} is no number.", hint="0 tests whether there is an effect at all."
        )
    moments = ColumnMoments(data.shape[1], ["mean", "std"])
    moments.add(data.data)
    error = moments.std(ddof=1) / np.sqrt(n_images)
    t = divide_by_error(moments.mean() - float(expected), error)
    t_map, p_map = (
        make_like(data, values[np.newaxis], X=None, Y=None, tr_s=None)
        for values in (t, two_sided_p(t, n_images - 1))
    )
    return TTest(t=t_map, p=p_map, df=n_images - 1)


def divide_by_error(effect: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide effects by their standard errors; no effect without an error is 0.

    Parameters
    ----------
    effect, error : arrays of one shape
        Effects and their standard errors.

    Returns
    -------
    ratio : array
        Infinite for an effect without an error.

    Examples
    --------
    >>> divide_by_error(np.array([3.0, 3.0, 0.0]), np.array([2.0, 0.0, 0.0])).tolist()
    [1.5, inf, 0.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((effect == 0) & (error == 0), 0, effect / error)


def two_sided_p(t: NDArray[np.float64], df: int) -> NDArray[np.float64]:
    """Return the probability of a t at least this far from 0 on either side.

    Parameters
    ----------
    t : array
        Values of Student's t.
    df : int
        Degrees of freedom.

    Returns
    -------
    p : array
        Exact for large t, too, where 1 minus the distribution function would be 0.

    Examples
    --------
    >>> two_sided_p(np.array([0.0, 2.0, np.inf]), 10).round(4).tolist()
    [1.0, 0.0734, 0.0]
    """
    return np.asarray(2 * t_distribution.sf(np.abs(t), df))


def correct_p(p: BrainData, *, method: Correction = "fdr") -> BrainData:
    """Adjust p-values for the number of voxels that were tested.

    Parameters
    ----------
    p : BrainData
        Numbers from 0 to 1. Each image is adjusted by itself.
    method : {"fdr", "bonferroni", "holm"}
        "fdr": what is at most q has an expected share of q of false alarms [1]_. "bonferroni" and
        "holm" [2]_: the probability of any false alarm; "holm" finds at least as much.

    Returns
    -------
    adjusted : BrainData
        As many images. Each number is the level at which its voxel just passes: keep what is at
        most 0.05.

    Raises
    ------
    StatisticError
        If the method is unknown or there are numbers outside of 0 to 1.
    NotANumberError
        If numbers are NaN.
    BrainDataError
        If `p` is no BrainData.

    Notes
    -----
    "fdr" is `scipy.stats.false_discovery_control`, for p-values that are independent or depend
    positively, as those of smooth maps do. "holm" multiplies the lowest of m p-values by m, the
    next by m - 1, and so on, and lets no number fall below the one before. nltools returns a
    threshold for p instead, and then takes what lies below it, without the voxel that set it.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, Controlling the false discovery rate: a practical and powerful
       approach to multiple testing, Journal of the Royal Statistical Society B 57 (1995) 289.
    .. [2] S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
       of Statistics 6 (1979) 65.

    Examples
    --------
    >>> import nibabel as nib
    >>> four = nib.Nifti1Image(np.ones((4, 1, 1), np.uint8), np.eye(4))
    >>> p = BrainData(np.array([[0.01, 0.02, 0.03, 0.5]]), four)
    >>> [p.pipe(correct_p, method=method).data[0].round(2) for method in ("fdr", "holm")]
    [array([0.04, 0.04, 0.04, 0.5 ]), array([0.04, 0.06, 0.06, 0.5 ])]
    """
    require_option("method", method, get_args(Correction), error=StatisticError)
    require_finite(p, "correct p-values")
    values = p.data.astype(np.float64)
    if values.size and not 0 <= values.min() <= values.max() <= 1:
        raise StatisticError(
            f"p-values lie between 0 and 1, but these go from {values.min():.3g} to "
            f"{values.max():.3g}.",
            hint="Of a result, take the map p, as in result.p.pipe(correct_p).",
        )
    if method == "fdr":
        return make_like(p, false_discovery_control(values, axis=1))
    n_voxels = values.shape[1]
    if method == "bonferroni":
        return make_like(p, np.minimum(values * n_voxels, 1))
    order = np.argsort(values, axis=1)
    ranked = np.take_along_axis(values, order, axis=1) * np.arange(n_voxels, 0, -1)
    adjusted = np.empty_like(values)
    rising = np.minimum(np.maximum.accumulate(ranked, axis=1), 1)
    np.put_along_axis(adjusted, order, rising, axis=1)
    return make_like(p, adjusted)


def regress(data: BrainData, design: Table | None = None) -> Regression:
    """Explain each voxel's numbers by regressors: ordinary least squares.

    Parameters
    ----------
    data : BrainData
        More images than regressors.
    design : pandas.DataFrame, Series, mapping or array-like, optional
        A row for each image, in their order, and a column of numbers for each regressor. Default:
        ``data.X``. No constant is added: where the images have a mean, the design needs a column
        of ones.

    Returns
    -------
    fit : Regression
        beta, standard error, t and p (two-sided, not corrected) for each regressor; the degrees of
        freedom, n_images - n_regressors; the residual.

    Raises
    ------
    DesignError
        If the design is no table of numbers with a row for each image, has too many columns, or
        one of them can be made of others: the message tells which.
    NotANumberError
        If numbers of the images are NaN or infinite.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    Solved by a QR decomposition of the design with columns scaled to length 1. Residuals up to the
    rounding of the numbers count as 0; t is infinite then, or 0 if beta is 0 up to rounding, too.
    For noise that is correlated in time: `nilearn.glm.first_level.run_glm`.

    In nltools 0.5.1 `sigma` is the standard error of beta, here `standard_error`; p is 0 from 1e-16
    on; t is set to 0 where the standard error is below 1e-6, whatever the unit of the images; and a
    design with redundant columns gives one answer out of many, without a word.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> pain = np.repeat([1.0, 2.0, 3.0], 4)
    >>> maps = BrainData(make_maps(12, effect=5 + 2 * pain))
    >>> fit = maps.pipe(regress, {"constant": np.ones(12), "pain": pain})
    >>> fit
    Regression on constant, pain, with 10 degrees of freedom
    t from -5.55 to 9.91, lowest p 1.7e-06, 1974 voxels
    Grid 20 x 24 x 20, voxels 8 x 8 x 8 mm, ...
    >>> float(fit.beta[fit.beta.X["regressor"] == "pain"].data.max().round())
    2.0
    """
    require_finite(data, "regress")
    table = _require_table(data, design)
    lengths = np.linalg.norm(table.to_numpy(np.float64), axis=0)
    orthogonal, triangle = _decompose(table, lengths)
    n_images, n_regressors = table.shape
    df = n_images - n_regressors
    # standard error of each beta for a noise of 1
    unit_error = np.linalg.norm(np.linalg.inv(triangle), axis=1) / lengths
    beta = np.empty((n_regressors, data.shape[1]))
    noise, rounding = np.empty((2, data.shape[1]))
    for columns in _column_blocks(data):
        block = data.data[:, columns].astype(np.float64)
        rounding[columns] = n_images * np.finfo(np.float64).eps * np.linalg.norm(block, axis=0)
        parts = orthogonal.T @ block
        beta[:, columns] = solve_triangular(triangle, parts) / lengths[:, np.newaxis]
        block -= orthogonal @ parts
        noise[columns] = np.linalg.norm(block, axis=0)
    noise[noise <= rounding] = 0
    error = np.outer(unit_error, noise / np.sqrt(df))
    is_zero = (error == 0) & (np.abs(beta) <= np.outer(unit_error, rounding))
    t = divide_by_error(np.where(is_zero, 0, beta), error)
    maps = [
        make_like(data, values, X={"regressor": list(table.columns)}, Y=None, tr_s=None)
        for values in (beta, error, t, two_sided_p(t, df))
    ]
    return Regression(
        beta=maps[0], standard_error=maps[1], t=maps[2], p=maps[3], df=df, design=table, data=data
    )


def _column_blocks(data: BrainData) -> list[slice]:
    """Cut the columns into blocks that fit into memory in float64."""
    width = max(BLOCK_BYTES // (8 * max(len(data), 1)), NARROWEST_BLOCK)
    return [slice(start, start + width) for start in range(0, data.shape[1], width)]


def _require_table(data: BrainData, design: Table | None) -> pd.DataFrame:
    """Return the design as a table of numbers with a row for each image."""
    table = data.X if design is None else pd.DataFrame(design)  # type: ignore[arg-type] # pandas takes more than its stubs say
    n_images, n_regressors = len(data), len(table.columns)
    if not n_regressors:
        raise DesignError(
            "There is no regressor: "
            + ("data.X" if design is None else "the design")
            + " has no column.",
            hint="Set data.X or pass a design. To test the mean of the images, use ttest().",
        )
    if len(table) != n_images or n_images <= n_regressors:
        raise DesignError(
            f"A design for {n_images} images has {n_images} rows and fewer columns, but this one "
            f"has {len(table)} rows and {n_regressors} columns.",
            hint="Each regressor takes one degree of freedom, and one at least must be left.",
        )
    for name, dtype in zip(table.columns, table.dtypes, strict=True):
        if not is_numeric_dtype(dtype) or is_complex_dtype(dtype):
            raise DesignError(
                f"A regressor is a column of numbers, but {str(name)!r} is of type {dtype}.",
                hint="pandas.get_dummies(X, dtype=float) makes columns of the levels of a factor.",
            )
    numbers = table.astype(np.float64)
    finite = np.isfinite(numbers.to_numpy()).all(axis=0)
    bad = [str(name) for name, fine in zip(table.columns, finite, strict=True) if not fine]
    if bad:
        raise DesignError(
            f"Regressors are numbers, but there are NaN or infinite ones in {', '.join(bad)}.",
            hint="Leave these images out, or decide on a number for them.",
        )
    return numbers


def _decompose(
    table: pd.DataFrame, lengths: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Q and R of the design with columns of length 1, or say which ones are redundant."""
    names = [str(name) for name in table.columns]
    zero = [name for name, length in zip(names, lengths, strict=True) if length == 0]
    if zero:
        raise DesignError(
            f"There is nothing to estimate for {', '.join(zero)}: 0 for all images.",
            hint="Leave it out of the design.",
        )
    unit = table.to_numpy(np.float64) / lengths
    _, pivoted, order = qr(unit, mode="economic", pivoting=True)
    rank = int(np.count_nonzero(np.abs(np.diagonal(pivoted)) > DEPENDENT))
    if rank < len(names):
        needed = solve_triangular(pivoted[:rank, :rank], pivoted[:rank, rank:])
        redundant = [
            f"{names[column]} of "
            + " and ".join(names[order[row]] for row in np.flatnonzero(np.abs(weights) > 1e-6))
            for column, weights in zip(order[rank:], needed.T, strict=True)
        ]
        raise DesignError(
            f"The design has no single answer: {'; '.join(redundant)} can be made as a weighted "
            "sum.",
            hint="Leave one of them out. Dummy columns for all levels of a factor add up to the "
            "constant.",
        )
    orthogonal, triangle = np.linalg.qr(unit)
    return orthogonal, triangle


def _holds_constant(design: pd.DataFrame) -> bool:
    """Tell whether regressors can add up to a constant."""
    matrix, ones = design.to_numpy(np.float64), np.ones(len(design))
    fitted = matrix @ np.linalg.lstsq(matrix, ones)[0]
    return bool(np.allclose(fitted, ones, rtol=0, atol=1e-8))
