"""Reasons: why a lesson ran, or did not, in one sentence."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from neuroprimer.teaching.cache.fingerprints import Dependencies

NEVER_RAN = "never ran before"
NOT_PASSED = "its last run did not pass"
DAMAGED = "the stored run is damaged"
OTHER_FORMAT = "the stored run is of another version of neuroprimer"
CACHE_IS_OFF = "the cache is off"
UNREADABLE = "its file cannot be read"
TOLD_NOTHING = "its kernel told nothing of what it imports"

# What is named of many differences.
MOST_NAMED = 3


def differences(then: Dependencies, today: Dependencies) -> tuple[str, ...]:
    """Return what has changed since a run, the likeliest causes first.

    Parameters
    ----------
    then, today : Dependencies
        Of the run, and now.
    """
    return (
        *_changed_cells(then.cells, today.cells),
        *_changed_kernel(then, today),
        *_changed_files(then.modules, today.modules),
        *_changed_versions(then.distributions, today.distributions),
        *_changed(then.datasets, today.datasets, "dataset"),
        *_changed(then.variables, today.variables, "variable"),
        *_changed_plugins(then.plugins, today.plugins),
    )


def in_words(changes: Iterable[str]) -> str:
    """Return several differences as one.

    Examples
    --------
    >>> in_words(["affines.py changed", "nilearn 0.14.1 -> 0.14.2"])
    'affines.py changed, nilearn 0.14.1 -> 0.14.2'
    >>> in_words("abcde")
    'a, b, c and 2 more'
    """
    changes = list(changes)
    more = len(changes) - MOST_NAMED
    return ", ".join(changes[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def why_cached(when: float) -> str:
    """Return why a lesson did not run, given the time of the run that stands in for it."""
    return f"cached: nothing it depends on has changed (run of {date_of(when)})"


def date_of(when: float) -> str:
    """Return date and time for people, from seconds since 1970."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def why_ran(reason: str, not_kept: str = "") -> str:
    """Return why a lesson ran, and why that run was not kept, if it was not."""
    return f"ran: {reason}" + (f"; not kept: {not_kept}" if not_kept else "")


def _changed_cells(then: tuple[str, ...], today: tuple[str, ...]) -> Iterator[str]:
    if then == today:
        return
    together = range(min(len(then), len(today)))
    first = next((place for place in together if then[place] != today[place]), len(together))
    if len(then) == len(today) or first < len(together):
        yield f"code cell {first + 1} changed"
    else:
        yield f"code cell {first + 1} is {'new' if len(today) > len(then) else 'gone'}"


def _changed_kernel(then: Dependencies, today: Dependencies) -> Iterator[str]:
    if then.kernel != today.kernel:
        yield f"kernel {then.kernel} -> {today.kernel}"
    elif then.kernel_file != today.kernel_file:
        yield f"the description of the kernel {today.kernel} changed"
    if then.interpreter != today.interpreter:
        before, now = then.interpreter.split()[0], today.interpreter.split()[0]
        yield f"Python {before} -> {now}" if before != now else f"Python {now} was built anew"
    if then.network != today.network:
        yield f"its network was turned {'on' if today.network else 'off'}"


def _changed_files(then: Mapping[str, str], today: Mapping[str, str]) -> Iterator[str]:
    for name in _differing(then, today):
        file = PurePath(name).name
        if file == "__init__.py":
            file = "/".join(PurePath(name).parts[-2:])
        verb = "is new" if name not in then else "is gone" if not today[name] else "changed"
        yield f"{file} {verb}"


def _changed_versions(then: Mapping[str, str], today: Mapping[str, str]) -> Iterator[str]:
    for name in _differing(then, today):
        before, now = then.get(name, ""), today[name]
        if not now:
            yield f"{name} is gone"
        elif before.partition(" ")[0] == now.partition(" ")[0]:
            yield f"{name} was installed anew"
        else:
            yield f"{name} {before.partition(' ')[0] or 'none'} -> {now.partition(' ')[0]}"


def _changed(then: Mapping[str, str], today: Mapping[str, str], kind: str) -> Iterator[str]:
    for name in _differing(then, today):
        if name not in then:
            yield f"{kind} {name} is new"
        elif name not in today:
            yield f"{kind} {name} is no longer named"
        else:
            yield f"{kind} {name} changed"


def _changed_plugins(then: Mapping[str, str], today: Mapping[str, str]) -> Iterator[str]:
    for name in _differing(then, today):
        yield f"plugin {name} is {today[name] or 'gone'}"


def _differing(then: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    return [name for name in {**then, **today} if then.get(name) != today.get(name)]
