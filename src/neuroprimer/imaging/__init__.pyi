from .affine_parts import (
    AffineParts,
    compose,
    decompose,
)
from .affines import (
    AffineError,
    axis_codes,
    obliquity,
    require_affine,
    require_invertible,
    voxel_sizes,
    voxel_to_world,
    world_to_voxel,
)
from .aggregation import (
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
from .alignment import (
    Alignment,
    AlignmentError,
    VoxelRotation,
    align,
    from_common,
    to_common,
)
from .bootstrapping import (
    Bootstrap,
    bootstrap,
)
from .brain_masks import (
    brain_mask,
)
from .braindata import (
    BrainData,
    make_like,
)
from .clusters import (
    regions,
)
from .decomposition import (
    Components,
    DecompositionError,
    find_components,
)
from .describing import (
    FormDifference,
    ImageDescription,
    describe,
)
from .explain import (
    AffineStep,
    Explanation,
    explain,
)
from .files import (
    ImageShapeError,
    as_4d,
    load_image,
    memory_bytes,
)
from .finite import (
    NotANumberError,
)
from .grids import (
    Grid,
    GridMismatchError,
    bounding_box_mm,
    require_same_grid,
    same_grid,
)
from .grouping import (
    groupby,
    transform_pairwise,
)
from .inference import (
    DesignError,
    Regression,
    TTest,
    correct_p,
    regress,
    ttest,
)
from .mask_algebra import (
    dice,
    difference_mask,
    intersection_mask,
    union_mask,
)
from .masking import (
    apply_mask,
    unmask,
)
from .masks import (
    Mask,
    MaskError,
    require_mask,
    sphere,
)
from .moments import (
    StatisticError,
)
from .phantoms import (
    PhantomError,
    block_design,
    make_head,
    make_labels,
    make_maps,
    make_run,
)
from .plotting import (
    plot_montage,
    plot_slices,
    view,
)
from .prediction import (
    Prediction,
    PredictionError,
    predict,
)
from .regional import (
    RegionError,
    mean_signal,
    region_signals,
)
from .regrid import (
    ResampleError,
)
from .resample import (
    move_image,
    resample_to,
    to_ras,
    transform_image,
)
from .rescaling import (
    r_to_z,
    scale,
    standardize,
    z_to_r,
)
from .rois import (
    aggregate,
    extract_roi,
    split_regions,
)
from .rotations import (
    euler_rotation,
    rotation,
    rotation_axis_angle,
)
from .saving import (
    QuantisationWarning,
    save_image,
)
from .signals import (
    detrend,
    filter,
    find_spikes,
    temporal_resample,
)
from .slices import (
    PictureError,
)
from .smoothing import (
    smooth,
)
from .stacking import (
    NoImagesError,
)
from .statistics import (
    distance,
    icc,
    similarity,
    threshold,
)
from .tables import (
    BrainDataError,
    BrainDataIndexError,
)
from .times import (
    RepetitionTimeError,
    RepetitionTimeWarning,
    find_sidecar,
    repetition_time_s,
)
from .transforms import (
    about,
    chain,
    image_centre_mm,
    invert,
    reflection,
    scaling,
    shearing,
    translation,
)
from .voxels import (
    ImageFileError,
    load_voxels,
)
from .voxelwise import (
    SignalError,
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
