"""Workers and builds that are not alike, and how it is told; without a cluster."""

from dataclasses import replace

import pytest

from neuroprimer.teaching import ExecutionResult, Limits
from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cluster.executor import _same_files
from neuroprimer.teaching.cluster.orders import (
    Machine,
    Order,
    Outcome,
    differences_before,
    differences_of,
    sort_imported,
)

BUILD = Machine(
    python="3.11.7 (main)",
    code="abc",
    versions={"numpy": "2.1", "brings-lessons": "1.0"},
    plugins=("brings-lessons",),
)


@pytest.fixture
def order(make_lesson) -> Order:
    return Order(
        lesson=make_lesson("1"),
        text=b"",
        limits=Limits(),
        variables={},
        unset=("COLOUR",),
        preloads=(),
        forks=True,
        topic="",
        place=0,
        build=BUILD,
    )


def test_worker_that_is_alike_runs_lessons(order, monkeypatch):
    monkeypatch.delenv("COLOUR", raising=False)

    assert differences_before(order, BUILD) == []


def test_everything_that_every_run_depends_on_is_compared(order, monkeypatch):
    monkeypatch.setenv("COLOUR", "red")
    other = replace(
        BUILD, python="3.12.1 (x)", code="x", versions={"numpy": "2.2"}, plugins=("more",)
    )

    assert differences_before(order, other) == [
        "Python 3.12.1 where the build has 3.11.7",
        "other code of neuroprimer than the build",
        "brings-lessons missing where the build has 1.0",
        "the environment variable COLOUR, which the build has not",
    ]


def test_distributions_of_a_run_are_compared_by_version(order):
    other = replace(BUILD, versions={"numpy": "2.2", "scipy": "1.0"})

    assert differences_of(("numpy", "scipy"), order, other) == [
        "numpy 2.2 where the build has 2.1",
        "scipy 1.0 where the build has none",
    ]


def test_imported_files_are_sorted_by_who_speaks_for_them(tmp_path):
    import json

    import pluggy

    mine = tmp_path / "mine.py"
    mine.write_text("x = 1")
    files = {
        "pluggy": pluggy.__file__,
        "json": json.__file__,
        "mine": str(mine),
        "gone": "/gone.py",
    }

    names, digests = sort_imported(files, Distributions())

    assert names == ("pluggy",)
    assert list(digests) == [str(mine)]


def test_module_that_is_another_for_the_worker_fails_the_lesson(make_lesson, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("x = 1")
    result = ExecutionResult(lesson=make_lesson("1"))
    _, files = sort_imported({"mine": str(mine)}, Distributions())
    alike = Outcome(result=result, worker="tcp://there", files=files)

    assert _same_files(alike).failure is None

    mine.write_text("x = 2")
    failure = _same_files(alike).failure

    assert failure.rule == "NP316"
    assert failure.message == "the worker tcp://there has another mine.py than the build."


def test_module_that_only_the_worker_has_fails_nothing(make_lesson):
    result = ExecutionResult(lesson=make_lesson("1"))

    assert _same_files(Outcome(result=result, worker="", files={"/gone.py": "x"})) is result
