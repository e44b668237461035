"""Texts: numbers told from the rest, and compared as numbers."""

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from neuroprimer.teaching.golden.marks import Tolerance
from neuroprimer.teaching.sealed import digest_of

# What belongs to a word, such as T1 or 3.14.2, is none. A point at the end is a part of a number
# where numpy prints 1. and 2. in a list, and else the end of a sentence.
NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?"
    r"(?:(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+|\.(?=\s*[\])]|\s+[-\d]|,))?|\.\d+)"
    r"(?:[eE][-+]?\d+)?"
)
SPACE = re.compile(r"\s+")
NEW_LINE = "\n"

# The lines of a figure's data that tell of where something lies along an axis, and of its limits.
ALONG_AXIS = re.compile(r"(?P<axes>axes \d+) (?:.* )?(?P<axis>[xyz]): ")

# Longer texts are summed up in a record.
LONGEST_TEXT = 2000

# So many numbers of such a text are recorded as they are.
MOST_NUMBERS = 16

LONGEST_QUOTE = 90


@dataclass(frozen=True, kw_only=True)
class Numeral:
    """A number in a text.

    Parameters
    ----------
    text : str
        As it is written.
    value : float
        What it means.
    start : int
        Where it begins.
    line : int
        In which line of the text, from 0.
    """

    text: str
    value: float
    start: int
    line: int

    @property
    def is_whole(self) -> bool:
        """Whether it has neither a point nor an exponent."""
        return not set(self.text) & set(".eE")


@dataclass(frozen=True, kw_only=True)
class NumberOff:
    """A number that is farther from what was expected than it may be."""

    expected: Numeral
    found: Numeral
    limit: float


def numerals(text: str) -> tuple[Numeral, ...]:
    """Return the numbers of a text.

    Examples
    --------
    >>> [one.text for one in numerals("sub-01, T1: 1,886,539 voxels of 2.5 mm, off by -3e-7.")]
    ['01', '1,886,539', '2.5', '-3e-7']
    """
    found = []
    line = end = 0
    for match in NUMBER.finditer(text):
        line += text.count(NEW_LINE, end, match.start())
        end = match.start()
        value = float(match[0].replace(",", "").replace("\u2212", "-"))
        if math.isfinite(value):  # 1e999 is a name
            found.append(Numeral(text=match[0], value=value, start=match.start(), line=line))
    return tuple(found)


def rest_of(text: str, numbers: Iterable[Numeral]) -> str:
    """Return all of a text but its numbers and its white space."""
    pieces, end = [], 0
    for number in numbers:
        pieces.append(text[end : number.start])
        end = number.start + len(number.text)
    return SPACE.sub("", "\0".join([*pieces, text[end:]]))


def sum_up(text: str, tolerance: Tolerance) -> str:
    """Return a short text that stands for a long one: it changes when the long one does.

    Numbers are summed up by what changes little when they do. Of the rest there is a digest; to it
    belong whole numbers that must be equal. Compare such texts by line.
    """
    numbers = [one for one in numerals(text) if tolerance.is_chosen or not one.is_whole]
    rest = digest_of(rest_of(text, numbers).encode())
    lines = [f"rest: sha256_{rest[:32]}", f"numbers: {len(numbers)}"]
    if numbers:
        values = [number.value for number in numbers]
        last = max(len(values) - 1, 1)
        moment = fmean(value * place / last for place, value in enumerate(values))
        sums = (min(values), max(values), fmean(values), pstdev(values), moment)
        lines.append(
            "least {:.9e}, most {:.9e}, mean {:.9e}, sd {:.9e}, moment {:.9e}".format(*sums)
        )
        sampled = {
            round((len(values) - 1) * step / MOST_NUMBERS) for step in range(MOST_NUMBERS + 1)
        }
        # a point at the end of a line would end a sentence, and be none of the number's
        samples = {place: numbers[place].text.removesuffix(".") for place in sorted(sampled)}
        lines += [f"number {place + 1}: {text}" for place, text in samples.items()]
    return "\n".join(lines)


