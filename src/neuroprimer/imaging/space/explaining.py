"""Explain: what an affine does, in words, as a formula and as a table."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import TextWrapper

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroprimer.imaging.space.affine_parts import AffineParts, compose, decompose
from neuroprimer.imaging.space.affines import axis_codes, obliquity, require_affine, voxel_sizes
from neuroprimer.imaging.space.rotations import rotation_axis_angle
from neuroprimer.imaging.space.transforms import translation

# Nearer to doing nothing than this is the rounding of our own sums.
NOTHING = 1e-12

# Nearer to doing nothing than this, in mm or as a share, is what headers round off in float32.
HEADER_ROUNDING = 1e-6

SIDES = {
    "L": "the left",
    "R": "the right",
    "P": "the back",
    "A": "the front",
    "I": "the bottom",
    "S": "the top",
}

# What a positive turn about each axis of the world does, and a negative one.
TURNS = {
    "x": ("front towards top", "top towards front"),
    "y": ("top towards right", "right towards top"),
    "z": ("right towards front", "front towards right"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineStep:
    """One of the things that an affine does.

    Parameters
    ----------
    name : {"shear", "zoom", "rotation", "translation"}
        What kind of step it is.
    words : str
        What it does, in a sentence.
    matrix : (4, 4) array
        The step by itself.

    Examples
    --------
    >>> explain(np.diag([2.0, 2.0, 2.0, 1.0])).steps[0].name
    'zoom'
    """

    name: str
    words: str
    matrix: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What an affine does. Shown in a notebook, it is a table of its steps.

    Parameters
    ----------
    affine : (4, 4) array
        Voxel to world, in mm, RAS+.
    steps : tuple of AffineStep
        In the order in which they act on a voxel's indices. Written from right to left, their
        product is the affine. Steps that do nothing are left out.
    facts : tuple of str
        What all steps together come to, a sentence each.

    Examples
    --------
    >>> explain(np.diag([2.0, 2.0, 2.0, 1.0])).facts[0]
    'Voxel (0, 0, 0) lands at (0, 0, 0) mm.'
    """

    affine: NDArray[np.float64]
    steps: tuple[AffineStep, ...]
    facts: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the affine does, a sentence on each line."""
        steps = (f"{number}. {step.words}" for number, step in enumerate(self.steps, start=1))
        return "\n".join([_beginning(self.steps), *steps, *self.facts])

    @property
    def latex(self) -> str:
        """The affine, and below it the product of its steps, without dollar signs around them."""
        named = [(step.name, step.matrix) for step in reversed(self.steps)]
        product = " ".join(
            rf"\underbrace{{{_latex_matrix(matrix)}}}_{{\text{{{name}}}}}" for name, matrix in named
        )
        rows = [_latex_equals([self.affine]) + _latex_matrix(self.affine)]
        if named:
            rows.append(_latex_equals([matrix for _, matrix in named]) + product)
        joined = r" \\ ".join(rows)
        return rf"\begin{{array}}{{rl}} A {joined} \end{{array}}"

    def table(self) -> str:
        """Return the steps and the affine itself as a table for a terminal.

        Returns
        -------
        table : str
            One matrix below the other, four significant digits.

        Examples
        --------
        >>> print(explain(np.diag([-2.0, 2.0, 2.0, 1.0])).table())
        step    matrix
        ------  ----------
        zoom    -2  0  0  0
                 0  2  0  0
                 0  0  2  0
                 0  0  0  1
        affine  -2  0  0  0
                 0  2  0  0
                 0  0  2  0
                 0  0  0  1
        """
        named = [*((step.name, step.matrix) for step in self.steps), ("affine", self.affine)]
        width = max(len(name) for name, _ in named)
        lines = [f"{'step':{width}}  matrix", f"{'-' * width}  {'-' * 10}"]
        for name, matrix in named:
            rows = _text_matrix(matrix).splitlines()
            titles = (name, "", "", "")
            lines += [f"{title:{width}}  {row}" for title, row in zip(titles, rows, strict=True)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        wrapper = TextWrapper(79, subsequent_indent="   ", break_on_hyphens=False)
        return "\n".join([*map(wrapper.fill, self.words.splitlines()), "", self.table()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row">{step.name}</th><td>{escape(step.words)}</td>'
            f"<td><pre>{_text_matrix(step.matrix)}</pre></td></tr>"
            for step in self.steps
        )
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in self.facts)
        return (
            f"<table><caption>{escape(_beginning(self.steps))}</caption>"
            '<thead><tr><th scope="col">Step</th><th scope="col">What it does</th>'
            f'<th scope="col">Matrix</th></tr></thead><tbody>{rows}'
            '<tr><th scope="row">affine</th><td>All steps together.</td>'
            f"<td><pre>{_text_matrix(self.affine)}</pre></td></tr></tbody></table>"
            f"<ul>{facts}</ul>"
        )

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"


def explain(affine: ArrayLike) -> Explanation:
    """Tell what an affine does to voxel indices, step by step.

    Parameters
    ----------
    affine : (4, 4) array-like
        Voxel to world, in mm, RAS+.

    Returns
    -------
    explanation : Explanation
        Its ``words``, its ``latex`` and its ``steps``. Numbers in words are rounded to four
        digits, and where that loses something, "about" stands before them.

    Raises
    ------
    AffineError
        If `affine` is no affine, or its voxel axes lie in one plane.

    See Also
    --------
    decompose : the same steps as numbers, and the conventions.

    Examples
    --------
    >>> print(explain([[-2, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]]).words)
    This affine takes voxel indices (i, j, k) to world coordinates (x, y, z) in mm, in 2 steps:
    1. Zoom: one step along i, j, k becomes 2, 2, 2 mm, and i is mirrored.
    2. Translation: everything is shifted 90 mm to the right, 126 mm to the back, 72 mm down.
    Voxel (0, 0, 0) lands at (90, -126, -72) mm.
    Neighbouring voxel centres lie 2, 2, 2 mm apart along i, j, k.
    The voxel axes run exactly along the axes of the world.
    i grows towards the left, j towards the front, k towards the top: axis codes LAS.
    Along i, the first voxel is the one furthest to the right.
    The voxel axes are left-handed: a picture that takes them for x, y, z is mirrored.
    """
    matrix = require_affine(affine)
    parts = decompose(matrix)
    in_words = {
        "shear": (_shear_words(parts), compose(shears=parts.shears)),
        "zoom": (_zoom_words(parts), compose(zooms=parts.zooms)),
        "rotation": (_rotation_words(parts), parts.rotation),
        "translation": (_translation_words(parts), translation(parts.translation_mm)),
    }
    steps = tuple(
        AffineStep(name=name, words=f"{name.capitalize()}: {_weigh(words, step)}.", matrix=step)
        for name, (words, step) in in_words.items()
        if _size(step) > NOTHING
    )
    return Explanation(affine=matrix, steps=steps, facts=tuple(_facts(matrix, parts)))


def _beginning(steps: tuple[AffineStep, ...]) -> str:
    if not steps:
        return (
            "This affine changes nothing: voxel indices (i, j, k) are world coordinates "
            "(x, y, z) in mm."
        )
    number = "one step" if len(steps) == 1 else f"{len(steps)} steps"
    return (
        "This affine takes voxel indices (i, j, k) to world coordinates (x, y, z) in mm, "
        f"in {number}:"
    )


def _size(step: NDArray[np.float64]) -> float:
    """Return by how much a step differs from doing nothing."""
    return float(np.abs(step - np.eye(4)).max())


def _weigh(words: str, step: NDArray[np.float64]) -> str:
    """Return the words, unless the step does so little that its size is all there is to say."""
    if _size(step) > HEADER_ROUNDING:
        return words
    return f"{_say([_size(step)])} at most, as little as headers round off"


def _shear_words(parts: AffineParts) -> str:
    slides = [
        f"one step along {along} goes {_say([amount])} voxels along {across} as well"
        for across, along, amount in zip("iij", "jkk", parts.shears, strict=True)
        if abs(amount) > NOTHING
    ]
    return ", ".join(slides)


def _zoom_words(parts: AffineParts) -> str:
    mirrored = ", and i is mirrored" if parts.zooms[0] < 0 else ""
    return f"one step along i, j, k becomes {_say(abs(parts.zooms))} mm{mirrored}"


def _rotation_words(parts: AffineParts) -> str:
    axis, angle_rad = rotation_axis_angle(parts.rotation)
    turned = f"everything is turned by {_say([math.degrees(angle_rad)])} degrees"
    main = int(np.abs(axis).argmax())
    beside = float(np.abs(np.delete(axis, main)).max())
    if beside > HEADER_ROUNDING:
        return (
            f"{turned} round an axis that points along {_say(axis, brackets=True)}, "
            "anticlockwise for those at whom it points"
        )
    name = "xyz"[main]
    nearly = "" if beside <= NOTHING else f", which is off by {_say([beside])} at most"
    towards = TURNS[name][int(axis[main] < 0)]
    is_half_turn = math.pi - angle_rad <= NOTHING
    return f"{turned} round the {name} axis{nearly}{'' if is_half_turn else f', {towards}'}"


def _translation_words(parts: AffineParts) -> str:
    ways = (("to the right", "to the left"), ("to the front", "to the back"), ("up", "down"))
    shifts = [
        f"{_say([abs(offset)])} mm {way[int(offset < 0)]}"
        for offset, way in zip(parts.translation_mm, ways, strict=True)
        if abs(offset) > NOTHING
    ]
    return f"everything is shifted {', '.join(shifts)}"


def _facts(affine: NDArray[np.float64], parts: AffineParts) -> Iterable[str]:
    yield f"Voxel (0, 0, 0) lands at {_say(affine[:3, 3], brackets=True)} mm."
    yield f"Neighbouring voxel centres lie {_say(voxel_sizes(affine))} mm apart along i, j, k."
    if np.abs(parts.shears).max() > HEADER_ROUNDING:
        yield "The voxel axes are not at right angles to each other."
    is_tilted = obliquity(affine).max() > HEADER_ROUNDING
    yield _tilt(affine) if is_tilted else _straightness(affine)
    codes = axis_codes(affine)
    towards = [f"towards {SIDES[code]}" for code in codes]
    nearest = "To the nearest side, " if is_tilted else ""
    yield (
        f"{nearest}i grows {towards[0]}, j {towards[1]}, k {towards[2]}: "
        f"axis codes {''.join(codes)}."
    )
    sideways = next(column for column in range(3) if codes[column] in "LR")
    first = "right" if affine[0, sideways] < 0 else "left"
    yield f"Along {'ijk'[sideways]}, the first voxel is the one furthest to the {first}."
    yield (
        "The voxel axes are left-handed: a picture that takes them for x, y, z is mirrored."
        if parts.zooms[0] < 0
        else "The voxel axes are right-handed like those of the world: nothing is mirrored."
    )


def _tilt(affine: NDArray[np.float64]) -> str:
    tilt_rad = obliquity(affine)
    degrees = np.degrees(np.where(tilt_rad > HEADER_ROUNDING, tilt_rad, 0))
    listed = ", ".join(map(_figure, degrees))
    # angles that come out of an arccosine are never exact
    return (
        f"The voxel axes i, j, k are tilted by about {listed} degrees against the nearest axis "
        "of the world: the image is oblique."
    )


def _straightness(affine: NDArray[np.float64]) -> str:
    is_exact = np.count_nonzero(affine[:3, :3]) == 3
    return (
        "The voxel axes run exactly along the axes of the world."
        if is_exact
        else "The voxel axes run along the axes of the world, but for what headers round off."
    )


def _figure(number: float) -> str:
    """Return four significant digits; what our own sums round off is zero."""
    return "0" if abs(number) < NOTHING / 100 else f"{number:.4g}"


def _is_exact(numbers: ArrayLike) -> bool:
    """Tell whether four digits say all that there is to numbers."""
    true = np.ravel(np.asarray(numbers))
    said = [float(_figure(number)) for number in true]
    return bool(np.allclose(said, true, rtol=NOTHING, atol=NOTHING / 100))


def _say(numbers: ArrayLike, *, brackets: bool = False) -> str:
    """Return rounded numbers, with "about" before them if rounding lost something."""
    listed = ", ".join(_figure(number) for number in np.asarray(numbers))
    about = "" if _is_exact(numbers) else "about "
    return f"{about}({listed})" if brackets else f"{about}{listed}"


def _text_matrix(matrix: NDArray[np.float64]) -> str:
    figures = [[_figure(number) for number in row] for row in matrix]
    widths = [max(map(len, column)) for column in zip(*figures, strict=True)]
    return "\n".join(
        "  ".join(figure.rjust(width) for figure, width in zip(row, widths, strict=True))
        for row in figures
    )


def _latex_equals(matrices: Sequence[NDArray[np.float64]]) -> str:
    return "& = " if all(map(_is_exact, matrices)) else r"& \approx "


def _latex_matrix(matrix: NDArray[np.float64]) -> str:
    rows = r" \\ ".join(" & ".join(map(_latex_figure, row)) for row in matrix)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _latex_figure(number: float) -> str:
    digits, *power = _figure(number).split("e")
    return rf"{digits} \cdot 10^{{{int(power[0])}}}" if power else digits
