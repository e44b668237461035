"""Options: what callers pass, held against what is known."""

from collections.abc import Iterable
from numbers import Real
from typing import TypeGuard

from neuroprimer.errors import NeuroprimerError


def require_option(
    name: str,
    value: object,
    options: Iterable[str],
    *,
    error: type[NeuroprimerError],
    hint: str = "",
) -> None:
    """Raise unless a word is one of those that are known.

    Parameters
    ----------
    name : str
        The parameter.
    value : object
        What was passed for it.
    options : iterable of str
        All words known.
    error : type
        What is raised: an error of the caller's subject.
    hint : str
        What to do for another one. Default: an example.

    Raises
    ------
    NeuroprimerError
        Of the type `error`; it names the words that are known.

    Examples
    --------
    >>> require_option("method", "cosine", ("correlation", "cosine"), error=NeuroprimerError)
    """
    known = tuple(options)
    if not isinstance(value, str) or value not in known:
        raise error(
            f"{name}={value!r} is unknown; expected one of {', '.join(map(repr, known))}.",
            hint=hint or f"For example {name}={known[0]!r}.",
        )


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a real number; a truth value is none.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    is_number : bool
        True for Python's and numpy's real numbers.

    Examples
    --------
    >>> is_number(6), is_number(True), is_number("6")
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)
