from .analysis.alignment import (
    Alignment,
    AlignmentError,
    VoxelRotation,
    align,
    from_common,
    to_common,
)
from .analysis.bootstrapping import (
    Bootstrap,
    bootstrap,
)
from .analysis.clusters import (
    regions,
)
from .analysis.decomposition import (
    Components,
    DecompositionError,
    find_components,
)
from .analysis.grouping import (
    groupby,
    transform_pairwise,
)
from .analysis.inference import (
    DesignError,
    Regression,
    TTest,
    correct_p,
    regress,
    ttest,
)
from .analysis.prediction import (
    Prediction,
    PredictionError,
    predict,
)
from .analysis.rescaling import (
    r_to_z,
    scale,
    standardize,
    z_to_r,
)
from .analysis.rois import (
    aggregate,
    extract_roi,
    split_regions,
)
from .analysis.signals import (
    detrend,
    filter,
    find_spikes,
    temporal_resample,
)
from .analysis.smoothing import (
    smooth,
)
from .analysis.statistics import (
    distance,
    icc,
    similarity,
    threshold,
)
from .analysis.voxelwise import (
    SignalError,
)
from .braindata import (
    BrainData,
    make_like,
)
from .comparing.affines import (
    compare_affines,
)
from .comparing.coordinates import (
    compare_coordinates,
)
from .comparing.images import (
    compare_images,
)
from .comparing.masks import (
    compare_masks,
)
from .comparing.times import (
    compare_times,
)
from .describing import (
    FormDifference,
    ImageDescription,
    describe,
)
from .engine.finite import (
    NotANumberError,
)
from .files.images import (
    ImageShapeError,
    as_4d,
    load_image,
    memory_bytes,
)
from .files.saving import (
    QuantisationWarning,
    save_image,
)
from .files.times import (
    RepetitionTimeError,
    RepetitionTimeWarning,
    find_sidecar,
    repetition_time_s,
)
from .files.voxels import (
    ImageFileError,
    load_voxels,
)
from .phantoms import (
    PhantomError,
    block_design,
    make_head,
    make_labels,
    make_maps,
    make_run,
)
from .pictures.plotting import (
    plot_montage,
    plot_slices,
    view,
)
from .pictures.slices import (
    PictureError,
)
from .resampling.regrid import (
    ResampleError,
)
from .resampling.resample import (
    move_image,
    resample_to,
    to_ras,
    transform_image,
)
from .space.affine_parts import (
    AffineParts,
    compose,
    decompose,
)
from .space.affines import (
    AffineError,
    axis_codes,
    obliquity,
    require_affine,
    require_invertible,
    voxel_sizes,
    voxel_to_world,
    world_to_voxel,
)
from .space.explaining import (
    AffineStep,
    Explanation,
    explain,
)
from .space.grids import (
    Grid,
    GridMismatchError,
    bounding_box_mm,
    require_same_grid,
    same_grid,
)
from .space.rotations import (
    euler_rotation,
    rotation,
    rotation_axis_angle,
)
from .space.transforms import (
    about,
    chain,
    image_centre_mm,
    invert,
    reflection,
    scaling,
    shearing,
    translation,
)
from .tables.aggregation import (
    ImageSummary,
    max_image,
    mean_image,
    median_image,
    min_image,
    std_image,
    sum_image,
    summarise_images,
    tsnr_image,
)
from .tables.annotations import (
    BrainDataError,
    BrainDataIndexError,
)
from .tables.brain_masks import (
    brain_mask,
)
from .tables.mask_algebra import (
    dice,
    difference_mask,
    intersection_mask,
    union_mask,
)
from .tables.masking import (
    apply_mask,
    unmask,
)
from .tables.masks import (
    Mask,
    MaskError,
    require_mask,
    sphere,
)
from .tables.moments import (
    StatisticError,
)
from .tables.regional import (
    RegionError,
    mean_signal,
    region_signals,
)
from .tables.stacking import (
    NoImagesError,
)

__all__ = [
    "AffineError",
    "AffineParts",
    "AffineStep",
    "Alignment",
    "AlignmentError",
    "Bootstrap",
    "BrainData",
    "BrainDataError",
    "BrainDataIndexError",
    "Components",
    "DecompositionError",
    "DesignError",
    "Explanation",
    "FormDifference",
    "Grid",
    "GridMismatchError",
    "ImageDescription",
    "ImageFileError",
    "ImageShapeError",
    "ImageSummary",
    "Mask",
    "MaskError",
    "NoImagesError",
    "NotANumberError",
    "PhantomError",
    "PictureError",
    "Prediction",
    "PredictionError",
    "QuantisationWarning",
    "RegionError",
    "Regression",
    "RepetitionTimeError",
    "RepetitionTimeWarning",
    "ResampleError",
    "SignalError",
    "StatisticError",
    "TTest",
    "VoxelRotation",
    "about",
    "aggregate",
    "align",
    "apply_mask",
    "as_4d",
    "axis_codes",
    "block_design",
    "bootstrap",
    "bounding_box_mm",
    "brain_mask",
    "chain",
    "compare_affines",
    "compare_coordinates",
    "compare_images",
    "compare_masks",
    "compare_times",
    "compose",
    "correct_p",
    "decompose",
    "describe",
    "detrend",
    "dice",
    "difference_mask",
    "distance",
    "euler_rotation",
    "explain",
    "extract_roi",
    "filter",
    "find_components",
    "find_sidecar",
    "find_spikes",
    "from_common",
    "groupby",
    "icc",
    "image_centre_mm",
    "intersection_mask",
    "invert",
    "load_image",
    "load_voxels",
    "make_head",
    "make_labels",
    "make_like",
    "make_maps",
    "make_run",
    "max_image",
    "mean_image",
    "mean_signal",
    "median_image",
    "memory_bytes",
    "min_image",
    "move_image",
    "obliquity",
    "plot_montage",
    "plot_slices",
    "predict",
    "r_to_z",
    "reflection",
    "region_signals",
    "regions",
    "regress",
    "repetition_time_s",
    "require_affine",
    "require_invertible",
    "require_mask",
    "require_same_grid",
    "resample_to",
    "rotation",
    "rotation_axis_angle",
    "same_grid",
    "save_image",
    "scale",
    "scaling",
    "shearing",
    "similarity",
    "smooth",
    "sphere",
    "split_regions",
    "standardize",
    "std_image",
    "sum_image",
    "summarise_images",
    "temporal_resample",
    "threshold",
    "to_common",
    "to_ras",
    "transform_image",
    "transform_pairwise",
    "translation",
    "tsnr_image",
    "ttest",
    "union_mask",
    "unmask",
    "view",
    "voxel_sizes",
    "voxel_to_world",
    "world_to_voxel",
    "z_to_r",
]
