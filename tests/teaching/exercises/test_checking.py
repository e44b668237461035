"""Checking: whatever answer and check do, words come out and nothing else."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings

import numpy as np
import pytest

import neuroprimer
from neuroprimer.teaching import Incorrect
from neuroprimer.teaching.exercises.attempts import digest_of_answer
from neuroprimer.teaching.exercises.checking import check_answer
from neuroprimer.teaching.exercises.files import load_exercises
from neuroprimer.teaching.progress.store import Progress


class Hostile:
    """Raises whatever is asked of it."""

    def __repr__(self):
        raise ValueError("no repr")

    def __eq__(self, other):
        raise ValueError("no comparison")

    __hash__ = None

    def __array__(self, *arguments, **options):
        raise ValueError("no array")

    def __float__(self):
        raise ValueError("no number")

    def __getattr__(self, name):
        raise ValueError(f"no {name}")


class HostileShape:
    """Fails only when its shape is asked for, as an image does whose file has gone."""

    @property
    def shape(self):
        raise OSError("the file has gone")


def is_42(answer, _data):
    if answer != 42:
        raise Incorrect("That is not twice 21.")


def test_right_answer_is_right(make_exercise):
    outcome = check_answer(make_exercise(check=is_42), 42, None)

    assert (outcome.is_correct, outcome.is_our_fault, outcome.is_missing) == (True, False, False)


def test_wrong_answer_gets_the_feedback_of_the_check(make_exercise):
    outcome = check_answer(make_exercise(check=is_42), 41, None)

    assert (outcome.is_correct, outcome.message) == (False, "That is not twice 21.")


@pytest.mark.parametrize("placeholder", [..., NotImplemented])
def test_placeholder_is_no_answer_and_not_checked(make_exercise, placeholder):
    def never(_answer, _data):
        pytest.fail("the check was asked")

    outcome = check_answer(make_exercise(check=never), placeholder, None)

    assert outcome.is_missing
    assert not outcome.is_correct


def raising(error):
    def check(_answer, _data):
        raise error

    return check


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("x"), SystemExit(3), RecursionError(), AssertionError("x")],
    ids=repr,
)
def test_raising_check_is_our_fault_and_says_which_error(make_exercise, error):
    outcome = check_answer(make_exercise(check=raising(error)), 1, None)

    assert outcome.is_our_fault
    assert not outcome.is_correct
    assert type(error).__name__ in outcome.message
    assert "of type int" in outcome.message


def test_keyboard_interrupt_passes_through(make_exercise):
    with pytest.raises(KeyboardInterrupt):
        check_answer(make_exercise(check=raising(KeyboardInterrupt())), 1, None)


@pytest.mark.parametrize("message", [None, 3, "", "  "])
def test_verdict_without_words_is_still_a_verdict(make_exercise, message):
    outcome = check_answer(make_exercise(check=raising(Incorrect(message))), 1, None)

    assert not outcome.is_correct
    assert not outcome.is_our_fault
    assert outcome.message.strip()


@pytest.mark.parametrize("error", [Incorrect("a \ud800"), ValueError("a \ud800")], ids=["I", "V"])
def test_half_of_a_character_can_be_shown_and_kept(make_exercise, error):
    outcome = check_answer(make_exercise(check=raising(error)), 1, None)

    assert "\\ud800" in outcome.message
    outcome.message.encode()


def test_check_that_prints_is_not_heard(make_exercise, capfd):
    def loud(_answer, _data):
        sys.stdout.write("the answer is 42")
        sys.stderr.write("the answer is 42")

    check_answer(make_exercise(check=loud), 1, None)

    assert capfd.readouterr() == ("", "")


def test_warning_of_a_check_neither_shows_nor_breaks_it(make_exercise, recwarn):
    def warns(_answer, _data):
        warnings.warn("an invalid value", RuntimeWarning, stacklevel=1)

    warnings.simplefilter("error")  # as a student may have it

    assert check_answer(make_exercise(check=warns), 1, None).is_correct
    assert not recwarn


def test_check_that_never_ends_is_stopped(make_exercise):
    def loops(_answer, _data):
        while True:
            with contextlib.suppress(Exception):  # as careful authors write it
                time.sleep(0.01)

    before, began = signal.getsignal(signal.SIGALRM), time.monotonic()

    outcome = check_answer(make_exercise(check=loops), 1, None, timeout_s=0.2)

    assert outcome.is_our_fault
    assert "still busy after 0.2 s" in outcome.message
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_check_works_in_another_thread_where_no_alarm_can_be_set(make_exercise):
    outcomes = []
    thread = threading.Thread(
        target=lambda: outcomes.append(check_answer(make_exercise(check=is_42), 42, None))
    )

    thread.start()
    thread.join(20)

    assert [outcome.is_correct for outcome in outcomes] == [True]


@pytest.mark.parametrize("answer", [Hostile(), HostileShape()], ids=lambda one: type(one).__name__)
def test_answer_that_raises_at_every_touch_has_a_digest(answer):
    assert digest_of_answer(answer)


def test_comparison_that_raises_is_our_fault(make_exercise):
    outcome = check_answer(make_exercise(check=is_42), Hostile(), None)

    assert outcome.is_our_fault
    assert "of type Hostile" in outcome.message


@pytest.fixture(scope="module")
def lesson():
    return neuroprimer.lesson("voxels-and-affines")


IDS = ("world-origin", "mirrored-affine", "oblique-distance")
STRANGE = {
    "nothing": None,
    "text": "left",
    "NaN": float("nan"),
    "infinity": float("inf"),
    "NaNs": np.full((4, 4), np.nan),
    "three NaNs": [np.nan] * 3,
    "empty": [],
    "ragged": [[1, 2], [3]],
    "function": print,
    "complex": np.full(3, 1j),
    "objects": np.array([None, "x", 3], dtype=object),
    "dictionary": {"x": 1},
    "hostile": Hostile(),
}


@pytest.mark.parametrize("exercise_id", IDS)
@pytest.mark.parametrize("name", STRANGE)
def test_strange_answer_to_the_course_is_wrong_and_breaks_no_check(lesson, exercise_id, name):
    exercise = load_exercises(lesson.lesson)[exercise_id]

    outcome = check_answer(exercise, STRANGE[name], lesson.data)

    assert not outcome.is_correct
    assert not outcome.is_our_fault, outcome.message


@pytest.mark.parametrize("dtype", [np.float64, np.int8])
@pytest.mark.parametrize("exercise_id", IDS)
def test_enormous_answer_is_wrong_at_once_and_costs_no_memory(lesson, exercise_id, dtype):
    exercise = load_exercises(lesson.lesson)[exercise_id]
    answer = np.broadcast_to(dtype(0), (1000, 1000, 1000))
    check_answer(exercise, 1, lesson.data)  # what is imported is not counted

    tracemalloc.start()
    try:
        outcome = check_answer(exercise, answer, lesson.data, timeout_s=10)
        digest_of_answer(answer)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert not outcome.is_correct
    assert not outcome.is_our_fault, outcome.message
    assert peak_bytes < 50_000_000


CHECKS = """
import sys
import neuroprimer
lesson = neuroprimer.lesson("voxels-and-affines")
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    lesson.check("world-origin", (int(sys.argv[1]), number, 0))
"""


def test_200_checks_of_8_processes_at_once_are_200_attempts(progress_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CHECKS, str(name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in range(8)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n", timeout=120) for process in processes]

    assert not any("not kept" in out or err for out, err in said), said
    events = Progress(progress_path).events()
    assert len(events) == 200
    assert len({event.digest for event in events}) == 200
