"""Mutations: right answers made wrong on purpose, to see what a check lets through.

Answers are whatever lessons ask for, and this wing knows no numpy: arrays and images are told by
what they can do.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# What may be tried on an answer; the book explains each.
MUTATIONS: dict[str, Callable[[Any], Any]] = {}

# Answers that are closer than this are the same answer.
SAME = 1e-12
# Of large arrays, every so many-th number along each axis is compared before all of them are.
STRIDE = 7


def mutants_of(answer: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each way in which an answer can be made wrong.

    Parameters
    ----------
    answer : object
        A right one; it is not changed.

    Yields
    ------
    name, mutant : str, object
        Mutants that equal the answer are left out, as the transpose of a symmetric matrix does.

    Examples
    --------
    >>> dict(mutants_of(2.5))["sign"]
    -2.5
    >>> [name for name, _ in mutants_of("left")]
    ['missing', 'other type', 'other text']
    """
    for name, mutate in MUTATIONS.items():
        try:
            mutant = mutate(answer)
        except Exception:  # noqa: BLE001, S112  what cannot be done to an answer is no mutation of it
            continue
        if mutant is not NotImplemented and not is_same(mutant, answer):
            yield name, mutant


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two answers are the same, numbers up to rounding.

    Examples
    --------
    >>> is_same([1, 2.0], [1.0, 2]), is_same(1, "1"), is_same(math.nan, math.nan)
    (True, False, True)
    """
    if _is_table(one) and _is_table(other):
        if getattr(one, "mask", None) is getattr(other, "mask", ...):  # then the rows tell all
            return is_same(one.data, other.data)
        return is_same(one.to_image(), other.to_image())
    if _is_image(one) and _is_image(other):
        return is_same(one.affine, other.affine) and is_same(_voxels(one), _voxels(other))
    if _is_array(one) or _is_array(other):
        return _are_same_arrays(one, other)
    if _is_number(one) and _is_number(other):
        close = math.isclose(one, other, rel_tol=SAME, abs_tol=SAME)
        return close or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


def _mutation(name: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def register(mutate: Callable[[Any], Any]) -> Callable[[Any], Any]:
        MUTATIONS[name] = mutate
        return mutate

    return register


@_mutation("missing")
def _missing(_: Any) -> Any:
    return None


@_mutation("other type")
def _other_type(answer: Any) -> Any:
    return 42 if isinstance(answer, str) else "forty-two"


@_mutation("sign")
def _sign(answer: Any) -> Any:
    return _on_numbers(answer, lambda numbers: numbers * -1)


@_mutation("thousandfold")
def _thousandfold(answer: Any) -> Any:
    return _on_numbers(answer, lambda numbers: numbers * 1000)


@_mutation("thousandth")
def _thousandth(answer: Any) -> Any:
    return _on_numbers(answer, lambda numbers: numbers / 1000)


@_mutation("one more")
def _one_more(answer: Any) -> Any:
    return _on_numbers(answer, lambda numbers: numbers + 1)


@_mutation("one less")
def _one_less(answer: Any) -> Any:
    return _on_numbers(answer, lambda numbers: numbers - 1)


@_mutation("rounded")
def _rounded(answer: Any) -> Any:
    if _is_table(answer):
        return NotImplemented
    return _on_numbers(answer, lambda n: n.round() if _is_array(n) else float(round(n)))


@_mutation("not a number")
def _not_a_number(answer: Any) -> Any:
    return _on_numbers(answer, lambda numbers: numbers * math.nan)


@_mutation("transposed")
def _transposed(answer: Any) -> Any:
    return answer.T if _is_array(answer) and len(answer.shape) > 1 else NotImplemented


@_mutation("reversed")
def _reversed(answer: Any) -> Any:
    return answer[::-1] if _is_row(answer) else NotImplemented


@_mutation("axes permuted")
def _axes_permuted(answer: Any) -> Any:
    """Put the last of a place's coordinates first; of a 4 x 4 affine, the three rows of space."""
    if _is_affine(answer):
        return answer[[1, 2, 0, 3]]
    if _is_array(answer) and len(answer.shape) > 1:
        return answer[..., [*range(1, answer.shape[-1]), 0]]
    if (_is_array(answer) and len(answer.shape)) or isinstance(answer, list | tuple):
        order = [*range(1, len(answer)), 0]
        values = [answer[place] for place in order]
        return answer[order] if _is_array(answer) else type(answer)(values)
    return NotImplemented


