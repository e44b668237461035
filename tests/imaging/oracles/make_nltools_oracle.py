"""Freeze what nltools 0.5.1 answers, as the fixture ``nltools_0_5_1.npz`` beside this script.

The script runs in an environment of its own, because nltools 0.5.1 needs numpy < 1.24 and gives
wrong shapes with nilearn >= 0.12: Python 3.11 with nltools 0.5.1, nilearn 0.10.4, numpy 1.23.5,
scipy 1.15.3, scikit-learn 1.7.2, pandas 2.1.4 and nibabel 5.3.3. README.md tells how to make it.

Names in the file are ``method/case``; results keep the shape and type that nltools gave them.
``input/...`` is what went in, ``versions`` what it ran with, ``methods`` the public methods of
Brain_Data. ``defect/...`` holds answers that are wrong, so that a test can show that ours are not.
"""

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nilearn.masking import unmask
from nltools.data import Brain_Data
from nltools.mask import expand_mask
from nltools.stats import transform_pairwise

Arrays = dict[str, np.ndarray]

PACKAGES = ("nltools", "nilearn", "numpy", "pandas", "scipy", "scikit-learn", "nibabel")
SHAPE = (9, 10, 8)
N_IMAGES = 20
AFFINE = np.array([[-3.0, 0, 0, 14], [0, 3, 0, -11], [0, 0, 3, -8], [0, 0, 0, 1]])  # LAS, 3 mm
DECOMPOSITIONS = {
    "pca": {},
    "ica": {"random_state": 0},
    "nnmf": {"init": "nndsvd", "max_iter": 2000, "random_state": 0},
}


def make_inputs() -> Arrays:
    """Draw everything that goes in; small, since one matrix of results is 16 kB."""
    rng = np.random.default_rng(42)
    mask = make_mask()
    n_voxels = int(mask.sum())
    inputs = {
        "image": (rng.standard_normal((*SHAPE, N_IMAGES)) * 5 + 3).astype(np.float32),
        "affine": AFFINE,
        "mask": mask,
        "labels": make_labels(mask),
        # The labels 2, 5 and 9, as they come in an atlas of which one takes three regions.
        "gapped_labels": np.array([0, 2, 5, 9], dtype=np.uint8)[make_labels(mask)],
        "sources": make_sources(rng, n_voxels),
        "correlations": rng.uniform(-0.95, 0.95, (3, n_voxels)).astype(np.float32),
        "weights": rng.uniform(-1, 1, N_IMAGES),
    }
    trend = np.linspace(-1, 1, N_IMAGES)
    inputs["design"] = np.stack([np.ones(N_IMAGES), trend, rng.standard_normal(N_IMAGES)], axis=1)
    inputs["target"] = inputs["sources"].mean(axis=1).astype(float) + rng.normal(0, 1, N_IMAGES)
    inputs["classes"] = (inputs["target"] > np.median(inputs["target"])).astype(int)
    inputs["groups"] = np.arange(N_IMAGES) % 4  # not what five folds in a row would leave out
    # Six targets (voxels) and four judges (images), Shrout and Fleiss 1979, table 2.
    inputs["judges"] = np.array(
        [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]],
        dtype=float,
    )
    return inputs


def make_mask() -> np.ndarray:
    """Return a ball with a corner cut off, so that no flip leaves it as it was."""
    i, j, k = np.indices(SHAPE)
    ball = (i - 4) ** 2 + (j - 4.5) ** 2 + (k - 3.5) ** 2 <= 3.7**2
    corner = (i > 5) & (j > 5) & (k > 4)
    return (ball & ~corner).astype(np.uint8)


def make_labels(mask: np.ndarray) -> np.ndarray:
    """Return regions 1, 2 and 3, one above the other, with unlabelled voxels left in the mask."""
    height = np.indices(SHAPE)[2]
    return (np.select([height <= 2, height <= 3, height <= 5], [1, 2, 3]) * mask).astype(np.uint8)


def make_sources(rng: np.random.Generator, n_voxels: int) -> np.ndarray:
    """Mix three positive maps of unequal strength, which a decomposition can tell apart."""
    courses = rng.uniform(0, 1, (N_IMAGES, 3)) * [12, 6, 3]
    maps = rng.exponential(1, (3, n_voxels))
    noise = rng.uniform(0, 0.2, (N_IMAGES, n_voxels))
    return (courses @ maps + noise).astype(np.float32)


