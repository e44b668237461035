"""Policy: what a course lets students see, and where their notebooks find it."""

import pytest

from neuroprimer.teaching.policy import (
    FEWEST_ATTEMPTS,
    POLICY_FILE,
    Policy,
    PolicyError,
    find_policy,
    write_policy,
)


def test_policy_is_found_in_the_folder_and_above(tmp_path):
    policy = Policy(solutions="absent", solution_after=7)
    write_policy(policy, tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)

    assert find_policy(tmp_path) == find_policy(tmp_path / "a" / "b") == policy


def test_nearest_policy_counts(tmp_path):
    write_policy(Policy(solution_after=7), tmp_path)
    write_policy(Policy(solution_after=1), tmp_path / "a")

    assert find_policy(tmp_path / "a").solution_after == 1


def test_without_a_file_the_policy_is_the_usual_one(tmp_path):
    assert find_policy(tmp_path).solution_after == FEWEST_ATTEMPTS


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"solution_after": -1}',
        '{"solution_after": true}',
        '{"solutions": "everywhere"}',
        '{"unknown": 1}',
        b"\xff",
    ],
)
def test_damaged_policy_shows_nothing_too_early(tmp_path, content):
    write_policy(Policy(solution_after=0), tmp_path)
    (tmp_path / "a").mkdir()
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "a" / POLICY_FILE).write_bytes(data)

    assert find_policy(tmp_path / "a") == Policy()


def test_folder_in_the_place_of_the_policy_is_no_policy(tmp_path):
    (tmp_path / POLICY_FILE).mkdir()

    assert find_policy(tmp_path) == Policy()


@pytest.mark.parametrize(
    "options",
    [{"solutions": "later"}, {"solution_after": -1}, {"solution_after": 1.5}, {"hints": "no"}],
)
def test_policy_that_no_course_can_have_is_an_error_with_a_hint(options):
    with pytest.raises(PolicyError) as caught:
        Policy(**options)

    assert caught.value.hint
