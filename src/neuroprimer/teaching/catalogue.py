"""The catalogue: every lesson and dataset there is, and which plugin brought it."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import pluggy

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.executors import OfferedExecutor, UnknownExecutorError
from neuroprimer.teaching.model import Dataset, Finding, Lesson
from neuroprimer.teaching.plugins import (
    BLOCKED_VARIABLE,
    PLUGINS_DIR_VARIABLE,
    Plugin,
    ask_each,
    load_plugins,
)

Item = TypeVar("Item", Lesson, Dataset)


class UnknownLessonError(NeuroprimerError, LookupError):
    """A lesson id that no plugin brings."""


class BrokenPluginError(NeuroprimerError, RuntimeError):
    """Plugins that cannot take part, where all of them must."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Every lesson and dataset, by id.

    Parameters
    ----------
    manager : pluggy.PluginManager
        The plugins that are asked for data later on.
    lessons : mapping of str to Lesson
        In the order in which plugins brought them.
    datasets : mapping of str to Dataset
        Likewise.
    brought_by : mapping of str to str
        Name of the plugin for each lesson id.
    executors : mapping of str to OfferedExecutor
        What can run lessons, by name.
    plugins : tuple of Plugin
        All plugins that were found, also those left out.
    plugins_dir : pathlib.Path, optional
        The folder that local plugins were loaded from.
    findings : tuple of Finding
        What is wrong with plugins.
    """

    manager: pluggy.PluginManager
    lessons: Mapping[str, Lesson]
    datasets: Mapping[str, Dataset]
    brought_by: Mapping[str, str]
    executors: Mapping[str, OfferedExecutor] = field(default_factory=dict)
    plugins: tuple[Plugin, ...] = ()
    plugins_dir: Path | None = None
    findings: tuple[Finding, ...] = ()

    @classmethod
    def from_plugins(
        cls,
        manager: pluggy.PluginManager,
        *,
        plugins: tuple[Plugin, ...] = (),
        plugins_dir: Path | None = None,
        findings: tuple[Finding, ...] = (),
        strict: bool = True,
    ) -> "Catalogue":
        """Ask every plugin of a manager what it brings.

        Parameters
        ----------
        manager : pluggy.PluginManager
            Knows the plugins.
        plugins : tuple of Plugin
            Where they come from.
        plugins_dir : pathlib.Path, optional
            The folder that local plugins were loaded from.
        findings : tuple of Finding
            What was found while they were loaded.
        strict : bool
            Raise if anything is wrong with any plugin.

        Raises
        ------
        BrokenPluginError
            In strict mode, naming every plugin at fault.
        """
        lessons, lesson_findings = _collect(manager, "register_lessons", Lesson)
        datasets, dataset_findings = _collect(manager, "register_datasets", Dataset)
        executors, executor_findings = _collect_executors(manager)
        catalogue = cls(
            manager=manager,
            lessons={id_: lesson for id_, (_, lesson) in lessons.items()},
            datasets={id_: dataset for id_, (_, dataset) in datasets.items()},
            brought_by={id_: plugin for id_, (plugin, _) in lessons.items()},
            executors=executors,
            plugins=plugins,
            plugins_dir=plugins_dir,
            findings=(*findings, *lesson_findings, *dataset_findings, *executor_findings),
        )
        if strict:
            require_sound_plugins(catalogue)
        return catalogue

    def require_lesson(self, lesson_id: str) -> Lesson:
        """Return a lesson by its id.

        Raises
        ------
        UnknownLessonError
            If no plugin brings it; names the nearest ids.
        """
        if lesson_id not in self.lessons:
            raise UnknownLessonError(
                f"No lesson is called {lesson_id!r}.{self.broken_plugins()}",
                hint=self.suggest(lesson_id),
            )
        return self.lessons[lesson_id]

    def require_executor(self, name: str) -> OfferedExecutor:
        """Return an executor by its name.

        Raises
        ------
        UnknownExecutorError
            If no plugin brings it; names the nearest, or all there are.
        """
        if name not in self.executors:
            raise UnknownExecutorError(
                f"No executor is called {name!r}.{self.broken_plugins()}",
                hint=did_you_mean(name, self.executors),
            )
        return self.executors[name]

    def broken_plugins(self) -> str:
        """Return what is wrong with plugins, or nothing if all work, to follow a sentence."""
        if not self.findings:
            return ""
        return " Broken plugins are left out:" + "".join(f"\n  {one}" for one in self.findings)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that let a kernel see the same plugins."""
        blocked = " ".join(plugin.name for plugin in self.plugins if plugin.state == "blocked")
        folder = str(self.plugins_dir.absolute()) if self.plugins_dir else ""
        return {PLUGINS_DIR_VARIABLE: folder, BLOCKED_VARIABLE: blocked}

    def suggest(self, lesson_id: str) -> str:
        """Return a sentence with the lesson ids most like the given one."""
        return did_you_mean(lesson_id, self.lessons)


