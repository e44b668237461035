"""Answers of every kind that somebody may hand over in the place of numbers."""

from fractions import Fraction

import numpy as np
import pytest


class Hostile:
    """An object that fails whenever it is asked."""

    @property
    def shape(self):
        raise RuntimeError("do not ask")

    def __array__(self, *_, **__):
        raise RuntimeError("do not ask")

    def __len__(self):
        raise RuntimeError("do not ask")


class Pretender:
    """An object that promises a shape and does not keep it."""

    shape = (4, 4)

    def __array__(self, *_, **__):
        return np.zeros(2)


def make_knot() -> list:
    knot = []
    knot.append(knot)
    return knot


ODD_ANSWERS = {
    "None": None,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    "text": "4 x 4",
    "bytes": b"4",
    "empty list": [],
    "empty rows": [[], []],
    "ragged": [[1, 2, 3, 4], [1, 2], [3], []],
    "texts": [["a"] * 4] * 4,
    "blanks": [[None] * 4] * 4,
    "dots": [[1, 2, 3, ...]] * 4,
    "complex": np.eye(4) * 1j,
    "complex in objects": np.array([[1j] * 4] * 4, dtype=object),
    "NaN": np.full((4, 4), np.nan),
    "infinite": np.full((4, 4), np.inf),
    "huge": np.full((4, 4), 1e308),
    "beyond": [[10**400] * 4] * 4,
    "fractions": [[Fraction(1, 3)] * 4] * 4,
    "dates": np.zeros((4, 4), "M8[s]"),
    "records": np.zeros((4, 4), [("a", int)]),
    "masked": np.ma.masked_all((4, 4)),
    "matrix of objects": np.full((4, 4), object()),
    "dict": {"x": 1},
    "set": {1, 2, 3},
    "generator": (number for number in range(3)),
    "function": np.linalg.inv,
    "class": np.ndarray,
    "error": ValueError("no"),
    "hostile": Hostile(),
    "hostile elements": [[Hostile()] * 4] * 4,
    "pretender": Pretender(),
    "knot": make_knot(),
    "number": 3,
    "boolean": True,
    "billion": np.broadcast_to(0.0, (10**9,)),
    "billion points": np.broadcast_to(0.0, (10**9, 3)),
    "billion voxels": np.broadcast_to(np.uint8(1), (1000, 1000, 1000)),
    "list of billions": [np.broadcast_to(0.0, (10**9,))] * 4,
    "rows and a billion": [np.zeros(4)] * 3 + [np.broadcast_to(0.0, (10**9,))],
}


@pytest.fixture(params=ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def odd_answer(request):
    return request.param