def freeze_container(brain: Brain_Data) -> Arrays:
    """Shape, indexing and the way back to an image."""
    chosen = np.arange(N_IMAGES) % 7 == 2
    return {
        "data/matrix": brain.data,
        "shape/many": np.array(brain.shape()),
        "len/many": np.array(len(brain)),
        "index/int_3": brain[3].data,
        "index/int_-1": brain[-1].data,
        "index/slice_2_14_5": brain[2:14:5].data,
        "index/list_7_0_7": brain[[7, 0, 7]].data,
        "index/bool_every_7th_from_2": brain[chosen].data,
        "append/images_0_to_2_and_5": brain[:3].append(brain[5]).data,
        "to_nifti/images_0_to_2": brain[:3].to_nifti().get_fdata(dtype=np.float32),
        "to_nifti/image_3": brain[3].to_nifti().get_fdata(dtype=np.float32),
    }


def freeze_arithmetic(brain: Brain_Data, weights: np.ndarray) -> Arrays:
    """Operators; on three images, for they treat each number alike."""
    one, other = brain[:3], brain[3:6]
    return {
        "add/2.5": (one + 2.5).data,
        "radd/2.5": (2.5 + one).data,
        "sub/2.5": (one - 2.5).data,
        "rsub/2.5": (2.5 - one).data,
        "mul/2.5": (one * 2.5).data,
        "rmul/2.5": (2.5 * one).data,
        "truediv/2.5": (one / 2.5).data,
        "add/images": (one + other).data,
        "sub/images": (one - other).data,
        "mul/images": (one * other).data,
        "truediv/images": (one / other).data,
        "mul/list": (brain * weights.tolist()).data,
    }


def freeze_summaries(brain: Brain_Data) -> Arrays:
    """Summaries over images (axis 0), over voxels (axis 1) and of a single image."""
    frozen: Arrays = {"sum/axis_0": brain.sum().data, "sum/image_3": np.array(brain[3].sum())}
    for name in ("mean", "std", "median"):
        frozen[f"{name}/axis_0"] = getattr(brain, name)(axis=0).data
        frozen[f"{name}/axis_1"] = getattr(brain, name)(axis=1)
        frozen[f"{name}/image_3"] = np.array(getattr(brain[3], name)())
    return frozen


def freeze_signals(brain: Brain_Data, correlations: Brain_Data) -> Arrays:
    """Smoothing, standardizing and what is done along time; ``filter`` is no oracle."""
    spikes = brain.find_spikes(global_spike_cutoff=1.5, diff_spike_cutoff=1.5)
    global_spikes = spikes.filter(like="global_spike").to_numpy()
    diff_spikes = spikes.filter(like="diff_spike").to_numpy()
    few = brain[:10]
    return {
        "smooth/fwhm_6": brain[:3].smooth(6).data,
        "smooth/image_3_fwhm_6": brain[3].smooth(6).data,
        "standardize/center_axis_0": brain.standardize(axis=0, method="center").data,
        "standardize/zscore_axis_0": brain.standardize(axis=0, method="zscore").data,
        "standardize/center_axis_1": brain.standardize(axis=1, method="center").data,
        "standardize/zscore_axis_1": brain.standardize(axis=1, method="zscore").data,
        "scale/100": brain.scale().data,
        "scale/10000": brain.scale(10000).data,
        "detrend/linear": brain.detrend("linear").data,
        "detrend/constant": brain.detrend("constant").data,
        "r_to_z/correlations": correlations.r_to_z().data,
        "z_to_r/correlations": correlations.z_to_r().data,
        "find_spikes/global_cutoff_1.5": np.flatnonzero(global_spikes.any(axis=1)),
        "find_spikes/diff_cutoff_1.5": np.flatnonzero(diff_spikes.any(axis=1)),
        # TR 2 s to TR 5 s and to TR 1 s; the second reads past the last image and extrapolates.
        "temporal_resample/tr_2_to_5": few.temporal_resample(
            0.5, target=0.2, target_type="hz"
        ).data,
        "temporal_resample/tr_2_to_1": few.temporal_resample(0.5, target=1, target_type="hz").data,
    }


