"""What a build does inside a lesson's kernel to read the data behind figures that a cell shows.

The source of this file is sent to the kernel and run there in a namespace of its own, so it uses
the standard library alone. Figures are told by their words: where there is one, matplotlib and
numpy are loaded. Nothing is drawn, shown or kept in the lesson's names.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

# Under this name the reader stands among the formatters of IPython while a golden cell runs.
READER = "application/x-neuroprimer-figure"

# Asked after the cell: gives what was read, and takes the reader away.
WHAT_WAS_READ = (
    '__import__("json").dumps(__import__("IPython").get_ipython()'
    f".display_formatter.formatters.pop({READER!r}).read)"
)

# Begins what is told of a figure that tells nothing.
UNREAD = "cannot be read"

# So many artists of a kind are told one by one; of more, as in a map full of contours, all at once.
MOST_ARTISTS = 6

# Arrays up to this length are written out; of longer ones a sample of as many values is.
MOST_VALUES = 8

# Formatters of an axis whose labels somebody has chosen. Others follow the size of the figure.
CHOSEN_LABELS = ("FixedFormatter", "StrCategoryFormatter")


def start_reading() -> None:
    """Read all figures that are shown from now on."""
    shell = sys.modules["IPython"].get_ipython()
    # all that may be done with a formatter, as matplotlib does, must be possible with this one
    formatter: Any = sys.modules["IPython.core.formatters"].BaseFormatter

    class FigureReader(formatter):  # type: ignore[misc]
        """Sees all that is shown, last of all formatters and so as it was drawn; adds nothing."""

        def __call__(self, shown: Any) -> None:
            if is_figure(shown):
                self.read.append(read_figure(shown))

    reader = FigureReader(parent=shell.display_formatter)
    reader.read = []
    shell.display_formatter.formatters[READER] = reader


def is_figure(shown: Any) -> bool:
    """Tell whether something is a figure of matplotlib, without importing it."""
    kinds = [(kind.__module__, kind.__name__) for kind in type(shown).__mro__]
    return ("matplotlib.figure", "Figure") in kinds


def read_figure(figure: Any) -> str:
    """Return the data behind a figure, or why they cannot be read: that stops no lesson."""
    try:
        return "\n".join(describe_figure(figure))
    except Exception as error:  # noqa: BLE001  artists can be anything
        return f"{UNREAD}: {type(error).__name__}"


def describe_figure(figure: Any) -> Iterator[str]:
    """Yield the data behind a figure, line by line: what it shows, not what it looks like."""
    for part in _with_subfigures(figure):
        yield from _artists(part, "figure")
        for text in part.texts:  # its title among them; where it stands is a matter of style
            yield from _words("figure", {"text": text.get_text()})
        for legend in part.legends:
            yield from _legend(legend, "figure")
    for number, axes in enumerate(_all_axes(figure.axes), start=1):
        yield from _axes(axes, f"axes {number}")


def _with_subfigures(figure: Any) -> Iterator[Any]:
    yield figure
    for part in figure.subfigs:
        yield from _with_subfigures(part)


def _all_axes(some: Any) -> Iterator[Any]:
    for axes in some:
        yield axes
        yield from _all_axes(axes.child_axes)


def _axes(axes: Any, place: str) -> Iterator[str]:
    if hasattr(axes, "get_title"):  # a second scale of other axes has none
        titles = {f"{loc} title": axes.get_title(loc) for loc in ("left", "center", "right")}
        titles["title"] = titles.pop("center title")
        yield from _words(place, titles)
    for name in ("x", "y", "z"):
        axis = getattr(axes, f"{name}axis", None)
        if axis is None:
            continue
        yield f"{place} {name}: {_array_text(axis.get_view_interval())} {axis.get_scale()}"
        yield from _words(f"{place} {name}", {"label": axis.get_label_text()})
        if type(axis.get_major_formatter()).__name__ in CHOSEN_LABELS:
            labels = [tick.label1.get_text() for tick in axis.get_major_ticks()]
            yield from _words(f"{place} {name}", {"ticks": " | ".join(labels)})
    yield from _artists(axes, place)
    for text in axes.texts:
        if text.get_visible() and text.get_text().strip():
            at = _array_text(text.get_position())
            yield from _words(place, {f"text at {at}": text.get_text()})
    if axes.get_legend() is not None:
        yield from _legend(axes.get_legend(), place)


def _legend(legend: Any, place: str) -> Iterator[str]:
    yield from _words(place, {"legend": " | ".join(t.get_text() for t in legend.get_texts())})


def _artists(owner: Any, place: str) -> Iterator[str]:
    """Yield the data of all that is drawn into axes, or beside them into a figure."""
    for kind, (kinds, read) in READERS.items():
        shown = [read(one) for one in getattr(owner, kinds, ()) if one.get_visible()]
        if len(shown) > MOST_ARTISTS:
            names = dict.fromkeys(name for one in shown for name in one)
            together = {name: _joined([one.get(name, ()) for one in shown]) for name in names}
            yield from _arrays(f"{place} {len(shown)} {kinds}", together)
        else:
            for number, one in enumerate(shown, start=1):
                yield from _arrays(f"{place} {kind} {number}", one)


def _line(line: Any) -> dict[str, Any]:
    if hasattr(line, "get_data_3d"):
        return dict(zip("xyz", line.get_data_3d(), strict=True))
    return {"x": line.get_xdata(orig=False), "y": line.get_ydata(orig=False)}


def _image(image: Any) -> dict[str, Any]:
    read = {"values": image.get_array(), "extent": image.get_extent()}
    return read if read["values"].ndim > 2 else {**read, "colours": image.get_clim()}


def _collection(collection: Any) -> dict[str, Any]:
    """Return points where there are some, since paths are markers then; else the paths."""
    numpy = sys.modules["numpy"]
    read: dict[str, Any] = {}
    values = collection.get_array()
    if values is not None:
        read |= {"values": values, "colours": collection.get_clim()}
    if hasattr(collection, "_offsets3d"):
        return {**read, **dict(zip("xyz", collection._offsets3d, strict=True))}
    offsets = numpy.ma.asarray(collection.get_offsets())
    if hasattr(collection, "get_coordinates"):  # a mesh
        read["corners"] = collection.get_coordinates()
    elif hasattr(collection, "U"):  # arrows
        read |= {"points": offsets, "u": collection.U, "v": collection.V}
    elif offsets.any():
        sizes = collection.get_sizes() if hasattr(collection, "get_sizes") else ()
        read |= {"points": offsets, "sizes": sizes if len(sizes) > 1 else ()}
    else:
        read["paths"] = _joined([path.vertices for path in collection.get_paths()])
    return read


def _patch(patch: Any) -> dict[str, Any]:
    vertices = patch.get_path().vertices
    return {"corners": patch.get_patch_transform().transform(vertices)}


READERS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "line": ("lines", _line),
    "image": ("images", _image),
    "collection": ("collections", _collection),
    "patch": ("patches", _patch),
}


def _joined(parts: list[Any]) -> Any:
    numpy = sys.modules["numpy"]
    return numpy.concatenate([_plain(part).ravel() for part in parts]) if parts else ()


def _arrays(place: str, arrays: dict[str, Any]) -> Iterator[str]:
    for name, values in arrays.items():
        text = _array_text(values)
        if text:  # nothing is drawn where there are no values
            yield f"{place} {name}: {text}"


def _plain(values: Any) -> Any:
    """Return values as an array of numbers, masked ones as NaN; texts and times as matplotlib."""
    numpy = sys.modules["numpy"]
    array = numpy.ma.asarray(values)
    if array.dtype.kind not in "biuf":
        array = array.astype(float)
    if numpy.ma.is_masked(array):
        array = array.astype(float).filled(numpy.nan)
    return numpy.asarray(array)


def _array_text(values: Any) -> str:
    """Return a few numbers that stand for many: all of a short array, else what sums it up.

    The moment, a mean in which later values count more, tells of values in another order.
    """
    numpy = sys.modules["numpy"]
    array = _plain(values)
    flat = array.ravel()
    if flat.size <= MOST_VALUES:
        return _numbers(flat)
    is_finite = numpy.isfinite(flat)
    known = flat[is_finite].astype(float)
    size = "x".join(map(str, array.shape))
    if not known.size:
        return f"[{size}], none finite"
    missing = "" if is_finite.all() else f", {known.size} finite"
    moment = numpy.where(is_finite, flat, 0) @ numpy.linspace(0, 1, flat.size) / flat.size
    sums = {"mean": known.mean(), "sd": known.std(), "moment": moment}
    places = numpy.linspace(0, flat.size - 1, MOST_VALUES).round().astype(int)
    return (
        f"[{size}]{missing}, from {_numbers(flat[is_finite].min())} to "
        f"{_numbers(flat[is_finite].max())}, "
        + ", ".join(f"{name} {_numbers(value)}" for name, value in sums.items())
        + f", among them {_numbers(flat[places])}"
    )


def _numbers(values: Any) -> str:
    return " ".join(_number(value) for value in sys.modules["numpy"].ravel(values).tolist())


def _number(value: Any) -> str:
    """Return a number with nine digits; whole ones of floating point can still be told."""
    if not isinstance(value, float):
        return str(int(value))
    text = f"{value + 0.0:.9g}"  # no negative zero
    return f"{text}.0" if text.lstrip("-").isdecimal() else text


def _words(place: str, words: dict[str, str]) -> Iterator[str]:
    for name, text in words.items():
        if text:
            yield f"{place} {name}: {text!r}"
