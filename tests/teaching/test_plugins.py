"""Plugins: one that is broken is named and left out, and everybody else works."""

import sys
from pathlib import Path

import pytest

from neuroprimer.teaching import Dataset, Lesson, ValidationReport, hookimpl, standard_executors
from neuroprimer.teaching.catalogue import BrokenPluginError, Catalogue, load_catalogue
from neuroprimer.teaching.hookspecs import API_VERSION
from neuroprimer.teaching.model import ExecutionResult
from neuroprimer.teaching.plugins import (
    PluginsFolderError,
    add_plugin,
    ask_each,
    load_plugins,
    make_manager,
)
from neuroprimer.teaching.standard_executors import make_local

ONE = Lesson(id="one", title="One", path=Path("one.md"))
TWO = Lesson(id="two", title="Two", path=Path("two.md"))
DATA = Dataset(id="data", title="D", description="", licence="MIT", citation="", is_synthetic=True)


class BringsOne:
    @hookimpl
    def register_lessons(self):
        return [ONE]


class BringsTwo:
    @hookimpl
    def register_lessons(self):
        yield TWO


def manager_with(**plugins: object):
    manager = make_manager()
    for name, plugin in plugins.items():
        assert add_plugin(manager, plugin, name) == ()
    return manager


def rules(findings) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subject) for finding in findings]


def test_hook_register_lessons():
    catalogue = Catalogue.from_plugins(manager_with(one=BringsOne(), two=BringsTwo()))

    assert list(catalogue.lessons) == ["one", "two"]
    assert catalogue.brought_by == {"one": "one", "two": "two"}


def test_hook_register_datasets():
    class Brings:
        @hookimpl
        def register_datasets(self):
            return (DATA,)

    catalogue = Catalogue.from_plugins(manager_with(brings=Brings()))

    assert catalogue.datasets == {"data": DATA}


def test_hook_provide_dataset_gets_what_it_asks_for(tmp_path):
    class Provides:
        @hookimpl
        def provide_dataset(self, folder, dataset):
            return [folder / dataset.id]

    answers = ask_each(
        manager_with(provides=Provides()),
        "provide_dataset",
        dataset=DATA,
        folder=tmp_path,
        variant="sample",
    )

    assert answers.values == (("provides", [tmp_path / "data"]),)


def test_hook_register_executors():
    class Brings:
        @hookimpl
        def register_executors(self):
            return {"slow": make_local}

    catalogue = Catalogue.from_plugins(manager_with(brings=Brings()))

    assert catalogue.executors["slow"].plugin == "brings"
    assert callable(catalogue.require_executor("slow").make())


@pytest.mark.parametrize(
    "answer", [None, ["local"], {"local": 1}, {1: make_local}], ids=["none", "list", "no", "name"]
)
def test_wrong_answer_about_executors_is_a_finding(answer):
    class Wrong:
        @hookimpl
        def register_executors(self):
            return answer

    catalogue = Catalogue.from_plugins(manager_with(wrong=Wrong()), strict=False)

    assert catalogue.executors == {}
    assert rules(catalogue.findings) == [("NP004", "wrong")]


def test_second_plugin_with_an_executor_name_is_left_out():
    class Brings:
        @hookimpl
        def register_executors(self):
            return {"local": make_local}

    catalogue = Catalogue.from_plugins(
        manager_with(standard=standard_executors, other=Brings()), strict=False
    )

    assert catalogue.executors["local"].plugin == "standard"
    assert rules(catalogue.findings) == [("NP005", "other")]
    assert "the executor name 'local' is taken by the plugin 'standard'" in str(catalogue.findings)


def test_hook_lesson_validated():
    told = []

    class Listens:
        @hookimpl
        def lesson_validated(self, report):
            told.append(report)

    report = ValidationReport(result=ExecutionResult(lesson=ONE, notebook=None), findings=())
    ask_each(manager_with(listens=Listens()), "lesson_validated", report=report)

    assert told == [report]


