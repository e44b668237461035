"""Times: how long a volume takes, and whether a header can be believed about it."""

import json
import warnings
from os import PathLike
from pathlib import Path

import nibabel as nib
from nibabel.spatialimages import SpatialHeader, SpatialImage

from neuroprimer.errors import NeuroprimerError

# Endings that stand behind the ending of the format.
COMPRESSED = (".gz", ".bz2", ".zst")

SECONDS_PER_UNIT = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}

# Functional volumes are taken every half to few seconds; half a minute is a wrong unit.
LONGEST_PLAUSIBLE_TR_S = 30.0

# No scanner takes a volume in less.
SHORTEST_PLAUSIBLE_TR_S = 0.02

# Sidecars are written with full digits, headers in float32 and often rounded to a millisecond.
TR_TOLERANCE_S = 1e-3


class RepetitionTimeError(NeuroprimerError, ValueError):
    """A header from which no believable repetition time can be read.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> from neuroprimer.imaging import load_image
    >>> repetition_time_s(load_image(Path(data_path) / "example4d.nii.gz"))
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.files.times.RepetitionTimeError: A repetition time of
    2000 s cannot be right: the header stores 2000 and names the unit 'sec';
    expected 0.02 to 30 s. Look into the scan protocol or the JSON sidecar, then
    pass unit='msec' or unit='sec'.
    """


class RepetitionTimeWarning(UserWarning):
    """A header and a sidecar that say different things.

    Examples
    --------
    A script that should stop here turns the warning into an error:

    >>> import tempfile
    >>> from neuroprimer.imaging import make_run
    >>> run = make_run(2, tr_s=2.0)
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    ...     warnings.simplefilter("error", RepetitionTimeWarning)
    ...     sidecar = Path(folder) / "bold.json"
    ...     _ = sidecar.write_text('{"RepetitionTime": 2.4}')
    ...     repetition_time_s(run, sidecar=sidecar)
    Traceback (most recent call last):
    ...
    neuroprimer.imaging.files.times.RepetitionTimeWarning: The sidecar says 2.4
    s, the header 2 s; the sidecar is taken.
    """


def repetition_time_s(
    image: SpatialImage,
    *,
    unit: str | None = None,
    sidecar: str | PathLike[str] | None = None,
) -> float:
    """Return the time between two volumes of a run in seconds, if it can be believed.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        A 4-D image with a NIfTI or MGH header.
    unit : {"sec", "msec", "usec"}, optional
        The unit that the number in the header has. Default: the one that the header names.
    sidecar : str or path-like, optional
        The JSON file of a BIDS dataset that belongs to the run. Where it names a
        ``RepetitionTime``, this is taken, and a warning says so if the header differs.

    Returns
    -------
    tr_s : float
        Repetition time in seconds.

    Raises
    ------
    RepetitionTimeError
        If the image has no time axis, the header names no unit of time, the sidecar cannot be
        read, or the time is not a number, below 20 ms or above half a minute.

    Warns
    -----
    RepetitionTimeWarning
        If header and sidecar differ by more than a millisecond.

    See Also
    --------
    find_sidecar : the sidecar of an image that was opened from a file.

    Notes
    -----
    The number is ``pixdim[4]``, its unit stands in ``xyzt_units`` [1]_. In a sidecar it is always
    in seconds [2]_. MGH headers always hold milliseconds.

    References
    ----------
    .. [1] The NIfTI-1 data format, nifti1.h, section "units of spatial and temporal dimensions".
    .. [2] The Brain Imaging Data Structure, section "Task (including resting state) imaging data".

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> from neuroprimer.imaging import load_image
    >>> run = load_image(Path(data_path) / "example4d.nii.gz")
    >>> repetition_time_s(run, unit="msec")
    2.0
    """
    if not isinstance(image, SpatialImage):
        raise RepetitionTimeError(
            f"A {type(image).__name__} has no repetition time; expected an image.",
            hint="Open the file with load_image() first.",
        )
    if len(image.shape) < 4:
        raise RepetitionTimeError(
            f"This image has no time axis: its shape is {image.shape}.",
            hint="A repetition time belongs to a 4-D image (x, y, z, time).",
        )
    tr_s = None if sidecar is None else _sidecar_time_s(sidecar)
    if tr_s is None:
        return _header_time_s(image.header, unit)
    _warn_unless_agreed(image.header, unit, tr_s)
    return tr_s


def find_sidecar(image: SpatialImage) -> Path | None:
    """Return the JSON file that stands beside an image's file, or None.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        An image that was opened from a file.

    Returns
    -------
    sidecar : pathlib.Path or None
        ``sub-01_bold.json`` for ``sub-01_bold.nii.gz``, when there is such a file. Sidecars in
        the folders above, which BIDS allows, too, are not looked for.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> from neuroprimer.imaging import load_image
    >>> find_sidecar(load_image(Path(data_path) / "example4d.nii.gz")) is None
    True
    """
    name = image.get_filename()
    if not name:
        return None
    path = Path(name)
    stem = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    sidecar = stem.with_suffix(".json")
    return sidecar if sidecar.is_file() else None


def write_repetition_time(header: SpatialHeader, tr_s: float) -> None:
    """Put a repetition time into the header of a 4-D image that is being made.

    Parameters
    ----------
    header : nibabel.spatialimages.SpatialHeader
        The header; it is changed.
    tr_s : float
        Repetition time in seconds.

    Examples
    --------
    >>> import numpy as np
    >>> run = nib.Nifti1Image(np.zeros((2, 2, 2, 5), np.float32), np.eye(4))
    >>> write_repetition_time(run.header, 2.4)
    >>> round(repetition_time_s(run), 6)
    2.4
    """
    write_time(header, tr_s, "sec")


