"""Executors: chosen by name, made by factories that anybody may have written."""

import json
import sys
import time

import pytest

from neuroprimer.teaching import execute_lessons, hookimpl, standard_executors, validate_lessons
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.executors import ExecutorError, UnknownExecutorError
from neuroprimer.teaching.plugins import add_plugin, make_manager


def catalogue_with(**factories) -> Catalogue:
    class Brings:
        @hookimpl
        def register_executors(self):
            return factories

    manager = make_manager()
    assert add_plugin(manager, standard_executors, "executors") == ()
    assert add_plugin(manager, Brings(), "brings") == ()
    return Catalogue.from_plugins(manager)


@pytest.mark.parametrize(
    ("name", "hint"), [("dusk", "Did you mean 'dask'?"), ("x", "There are: dask, local.")]
)
def test_unknown_name_leads_to_those_there_are(name, hint):
    with pytest.raises(UnknownExecutorError, match=f"No executor is called '{name}'") as caught:
        catalogue_with().require_executor(name)

    assert caught.value.hint == hint


def test_factory_that_raises_is_named_with_its_plugin():
    def broken(_):
        raise OSError("no queue")

    offered = catalogue_with(queue=broken).require_executor("queue")

    with pytest.raises(ExecutorError, match=r"'queue' of the plugin 'brings'.* OSError: no queue"):
        offered.make()


def test_factory_that_makes_nothing_is_named_with_its_plugin():
    offered = catalogue_with(queue=lambda _: None).require_executor("queue")

    with pytest.raises(ExecutorError, match=r"'queue' of the plugin 'brings'.* returned None"):
        offered.make()


def test_executor_that_loses_a_lesson_is_an_error(make_lesson):
    catalogue = catalogue_with(forgets=lambda _: lambda *_, **__: ())
    executor = catalogue.require_executor("forgets").make()

    with pytest.raises(ExecutorError, match=r"gave results of no lesson; .* of a-lesson"):
        validate_lessons([make_lesson("1")], catalogue, executor=executor)


@pytest.mark.kernel
def test_cold_asks_the_same_executor_twice(make_lesson):
    asked = []

    def run(lessons, *, forks, **options):
        asked.append(forks)
        return execute_lessons(lessons, forks=forks, **options)

    report = validate_lessons([make_lesson("1")], catalogue_with(), cold=True, executor=run)

    assert report.passed
    assert asked == [True, False]


def test_dask_that_is_not_installed_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(ExecutorError, match="not installed") as caught:
        catalogue_with().require_executor("dask").make("tcp://127.0.0.1:8786")

    assert caught.value.hint == "pip install 'neuroprimer[dask]'"


def test_dask_without_a_scheduler_says_how_to_start_one():
    with pytest.raises(ExecutorError, match="needs the address of a scheduler"):
        catalogue_with().require_executor("dask").make()


def test_local_executor_with_a_scheduler_is_a_mistake():
    with pytest.raises(ExecutorError, match="'local' has no scheduler"):
        catalogue_with().require_executor("local").make("tcp://127.0.0.1:8786")


@pytest.mark.kernel
@pytest.mark.usefixtures("course_folder")
def test_executor_of_a_plugin_in_a_folder_runs_the_lessons(write_lesson, write_plugin, neuroprimer):
    write_lesson("print(6 * 7)")
    write_plugin(
        "loud",
        """
        import sys
        from neuroprimer.teaching import execute_lessons, hookimpl

        def run_loudly(lessons, **options):
            print("loudly:", *(lesson.id for lesson in lessons), file=sys.stderr)
            return execute_lessons(lessons, **options)

        @hookimpl
        def register_executors():
            return {"loud": lambda scheduler: run_loudly}
        """,
    )

    done = neuroprimer("validate", "--executor", "loud", "--json")

    assert done.returncode == 0, done.stderr
    assert "loudly: a-lesson" in done.stderr
    assert json.loads(done.stdout)["passed"]


def test_unknown_executor_ends_the_command_with_words(course_folder, write_lesson, neuroprimer):
    write_lesson("1")

    done = neuroprimer("build", "--course", course_folder, "--executor", "locl")

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "Error: No executor is called 'locl'.",
        "Hint: Did you mean 'local'?",
    ]


@pytest.mark.usefixtures("course_folder")
def test_scheduler_out_of_reach_ends_the_command_within_seconds(write_lesson, neuroprimer):
    write_lesson("1")
    began = time.monotonic()

    done = neuroprimer("validate", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9")

    assert done.returncode == 2
    assert "No Dask scheduler can be reached at 'tcp://127.0.0.1:9'" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 20


def test_doctor_tells_which_executors_there_are(neuroprimer):
    done = neuroprimer("plugins", "doctor")

    assert "Executors there are: dask, local." in done.stdout
