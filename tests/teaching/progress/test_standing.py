"""The standing: what counts, what a reset takes back, and what stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.teaching.progress.standing import points_earned, standing_of
from neuroprimer.teaching.progress.store import ATTEMPT, HINT, KINDS, MARK, RESET, SOLUTION, Event


def history(text: str) -> list[Event]:
    """Return events, a word each: an answer, '-' without one, '!' behind a right one, or a kind."""
    return [event_of(word, second) for second, word in enumerate(text.split())]


def event_of(word: str, second: int) -> Event:
    kind = word if word in KINDS else ATTEMPT
    return Event(
        lesson_id="affines",
        exercise_id="inverse",
        kind=kind,
        digest=word.strip("!-") if kind == ATTEMPT else "",
        is_correct=word.endswith("!"),
        when=f"2026-03-01T10:00:{second:02}+00:00",
    )


def standing(text: str):
    return standing_of(history(text), "affines", "inverse")


histories = st.lists(
    st.sampled_from(["a", "b", "c!", "-", HINT, SOLUTION, RESET, MARK]), max_size=20
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "n_attempts", "n_honest"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        ("a a a", 3, 1),
        ("a b a", 3, 3),
        ("-", 1, 0),
        ("- a -", 3, 1),
        ("a - a", 3, 1),
        ("a hint a", 2, 1),
        ("a b reset", 2, 0),
        ("a reset a", 2, 1),
        ("a b reset c reset d d", 5, 1),
        ("a b! b!", 3, 2),
    ],
)
def test_honest_attempts_are_answers_that_differ_from_the_one_before(text, n_attempts, n_honest):
    found = standing(text)

    assert (found.n_attempts, found.n_honest) == (n_attempts, n_honest)


def test_hints_count_from_the_last_reset_on():
    assert standing("hint hint").n_hints == 2
    assert standing("hint hint reset").n_hints == 0
    assert standing("hint reset hint hint reset hint").n_hints == 1


def test_what_was_solved_stays_solved():
    found = standing("a b! c reset a")

    assert found.is_solved
    assert found.first_solved_when == "2026-03-01T10:00:01+00:00"


def test_wrong_answers_solve_nothing():
    found = standing("a b solution")

    assert not found.is_solved
    assert found.first_solved_when == ""


def test_solution_that_was_seen_stays_seen():
    assert not standing("a hint reset").has_seen_solution
    assert standing("solution reset a").has_seen_solution


def test_mark_of_ones_own_solves_nothing_and_stays():
    found = standing("a mark reset b")

    assert found.is_marked
    assert (found.is_solved, found.n_attempts, found.n_honest) == (False, 2, 1)


def test_only_an_attempt_can_solve():
    hint = Event(lesson_id="affines", exercise_id="inverse", kind=HINT, is_correct=True, points=1.0)

    assert not standing_of([hint], "affines", "inverse").is_solved
    assert points_earned([hint], "affines", "inverse") == 0.0


@given(histories, histories)
def test_a_reset_begins_anew_but_for_what_was_reached(before, after):
    both, first, second = standing(f"{before} reset {after}"), standing(before), standing(after)

    assert (both.n_honest, both.n_hints) == (second.n_honest, second.n_hints)
    assert both.n_attempts == first.n_attempts + second.n_attempts
    assert both.is_solved == (first.is_solved or second.is_solved)
    assert both.is_marked == (first.is_marked or second.is_marked)
    assert both.has_seen_solution == (first.has_seen_solution or second.has_seen_solution)


@given(histories)
def test_honest_attempts_are_some_of_the_attempts(text):
    found = standing(text)

    assert 0 <= found.n_honest <= found.n_attempts


@given(histories, histories)
def test_other_exercises_do_not_matter(mine, others):
    foreign = [
        Event(lesson_id=lesson_id, exercise_id=exercise_id, kind=event.kind, digest=event.digest)
        for event in history(others)
        for lesson_id, exercise_id in (("affines", "order"), ("images", "inverse"))
    ]
    mixed = [*foreign, *history(mine), *foreign]

    assert standing_of(mixed, "affines", "inverse") == standing(mine)


def test_most_points_of_right_answers_count(make_event):
    events = [
        make_event(is_correct=False, points=9.0),
        make_event(is_correct=True, points=0.5),
        make_event(is_correct=True, points=1.0),
        make_event(is_correct=True, points=0.25),
        make_event(exercise_id="order", is_correct=True, points=5.0),
    ]

    assert points_earned(events, "affines", "inverse") == 1.0
    assert points_earned(events, "affines", "other") == 0.0
