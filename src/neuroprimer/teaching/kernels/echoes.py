"""Echoes: what modules do to the whole interpreter while they are imported, to be done again.

They write, they warn, they set filters for warnings, environment variables and matplotlib's
rcParams. Of a module that is imported ahead for somebody else none of it may be noticed, and all
of it once it is asked for.
"""

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import ExtensionFileLoader
from io import TextIOBase
from types import FrameType, ModuleType
from typing import Any, TextIO

# Something that is done again.
Action = Callable[[], object]

# Takes an action for the module that is being imported.
Keep = Callable[[Action], None]

# Calls itself so in tracebacks, and imports what is imported first.
PRELOAD_NAME = "neuroprimer_preload"

# Run the code of compiled modules, which has no frame of its own.
LOADING_COMPILED = (
    ExtensionFileLoader.create_module.__code__,
    ExtensionFileLoader.exec_module.__code__,
)

# Whose frames lie between an import statement and what the module does.
IMPORTERS = ("importlib", "neuroprimer.teaching.kernels")


@contextlib.contextmanager
def keeping_echoes(keep: Keep) -> Iterator[Callable[[], None]]:
    """Have everything that modules do to the interpreter kept, and undone at the end.

    Yields
    ------
    look : callable
        To be called whenever a module has been imported.
    """
    with (
        _keeping_writing(keep, "stdout", contextlib.redirect_stdout),
        _keeping_writing(keep, "stderr", contextlib.redirect_stderr),
        _keeping_warnings(keep),
        _keeping_variables(keep),
        contextlib.closing(_Settings(keep)) as settings,
    ):
        yield settings.look


def executing(frame: FrameType | None) -> str:
    """Return the name of the module whose import a frame is part of, or nothing."""
    while frame is not None:
        if frame.f_code in LOADING_COMPILED:
            spec = frame.f_locals.get("spec") or frame.f_locals["module"].__spec__
            return str(spec.name)
        if frame.f_code.co_name == "<module>":
            name = str(frame.f_globals.get("__name__", ""))
            if name == PRELOAD_NAME or name in sys.modules:  # exec() runs code of any name
                return name
        frame = frame.f_back
    return ""


# ---------------------------------------------------------------------- streams


class _Keeper(TextIOBase):
    """Keeps what is written while modules are imported.

    Some of them hold on to the stream, for their log say; later on, it is the one of the day.
    """

    encoding = "utf-8"

    def __init__(self, keep: Keep, name: str) -> None:
        self.name = name
        self.keep: Keep | None = keep

    def write(self, text: str) -> int:
        if self.keep is not None:
            self.keep(lambda: self._stream().write(text))
        else:
            self._stream().write(text)
        return len(text)

    def flush(self) -> None:
        if self.keep is None:
            self._stream().flush()

    def _stream(self) -> TextIO:
        stream: TextIO = getattr(sys, self.name)
        return stream


@contextlib.contextmanager
def _keeping_writing(keep: Keep, name: str, redirect: Callable[[Any], Any]) -> Iterator[None]:
    keeper = _Keeper(keep, name)
    try:
        with redirect(keeper):
            yield
    finally:
        keeper.keep = None


# ---------------------------------------------------------------------- warnings


@contextlib.contextmanager
def _keeping_warnings(keep: Keep) -> Iterator[None]:
    """Keep all warnings, for whether one is shown is decided where it is said again."""
    plain_add = warnings._add_filter  # type: ignore[attr-defined]  # what all functions end in
    left: list[object] = []

    def noting_add(*item: object, append: bool) -> None:
        plain_add(*item, append=append)
        keep(lambda: item in left and plain_add(*item, append=append))

    def keep_warning(
        message: Warning, category: type[Warning], file: str, line: int, *_: object
    ) -> None:
        about = _namespace_at(file, line, sys._getframe(1))
        keep(lambda: _warn_again(message, category, file, line, about))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = keep_warning  # type: ignore[assignment]  # by position alone
        warnings._add_filter = noting_add  # type: ignore[attr-defined]
        try:
            yield
        finally:
            warnings._add_filter = plain_add  # type: ignore[attr-defined]
            left += warnings.filters  # and not what was set for a few lines only


def _warn_again(
    message: Warning, category: type[Warning], file: str, line: int, about: dict[str, Any] | None
) -> None:
    if about is not None and about.get("__name__") == PRELOAD_NAME:
        # it is about whoever imports the module
        frame = _importing(sys._getframe(1))
        file, line, about = frame.f_code.co_filename, frame.f_lineno, frame.f_globals
    warnings.warn_explicit(
        message,
        category,
        file,
        line,
        module=None if about is None else about.get("__name__"),
        registry=None if about is None else about.setdefault("__warningregistry__", {}),
    )


def _namespace_at(file: str, line: int, frame: FrameType | None) -> dict[str, Any] | None:
    """Return the globals of the code that a warning is about."""
    while frame is not None:
        if frame.f_code.co_filename == file and frame.f_lineno == line:
            return frame.f_globals
        frame = frame.f_back
    return None


def _importing(frame: FrameType) -> FrameType:
    """Return the frame of the import statement that a frame is part of."""
    while str(frame.f_globals.get("__name__")).startswith(IMPORTERS) and frame.f_back is not None:
        frame = frame.f_back
    return frame


# ---------------------------------------------------------------------- environment


@contextlib.contextmanager
def _keeping_variables(keep: Keep) -> Iterator[None]:
    kind: Any = type(os.environ)
    plain_set = kind.__setitem__
    before = dict(os.environ)
    left: dict[str, str] = {}

    def noting_set(environment: Any, name: str, value: str) -> None:
        found = os.environ.get(name)
        plain_set(environment, name, value)

        def set_again() -> None:
            # a value that differs has been set on purpose, and most modules ask before they set
            if left.get(name) == value and os.environ.get(name) == found:
                os.environ[name] = value

        keep(set_again)

    kind.__setitem__ = noting_set
    try:
        yield
    finally:
        kind.__setitem__ = plain_set
        left.update(os.environ)
        for name in left.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


# ---------------------------------------------------------------------- settings of plots


class _Settings:
    """Keeps what is set in matplotlib's rcParams, from when matplotlib is there."""

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.kind: Any = None
        self.before: dict[str, object] = {}
        self.left: dict[str, object] = {}

    def look(self) -> None:
        matplotlib = sys.modules.get("matplotlib")
        if self.kind is None and matplotlib is not None and not is_initializing(matplotlib):
            settings = matplotlib.rcParams
            self.kind, self.before = type(settings), dict(dict.items(settings))
            self.plain_set = self.kind.__setitem__
            self.kind.__setitem__ = self._noting(settings)

    def _noting(self, settings: Any) -> Callable[[Any, str, object], None]:
        def noting_set(where: Any, name: str, value: object) -> None:
            self.plain_set(where, name, value)
            if where is not settings:
                return
            stored = dict.get(settings, name)

            def set_again() -> None:
                if self.left.get(name) is stored:
                    settings[name] = value

            self.keep(set_again)

        return noting_set

    def close(self) -> None:
        if self.kind is None:
            return
        self.kind.__setitem__ = self.plain_set
        settings = sys.modules["matplotlib"].rcParams
        self.left = dict(dict.items(settings))
        for name, value in self.before.items():
            dict.__setitem__(settings, name, value)  # as it was, even if it was not settled


def is_initializing(module: ModuleType) -> bool:
    """Tell whether a module sets itself up as yet, which it has not to do again."""
    return bool(getattr(module.__spec__, "_initializing", False))
