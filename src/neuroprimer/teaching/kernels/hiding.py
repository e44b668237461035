"""Modules in memory that no code sees before it imports them.

A fork server imports for all lessons at once. Were its modules simply there, a lesson could use
`nilearn.plotting` after a mere ``import nilearn``, which fails anywhere else, and nobody could
tell what a lesson depends on. So they are taken out of `sys.modules` and off their packages, and
importing one brings it back together with all that its own import had brought.
"""

import builtins
import contextlib
import importlib
import itertools
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from io import TextIOBase
from types import FrameType, ModuleType
from typing import Any, TextIO

# Of __import__(), after the name.
IMPORT_ARGUMENTS = ("globals", "locals", "fromlist", "level")

# What is done when a module comes into sight, such as saying again what it said when imported.
Action = Callable[[], object]

# What importlib.import_module() calls. Modules keep import_module() itself, so it must not change.
_bootstrap: Any = vars(importlib)["_bootstrap"]

# Calls itself so in tracebacks, and owns what is imported first.
PRELOAD_NAME = "neuroprimer_preload"


class HiddenModules(MetaPathFinder, Loader):
    """Imports modules ahead of time, out of sight, and lets each import reveal what it would load.

    Parameters
    ----------
    visible : collection of str
        Names of modules that stay where everybody sees them.
    """

    def __init__(self, visible: Collection[str]) -> None:
        self.visible = frozenset(visible)
        self.hidden: dict[str, ModuleType] = {}
        self.needs: defaultdict[str, set[str]] = defaultdict(set)
        self._when_revealed: defaultdict[str, list[Action]] = defaultdict(list)
        self._specs: dict[str, ModuleSpec | None] = {}
        self._has_importer: set[str] = set()
        self._is_attribute: set[str] = set()
        self._is_recording = False

    # ------------------------------------------------------------------ ahead of time

    def load(self, statement: str) -> str:
        """Run an import statement and hide what it has loaded.

        Parameters
        ----------
        statement : str
            Such as ``"from nilearn import plotting"``.

        Returns
        -------
        problem : str
            Empty, or why it did not work; a lesson that needs the module will meet it itself.
        """
        problem = ""
        try:
            with self._recording():
                exec(statement, {"__name__": PRELOAD_NAME})  # noqa: S102  a course's own imports
        except Exception as error:  # noqa: BLE001  importing foreign code raises anything
            problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        self.hide()
        return problem

    def hide(self) -> None:
        """Take all modules out of sight but the visible ones."""
        for name, module in list(sys.modules.items()):
            if name in self.visible or module is None:
                continue
            self.hidden[name] = module
            self._specs.setdefault(name, getattr(module, "__spec__", None))
            del sys.modules[name]
        for name, module in self.hidden.items():
            package, _, last = name.rpartition(".")
            owner = self.hidden.get(package) or sys.modules.get(package)
            if owner is not None and getattr(owner, "__dict__", {}).get(last) is module:
                self._is_attribute.add(name)
                delattr(owner, last)

    # ------------------------------------------------------------------ on import

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return the way to a hidden module; anything else is left to the other finders."""
        if name not in self.hidden:
            return None
        true_spec = self._specs[name]
        spec = ModuleSpec(name, self, origin=true_spec.origin if true_spec else None)
        if true_spec is not None:
            spec.submodule_search_locations = true_spec.submodule_search_locations
            spec.cached = true_spec.cached
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module as it is; it has been executed long ago."""
        return self.hidden[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Reveal the module and all that importing it brings along."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        self.reveal(name)

    def reveal(self, name: str) -> None:
        """Put a module back into sight, with all that it imported, and what they said."""
        revealed = self._what_comes_with(name)
        for one in revealed:
            module = self.hidden.pop(one)
            if one in self._specs:
                module.__spec__ = self._specs[one]
            sys.modules[one] = module
        for one in revealed:
            if one in self._is_attribute:
                package, _, last = one.rpartition(".")
                setattr(sys.modules[package], last, sys.modules[one])
        for one in revealed:
            for act in self._when_revealed.pop(one, ()):
                act()

    def when_revealed(self, name: str, action: Action) -> None:
        """Have something done when a module comes into sight."""
        self._when_revealed[name].append(action)

    def _what_comes_with(self, name: str) -> list[str]:
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in found or one not in self.hidden:
                continue
            found[one] = None
            package = one.rpartition(".")[0]
            waiting += [*self.needs[one], *([package] if package else [])]
        return list(found)

    # ------------------------------------------------------------------ recording

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        """Note who imports what, and what it says, whatever way the import takes."""
        plain_import, plain_import_module = builtins.__import__, _bootstrap._gcd_import
        self._is_recording = True

        def noting_import(name: str, *arguments: Any, **options: Any) -> ModuleType:
            if not self._is_recording:  # somebody has kept this function
                return plain_import(name, *arguments, **options)
            before = len(sys.modules)
            module = plain_import(name, *arguments, **options)
            given = dict(zip(IMPORT_ARGUMENTS, arguments, strict=False))
            namespace, _, items, level = map({**given, **options}.get, IMPORT_ARGUMENTS)
            self._note(_absolute(name, namespace, level or 0), items or (), before)
            return module

        def noting_import_module(name: str, *arguments: Any) -> ModuleType:
            before = len(sys.modules)
            module: ModuleType = plain_import_module(name, *arguments)
            self._note(module.__name__, (), before)
            return module

        builtins.__import__ = noting_import
        _bootstrap._gcd_import = noting_import_module
        try:
            with self._listening():
                yield
        finally:
            builtins.__import__ = plain_import
            _bootstrap._gcd_import = plain_import_module
            self._is_recording = False

    def _note(self, name: str, items: Sequence[str], before: int) -> None:
        """Note an import, seen from the function that did it, and what has come along unseen."""
        importer = _executing(sys._getframe(2))
        if "*" in items:
            items = getattr(sys.modules.get(name), "__all__", ())
        imported = [name, *(f"{name}.{item}" for item in items)]
        imported = [one for one in imported if one in sys.modules]
        # compiled modules import without asking anybody: what has appeared besides was theirs
        appeared = itertools.islice(sys.modules, before, None)
        imported += [one for one in appeared if one not in self._has_importer]
        self._has_importer.update(imported)
        self.needs[importer].update(imported)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Keep what modules write and warn of; it is said again when they are revealed."""
        plain_show = warnings.showwarning

        def keep_warning(*arguments: Any, **options: Any) -> None:
            self.keep(lambda: warnings.showwarning(*arguments, **options))

        warnings.showwarning = keep_warning
        try:
            with (
                contextlib.redirect_stdout(_Keeper(self, "stdout")),
                contextlib.redirect_stderr(_Keeper(self, "stderr")),
            ):
                yield
        finally:
            warnings.showwarning = plain_show

    def keep(self, saying: Action) -> None:
        """Keep what the module that is being imported has said."""
        self.when_revealed(_executing(sys._getframe(2)), saying)


class _Keeper(TextIOBase):
    """Keeps what is written while modules are imported.

    Some of them hold on to the stream, for their log say; later on, it is the one of the day.
    """

    def __init__(self, modules: HiddenModules, name: str) -> None:
        self.modules = modules
        self.name = name

    def write(self, text: str) -> int:
        if self.modules._is_recording:
            self.modules.keep(lambda: self._stream().write(text))
        else:
            self._stream().write(text)
        return len(text)

    def flush(self) -> None:
        if not self.modules._is_recording:
            self._stream().flush()

    def _stream(self) -> TextIO:
        stream: TextIO = getattr(sys, self.name)
        return stream


def _executing(frame: FrameType | None) -> str:
    """Return the name of the module whose import a frame is part of, or nothing."""
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            return str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return ""


def _absolute(name: str, namespace: Any, level: int) -> str:
    if not level:
        return name
    package = namespace.get("__package__")
    if package is None:
        package = namespace["__spec__"].parent
    base = package.rsplit(".", level - 1)[0]
    return f"{base}.{name}" if name else str(base)
