"""The layout of a map: boxes in rows, and lines that pass between boxes and not behind them.

Rows are ranks, as in the classic way to draw a graph from top to bottom: whatever an arrow passes
on its way makes room for it, and each row is put into the order of what its members lead to and
come from.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

WIDTH, HEIGHT = 160, 74  # of a box
LANE = 6  # of the room for a line that passes
ACROSS, DOWN = 14, 44  # between boxes
EDGE = 4  # around it all
SWEEPS = 8  # down and up again; more change nothing on maps of this size

Prerequisites = Mapping[str, tuple[str, ...]]
# Of a row: its number and the two ends of a line that passes; a box has its own name twice.
Member = tuple[int, str, str]
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything lies.

    Parameters
    ----------
    boxes : mapping of str to (float, float)
        Upper left corner of each box.
    lines : tuple of tuple of (float, float)
        Points that each line goes through, from the foot of a box to the head of another.
    width, height : float
        Of the whole.
    """

    boxes: Mapping[str, Point]
    lines: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def lay_out(prerequisites: Prerequisites, *, columns: int) -> Layout:
    """Find a place for each lesson, and a way for each line.

    Parameters
    ----------
    prerequisites : mapping of str to tuple of str
        What each lesson builds on directly.
    columns : int
        How many boxes may stand side by side.

    Examples
    --------
    >>> layout = lay_out({"a": (), "b": ("a",)}, columns=2)
    >>> layout.boxes["a"][1] < layout.boxes["b"][1]
    True
    """
    rows = [row for layer in layers_of(prerequisites) for row in _rows(layer, columns)]
    row_of = {id_: number for number, row in enumerate(rows) for id_ in row}
    chains = [
        _chain(above, below, row_of)
        for below, before in prerequisites.items()
        for above in before
        if row_of[above] < row_of[below]  # those that close a circle lead up, and are left out
    ]
    members = [[(number, id_, id_) for id_ in row] for number, row in enumerate(rows)]
    for member in (one for chain in chains for one in chain[1:-1]):
        members[member[0]].append(member)
    _put_in_order(members, chains)
    middles, width = _middles(members)
    lines = []
    for chain in chains:
        points = [(middles[one], y) for one in chain for y in _span(one)]
        lines.append(tuple(points[1:-1]))
    return Layout(
        boxes={
            id_: (middles[number, id_, id_] - WIDTH / 2, _span((number, id_, id_))[0])
            for id_, number in row_of.items()
        },
        lines=tuple(lines),
        width=width,
        height=_span((len(rows) - 1, "", ""))[1] + EDGE,
    )


def layers_of(prerequisites: Prerequisites) -> tuple[tuple[str, ...], ...]:
    """Return lessons in layers: each lies below all that it builds on, as high as it can.

    Examples
    --------
    >>> layers_of({"a": (), "b": ("a",), "c": ("a",), "d": ("a", "c")})
    (('a',), ('b', 'c'), ('d',))
    """
    layers: list[tuple[str, ...]] = []
    left = dict(prerequisites)
    while left:
        ready = [id_ for id_, before in left.items() if not any(one in left for one in before)]
        layers.append(tuple(ready or list(left)[:1]))  # a circle is opened at its first lesson
        left = {id_: before for id_, before in left.items() if id_ not in layers[-1]}
    return tuple(layers)


def _rows(layer: tuple[str, ...], columns: int) -> Iterator[tuple[str, ...]]:
    """Yield a layer as rows that are about equally long."""
    count = -(-len(layer) // columns)
    length = -(-len(layer) // count)
    for begin in range(0, len(layer), length):
        yield layer[begin : begin + length]


def _chain(above: str, below: str, row_of: Mapping[str, int]) -> list[Member]:
    """Return what a line connects, a member of each row."""
    begin, end = row_of[above], row_of[below]
    passed = [(number, above, below) for number in range(begin + 1, end)]
    return [(begin, above, above), *passed, (end, below, below)]


def _put_in_order(members: list[list[Member]], chains: Sequence[Sequence[Member]]) -> None:
    """Sort each row by the middle of what its members are connected to, above and then below."""
    near: dict[tuple[Member, int], list[Member]] = {}
    for chain in chains:
        for one, other in itertools.pairwise(chain):
            near.setdefault((one, other[0]), []).append(other)
            near.setdefault((other, one[0]), []).append(one)
    for sweep in range(SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for row in members[::step]:
            middles, _ = _middles(members)
            wishes = {
                member: mean(
                    [middles[one] for one in near.get((member, member[0] - step), [member])]
                )
                for member in row
            }
            row.sort(key=wishes.__getitem__)


def _middles(members: Sequence[Sequence[Member]]) -> tuple[dict[Member, float], float]:
    """Return how far to the right each member's middle lies, and how wide the whole is."""
    sizes = {one: WIDTH if one[1] == one[2] else LANE for row in members for one in row}
    widths = [sum(sizes[one] for one in row) + (len(row) - 1) * ACROSS for row in members]
    middles = {}
    for row, width in zip(members, widths, strict=True):
        x = EDGE + (max(widths) - width) / 2
        for one in row:
            middles[one] = x + sizes[one] / 2
            x += sizes[one] + ACROSS
    return middles, max(widths) + 2 * EDGE


def _span(member: Member) -> tuple[float, float]:
    """Return where a member's row begins and ends, from above."""
    top = EDGE + member[0] * (HEIGHT + DOWN)
    return top, top + HEIGHT