def freeze_thresholds(brain: Brain_Data) -> Arrays:
    """Each way to threshold."""
    few = brain[:3]
    return {
        "threshold/upper_5": few.threshold(upper=5).data,
        "threshold/lower_1": few.threshold(lower=1).data,
        "threshold/upper_6_lower_-2": few.threshold(upper=6, lower=-2).data,
        "threshold/upper_90%": few.threshold(upper="90%").data,
        "threshold/lower_10%": few.threshold(lower="10%").data,
        "threshold/upper_90%_lower_10%": few.threshold(upper="90%", lower="10%").data,
        "threshold/upper_5_binarize": few.threshold(upper=5, binarize=True).data,
        "threshold/upper_6_lower_-2_binarize": few.threshold(6, -2, binarize=True).data,
    }


def freeze_statistics(brain: Brain_Data, inputs: Arrays) -> Arrays:
    """Similarity, distance, tests and regression."""
    frozen = {
        f"similarity/{method}": brain.similarity(brain[3], method=method)
        for method in ("correlation", "spearman", "cosine", "dot_product")
    }
    for metric in ("euclidean", "correlation"):
        frozen[f"distance/{metric}"] = brain.distance(metric=metric).squareform()
    for name, result in brain.ttest().items():
        frozen[f"ttest/{name}"] = result.data
    brain.X = pd.DataFrame(inputs["design"], columns=["intercept", "trend", "random"])
    for name, result in brain.regress().items():
        frozen[f"regress/{name}"] = result.data
    differences, signs = transform_pairwise(brain[:4].data, inputs["target"][:4])
    mean = brain.bootstrap("mean", n_samples=8, n_jobs=1, random_state=0)
    return {
        **frozen,
        "transform_pairwise/X": differences,
        "transform_pairwise/Y": signs,
        "icc/icc3_judges": np.array(make_flat(inputs["judges"]).icc("icc3")),
        **{f"bootstrap/{name}_shape": np.array(result.shape()) for name, result in mean.items()},
    }


def freeze_regions(brain: Brain_Data, inputs: Arrays) -> Arrays:
    """Regions of interest, a smaller mask and connected regions."""
    one = make_volume(inputs["labels"] == 1, brain.mask)
    labels = make_volume(inputs["labels"], brain.mask)
    blobs = make_volume(np.isin(inputs["labels"], [1, 3]) * 5.0, brain.mask)
    pieces = blobs.regions(min_region_size=27, extract_type="connected_components").data
    return {
        "apply_mask/label_1": brain[:3].apply_mask(one).data,
        "extract_roi/mean_label_1": brain.extract_roi(one),
        "extract_roi/median_label_1": brain.extract_roi(one, metric="median"),
        "extract_roi/mean_labels": brain.extract_roi(labels),
        "extract_roi/median_labels": brain.extract_roi(labels, metric="median"),
        "aggregate/mean_image_3": brain[3].aggregate(labels, "mean").data,
        "aggregate/mean_images": brain.aggregate(labels, "mean").data,
        "regions/connected_components": pieces,
    }


def freeze_decompositions(sources: Brain_Data) -> Arrays:
    """Three components by each method; their signs and their order are arbitrary."""
    frozen: Arrays = {}
    for algorithm, options in DECOMPOSITIONS.items():
        result = sources.decompose(algorithm=algorithm, n_components=3, **options)
        frozen[f"decompose/{algorithm}_components"] = result["components"].data
        frozen[f"decompose/{algorithm}_weights"] = result["weights"]
        if algorithm == "pca":
            variance = result["decomposition_object"].explained_variance_
            frozen["decompose/pca_explained_variance"] = variance
    return frozen


