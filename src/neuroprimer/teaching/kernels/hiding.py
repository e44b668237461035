"""Modules in memory that no code sees before it imports them.

A fork server imports for all lessons at once. Were its modules simply there, a lesson could use
`nilearn.plotting` after a mere ``import nilearn``, which fails anywhere else, and nobody could
tell what a lesson depends on. So they are taken out of `sys.modules` and off their packages, and
importing one brings it back together with all that its own import had brought.
"""

import builtins
import contextlib
import copy
import importlib
import itertools
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from neuroprimer.teaching.kernels.echoes import (
    PRELOAD_NAME,
    Action,
    executing,
    is_initializing,
    keeping_echoes,
)

# Of __import__(), after the name.
IMPORT_ARGUMENTS = ("globals", "locals", "fromlist", "level")

# What importlib.import_module() calls. Modules keep import_module() itself, so it must not change.
_bootstrap: Any = vars(importlib)["_bootstrap"]
_ITS_FILE = _bootstrap._find_and_load.__code__.co_filename


class HiddenModules(MetaPathFinder):
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
        self._when_revealed: defaultdict[str, list[tuple[int, Action]]] = defaultdict(list)
        self._count = itertools.count()
        self._specs: dict[str, ModuleSpec | None] = {}
        self._has_importer: set[str] = set()
        self._is_attribute: set[str] = set()
        self._unfit: set[str] = set()
        self._faces: dict[str, set[str]] = {}
        self.is_recording = False
        self._look: Callable[[], None]

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
            with self._recording(), keeping_echoes(self.keep) as self._look:
                exec(statement, {"__name__": PRELOAD_NAME})  # noqa: S102  a course's own imports
        except (Exception, SystemExit) as error:  # noqa: BLE001  importing foreign code raises anything
            problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        self._drop_unfit()
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
            if self._take_off(name, module):
                self._is_attribute.add(name)
        for name, own in self._faces.items():
            face = vars(self.hidden[name]) if name in self.hidden else {}
            # What was asked of a lazy face is kept on it, and would spare a lesson the import.
            for offered in set(face.get("__all__", ())) & (face.keys() - own):
                del face[offered]

    def _see_lazy_faces(self) -> None:
        """Note what modules that import on demand have of themselves, before they are asked."""
        for name, module in list(sys.modules.items()):
            names = getattr(module, "__dict__", {})
            if name not in self._faces and "__getattr__" in names and not is_initializing(module):
                self._faces[name] = set(names)

    def keep(self, action: Action) -> None:
        """Keep something that the module that is being imported has done, to do it again."""
        self.when_revealed(executing(sys._getframe(1)), action)

    def give_up(self) -> None:
        """Leave the module that is being imported to the lessons: it finds out what only they know.

        All that need it are left to them, too.
        """
        self._unfit.add(executing(sys._getframe(1)))

    def _drop_unfit(self) -> None:
        known = {**sys.modules, **self.hidden}
        waiting = [name for name in self._unfit if name in known and name not in self.visible]
        while waiting:
            name = waiting.pop()
            module = sys.modules.pop(name, None) or self.hidden.pop(name, None)
            if module is None:
                continue
            self._take_off(name, module)
            self._has_importer.discard(name)
            for remembered in (self._specs, self._when_revealed, self.needs):
                remembered.pop(name, None)
            waiting += [one for one, needed in self.needs.items() if name in needed]
        self._unfit.clear()

    def _take_off(self, name: str, module: ModuleType) -> bool:
        """Take a module off its package, if it is there under its name."""
        package, _, last = name.rpartition(".")
        owner = self.hidden.get(package) or sys.modules.get(package)
        if owner is None or getattr(owner, "__dict__", {}).get(last) is not module:
            return False
        delattr(owner, last)
        return True

    # ------------------------------------------------------------------ on import

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return the way to a hidden module; anything else is left to the other finders."""
        if name not in self.hidden:
            return None
        true_spec = self._specs[name]
        spec = ModuleSpec(name, None) if true_spec is None else copy.copy(true_spec)
        spec.loader = _Revealer(self, name, spec.loader)
        return spec

    def reveal(self, name: str) -> None:
        """Put a module back into sight, with all that it imported, and do again what they did."""
        revealed = self._what_comes_with(name)
        for one in revealed:
            sys.modules[one] = self.hidden.pop(one)
        with contextlib.suppress(AttributeError):  # as importlib, which has set our spec
            sys.modules[name].__spec__ = self._specs[name]
        for one in revealed:
            if one in self._is_attribute:
                package, _, last = one.rpartition(".")
                setattr(sys.modules[package], last, sys.modules[one])
        if self.is_recording:  # for another module, and no lesson hears it
            return
        echoes = [echo for one in revealed for echo in self._when_revealed.pop(one, ())]
        for _, act in sorted(echoes, key=lambda echo: echo[0]):
            act()

    def when_revealed(self, name: str, action: Action, *, first: bool = False) -> None:
        """Have something done when a module comes into sight, in the order of these calls."""
        self._when_revealed[name].append((-1 if first else next(self._count), action))

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
        """Note who imports what, whatever way the import takes."""
        plain_import, plain_import_module = builtins.__import__, _bootstrap._gcd_import
        self.is_recording = True

        def noting_import(name: str, *arguments: Any, **options: Any) -> ModuleType:
            if not self.is_recording:  # somebody has kept this function
                return plain_import(name, *arguments, **options)
            before = len(sys.modules)
            module = plain_import(name, *arguments, **options)
            given = dict(zip(IMPORT_ARGUMENTS, arguments, strict=False))
            namespace, _, items, level = map({**given, **options}.get, IMPORT_ARGUMENTS)
            self._note(_absolute(name, namespace, level or 0), items or (), before)
            return module

        def noting_import_module(name: str, package: Any = None, level: int = 0) -> ModuleType:
            self._see_lazy_faces()
            before = len(sys.modules)
            module: ModuleType = plain_import_module(name, package, level)
            self._note(
                _bootstrap._resolve_name(name, package, level) if level else name, (), before
            )
            return module

        for noting in (noting_import, noting_import_module):
            # a warning that tells who imports counts no frames of the import system
            noting.__code__ = noting.__code__.replace(co_filename=_ITS_FILE)
        builtins.__import__ = noting_import
        _bootstrap._gcd_import = noting_import_module
        try:
            yield
        finally:
            builtins.__import__ = plain_import
            _bootstrap._gcd_import = plain_import_module
            self.is_recording = False

    def _note(self, name: str, items: Sequence[str], before: int) -> None:
        """Note an import, seen from the function that did it, and what has come along unseen."""
        importer = executing(sys._getframe(2))
        if "*" in items:
            items = getattr(sys.modules.get(name), "__all__", ())
        imported = [name, *(f"{name}.{item}" for item in items)]
        imported = [one for one in imported if one in sys.modules]
        # compiled modules import without asking anybody: what has appeared besides was theirs
        appeared = list(itertools.islice(sys.modules, before, None))
        known = self._has_importer
        unseen = [one for one in appeared if one not in known and one not in imported]
        compiled = next((one for one in reversed(imported) if one in appeared), name)
        self.needs[compiled].update(unseen)
        self.needs[importer].update(imported + unseen)
        self._has_importer.update(imported + unseen)
        self._look()


class _Revealer(Loader):
    """Loads a module by revealing it; what else a loader can tell, the true one tells."""

    def __init__(self, modules: HiddenModules, name: str, true_loader: Any) -> None:
        self._modules = modules
        self._name = name
        self._true_loader = true_loader

    def create_module(self, _: ModuleSpec) -> ModuleType:
        """Return the module as it is; it has been executed long ago."""
        return self._modules.hidden[self._name]

    def exec_module(self, _: ModuleType) -> None:
        """Reveal the module and all that importing it brings along."""
        self._modules.reveal(self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._true_loader, name)


def _absolute(name: str, namespace: Any, level: int) -> str:
    if not level:
        return name
    package = namespace.get("__package__")
    if package is None:
        package = namespace["__spec__"].parent
    base = package.rsplit(".", level - 1)[0]
    return f"{base}.{name}" if name else str(base)
