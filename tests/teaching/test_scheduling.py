"""Which lesson runs when: longest first, within memory, and what is remembered for it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.teaching import ExecutionResult, Finding, execute_lessons
from neuroprimer.teaching.history import MOST_RUNS, PastRun, last_run, load_history, remember
from neuroprimer.teaching.scheduling import Forecast, Room, order_of_start

durations = st.lists(st.none() | st.floats(0.1, 100), max_size=12)


@given(durations_s=durations, jobs=st.integers(1, 4))
def test_every_lesson_starts_once(durations_s, jobs):
    forecasts = [Forecast(duration_s=duration) for duration in durations_s]

    assert sorted(order_of_start(forecasts, jobs)) == list(range(len(forecasts)))


def test_longest_lesson_starts_first_and_unknown_ones_before_it():
    forecasts = [Forecast(duration_s=duration) for duration in (1.0, None, 5.0, 3.0)]

    assert order_of_start(forecasts, jobs=1) == [1, 2, 3, 0]


def test_lesson_that_needs_little_starts_in_front_where_several_run():
    needs = ("import numpy", "import nilearn")
    forecasts = [Forecast(duration_s=9, needs=needs), *[Forecast(duration_s=5, needs=needs)] * 2]
    forecasts.append(Forecast(duration_s=1, needs=needs[:1]))

    assert order_of_start(forecasts, jobs=2) == [3, 0, 1, 2]


def most_at_once(room: Room, wanted: list[int]) -> tuple[int, int]:
    """Return how many lessons and how many bytes were in a room at once."""
    most = [0, 0]

    async def stay(wanted_bytes: int) -> None:
        async with room.place(Forecast(memory_bytes=wanted_bytes)):
            most[0], most[1] = max(most[0], room.inside), max(most[1], room.used_bytes)
            await asyncio.sleep(0.001)

    async def run_all() -> None:
        await asyncio.gather(*map(stay, wanted))

    asyncio.run(run_all())
    assert (room.inside, room.used_bytes) == (0, 0)
    return most[0], most[1]


def test_memory_of_lessons_that_run_together_stays_within_the_budget():
    room = Room(jobs=4, budget_bytes=1000)

    assert most_at_once(room, [400, 400, 400, 300, 600, 100]) <= (4, 1000)


def test_lesson_that_needs_more_than_there_is_runs_alone():
    assert most_at_once(Room(jobs=4, budget_bytes=1000), [2000, 2000]) == (1, 2000)


def test_no_more_lessons_than_jobs():
    assert most_at_once(Room(jobs=2, budget_bytes=1000), [1] * 6)[0] == 2


@pytest.mark.kernel
def test_lesson_that_took_longest_last_time_begins_first(make_lesson):
    lessons = [make_lesson("1", lesson_id=name) for name in ("short", "long", "middle")]
    history = {
        name: (PastRun(when="2026-01-01T00:00", duration_s=duration_s, cpu_s=0, peak_bytes=0),)
        for name, duration_s in (("short", 1), ("long", 30), ("middle", 5))
    }
    begun = []

    execute_lessons(
        lessons,
        jobs=1,
        history=history,
        on_event=lambda event: event.cell and begun.append(event.lesson.id),
    )

    assert begun == ["long", "middle", "short"]


def a_result(make_lesson, duration_s: float, **options) -> ExecutionResult:
    return ExecutionResult(
        lesson=make_lesson("1"), duration_s=duration_s, cpu_s=0.5, peak_bytes=7, **options
    )


def test_runs_are_remembered_the_last_of_them(make_lesson, tmp_path):
    file = tmp_path / "cache" / "history.json"
    for number in range(MOST_RUNS + 5):
        remember([a_result(make_lesson, number)], "2026-01-01T00:00", file)

    history = load_history(file)

    assert [run.duration_s for run in history["a-lesson"]] == list(range(5, MOST_RUNS + 5))
    assert last_run(history, make_lesson("1")).duration_s == MOST_RUNS + 4


def test_failed_run_says_nothing_about_the_next(make_lesson, tmp_path):
    failed = a_result(make_lesson, 9, failure=Finding(rule="NP301", subject="a", message="no"))

    assert remember([failed], "2026-01-01T00:00", tmp_path / "history.json") == {}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": [1]}', '{"a": [{"when": 1}]}'])
def test_damaged_history_is_none(tmp_path, content):
    (tmp_path / "history.json").write_text(content)

    assert load_history(tmp_path / "history.json") == {}


def test_history_that_cannot_be_written_is_no_fault(make_lesson, tmp_path):
    (tmp_path / "file").touch()

    history = remember([a_result(make_lesson, 1)], "2026-01-01T00:00", tmp_path / "file" / "h.json")

    assert history["a-lesson"][0].duration_s == 1