def freeze_predictions(sources: Brain_Data, inputs: Arrays) -> Arrays:
    """Fits to all images and by cross-validation."""
    folds = {"type": "kfolds", "n_folds": 5}
    leave_one_group_out = {"type": "loso", "subject_id": inputs["groups"]}
    frozen: Arrays = {}
    for name, algorithm, y, cv_dict, options in (
        ("ridge_kfolds", "ridge", "target", folds, {}),
        ("ridge_loso", "ridge", "target", leave_one_group_out, {}),
        ("pcr_kfolds", "pcr", "target", folds, {}),
        ("svr_kfolds", "svr", "target", folds, {"kernel": "linear"}),
        ("svm_loso", "svm", "classes", leave_one_group_out, {"kernel": "linear"}),
    ):
        sources.Y = pd.DataFrame(inputs[y])
        result = sources.predict(algorithm, cv_dict, plot=False, verbose=False, **options)
        frozen[f"predict/{name}_weight_map"] = result["weight_map"].data
        for key in ("yfit_all", "yfit_xval", "intercept", "rmse_xval", "r_xval", "mcr_xval"):
            if key in result:
                frozen[f"predict/{name}_{key}"] = np.array(result[key])
    return frozen


def freeze_alignment(sources: Brain_Data) -> Arrays:
    """Ten images brought onto ten others; the matrix itself is large and follows from them."""
    aligned = sources[:10].align(sources[10:], method="procrustes")
    return {
        "align/procrustes_transformed": aligned["transformed"].data,
        "align/procrustes_disparity": np.array(aligned["disparity"]),
        "align/procrustes_scale": np.array(aligned["scale"]),
    }


def freeze_defects(brain: Brain_Data, inputs: Arrays) -> Arrays:
    """Answers that are wrong, or that nobody would expect."""
    gapped = make_volume(inputs["gapped_labels"], brain.mask)
    similarity = brain[0].multivariate_similarity(brain[1:4])
    return {
        "defect/len_of_one_image": np.array(len(brain[3])),
        "defect/threshold_upper_0": brain[:3].threshold(upper=0).data,
        "defect/expand_mask_of_labels_2_5_9": expand_mask(gapped).data,
        "defect/icc2_judges": np.array(make_flat(inputs["judges"]).icc("icc2")),
        "defect/multivariate_similarity_t_shape": np.array(similarity["t"].shape),
    }


def make_volume(volume: np.ndarray, mask: nib.Nifti1Image) -> Brain_Data:
    """Return one volume as Brain_Data, on the grid of the mask."""
    return Brain_Data(nib.Nifti1Image(volume.astype(np.float32), AFFINE), mask=mask)


def make_matrix(matrix: np.ndarray, mask: nib.Nifti1Image) -> Brain_Data:
    """Return images x voxels as Brain_Data."""
    return Brain_Data(unmask(matrix, mask), mask=mask)


def make_flat(matrix: np.ndarray) -> Brain_Data:
    """Return images x voxels as Brain_Data whose voxels lie in one row."""
    mask = nib.Nifti1Image(np.ones((matrix.shape[1], 1, 1), dtype=np.uint8), np.eye(4))
    return make_matrix(matrix, mask)


def main() -> None:
    """Write the fixture beside this script, or to the path that is given."""
    inputs = make_inputs()
    mask = nib.Nifti1Image(inputs["mask"], AFFINE)
    brain = Brain_Data(nib.Nifti1Image(inputs["image"], AFFINE), mask=mask)
    # In float32, models would differ from one processor to the next in the fourth digit.
    sources = make_matrix(inputs["sources"], mask).astype(float)
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    frozen = {
        "versions": np.array([f"python {platform.python_version()}", *versions]),
        "methods": np.array([name for name in vars(Brain_Data) if not name.startswith("_")]),
        **{f"input/{name}": array for name, array in inputs.items()},
        **freeze_container(brain),
        **freeze_arithmetic(brain, inputs["weights"]),
        **freeze_summaries(brain),
        **freeze_signals(brain, make_matrix(inputs["correlations"], mask)),
        **freeze_thresholds(brain),
        **freeze_statistics(brain.copy(), inputs),
        **freeze_regions(brain, inputs),
        **freeze_decompositions(sources),
        **freeze_predictions(sources, inputs),
        **freeze_alignment(sources),
        **freeze_defects(brain, inputs),
    }
    default = Path(__file__).with_name("nltools_0_5_1.npz")
    np.savez_compressed(Path(sys.argv[1]) if len(sys.argv) > 1 else default, **frozen)


if __name__ == "__main__":
    main()