@_mutation("mirrored")
def _mirrored(answer: Any) -> Any:
    """Turn the sign of x, in world space."""
    if not _is_affine(answer):
        return NotImplemented
    mirrored = answer.copy()
    mirrored[0] = -mirrored[0]
    return mirrored


@_mutation("not moved")
def _not_moved(answer: Any) -> Any:
    """Take the translation off an affine."""
    if not _is_affine(answer):
        return NotImplemented
    still = answer.copy()
    still[:3, 3] = 0
    return still


@_mutation("one left out")
def _one_left_out(answer: Any) -> Any:
    if isinstance(answer, set | frozenset):
        return type(answer)(sorted(answer, key=repr)[1:])
    if isinstance(answer, Mapping):
        return dict(list(answer.items())[1:])
    return answer[:-1] if _is_row(answer) else NotImplemented


@_mutation("the opposite")
def _opposite(answer: Any) -> Any:
    if _is_array(answer) and answer.dtype.kind == "b":
        return ~answer
    return not answer if isinstance(answer, bool) else NotImplemented


@_mutation("other text")
def _other_text(answer: Any) -> Any:
    return answer[::-1] + "x" if isinstance(answer, str) else NotImplemented


@_mutation("image mirrored")
def _image_mirrored(answer: Any) -> Any:
    return _with_voxels(answer, lambda voxels: voxels[::-1])


@_mutation("image doubled")
def _image_doubled(answer: Any) -> Any:
    return _with_voxels(answer, lambda voxels: voxels * 2)


@_mutation("image moved")
def _image_moved(answer: Any) -> Any:
    if not _is_image(answer):
        return NotImplemented
    affine = answer.affine.copy()
    affine[:3, 3] += 5
    return type(answer)(_voxels(answer), affine, answer.header)


def _on_numbers(answer: Any, change: Callable[[Any], Any]) -> Any:
    """Change a number, or all numbers of an array, list, tuple, mapping or table of images."""
    if _is_array(answer):
        return NotImplemented if answer.dtype.kind not in "iuf" else change(answer)
    if _is_table(answer) or _is_number(answer):
        return change(answer)
    if isinstance(answer, list | tuple) and answer and all(map(_is_number, answer)):
        return type(answer)([change(one) for one in answer])
    if isinstance(answer, Mapping) and answer and all(map(_is_number, answer.values())):
        return {key: change(value) for key, value in answer.items()}
    return NotImplemented


def _with_voxels(answer: Any, change: Callable[[Any], Any]) -> Any:
    if not _is_image(answer):
        return NotImplemented
    return type(answer)(change(_voxels(answer)), answer.affine, answer.header)


def _voxels(image: Any) -> Any:
    voxels = image.dataobj
    return voxels[...] if not _is_array(voxels) else voxels


def _are_same_arrays(one: Any, other: Any) -> bool:
    if not (_is_array(one) and _is_array(other)) or one.shape != other.shape:
        return False
    if one.dtype.kind not in "iuf" or other.dtype.kind not in "iuf":
        return one.dtype == other.dtype and bool((one == other).all())
    few = tuple(slice(None, None, STRIDE) for _ in one.shape)
    # nearly all that differ do so in any part
    return not _differ(one[few], other[few]) and not _differ(one, other)


def _differ(one: Any, other: Any) -> bool:
    """Tell whether arrays of numbers differ anywhere; NaN is like NaN."""
    differ = ((one - other) * 1.0).__abs__() > SAME
    # only NaN differs from itself
    both_nan = (one != one) & (other != other)
    return bool(((differ | (one != one) | (other != other)) & ~both_nan).any())


def _is_number(value: Any) -> bool:
    is_scalar = isinstance(value, int | float) and not isinstance(value, bool)
    return is_scalar or (getattr(value, "shape", None) == () and hasattr(value, "dtype"))


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and bool(value.shape)


def _is_table(value: Any) -> bool:
    """Tell whether something is a table of images, which calculates as an array does."""
    return hasattr(value, "to_image") and hasattr(value, "__getitem__")


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple) or _is_array(value) or _is_table(value)


def _is_affine(value: Any) -> bool:
    return _is_array(value) and value.shape == (4, 4)


def _is_image(value: Any) -> bool:
    return hasattr(value, "dataobj") and hasattr(value, "affine")