def test_raising_plugin_is_named_and_left_out():
    class Broken:
        @hookimpl
        def register_lessons(self):
            raise OSError("gone")

    manager = manager_with(broken=Broken(), one=BringsOne())

    catalogue = Catalogue.from_plugins(manager, strict=False)

    assert list(catalogue.lessons) == ["one"]
    assert rules(catalogue.findings) == [("NP002", "broken")]
    assert "register_lessons: OSError: gone (test_plugins.py, line" in catalogue.findings[0].message


def test_hook_that_ends_the_program_is_named_and_left_out():
    class Ends:
        @hookimpl
        def register_lessons(self):
            sys.exit(0)

    catalogue = Catalogue.from_plugins(manager_with(ends=Ends(), one=BringsOne()), strict=False)

    assert list(catalogue.lessons) == ["one"]
    assert rules(catalogue.findings) == [("NP002", "ends")]


def test_any_iterable_of_lessons_will_do():
    class Brings:
        @hookimpl
        def register_lessons(self):
            return {"one": ONE, "two": TWO}.values()

    assert list(Catalogue.from_plugins(manager_with(brings=Brings())).lessons) == ["one", "two"]


def test_hook_without_its_mark_is_a_finding():
    class Forgot:
        def register_lessons(self):
            return [ONE]

    (finding,) = add_plugin(make_manager(), Forgot(), "forgot")

    assert finding.rule == "NP003"
    assert "not marked with @hookimpl" in finding.message


def test_hook_of_a_later_version_may_be_marked_optional():
    class Ahead(BringsOne):
        @hookimpl(optionalhook=True)
        def register_graders(self):
            return {}

    assert list(Catalogue.from_plugins(manager_with(ahead=Ahead())).lessons) == ["one"]


def test_plugin_that_cannot_be_hashed_harms_nobody():
    class Unhashable(BringsOne):
        __hash__ = None

    manager = manager_with(two=BringsTwo())

    (finding,) = add_plugin(manager, Unhashable(), "unhashable")

    assert finding.rule == "NP001"
    assert list(Catalogue.from_plugins(manager).lessons) == ["two"]


def test_what_a_plugin_prints_stays_out_of_the_output(write_plugin, capsys):
    folder = write_plugin("chatty", "print('hello from a plugin')")

    load_plugins(plugins_dir=folder)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello from a plugin" in captured.err


def test_generator_that_raises_half_way_brings_nothing():
    class Broken:
        @hookimpl
        def register_lessons(self):
            yield ONE
            raise OSError("gone")

    catalogue = Catalogue.from_plugins(manager_with(broken=Broken()), strict=False)

    assert catalogue.lessons == {}
    assert rules(catalogue.findings) == [("NP002", "broken")]


def test_strict_catalogue_names_every_plugin_at_fault():
    class Broken:
        @hookimpl
        def register_lessons(self):
            raise OSError("gone")

    with pytest.raises(BrokenPluginError, match=r"2 plugin\(s\).*first, second"):
        Catalogue.from_plugins(manager_with(second=Broken(), first=Broken()))


@pytest.mark.parametrize(
    "answer", [None, ONE, "one", [ONE, "two"]], ids=["none", "one", "text", "mix"]
)
def test_wrong_answer_is_a_finding(answer):
    class Wrong:
        @hookimpl
        def register_lessons(self):
            return answer

    catalogue = Catalogue.from_plugins(manager_with(wrong=Wrong(), two=BringsTwo()), strict=False)

    assert list(catalogue.lessons) == ["two"]
    assert rules(catalogue.findings) == [("NP004", "wrong")]


def test_misspelt_hook_is_a_finding_with_the_right_name():
    class Misspelt:
        @hookimpl
        def register_lesons(self):
            return [ONE]

    manager = make_manager()

    (finding,) = add_plugin(manager, Misspelt(), "misspelt")

    assert finding.rule == "NP003"
    assert "'register_lesons'; did you mean 'register_lessons'?" in finding.message
    assert not manager.has_plugin("misspelt")


