"""Lessons on a Dask cluster: the same results, whatever becomes of its workers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from distributed import Client, LocalCluster

from neuroprimer.teaching import execute_lessons
from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cluster import executor
from neuroprimer.teaching.cluster.executor import execute_on_cluster
from neuroprimer.teaching.cluster.orders import Machine
from neuroprimer.teaching.executors import ExecutorError
from neuroprimer.teaching.history import PastRun

pytestmark = pytest.mark.kernel

PATIENCE_S = 30

SAYS_WHO_IT_IS = """
import os, pathlib, time
folder = pathlib.Path({folder!r})
attempt = len(list(folder.glob("pid-*")))
(folder / f"pid-{{attempt}}.part").write_text(str(os.getpid()))
(folder / f"pid-{{attempt}}.part").rename(folder / f"pid-{{attempt}}")
"""


def wait_for(condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing happened")


def kernel_of(folder: Path, attempt: int = 0) -> psutil.Process:
    file = folder / f"pid-{attempt}"
    wait_for(file.exists)
    return psutil.Process(int(file.read_text()))


def worker_with(lesson_id: str, cluster: LocalCluster) -> psutil.Process:
    (address,) = [
        worker.address
        for worker in cluster.scheduler.workers.values()
        if any(task.key.startswith(lesson_id) for task in worker.processing)
    ]
    (nanny,) = [one for one in cluster.workers.values() if one.worker_address == address]
    return psutil.Process(nanny.process.pid)


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_results_are_those_of_the_local_executor(cluster, make_lesson):
    lessons = [
        make_lesson("import random; print(random.random())", "1 / 4", lesson_id="first"),
        make_lesson("print('before')", "raise ValueError('no')", lesson_id="bad"),
        make_lesson("import os; print(os.environ['COLOUR'])", lesson_id="last"),
    ]

    there = execute_on_cluster(
        cluster.scheduler_address, lessons, variables={"COLOUR": "grey"}, jobs=2
    )
    here = execute_lessons(lessons, variables={"COLOUR": "grey"})

    assert [result.lesson for result in there] == lessons
    assert [result.notebook for result in there] == [result.notebook for result in here]
    assert [result.source for result in there] == [result.source for result in here]
    assert [result.failure for result in there] == [result.failure for result in here]
    assert there[1].failure.rule == "NP301"


def test_each_lesson_is_told_of_in_order_and_the_longest_begins_first(cluster, make_lesson):
    lessons = [make_lesson("1", "2", lesson_id=name) for name in ("short", "long")]
    history = {
        name: (PastRun(when="", duration_s=duration_s, cpu_s=0, peak_bytes=0),)
        for name, duration_s in (("short", 1), ("long", 9))
    }
    events, threads = [], set()

    def hear(event):
        events.append((event.lesson.id, "ended" if event.result else event.cell))
        threads.add(threading.get_ident())

    execute_on_cluster(cluster.scheduler_address, lessons, jobs=1, history=history, on_event=hear)

    assert threads == {threading.get_ident()}
    begun_and_ended = [event for event in events if event[1] in (0, "ended")]
    assert begun_and_ended == [("long", 0), ("long", "ended"), ("short", 0), ("short", "ended")]


def test_lesson_of_a_killed_worker_runs_again_and_no_kernel_is_left(cluster, make_lesson, tmp_path):
    slow = make_lesson(
        SAYS_WHO_IT_IS.format(folder=str(tmp_path)),
        "if attempt == 0:\n    time.sleep(600)",
        "print('done')",
        lesson_id="slow",
    )
    other = make_lesson("print('other')", lesson_id="other")
    kernels = []

    def kill():
        kernels.append(kernel_of(tmp_path))
        worker_with("slow", cluster).kill()

    thread = in_background(kill)
    results = execute_on_cluster(cluster.scheduler_address, [slow, other])
    thread.join()

    assert [result.failure for result in results] == [None, None]
    assert results[0].notebook.cells[-1].outputs[0].text == "done\n"
    assert (tmp_path / "pid-1").exists()
    wait_for(lambda: not kernels[0].is_running())


def test_lesson_that_kills_every_worker_is_a_finding_and_the_others_are_there(
    cluster, make_lesson, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 1)
    deadly = make_lesson(
        SAYS_WHO_IT_IS.format(folder=str(tmp_path)), "time.sleep(600)", lesson_id="deadly"
    )
    other = make_lesson("print('other')", lesson_id="other")

    def kill():
        for attempt in range(2):
            kernel_of(tmp_path, attempt)
            worker_with("deadly", cluster).kill()

    thread = in_background(kill)
    results = execute_on_cluster(cluster.scheduler_address, [deadly, other], jobs=1)
    thread.join()

    assert results[0].failure.rule == "NP315"
    assert results[0].failure.message == "2 workers died while it ran."
    assert results[1].failure is None


def test_interrupted_build_leaves_no_kernel_on_the_workers(cluster, make_lesson, tmp_path):
    lesson = make_lesson(SAYS_WHO_IT_IS.format(folder=str(tmp_path)), "time.sleep(600)")
    kernels = []

    def interrupt():
        kernels.append(kernel_of(tmp_path))
        os.kill(os.getpid(), signal.SIGINT)

    # tests that run in the background ignore it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = in_background(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            execute_on_cluster(cluster.scheduler_address, [lesson])
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()

    wait_for(lambda: not kernels[0].is_running())
    assert len(cluster.workers) == 2


def test_worker_with_other_packages_is_named(cluster, make_lesson, monkeypatch):
    here = Machine.here(Distributions())
    versions = {**here.versions, "ipython": "0.1"}
    monkeypatch.setattr(Machine, "here", lambda _: replace(here, versions=versions))

    (result,) = execute_on_cluster(cluster.scheduler_address, [make_lesson("1")])

    assert result.failure.rule == "NP316"
    assert "the worker tcp://" in result.failure.message
    ours = here.versions["ipython"]
    assert f"ipython {ours} where the build has 0.1" in result.failure.message


def test_worker_with_other_code_of_neuroprimer_runs_nothing(cluster, make_lesson, monkeypatch):
    here = Machine.here(Distributions())
    monkeypatch.setattr(Machine, "here", lambda _: replace(here, code="other"))

    (result,) = execute_on_cluster(cluster.scheduler_address, [make_lesson("1")])

    assert result.failure.rule == "NP316"
    assert "other code of neuroprimer" in result.failure.message
    assert result.notebook is None


def test_variable_that_only_the_worker_has_is_named(cluster, make_lesson):
    lesson = make_lesson("1", environment="[ONLY_THERE]")

    (result,) = execute_on_cluster(cluster.scheduler_address, [lesson])

    assert result.failure.rule == "NP316"
    assert "ONLY_THERE, which the build has not" in result.failure.message


def test_lesson_that_cannot_be_read_needs_no_worker(make_lesson, tmp_path):
    gone = replace(make_lesson("1"), path=tmp_path / "gone.md")

    (result,) = execute_on_cluster("tcp://127.0.0.1:9", [gone])

    assert result.failure.rule == "NP201"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x", "127.0.0.1"])
def test_scheduler_that_nobody_reaches_is_named_within_seconds(make_lesson, monkeypatch, address):
    monkeypatch.setattr(executor, "CONNECT_S", 0.5)

    with pytest.raises(ExecutorError, match="No Dask scheduler can be reached") as caught:
        execute_on_cluster(address, [make_lesson("1")])

    assert repr(address) in caught.value.message
    assert "dask scheduler" in caught.value.hint


def test_scheduler_that_dies_is_named_and_what_ended_before_was_told(
    make_lesson, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(executor, "CONNECT_S", 2.0)
    quick = make_lesson("print('quick')", lesson_id="quick")
    slow = make_lesson(
        SAYS_WHO_IT_IS.format(folder=str(tmp_path)), "time.sleep(600)", lesson_id="slow"
    )
    address_file = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen(
        [
            *(sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0"),
            *("--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(address_file)),
        ],
        stderr=subprocess.DEVNULL,
    )
    ended, kernels = [], []
    wait_for(address_file.exists)
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1"),
            *("--no-dashboard", "--scheduler-file", str(address_file)),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        with Client(scheduler_file=str(address_file), set_as_default=False) as client:
            address = client.scheduler.address

        def kill():
            kernels.append(kernel_of(tmp_path))
            scheduler.kill()

        thread = in_background(kill)
        with pytest.raises(ExecutorError, match="is gone; 1 of 2 lessons had ended"):
            execute_on_cluster(
                address,
                [quick, slow],
                jobs=1,
                on_event=lambda event: ended.append(event.lesson.id) if event.result else None,
            )
        thread.join()
        assert ended == ["quick"]
        assert "Traceback" not in capfd.readouterr().err
        wait_for(lambda: not kernels[0].is_running())
    finally:
        for process in (scheduler, worker):
            process.terminate()
            process.wait(PATIENCE_S)


def test_cluster_without_workers_is_given_up(make_lesson, monkeypatch):
    monkeypatch.setattr(executor, "NO_WORKER_S", 1.0)
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as cluster,
        pytest.raises(ExecutorError, match="has had no worker for 1 s"),
    ):
        execute_on_cluster(cluster.scheduler_address, [make_lesson("1")])


@pytest.mark.usefixtures("course_folder")
def test_runs_on_the_cluster_are_kept_in_the_cache_of_the_build(cluster, write_lesson, neuroprimer):
    write_lesson("print(6 * 7)")
    there = ("--executor", "dask", "--scheduler", cluster.scheduler_address)

    first = neuroprimer("validate", *there)
    second = neuroprimer("validate", "--explain")  # here, and without the cluster

    assert first.returncode == 0, first.stderr
    assert "a-lesson: ran" in first.stderr
    assert "a-lesson: cached" in second.stderr
