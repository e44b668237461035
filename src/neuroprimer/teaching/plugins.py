"""Plugins: found, loaded and asked one by one, so that a broken one harms nobody else."""

import contextlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import pluggy

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching import hookspecs
from neuroprimer.teaching.model import Finding

# Under this name local plugins are imported, so that they cannot hide an installed module.
LOCAL_PACKAGE = "neuroprimer_local_plugins"

# Set for the kernels of a build, so that a lesson sees the plugins that the build sees.
PLUGINS_DIR_VARIABLE = "NEUROPRIMER_PLUGINS_DIR"
BLOCKED_VARIABLE = "NEUROPRIMER_BLOCK_PLUGINS"


class PluginsFolderError(NeuroprimerError, OSError):
    """A folder of local plugins that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Where a plugin comes from.

    Parameters
    ----------
    name : str
        Name of its entry point, or of its file.
    origin : str
        Distribution and version, or the file it was loaded from.
    hooks : tuple of str
        The hooks it implements.
    state : {"loaded", "left out", "blocked"}
        Whether it takes part.
    """

    name: str
    origin: str
    hooks: tuple[str, ...] = ()
    state: str = "loaded"

    @property
    def distribution(self) -> str:
        """Name of the distribution that it comes with; empty for a file."""
        return "" if "/" in self.origin or "\\" in self.origin else self.origin.partition(" ")[0]