def difference_of(expected: str, found: str, tolerance: Tolerance, *, by_line: bool = False) -> str:
    """Say how a text differs from what was expected, or nothing when it does not.

    Parameters
    ----------
    expected, found : str
        White space between words and numbers does not matter.
    tolerance : Tolerance
        How close numbers must be.
    by_line : bool
        Whether the numbers of a line are parts of one whole, as in an array: then the largest of
        them says what is close, and noise in place of a zero is no difference.

    Examples
    --------
    >>> difference_of("mean 2.5", "mean  2.500000001", Tolerance())
    ''
    >>> difference_of("mean 2.5", "mean 2.6", Tolerance())
    'expected 2.5, found 2.6 (they differ by 0.1, allowed is 2.5e-06) in `mean 2.6`'
    """
    off = find_numbers_off(expected, found, tolerance, by_line=by_line)
    if off is None:
        return _difference_of_words(expected, found)
    if not off:
        return ""
    one = off[0]
    size = abs(one.expected.value - one.found.value)
    more = f", and {len(off) - 1} more" if len(off) > 1 else ""
    return (
        f"expected {one.expected.text}, found {one.found.text} (they differ by {size:.3g}, "
        f"allowed is {one.limit:.3g}) in `{_quote(found.split(NEW_LINE)[one.found.line])}`{more}"
    )


def find_numbers_off(
    expected: str, found: str, tolerance: Tolerance, *, by_line: bool = False
) -> tuple[NumberOff, ...] | None:
    """Return the numbers of a text that are not close; None where other things differ, too.

    Arguments are those of `difference_of`.
    """
    ours, theirs = numerals(expected), numerals(found)
    if rest_of(expected, ours) != rest_of(found, theirs):
        return None
    sizes = _sizes_by_line(expected, ours) if by_line else [abs(one.value) for one in ours]
    pairs = [
        NumberOff(expected=one, found=other, limit=_limit(one, other, size, tolerance))
        for one, other, size in zip(ours, theirs, sizes, strict=True)
    ]
    return tuple(one for one in pairs if abs(one.expected.value - one.found.value) > one.limit)


def _limit(one: Numeral, other: Numeral, size: float, tolerance: Tolerance) -> float:
    """Return how far a number may be off."""
    if one.is_whole and other.is_whole and not tolerance.is_chosen:
        return 0.0
    return tolerance.atol + tolerance.rtol * size


def _sizes_by_line(text: str, numbers: Sequence[Numeral]) -> list[float]:
    """Return the size of the largest number that each belongs together with."""
    groups = [_group(number, line) for number, line in enumerate(text.split(NEW_LINE))]
    largest: dict[object, float] = {}
    for one in numbers:
        if not one.is_whole:
            group = groups[one.line]
            largest[group] = max(largest.get(group, 0.0), abs(one.value))
    return [largest.get(groups[one.line], abs(one.value)) for one in numbers]


def _group(number: int, line: str) -> object:
    """Return what a line's numbers belong to: all of an axis of a figure have one unit."""
    along = ALONG_AXIS.match(line)
    return (along["axes"], along["axis"]) if along else number


def _difference_of_words(expected: str, found: str) -> str:
    ours, theirs = expected.split(NEW_LINE), found.split(NEW_LINE)
    words = [[rest_of(line, numerals(line)) for line in lines] for lines in (ours, theirs)]
    matcher = difflib.SequenceMatcher(a=words[0], b=words[1], autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            one, other = _quote(" ".join(ours[i:j])), _quote(" ".join(theirs[k:m]))
            if kind == "delete":
                return f"`{one}` is missing"
            return f"expected `{one}`, found `{other}`" if one else f"`{other}` is new"
    return f"expected `{_quote(expected)}`, found `{_quote(found)}`"


def _quote(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_QUOTE else f"{words[: LONGEST_QUOTE - 3]}..."