def stored_time(header: SpatialHeader) -> tuple[float, str] | None:
    """Return the time step that a header stores, and its unit, whether or not it is plausible.

    Parameters
    ----------
    header : nibabel.spatialimages.SpatialHeader
        Of any format.

    Returns
    -------
    step, unit : float and str, or None
        The unit is "sec", "msec", "usec", or what the header has in its place, as "unknown". None
        without a time axis, or with a step that is not positive.

    Examples
    --------
    >>> from nibabel.testing import data_path
    >>> stored_time(nib.load(Path(data_path) / "example4d.nii.gz").header)
    (2000.0, 'sec')
    """
    steps = header.get_zooms()[3:4]
    if not steps or not steps[0] > 0:
        return None
    return float(steps[0]), _stored_units(header)[1]


def write_time(header: SpatialHeader, step: float, unit: str) -> None:
    """Put a time step into the header of a 4-D image that is being made.

    A MGH header has no time axis for a single volume; it stays as it is.

    Parameters
    ----------
    header : nibabel.spatialimages.SpatialHeader
        A NIfTI or MGH header; it is changed.
    step : float
        Time between two volumes; 0 where it is not known.
    unit : str
        What it is counted in, as `stored_time` gives it.

    Examples
    --------
    >>> import numpy as np
    >>> run = nib.Nifti1Image(np.zeros((2, 2, 2, 5), np.float32), np.eye(4))
    >>> write_time(run.header, 2400, "msec")
    >>> stored_time(run.header)
    (2400.0, 'msec')
    """
    if len(header.get_zooms()) < 4:
        return
    if isinstance(header, nib.MGHImage.header_class):
        step *= SECONDS_PER_UNIT.get(unit, 0) / SECONDS_PER_UNIT["msec"]
    header.set_zooms((*header.get_zooms()[:3], step))
    if isinstance(header, nib.Nifti1Header):
        of_space = _stored_units(header)[0]
        header.set_xyzt_units(
            "mm" if of_space == "unknown" else of_space,
            unit if unit in SECONDS_PER_UNIT else "unknown",
        )


def _header_time_s(header: SpatialHeader, unit: str | None) -> float:
    stored_unit = _stored_units(header)[1]
    used_unit = stored_unit if unit is None else unit
    if used_unit not in SECONDS_PER_UNIT:
        raise RepetitionTimeError(
            f"{used_unit!r} is not a unit of time; expected one of {', '.join(SECONDS_PER_UNIT)}.",
            hint="Pass unit='sec' or unit='msec' when you know which it is.",
        )
    # A single volume of FreeSurfer has no fourth step, also when it was made a run of one.
    stored = float((*header.get_zooms()[3:4], 0)[0])
    whose = f"names the unit {stored_unit!r}" if unit is None else f"you said {unit!r}"
    return _require_plausible(
        stored * SECONDS_PER_UNIT[used_unit], f"the header stores {stored:g} and {whose}"
    )


def _stored_units(header: SpatialHeader) -> tuple[str, str]:
    """Return the units of space and time that a header names, or what stands in their place."""
    if isinstance(header, nib.MGHImage.header_class):
        return "mm", "msec"
    try:
        of_space, of_time = header.get_xyzt_units()  # type: ignore[attr-defined] # tried
    except (AttributeError, KeyError):
        return "unknown", "unknown"
    return of_space, of_time


def _sidecar_time_s(sidecar: str | PathLike[str]) -> float | None:
    """Return the repetition time that a sidecar names, or None if it names none."""
    try:
        path = Path(sidecar)
        if path.exists() and not path.is_file():  # a pipe would wait for a writer
            raise OSError("it is no file")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__} where names and values belong")
        stored = content.get("RepetitionTime")
        if isinstance(stored, bool):
            raise TypeError(f"{stored} is no time")
        tr_s = None if stored is None else float(stored)
    except (OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RepetitionTimeError(
            f"Cannot read the repetition time from {sidecar}: {error}.",
            hint='A sidecar is a JSON file with a line such as "RepetitionTime": 2.4',
        ) from error
    return None if tr_s is None else _require_plausible(tr_s, f"{path.name} says so")


def _require_plausible(tr_s: float, source: str) -> float:
    if not SHORTEST_PLAUSIBLE_TR_S <= tr_s <= LONGEST_PLAUSIBLE_TR_S:
        raise RepetitionTimeError(
            f"A repetition time of {tr_s:g} s cannot be right: {source}; "
            f"expected {SHORTEST_PLAUSIBLE_TR_S:g} to {LONGEST_PLAUSIBLE_TR_S:g} s.",
            hint="Look into the scan protocol or the JSON sidecar, then pass unit='msec' or "
            "unit='sec'.",
        )
    return tr_s


def _warn_unless_agreed(header: SpatialHeader, unit: str | None, tr_s: float) -> None:
    try:
        header_s = _header_time_s(header, unit)
        says = f"{header_s:g} s"
    except RepetitionTimeError as error:
        header_s, says = float("nan"), f"something unbelievable ({error.message})"
    if not abs(header_s - tr_s) <= TR_TOLERANCE_S:
        warnings.warn(
            f"The sidecar says {tr_s:g} s, the header {says}; the sidecar is taken.",
            RepetitionTimeWarning,
            stacklevel=3,
        )