def load_catalogue(
    *,
    plugins_dir: Path | None = None,
    blocked: Iterable[str] = (),
    trace: Callable[[str], object] | None = None,
    strict: bool = False,
) -> Catalogue:
    """Load all plugins and ask them what they bring.

    Parameters
    ----------
    plugins_dir, blocked, trace
        As for `load_plugins`.
    strict : bool
        Raise if anything is wrong with any plugin.

    Returns
    -------
    catalogue : Catalogue
        All lessons and datasets of the plugins that work.
    """
    loaded = load_plugins(plugins_dir=plugins_dir, blocked=tuple(blocked), trace=trace)
    return Catalogue.from_plugins(
        loaded.manager,
        plugins=loaded.plugins,
        plugins_dir=plugins_dir,
        findings=loaded.findings,
        strict=strict,
    )


def load_catalogue_here() -> Catalogue:
    """Load the plugins that the environment of this process asks for, as a build gives it on."""
    plugins_dir = os.environ.get(PLUGINS_DIR_VARIABLE)
    return load_catalogue(
        plugins_dir=Path(plugins_dir) if plugins_dir else None,
        blocked=os.environ.get(BLOCKED_VARIABLE, "").split(),
    )


def require_sound_plugins(catalogue: Catalogue) -> None:
    """Raise if any plugin is broken, naming all that are.

    Raises
    ------
    BrokenPluginError
        If the catalogue has findings.
    """
    if catalogue.findings:
        names = sorted({finding.subject for finding in catalogue.findings})
        raise BrokenPluginError(
            f"{len(names)} plugin(s) cannot take part: {', '.join(names)}.\n"
            + "\n".join(f"  {finding}" for finding in catalogue.findings),
            hint="Run `neuroprimer plugins doctor`; `--no-strict` builds without them.",
        )


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """Return a sentence that names what is most like the wanted, or all there is.

    Examples
    --------
    >>> did_you_mean("afine", ["affine", "image"])
    "Did you mean 'affine'?"
    >>> did_you_mean("x", ["affine", "image"])
    'There are: affine, image.'
    """
    known = sorted(known)
    near = get_close_matches(wanted, known, n=3)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"There are: {', '.join(known)}." if known else "There are none."


def _collect(
    manager: pluggy.PluginManager, hook: str, kind: type[Item]
) -> tuple[dict[str, tuple[str, Item]], tuple[Finding, ...]]:
    """Return id -> (plugin, item) for one registering hook; the first plugin keeps an id."""
    answers = ask_each(manager, hook)
    items: dict[str, tuple[str, Item]] = {}
    findings = list(answers.findings)
    for plugin, answer in answers.values:
        if not isinstance(answer, list) or not all(isinstance(item, kind) for item in answer):
            findings.append(
                Finding(
                    rule="NP004",
                    subject=plugin,
                    message=f"{hook} returned {_short(answer)}, expected a list of "
                    f"{kind.__name__}.",
                )
            )
            continue
        for item in answer:
            if item.id in items:
                findings.append(
                    Finding(
                        rule="NP005",
                        subject=plugin,
                        message=f"the {kind.__name__.lower()} id {item.id!r} is taken by the "
                        f"plugin {items[item.id][0]!r}; this one is left out.",
                    )
                )
            else:
                items[item.id] = (plugin, item)
    return items, tuple(findings)


def _collect_executors(
    manager: pluggy.PluginManager,
) -> tuple[dict[str, OfferedExecutor], tuple[Finding, ...]]:
    """Return the executors by name; the first plugin keeps a name."""
    answers = ask_each(manager, "register_executors")
    executors: dict[str, OfferedExecutor] = {}
    findings = list(answers.findings)

    def find(rule: str, plugin: str, message: str) -> None:
        findings.append(Finding(rule=rule, subject=plugin, message=message))

    for plugin, answer in answers.values:
        if not isinstance(answer, Mapping) or not all(
            isinstance(name, str) and callable(factory) for name, factory in answer.items()
        ):
            words = f"register_executors returned {_short(answer)}, expected names with factories."
            find("NP004", plugin, words)
            continue
        for name, factory in answer.items():
            if name in executors:
                find(
                    "NP005",
                    plugin,
                    f"the executor name {name!r} is taken by the plugin "
                    f"{executors[name].plugin!r}; this one is left out.",
                )
            else:
                executors[name] = OfferedExecutor(name=name, plugin=plugin, factory=factory)
    return executors, tuple(findings)


def _short(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else f"{text[:57]}..."