def test_unknown_argument_of_a_hook_is_a_finding():
    class Asks:
        @hookimpl
        def lesson_validated(self, reprot):
            """Never called."""

    manager = make_manager()

    (finding,) = add_plugin(manager, Asks(), "asks")

    assert finding.rule == "NP003"
    assert "reprot" in finding.message
    assert not manager.has_plugin("asks")
    assert add_plugin(manager, BringsOne(), "one") == ()


def test_second_plugin_with_a_lesson_id_is_left_out():
    manager = manager_with(one=BringsOne(), other=BringsOne(), two=BringsTwo())

    catalogue = Catalogue.from_plugins(manager, strict=False)

    assert catalogue.brought_by == {"one": "one", "two": "two"}
    assert rules(catalogue.findings) == [("NP005", "other")]
    assert "'one' is taken by the plugin 'one'" in catalogue.findings[0].message


def test_second_plugin_with_a_dataset_id_is_left_out():
    class Brings:
        @hookimpl
        def register_datasets(self):
            return [DATA]

    catalogue = Catalogue.from_plugins(manager_with(one=Brings(), two=Brings()), strict=False)

    assert rules(catalogue.findings) == [("NP005", "two")]
    assert "the dataset id 'data' is taken" in catalogue.findings[0].message


def test_second_plugin_of_a_name_is_left_out():
    manager = manager_with(same=BringsOne())

    (finding,) = add_plugin(manager, BringsTwo(), "same")

    assert finding.rule == "NP005"
    assert finding.message == "another plugin is called 'same' already; this one is left out."
    assert list(Catalogue.from_plugins(manager).lessons) == ["one"]


def test_plugin_for_another_interface_is_left_out():
    class Future(BringsOne):
        NEUROPRIMER_API_VERSION = API_VERSION + 1

    (finding,) = add_plugin(make_manager(), Future(), "future")

    assert finding.rule == "NP006"
    assert f"version {API_VERSION + 1}" in finding.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("assert False, 'two\\nlines'", "AssertionError: two lines"),
    ],
    ids=["module", "syntax", "exit", "assert"],
)
def test_plugin_that_cannot_be_imported_is_named(write_plugin, our_plugins, code, words):
    write_plugin("fine", "from neuroprimer.teaching import hookimpl")
    folder = write_plugin("broken", code)

    loaded = load_plugins(plugins_dir=folder, blocked=our_plugins)

    assert rules(loaded.findings) == [("NP001", "broken")]
    assert words in loaded.findings[0].message
    states = {plugin.name: plugin.state for plugin in loaded.plugins}
    assert states["broken"] == "left out"
    assert states["fine"] == "loaded"


def test_local_plugin_cannot_hide_an_installed_module(write_plugin):
    folder = write_plugin("json", "answer = 42")

    load_plugins(plugins_dir=folder)
    import json

    assert json.loads("1") == 1


def test_blocked_plugin_is_listed_and_not_asked(write_plugin):
    folder = write_plugin("explodes", "raise RuntimeError")

    catalogue = load_catalogue(plugins_dir=folder, blocked=("explodes",))

    assert catalogue.findings == ()
    assert ("explodes", "blocked") in [(p.name, p.state) for p in catalogue.plugins]


def test_installed_plugins_tell_their_distribution():
    origins = {plugin.name: plugin.origin for plugin in load_plugins().plugins}

    assert origins["builtin"].startswith("neuroprimer ")


def test_trace_tells_of_hook_calls():
    lines: list[str] = []

    load_catalogue(trace=lines.append)

    assert any("register_lessons" in line for line in lines)


def test_plugins_folder_must_exist(tmp_path):
    with pytest.raises(PluginsFolderError, match="not a folder"):
        load_plugins(plugins_dir=tmp_path / "gone")
