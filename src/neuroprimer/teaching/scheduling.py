"""Scheduling: which lesson runs when, so that the course is done early and memory suffices."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import psutil

# What a lesson is taken to need before it has shown it.
UNKNOWN_BYTES = 500_000_000

# How much of the memory that is free when a run begins it may plan with.
SHARE_OF_MEMORY = 0.8


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is known of a lesson before it runs.

    Parameters
    ----------
    needs : tuple of str
        What the fork server imports for it.
    duration_s : float or None
        What it took last time.
    memory_bytes : int or None
        What it declares, or held at most last time.
    """

    needs: tuple[str, ...] = ()
    duration_s: float | None = None
    memory_bytes: int | None = None


def order_of_start(forecasts: Sequence[Forecast], jobs: int) -> list[int]:
    """Return the places of lessons in the order in which they had best begin.

    The longest go first, those of unknown length before them: a long one at the end would keep
    one processor busy alone. Where several run side by side, one that needs little goes in front
    of all: it can be forked while the server still imports for the others.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Of the lessons.
    jobs : int
        How many run side by side.

    Examples
    --------
    >>> order_of_start([Forecast(duration_s=d) for d in (1.0, 3.0, 2.0)], jobs=1)
    [1, 2, 0]
    """

    def by_length(place: int) -> tuple[float, int]:
        duration_s = forecasts[place].duration_s
        return (-duration_s if duration_s is not None else float("-inf"), place)

    places = sorted(range(len(forecasts)), key=by_length)
    if jobs > 1 and len(places) > jobs:
        lightest = min(places, key=lambda place: len(forecasts[place].needs))
        places.remove(lightest)
        places.insert(0, lightest)
    return places


def memory_budget_bytes() -> int:
    """Return how much memory lessons may hold together."""
    return int(psutil.virtual_memory().available * SHARE_OF_MEMORY)


@dataclass
class Room:
    """Room for lessons to run: places and memory. Who fits next may enter.

    Parameters
    ----------
    jobs : int
        How many may be in it.
    budget_bytes : int
        How much memory they may need together; a single one may need more.
    """

    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    budget_bytes: int = field(default_factory=memory_budget_bytes)
    inside: int = 0
    used_bytes: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def fits(self, wanted_bytes: int) -> bool:
        """Tell whether one more may enter."""
        if not self.inside:
            return True
        return self.inside < self.jobs and self.used_bytes + wanted_bytes <= self.budget_bytes

    @contextlib.asynccontextmanager
    async def place(self, forecast: Forecast) -> AsyncIterator[None]:
        """Wait for room, and keep it as long as the lesson runs."""
        wanted_bytes = UNKNOWN_BYTES if forecast.memory_bytes is None else forecast.memory_bytes
        async with self._changed:
            await self._changed.wait_for(lambda: self.fits(wanted_bytes))
            self.inside += 1
            self.used_bytes += wanted_bytes
        try:
            yield
        finally:
            async with self._changed:
                self.inside -= 1
                self.used_bytes -= wanted_bytes
                self._changed.notify_all()
