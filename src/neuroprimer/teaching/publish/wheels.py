"""Wheels: all packages, with exact versions, that a set of packages needs in this environment."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# A requirement without an extra is asked for in the name of this one, which no package has.
NO_EXTRA = ""


def wheels_needed(names: Iterable[str]) -> Mapping[str, str]:
    """Return name and version of some packages and of everything that they need, by name.

    Parameters
    ----------
    names : iterable of str
        Packages of this environment.

    Returns
    -------
    versions : mapping of str to str
        Of what is installed, in the order of the names. What is not installed is left out.

    Examples
    --------
    >>> list(wheels_needed(["idna"]))
    ['idna']
    """
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), NO_EXTRA) for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        with suppress(PackageNotFoundError):
            found = distribution(name)
            versions[name] = found.version
            for needed in _requirements(found, extra):
                next_name = canonicalize_name(needed.name)
                waiting += [(next_name, one) for one in (NO_EXTRA, *needed.extras)]
    return dict(sorted(versions.items()))


def is_from_a_folder(name: str) -> bool:
    """Tell whether a package was installed from a folder or a repository, and so is a source."""
    return distribution(name).read_text("direct_url.json") is not None


def _requirements(found: Distribution, extra: str) -> Iterable[Requirement]:
    for line in found.requires or ():
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            yield needed
