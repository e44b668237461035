"""The one base of every error that neuroprimer understands."""


class NeuroprimerError(Exception):
    """Something that could not be done, and what to do about it.

    Parameters
    ----------
    message : str
        What could not be done, and what was found against what was expected.
    hint : str, optional
        What to do next.

    Examples
    --------
    >>> error = NeuroprimerError("No lesson is called 'affine'.", hint="Did you mean 'affines'?")
    >>> print(error)
    No lesson is called 'affine'. Did you mean 'affines'?
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
