from .affines import (
    AffineError,
    axis_codes,
    obliquity,
    require_affine,
    voxel_sizes,
    voxel_to_world,
    world_to_voxel,
)
from .files import (
    ImageFileError,
    RepetitionTimeError,
    load_image,
    memory_bytes,
    repetition_time_s,
)
from .grids import Grid, GridMismatchError, bounding_box_mm, require_same_grid, same_grid

__all__ = [
    "AffineError",
    "Grid",
    "GridMismatchError",
    "ImageFileError",
    "RepetitionTimeError",
    "axis_codes",
    "bounding_box_mm",
    "load_image",
    "memory_bytes",
    "obliquity",
    "repetition_time_s",
    "require_affine",
    "require_same_grid",
    "same_grid",
    "voxel_sizes",
    "voxel_to_world",
    "world_to_voxel",
]
