"""Chance that is the same on every machine: whole numbers, and exact sums of them.

numpy promises that the raw numbers of a bit generator stay the same for ever. It promises so
neither for its distributions nor for the order in which it adds fractions, so neither is used.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bits: TypeAlias = np.random.PCG64

# A byte b becomes the odd number 2 b - 255, with mean 0.
VARIANCE = (256**2 - 1) / 3


def start(*seed: int) -> Bits:
    """Return a source of random bits."""
    return np.random.PCG64(list(seed))


def numbers(bits: Bits, count: int) -> NDArray[np.uint64]:
    """Return random whole numbers of 64 bits."""
    return np.asarray(bits.random_raw(count), dtype=np.uint64)


def smooth_noise(bits: Bits, shape: tuple[int, ...], *, passes: int) -> NDArray[np.float64]:
    """Return noise with mean 0 and standard deviation 1 in which neighbours are alike.

    Each pass adds up three neighbours along each axis. After three, a point has become a bell of
    3.3 voxels at half of its height, and values are close to normal.

    Parameters
    ----------
    bits : numpy.random.PCG64
        Where chance comes from.
    shape : tuple of int
        Of the noise; opposite faces are neighbours.
    passes : int
        How often neighbours are added up, at most 3.

    Returns
    -------
    noise : array of `shape`
        Double precision.
    """
    noise = _odd_numbers(bits, shape)
    for axis in range(len(shape)):
        for _ in range(passes):
            noise = noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
    return np.asarray(noise / np.sqrt(VARIANCE * _squared_weights(passes) ** len(shape)))


def white_noise(bits: Bits, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return independent values, close to normal, with mean 0 and standard deviation 1."""
    return np.asarray(_odd_numbers(bits, (4, *shape)).sum(axis=0) / np.sqrt(4 * VARIANCE))


def _odd_numbers(bits: Bits, shape: tuple[int, ...]) -> NDArray[np.int32]:
    count = int(np.prod(shape))
    some_bytes = numbers(bits, -(-count // 8)).astype("<u8").view(np.uint8)[:count]
    return some_bytes.reshape(shape) * np.int32(2) - np.int32(255)


def _squared_weights(passes: int) -> int:
    """Return the sum of the squared weights that the passes give to neighbours on one axis."""
    weights = np.ones(1, dtype=np.int64)
    for _ in range(passes):
        weights = np.convolve(weights, np.ones(3, dtype=np.int64))
    return int((weights**2).sum())