@dataclass(frozen=True, kw_only=True)
class LoadedPlugins:
    """A plugin manager, and what happened while it was filled."""

    manager: pluggy.PluginManager
    plugins: tuple[Plugin, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the plugins answered to one hook, and which could not.

    Parameters
    ----------
    values : tuple of pairs
        Name of the plugin, and what it returned.
    findings : tuple of Finding
        One for each plugin that raised.
    errors : tuple of Exception
        What they raised, in the same order.
    """

    values: tuple[tuple[str, Any], ...]
    findings: tuple[Finding, ...]
    errors: tuple[BaseException, ...]


def make_manager() -> pluggy.PluginManager:
    """Return a manager that knows the hooks and no plugin yet."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def hook_names(manager: pluggy.PluginManager) -> tuple[str, ...]:
    """Return the names of all hooks there are, sorted."""
    return tuple(sorted(name for name, hook in vars(manager.hook).items() if hook.has_spec()))


def load_plugins(
    *,
    plugins_dir: Path | None = None,
    blocked: Collection[str] = (),
    trace: Callable[[str], object] | None = None,
) -> LoadedPlugins:
    """Find and load every plugin; none can stop the others.

    Parameters
    ----------
    plugins_dir : pathlib.Path, optional
        A folder whose ``*.py`` files are plugins, besides the installed ones.
    blocked : collection of str
        Names of plugins that are not loaded.
    trace : callable, optional
        Is given a line for every hook call.

    Returns
    -------
    loaded : LoadedPlugins
        The manager, every plugin with its state, and the findings.

    Raises
    ------
    PluginsFolderError
        If `plugins_dir` is no folder.
    """
    manager = make_manager()
    if trace is not None:
        manager.trace.root.setwriter(trace)
        manager.enable_tracing()
    plugins: list[Plugin] = []
    findings: list[Finding] = []
    for name, origin, load in (*_installed(), *_local(plugins_dir)):
        if name in blocked:
            plugins.append(Plugin(name=name, origin=origin, state="blocked"))
            continue
        problems = _load_one(manager, name, load)
        module = manager.get_plugin(name) if not problems else None
        plugins.append(
            Plugin(
                name=name,
                origin=origin,
                hooks=_hooks_of(manager, module),
                state="left out" if problems else "loaded",
            )
        )
        findings += problems
    return LoadedPlugins(manager=manager, plugins=tuple(plugins), findings=tuple(findings))


def add_plugin(manager: pluggy.PluginManager, plugin: object, name: str) -> tuple[Finding, ...]:
    """Register one plugin, or say why it is left out.

    Parameters
    ----------
    manager : pluggy.PluginManager
        Is changed: it knows the plugin afterwards, unless there is a finding.
    plugin : object
        A module, class instance or anything else with hook implementations.
    name : str
        What the plugin is called from now on.

    Returns
    -------
    findings : tuple of Finding
        Empty when the plugin takes part.
    """
    unusable = _unusable(manager, plugin, name)
    if unusable:
        return (Finding(rule=unusable[0], subject=name, message=unusable[1]),)
    try:
        manager.register(plugin, name=name)
    except pluggy.PluginValidationError as error:  # an argument that the hook does not have
        manager.unregister(name=name)
        return (Finding(rule="NP003", subject=name, message=" ".join(str(error).split())),)
    misspelt = _misspelt_hooks(manager, plugin, name)
    if misspelt:
        manager.unregister(name=name)
    return misspelt


def ask_each(manager: pluggy.PluginManager, hook: str, **arguments: object) -> Answers:
    """Call one hook of every plugin, each by itself.

    Parameters
    ----------
    manager : pluggy.PluginManager
        Holds the plugins; they are asked in the order in which they were registered.
    hook : str
        Name of the hook.
    **arguments
        What the hook is called with.

    Returns
    -------
    answers : Answers
        Pairs of plugin name and what it returned (iterables as lists), and a finding for each
        plugin that raised.
    """
    return _collect(_ask(manager, hook, arguments))


def ask_first(manager: pluggy.PluginManager, hook: str, **arguments: object) -> Answers:
    """Call one hook of one plugin after another until one gives an answer that is not None.

    Parameters
    ----------
    manager, hook, **arguments
        As for `ask_each`.

    Returns
    -------
    answers : Answers
        At most one value; a finding for each plugin that raised before.
    """
    asked: list[tuple[str, Any] | _Failure] = []
    for answer in _ask(manager, hook, arguments):
        if isinstance(answer, _Failure):
            asked.append(answer)
        elif answer[1] is not None:
            asked.append(answer)
            break
    return _collect(asked)


@dataclass(frozen=True)
class _Failure:
    """A plugin that raised, as a finding, and what it raised."""

    finding: Finding
    error: BaseException


def _ask(
    manager: pluggy.PluginManager, hook: str, arguments: dict[str, object]
) -> Iterator[tuple[str, Any] | _Failure]:
    """Yield each plugin's answer, or a failure for one that raised, as they are asked."""
    first_only = getattr(manager.hook, hook).spec.opts["firstresult"]
    plugins = [(name, plugin) for name, plugin in manager.list_name_plugin() if plugin is not None]
    for name, plugin in plugins:
        if hook not in _hooks_of(manager, plugin):
            continue
        others = [other for _, other in plugins if other is not plugin]
        caller = manager.subset_hook_caller(hook, others)
        outcome: tuple[str, Any] | _Failure
        try:
            with _output_to_stderr():
                answer = caller(**arguments)
                if not first_only:  # pluggy gives a list, which is empty where a plugin gave None
                    answer = answer[0] if answer else None
                # A generator does its work, and raises, only when it is read.
                outcome = name, list(answer) if _is_series(answer) else answer
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything
            message = f"{hook}: {_say(error)}"
            outcome = _Failure(Finding(rule="NP002", subject=name, message=message), error)
        yield outcome


def _collect(asked: Iterable[tuple[str, Any] | _Failure]) -> Answers:
    asked = tuple(asked)
    failures = tuple(answer for answer in asked if isinstance(answer, _Failure))
    return Answers(
        values=tuple(answer for answer in asked if not isinstance(answer, _Failure)),
        findings=tuple(failure.finding for failure in failures),
        errors=tuple(failure.error for failure in failures),
    )


def _is_series(answer: object) -> bool:
    return isinstance(answer, Iterable) and not isinstance(answer, str | bytes | Mapping)


def _output_to_stderr() -> contextlib.redirect_stdout[TextIO]:
    """Keep what a plugin prints out of the standard output, where programs read JSON."""
    return contextlib.redirect_stdout(sys.stderr)


def _installed() -> list[tuple[str, str, Callable[[], object]]]:
    """Return name, origin and loader of each plugin among the installed distributions."""

    def distribution(entry_point: EntryPoint) -> str:
        found = entry_point.dist
        return f"{found.name} {found.version}" if found else "unknown distribution"

    # The order of installation must not show in the course.
    found = sorted(
        entry_points(group=hookspecs.PROJECT), key=lambda point: (distribution(point), point.name)
    )
    return [(point.name, distribution(point), point.load) for point in found]


def _local(plugins_dir: Path | None) -> list[tuple[str, str, Callable[[], object]]]:
    """Return name, origin and loader of each plugin in a folder."""
    if plugins_dir is None:
        return []
    if not plugins_dir.is_dir():
        raise PluginsFolderError(
            f"Cannot load plugins from {plugins_dir}: it is not a folder.",
            hint="Name the folder that holds your plugin's .py file.",
        )
    return [
        (file.stem, str(file), partial(_import_file, file))
        for file in sorted(plugins_dir.absolute().glob("*.py"))
        if not file.name.startswith("_")
    ]


def _import_file(file: Path) -> ModuleType:
    name = f"{LOCAL_PACKAGE}.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:  # importlib's types allow for it
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load_one(
    manager: pluggy.PluginManager, name: str, load: Callable[[], object]
) -> tuple[Finding, ...]:
    try:
        with _output_to_stderr():
            plugin = load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  importing foreign code raises anything
        return (Finding(rule="NP001", subject=name, message=_say(error)),)
    return add_plugin(manager, plugin, name)


def _unusable(manager: pluggy.PluginManager, plugin: object, name: str) -> tuple[str, str] | None:
    """Return rule and words for a plugin that must not even be registered."""
    wanted = getattr(plugin, "NEUROPRIMER_API_VERSION", hookspecs.API_VERSION)
    if wanted != hookspecs.API_VERSION:
        return (
            "NP006",
            f"it wants version {wanted!r} of the plugin interface, this neuroprimer has version "
            f"{hookspecs.API_VERSION}.",
        )
    if manager.has_plugin(name):
        return "NP005", f"another plugin is called {name!r} already; this one is left out."
    try:
        hash(plugin)  # pluggy keeps plugins in sets
    except TypeError:
        return "NP001", "it is an object that cannot be hashed; use a module or a plain class."
    return None


def _hooks_of(manager: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    callers = manager.get_hookcallers(plugin) or [] if plugin is not None else []
    return tuple(sorted(caller.name for caller in callers))


def _misspelt_hooks(
    manager: pluggy.PluginManager, plugin: object, name: str
) -> tuple[Finding, ...]:
    """Return a finding for each hook that would never be called, and nobody would notice."""
    known = hook_names(manager)
    marked = {
        caller.name: any(
            impl.optionalhook for impl in caller.get_hookimpls() if impl.plugin is plugin
        )
        for caller in manager.get_hookcallers(plugin) or []
    }
    problems = []
    for hook, is_optional in sorted(marked.items()):
        if hook not in known and not is_optional:
            near = get_close_matches(hook, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
            problems.append(f"no hook is called {hook!r}; {advice}")
    problems += [
        f"{hook!r} is the name of a hook, but the function is not marked with @hookimpl."
        for hook in known
        if hook not in marked and callable(getattr(plugin, hook, None))
    ]
    return tuple(Finding(rule="NP003", subject=name, message=problem) for problem in problems)


def _say(error: BaseException) -> str:
    """Return kind, words and place of an error in one line; our own errors name the place."""
    if isinstance(error, NeuroprimerError):
        return f"{type(error).__name__}: {error}"
    words = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {words}{place}" if words else f"{type(error).__name__}{place}"
